/** Refusals that more than one part of the loop gives. */
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import { nobody } from '../../raft/index.ts';

/** This node cannot do what only a leader can: `NOT_LEADER`, which names the leader if one is known. */
export function notLeader(leader: RaftId): ShoalError {
  return new ShoalError('NOT_LEADER', leader === nobody ? 'No leader is known.' : `Member ${leader} leads.`, {
    facts: { leaderRaftId: leader },
  });
}

/** Nothing more is done here, for this agent ends: `CANCELLED`. */
export function stopping(): ShoalError {
  return new ShoalError('CANCELLED', 'The agent is stopping.');
}
