/** What this host does for its peers: admit claims, hand out image content, show a guest's console. */

import type { ComputeDriver } from '../../drivers/types.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { ServerId } from '../base/ids.ts';
import type { PeerHandlers } from '../mesh/peers/peer-server.ts';
import { type ClaimHandlers, type ClaimHandlersDeps, claimHandlers } from './claims/claim-handlers.ts';
import { ConsoleGrants } from './consoles/console-grants.ts';
import { consoleHandler } from './consoles/console-handler.ts';
import { isConsoleKind } from './consoles/console-token.ts';
import type { ImageCache } from './image-cache.ts';

/** Bytes of a console that a caller may ask for at once. */
const consoleBytesMax = 1024 * 1024;

/** What they need of the agent. */
interface HostHandlersDeps extends ClaimHandlersDeps {
  readonly images: ImageCache;
  readonly compute: ComputeDriver;
  readonly clock: Clock;
  /** A fresh UUID. */
  readonly newId: () => string;
}

/** The host's part of `PeerHandlers`. */
export type HostHandlers = ClaimHandlers & Pick<PeerHandlers, 'fetchBlob' | 'consoleLog' | 'askGuest' | 'console'>;

/** Makes them. */
export function hostHandlers(deps: HostHandlersDeps): HostHandlers {
  const grants = new ConsoleGrants(deps.clock, deps.newId);
  return {
    ...claimHandlers(deps),
    console: consoleHandler({ compute: deps.compute, clock: deps.clock, grants }),

    async *fetchBlob(request, call): AsyncIterable<shoal.v1.IBlobChunk> {
      if (!/^[0-9a-f]{64}$/.test(request.sha256))
        throw new ShoalError('INVALID_ARGUMENT', 'The content address is malformed.');
      const totalBytes = await deps.images.sizeOf(request.sha256);
      if (totalBytes === undefined) throw new ShoalError('NOT_FOUND', 'The content is not on this host.');
      for await (const data of deps.images.read(request.sha256, call.signal)) yield { totalBytes, data };
    },

    async consoleLog(request, call): Promise<shoal.v1.IConsoleLogResponse> {
      const bytesMax = Math.min(request.bytesMax || consoleBytesMax, consoleBytesMax);
      return { data: await deps.compute.consoleLog(request.serverId as ServerId, bytesMax, call.signal) };
    },

    async askGuest(request, call): Promise<shoal.v1.IAskGuestResponse> {
      const { serverId, injectNmi, password, console, diagnostics } = request;
      const id = serverId as ServerId;
      if (console !== null) {
        const { kind = '', sessionToken = '' } = console;
        if (!isConsoleKind(kind)) throw new ShoalError('NOT_IMPLEMENTED', 'This version has no such console.');
        await mustHaveProcess(deps.compute, id, call.signal);
        return { consoleSecret: grants.add({ serverId: id, kind, sessionToken }) };
      }
      if (diagnostics) {
        const { cpus, disks, nics, ...figures } = await deps.compute.diagnostics(id, call.signal);
        const { accelerator } = deps.compute;
        return { diagnostics: { ...figures, accelerator, cpus: [...cpus], disks: [...disks], nics: [...nics] } };
      }
      if (injectNmi) await deps.compute.injectNmi(id, call.signal);
      else if (password !== null) {
        await deps.compute.setPassword(id, password.user, password.password, call.signal);
      } else throw new ShoalError('NOT_IMPLEMENTED', 'This version asks guests for no such thing.');
      return {};
    },
  };
}

/** A suspended guest, and one that has crashed, show nothing. */
async function mustHaveProcess(compute: ComputeDriver, serverId: ServerId, signal: AbortSignal): Promise<void> {
  const power = (await compute.find(serverId, signal))?.power;
  if (power !== undefined && power !== 'crashed' && power !== 'suspended') return;
  throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
}
