import t from 'tap';
import { Prng } from '../../../node/base/prng.ts';
import { DigestSum, digestOfText, digestText, emptyDigest, isSameDigest } from '../../../node/state/digest.ts';
import { StateMachine, sessionWindowRevisions } from '../../../node/state/state-machine.ts';
import type { Op, Transaction } from '../../../node/state/types.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const then = (...thenOps: Op[]): Transaction => ({ compares: [], thenOps, elseOps: [] });

/** The same rows in a machine that has never applied anything. */
function reloaded(machine: StateMachine): StateMachine {
  const loaded = new StateMachine();
  for (const row of machine.view().rows()) loaded.load(row);
  loaded.loaded(machine.appliedIndex);
  return loaded;
}

function digestOf(key: string, value: Uint8Array, revision = 1): string {
  const sum = new DigestSum();
  sum.key(1, { key, value, revision });
  return digestText(sum.value);
}

function randomOp(random: Prng): Op {
  const key = `k/${random.below(12)}`;
  switch (random.below(5)) {
    case 0:
      return { kind: 'delete', key };
    case 1:
      return { kind: 'deleteRange', start: key, end: `k/${random.below(12)}` };
    case 2:
      return { kind: 'add', key: `c/${random.below(3)}`, delta: random.below(9) - 4, min: -5, max: 5 };
    default:
      return { kind: 'put', key, value: bytes('x'.repeat(random.below(60)) + random.below(1000)) };
  }
}

await t.test('whatever was applied, refused, repeated and forgotten, the digest is that of the rows', async (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = new Prng(seed);
    const machine = new StateMachine();
    let index = 0;
    for (let n = 0; n < 60; n += 1) {
      // Now and then so far on that all sessions are forgotten.
      index += random.chance(0.05) ? sessionWindowRevisions + 1 : 1;
      if (random.chance(0.1)) {
        machine.skip(index);
        continue;
      }
      const ops = Array.from({ length: 1 + random.below(4) }, () => randomOp(random));
      machine.apply(index, {
        clientToken: random.chance(0.5) ? `t${random.below(20)}` : '',
        transaction: then(...ops),
      });
      const wanted = reloaded(machine).digest;
      if (!isSameDigest(machine.digest, wanted)) {
        t.fail(`seed ${seed}, entry ${index}: ${digestText(machine.digest)}, not ${digestText(wanted)}`);
        return;
      }
    }
    const copy = new StateMachine();
    copy.replaceWith(machine);
    t.same(copy.digest, machine.digest, 'a snapshot takes it along');
    t.same(machine.view().digest, machine.digest);
  }
});

await t.test('the order in which rows came plays no part, and without rows it is that of nothing', (t) => {
  const a = new DigestSum();
  const b = new DigestSum();
  const rows = ['x', 'y', 'z'].map((key, n) => ({ key, value: bytes(`${key}${n}`), revision: n }));
  for (const row of rows) a.key(1, row);
  for (const row of rows.toReversed()) b.key(1, row);
  t.same(a.value, b.value);
  t.notSame(a.value, emptyDigest);
  for (const row of rows) a.key(-1, row);
  t.same(a.value, emptyDigest);
  t.end();
});

await t.test('each bit of a value, its length, its key and its revision count, wherever the bytes lie', (t) => {
  for (const length of [0, 1, 3, 7, 23, 24, 25, 31, 32, 33, 300]) {
    const value = Uint8Array.from({ length }, (_, at) => (at * 37) & 0xff);
    const seen = new Set([digestOf('key', value)]);
    for (let bit = 0; bit < 8 * length; bit += 1) {
      const flipped = new Uint8Array(value);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      seen.add(digestOf('key', flipped));
    }
    for (const longer of [1, 2, 4, 8])
      seen.add(digestOf('key', Uint8Array.from([...value, ...new Uint8Array(longer)])));
    seen.add(digestOf('key', value, 2));
    seen.add(digestOf('key', value, 2 ** 32 + 1));
    seen.add(digestOf('kez', value));
    seen.add(digestOf('ke', value));
    seen.add(digestOf('key\u0000', value));
    t.equal(seen.size, 1 + 8 * length + 4 + 5, `${length} bytes`);
    const within = new Uint8Array(length + 9);
    within.set(value, 5);
    t.equal(digestOf('key', within.subarray(5, 5 + length)), digestOf('key', value), 'at an odd place of a buffer');
  }
  t.end();
});

await t.test('a counter, a key and a session of one name differ', (t) => {
  const sums = [new DigestSum(), new DigestSum(), new DigestSum()];
  sums[0]?.key(1, { key: 'a', value: new Uint8Array(0), revision: 1 });
  sums[1]?.counter(1, { key: 'a', value: 1 });
  sums[2]?.session(1, { key: 'a', token: '', value: new Uint8Array(0) });
  t.equal(new Set(sums.map((sum) => digestText(sum.value))).size, 3);
  t.end();
});

await t.test(
  '200,000 rows that are nearly alike have as many hashes, and every bit of them is set half the time',
  (t) => {
    const seen = new Set<string>();
    const bits = new Array<number>(64).fill(0);
    const rows = 200_000;
    for (let n = 0; n < rows; n += 1) {
      const sum = new DigestSum();
      sum.key(1, { key: `t/server/${n}`, value: Uint8Array.from([n & 0xff, (n >> 8) & 0xff, n >> 16]), revision: n });
      const { high, low } = sum.value;
      seen.add(digestText(sum.value));
      for (let bit = 0; bit < 32; bit += 1) {
        bits[bit] = (bits[bit] ?? 0) + ((low >>> bit) & 1);
        bits[32 + bit] = (bits[32 + bit] ?? 0) + ((high >>> bit) & 1);
      }
    }
    t.equal(seen.size, rows);
    // Six standard deviations of a fair coin.
    const off = 6 * Math.sqrt(rows / 4);
    t.same(
      bits.filter((count) => Math.abs(count - rows / 2) > off),
      [],
    );
    t.end();
  },
);

await t.test('what is stored stays readable: digests of known rows', (t) => {
  const machine = new StateMachine();
  machine.apply(1, { clientToken: 'token-1', transaction: then({ kind: 'put', key: 'a', value: bytes('one') }) });
  machine.apply(2, {
    clientToken: '',
    transaction: then(
      { kind: 'put', key: 'long', value: Uint8Array.from({ length: 45 }, (_, at) => 250 - at) },
      { kind: 'add', key: 'n', delta: -7, min: -10, max: 10 },
    ),
  });
  t.equal(digestText(machine.digest), '44cc9b4781e85fcf');
  t.same(digestOfText(digestText(machine.digest)), machine.digest);
  for (const wrong of ['', '0', 'G000000000000000', '0'.repeat(17)]) t.equal(digestOfText(wrong), undefined, wrong);
  t.end();
});
