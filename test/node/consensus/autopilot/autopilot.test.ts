import fc from 'fast-check';
import t from 'tap';
import {
  type AutopilotStep,
  type AutopilotView,
  defaultAutopilotOptions,
  mustBeRemovable,
  nextAutopilotStep,
  voterTarget,
} from '../../../../node/consensus/autopilot/autopilot.ts';
import { type ConfState, emptyConfState } from '../../../../node/raft/index.ts';

const dead = 10 * defaultAutopilotOptions.graceMs;
const away = defaultAutopilotOptions.graceMs / 2;

interface Sketch {
  readonly hosts: number | readonly (readonly [number, string])[];
  readonly voters: readonly number[];
  readonly learners?: readonly number[];
  readonly silent?: Readonly<Record<number, number>>;
  readonly lag?: Readonly<Record<number, number>>;
  readonly leader?: number;
  readonly ledMs?: number;
  readonly conf?: Partial<ConfState>;
  /** All hosts can do with slices. */
  readonly slices?: boolean;
  readonly down?: readonly number[];
}

function view({
  hosts,
  voters,
  learners = [],
  silent = {},
  lag = {},
  leader = 1,
  ledMs = 1e9,
  conf = {},
  slices = false,
  down = [],
}: Sketch): AutopilotView {
  const list = typeof hosts === 'number' ? Array.from({ length: hosts }, (_, n) => [n + 1, ''] as const) : hosts;
  return {
    leader,
    hosts: list.map(([raftId, failureDomain]) => ({ raftId, failureDomain, holdsSlices: slices })),
    unreachable: new Set(down),
    confState: { ...emptyConfState, voters, learners, ...conf },
    members: [...voters, ...learners].map((raftId) => ({
      raftId,
      silentMs: silent[raftId] ?? 0,
      lagEntries: lag[raftId] ?? 0,
    })),
    ledMs,
  };
}

function told(step: AutopilotStep | undefined): string {
  if (step === undefined) return 'nothing';
  if (step.kind === 'transfer') return `transfer ${step.to}`;
  return step.changes.map(({ type, nodeId }) => `${type} ${nodeId}`).join(', ');
}

