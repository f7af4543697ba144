import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { Prng } from '../../../node/base/prng.ts';
import { checkLinearizability, type Operation } from '../../../sim/checkers/linearizability.ts';
import {
  type KeyValueInput,
  type KeyValueOutput,
  keyValueModel,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from '../../../sim/checkers/linearizability-models.ts';

type RegisterOperation = Operation<RegisterInput, RegisterOutput>;

const testdata = join(import.meta.dirname, '../../../../shared/data/linearizability-testdata');
const isAbsent = !existsSync(testdata) && 'the public histories are not on this machine';

const write = (value: number, calledAt: number, returnedAt: number): RegisterOperation => ({
  input: { kind: 'write', value },
  output: returnedAt === Number.POSITIVE_INFINITY ? undefined : { kind: 'write' },
  calledAt,
  returnedAt,
});
const read = (value: number | null, calledAt: number, returnedAt: number): RegisterOperation => ({
  input: { kind: 'read' },
  output: { kind: 'read', value },
  calledAt,
  returnedAt,
});

await t.test('small histories have the verdicts that one can see', async (t) => {
  const never = Number.POSITIVE_INFINITY;
  const cases: [string, RegisterOperation[], boolean][] = [
    ['nothing', [], true],
    ['read of what was written', [write(1, 0, 1), read(1, 2, 3)], true],
    ['stale read', [write(1, 0, 1), write(2, 2, 3), read(1, 4, 5)], false],
    [
      'read during a write sees the old or the new',
      [write(1, 0, 1), write(2, 2, 9), read(1, 3, 4), read(2, 5, 6)],
      true,
    ],
    ['and never the old after the new', [write(1, 0, 1), write(2, 2, 9), read(2, 3, 4), read(1, 5, 6)], false],
    ['a write that was never answered may have happened', [write(1, 0, never), read(1, 5, 6)], true],
    ['or not, or later', [write(1, 0, never), read(null, 5, 6), read(1, 7, 8)], true],
    ['but cannot be undone', [write(1, 0, never), read(1, 5, 6), read(null, 7, 8)], false],
    ['touching in time is overlapping', [write(1, 0, 1), read(null, 1, 2)], true],
    ['only unanswered ones', [write(1, 0, never), write(2, 0, never)], true],
  ];
  for (const [name, operations, expected] of cases) {
    t.equal(
      checkLinearizability(registerModel, operations).verdict,
      expected ? 'linearizable' : 'not-linearizable',
      name,
    );
  }
});

await t.test('a refusal shows how far it went and what did not fit', async (t) => {
  const stale = read(1, 4, 5);
  const found = checkLinearizability(registerModel, [write(1, 0, 1), write(2, 2, 3), stale]);
  t.match(found, { verdict: 'not-linearizable', partition: '' });
  if (found.verdict !== 'not-linearizable') return;
  t.equal(found.longest.length, 2);
  t.equal(found.blocked, stale);
});

await t.test('a search that grows too large is given up and says so', async (t) => {
  const operations = Array.from({ length: 30 }, (_, n) => write(n, 0, 100));
  operations.push(read(1000, 0, 100));
  t.equal(checkLinearizability(registerModel, operations, { configurationsMax: 1000 }).verdict, 'given-up');
});

/** Tries every order: the oracle. */
function isLinearizableNaively(operations: readonly RegisterOperation[], state: number | null = null): boolean {
  if (operations.every((operation) => operation.output === undefined)) return true;
  return operations.some((operation, at) => {
    const rest = operations.filter((_, other) => other !== at);
    if (rest.some((other) => other.returnedAt < operation.calledAt)) return false;
    const next = registerModel.step(state, operation.input, operation.output);
    return next !== undefined && isLinearizableNaively(rest, next);
  });
}

await t.test('on small random histories it agrees with trying every order', async (t) => {
  const operation: fc.Arbitrary<RegisterOperation> = fc
    .record({
      kind: fc.constantFrom('read', 'write', 'cas'),
      value: fc.nat(2),
      expected: fc.nat(2),
      succeeded: fc.boolean(),
      calledAt: fc.nat(8),
      length: fc.nat(6),
      isAnswered: fc.boolean(),
    })
    .map(({ kind, value, expected, succeeded, calledAt, length, isAnswered }): RegisterOperation => {
      const time = {
        calledAt,
        returnedAt: isAnswered || kind === 'read' ? calledAt + length : Number.POSITIVE_INFINITY,
      };
      if (kind === 'read') return { input: { kind }, output: { kind, value: value === 2 ? null : value }, ...time };
      if (kind === 'write') return { input: { kind, value }, output: isAnswered ? { kind } : undefined, ...time };
      return {
        input: { kind: 'cas', expected, value },
        output: isAnswered ? { kind: 'cas', succeeded } : undefined,
        ...time,
      };
    });
  const verdicts = { yes: 0, no: 0 };
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (operations) => {
      const expected = isLinearizableNaively(operations);
      verdicts[expected ? 'yes' : 'no'] += 1;
      return (checkLinearizability(registerModel, operations).verdict === 'linearizable') === expected;
    }),
    { seed: 31, numRuns: 3000 },
  );
  t.ok(verdicts.yes > 300 && verdicts.no > 300, JSON.stringify(verdicts));
});

