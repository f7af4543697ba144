import t from 'tap';
import type { Command } from '../../../node/state/command.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import { AppliedChecker, type AppliedEntry } from '../../../sim/checkers/applied.ts';
import { WatchChecker } from '../../../sim/checkers/watch.ts';
import { type Finding, findings } from '../findings.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const put = (key: string, value: string, clientToken = ''): Command => ({
  clientToken,
  transaction: { compares: [], thenOps: [{ kind: 'put', key, value: bytes(value) }], elseOps: [] },
});
const add = (delta: number, max: number): Command => ({
  clientToken: '',
  transaction: { compares: [], thenOps: [{ kind: 'add', key: 'c', delta, min: 0, max }], elseOps: [] },
});

/** Applies commands for real, from index 1 on. */
function history(...commands: readonly Command[]): readonly AppliedEntry[] {
  const machine = new StateMachine();
  return commands.map((command, at) => {
    const { outcome, events, isReplay } = machine.apply(at + 1, command);
    return { index: at + 1, command, outcome, events, isReplay };
  });
}

const cases: readonly {
  readonly name: string;
  readonly run: (checker: AppliedChecker) => void;
  readonly found: readonly Finding[];
}[] = [
  {
    name: 'everybody applies the same',
    run: (checker) => {
      for (const entry of history(put('a', '1'), add(1, 5), put('a', '2', 't'), put('a', '2', 't'))) {
        checker.apply(1, entry);
        checker.apply(2, entry);
      }
    },
    found: [],
  },
  {
    name: 'two members apply different commands at one index',
    run: (checker) => {
      for (const entry of history(put('a', '1'))) checker.apply(1, entry);
      for (const entry of history(put('a', '2'))) checker.apply(2, entry);
    },
    found: ['state-machine-safety'],
  },
  {
    name: 'a member has another outcome',
    run: (checker) => {
      const [entry] = history(add(1, 5));
      if (entry?.outcome === undefined) return;
      checker.apply(1, entry);
      checker.apply(2, { ...entry, outcome: { ...entry.outcome, counters: [2] } });
    },
    found: ['state-machine-safety'],
  },
  {
    name: 'a write takes effect twice under one token',
    run: (checker) => {
      const [first, second] = history(put('a', '1'), put('a', '1'));
      if (first === undefined || second === undefined) return;
      checker.apply(1, { ...first, command: put('a', '1', 't') });
      checker.apply(1, { ...second, command: put('a', '1', 't') });
    },
    found: ['exactly-once', 'snapshot-equals-replay'],
  },
  {
    name: 'a counter leaves its bounds',
    run: (checker) => {
      const [entry] = history(add(1, 5));
      if (entry?.outcome !== undefined) checker.apply(1, { ...entry, outcome: { ...entry.outcome, counters: [6] } });
    },
    found: ['counters-in-bounds', 'snapshot-equals-replay'],
  },
  {
    name: 'what was acknowledged is there',
    run: (checker) => {
      for (const entry of history(put('a', '1', 't'))) {
        checker.apply(1, entry);
        if (entry.outcome !== undefined) checker.acknowledged('t', entry.outcome);
      }
    },
    found: [],
  },
  {
    name: 'an acknowledgement of what nobody applied',
    run: (checker) => checker.acknowledged('t', { revision: 9, succeeded: true, counters: [] }),
    found: ['acknowledged-durable'],
  },
  {
    name: 'an acknowledgement where another write is',
    run: (checker) => {
      for (const entry of history(put('a', '1', 'u'))) {
        checker.apply(1, entry);
        if (entry.outcome !== undefined) checker.acknowledged('t', entry.outcome);
      }
    },
    found: ['acknowledged-durable'],
  },
  {
    name: 'old reads of what was so then',
    run: (checker) => {
      for (const entry of history(put('a', '1'), put('b', '1'), put('a', '2'))) checker.apply(1, entry);
      checker.read(1, 'a', 3, bytes('2'));
      checker.read(1, 'a', 2, bytes('1'));
      checker.read(1, 'a', 0, undefined);
    },
    found: [],
  },
  {
    name: 'reads of what was never so',
    run: (checker) => {
      for (const entry of history(put('a', '1'), put('b', '1'), put('a', '2'))) checker.apply(1, entry);
      checker.read(1, 'a', 2, bytes('2'));
      checker.read(1, 'a', 3, bytes('1'));
      checker.read(1, 'a', 1, undefined);
    },
    found: ['stale-reads-are-prefixes', 'stale-reads-are-prefixes', 'stale-reads-are-prefixes'],
  },
  {
    name: 'a state that is not the replay',
    run: (checker) => {
      for (const entry of history(put('a', '1'))) checker.apply(1, entry);
      const same = new StateMachine();
      same.apply(1, put('a', '1'));
      checker.state(1, same);
      const other = new StateMachine();
      other.apply(1, put('a', '2'));
      checker.state(2, other);
    },
    found: ['snapshot-equals-replay'],
  },
];

for (const { name, run, found } of cases) {
  t.test(name, async (t) => {
    const { report, list } = findings();
    run(new AppliedChecker(report));
    t.strictSame(list, found);
  });
}

t.test('a watch', async (t) => {
  const keys: Readonly<Record<number, readonly string[]>> = { 1: ['a'], 2: [], 3: ['a', 'b'], 4: ['c'] };
  const event = (revision: number, key: string) => ({ revision, key, value: undefined });
  for (const { name, run, found } of [
    {
      name: 'hears everything in order',
      run: (watch: WatchChecker) => {
        watch.heard([event(1, 'a')]);
        watch.heard([event(3, 'a'), event(3, 'b')]);
        watch.upTo(3);
      },
      found: [],
    },
    {
      name: 'hears of a snapshot at once',
      run: (watch: WatchChecker) => {
        watch.heard([event(3, 'a'), event(4, 'c')], true);
        watch.skippedTo(4);
        watch.upTo(4);
      },
      found: [],
    },
    {
      name: 'hears one revision twice',
      run: (watch: WatchChecker) => {
        watch.heard([event(1, 'a')]);
        watch.heard([event(1, 'a')]);
      },
      found: ['watch-ordered-and-complete'],
    },
    {
      name: 'misses a revision',
      run: (watch: WatchChecker) => watch.heard([event(3, 'a'), event(3, 'b')]),
      found: ['watch-ordered-and-complete'],
    },
    {
      name: 'misses a key',
      run: (watch: WatchChecker) => {
        watch.heard([event(1, 'a')]);
        watch.heard([event(3, 'a')]);
      },
      found: ['watch-ordered-and-complete'],
    },
    {
      name: 'is told too little in the end',
      run: (watch: WatchChecker) => watch.upTo(4),
      found: ['watch-ordered-and-complete'],
    },
  ]) {
    const { report, list } = findings();
    run(new WatchChecker(report, { name: 'w', afterRevision: 0, keysOf: (revision) => keys[revision] }));
    t.strictSame(list, found, name);
  }
});