await t.test('each situation of the voters has its next step', async (t) => {
  const cases: [string, Sketch, string][] = [
    ['one host', { hosts: 1, voters: [1] }, 'nothing'],
    ['a second host joins', { hosts: 2, voters: [1] }, 'addLearner 2'],
    ['two hosts: one voter', { hosts: 2, voters: [1], learners: [2] }, 'nothing'],
    ['a third host joins', { hosts: 3, voters: [1], learners: [2] }, 'addLearner 3'],
    ['three hosts: three voters, two at once', { hosts: 3, voters: [1], learners: [2, 3] }, 'addNode 2, addNode 3'],
    [
      'one of them has no state yet: none',
      { hosts: 3, voters: [1], learners: [2, 3], lag: { 3: Infinity } },
      'nothing',
    ],
    ['one of them is not there: none', { hosts: 3, voters: [1], learners: [2, 3], silent: { 3: 5000 } }, 'nothing'],
    ['one of them lags: none', { hosts: 3, voters: [1], learners: [2, 3], lag: { 2: 5000 } }, 'nothing'],
    ['four hosts: a stand-by', { hosts: 4, voters: [1, 2, 3], learners: [4] }, 'nothing'],
    ['five hosts', { hosts: 5, voters: [1, 2, 3], learners: [4, 5] }, 'addNode 4, addNode 5'],
    ['many hosts', { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6, 7, 8, 9] }, 'nothing'],
    ['a voter away for a while', { hosts: 4, voters: [1, 2, 3], learners: [4], silent: { 2: away } }, 'nothing'],
    [
      'a voter away for too long',
      { hosts: 4, voters: [1, 2, 3], learners: [4], silent: { 2: dead } },
      'addNode 4, addLearner 2',
    ],
    [
      'a new leader cannot tell yet',
      { hosts: 4, voters: [1, 2, 3], learners: [4], silent: { 2: dead }, ledMs: 1000 },
      'nothing',
    ],
    ['nobody to replace it', { hosts: 3, voters: [1, 2, 3], silent: { 2: dead } }, 'nothing'],
    [
      'the stand-by is away too',
      { hosts: 4, voters: [1, 2, 3], learners: [4], silent: { 2: dead, 4: dead } },
      'nothing',
    ],
    [
      'two of five dead and nobody to replace them',
      { hosts: 5, voters: [1, 2, 3, 4, 5], silent: { 2: dead, 3: dead } },
      'addLearner 2, addLearner 3',
    ],
    [
      'one of five dead and nobody to replace it',
      { hosts: 5, voters: [1, 2, 3, 4, 5], silent: { 2: dead } },
      'nothing',
    ],
    ['a learner that is no host any more', { hosts: 3, voters: [1, 2, 3], learners: [9] }, 'removeNode 9'],
    [
      'a voter that is no host any more, with a stand-by',
      {
        hosts: [
          [1, ''],
          [2, ''],
          [4, ''],
        ],
        voters: [1, 2, 3],
        learners: [4],
      },
      'addNode 4, removeNode 3',
    ],
    [
      'a voter that is no host any more, without',
      {
        hosts: [
          [1, ''],
          [2, ''],
        ],
        voters: [1, 2, 3],
      },
      'removeNode 3',
    ],
    [
      'the leader is no host any more',
      {
        hosts: [
          [2, ''],
          [3, ''],
          [4, ''],
        ],
        voters: [1, 2, 3],
        learners: [4],
      },
      'transfer 2',
    ],
    ['too many voters for so few hosts', { hosts: 2, voters: [1, 2] }, 'addLearner 2'],
    [
      'three too many: the silent and the crowded go',
      {
        hosts: [
          [1, 'a'],
          [2, 'a'],
          [3, 'b'],
          [4, 'c'],
        ],
        voters: [1, 2, 3, 4],
        silent: {},
      },
      'addLearner 2',
    ],
    ['two voters of three', { hosts: 3, voters: [1, 2], learners: [3] }, 'addNode 3'],
    [
      'a change is under way',
      { hosts: 5, voters: [1, 2, 3], learners: [4, 5], conf: { votersOutgoing: [1] } },
      'nothing',
    ],
    [
      'voters in one rack while another has none',
      {
        hosts: [
          [1, 'a'],
          [2, 'a'],
          [3, 'b'],
          [4, 'c'],
        ],
        voters: [1, 2, 3],
        learners: [4],
      },
      'addNode 4, addLearner 2',
    ],
    [
      'no better spread to be had',
      {
        hosts: [
          [1, 'a'],
          [2, 'a'],
          [3, 'b'],
          [4, 'b'],
        ],
        voters: [1, 2, 3],
        learners: [4],
      },
      'nothing',
    ],
    [
      'new voters go where none are',
      {
        hosts: [
          [1, 'a'],
          [2, 'a'],
          [3, 'a'],
          [4, 'b'],
          [5, 'c'],
          [6, 'd'],
        ],
        voters: [1],
        learners: [2, 3, 4, 5, 6],
      },
      'addNode 4, addNode 5',
    ],
  ];
  for (const [name, sketch, expected] of cases) t.equal(told(nextAutopilotStep(view(sketch))), expected, name);
  const sliced: [string, Sketch, string][] = [
    ['a small mesh has replicas alone', { hosts: 5, voters: [1], slices: true }, 'addLearner 2'],
    ['two stand by', { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6], slices: true }, 'addLearner 7'],
    ['no more than two', { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6, 7], slices: true }, 'nothing'],
    [
      'who is down does not stand by',
      { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6], slices: true, down: [7, 8] },
      'addLearner 9',
    ],
    [
      'the learners of a mesh of before hold slices',
      { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6, 7, 8, 9], slices: true },
      'removeNode 9, removeNode 8',
    ],
    [
      'the dead first',
      { hosts: 8, voters: [1, 2, 3, 4, 5], learners: [6, 7, 8], slices: true, silent: { 6: dead } },
      'removeNode 6',
    ],
    [
      'a dead one is replaced before it goes',
      { hosts: 8, voters: [1, 2, 3, 4, 5], learners: [6, 7], slices: true, silent: { 6: dead } },
      'addLearner 8',
    ],
    ['those of an older version are members', { hosts: 9, voters: [1, 2, 3, 4, 5], learners: [6, 7] }, 'addLearner 8'],
  ];
  for (const [name, sketch, expected] of sliced) t.equal(told(nextAutopilotStep(view(sketch))), expected, name);
});

