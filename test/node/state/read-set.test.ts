import fc from 'fast-check';
import t from 'tap';
import { AssertionError } from '../../../node/base/assert.ts';
import { ReadMemo, ReadSet } from '../../../node/state/read-set.ts';
import { StateMachine } from '../../../node/state/state-machine.ts';
import type { Op, StateReader } from '../../../node/state/types.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function change(machine: StateMachine, ...thenOps: Op[]): void {
  machine.apply(machine.appliedIndex + 1, { clientToken: '', transaction: { compares: [], thenOps, elseOps: [] } });
}

void t.test('what was read is the same until a key, a range or a counter that was read changes', async (t) => {
  const machine = new StateMachine();
  change(machine, { kind: 'put', key: 'a/1', value: bytes('x') }, { kind: 'put', key: 'b', value: bytes('y') });
  const reads = new ReadSet(machine);
  reads.get('b');
  reads.get('absent');
  reads.range('a/', 'a0');
  reads.counter('count');
  const same = (): boolean => reads.isSameIn(machine);
  t.ok(same());
  change(machine, { kind: 'put', key: 'other', value: bytes('z') });
  t.ok(same(), 'what was not read may change');
  for (const [op, back] of [
    [
      { kind: 'put', key: 'absent', value: bytes('') },
      { kind: 'delete', key: 'absent' },
    ],
    [
      { kind: 'put', key: 'a/2', value: bytes('') },
      { kind: 'delete', key: 'a/2' },
    ],
    [
      { kind: 'add', key: 'count', delta: 1, min: 0, max: 9 },
      { kind: 'add', key: 'count', delta: -1, min: 0, max: 9 },
    ],
  ] as const) {
    change(machine, op);
    t.notOk(same(), op.key);
    change(machine, back);
    t.ok(same(), `${op.key} again as it was`);
  }
  change(machine, { kind: 'put', key: 'b', value: bytes('y') });
  t.notOk(same(), 'a key that was written again counts as changed, whatever its value');
});

void t.test('a read that does not cover a key does not change with it', async (t) => {
  const keys = ['a', 'a/', 'a/1', 'a/1/x', 'a/2', 'a0', 'b', 'b/1'] as const;
  const anyKey = fc.constantFrom(...keys);
  const read = fc.oneof(
    anyKey.map((key) => (reader: StateReader) => void reader.get(key)),
    fc.constantFrom(['a/', 'a0'], ['b/', 'b0'], ['a/1', 'a/2'], ['', 'a/2'], ['a/1/', 'a/10']).map(
      ([start = '', end = '']) =>
        (reader: StateReader) =>
          void reader.range(start, end),
    ),
  );
  const op = fc.record({ key: anyKey, value: fc.option(fc.integer({ min: 0, max: 3 })) });
  const toOp = ({ key, value }: { key: string; value: number | null }): Op =>
    value === null ? { kind: 'delete', key } : { kind: 'put', key, value: bytes(String(value)) };
  let certain = 0;
  fc.assert(
    fc.property(fc.array(op), fc.array(read, { maxLength: 3 }), op, (before, reads, last) => {
      const machine = new StateMachine();
      for (const one of before) change(machine, toOp(one));
      const seen = new ReadSet(machine);
      for (const one of reads) one(seen);
      seen.close();
      const may = seen.mayChangeWith(last.key);
      change(machine, toOp(last));
      if (!may) certain += 1;
      return may || seen.isSameIn(machine);
    }),
  );
  t.ok(certain > 10, 'it is certain now and then');
  const counting = new ReadSet(new StateMachine());
  counting.counter('count');
  t.ok(counting.mayChangeWith('anything'), 'a counter changes without a key');
});

void t.test('a result that is kept is the one that would be made now', async (t) => {
  const keys = ['a/1', 'a/2', 'a/3', 'b'] as const;
  const op = fc.record({ key: fc.constantFrom(...keys), value: fc.option(fc.integer({ min: 0, max: 3 })) });
  const text = (reader: StateReader): string =>
    JSON.stringify([
      reader.range('a/', 'a0').map(({ key, value }) => [key, [...value]]),
      [...(reader.get('b')?.value ?? [])],
    ]);
  fc.assert(
    // Told of changes from some moment on, or never.
    fc.property(fc.array(op, { maxLength: 40 }), fc.nat(50), fc.boolean(), (ops, toldFrom, hasCounter) => {
      const machine = new StateMachine();
      const [outer, inner] = [new ReadMemo<string>(2), new ReadMemo<string>(2)];
      const all = (reader: StateReader): string => text(reader) + (hasCounter ? reader.counter('count') : '');
      for (const [at, { key, value }] of ops.entries()) {
        if (value === 3) change(machine, { kind: 'add', key: 'count', delta: 1, min: 0, max: 100 });
        else {
          change(machine, value === null ? { kind: 'delete', key } : { kind: 'put', key, value: Uint8Array.of(value) });
          if (at >= toldFrom) outer.heard([key]);
        }
        // One memo inside another: the outer one has read what the inner one was made of.
        const kept = outer.get('outer', machine, (reader) => inner.get('inner', reader, all));
        if (kept !== all(machine)) return false;
      }
      return true;
    }),
  );
  const machine = new StateMachine();
  const memo = new ReadMemo<string>(1);
  memo.heard([]);
  let looks = 0;
  const counting: StateReader = {
    revision: 0,
    get: (key) => {
      looks += 1;
      return machine.get(key);
    },
    range: (...asked) => machine.range(...asked),
    counter: (key) => machine.counter(key),
  };
  const get = (): string => memo.get('b', counting, (reader) => String(reader.get('b')?.revision));
  const looksFor = (keys: readonly string[]): number => {
    memo.heard(keys);
    const before = looks;
    get();
    return looks - before;
  };
  get();
  t.equal(looksFor(['a/1']), 0, 'what no change can have touched is not looked at');
  t.equal(looksFor(['b']), 1, 'what one may have touched is');
  t.equal(looksFor([]), 0, 'and once only');
  t.end();
});

void t.test('only as many results are kept as it may, and none may depend on the revision', async (t) => {
  const machine = new StateMachine();
  const memo = new ReadMemo<number>(2);
  let made = 0;
  const get = (name: string): number =>
    memo.get(name, machine, () => {
      made += 1;
      return made;
    });
  t.same(['a', 'b', 'a', 'c', 'a'].map(get), [1, 2, 1, 3, 4], 'a was made longest ago when c came');
  t.throws(() => memo.get('x', machine, (reader) => reader.revision), AssertionError);
});
