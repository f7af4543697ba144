import fc from 'fast-check';
import t from 'tap';
import { SortedMap } from '../../../node/state/sorted-map.ts';

interface Item {
  readonly key: string;
  readonly value: number;
}

type Step =
  | { readonly kind: 'put'; readonly key: string; readonly value: number }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'fork' };

const key = fc.integer({ min: 0, max: 3000 }).map((n) => `k${n}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const) }) },
);

function sorted(model: ReadonlyMap<string, number>): Item[] {
  return [...model].map(([k, value]) => ({ key: k, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
}

await t.test('the map agrees with a plain map, and forks do not see later changes', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 3000, minLength: 200 }), key, key, (steps, a, b) => {
      const map = new SortedMap<Item>();
      const model = new Map<string, number>();
      const forks: { map: SortedMap<Item>; items: Item[] }[] = [];
      for (const s of steps) {
        if (s.kind === 'put') {
          const before = map.put({ key: s.key, value: s.value });
          if (before?.value !== model.get(s.key)) throw new Error(`put ${s.key} returned the wrong entry`);
          model.set(s.key, s.value);
        } else if (s.kind === 'delete') {
          const before = map.delete(s.key);
          if (before?.value !== model.get(s.key)) throw new Error(`delete ${s.key} returned the wrong entry`);
          model.delete(s.key);
        } else if (forks.length < 5) {
          forks.push({ map: map.fork(), items: sorted(model) });
        }
      }
      const all = sorted(model);
      const [start, end] = a < b ? [a, b] : [b, a];
      const same =
        JSON.stringify([...map.entries()]) === JSON.stringify(all) &&
        JSON.stringify(map.range('', undefined, 7)) === JSON.stringify(all.slice(0, 7)) &&
        JSON.stringify(map.range(start, end)) ===
          JSON.stringify(all.filter((item) => item.key >= start && item.key < end)) &&
        JSON.stringify([...map.entries(start)]) === JSON.stringify(all.filter((item) => item.key >= start)) &&
        JSON.stringify(map.first()) === JSON.stringify(all[0]) &&
        map.size === all.length &&
        map.get(a)?.value === model.get(a);
      return same && forks.every((f) => JSON.stringify([...f.map.entries()]) === JSON.stringify(f.items));
    }),
    { seed: 1, numRuns: 60 },
  );
  t.end();
});

await t.test('deleting everything, in any order, leaves an empty map that works on', (t) => {
  for (const order of ['up', 'down', 'inside-out'] as const) {
    const map = new SortedMap<Item>();
    const count = 10_000;
    const name = (n: number): string => String(n).padStart(6, '0');
    for (let n = 0; n < count; n += 1) map.put({ key: name((n * 7919) % count), value: n });
    t.equal(map.size, count, order);
    for (let n = 0; n < count; n += 1) {
      const at =
        order === 'up' ? n : order === 'down' ? count - 1 - n : n % 2 === 0 ? (count + n) / 2 : (count - 1 - n) / 2;
      if (map.delete(name(Math.floor(at))) === undefined) throw new Error(`${order}: ${at} was not there`);
    }
    t.equal(map.size, 0, order);
    t.equal(map.first(), undefined, order);
    map.put({ key: 'x', value: 1 });
    t.same(map.range('', undefined), [{ key: 'x', value: 1 }], order);
  }
  t.end();
});
