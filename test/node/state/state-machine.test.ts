import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { AssertionError } from '../../../node/base/assert.ts';
import { type Command, decodeCommand, encodeCommand } from '../../../node/state/command.ts';
import { rowBytes, writeRow } from '../../../node/state/rows.ts';
import { encodeSnapshot, SnapshotDecoder } from '../../../node/state/snapshot.ts';
import { StateMachine, sessionWindowRevisions } from '../../../node/state/state-machine.ts';
import { Table, TransactionBuilder } from '../../../node/state/table.ts';
import type { Compare, Op, Transaction } from '../../../node/state/types.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value);
const put = (key: string, value = ''): Op => ({ kind: 'put', key, value: bytes(value) });
const add = (key: string, delta: number, min = 0, max = 10): Op => ({ kind: 'add', key, delta, min, max });
const then = (...thenOps: Op[]): Transaction => ({ compares: [], thenOps, elseOps: [] });
const command = (transaction: Transaction, clientToken = ''): Command => ({ clientToken, transaction });

function snapshotOf(machine: StateMachine): Buffer {
  return Buffer.concat([...encodeSnapshot(machine.view())]);
}

function restored(snapshot: Uint8Array): StateMachine {
  const decoder = new SnapshotDecoder();
  const machine = new StateMachine();
  for (let at = 0; at < snapshot.length; at += 1000) {
    for (const row of decoder.push(snapshot.subarray(at, at + 1000))) machine.load(row);
  }
  machine.loaded(decoder.finish());
  return machine;
}

await t.test('compares decide which branch is applied, and the first that fails is named', (t) => {
  const machine = new StateMachine();
  machine.apply(1, command(then(put('a', 'one'))));
  const cases: [string, Compare, boolean][] = [
    ['revision equal', { key: 'a', revision: 1 }, true],
    ['revision differs', { key: 'a', revision: 2 }, false],
    ['revision 0 on an absent key', { key: 'z', revision: 0 }, true],
    ['revision 0 on a present key', { key: 'a', revision: 0 }, false],
    ['exists', { key: 'a', exists: true }, true],
    ['does not exist', { key: 'z', exists: true }, false],
    ['absent as wanted', { key: 'z', exists: false }, true],
    ['value equal', { key: 'a', value: bytes('one') }, true],
    ['value differs', { key: 'a', value: bytes('two') }, false],
    ['value on an absent key', { key: 'z', value: bytes('') }, false],
  ];
  let index = 1;
  for (const [name, compare, holds] of cases) {
    index += 1;
    const { outcome } = machine.apply(
      index,
      command({ compares: [compare], thenOps: [put('branch', 'then')], elseOps: [put('branch', 'else')] }),
    );
    t.equal(outcome.succeeded, holds, name);
    t.equal(outcome.failedKey, holds ? undefined : compare.key, name);
    t.equal(text(machine.get('branch')?.value), holds ? 'then' : 'else', name);
    t.equal(outcome.revision, index, name);
  }
  t.end();
});

await t.test('a refusal changes nothing, whatever came before it in the transaction', (t) => {
  const machine = new StateMachine();
  machine.apply(1, command(then(put('a', 'one'), put('b', 'two'), add('n', 9))));
  const before = snapshotOf(machine);
  const refusal = machine.apply(
    2,
    command(
      then(
        put('a', 'changed'),
        put('c', 'new'),
        { kind: 'delete', key: 'b' },
        { kind: 'deleteRange', start: 'a', end: 'z' },
        put('a', 'again'),
        add('m', 3),
        add('n', 1),
        add('n', 1),
      ),
    ),
  );
  t.same(refusal.outcome, {
    revision: 2,
    succeeded: false,
    refusal: 'counter-bounds',
    failedKey: 'n',
    counters: [],
  });
  t.same(refusal.rows, []);
  t.same(refusal.events, []);
  const after = restored(before);
  after.skip(2);
  t.ok(snapshotOf(machine).equals(snapshotOf(after)));
  t.end();
});

