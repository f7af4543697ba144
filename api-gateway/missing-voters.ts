import { hostTable } from '../node/state/tables/index.ts';
import type { StateClient } from '../node/state/types.ts';

/** Adds to a message who is missing, by name where this replica knows the host. */
export function nameMissingVoters(state: StateClient, message: string): string {
  const { missingVoters } = state.standing();
  if (missingVoters.length === 0) return message;
  const names = missingVoters.map((raftId) => {
    const host = hostTable.one(state.local, 'raft-id', String(raftId));
    return host === undefined ? `voter ${raftId}` : host.record.name;
  });
  return `${message.replace(/\.?$/, '.')} Not heard from: ${names.join(', ')}.`;
}
