/** Whether the fence of this host may be lifted: only once no guest of before has a disk of that storage open. Pure. */
import type { GuestFound } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { disksOf } from '../../services/volume/kit/disks-of-server.ts';

/** `wait` says why, for people. */
type LetInDecision = { readonly kind: 'let-in' } | { readonly kind: 'wait'; readonly reason: string };

/**
 * Whatever the records say of generations, a process that has a disk of the pool open was fenced with this host. It can write no
 * more as it is; but a new connection of it could, once the fence is lifted. So none may be left, of any generation.
 * @param guests all that are on this host.
 * @param recordOf a server's record; undefined: there is none, and nobody knows which disks its guest has.
 */
export function planLetIn(
  pool: string,
  guests: readonly GuestFound[],
  recordOf: (serverId: string) => shoal.v1.Server | undefined,
): LetInDecision {
  for (const guest of guests) {
    if (guest.power === 'crashed' || guest.power === 'suspended') continue;
    const record = recordOf(guest.serverId);
    if (record === undefined) {
      return {
        kind: 'wait',
        reason: `guest ${guest.serverId} of generation ${guest.generation} has no record: it may have a disk open`,
      };
    }
    if (disksOf(record).some((disk) => disk.pool === pool)) {
      return { kind: 'wait', reason: `guest ${guest.serverId} of generation ${guest.generation} has not ended yet` };
    }
  }
  return { kind: 'let-in' };
}
