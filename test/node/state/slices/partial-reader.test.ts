import t from 'tap';
import { PartialReader, type PartOfState, wholeReader } from '../../../../node/state/slices/partial-reader.ts';
import type { KeyValue } from '../../../../node/state/types.ts';

const row = (key: string): KeyValue => ({ key, value: new Uint8Array([1]), revision: 3 });

/** Whole in `t/a/`; of `t/b/` one row is here, by chance. */
const part: PartOfState = {
  revision: 9,
  bare: {
    get: (key) => (key === 't/a/1' || key === 't/b/1' ? row(key) : undefined),
    range: (start, end) => ['t/a/1', 't/b/1'].filter((key) => key >= start && key < end).map(row),
  },
  covers: (key) => key.startsWith('t/a/'),
  coversRange: (start, end) => start >= 't/a/' && end <= 't/a0',
};

t.test('what the slice is whole in is read as from a replica', (t) => {
  const reader = new PartialReader(part);
  t.equal(reader.revision, 9);
  t.equal(reader.get('t/a/1')?.key, 't/a/1');
  t.equal(reader.get('t/a/2'), undefined);
  t.same(
    reader.range('t/a/', 't/a0').map(({ key }) => key),
    ['t/a/1'],
  );
  t.equal(reader.hasMissed, false, 'and nothing was missed');
  t.end();
});

t.test('what may be missing is noted, be it found or not', (t) => {
  for (const read of [
    (reader: PartialReader) => reader.get('t/b/2'),
    (reader: PartialReader) => reader.get('t/b/1'),
    (reader: PartialReader) => reader.range('t/b/', 't/b0'),
    (reader: PartialReader) => reader.range('t/', 't0'),
  ]) {
    const reader = new PartialReader(part);
    read(reader);
    t.equal(reader.hasMissed, true);
  }
  t.equal(new PartialReader(part).get('t/b/1')?.key, 't/b/1', 'what is there is given');
  t.throws(() => new PartialReader(part).counter('quota'), { code: 'NOT_IN_SLICE' }, 'a number cannot be partial');
  t.end();
});

t.test('for what decides, what may be missing is no answer', (t) => {
  const reader = wholeReader(part);
  t.equal(reader.get('t/a/1')?.key, 't/a/1');
  t.equal(reader.get('t/a/2'), undefined);
  t.equal(reader.range('t/a/', 't/a0').length, 1);
  t.throws(() => reader.get('t/b/1'), { code: 'NOT_IN_SLICE' }, 'not even what is there by chance');
  t.throws(() => reader.range('t/', 't0'), { code: 'NOT_IN_SLICE' });
  t.throws(() => reader.counter('quota'), { code: 'NOT_IN_SLICE' });
  t.end();
});