await t.test('what clients of a real register see is always linearizable', async (t) => {
  for (let seed = 1; seed <= 1500; seed += 1) {
    const operations = registerHistory(new Prng(seed), { count: 4 + (seed % 40), clients: 1 + (seed % 6) });
    const { verdict } = checkLinearizability(registerModel, operations);
    if (verdict !== 'linearizable') t.fail(`seed ${seed}: ${verdict}`);
  }
  t.pass('checked');
});

await t.test('10,000 operations are checked within a minute, whichever the verdict', async (t) => {
  const startedMs = performance.now();
  const good = checkLinearizability(registerModel, registerHistory(new Prng(5), { count: 10_000, clients: 20 }));
  t.equal(good.verdict, 'linearizable');
  t.comment(`20 clients: ${Math.round(performance.now() - startedMs)} ms, ${good.configurations} configurations`);
  // Every order has to be tried before it is refused, so the number of clients at a time tells.
  const spoilt = registerHistory(new Prng(6), { count: 10_000, clients: 8 });
  const at = spoilt.findLastIndex((operation) => operation.input.kind === 'read');
  spoilt[at] = { ...(spoilt[at] as RegisterOperation), output: { kind: 'read', value: 77 } };
  const bad = checkLinearizability(registerModel, spoilt);
  t.equal(bad.verdict, 'not-linearizable');
  const ms = performance.now() - startedMs;
  t.comment(`and 8 clients with a fault at the end: ${Math.round(ms)} ms, ${bad.configurations} configurations`);
  t.ok(ms < 60_000);
});

/** What clients of a real register would see: each operation takes effect at an instant within it. */
function registerHistory(
  random: Prng,
  options: { readonly count: number; readonly clients: number },
): RegisterOperation[] {
  const operations: RegisterOperation[] = [];
  const freeAt = Array.from({ length: options.clients }, () => random.float());
  const instants: { readonly at: number; readonly calledAt: number; readonly returnedAt: number }[] = [];
  for (let n = 0; n < options.count; n += 1) {
    const client = n % options.clients;
    const calledAt = (freeAt[client] ?? 0) + random.float();
    const returnedAt = calledAt + 1 + random.float() * 5;
    freeAt[client] = returnedAt;
    instants.push({ at: calledAt + random.float() * (returnedAt - calledAt), calledAt, returnedAt });
  }
  instants.sort((a, b) => a.at - b.at);
  let held: number | null = null;
  for (const { calledAt, returnedAt } of instants) {
    const time = { calledAt, returnedAt };
    const value = random.below(5);
    switch (random.below(3)) {
      case 0:
        operations.push({ input: { kind: 'read' }, output: { kind: 'read', value: held }, ...time });
        break;
      case 1:
        operations.push({ input: { kind: 'write', value }, output: { kind: 'write' }, ...time });
        held = value;
        break;
      default: {
        const expected = random.below(5);
        const succeeded = held === expected;
        operations.push({ input: { kind: 'cas', expected, value }, output: { kind: 'cas', succeeded }, ...time });
        if (succeeded) held = value;
      }
    }
  }
  return operations;
}

