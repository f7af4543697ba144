/** Nova's `vm_state`: where a server is in its life, apart from what it is doing at the moment. */
import { shoal } from '../../../../proto/messages.ts';

const { ServerStatus } = shoal.v1;

/** In Nova's words, in the order of a life. */
export const vmStates = ['building', 'active', 'stopped', 'paused', 'suspended', 'error'] as const;

/** See above. */
export type VmState = (typeof vmStates)[number];

/**
 * The state of a record. A server that moves is `stopped`; one that is being deleted is `active` if it ever ran, else
 * `building`. A status that this version does not know is `error`.
 */
export function vmState(server: Pick<shoal.v1.Server, 'status' | 'launchedMs'>): VmState {
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
