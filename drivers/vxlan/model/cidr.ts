/** Addresses and prefixes of both families, as the kernel's tools print them. Pure. */
import ipaddr from 'ipaddr.js';
import { ShoalError } from '../../../node/base/errors.ts';
import { ipVersion } from '../../../node/base/ip-version.ts';

/** A prefix with its host bits cleared. */
interface Cidr {
  readonly family: 4 | 6;
  /** First address, as a number in [0, 2^32) or [0, 2^128). */
  readonly first: bigint;
  /** Last address. */
  readonly last: bigint;
  /** Bits, 0 to 32 or to 128. */
  readonly prefixLength: number;
  /** `10.0.0.0/24`, `fd00::/64`. */
  readonly text: string;
}

const bitsOf = { 4: 32, 6: 128 } as const;

/** Whether it is written as an IPv6 address or prefix. What is neither counts as IPv4, and is refused as such. */
export function isIp6(text: string): boolean {
  return text.includes(':');
}

/** Address to number. Throws `INVALID_ARGUMENT` for anything else than a dotted quad or an IPv6 address without a zone. */
export function ipNumber(ip: string): bigint {
  const version = ipVersion(ip);
  if (version === 0) {
    throw new ShoalError('INVALID_ARGUMENT', `${JSON.stringify(ip)} is not an IP address`);
  }
  if (version === 4) return ip.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
  return ipaddr.IPv6.parse(ip)
    .toByteArray()
    .reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** Number to dotted quad, or to the shortest form of an IPv6 address (RFC 5952), which is the kernel's. */
export function ipText(value: bigint, family: 4 | 6 = 4): string {
  const bytes = Array.from({ length: bitsOf[family] / 8 }, (_, at) =>
    Number((value >> BigInt(bitsOf[family] - 8 * (at + 1))) & 255n),
  );
  return family === 4 ? bytes.join('.') : new ipaddr.IPv6(bytes).toRFC5952String();
}

/** Reads `address/n`, or a bare address as a whole prefix. Throws `INVALID_ARGUMENT`. */
export function readCidr(text: string): Cidr {
  const family = isIp6(text) ? 6 : 4;
  const [ip = '', length = String(bitsOf[family]), ...more] = text.split('/');
  const prefixLength = Number(length);
  if (more.length > 0 || !/^\d{1,3}$/.test(length) || prefixLength > bitsOf[family]) {
    throw new ShoalError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not an IP prefix`);
  }
  const size = 1n << BigInt(bitsOf[family] - prefixLength);
  const first = (ipNumber(ip) / size) * size;
  return { family, first, last: first + size - 1n, prefixLength, text: `${ipText(first, family)}/${prefixLength}` };
}

/** Whether the prefix holds the address. */
export function holds(cidr: Cidr, ip: string): boolean {
  if ((cidr.family === 6) !== isIp6(ip)) return false;
  const value = ipNumber(ip);
  return value >= cidr.first && value <= cidr.last;
}

/** Dotted netmask of a prefix length of IPv4. */
export function netmask(prefixLength: number): string {
  return ipText(2n ** 32n - 2n ** BigInt(32 - prefixLength));
}

/**
 * The prefixes of one family among `prefixes`, without those that another one covers, in order of address: nftables refuses
 * sets whose elements overlap. Those of the other family are valid input and match nothing here.
 */
export function disjointPrefixes(prefixes: readonly string[], family: 4 | 6 = 4): string[] {
  const all = prefixes.filter((text) => isIp6(text) === (family === 6)).map(readCidr);
  all.sort((a, b) => (a.first === b.first ? a.prefixLength - b.prefixLength : a.first < b.first ? -1 : 1));
  const kept: Cidr[] = [];
  // Two prefixes either nest or are disjoint, so only the last one kept can cover the next.
  for (const cidr of all) if ((kept.at(-1)?.last ?? -1n) < cidr.first) kept.push(cidr);
  return kept.map((cidr) => cidr.text);
}
