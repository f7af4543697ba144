/** Every invariant on hand-made traces: three that keep it, of which nothing is found, and three that break it. */
import t from 'tap';
import type { Command } from '../../../node/state/command.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import type { KeyValue, StateEvent } from '../../../node/state/types.ts';
import { AppliedChecker, type AppliedEntry } from '../../../sim/checkers/applied.ts';
import { ClaimChecker } from '../../../sim/checkers/claims.ts';
import { ConsensusChecker, MembershipChecker, ProgressChecker } from '../../../sim/checkers/consensus.ts';
import { DurabilityChecker } from '../../../sim/checkers/durability.ts';
import { FenceChecker } from '../../../sim/checkers/fences.ts';
import { GossipChecker } from '../../../sim/checkers/gossip.ts';
import {
  checkAddresses,
  checkAttachments,
  checkCreations,
  checkGroups,
  checkHosts,
  checkPromises,
  checkQuota,
  checkReferences,
  checkStart,
  checkStranger,
  checkVnis,
  checkWrite,
  type HostPicture,
  PowerOffChecker,
  RemovalChecker,
} from '../../../sim/checkers/hosts.ts';
import { type Invariant, invariants } from '../../../sim/checkers/invariants.ts';
import { checkGivenUp, checkQuarantined, checkQueues, timersMax } from '../../../sim/checkers/limits.ts';
import { checkLinearizability } from '../../../sim/checkers/linearizability.ts';
import {
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../../sim/checkers/linearizability-models.ts';
import { checkRefusal, reasonMsMax, stillMsMax } from '../../../sim/checkers/patience.ts';
import { RebuildChecker } from '../../../sim/checkers/rebuilds.ts';
import { SecretChecker } from '../../../sim/checkers/secrets.ts';
import { SliceChecker } from '../../../sim/checkers/slices.ts';
import { WatchChecker } from '../../../sim/checkers/watch.ts';
import { on, type Proof, type Trace } from './proof.ts';
import { serverProofs } from './server-proofs.ts';
import { volumeProofs } from './volume-proofs.ts';

// --- Words for traces ------------------------------------------------------------------------------------------------

const consensus = on((report) => new ConsensusChecker(report));
const progress = on((report) => new ProgressChecker(report));
const membership = on((report) => new MembershipChecker(report));
const durability = on((report) => new DurabilityChecker(report));
const applied = on((report) => new AppliedChecker(report));
const removal = on((report) => new RemovalChecker(report));
const fences = on((report) => new FenceChecker(report));
const powerOff = on((report) => new PowerOffChecker(report));
const gossip = on((report) => new GossipChecker(report));
const secrets = on((report) => new SecretChecker(report));
const rebuilds = on((report) => new RebuildChecker(report));

const entry = (index: number, term: number, hash = `${index}/${term}`) => ({ index, term, hash });
const at = (index: number, term: number) => ({ index, term });
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
const plain = (...voters: number[]) => ({ voters, votersOutgoing: [] as number[] });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (key: string, value: string, clientToken = ''): Command => ({
  clientToken,
  transaction: { compares: [], thenOps: [{ kind: 'put', key, value: bytes(value) }], elseOps: [] },
});
const add = (delta: number, max: number): Command => ({
  clientToken: '',
  transaction: { compares: [], thenOps: [{ kind: 'add', key: 'c', delta, min: 0, max }], elseOps: [] },
});
function history(...commands: readonly Command[]): readonly AppliedEntry[] {
  const machine = new StateMachine();
  return commands.map((command, n) => {
    const { outcome, events, isReplay } = machine.apply(n + 1, command);
    return { index: n + 1, command, outcome, events, isReplay };
  });
}
function stateOf(...commands: readonly Command[]): StateMachine {
  const machine = new StateMachine();
  commands.forEach((command, n) => {
    machine.apply(n + 1, command);
  });
  return machine;
}
/** A checker that has seen these commands applied. */
const having =
  (commands: readonly Command[], run: (checker: AppliedChecker, entries: readonly AppliedEntry[]) => void): Trace =>
  (report) => {
    const checker = new AppliedChecker(report);
    const entries = history(...commands);
    for (const one of entries) checker.apply(1, one);
    run(checker, entries);
  };
const outcome = (revision: number, succeeded = true) => ({ revision, succeeded, counters: [] });

type RegisterStep = readonly [input: RegisterInput, output: RegisterOutput, calledAt: number, returnedAt: number];
const register =
  (...steps: readonly RegisterStep[]): Trace =>
  (report) => {
    const operations = steps.map(([input, output, calledAt, returnedAt]) => ({ input, output, calledAt, returnedAt }));
    const { verdict } = checkLinearizability(registerModel, operations, { configurationsMax: 10_000 });
    if (verdict === 'not-linearizable') report('linearizable', 'a history without an order');
  };
const wrote = (value: number, from: number, to: number): RegisterStep => [
  { kind: 'write', value },
  { kind: 'write' },
  from,
  to,
];
const readIt = (value: number | null, from: number, to: number): RegisterStep => [
  { kind: 'read' },
  { kind: 'read', value },
  from,
  to,
];

const event = (revision: number, key: string): StateEvent => ({ revision, key, value: bytes('x') });
const watched: Readonly<Record<number, readonly string[]>> = { 1: ['a'], 2: [], 3: ['a', 'b'], 4: ['c'] };
const watch = (run: (checker: WatchChecker) => void): Trace =>
  on((report) => new WatchChecker(report, { name: 'w', afterRevision: 0, keysOf: (revision) => watched[revision] }))(
    run,
  );

const room = { vcpus: 4, memoryMib: 1024, diskGib: 40 };
const claim = (serverId: string, generation = 1, vcpus = 1) => ({
  serverId,
  generation,
  vcpus,
  memoryMib: 256,
  diskGib: 4,
});
const guest = (serverId: string, generation = 1, isRunning = true) => ({ serverId, generation, isRunning });
const hosts =
  (...pictures: readonly Partial<HostPicture>[]): Trace =>
  (report) =>
    checkHosts(
      pictures.map((picture, n) => ({ name: `h${n}`, guests: [], claims: [], room, ...picture })),
      report,
    );
const port = (id: string, networkId: string, mac: string, ...ips: string[]) => ({ id, networkId, mac, ips });
const ports =
  (...list: readonly ReturnType<typeof port>[]): Trace =>
  (report) =>
    checkAddresses(list, report);
const quota = (sum: number, counted: number) => ({ projectId: 'p', resource: 'cores', sum, counted });
const quotas =
  (...list: readonly ReturnType<typeof quota>[]): Trace =>
  (report) =>
    checkQuota(list, report);
const networks =
  (...vnis: readonly number[]): Trace =>
  (report) =>
    checkVnis(
      vnis.map((vni, n) => ({ id: `net${n}`, vni })),
      report,
    );
const holding = (serverId: string, name: string, volumeIds: string[], portIds: string[], projectId = 'p') => ({
  serverId,
  projectId,
  name,
  volumeIds,
  portIds,
});
const held =
  (...list: readonly ReturnType<typeof holding>[]): Trace =>
  (report) =>
    checkAttachments(list, report);
const made =
  (...list: readonly ReturnType<typeof holding>[]): Trace =>
  (report) =>
    checkCreations(list, report);
const lock = (owner: string, generation: number) => ({ owner, generation });
const writes =
  (host: string, generation: number, by?: ReturnType<typeof lock>): Trace =>
  (report) =>
    checkWrite({ volumeId: 'v', host, generation }, by, report);
const starts =
  (host: string, generation: number, by?: ReturnType<typeof lock>): Trace =>
  (report) =>
    checkStart({ volumeId: 'v', host, generation }, by, report);
const asked =
  (by: string, isShown: boolean): Trace =>
  (report) =>
    checkStranger({ by, serverId: 's', isShown }, report);
const groups =
  (...hostIds: readonly string[][]): Trace =>
  (report) =>
    checkGroups(
      hostIds.map((ids, n) => ({ id: `g${n}`, policy: 'anti-affinity', hostIds: ids })),
      report,
    );
const together =
  (...hostIds: readonly string[]): Trace =>
  (report) =>
    checkGroups([{ id: 'g', policy: 'affinity', hostIds }], report);
/** A port of a project that names things of these projects. */
const refers =
  (projectId: string, ...named: readonly string[]): Trace =>
  (report) =>
    checkReferences([{ what: 'port x', projectId, names: named.map((of) => ({ what: 'y', projectId: of })) }], report);
/** A host's answers to askers, in order: `one: admitted`, `one: gone`, `one gives back`. */
const askers =
  (...steps: readonly string[]): Trace =>
  (report) => {
    const checker = new ClaimChecker(report);
    for (const step of steps) {
      const [asker = '', what] = step.split(/:? /u);
      if (what === 'gives') checker.givesBack('h', 's/1', asker);
      else if (what === 'recorded') checker.recorded('h', 's/1');
      else checker.answered('h', 's/1', asker, what === 'gone');
    }
  };
/** A refusal at n1 of three voters, each with what is wrong with it: n1 hears nothing of the `unheard`. */
const refusal =
  (what: {
    readonly tookMs?: number;
    readonly gone?: readonly number[];
    readonly unheard?: readonly number[];
    readonly pausedMs?: number;
  }): Trace =>
  (report) => {
    const { tookMs = 700, gone = [], unheard = [], pausedMs = 0 } = what;
    const startedMs = 2 * reasonMsMax;
    checkRefusal(
      { member: 1, name: 'n1', code: 'NO_QUORUM', startedMs, endedMs: startedMs + tookMs, patienceMs: 12_000 },
      {
        voters: [1, 2, 3].map((member) => ({
          member,
          upSinceMs: gone.includes(member) ? startedMs - 1_000 : 0,
          pauses: [{ fromMs: startedMs - pausedMs, toMs: startedMs }],
        })),
        votersSinceMs: 0,
        upSinceMs: 0,
        isSoundSince: (a, b) => !(a === 1 && unheard.includes(b)) && !(b === 1 && unheard.includes(a)),
      },
      report,
    );
  };
const queues =
  (timers: number, batches: number): Trace =>
  (report) =>
    checkQueues({ name: 'n1', timers, batches }, report);
const says =
  (type: 'MsgVote' | 'MsgPreVote' | 'MsgVoteResp' | 'MsgPreVoteResp' | 'MsgAppResp' | 'Hello', reject = false): Trace =>
  (report) =>
    checkQuarantined({ type, from: 1, term: 5, reject }, report);
const advert = (hostId: string, epoch: number, sequence: number) => ({ hostId, epoch, sequence });
const promised =
  (told: { created?: string[]; deleting?: string[]; deleted?: string[] }, recorded: readonly string[]): Trace =>
  (report) =>
    checkPromises(
      {
        created: new Set(told.created),
        deleting: new Set(told.deleting),
        deleted: new Set(told.deleted),
      },
      new Set(recorded),
      report,
    );
const nothing: Trace = () => {};
const row = (key: string, revision: number): KeyValue => ({ key, value: new Uint8Array(0), revision });
/** Three revisions of a table of two rows, of which the second is deleted with the third. */
const slices =
  (run: (checker: SliceChecker) => void): Trace =>
  (report) => {
    const checker = new SliceChecker(report);
    const index = row('x/a/of/k/1', 1);
    const states = [
      [row('t/a/1', 1), index],
      [row('t/a/1', 1), row('t/a/2', 2), index],
      [row('t/a/1', 3), index],
    ];
    states.forEach((rows, at) => {
      checker.replayed(at + 1, {
        revision: at + 1,
        get: (key) => rows.find((found) => found.key === key),
        range: (start, end) => rows.filter(({ key }) => key >= start && key < end),
        counter: () => 0,
      });
    });
    run(checker);
  };

/** n4 takes up its subscription again: it had `t/a/` and what the index names at one revision, and is whole at another. */
const resumed = (fromRevision: number, toRevision: number, ...told: readonly string[]): Trace =>
  slices((c) =>
    c.resumed({ name: 'n4.1 of n2', fromRevision, toRevision, terms: ['t/a/', 'x/a/of/k/'], told: new Set(told) }),
  );

/** Somebody asks n4, whose slice is at revision 2, for all that there is under `t/a/`. */
const answered = (isMarked: boolean, ...rows: readonly KeyValue[]): Trace =>
  slices((c) => c.answered({ life: 'n4.1', revision: 2, start: 't/a/', end: 't/a0', rows, isMarked }));

// --- The proofs ------------------------------------------------------------------------------------------------------

const proofs: Readonly<Record<Invariant, Proof>> = {
  'one-leader-a-term': {
    keeps: [
      consensus((c) => [1, 1].forEach((term) => void c.leads(1, term))),
      consensus((c) => [1, 2, 3].forEach((term) => void c.leads(term, term))),
      consensus((c) => [5, 2, 5].forEach((term) => void c.leads(term, term))),
    ],
    breaks: [
      consensus((c) => [1, 2].forEach((node) => void c.leads(node, 3))),
      consensus((c) => [1, 1, 3].forEach((node) => void c.leads(node, 1))),
      consensus((c) => {
        c.leads(1, 1);
        c.leads(2, 2);
        c.leads(2, 1);
      }),
    ],
  },
  'log-matching': {
    keeps: [
      consensus((c) => c.appends(1, at(0, 0), [entry(1, 1), entry(2, 1)])),
      consensus((c) => {
        c.appends(1, at(0, 0), [entry(1, 1, 'a')]);
        c.appends(2, at(0, 0), [entry(1, 2, 'b')]);
      }),
      consensus((c) => {
        c.appends(1, at(0, 0), [entry(1, 1), entry(2, 1)]);
        c.appends(1, at(1, 1), [entry(2, 1)]);
      }),
    ],
    breaks: [
      consensus((c) => ['a', 'b'].forEach((hash) => void c.appends(1, at(0, 0), [entry(1, 1, hash)]))),
      consensus((c) => [1, 2].forEach((term) => void c.appends(3, at(1, term), [entry(2, 3)]))),
      consensus((c) => {
        c.appends(1, at(0, 0), [entry(1, 1), entry(2, 1, 'x')]);
        c.appends(2, at(1, 1), [entry(2, 1, 'y'), entry(3, 2)]);
      }),
    ],
  },
  'leader-completeness': {
    keeps: [
      consensus((c) => {
        c.committed(1, 1);
        c.appends(2, at(1, 1), [entry(2, 2)]);
      }),
      consensus((c) => {
        c.committed(5, 4);
        c.appends(3, at(4, 3), [entry(5, 3)]);
      }),
      consensus((c) => {
        c.appends(2, at(1, 1), [entry(2, 2)]);
        c.committed(2, 2);
        c.appends(3, at(2, 2), [entry(3, 3)]);
      }),
    ],
    breaks: [
      consensus((c) => {
        c.committed(1, 1);
        c.committed(2, 1);
        c.appends(2, at(1, 1), [entry(2, 2)]);
      }),
      consensus((c) => {
        c.committed(5, 2);
        c.appends(4, at(5, 3), []);
      }),
      consensus((c) => {
        c.committed(3, 2);
        c.appends(5, at(2, 2), [entry(3, 4)]);
      }),
    ],
  },
  'commit-monotonic': {
    keeps: [
      progress((c) => [1, 1, 5].forEach((commit) => void c.observe('a', commit, 1))),
      progress((c) => {
        c.observe('a', 9, 1);
        c.observe('b', 2, 1);
      }),
      progress((c) => c.observe('a', 0, 0)),
    ],
    breaks: [
      progress((c) => [5, 4].forEach((commit) => void c.observe('a', commit, 1))),
      progress((c) => [1, 7, 6].forEach((commit) => void c.observe('a', commit, 1))),
      progress((c) => [3, 0].forEach((commit) => void c.observe('a', commit, 0))),
    ],
  },
  'reads-monotonic': {
    keeps: [
      progress((c) => [1, 2].forEach((revision) => void c.observe('a', 9, revision))),
      progress((c) => [2, 2].forEach((revision) => void c.observe('a', 9, revision))),
      progress((c) => {
        c.observe('a', 9, 9);
        c.observe('b', 9, 1);
      }),
    ],
    breaks: [
      progress((c) => [2, 1].forEach((revision) => void c.observe('a', 9, revision))),
      progress((c) => [1, 5, 4].forEach((revision) => void c.observe('a', 9, revision))),
      progress((c) => [7, 0].forEach((revision) => void c.observe('a', 9, revision))),
    ],
  },
  'state-machine-safety': {
    keeps: [
      consensus((c) => [1, 2].forEach((index) => void c.committed(index, 1))),
      applied((c) =>
        history(put('a', '1'), add(1, 5)).forEach((one) => void [1, 2].forEach((node) => void c.apply(node, one))),
      ),
      membership((c) => [1, 1].forEach((index) => void c.applied(index, plain(1, 2, 3)))),
    ],
    breaks: [
      consensus((c) => [4, 3].forEach((term) => void c.committed(5, term))),
      applied((c) =>
        ['1', '2'].forEach((value, n) => void history(put('a', value)).forEach((one) => void c.apply(n, one))),
      ),
      membership((c) => [plain(1, 2), plain(1, 3)].forEach((members) => void c.applied(1, members))),
    ],
  },
  'replicas-agree': {
    keeps: [
      applied((c) => [1, 2, 3].forEach((node) => void c.digest(node, 5, { high: 1, low: 2 }))),
      applied((c) => [5, 6].forEach((index) => void c.digest(1, index, { high: index, low: 2 }))),
      applied((c) => {
        const machines = [stateOf(put('a', '1')), stateOf(put('a', '1'))];
        machines.forEach((machine, n) => void c.digest(n, machine.appliedIndex, machine.digest));
      }),
    ],
    breaks: [
      applied((c) => [1, 2].forEach((node) => void c.digest(node, 5, { high: node, low: 2 }))),
      applied((c) => [1, 2].forEach((node) => void c.digest(node, 5, { high: 1, low: node }))),
      applied((c) => {
        const machines = [stateOf(put('a', '1')), stateOf(put('a', '2'))];
        machines.forEach((machine, n) => void c.digest(n, machine.appliedIndex, machine.digest));
      }),
    ],
  },
  'given-up-only-if-wrong': {
    keeps: [
      (report) => checkGivenUp(1, true, report),
      (report) => [1, 2].forEach((node) => void checkGivenUp(node, true, report)),
      () => {},
    ],
    breaks: [
      (report) => checkGivenUp(1, false, report),
      (report) => [true, false].forEach((isDamaged) => void checkGivenUp(2, isDamaged, report)),
      (report) => [1, 2, 3].forEach((node) => void checkGivenUp(node, false, report)),
    ],
  },
  'snapshot-equals-replay': {
    keeps: [
      having([put('a', '1')], (c) => c.state(2, stateOf(put('a', '1')))),
      having([put('a', '1'), put('a', '2', 't')], (c) => c.state(2, stateOf(put('a', '1'), put('a', '2', 't')))),
      having([put('a', '1'), put('b', '2')], (c) => c.state(2, stateOf(put('a', '9')))),
    ],
    breaks: [
      having([put('a', '1')], (c) => c.state(2, stateOf(put('a', '2')))),
      having([put('a', '1', 't')], (c) => c.state(2, stateOf(put('a', '1')))),
      having([add(1, 9)], (c) => c.state(2, stateOf(add(2, 9)))),
    ],
  },
  'acknowledged-durable': {
    keeps: [
      having([put('a', '1', 't')], (c) => c.acknowledged('t', outcome(1))),
      having([put('a', '1', 't'), put('b', '1', 'u')], (c) => c.acknowledged('u', outcome(2))),
      promised({ created: ['s', 'd'], deleting: ['d'] }, ['s']),
    ],
    breaks: [
      having([], (c) => c.acknowledged('t', outcome(1))),
      having([put('a', '1', 'u')], (c) => c.acknowledged('t', outcome(1))),
      promised({ created: ['s'] }, []),
    ],
  },
  'acknowledged-by-quorum': {
    keeps: [
      durability((c) => {
        [1, 2].forEach((node) => void c.holds(node, 1, 1));
        c.applied(1, 1, [plain(1, 2, 3)]);
      }),
      durability((c) => {
        c.holds(1, 1, 1);
        c.applied(1, 1, [plain(1)]);
      }),
      durability((c) => {
        [1, 2, 4, 5].forEach((node) => void c.holds(node, 1, 1));
        c.applied(1, 1, [{ voters: [1, 2, 3], votersOutgoing: [4, 5] }]);
      }),
    ],
    breaks: [
      durability((c) => {
        c.holds(1, 1, 1);
        c.applied(1, 1, [plain(1, 2, 3)]);
      }),
      durability((c) => {
        [1, 2].forEach((node) => void c.holds(node, 1, 2));
        c.applied(1, 1, [plain(1, 2, 3)]);
      }),
      durability((c) => {
        [1, 2].forEach((node) => void c.holds(node, 1, 1));
        c.applied(1, 1, [{ voters: [1, 2, 3], votersOutgoing: [4, 5, 6] }]);
      }),
    ],
  },
  'exactly-once': {
    keeps: [
      applied((c) => history(put('a', '1', 't'), put('a', '1', 't')).forEach((one) => void c.apply(1, one))),
      applied((c) => history(put('a', '1', 't'), put('a', '1', 'u')).forEach((one) => void c.apply(1, one))),
      applied((c) => history(put('a', '1'), put('a', '1')).forEach((one) => void c.apply(1, one))),
    ],
    breaks: [
      applied((c) =>
        history(put('a', '1', 't'), put('a', '1', 't')).forEach((one) => void c.apply(1, { ...one, isReplay: false })),
      ),
      applied((c) => {
        const [one] = history(put('a', '1', 't'));
        if (one !== undefined) [1, 2].forEach((index) => void c.apply(1, { ...one, index }));
      }),
      applied((c) => {
        const [one] = history(put('b', '1', 'u'));
        if (one !== undefined) [1, 9].forEach((index) => void c.apply(index, { ...one, index }));
      }),
    ],
  },
  'counters-in-bounds': {
    keeps: [
      applied((c) => history(add(1, 5), add(4, 5)).forEach((one) => void c.apply(1, one))),
      applied((c) => history(add(1, 1), add(1, 1)).forEach((one) => void c.apply(1, one))),
      applied((c) => history(add(2, 5), add(-2, 5)).forEach((one) => void c.apply(1, one))),
    ],
    breaks: [6, -1, 100].map((value) =>
      applied((c) =>
        history(add(1, 5)).forEach((one) => void c.apply(1, { ...one, outcome: { ...outcome(1), counters: [value] } })),
      ),
    ) as unknown as readonly [Trace, Trace, Trace],
  },
  linearizable: {
    keeps: [
      register(wrote(1, 0, 1), readIt(1, 2, 3)),
      register(wrote(1, 0, 10), readIt(null, 1, 2), readIt(1, 3, 4)),
      register(wrote(1, 0, 5), wrote(2, 0, 5), readIt(1, 6, 7)),
    ],
    breaks: [
      register(wrote(1, 0, 1), readIt(null, 2, 3)),
      register(wrote(1, 0, 10), readIt(1, 1, 2), readIt(null, 3, 4)),
      register(wrote(1, 0, 1), wrote(2, 2, 3), readIt(1, 4, 5)),
    ],
  },
  'stale-reads-are-prefixes': {
    keeps: [
      having([put('a', '1')], (c) => c.read(1, 'a', 1, bytes('1'))),
      having([put('a', '1'), put('a', '2')], (c) => c.read(1, 'a', 1, bytes('1'))),
      having([put('a', '1')], (c) => c.read(1, 'b', 1, undefined)),
    ],
    breaks: [
      having([put('a', '1')], (c) => c.read(1, 'a', 1, bytes('2'))),
      having([put('a', '1'), put('a', '2')], (c) => c.read(1, 'a', 2, bytes('1'))),
      having([put('a', '1')], (c) => c.read(1, 'a', 1, undefined)),
    ],
  },
  'sync-before-send': {
    keeps: [
      durability((c) => {
        c.hasHead(1, head(3, 2, 0));
        c.votes(1, 3, 2);
      }),
      durability((c) => {
        c.hasHead(1, head(3, 2, 9));
        c.acknowledges(1, 3, 9);
      }),
      durability((c) => {
        c.hasHead(1, head(4, 0, 2));
        c.acknowledges(1, 3, 9);
      }),
    ],
    breaks: [
      durability((c) => c.votes(1, 3, 2)),
      durability((c) => {
        c.hasHead(1, head(3, 2, 8));
        c.acknowledges(1, 3, 9);
      }),
      durability((c) => {
        c.hasHead(1, head(3, 2, 8));
        c.wiped(1);
        c.acknowledges(1, 3, 1);
      }),
    ],
  },
  'one-vote-a-term': {
    keeps: [
      durability((c) => {
        c.hasHead(1, head(3, 2, 0));
        [2, 2].forEach((candidate) => void c.votes(1, 3, candidate));
      }),
      durability((c) => {
        [3, 4].forEach((term) => {
          c.hasHead(1, head(term, term, 0));
          c.votes(1, term, term);
        });
      }),
      durability((c) => {
        [1, 2].forEach((node) => {
          c.hasHead(node, head(3, node, 0));
          c.votes(node, 3, node);
        });
      }),
    ],
    breaks: [
      [2, 3],
      [1, 2],
      [3, 1],
    ].map((candidates) =>
      durability((c) => {
        for (const candidate of candidates) {
          c.hasHead(1, head(3, candidate, 0));
          c.votes(1, 3, candidate);
        }
      }),
    ) as unknown as readonly [Trace, Trace, Trace],
  },
  'quarantined-log-does-not-vote': {
    keeps: [says('MsgVoteResp', true), says('MsgAppResp'), says('Hello')],
    breaks: [says('MsgVoteResp'), says('MsgPreVote'), says('MsgVote')],
  },
  'quorums-intersect': {
    keeps: [
      membership((c) => [plain(1), plain(1, 2)].forEach((members, n) => void c.applied(n, members))),
      membership((c) => [plain(1, 2, 3), plain(1, 2, 3, 4)].forEach((members, n) => void c.applied(n, members))),
      membership((c) =>
        [plain(1, 2, 3), { voters: [4, 5, 6], votersOutgoing: [1, 2, 3] }, plain(4, 5, 6)].forEach(
          (members, n) => void c.applied(n, members),
        ),
      ),
    ],
    breaks: [
      membership((c) => [plain(1, 2, 3), plain(3, 4, 5)].forEach((members, n) => void c.applied(n, members))),
      membership((c) => [plain(1, 2, 3), plain(1, 2, 4)].forEach((members, n) => void c.applied(n, members))),
      membership((c) => [plain(1), plain(2)].forEach((members, n) => void c.applied(n, members))),
    ],
  },
  'slice-is-part-of-the-state': {
    keeps: [
      slices((c) => c.changed('n4.1', { revision: 2, terms: ['t/a/'], rows: [row('t/a/1', 1), row('t/a/2', 2)] })),
      slices((c) =>
        c.changed('n4.1', { revision: 3, terms: ['x/a/of/k/'], rows: [row('x/a/of/k/1', 1), row('t/a/1', 3)] }),
      ),
      slices((c) => {
        c.changed('n4.1', { revision: 1, terms: ['t/a/2'], rows: [] });
        c.changed('n4.1', { revision: 3, terms: ['t/a/2'], rows: [] });
        c.changed('n5.1', { revision: 9, terms: ['t/a/'], rows: [] });
      }),
    ],
    breaks: [
      slices((c) => c.changed('n4.1', { revision: 3, terms: ['t/a/'], rows: [row('t/a/1', 1)] })),
      slices((c) => c.changed('n4.1', { revision: 3, terms: ['t/a/'], rows: [row('t/a/1', 3), row('t/a/2', 2)] })),
      slices((c) => {
        c.changed('n4.1', { revision: 2, terms: ['t/b/'], rows: [] });
        c.changed('n4.1', { revision: 1, terms: ['t/b/'], rows: [] });
      }),
    ],
  },
  'resumes-without-gap': {
    keeps: [
      resumed(1, 2, 't/a/2'),
      resumed(2, 3, 't/a/1', 't/a/2'),
      // Of states that nobody remembers nothing can be said.
      resumed(1, 9),
    ],
    breaks: [
      // What is new, what is gone, and what has changed.
      resumed(1, 2),
      resumed(2, 3, 't/a/1'),
      resumed(1, 3),
    ],
  },
  'partial-answers-marked': {
    keeps: [answered(false, row('t/a/1', 1), row('t/a/2', 2)), answered(true, row('t/a/1', 1)), answered(true)],
    breaks: [answered(false, row('t/a/1', 1)), answered(false), answered(false, row('t/a/1', 1), row('t/a/2', 1))],
  },
  'stale-slice-never-acts': {
    keeps: [
      rebuilds((c) => {
        c.builds('h', 'disk', 's');
        c.builds('h', 'guest', 's');
        c.removes('h', 's', true);
      }),
      // To be made again, by the same records.
      rebuilds((c) => {
        c.removes('h', 's', false);
        c.builds('h', 'guest', 's');
      }),
      rebuilds((c) => {
        c.removes('h', 's', true);
        c.builds('i', 'disk', 's');
        c.builds('h', 'disk', 'r');
      }),
    ],
    breaks: [
      rebuilds((c) => {
        c.removes('h', 's', true);
        c.builds('h', 'guest', 's');
      }),
      rebuilds((c) => {
        c.builds('h', 'disk', 's');
        c.removes('h', 's', true);
        c.builds('h', 'disk', 's');
      }),
      rebuilds((c) => {
        c.removes('h', 'r', true);
        c.removes('h', 's', true);
        c.removes('h', 's', false);
        c.builds('h', 'disk', 's');
      }),
    ],
  },
  'watch-ordered-and-complete': {
    keeps: [
      watch((c) => {
        c.heard([event(1, 'a')]);
        c.heard([event(3, 'a'), event(3, 'b')]);
      }),
      watch((c) => c.heard([event(3, 'a'), event(3, 'b'), event(4, 'c')], true)),
      watch((c) => {
        c.heard([event(1, 'a')]);
        c.upTo(2);
      }),
    ],
    breaks: [
      watch((c) => [1, 1].forEach((revision) => void c.heard([event(revision, 'a')]))),
      watch((c) => c.heard([event(3, 'a'), event(3, 'b')])),
      watch((c) => {
        c.heard([event(1, 'a')]);
        c.heard([event(3, 'b'), event(3, 'a')]);
      }),
    ],
  },
  'slow-is-not-lost': {
    keeps: [
      refusal({ tookMs: 12_000 }),
      refusal({ gone: [2, 3] }),
      refusal({ pausedMs: stillMsMax + 1 }),
      // n2 may hear n3, which leads it, and n1 does not.
      refusal({ unheard: [3] }),
    ],
    breaks: [refusal({}), refusal({ gone: [3], pausedMs: 3_000 }), refusal({ gone: [2] })],
  },
  'bounded-queues': {
    keeps: [queues(0, 0), queues(timersMax, 1), queues(20, 1)],
    breaks: [queues(timersMax + 1, 0), queues(0, 2), queues(timersMax * 2, 3)],
  },
  'no-double-run': {
    keeps: [
      hosts({ guests: [guest('s')], claims: [claim('s')] }),
      hosts({ guests: [guest('s', 1, false)] }, { guests: [guest('s', 2)], claims: [claim('s', 2)] }),
      hosts({ guests: [guest('s')], claims: [claim('s')] }, { guests: [guest('t')], claims: [claim('t')] }),
    ],
    breaks: [
      hosts({ guests: [guest('s')], claims: [claim('s')] }, { guests: [guest('s')], claims: [claim('s')] }),
      hosts({ guests: [guest('s')], claims: [claim('s')] }, { guests: [guest('s', 2)], claims: [claim('s', 2)] }),
      hosts({}, { guests: [guest('s')], claims: [claim('s')] }, { guests: [guest('s')], claims: [claim('s')] }),
    ],
  },
  'single-writer': {
    keeps: [writes('a', 1, lock('a', 1)), writes('b', 7, lock('b', 7)), nothing],
    breaks: [writes('a', 1), writes('a', 1, lock('b', 1)), writes('a', 1, lock('a', 2))],
  },
  'lock-before-start': {
    keeps: [starts('a', 1, lock('a', 1)), starts('b', 3, lock('b', 3)), nothing],
    breaks: [starts('a', 1), starts('a', 2, lock('a', 1)), starts('a', 1, lock('b', 1))],
  },
  'no-overcommit': {
    keeps: [
      hosts({}),
      hosts({ claims: [claim('s', 1, 4)] }),
      hosts({ claims: [claim('s', 1, 2), claim('t', 1, 2)] }),
      // A server that is resized where it is: it runs in one shape at a time.
      hosts({ claims: [claim('s', 1, 2), claim('s', 2, 4)] }),
    ],
    breaks: [
      hosts({ claims: [claim('s', 1, 2), claim('s', 2, 4), claim('t', 1, 1)] }),
      hosts({ claims: [claim('s', 1, 5)] }),
      hosts({ claims: [claim('s', 1, 2), claim('t', 1, 2), claim('u')] }),
      hosts({ claims: [{ ...claim('s'), memoryMib: 1025 }] }),
    ],
  },
  'runs-only-what-is-claimed': {
    keeps: [
      hosts({ guests: [guest('s')], claims: [claim('s')] }),
      hosts({ guests: [guest('s', 1, false)] }),
      hosts({ guests: [guest('s', 3)], claims: [claim('s', 3), claim('t')] }),
    ],
    breaks: [
      hosts({ guests: [guest('s')] }),
      hosts({ guests: [guest('s', 2)], claims: [claim('s', 1)] }),
      hosts({ guests: [guest('s')] }, { claims: [claim('s')] }),
    ],
  },
  'quota-equals-sum': {
    keeps: [quotas(quota(0, 0)), quotas(quota(3, 3), quota(1, 1)), quotas()],
    breaks: [quotas(quota(3, 2)), quotas(quota(0, 1)), quotas(quota(1, 1), quota(2, 3))],
  },
  'unique-addresses': {
    keeps: [
      ports(port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm2', '10.0.0.4')),
      ports(port('p', 'n', 'm1', '10.0.0.3'), port('q', 'o', 'm1', '10.0.0.3')),
      ports(port('p', 'n', 'm1')),
    ],
    breaks: [
      ports(port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm2', '10.0.0.3')),
      ports(port('p', 'n', 'm1', '10.0.0.3'), port('q', 'n', 'm1', '10.0.0.4')),
      ports(port('p', 'n', 'm1', '10.0.0.3', '10.0.0.3')),
    ],
  },
  'unique-vnis': {
    keeps: [networks(), networks(1), networks(1, 2, 3)],
    breaks: [networks(1, 1), networks(1, 2, 1), networks(7, 7, 7)],
  },
  'unique-attachments': {
    keeps: [
      held(holding('s', 'a', ['v'], ['p'])),
      held(holding('s', 'a', ['v'], ['p']), holding('t', 'b', ['w'], ['q'])),
      held(holding('s', 'a', [], []), holding('t', 'b', [], [])),
    ],
    breaks: [
      held(holding('s', 'a', ['v'], []), holding('t', 'b', ['v'], [])),
      held(holding('s', 'a', [], ['p']), holding('t', 'b', [], ['p'])),
      held(holding('s', 'a', [], ['p', 'p'])),
    ],
  },
  ...volumeProofs,
  ...serverProofs,
  'creation-once': {
    keeps: [
      made(holding('s', 'a', [], [])),
      made(holding('s', 'a', [], []), holding('t', 'b', [], [])),
      made(holding('s', 'a', [], []), holding('t', 'a', [], [], 'q')),
    ],
    breaks: [
      made(holding('s', 'a', [], []), holding('t', 'a', [], [])),
      made(holding('s', 'a', [], []), holding('t', 'b', [], []), holding('u', 'b', [], [])),
      made(holding('s', 'a', [], [], 'q'), holding('t', 'a', [], [], 'q')),
    ],
  },
  'tenants-apart': {
    keeps: [asked('p', false), asked('q', false), nothing],
    breaks: [
      asked('p', true),
      asked('q', true),
      (report) => {
        asked('p', false)(report);
        asked('p', true)(report);
      },
    ],
  },
  'references-own': {
    keeps: [refers('p'), refers('p', 'p'), refers('p', 'p', 'p')],
    breaks: [refers('p', 'q'), refers('p', 'p', 'q'), refers('q', 'p')],
  },
  'groups-hold': {
    keeps: [groups(), groups(['a', 'b'], ['a']), together('a', 'a')],
    breaks: [groups(['a', 'b', 'a']), groups(['a'], ['b', 'b']), together('a', 'b')],
  },
  'retries-admitted': {
    keeps: [
      askers('one: admitted', 'one gives back', 'one: gone', 'two: admitted'),
      askers('one gives back', 'one: gone'),
      askers('one: admitted', 'x recorded', 'two: gone'),
    ],
    breaks: [
      askers('one: gone'),
      askers('one: admitted', 'one gives back', 'two: gone'),
      askers('one: admitted', 'two: gone'),
    ],
  },
  'record-before-removal': {
    keeps: [
      removal((c) => {
        c.mayGo('s');
        c.removes('h', 'guest', 's');
        c.removes('h', 'disk', 's');
      }),
      removal((c) => {
        c.mayStop('s');
        c.stops('h', 's');
      }),
      removal((c) => c.mayGo('s')),
    ],
    breaks: [
      removal((c) => c.removes('h', 'guest', 's')),
      removal((c) => {
        c.mayStop('s');
        c.removes('h', 'disk', 's');
      }),
      removal((c) => {
        c.mayGo('s');
        c.removes('h', 'guest', 't');
      }),
    ],
  },
  'data-plane-independent': {
    keeps: [
      removal((c) => {
        c.mayStop('s');
        c.stops('h', 's');
      }),
      removal((c) => {
        c.mayGo('s');
        c.stops('h', 's');
      }),
      removal(() => {}),
    ],
    breaks: [
      removal((c) => c.stops('h', 's')),
      removal((c) => {
        c.mayStop('s');
        c.stops('h', 't');
      }),
      removal((c) => ['s', 't'].forEach((id) => void c.stops('h', id))),
    ],
  },
  'isolation-keeps-guests': {
    keeps: [
      fences((c) => {
        c.says('a', 1_000);
        c.seen('a', true, 9_000);
        c.seen('a', true, 9_100);
      }),
      // It is told that it is fenced, and says something once it is let in.
      fences((c) => {
        c.seen('a', true, 9_000);
        c.seen('a', false, 20_000);
        c.says('a', 20_100);
        c.seen('a', false, 20_200);
      }),
      fences((c) => {
        c.says('b', 8_900);
        c.seen('a', true, 9_000);
      }),
    ],
    breaks: [
      fences((c) => {
        c.says('a', 8_000);
        c.seen('a', true, 9_000);
      }),
      fences((c) => {
        c.says('a', 1_000);
        c.seen('b', false, 2_000);
        c.seen('a', true, 5_900);
      }),
      fences((c) => {
        c.seen('a', true, 9_000);
        c.seen('a', false, 20_000);
        c.says('a', 20_100);
        c.seen('a', true, 20_200);
      }),
    ],
  },
  'off-means-off': {
    keeps: [
      powerOff((c) => c.starts('a', 's')),
      powerOff((c) => {
        c.wentOff('a', 's');
        c.mayStart('s');
        c.starts('a', 's');
      }),
      powerOff((c) => {
        c.wentOff('a', 's');
        c.starts('a', 't');
      }),
    ],
    breaks: [
      powerOff((c) => {
        c.wentOff('a', 's');
        c.starts('a', 's');
      }),
      powerOff((c) => {
        c.wentOff('a', 's');
        c.starts('b', 's');
      }),
      powerOff((c) => {
        c.mayStart('s');
        c.wentOff('a', 's');
        c.starts('a', 's');
      }),
    ],
  },
  'newer-advert-wins': {
    keeps: [
      gossip((c) => {
        [1, 2].forEach((sequence) => void c.said('h', advert('h', 1, sequence)));
        [1, 2].forEach((sequence) => void c.holds('v', advert('h', 1, sequence)));
      }),
      gossip((c) => {
        c.said('h', advert('h', 1, 9));
        c.said('h', advert('h', 2, 1));
        c.holds('v', advert('h', 1, 9));
        c.holds('v', advert('h', 2, 1));
      }),
      gossip((c) => {
        c.said('h', advert('h', 1, 1));
        ['v', 'w'].forEach((viewer) => void c.holds(viewer, advert('h', 1, 1)));
      }),
    ],
    breaks: (
      [
        [advert('h', 1, 2), advert('h', 1, 1)],
        [advert('h', 2, 1), advert('h', 1, 9)],
        [advert('h', 1, 1), advert('h', 1, 1)],
      ] as const
    ).map((adverts) =>
      gossip((c) => {
        for (const one of adverts) c.said('h', one);
        for (const one of adverts) c.holds('v', one);
      }),
    ) as unknown as readonly [Trace, Trace, Trace],
  },
  'hosts-speak-for-themselves': {
    keeps: [
      gossip((c) => {
        c.said('h', advert('h', 1, 1));
        c.holds('v', advert('h', 1, 1));
      }),
      gossip((c) => c.said('h', advert('h', 1, 1))),
      gossip((c) => {
        ['h', 'g'].forEach((host) => {
          c.said(host, advert(host, 1, 1));
          c.holds('v', advert(host, 1, 1));
        });
      }),
    ],
    breaks: [
      gossip((c) => c.holds('v', advert('h', 1, 1))),
      gossip((c) => {
        c.said('h', advert('h', 1, 1));
        c.holds('v', advert('h', 1, 2));
      }),
      gossip((c) => {
        c.said('liar', advert('h', 1, 1));
        c.holds('v', advert('h', 1, 1));
      }),
    ],
  },
  'no-secret-told': {
    keeps: [
      secrets((c) => {
        c.keeps('hush');
        c.line('nothing of interest');
      }),
      secrets((c) => c.line('hush')),
      secrets((c) => {
        c.keeps('hush');
        c.line('hus h');
      }),
    ],
    breaks: [
      secrets((c) => {
        c.keeps('hush');
        c.line('it says hush!');
      }),
      secrets((c) => {
        c.keeps('hush');
        c.line(`data ${Buffer.from('hush').toString('base64')}`);
      }),
      secrets((c) => {
        ['a-secret', 'another'].forEach((secret) => void c.keeps(secret));
        c.line('{"x":"another"}');
      }),
    ],
  },
  'nothing-leaked': {
    keeps: [
      promised({ deleted: ['s'] }, []),
      promised({ created: ['s'] }, ['s']),
      promised({ deleting: ['s'] }, ['s']),
    ],
    breaks: [
      promised({ deleted: ['s'] }, ['s']),
      promised({ deleted: ['s', 't'] }, ['t']),
      promised({ created: ['s'], deleting: ['s'], deleted: ['s'] }, ['s', 'u']),
    ],
  },
};

for (const [invariant, { keeps, breaks }] of Object.entries(proofs)) {
  t.test(`${invariant}: ${invariants[invariant as Invariant]}`, async (t) => {
    const findings = (run: Trace): readonly string[] => {
      const found = new Set<string>();
      run((name) => found.add(name));
      return [...found];
    };
    keeps.forEach((run, n) => void t.strictSame(findings(run), [], `trace ${n + 1} keeps it`));
    breaks.forEach((run, n) => void t.ok(findings(run).includes(invariant), `trace ${n + 1} breaks it`));
  });
}