await t.test('rows and events show each key once, as it ended', (t) => {
  const machine = new StateMachine();
  machine.apply(1, command(then(put('gone', 'x'), put('kept', 'y'))));
  const { rows, events } = machine.apply(
    2,
    command(
      then(
        put('new', '1'),
        put('new', '2'),
        put('fleeting'),
        { kind: 'delete', key: 'fleeting' },
        {
          kind: 'delete',
          key: 'gone',
        },
        { kind: 'delete', key: 'never-there' },
        add('n', 4),
        add('n', -4),
      ),
    ),
  );
  t.same(
    events.map((event) => [event.revision, event.key, text(event.value)]),
    [
      [2, 'new', '2'],
      [2, 'gone', undefined],
    ],
  );
  t.same(
    rows.map((row) => [row.key, row.value === undefined]),
    [
      ['knew', false],
      ['kgone', true],
      ['cn', true],
    ],
  );
  t.end();
});

await t.test('malformed commands are refused alike everywhere', (t) => {
  const machine = new StateMachine();
  const long = 'k'.repeat(513);
  const bad: [string, Transaction][] = [
    ['empty key', then(put(''))],
    ['long key', then(put(long))],
    ['space in key', then(put('a b'))],
    ['non-ASCII key', then(put('ä'))],
    ['large value', then({ kind: 'put', key: 'a', value: new Uint8Array(1024 * 1024 + 1) })],
    ['bad compare key', { compares: [{ key: '', exists: true }], thenOps: [], elseOps: [] }],
    ['negative revision', { compares: [{ key: 'a', revision: -1 }], thenOps: [], elseOps: [] }],
    ['empty range', then({ kind: 'deleteRange', start: 'b', end: 'b' })],
    ['crossed bounds', then(add('a', 0, 2, 1))],
    ['fraction', then(add('a', 0.5))],
    ['in the branch not taken', { compares: [], thenOps: [], elseOps: [put('')] }],
    ['too many ops', then(...Array.from({ length: 4097 }, () => put('a')))],
  ];
  let index = 0;
  for (const [name, transaction] of bad) {
    index += 1;
    t.equal(machine.apply(index, command(transaction)).outcome.refusal, 'invalid', name);
  }
  t.equal(machine.apply(index + 1, command(then(put('a')), 'x'.repeat(129))).outcome.refusal, 'invalid', 'long token');
  t.equal(machine.keyCount, 0);
  t.end();
});

await t.test('a range delete over the bound is refused whole', (t) => {
  const machine = new StateMachine();
  let index = 0;
  for (let n = 0; n < 4; n += 1) {
    index += 1;
    machine.apply(index, command(then(...Array.from({ length: 2501 }, (_, m) => put(`r/${n}/${m}`)))));
  }
  const range: Op = { kind: 'deleteRange', start: 'r/', end: 'r0' };
  t.equal(machine.apply(index + 1, command(then(range))).outcome.refusal, 'range-too-large');
  t.equal(machine.keyCount, 10_004);
  t.equal(
    machine.apply(index + 2, command(then({ kind: 'deleteRange', start: 'r/0/', end: 'r/00' }))).outcome.succeeded,
    true,
  );
  t.equal(machine.keyCount, 7503);
  t.end();
});

await t.test('an entry is never applied twice or out of order', (t) => {
  const machine = new StateMachine();
  machine.apply(5, command(then(put('a'))));
  t.throws(() => machine.apply(5, command(then(put('a')))), AssertionError);
  t.throws(() => machine.skip(4), AssertionError);
  t.end();
});

