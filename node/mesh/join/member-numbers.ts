/** Numbers that a host is given when it becomes a member. */
import { ShoalError } from '../../base/errors.ts';

/** Counts the Raft ids given away, so that none is given twice even after a host was removed. */
export const raftIdCounterKey = 'c/host/raft-id';
/** Highest number on the routers' transit networks. */
const transitIndexMax = 65_000;

/** A number on the routers' transit networks that none of the hosts has. Throws `ADDRESS_EXHAUSTED`. */
export function freeTransitIndex(hosts: readonly { readonly transitIndex: number }[]): number {
  const taken = new Set(hosts.map((host) => host.transitIndex));
  for (let index = 1; index <= transitIndexMax; index++) if (!taken.has(index)) return index;
  throw new ShoalError('ADDRESS_EXHAUSTED', `A mesh has at most ${transitIndexMax} hosts.`);
}