await t.test('Jepsen etcd histories have their known verdicts', { skip: isAbsent }, async (t) => {
  const verdicts = readFileSync(join(testdata, 'verdicts.tsv'), 'utf8').trim().split('\n');
  let right = 0;
  const startedMs = performance.now();
  for (const line of verdicts) {
    const [file = '', expected = ''] = line.split('\t');
    const operations = jepsenHistory(readFileSync(join(testdata, 'jepsen', file), 'utf8'));
    const { verdict } = checkLinearizability(registerModel, operations);
    if ((verdict === 'linearizable') === (expected === 'true') && verdict !== 'given-up') right += 1;
    else t.fail(`${file}: ${verdict}, known: ${expected}`);
  }
  t.comment(`${right} of ${verdicts.length} in ${Math.round(performance.now() - startedMs)} ms`);
  t.equal(right, 102);
});

await t.test('key-value histories have their known verdicts', { skip: isAbsent }, async (t) => {
  const files = readdirSync(join(testdata, 'kv')).filter((file) => file.endsWith('.txt'));
  t.equal(files.length, 6);
  for (const file of files) {
    const operations = keyValueHistory(readFileSync(join(testdata, 'kv', file), 'utf8'));
    const startedMs = performance.now();
    const { verdict, configurations } = checkLinearizability(keyValueModel(), operations);
    t.equal(verdict, file.includes('-ok') ? 'linearizable' : 'not-linearizable', file);
    t.comment(
      `${file}: ${operations.length} operations, ${configurations} configurations, ${Math.round(performance.now() - startedMs)} ms`,
    );
  }
});

/** Lines such as `INFO  jepsen.util - 3	:invoke	:cas	[2 4]`, in the order of time. */
function jepsenHistory(text: string): RegisterOperation[] {
  const operations: RegisterOperation[] = [];
  const open = new Map<string, { readonly input: RegisterInput; readonly calledAt: number }>();
  text.split('\n').forEach((line, at) => {
    const match = /^INFO {2}jepsen\.util - (\d+)\t:(\w+)\t:(\w+)\t(.*)$/.exec(line);
    if (match === null) return;
    const [, process = '', what, kind, argument = ''] = match;
    if (what === 'invoke') {
      const [a = 0, b = 0] = argument.replace(/[[\]]/g, '').split(' ').map(Number);
      const input: RegisterInput =
        kind === 'read'
          ? { kind: 'read' }
          : kind === 'write'
            ? { kind: 'write', value: a }
            : { kind: 'cas', expected: a, value: b };
      open.set(process, { input, calledAt: at });
      return;
    }
    const called = open.get(process);
    if (called === undefined) return;
    open.delete(process);
    const { input, calledAt } = called;
    // A read that failed or timed out says nothing.
    if (what !== 'ok' && input.kind === 'read') return;
    if (what === 'info') {
      operations.push({ input, output: undefined, calledAt, returnedAt: Number.POSITIVE_INFINITY });
      return;
    }
    const output: RegisterOutput =
      input.kind === 'read'
        ? { kind: 'read', value: argument === 'nil' ? null : Number(argument) }
        : input.kind === 'write'
          ? { kind: 'write' }
          : { kind: 'cas', succeeded: what === 'ok' };
    operations.push({ input, output, calledAt, returnedAt: at });
  });
  // Those still open when the test ended.
  for (const { input, calledAt } of open.values()) {
    if (input.kind !== 'read')
      operations.push({ input, output: undefined, calledAt, returnedAt: Number.POSITIVE_INFINITY });
  }
  return operations;
}

/** Lines such as `{:process 0, :type :invoke, :f :append, :key "0", :value "x 0 0 y"}`, in the order of time. */
function keyValueHistory(text: string): Operation<KeyValueInput, KeyValueOutput>[] {
  const operations: Operation<KeyValueInput, KeyValueOutput>[] = [];
  const open = new Map<string, { readonly input: KeyValueInput; readonly calledAt: number }>();
  text.split('\n').forEach((line, at) => {
    const match = /^\{:process (\d+), :type :(\w+), :f :(\w+), :key "(.*)", :value (nil|"(.*)")\}$/.exec(line);
    if (match === null) return;
    const [, process = '', what, kind, key = '', , value = ''] = match;
    if (what === 'invoke') {
      const input: KeyValueInput =
        kind === 'get' ? { kind: 'get', key } : { kind: kind === 'put' ? 'put' : 'append', key, value };
      open.set(process, { input, calledAt: at });
      return;
    }
    const called = open.get(process);
    if (called === undefined) throw new Error(`line ${at + 1} ends what nobody began`);
    open.delete(process);
    operations.push({ ...called, output: called.input.kind === 'get' ? value : '', returnedAt: at });
  });
  return operations;
}
