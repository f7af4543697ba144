/** IPv4 addresses and ranges as numbers in [0, 2^32). Text is parsed by ipaddr.js, strictly: four decimal parts. */
import ipaddr from 'ipaddr.js';

/** A contiguous range of addresses, both ends included. */
export interface Ipv4Range {
  readonly first: number;
  readonly last: number;
}

/** A network prefix. */
export interface Ipv4Prefix extends Ipv4Range {
  /** 0 to 32. */
  readonly prefixLength: number;
}

/** Undefined when `text` is not an IPv4 address in dotted decimal. */
export function parseIpv4(text: string): number | undefined {
  if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
  return ipaddr.IPv4.parse(text)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Dotted decimal. @param address an integer in [0, 2^32). */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Undefined when `text` is not `a.b.c.d/n`. Bits beyond the prefix are cleared, as Neutron does. */
export function parsePrefix(text: string): Ipv4Prefix | undefined {
  const match = /^([0-9.]+)\/([0-9]{1,2})$/.exec(text);
  const address = parseIpv4(match?.[1] ?? '');
  const prefixLength = Number(match?.[2]);
  if (address === undefined || prefixLength > 32) return undefined;
  const size = 2 ** (32 - prefixLength);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1, prefixLength };
}

/** As `parsePrefix` reads it: `10.0.0.0/24`. */
export function formatPrefix(prefix: Ipv4Prefix): string {
  return `${formatIpv4(prefix.first)}/${prefix.prefixLength}`;
}

/** Whether at least one address is in both. */
export function overlaps(a: Ipv4Range, b: Ipv4Range): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** Both ends of the range are in it. */
export function contains(range: Ipv4Range, address: number): boolean {
  return range.first <= address && address <= range.last;
}

/** The addresses that interfaces may have: all but the network's own and the broadcast address; all of a /31 and a /32. */
export function usableRange(prefix: Ipv4Prefix): Ipv4Range {
  if (prefix.prefixLength >= 31) return prefix;
  return { first: prefix.first + 1, last: prefix.last - 1 };
}

/** The usable range without one address: none, one or two ranges. */
export function rangeWithout(range: Ipv4Range, address: number | undefined): readonly Ipv4Range[] {
  if (address === undefined || !contains(range, address)) return [range];
  const parts = [
    { first: range.first, last: address - 1 },
    { first: address + 1, last: range.last },
  ];
  return parts.filter((part) => part.first <= part.last);
}

/** Number of addresses, at least 1. */
export function rangeSize(range: Ipv4Range): number {
  return range.last - range.first + 1;
}

/** The address at `index` in the ranges put one after another. `index` is below the sum of their sizes. */
export function addressAt(ranges: readonly Ipv4Range[], index: number): number {
  let rest = index;
  for (const range of ranges) {
    if (rest < rangeSize(range)) return range.first + rest;
    rest -= rangeSize(range);
  }
  throw new RangeError(`index ${index} is beyond the ranges`);
}

/** An IPv4 or IPv6 prefix without bits beyond its length: `10.0.0.9/24` is `10.0.0.0/24`. Undefined when it is neither,
 * and for an address with a zone (`fe80::1%eth0/64`). */
export function canonicalPrefix(text: string): string | undefined {
  const ipv4 = parsePrefix(text);
  if (ipv4 !== undefined) return formatPrefix(ipv4);
  return !text.includes('%') && ipaddr.IPv6.isValidCIDR(text)
    ? ipaddr.IPv6.networkAddressFromCIDR(text).toString() + (/\/[0-9]+$/.exec(text)?.[0] ?? '')
    : undefined;
}

/** A recorded prefix as it is matched. What cannot be read stays as it is. */
export function normalPrefix(text: string): string {
  return canonicalPrefix(text) ?? text;
}