await t.test('a live voter is not removed by mistake', async (t) => {
  const three = view({ hosts: 3, voters: [1, 2, 3] });
  t.throws(() => mustBeRemovable(three, 2, false), { code: 'CONFLICT' });
  t.doesNotThrow(() => mustBeRemovable(three, 2, true));
  t.doesNotThrow(() => mustBeRemovable(view({ hosts: 3, voters: [1, 2, 3], silent: { 2: dead } }), 2, false));
  t.throws(() => mustBeRemovable(view({ hosts: 1, voters: [1] }), 1, true), { code: 'CONFLICT' }, 'the last one never');
  t.throws(
    () => mustBeRemovable(view({ hosts: 3, voters: [1, 2, 3], silent: { 3: dead } }), 2, true),
    { code: 'CONFLICT' },
    'not when nothing could be committed after',
  );
  t.doesNotThrow(() => mustBeRemovable(view({ hosts: 3, voters: [1], learners: [2, 3] }), 2, false), 'learners may go');
});

/** Applies a step as the group would. */
function after(state: AutopilotView, step: AutopilotStep): AutopilotView {
  if (step.kind === 'transfer') return { ...state, leader: step.to };
  const voters = new Set(state.confState.voters);
  const learners = new Set(state.confState.learners);
  for (const { type, nodeId } of step.changes) {
    voters.delete(nodeId);
    learners.delete(nodeId);
    if (type === 'addNode') voters.add(nodeId);
    if (type === 'addLearner') learners.add(nodeId);
  }
  const known = new Map(state.members.map((member) => [member.raftId, member]));
  const ids = [...voters, ...learners];
  return {
    ...state,
    confState: {
      ...emptyConfState,
      voters: [...voters].sort((a, b) => a - b),
      learners: [...learners].sort((a, b) => a - b),
    },
    members: ids.map((raftId) => known.get(raftId) ?? { raftId, silentMs: 0, lagEntries: 0 }),
  };
}

await t.test(
  'from every membership it converges, and each step on the way can be committed by the members that are up',
  async (t) => {
    const arbitrary = fc
      .record({
        hostCount: fc.integer({ min: 1, max: 9 }),
        voterCount: fc.integer({ min: 1, max: 6 }),
        extra: fc.nat(2),
        domains: fc.array(fc.constantFrom('', 'a', 'b', 'c'), { minLength: 12, maxLength: 12 }),
        silent: fc.array(fc.constantFrom(0, 0, 0, away, dead), { minLength: 12, maxLength: 12 }),
      })
      .map(({ hostCount, voterCount, extra, domains, silent }) => {
        const hosts = Array.from({ length: hostCount }, (_, n) => [n + 1, domains[n] ?? ''] as const);
        const members = Array.from({ length: Math.min(12, hostCount + extra) }, (_, n) => n + 1);
        const voters = members.slice(0, voterCount);
        return view({
          hosts,
          voters,
          learners: members.slice(voterCount),
          silent: Object.fromEntries(members.map((id) => [id, id === 1 ? 0 : (silent[id] ?? 0)])),
        });
      })
      // A leader leads because a majority answers.
      .filter(({ confState, members }) => {
        const live = confState.voters.filter((id) => members.some((m) => m.raftId === id && m.silentMs < 2000));
        return live.length > confState.voters.length / 2;
      });
    fc.assert(
      fc.property(arbitrary, (start) => {
        let state = start;
        for (let n = 0; n < 60; n += 1) {
          const step = nextAutopilotStep(state);
          if (step === undefined) {
            const domainOf = (id: number): string =>
              state.hosts.find((host) => host.raftId === id)?.failureDomain || `${id}`;
            const liveHosts = state.hosts.filter((host) =>
              state.members.some((m) => m.raftId === host.raftId && m.silentMs < 2000),
            );
            const hasAll = state.hosts.every(
              (h) => state.confState.voters.includes(h.raftId) || state.confState.learners.includes(h.raftId),
            );
            const target = voterTarget(state.hosts.length);
            const isEnough =
              state.confState.voters.length === target ||
              liveHosts.length < target ||
              state.confState.voters.length % 2 === 1;
            const distinct = new Set(state.confState.voters.map(domainOf)).size;
            return hasAll && isEnough && distinct >= 1;
          }
          const next = after(state, step);
          for (const { confState, members } of [state, next]) {
            const { voters } = confState;
            const live = voters.filter((id) => members.some((m) => m.raftId === id && m.silentMs < 2000));
            if (voters.length === 0 || live.length <= voters.length / 2) return false;
          }
          if (step.kind === 'change' && !next.confState.voters.includes(state.leader)) return false;
          state = next;
        }
        return false;
      }),
      { seed: 21, numRuns: 2000 },
    );
    t.pass('held');
  },
);
