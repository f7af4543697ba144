/**
 * Multicast DNS on the link of one address of this host, and on no other: what guests' networks carry is neither asked nor
 * answered (RFC 6762, sections 3, 11 and 15).
 */
import { BlockList, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import multicastDns, { type MulticastDNS } from 'multicast-dns';
import { ShoalError } from '../../base/errors.ts';

/** The port of multicast DNS, and its groups (RFC 6762, section 3). */
const port = 5353;
const groups = { IPv4: '224.0.0.251', IPv6: 'ff02::fb' } as const;
type Family = keyof typeof groups;

/** The service's name (RFC 6763): PTR records name the members, SRV and TXT records say where each is, and of which mesh. */
export const peerService = '_shoal-peer._tcp.local';

/** Multicast DNS on one link. */
export interface MulticastLink {
  readonly socket: MulticastDNS;
  readonly family: Family;
  /** Whether `source` is an address of the same link, as who is heard must be. */
  isOnLink(source: string): boolean;
}

/** Opens it on the link of `address`. Throws `UNAVAILABLE` when no interface of this host has that address. */
export function multicastLinkOf(address: string): MulticastLink {
  for (const [device, addresses = []] of Object.entries(networkInterfaces())) {
    for (const own of addresses) {
      if (own.address !== address || own.cidr === null) continue;
      const family = isIPv6(address) ? 'IPv6' : 'IPv4';
      const onLink = new BlockList();
      onLink.addSubnet(address, Number(own.cidr.split('/')[1]), family.toLowerCase() as 'ipv4' | 'ipv6');
      // Link-local addresses are of the link by definition.
      if (family === 'IPv6') onLink.addSubnet('fe80::', 10, 'ipv6');
      return {
        family,
        socket: multicastDns({
          type: family === 'IPv6' ? 'udp6' : 'udp4',
          ip: groups[family],
          port,
          interface: family === 'IPv6' ? `::%${device}` : address,
          // Bound to the group: bound to its own address a socket hears no multicast.
          bind: groups[family] + (family === 'IPv6' ? `%${device}` : ''),
        }),
        isOnLink: (source) => onLink.check(source.replace(/%.*$/, ''), family.toLowerCase() as 'ipv4' | 'ipv6'),
      };
    }
  }
  throw new ShoalError('UNAVAILABLE', `No interface of this host has the address ${address}.`, { facts: { address } });
}
