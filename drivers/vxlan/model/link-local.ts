/** What IPv6 makes of a MAC: the one link-local address that its owner may have here, and how the filter names addresses. Pure. */
import type { LocalPortSpec } from '../../types.ts';
import { ipNumber, ipText, isIp6, readCidr } from './cidr.ts';

const linkLocalPrefix = 0xfe80n << 112n;

/**
 * The link-local address that an interface makes of its MAC (RFC 4291, appendix A: modified EUI-64). A guest may have no other,
 * as in Neutron: what it is seen as on its network is its record's to say.
 */
export function linkLocalOf(mac: string): string {
  return ipText(linkLocalPrefix | interfaceIdOf(mac), 6);
}

/** What an interface makes of its MAC: the lower 64 bits of the addresses that it gives itself (RFC 4291, appendix A). */
export function interfaceIdOf(mac: string): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = mac.split(':').map((octet) => BigInt(`0x${octet}`));
  return [a ^ 2n, b, c, 0xffn, 0xfen, d, e, f].reduce((sum, octet) => sum * 256n + octet, 0n);
}

/** An address as nftables writes the target of a neighbour solicitation or advertisement, which it takes for a number. */
export function targetText(ip: string): string {
  return `0x${ipNumber(ip).toString(16)}`;
}

/** A prefix as a range of such numbers, or one. */
export function targetsText(prefix: string): string {
  const { first, last } = readCidr(prefix);
  return first === last ? `0x${first.toString(16)}` : `0x${first.toString(16)}-0x${last.toString(16)}`;
}

/** What of a port tells whether it speaks IPv6. */
type Speaker = Pick<LocalPortSpec, 'mac' | 'ip' | 'moreIps' | 'addressPairs'>;

/** Whether a port has an address of IPv6, or a pair: else its guest does not speak it at all. */
export function speaksIp6({ ip, moreIps = [], addressPairs = [] }: Speaker): boolean {
  return [ip, ...moreIps, ...addressPairs.map(({ prefix }) => prefix)].some(isIp6);
}

/** What a port may be the source of in IPv6, pairs aside: its addresses, and the link-local one of its MAC. */
export function addresses6(port: Speaker): readonly string[] {
  if (!speaksIp6(port)) return [];
  return [...[port.ip, ...(port.moreIps ?? [])].filter(isIp6), linkLocalOf(port.mac)];
}

/** Pairs of IPv6, with the link-local address of the MAC of each: no one speaks IPv6 without. */
export function pairsWithLinkLocal<P extends { readonly mac: string; readonly prefix: string }>(
  pairs: readonly P[],
): readonly P[] {
  const own = pairs.filter(({ prefix }) => isIp6(prefix));
  return [...own, ...own.map((pair) => ({ ...pair, prefix: `${linkLocalOf(pair.mac)}/128` }))];
}
