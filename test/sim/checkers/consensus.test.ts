import t from 'tap';
import {
  ConsensusChecker,
  MembershipChecker,
  ProgressChecker,
  quorumsIntersect,
} from '../../../sim/checkers/consensus.ts';
import { type Finding, findings } from '../findings.ts';

const entry = (index: number, term: number, hash = `${index}/${term}`) => ({ index, term, hash });

interface Case {
  readonly name: string;
  readonly run: (checker: ConsensusChecker) => void;
  readonly found: readonly Finding[];
}

const cases: readonly Case[] = [
  {
    name: 'one leader in each term',
    run: (checker) => {
      checker.leads(1, 1);
      checker.leads(1, 1);
      checker.leads(2, 2);
    },
    found: [],
  },
  {
    name: 'two leaders in one term',
    run: (checker) => {
      checker.leads(1, 3);
      checker.leads(2, 3);
    },
    found: ['one-leader-a-term'],
  },
  {
    name: 'a leader appends, another goes on behind it, an uncommitted entry is replaced',
    run: (checker) => {
      checker.appends(1, { index: 0, term: 0 }, [entry(1, 1), entry(2, 1)]);
      checker.committed(1, 1);
      checker.appends(2, { index: 1, term: 1 }, [entry(2, 2)]);
      checker.committed(2, 2);
    },
    found: [],
  },
  {
    name: 'one index and term with two contents',
    run: (checker) => {
      checker.appends(1, { index: 0, term: 0 }, [entry(1, 1, 'a')]);
      checker.appends(1, { index: 0, term: 0 }, [entry(1, 1, 'b')]);
    },
    found: ['log-matching'],
  },
  {
    name: 'one entry behind two different ones',
    run: (checker) => {
      checker.appends(3, { index: 1, term: 1 }, [entry(2, 3)]);
      checker.appends(3, { index: 1, term: 2 }, [entry(2, 3)]);
    },
    found: ['log-matching'],
  },
  {
    name: 'a leader that begins before what is committed',
    run: (checker) => {
      checker.committed(1, 1);
      checker.committed(2, 1);
      checker.appends(2, { index: 1, term: 1 }, [entry(2, 2)]);
    },
    found: ['leader-completeness'],
  },
  {
    name: 'a leader that holds another entry where one is committed',
    run: (checker) => {
      checker.committed(5, 2);
      checker.appends(4, { index: 5, term: 3 }, []);
    },
    found: ['leader-completeness'],
  },
  {
    name: 'an old leader, whose messages come late',
    run: (checker) => {
      checker.committed(5, 4);
      checker.appends(3, { index: 4, term: 3 }, [entry(5, 3)]);
    },
    found: [],
  },
  {
    name: 'a leader whom nobody has heard, from between the term of an entry and the term that committed it',
    run: (checker) => {
      checker.committed(54, 3, 5);
      checker.appends(4, { index: 53, term: 3 }, [entry(54, 4)]);
    },
    found: [],
  },
  {
    name: 'a leader after the term that committed an entry, without it',
    run: (checker) => {
      checker.committed(54, 3, 5);
      checker.appends(6, { index: 53, term: 3 }, [entry(54, 6)]);
    },
    found: ['leader-completeness'],
  },
  {
    name: 'two entries applied at one index',
    run: (checker) => {
      checker.committed(5, 4);
      checker.committed(5, 4);
      checker.committed(5, 3);
    },
    found: ['state-machine-safety'],
  },
];

for (const { name, run, found } of cases) {
  t.test(name, async (t) => {
    const { report, list } = findings();
    run(new ConsensusChecker(report));
    t.strictSame([...new Set(list)], found);
  });
}

t.test('what a running member says only grows; a new life may begin lower', async (t) => {
  const { report, list } = findings();
  const checker = new ProgressChecker(report);
  checker.observe('n1.1', 5, 4);
  checker.observe('n1.1', 5, 5);
  checker.observe('n1.2', 3, 3);
  t.strictSame(list, []);
  checker.observe('n1.2', 2, 3);
  checker.observe('n1.2', 4, 1);
  t.strictSame(list, ['commit-monotonic', 'reads-monotonic']);
});

t.test('memberships follow one another with quorums that meet', async (t) => {
  const plain = (...voters: number[]) => ({ voters, votersOutgoing: [] });
  for (const [a, b, meets] of [
    [plain(1), plain(1, 2), true],
    [plain(1, 2, 3), plain(1, 2, 4), false],
    [plain(1, 2, 3), plain(1, 2, 3, 4), true],
    [plain(1, 2, 3), plain(3, 4, 5), false],
    [plain(1, 2, 3), { voters: [4, 5, 6], votersOutgoing: [1, 2, 3] }, true],
    [{ voters: [4, 5, 6], votersOutgoing: [1, 2, 3] }, plain(4, 5, 6), true],
    [plain(1, 2), plain(2, 3), true],
  ] as const) {
    t.equal(quorumsIntersect(a, b), meets, `${JSON.stringify(a)} ${JSON.stringify(b)}`);
  }
  const { report, list } = findings();
  const checker = new MembershipChecker(report);
  checker.applied(1, plain(1));
  checker.applied(2, plain(1, 2));
  checker.applied(2, plain(1, 2));
  t.strictSame(list, []);
  checker.applied(3, plain(3, 4));
  checker.applied(3, plain(3, 5));
  t.strictSame(list, ['quorums-intersect', 'state-machine-safety']);
});
