import t from 'tap';
import { AssertionError } from '../../../node/base/assert.ts';
import { Prng } from '../../../node/base/prng.ts';

void t.test('the same seed draws the same, within bounds', async (t) => {
  const [a, b] = [new Prng(7), new Prng(7)];
  const draws = Array.from({ length: 1_000 }, () => a.below(3));
  t.same(
    draws,
    draws.map(() => b.below(3)),
  );
  t.same([...new Set(draws)].sort(), [0, 1, 2]);
  t.equal(a.below(1), 0);
});

void t.test('a draw from nothing is refused, not drawn for ever', async (t) => {
  const random = new Prng(1);
  for (const bound of [0, -1, Number.NaN, 2 ** 33]) t.throws(() => random.below(bound), AssertionError, String(bound));
  t.throws(() => random.pick([]), AssertionError);
});