await t.test('a token gives the first outcome again, also after a snapshot, until its window has passed', (t) => {
  const machine = new StateMachine();
  const once = command(then(add('n', 1)), 'token-1');
  const first = machine.apply(1, once);
  t.same(first.outcome, { revision: 1, succeeded: true, counters: [1] });
  const again = machine.apply(2, once);
  t.equal(again.isReplay, true);
  t.same(again.outcome, first.outcome);
  t.same(again.rows, []);
  const refusedOnce = command(then(add('n', 100)), 'token-2');
  t.same(machine.apply(3, refusedOnce).outcome.refusal, 'counter-bounds');
  machine.apply(4, command(then(add('n', -1))));
  t.same(machine.apply(5, refusedOnce).outcome, {
    revision: 3,
    succeeded: false,
    refusal: 'counter-bounds',
    failedKey: 'n',
    counters: [],
  });
  const copy = restored(snapshotOf(machine));
  t.same(copy.apply(6, once).outcome, first.outcome);

  const last = machine.apply(sessionWindowRevisions, command(then(put('a'))));
  t.same(
    last.rows.map((row) => row.key),
    ['ka'],
    'still remembered',
  );
  const past = machine.apply(sessionWindowRevisions + 1, command(then(put('a'))));
  t.same(
    past.rows.map((row) => row.key),
    ['ka', 's00000000000001'],
    'forgotten, also on disk',
  );
  const fresh = machine.apply(sessionWindowRevisions + 2, once);
  t.equal(fresh.isReplay, false);
  t.end();
});

await t.test('a command that comes later than its token is remembered is refused, and never applied twice', (t) => {
  const since = 10;
  const once: Command = { ...command(then(add('n', 1)), 'token'), tokenSinceRevision: since };
  // As late as the window reaches back to the revision that was said: wherever it was applied, it is remembered.
  for (const firstAt of [since + 1, since + 500, since + sessionWindowRevisions - 1]) {
    const machine = new StateMachine();
    machine.apply(firstAt, once);
    // Each entry with a command lets go of what has become too old.
    for (let index = firstAt + 1; index < since + sessionWindowRevisions; index += 997) {
      machine.apply(index, command(then(put('other'))));
    }
    if (machine.appliedIndex < since + sessionWindowRevisions - 1) {
      machine.apply(since + sessionWindowRevisions - 1, command(then(put('other'))));
    }
    t.equal(machine.apply(since + sessionWindowRevisions, once).isReplay, true, `applied at ${firstAt}`);
    const late = machine.apply(since + sessionWindowRevisions + 1, once);
    t.ok(late.isReplay || late.outcome.refusal === 'token-too-old');
    t.equal(machine.counter('n'), 1);
  }
  const machine = new StateMachine();
  machine.apply(since + 1, once);
  machine.apply(since + sessionWindowRevisions + 1, command(then(put('other'))));
  const late = machine.apply(since + sessionWindowRevisions + 2, once);
  t.same(late, {
    outcome: {
      revision: since + sessionWindowRevisions + 2,
      succeeded: false,
      refusal: 'token-too-old',
      counters: [],
    },
    rows: [],
    events: [],
    isReplay: false,
  });
  t.equal(machine.counter('n'), 1, 'once');
  t.equal(machine.outcomeOf('token'), undefined, 'and the refusal is not what is remembered of it');
  const old = machine.apply(since + sessionWindowRevisions + 3, command(then(add('n', 1)), 'token'));
  t.equal(old.outcome.succeeded, true, 'what does not say it, as in logs of before, is applied as it was');
  t.same(decodeCommand(encodeCommand(once)), once);
  t.end();
});

