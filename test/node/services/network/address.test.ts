import fc from 'fast-check';
import t from 'tap';
import {
  addressAt,
  canonicalIp,
  contains,
  firstOf,
  formatIp,
  formatPrefix,
  type IpAddress,
  type IpFamily,
  type IpRange,
  lastOf,
  overlaps,
  parseIp,
  parsePrefix,
  rangeSize,
  rangeWithout,
  usableRange,
} from '../../../../node/services/network/kit/address.ts';

const bits = { 4: 32, 6: 128 } as const;
const family = fc.constantFrom<IpFamily>(4, 6);
const address = family.chain((each) =>
  fc.bigInt({ min: 0n, max: 2n ** BigInt(bits[each]) - 1n }).map((value): IpAddress => ({ family: each, value })),
);
const range = fc.tuple(address, fc.bigInt({ min: 0n, max: 5000n })).map(([first, more]): IpRange => {
  const end = 2n ** BigInt(bits[first.family]) - 1n;
  const last = first.value + more;
  return { family: first.family, first: first.value, last: last < end ? last : end };
});
/** IPv4 in IPv6's clothes has no text of its own. */
const isMapped = ({ family: each, value }: IpAddress): boolean => each === 6 && value >> 32n === 0xffffn;

void t.test('an address survives being written and read', (t) => {
  fc.assert(
    fc.property(address, (one) => isMapped(one) || parseIp(formatIp(one))?.value === one.value),
    { seed: 1 },
  );
  t.end();
});

void t.test('one address has one text', (t) => {
  t.equal(canonicalIp('2001:DB8:0:0::0001'), '2001:db8::1');
  t.equal(canonicalIp('fd00:0:0:1:0:0:0:1'), 'fd00:0:0:1::1', 'the longest run of zeros is left out');
  t.equal(canonicalIp('::'), '::');
  t.equal(canonicalIp('10.0.0.1'), '10.0.0.1');
  t.end();
});

void t.test('what is neither four decimal parts nor IPv6 is no address', (t) => {
  const texts = [
    '',
    '1.2.3',
    '1.2.3.256',
    '01.2.3.4x',
    '0x7f.1.1.1',
    '1.2.3.4/24',
    ' 1.2.3.4',
    '1:2',
    ':::1',
    'fe80::1%eth0',
  ];
  for (const text of [...texts, '::ffff:10.0.0.1', '[::1]', '12345::1']) {
    t.equal(parseIp(text), undefined, JSON.stringify(text));
  }
  t.end();
});

void t.test('a prefix clears the bits beyond it and holds its own addresses', (t) => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 128 }), (one, drawn) => {
      const length = drawn % (bits[one.family] + 1);
      if (isMapped(one)) return true;
      const prefix = parsePrefix(`${formatIp(one)}/${length}`);
      if (prefix === undefined) return false;
      const again = parsePrefix(formatPrefix(prefix));
      const size = 2n ** BigInt(bits[one.family] - length);
      return (
        contains(prefix, one) &&
        rangeSize(prefix) === size &&
        (isMapped(firstOf(prefix)) || again?.first === prefix.first)
      );
    }),
    { seed: 2 },
  );
  for (const text of ['10.0.0.0/33', '10.0.0.0', 'fd00::/129', 'fd00::', '10.0.0.0/ 8'])
    t.equal(parsePrefix(text), undefined);
  t.end();
});

void t.test('overlap is what a search of both ranges would find', (t) => {
  const small = fc
    .tuple(family, fc.bigInt({ min: 0n, max: 50n }), fc.bigInt({ min: 0n, max: 20n }))
    .map(([each, first, more]): IpRange => ({ family: each, first, last: first + more }));
  const members = (r: IpRange): string[] =>
    Array.from({ length: Number(rangeSize(r)) }, (_, at) => `${r.family} ${r.first + BigInt(at)}`);
  fc.assert(
    fc.property(small, small, (a, b) => overlaps(a, b) === members(a).some((member) => members(b).includes(member))),
    { seed: 3 },
  );
  t.end();
});

void t.test('a range without an address has every other address, in order', (t) => {
  fc.assert(
    fc.property(range, fc.bigInt({ min: 0n, max: 5000n }), (whole, at) => {
      const gone: IpAddress = { family: whole.family, value: whole.first + (at % rangeSize(whole)) };
      const rest = rangeWithout(whole, gone);
      const size = rest.reduce((sum, part) => sum + rangeSize(part), 0n);
      if (size !== rangeSize(whole) - 1n || rest.some((part) => contains(part, gone))) return false;
      return (
        size === 0n || addressAt(rest, size - 1n).value === (gone.value === whole.last ? gone.value - 1n : whole.last)
      );
    }),
    { seed: 4 },
  );
  t.end();
});

void t.test('an address of one family is in no range of the other', (t) => {
  const all = parsePrefix('::/0');
  t.ok(all !== undefined && !contains(all, parseIp('10.0.0.1')));
  t.end();
});

void t.test('network and broadcast addresses are not for interfaces, save in the smallest prefixes', (t) => {
  const cases = {
    '10.0.0.0/24': ['10.0.0.1', '10.0.0.254'],
    '10.0.0.0/31': ['10.0.0.0', '10.0.0.1'],
    'fd00::/120': ['fd00::1', 'fd00::ff'],
    'fd00::/127': ['fd00::', 'fd00::1'],
  };
  for (const [cidr, expected] of Object.entries(cases)) {
    const prefix = parsePrefix(cidr);
    const usable = prefix === undefined ? undefined : usableRange(prefix);
    t.same(usable === undefined ? [] : [formatIp(firstOf(usable)), formatIp(lastOf(usable))], expected, cidr);
  }
  t.end();
});
