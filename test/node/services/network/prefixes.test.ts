import fc from 'fast-check';
import t from 'tap';
import { formatPrefix, type IpPrefix, overlaps, parsePrefix } from '../../../../node/services/network/kit/address.ts';
import {
  covers,
  freePrefix,
  mergedPrefixes,
  prefixTexts,
  unitsOf,
  withoutPrefixes,
} from '../../../../node/services/network/kit/prefixes.ts';

const prefix = (text: string): IpPrefix => {
  const parsed = parsePrefix(text);
  if (parsed === undefined) throw new Error(`${text} is no prefix`);
  return parsed;
};
/** Prefixes of 10.0.0.0/24, so small that all their addresses can be listed. */
const small = fc
  .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 25, max: 32 }))
  .map(([at, length]) => prefix(`10.0.0.${at}/${length}`));
const several = fc.array(small, { maxLength: 12 });
const addresses = (prefixes: readonly IpPrefix[]): Set<bigint> =>
  new Set(
    prefixes.flatMap(({ first, last }) =>
      Array.from({ length: Number(last - first) + 1 }, (_, at) => first + BigInt(at)),
    ),
  );
const same = (a: Set<bigint>, b: Set<bigint>): boolean => a.size === b.size && [...a].every((each) => b.has(each));

void t.test('merged prefixes have the same addresses, each once, and cannot be merged further', (t) => {
  fc.assert(
    fc.property(several, (prefixes) => {
      const merged = mergedPrefixes(prefixes);
      const isDisjoint = merged.every((a, at) => merged.every((b, other) => at === other || !overlaps(a, b)));
      return (
        isDisjoint && same(addresses(merged), addresses(prefixes)) && mergedPrefixes(merged).length === merged.length
      );
    }),
    { seed: 1 },
  );
  t.same(prefixTexts(mergedPrefixes(['10.0.1.0/24', '10.0.0.0/24', '10.0.0.7/32'].map(prefix))), ['10.0.0.0/23']);
  t.end();
});

void t.test('what is taken away is gone, and nothing else', (t) => {
  fc.assert(
    fc.property(several, several, (prefixes, gone) => {
      const left = [...addresses(prefixes)].filter((each) => !addresses(gone).has(each));
      return same(addresses(withoutPrefixes(prefixes, gone)), new Set(left));
    }),
    { seed: 2 },
  );
  t.end();
});

void t.test('a set covers what lies in it wholly, though over several of its prefixes', (t) => {
  fc.assert(
    fc.property(several, small, (outer, inner) => {
      const all = addresses(outer);
      return covers(outer, [inner]) === [...addresses([inner])].every((each) => all.has(each));
    }),
    { seed: 3 },
  );
  t.end();
});

void t.test('a free prefix lies in the pool, touches nothing, and is missed only when there is none', (t) => {
  const length = fc.integer({ min: 25, max: 32 });
  fc.assert(
    fc.property(several, several, length, (pool, taken, bits) => {
      const found = freePrefix(mergedPrefixes(pool), taken, bits);
      const fits = (each: IpPrefix): boolean =>
        mergedPrefixes(pool).some((part) => part.first <= each.first && each.last <= part.last) &&
        !taken.some((other) => overlaps(other, each));
      if (found !== undefined) return found.prefixLength === bits && fits(found);
      const size = 2 ** (32 - bits);
      return Array.from({ length: 256 / size }, (_, at) => prefix(`10.0.0.${at * size}/${bits}`)).every(
        (each) => !fits(each),
      );
    }),
    { seed: 4, numRuns: 300 },
  );
  t.equal(
    formatPrefix(freePrefix([prefix('fd00::/48')], [prefix('fd00::/64')], 64) ?? prefix('::/0')),
    'fd00:0:0:1::/64',
  );
  t.end();
});

void t.test('units are addresses of IPv4 and networks of IPv6', (t) => {
  t.equal(unitsOf([prefix('10.0.0.0/24'), prefix('10.0.1.0/30')], 32), 260);
  t.equal(unitsOf([prefix('fd00::/62')], 64), 4);
  t.end();
});
