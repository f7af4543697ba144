import { randomUUID } from 'node:crypto';
import t from 'tap';
import { orderedUuids, tellingDigits } from '../../../node/base/ordered-uuids.ts';

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

t.test(
  'ids sort in the order in which they were made, also within a millisecond and when the clock is set back',
  (t) => {
    let nowMs = Date.UTC(2026, 10, 27);
    const next = orderedUuids({ nowMs: () => nowMs }, randomUUID);
    const ids: string[] = [];
    // More in one millisecond than the counter has numbers for.
    for (let n = 0; n < 10_000; n += 1) ids.push(next());
    nowMs -= 60_000;
    for (let n = 0; n < 10; n += 1) ids.push(next());
    for (let n = 0; n < 1000; n += 1) {
      nowMs += 61;
      ids.push(next());
    }
    t.same([...ids].sort(), ids);
    t.equal(new Set(ids).size, ids.length);
    t.same(
      ids.filter((id) => !form.test(id)),
      [],
      'each is a UUID of version 7',
    );
    t.end();
  },
);

t.test('an id begins with the time, and the digits that tell it from others are those behind', (t) => {
  const next = orderedUuids({ nowMs: () => 0x0123456789ab + 0.5 }, () => 'ffffffff-ffff-4fff-bfff-fffff0a1b2c3');
  const id = next();
  t.equal(id, '01234567-89ab-77ff-bfff-fffff0a1b2c3');
  t.equal(tellingDigits(id), 'f0a1b2c3');
  t.equal(tellingDigits('0a1b2c3d-0000-4000-8000-000000000001'), '0a1b2c3d', 'a random one has them in front');
  t.equal(tellingDigits('short'), 'short');
  t.end();
});

t.test('two sources at one time make different ids', (t) => {
  const clock = { nowMs: () => 1_800_000_000_000 };
  const a = orderedUuids(clock, randomUUID);
  const b = orderedUuids(clock, randomUUID);
  const ids = Array.from({ length: 2000 }, (_, n) => (n % 2 === 0 ? a() : b()));
  t.equal(new Set(ids).size, ids.length);
  t.end();
});