await t.test('what the log gives back is what was put in; what it does not understand stops the agent', (t) => {
  const all: Command = {
    clientToken: 'tok',
    transaction: {
      compares: [
        { key: 'a', revision: 0 },
        { key: 'b', exists: false },
        { key: 'c', value: bytes('v') },
      ],
      thenOps: [put('a', ''), { kind: 'delete', key: 'b' }, { kind: 'deleteRange', start: 'c', end: 'd' }],
      elseOps: [add('n', -3, -9007199254740991, 9007199254740991)],
    },
  };
  const back = decodeCommand(encodeCommand(all));
  t.equal(JSON.stringify(normal(back)), JSON.stringify(normal(all)));
  t.throws(() => decodeCommand(Uint8Array.from([0x7a])), { code: 'LOG_CORRUPT' });
  t.throws(() => decodeCommand(new Uint8Array(0)), { code: 'LOG_CORRUPT' });
  t.throws(
    () =>
      encodeCommand(
        command(
          then(
            ...Array.from({ length: 5 }, () => ({
              kind: 'put' as const,
              key: 'a',
              value: new Uint8Array(1024 * 1024),
            })),
          ),
        ),
      ),
    { code: 'TOO_LARGE' },
  );
  t.end();
});

function normal(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, v: unknown) =>
      v instanceof Uint8Array
        ? Buffer.from(v).toString('hex')
        : isBufferJson(v)
          ? Buffer.from(v.data).toString('hex')
          : v,
    ),
  );
}

function isBufferJson(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer' && 'data' in value;
}

// Properties over random histories.
const key = fc.integer({ min: 0, max: 12 }).map((n) => `key/${n}`);
const counterKey = fc.integer({ min: 0, max: 3 }).map((n) => `counter/${n}`);
const value = fc.string({ maxLength: 6 }).map(bytes);
const bounds = { min: -5, max: 7 };
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), key, value }),
  fc.record({ kind: fc.constant('delete' as const), key }),
  fc.record({ kind: fc.constant('deleteRange' as const), start: key, end: fc.oneof(key, fc.constant('l')) }),
  fc.record({
    kind: fc.constant('add' as const),
    key: counterKey,
    delta: fc.integer({ min: -6, max: 6 }),
    min: fc.constant(bounds.min),
    max: fc.constant(bounds.max),
  }),
);
const compare: fc.Arbitrary<Compare> = fc.oneof(
  fc.record({ key, revision: fc.nat(20) }),
  fc.record({ key, exists: fc.boolean() }),
  fc.record({ key, value }),
);
const anyCommand: fc.Arbitrary<Command> = fc.record({
  clientToken: fc.oneof(
    { weight: 2, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.nat(9).map((n) => `t${n}`) },
  ),
  transaction: fc.record({
    compares: fc.array(compare, { maxLength: 2 }),
    thenOps: fc.array(op, { maxLength: 5 }),
    elseOps: fc.array(op, { maxLength: 3 }),
  }),
});
const history = fc.array(fc.option(anyCommand, { freq: 8, nil: undefined }), { maxLength: 80 });

function replay(machine: StateMachine, commands: readonly (Command | undefined)[], from = 0): void {
  for (let at = from; at < commands.length; at += 1) {
    const next = commands[at];
    if (next === undefined) machine.skip(at + 1);
    else machine.apply(at + 1, decodeCommand(encodeCommand(next)));
  }
}

await t.test('the same commands in the same order give the same bytes', (t) => {
  fc.assert(
    fc.property(history, (commands) => {
      const a = new StateMachine();
      const b = new StateMachine();
      replay(a, commands);
      replay(b, commands);
      return snapshotOf(a).equals(snapshotOf(b));
    }),
    { seed: 2, numRuns: 200 },
  );
  t.end();
});

await t.test('a snapshot and the rest of the log equal a full replay, and a view does not move', (t) => {
  fc.assert(
    fc.property(history, fc.nat(80), (commands, cut) => {
      const at = Math.min(cut, commands.length);
      const full = new StateMachine();
      replay(full, commands.slice(0, at));
      const early = snapshotOf(full);
      const view = full.view();
      replay(full, commands, at);
      if (!Buffer.concat([...encodeSnapshot(view)]).equals(early)) return false;
      const resumed = restored(early);
      replay(resumed, commands, at);
      return snapshotOf(full).equals(snapshotOf(resumed));
    }),
    { seed: 3, numRuns: 200 },
  );
  t.end();
});

