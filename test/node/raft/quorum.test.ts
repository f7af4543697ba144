import fc from 'fast-check';
import t from 'tap';
import { JointQuorum, MajorityQuorum } from '../../../node/raft/quorum.ts';

const ids = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 7 });
const indexes = fc.dictionary(fc.integer({ min: 1, max: 12 }).map(String), fc.nat(20));
const votes = fc.dictionary(fc.integer({ min: 1, max: 12 }).map(String), fc.boolean());
const runs = { seed: 11, numRuns: 500 };

/** The definition, word for word: the highest index that more than half have. */
function naiveCommitted(voters: readonly number[], indexOf: (id: number) => number): number {
  if (voters.length === 0) return Number.POSITIVE_INFINITY;
  const candidates = [0, ...voters.map(indexOf)];
  return Math.max(
    ...candidates.filter((index) => voters.filter((id) => indexOf(id) >= index).length * 2 > voters.length),
  );
}

void t.test('the committed index of a majority is the highest that more than half have', async () => {
  fc.assert(
    fc.property(ids, indexes, (voters, acked) => {
      const indexOf = (id: number): number => acked[String(id)] ?? 0;
      return new MajorityQuorum(voters).committedIndex(indexOf) === naiveCommitted(voters, indexOf);
    }),
    runs,
  );
});

void t.test('a joint quorum commits what both halves have, whichever is which', async () => {
  fc.assert(
    fc.property(ids, ids, indexes, (a, b, acked) => {
      const indexOf = (id: number): number => acked[String(id)] ?? 0;
      const [left, right] = [new MajorityQuorum(a), new MajorityQuorum(b)];
      const both = Math.min(naiveCommitted(a, indexOf), naiveCommitted(b, indexOf));
      return (
        new JointQuorum(left, right).committedIndex(indexOf) === both &&
        new JointQuorum(right, left).committedIndex(indexOf) === both
      );
    }),
    runs,
  );
});

void t.test('a vote is won or lost only when the missing ones cannot change it', async () => {
  fc.assert(
    fc.property(ids, ids, votes, (a, b, cast) => {
      const quorum = new JointQuorum(new MajorityQuorum(a), new MajorityQuorum(b));
      const map = new Map(Object.entries(cast).map(([id, yes]) => [Number(id), yes]));
      const filled = (rest: boolean) => new Map(quorum.ids.map((id) => [id, map.get(id) ?? rest]));
      const result = quorum.voteResult(map);
      const [best, worst] = [quorum.voteResult(filled(true)), quorum.voteResult(filled(false))];
      if (result === 'won') return worst === 'won';
      if (result === 'lost') return best === 'lost';
      return best === 'won' && worst === 'lost';
    }),
    runs,
  );
});
