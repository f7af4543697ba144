/** What this host does for its peers: admit claims, hand out image content, show a guest's console. */

import type { ComputeDriver } from '../../drivers/types.ts';
import type { shoal } from '../../proto/messages.ts';
import { ShoalError } from '../base/errors.ts';
import type { ServerId } from '../base/ids.ts';
import type { PeerHandlers } from '../mesh/peers/peer-server.ts';
import { type ClaimHandlers, type ClaimHandlersDeps, claimHandlers } from './claims/claim-handlers.ts';
import type { ImageCache } from './image-cache.ts';

/** Bytes of a console that a caller may ask for at once. */
const consoleBytesMax = 1024 * 1024;

/** What they need of the agent. */
interface HostHandlersDeps extends ClaimHandlersDeps {
  readonly images: ImageCache;
  readonly compute: ComputeDriver;
}

/** The host's part of `PeerHandlers`. */
export type HostHandlers = ClaimHandlers & Pick<PeerHandlers, 'fetchBlob' | 'consoleLog' | 'askGuest'>;

/** Makes them. */
export function hostHandlers(deps: HostHandlersDeps): HostHandlers {
  return {
    ...claimHandlers(deps),

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

    async askGuest({ serverId, injectNmi, password }, call): Promise<shoal.v1.IAskGuestResponse> {
      const id = serverId as ServerId;
      if (injectNmi) await deps.compute.injectNmi(id, call.signal);
      else if (password !== null) {
        await deps.compute.setPassword(id, password.user, password.password, call.signal);
      } else throw new ShoalError('NOT_IMPLEMENTED', 'This version asks guests for no such thing.');
      return {};
    },
  };
}
