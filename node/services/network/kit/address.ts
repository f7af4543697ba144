/** Addresses of both families as numbers with their family, and ranges of them. Text is parsed by ipaddr.js, strictly. */
import ipaddr from 'ipaddr.js';

/** IPv4 or IPv6. */
export type IpFamily = 4 | 6;

/** One address. */
export interface IpAddress {
  readonly family: IpFamily;
  /** In [0, 2^32) or [0, 2^128). */
  readonly value: bigint;
}

/** A contiguous range of addresses, both ends included. */
export interface IpRange {
  readonly family: IpFamily;
  readonly first: bigint;
  readonly last: bigint;
}

/** A network prefix. */
export interface IpPrefix extends IpRange {
  /** 0 to 32, or to 128. */
  readonly prefixLength: number;
}

/** Bits of an address. */
const bitsOf = { 4: 32, 6: 128 } as const satisfies Readonly<Record<IpFamily, number>>;

/**
 * Undefined when `text` is neither four decimal parts nor an IPv6 address without a zone. An IPv4 address written as IPv6
 * (`::ffff:10.0.0.1`) is none either: one address would have two names.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, value: numberOf(ipaddr.IPv4.parse(text)) };
  if (text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return parsed.isIPv4MappedAddress() ? undefined : { family: 6, value: numberOf(parsed) };
}

function numberOf(address: ipaddr.IPv4 | ipaddr.IPv6): bigint {
  return address.toByteArray().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** Dotted decimal, or RFC 5952's form: one text for one address. */
export function formatIp({ family, value }: IpAddress): string {
  const bytes = Array.from({ length: bitsOf[family] / 8 }, (_, at) =>
    Number((value >> BigInt(bitsOf[family] - 8 * (at + 1))) & 255n),
  );
  return family === 4 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** An address as `formatIp` writes it; undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const address = parseIp(text);
  return address === undefined ? undefined : formatIp(address);
}

/** Undefined when `text` is not `address/n`. Bits beyond the prefix are cleared, as Neutron does. */
export function parsePrefix(text: string): IpPrefix | undefined {
  const match = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text);
  const address = parseIp(match?.[1] ?? '');
  const prefixLength = Number(match?.[2]);
  if (address === undefined || prefixLength > bitsOf[address.family]) return undefined;
  const size = 1n << BigInt(bitsOf[address.family] - prefixLength);
  const first = (address.value / size) * size;
  return { family: address.family, first, last: first + size - 1n, prefixLength };
}

/** As `parsePrefix` reads it: `10.0.0.0/24`. */
export function formatPrefix(prefix: IpPrefix): string {
  return `${formatIp(firstOf(prefix))}/${prefix.prefixLength}`;
}

/** The first address of a range. */
export function firstOf({ family, first }: IpRange): IpAddress {
  return { family, value: first };
}

/** The last address of a range. */
export function lastOf({ family, last }: IpRange): IpAddress {
  return { family, value: last };
}

/** Whether at least one address is in both. */
export function overlaps(a: IpRange, b: IpRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** Both ends of the range are in it. No address is in a range of the other family. */
export function contains(range: IpRange, address: IpAddress | undefined): boolean {
  return (
    address !== undefined &&
    range.family === address.family &&
    range.first <= address.value &&
    address.value <= range.last
  );
}

/**
 * The addresses that interfaces may have: all but the network's own (in IPv6 its routers' anycast address, RFC 4291) and
 * IPv4's broadcast address; all of a /31, a /32, a /127 (RFC 6164) and a /128.
 */
export function usableRange(prefix: IpPrefix): IpRange {
  const { family, first, last } = prefix;
  if (prefix.prefixLength >= bitsOf[family] - 1) return { family, first, last };
  return { family, first: first + 1n, last: family === 4 ? last - 1n : last };
}

/** The usable range without one address: none, one or two ranges. */
export function rangeWithout(range: IpRange, address: IpAddress | undefined): readonly IpRange[] {
  if (address === undefined || !contains(range, address)) return [range];
  const parts = [
    { family: range.family, first: range.first, last: address.value - 1n },
    { family: range.family, first: address.value + 1n, last: range.last },
  ];
  return parts.filter((part) => part.first <= part.last);
}

/** Number of addresses, at least 1. */
export function rangeSize(range: IpRange): bigint {
  return range.last - range.first + 1n;
}

/** The address at `index` in the ranges put one after another. `index` is below the sum of their sizes. */
export function addressAt(ranges: readonly IpRange[], index: bigint): IpAddress {
  let rest = index;
  for (const range of ranges) {
    if (rest < rangeSize(range)) return { family: range.family, value: range.first + rest };
    rest -= rangeSize(range);
  }
  throw new RangeError(`index ${index} is beyond the ranges`);
}

/** A prefix without bits beyond its length: `10.0.0.9/24` is `10.0.0.0/24`. Undefined when it is none. */
export function canonicalPrefix(text: string): string | undefined {
  const prefix = parsePrefix(text);
  return prefix === undefined ? undefined : formatPrefix(prefix);
}

/** A prefix, or a bare address as the prefix of it alone. Not checked. */
export function wholePrefix(text: string): string {
  if (text.includes('/')) return text;
  return `${text}/${text.includes(':') ? bitsOf[6] : bitsOf[4]}`;
}

/** A recorded prefix as it is matched. What cannot be read stays as it is. */
export function normalPrefix(text: string): string {
  return canonicalPrefix(text) ?? text;
}
