import { JointQuorum, MajorityQuorum } from '../../../../node/raft/quorum.ts';
import { type CaseRunner, findArgument, ScenarioError, toInteger } from './command.ts';
import type { Case } from './scenario-file.ts';

const voteNames = { won: 'VoteWon', lost: 'VoteLost', pending: 'VotePending' };

/** Cases of `quorum/`: `committed` and `vote` over a majority (`cfg`) or two (`cfg` and `cfgj`; `zero` is an empty one). */
export function quorumRunner(): CaseRunner {
  return (one) => {
    const ids = numbersOf(one, 'cfg');
    const joined = findArgument(one, 'cfgj');
    const isZero = joined?.values[0] === 'zero';
    const idsJoined = isZero ? [] : numbersOf(one, 'cfgj');
    const incoming = new MajorityQuorum(ids);
    const outgoing = new MajorityQuorum(idsJoined);
    const joint = new JointQuorum(incoming, outgoing);
    const quorum = joined === undefined ? incoming : joint;
    const order = [...new Set([...ids, ...idsJoined])];

    if (one.command === 'vote') {
      const votes = new Map<number, boolean>();
      for (const [i, vote] of (findArgument(one, 'votes')?.values ?? []).entries()) {
        if (vote !== '_') votes.set(order[i] ?? 0, vote === 'y');
      }
      return `${voteNames[quorum.voteResult(votes)]}\n`;
    }
    if (one.command !== 'committed') throw new ScenarioError(`unknown command ${one.command}`);
    const acked = new Map<number, number>();
    for (const [i, index] of (findArgument(one, 'idx')?.values ?? []).entries()) {
      if (index !== '_' && index !== '0') acked.set(order[i] ?? 0, toInteger(index));
    }
    const indexOf = (id: number): number => acked.get(id) ?? 0;
    const committed = quorum.committedIndex(indexOf);
    // The outcome must not depend on which half is called the new one, nor on an empty half being there at all.
    if (new JointQuorum(outgoing, incoming).committedIndex(indexOf) !== joint.committedIndex(indexOf)) {
      throw new ScenarioError('the two halves of a joint quorum are not symmetric');
    }
    return `${drawIndexes(joint.ids, acked)}${Number.isFinite(committed) ? committed : '∞'}\n`;
  };
}

function numbersOf(one: Case, key: string): number[] {
  return (findArgument(one, key)?.values ?? []).map(toInteger);
}

/** A bar for each voter, as long as the number of voters it is ahead of. */
function drawIndexes(ids: readonly number[], acked: ReadonlyMap<number, number>): string {
  if (ids.length === 0) return '<empty majority quorum>';
  const sorted = ids.map((id) => acked.get(id) ?? 0).sort((a, b) => a - b);
  let text = `${' '.repeat(ids.length)}    idx\n`;
  for (const id of ids) {
    const index = acked.get(id);
    const bar = sorted.indexOf(index ?? 0);
    const drawn = index === undefined ? '?' : `${'x'.repeat(bar)}>`;
    text += `${drawn.padEnd(ids.length + 1)} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
  }
  return text;
}
