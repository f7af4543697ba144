import fc from 'fast-check';
import t from 'tap';
import {
  addressAt,
  contains,
  formatIpv4,
  formatPrefix,
  type Ipv4Range,
  overlaps,
  parseIpv4,
  parsePrefix,
  rangeSize,
  rangeWithout,
  usableRange,
} from '../../../../node/services/network/address.ts';

const address = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const range = fc.tuple(address, fc.integer({ min: 0, max: 5000 })).map(([first, more]) => ({
  first,
  last: Math.min(first + more, 2 ** 32 - 1),
}));

void t.test('an address survives being written and read', (t) => {
  fc.assert(
    fc.property(address, (number) => parseIpv4(formatIpv4(number)) === number),
    { seed: 1 },
  );
  t.end();
});

void t.test('what is not four decimal parts is no address', (t) => {
  for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4x', '0x7f.1.1.1', '1.2.3.4/24', '::1', ' 1.2.3.4']) {
    t.equal(parseIpv4(text), undefined, JSON.stringify(text));
  }
  t.end();
});

void t.test('a prefix clears the bits beyond it and holds its own addresses', (t) => {
  fc.assert(
    fc.property(address, fc.integer({ min: 0, max: 32 }), (number, length) => {
      const prefix = parsePrefix(`${formatIpv4(number)}/${length}`);
      if (prefix === undefined) return false;
      const again = parsePrefix(formatPrefix(prefix));
      return contains(prefix, number) && rangeSize(prefix) === 2 ** (32 - length) && again?.first === prefix.first;
    }),
    { seed: 2 },
  );
  t.equal(parsePrefix('10.0.0.0/33'), undefined);
  t.equal(parsePrefix('10.0.0.0'), undefined);
  t.end();
});

void t.test('overlap is what a search of both ranges would find', (t) => {
  const small = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 20 })).map(([first, more]) => ({
    first,
    last: first + more,
  }));
  const members = (r: Ipv4Range): number[] => Array.from({ length: rangeSize(r) }, (_, at) => r.first + at);
  fc.assert(
    fc.property(small, small, (a, b) => overlaps(a, b) === members(a).some((member) => members(b).includes(member))),
    { seed: 3 },
  );
  t.end();
});

void t.test('a range without an address has every other address, in order', (t) => {
  fc.assert(
    fc.property(range, fc.integer({ min: 0, max: 5000 }), (whole, at) => {
      const gone = whole.first + (at % rangeSize(whole));
      const rest = rangeWithout(whole, gone);
      const size = rest.reduce((sum, part) => sum + rangeSize(part), 0);
      if (size !== rangeSize(whole) - 1 || rest.some((part) => contains(part, gone))) return false;
      return size === 0 || addressAt(rest, size - 1) === (gone === whole.last ? gone - 1 : whole.last);
    }),
    { seed: 4 },
  );
  t.end();
});

void t.test('network and broadcast addresses are not for interfaces, save in the smallest prefixes', (t) => {
  const cases = { '10.0.0.0/24': ['10.0.0.1', '10.0.0.254'], '10.0.0.0/31': ['10.0.0.0', '10.0.0.1'] };
  for (const [cidr, expected] of Object.entries(cases)) {
    const prefix = parsePrefix(cidr);
    const usable = prefix === undefined ? undefined : usableRange(prefix);
    t.same(usable === undefined ? [] : [formatIpv4(usable.first), formatIpv4(usable.last)], expected, cidr);
  }
  t.end();
});