await t.test('the rows of each step, kept on disk, are the state', (t) => {
  fc.assert(
    fc.property(history, (commands) => {
      const machine = new StateMachine();
      const disk = new Map<string, Uint8Array>();
      commands.forEach((next, at) => {
        if (next === undefined) {
          machine.skip(at + 1);
          return;
        }
        for (const row of machine.apply(at + 1, next).rows) {
          if (row.value === undefined) disk.delete(row.key);
          else {
            const bytes = new Uint8Array(rowBytes(row.value));
            writeRow(row.value, bytes, 0);
            disk.set(row.key, bytes);
          }
        }
      });
      const loaded = new StateMachine();
      for (const [key, value] of disk) loaded.load({ key, value });
      loaded.loaded(commands.length);
      return snapshotOf(loaded).equals(snapshotOf(machine));
    }),
    { seed: 4, numRuns: 200 },
  );
  t.end();
});

await t.test('counters stay within their bounds and add up to what was admitted', (t) => {
  fc.assert(
    fc.property(history, (commands) => {
      const machine = new StateMachine();
      for (let at = 0; at < commands.length; at += 1) {
        const next = commands[at];
        if (next === undefined) continue;
        const { outcome } = machine.apply(at + 1, next);
        for (const n of outcome.counters) if (n < bounds.min || n > bounds.max) return false;
        for (let c = 0; c <= 3; c += 1) {
          const n = machine.counter(`counter/${c}`);
          if (n < bounds.min || n > bounds.max || Object.is(n, -0)) return false;
        }
      }
      return true;
    }),
    { seed: 5, numRuns: 300 },
  );
  t.end();
});

await t.test('a repeated token changes nothing and answers as the first time', (t) => {
  fc.assert(
    fc.property(history, anyCommand, (commands, again) => {
      const once = { ...again, clientToken: 'only-once' };
      const machine = new StateMachine();
      replay(machine, commands);
      const first = machine.apply(1000, once);
      machine.apply(1001, command(then(add('counter/0', 1, -100, 100), put('key/1', 'other'))));
      const before = snapshotOf(machine);
      const second = machine.apply(1002, once);
      const same = restored(before);
      same.skip(1002);
      return isDeepStrictEqual(first.outcome, second.outcome) && snapshotOf(machine).equals(snapshotOf(same));
    }),
    { seed: 6, numRuns: 200 },
  );
  t.end();
});

interface Thing {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
}

const thingTable = new Table<Thing>({
  name: 'thing',
  codec: {
    encode: (thing) => ({ finish: () => bytes(JSON.stringify(thing)) }),
    decode: (encoded) => {
      const value = encoded instanceof Uint8Array ? encoded : encoded.buf;
      return JSON.parse(new TextDecoder().decode(value)) as Thing;
    },
  },
  id: (thing) => thing.id,
  indexes: [
    { name: 'name', unique: true, keys: (thing) => [thing.name] },
    { name: 'tag', keys: (thing) => thing.tags },
  ],
});

