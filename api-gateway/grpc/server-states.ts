import { ShoalError } from '../../node/base/errors.ts';
import type { Handlers } from '../../node/rpc/server.ts';
import type { ComputeService } from '../../node/services/compute/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { Caller, Callers } from './kit/caller.ts';

/** Nova's bound of what people write. Unit: characters. */
const textMax = 255;

type StateMethods =
  | 'pauseServer'
  | 'unpauseServer'
  | 'suspendServer'
  | 'resumeServer'
  | 'lockServer'
  | 'unlockServer'
  | 'resetServerState'
  | 'triggerServerCrashDump'
  | 'setServerPassword';

/** The part of `shoal.v1.ComputeService` that changes what a server is at, and nothing of what it is. */
export function serverStateHandlers(
  callers: Callers,
  compute: ComputeService,
): Pick<Handlers<shoal.v1.ComputeService, Caller>, StateMethods> {
  return {
    pauseServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.pause(context, serverId);
        return {};
      }),
    unpauseServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.unpause(context, serverId);
        return {};
      }),
    suspendServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.suspend(context, serverId);
        return {};
      }),
    resumeServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.resume(context, serverId);
        return {};
      }),
    unlockServer: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.unlock(context, serverId);
        return {};
      }),
    triggerServerCrashDump: ({ serverId }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.triggerCrashDump(context, serverId);
        return {};
      }),
    lockServer: ({ serverId, reason }, call) =>
      callers.serve(call, async ({ context }) => {
        checkLength('reason', reason, { least: 0 });
        await compute.servers.lock(context, serverId, reason);
        return {};
      }),
    resetServerState: ({ serverId, error }, call) =>
      callers.serve(call, async ({ context }) => {
        await compute.servers.resetState(context, serverId, error ? 'error' : 'active');
        return {};
      }),
    setServerPassword: ({ serverId, password }, call) =>
      callers.serve(call, async ({ context }) => {
        checkLength('password', password, { least: 1 });
        await compute.servers.setPassword(context, serverId, password);
        return {};
      }),
  };
}

function checkLength(field: string, text: string, { least }: { readonly least: number }): void {
  if (text.length >= least && text.length <= textMax) return;
  throw new ShoalError('INVALID_ARGUMENT', `${field} must have ${least} to ${textMax} characters.`);
}
