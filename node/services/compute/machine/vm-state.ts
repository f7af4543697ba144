/** Nova's `vm_state`: where a server is in its life, apart from what it is doing at the moment. */
import { shoal } from '../../../../proto/messages.ts';
import { movePhase } from '../../kit/server-move.ts';

const { ServerStatus } = shoal.v1;

/** In Nova's words, in the order of a life. */
export const vmStates = [
  'building',
  'active',
  'stopped',
  'paused',
  'suspended',
  'resized',
  'rescued',
  'shelved',
  'shelved_offloaded',
  'error',
] as const;

/** See above. */
export type VmState = (typeof vmStates)[number];

type Shown = Pick<shoal.v1.Server, 'status' | 'launchedMs' | 'move'>;

/**
 * The state of a record. A server whose move waits to be confirmed is `resized`, on or off; one that is being deleted is
 * `active` if it ever ran, else `building`. A status that this version does not know is `error`.
 */
export function vmState(server: Shown): VmState {
  const state = ownState(server);
  return movePhase(server) === 'finished' && (state === 'active' || state === 'stopped') ? 'resized' : state;
}

/** Nova's status, with what a move makes of it: RESIZE on its way, VERIFY_RESIZE there, REVERT_RESIZE on its way back. */
export function shownStatus(server: Shown & Pick<shoal.v1.Server, 'taskState'>): shoal.v1.ServerStatus {
  const { status, taskState } = server;
  if (status === ServerStatus.SERVER_STATUS_ERROR || server.move === null) return status;
  if (vmState(server) === 'resized') return ServerStatus.SERVER_STATUS_VERIFY_RESIZE;
  if (server.move.kind === 'live-migration') {
    return taskState === 'migrating' ? ServerStatus.SERVER_STATUS_MIGRATING : status;
  }
  if (taskState === 'resize_reverting') return ServerStatus.SERVER_STATUS_REVERT_RESIZE;
  return taskState.startsWith('resize_') ? ServerStatus.SERVER_STATUS_RESIZE : status;
}

function ownState(server: Shown): VmState {
  switch (server.status) {
    case ServerStatus.SERVER_STATUS_ACTIVE:
    case ServerStatus.SERVER_STATUS_REBOOT:
      return 'active';
    case ServerStatus.SERVER_STATUS_SHUTOFF:
    case ServerStatus.SERVER_STATUS_MIGRATING:
      return 'stopped';
    case ServerStatus.SERVER_STATUS_PAUSED:
      return 'paused';
    case ServerStatus.SERVER_STATUS_SUSPENDED:
      return 'suspended';
    case ServerStatus.SERVER_STATUS_RESCUE:
      return 'rescued';
    case ServerStatus.SERVER_STATUS_SHELVED:
      return 'shelved';
    case ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED:
      return 'shelved_offloaded';
    case ServerStatus.SERVER_STATUS_ERROR:
      return 'error';
    case ServerStatus.SERVER_STATUS_DELETING:
      return server.launchedMs > 0 ? 'active' : 'building';
    case ServerStatus.SERVER_STATUS_BUILD:
    case ServerStatus.SERVER_STATUS_UNSPECIFIED:
      return 'building';
    default:
      // Written by a newer agent.
      return 'error';
  }
}
