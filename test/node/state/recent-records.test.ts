import t from 'tap';
import { RecentRecords } from '../../../node/state/recent-records.ts';

interface Sample {
  readonly bytes: Uint8Array;
  readonly list: number[];
  readonly inner: { name: string };
}

function world() {
  let decodings = 0;
  const recent = new RecentRecords<Sample>((bytes) => {
    decodings += 1;
    if (bytes[0] === 0) throw new RangeError('not a record');
    return { bytes, list: [1], inner: { name: 'a' } };
  });
  return { recent, decodings: () => decodings };
}

void t.test('what was decoded lately is the same object, told apart by its bytes as they lie in memory', async (t) => {
  const { recent, decodings } = world();
  const bytes = Uint8Array.of(1);
  t.equal(recent.of(bytes), recent.of(bytes));
  t.not(recent.of(bytes), recent.of(Uint8Array.of(1)));
  t.equal(decodings(), 2);
});

void t.test('what is shared cannot be changed, at any depth', async (t) => {
  const { recent } = world();
  const record = recent.of(Uint8Array.of(1));
  t.throws(() => record.list.push(2), TypeError);
  t.throws(() => {
    record.inner.name = 'b';
  }, TypeError);
});

void t.test('the cache drops records that are not read, and keeps those that are', async (t) => {
  const { recent, decodings } = world();
  const wanted = Uint8Array.of(1);
  const first = recent.of(wanted);
  const others = Array.from({ length: 10_000 }, () => Uint8Array.of(2));
  for (const [at, bytes] of others.entries()) {
    recent.of(bytes);
    if (at % 100 === 0) t.equal(recent.of(wanted), first);
  }
  t.equal(decodings(), 10_001);
  const [forgotten = wanted] = others;
  recent.of(forgotten);
  t.equal(decodings(), 10_002);
});

void t.test('a record that cannot be decoded is told each time', async (t) => {
  const { recent } = world();
  for (let time = 0; time < 2; time += 1) t.throws(() => recent.of(Uint8Array.of(0)), RangeError);
});

void t.test('a list of more records than are kept otherwise is decoded once, while it is read', async (t) => {
  const { recent, decodings } = world();
  const all = Array.from({ length: 9_000 }, () => Uint8Array.of(2));
  const read = (): void => {
    recent.expect(all.length);
    for (const bytes of all) recent.of(bytes);
  };
  read();
  read();
  read();
  t.equal(decodings(), 9_000);
  // Nobody reads it any more: others take its place.
  for (let at = 0; at < 30_000; at += 1) recent.of(Uint8Array.of(3));
  read();
  t.equal(decodings(), 9_000 + 30_000 + 9_000);
});
