import t from 'tap';
import { DurabilityChecker } from '../../../sim/checkers/durability.ts';
import { type Finding, findings } from '../findings.ts';

const head = (term: number, vote: number, lastIndex: number) => ({
  term,
  vote,
  commit: 0,
  startIndex: 0,
  startTerm: 0,
  lastIndex,
  lastTerm: term,
  logGeneration: 1,
});
const three = { voters: [1, 2, 3], votersOutgoing: [] };

const cases: readonly {
  readonly name: string;
  readonly run: (checker: DurabilityChecker) => void;
  readonly found: readonly Finding[];
}[] = [
  {
    name: 'a vote that is on disk',
    run: (checker) => {
      checker.hasHead(1, head(3, 2, 0));
      checker.votes(1, 3, 2);
      checker.votes(1, 3, 2);
    },
    found: [],
  },
  { name: 'a vote with nothing on disk', run: (checker) => checker.votes(1, 3, 2), found: ['sync-before-send'] },
  {
    name: 'a vote of a term that is not on disk',
    run: (checker) => {
      checker.hasHead(1, head(2, 2, 0));
      checker.votes(1, 3, 2);
    },
    found: ['sync-before-send'],
  },
  {
    name: 'a vote for another than the one on disk',
    run: (checker) => {
      checker.hasHead(1, head(3, 1, 0));
      checker.votes(1, 3, 2);
    },
    found: ['sync-before-send'],
  },
  {
    name: 'two votes in one term, with a forgetful disk',
    run: (checker) => {
      checker.hasHead(1, head(3, 2, 0));
      checker.votes(1, 3, 2);
      checker.hasHead(1, head(3, 3, 0));
      checker.votes(1, 3, 3);
    },
    found: ['one-vote-a-term'],
  },
  {
    name: 'an acknowledgement of what is on disk',
    run: (checker) => {
      checker.hasHead(1, head(3, 2, 7));
      checker.acknowledges(1, 3, 7);
      checker.acknowledges(1, 2, 9);
    },
    found: [],
  },
  {
    name: 'an acknowledgement of more than is on disk',
    run: (checker) => {
      checker.hasHead(1, head(3, 2, 7));
      checker.acknowledges(1, 3, 8);
    },
    found: ['sync-before-send'],
  },
  {
    name: 'an acknowledgement after the disk was wiped',
    run: (checker) => {
      checker.hasHead(1, head(3, 2, 7));
      checker.wiped(1);
      checker.acknowledges(1, 3, 7);
    },
    found: ['sync-before-send'],
  },
  {
    name: 'an entry applied with a majority behind it',
    run: (checker) => {
      checker.holds(1, 4, 2);
      checker.holds(3, 4, 2);
      checker.applied(4, 2, [three]);
    },
    found: [],
  },
  {
    name: 'an entry applied with a minority behind it',
    run: (checker) => {
      checker.holds(1, 4, 2);
      checker.holds(3, 4, 1);
      checker.applied(4, 2, [three]);
    },
    found: ['acknowledged-by-quorum'],
  },
  {
    name: 'an entry applied with one majority of a joint membership behind it',
    run: (checker) => {
      checker.holds(4, 4, 2);
      checker.holds(5, 4, 2);
      checker.applied(4, 2, [{ voters: [4, 5, 6], votersOutgoing: [1, 2, 3] }]);
    },
    found: ['acknowledged-by-quorum'],
  },
];

for (const { name, run, found } of cases) {
  t.test(name, async (t) => {
    const { report, list } = findings();
    run(new DurabilityChecker(report));
    t.strictSame(list, found);
  });
}