await t.test('index entries are exactly those of the rows, whatever is inserted, updated and removed', (t) => {
  const thing = fc.record({
    id: fc.nat(6).map((n) => `id${n}`),
    name: fc.nat(6).map((n) => `name${n}`),
    tags: fc.uniqueArray(fc.constantFrom('red', 'green', 'blue'), { maxLength: 3 }),
  });
  const edit = fc.record({ kind: fc.constantFrom('insert', 'update', 'remove'), thing, stale: fc.boolean() });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
      const machine = new StateMachine();
      edits.forEach((next, at) => {
        const builder = new TransactionBuilder();
        const found = thingTable.get(machine, next.thing.id);
        // A writer that read too early: the revision compare must save the indexes.
        const row = found !== undefined && next.stale ? { ...found, revision: found.revision - 1 } : found;
        if (next.kind === 'insert') thingTable.insert(builder, next.thing);
        else if (row !== undefined && next.kind === 'update') thingTable.update(builder, row, next.thing);
        else if (row !== undefined) thingTable.remove(builder, row);
        machine.apply(at + 1, command(builder.build()));
      });
      const expected = new Set<string>();
      for (const { record } of thingTable.list(machine)) {
        expected.add(`u/thing/name/${record.name}=${record.id}`);
        for (const tag of record.tags) expected.add(`x/thing/tag/${tag}/${record.id}=`);
      }
      const actual = machine.range('u', 'y').map((entry) => `${entry.key}=${text(entry.value)}`);
      return actual.length === expected.size && actual.every((entry) => expected.has(entry));
    }),
    { seed: 7, numRuns: 300 },
  );
  t.end();
});

await t.test('a snapshot that was cut or changed anywhere is not believed', (t) => {
  const machine = new StateMachine();
  for (let n = 1; n <= 50; n += 1)
    machine.apply(n, command(then(put(`k/${n}`, 'v'.repeat(n)), add('n', 1, 0, 99)), `t${n}`));
  const good = snapshotOf(machine);
  t.ok(snapshotOf(restored(good)).equals(good));
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ flip;
      return isRefused(bad) && isRefused(good.subarray(0, at));
    }),
    { seed: 8, numRuns: 400 },
  );
  t.ok(isRefused(Buffer.concat([good, Buffer.from([0])])), 'bytes after the end');
  t.end();
});

function isRefused(snapshot: Uint8Array): boolean {
  try {
    const decoder = new SnapshotDecoder();
    decoder.push(snapshot);
    decoder.finish();
    return false;
  } catch {
    return true;
  }
}

await t.test('chunks have one size but the last, and may be cut anywhere on the way', (t) => {
  const machine = new StateMachine();
  for (let n = 1; n <= 8; n += 1)
    machine.apply(n, command(then({ kind: 'put', key: `k/${n}`, value: new Uint8Array(200_000).fill(n) })));
  const chunks = [...encodeSnapshot(machine.view())];
  t.ok(chunks.length > 4);
  t.same(new Set(chunks.slice(0, -1).map((chunk) => chunk.length)), new Set([256 * 1024]));
  const small = [...encodeSnapshot(machine.view(), 1_000)];
  t.same(new Set(small.slice(0, -1).map((chunk) => chunk.length)), new Set([1_000]));
  t.ok(Buffer.concat(small).equals(Buffer.concat(chunks)), 'the same bytes, however they are cut');
  const decoder = new SnapshotDecoder();
  const copy = new StateMachine();
  for (const chunk of chunks) {
    for (const piece of [chunk.subarray(0, 7), chunk.subarray(7, 70_001), chunk.subarray(70_001)]) {
      for (const row of decoder.push(piece)) copy.load(row);
    }
  }
  copy.loaded(decoder.finish());
  t.ok(snapshotOf(copy).equals(snapshotOf(machine)));
  t.end();
});

await t.test('replacing the state by a snapshot tells what differs', (t) => {
  const old = new StateMachine();
  old.apply(1, command(then(put('same', '1'), put('changed', '1'), put('gone', '1'))));
  const ahead = restored(snapshotOf(old));
  ahead.apply(2, command(then(put('z-new', '2')), 'tok'));
  ahead.apply(3, command(then(put('changed', '3'), { kind: 'delete', key: 'gone' })));
  const events = old.replaceWith(ahead);
  t.same(
    events.map((event) => [event.revision, event.key, text(event.value)]),
    [
      [2, 'z-new', '2'],
      [3, 'changed', '3'],
      [3, 'gone', undefined],
    ],
  );
  t.ok(snapshotOf(old).equals(snapshotOf(ahead)));
  t.same(old.outcomeOf('tok')?.revision, 2);
  t.end();
});
