/** IPv4 addresses and prefixes as the kernel's tools print them. Pure. */
import { isIPv4, isIPv6 } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';

/** A prefix with its host bits cleared. */
interface Cidr {
  /** First address, as a number in [0, 2^32). */
  readonly first: number;
  /** Last address. */
  readonly last: number;
  /** Bits, 0 to 32. */
  readonly prefixLength: number;
  /** `10.0.0.0/24`. */
  readonly text: string;
}

/** Address to number in [0, 2^32). Throws `INVALID_ARGUMENT` for anything else than a dotted quad. */
export function ipNumber(ip: string): number {
  if (!isIPv4(ip)) throw new ShoalError('INVALID_ARGUMENT', `${JSON.stringify(ip)} is not an IPv4 address`);
  return ip.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** Number to dotted quad. */
export function ipText(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

/** Reads `a.b.c.d/n`, or a bare address as /32. Throws `INVALID_ARGUMENT`. */
export function readCidr(text: string): Cidr {
  const [ip = '', length = '32', ...more] = text.split('/');
  const prefixLength = Number(length);
  if (more.length > 0 || !/^\d{1,2}$/.test(length) || prefixLength > 32) {
    throw new ShoalError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not an IPv4 prefix`);
  }
  const size = 2 ** (32 - prefixLength);
  const first = Math.floor(ipNumber(ip) / size) * size;
  return { first, last: first + size - 1, prefixLength, text: `${ipText(first)}/${prefixLength}` };
}

/** Whether the prefix holds the address. */
export function holds(cidr: Cidr, ip: string): boolean {
  const value = ipNumber(ip);
  return value >= cidr.first && value <= cidr.last;
}

/** Dotted netmask of a prefix length. */
export function netmask(prefixLength: number): string {
  return ipText(prefixLength === 0 ? 0 : (0xffffffff << (32 - prefixLength)) >>> 0);
}

/**
 * The IPv4 prefixes among `prefixes`, without those that another one covers, in order of address: nftables refuses sets
 * whose elements overlap. IPv6 prefixes are valid input and match nothing here, for guests have IPv4 only.
 */
export function disjointPrefixes(prefixes: readonly string[]): string[] {
  const all: Cidr[] = [];
  for (const text of prefixes) {
    if (isIPv6(text.split('/')[0] ?? '')) continue;
    all.push(readCidr(text));
  }
  all.sort((a, b) => a.first - b.first || a.prefixLength - b.prefixLength);
  const kept: Cidr[] = [];
  // Two prefixes either nest or are disjoint, so only the last one kept can cover the next.
  for (const cidr of all) if ((kept.at(-1)?.last ?? -1) < cidr.first) kept.push(cidr);
  return kept.map((cidr) => cidr.text);
}
