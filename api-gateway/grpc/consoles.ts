import { ShoalError } from '../../node/base/errors.ts';
import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { ConsoleKind } from '../../node/services/kit/dependencies.ts';
import { shoal } from '../../proto/messages.ts';
import { consolePath } from '../console/console-paths.ts';
import type { Caller, Callers } from './kit/caller.ts';

const kinds: ReadonlyMap<shoal.v1.ConsoleKind, ConsoleKind> = new Map([
  [shoal.v1.ConsoleKind.CONSOLE_KIND_VNC, 'vnc'],
  [shoal.v1.ConsoleKind.CONSOLE_KIND_SERIAL, 'serial'],
]);

/** The part of `shoal.v1.ComputeService` that shows what a guest shows and has used. */
export function consoleHandlers(
  callers: Callers,
  { consoles }: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, 'openConsole' | 'getServerDiagnostics'> {
  return {
    openConsole: ({ serverId, kind }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const wanted = kinds.get(kind);
        if (wanted === undefined) throw new ShoalError('INVALID_ARGUMENT', 'kind must be VNC or SERIAL.');
        const { reader } = await read();
        const sessionToken = call.caller.kind === 'token' ? call.caller.token : '';
        const token = await consoles.grant(context, reader, serverId, { kind: wanted, sessionToken });
        return { token, path: `/${consolePath(wanted, token)}` };
      }),
    getServerDiagnostics: ({ serverId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader } = await read();
        const { server, figures } = await consoles.diagnostics(context, reader, serverId);
        return { diagnostics: { ...figures, configDrive: server.configDrive } };
      }),
  };
}
