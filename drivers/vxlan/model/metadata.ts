/**
 * Metadata at 169.254.169.254, without a process per network: the network's service namespace translates each guest to
 * an address that is unique on the host, and that address *is* the guest's identity for the host's one metadata server
 * (../services/metadata-server.pl), which serves prepared files from a folder of that name. Pure.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import type { NftTable } from '../links/nft.ts';
import { ipNumber, ipText } from './cidr.ts';
import { metadataInner, serviceInner } from './names.ts';

/** Where every cloud has it. */
export const metadataIp = '169.254.169.254';
/** Where the host's server listens: on `metadataBridge` alone. Part of the shared address space (RFC 6598). */
export const metadataServerIp = '100.64.0.1';
/** TCP port there: the one that Nova's metadata service has. Guests ask port 80, and are translated to it. */
export const metadataServerPort = 8775;
/** Where the host's resolver listens at that address (../services/resolver.ts): not 53, which a resolver of the host itself may have. */
export const resolverPort = 8753;

/** The server's address with the prefix that holds every identity: the host's one route to all of them. */
export const metadataServerCidr = `${metadataServerIp}/16`;

/** The prefix of all identities. No tenant's prefix may touch it. */
export const identityCidr = '100.64.0.0/16';

/** Identities are 100.64.0.2 to 100.64.255.254: more than a host has guests, and no more of RFC 6598 than that. */
export const identityIndexMin = 2;
/** The last index, so that 100.64.255.255, the broadcast address, is nobody's. */
export const identityIndexMax = 65_534;

/**
 * The most files that one port may have, and the most bytes of one. Ten versions of OpenStack's tree, two of EC2's with 16
 * NICs in each, and injected files; most are further names of the same file.
 */
export const metadataFilesMax = 1024;
/** Bytes, of one body. */
export const metadataFileBytesMax = 1024 * 1024;
/** File systems hold 255 bytes in a name. */
const fileNameBytesMax = 255;

/** Questions for names that a network may ask of its dnsmasq on one host. */
const queriesPerSecondMax = 500;

/** A port's identity address from its number on the host. */
export function identityIp(index: number): string {
  return ipText(ipNumber('100.64.0.0') + BigInt(index));
}

/**
 * The name of the file that holds the answer for a URL path: the path, percent-encoded, so that `/latest/meta-data/` and
 * `/latest/meta-data/hostname` can both be files, and no request can climb out of its folder. ../services/metadata-server.pl, which
 * imports nothing of ours, does the same.
 */
export function metadataFileName(path: string): string {
  if (!/^\/[\x20-\x7e]*$/.test(path)) {
    throw new ShoalError('INVALID_ARGUMENT', `metadata path ${JSON.stringify(path.slice(0, 80))} is malformed`);
  }
  const name = encodeURIComponent(path);
  if (name.length > fileNameBytesMax) {
    throw new ShoalError('INVALID_ARGUMENT', `metadata path ${JSON.stringify(path.slice(0, 80))} is too long`);
  }
  return name;
}

/** Translation table of a network's service namespace: guests' addresses to their identities. */
export function metadataTable(identities: readonly { readonly ip: string; readonly identityIp: string }[]): NftTable {
  return {
    family: 'ip',
    name: 'shoal_md',
    sets: [
      {
        name: 'identity',
        kind: 'map',
        type: 'type ipv4_addr : ipv4_addr',
        elements: identities.map((entry) => `${entry.ip} : ${entry.identityIp}`).sort(),
      },
    ],
    chains: [
      {
        name: 'pre',
        hook: 'type nat hook prerouting priority -100; policy accept;',
        rules: [
          `iifname "${serviceInner}" ip daddr ${metadataIp} tcp dport 80 dnat to ${metadataServerIp}:${metadataServerPort}`,
        ],
      },
      {
        name: 'post',
        hook: 'type nat hook postrouting priority 100; policy accept;',
        // Who has no identity must not get through with an address of its own choosing.
        // This namespace's own dnsmasq has an identity's address already, and asks the resolver alone.
        rules: [
          `oifname "${metadataInner}" fib saddr type local ip daddr ${metadataServerIp} udp dport ${resolverPort} accept`,
          `oifname "${metadataInner}" fib saddr type local ip daddr ${metadataServerIp} tcp dport ${resolverPort} accept`,
          `oifname "${metadataInner}" snat to ip saddr map @identity`,
          `oifname "${metadataInner}" counter drop`,
        ],
      },
      {
        name: 'forwarded',
        hook: 'type filter hook forward priority 0; policy drop;',
        rules: ['ct status dnat accept', 'ct state established accept'],
      },
      {
        name: 'received',
        hook: 'type filter hook input priority 0; policy drop;',
        rules: [
          'iifname "lo" accept',
          `iifname "${metadataInner}" ip saddr ${metadataServerIp} ct state established accept`,
          // Of all guests of the network together; what is over it is asked again.
          `iifname "${serviceInner}" udp dport 53 limit rate over ${queriesPerSecondMax}/second burst ${queriesPerSecondMax} packets drop`,
          `iifname "${serviceInner}" udp dport { 53, 67 } accept`,
          `iifname "${serviceInner}" tcp dport 53 accept`,
          `iifname "${serviceInner}" icmp type echo-request accept`,
        ],
      },
    ],
  };
}

/** What the service namespace takes in IPv6: DHCPv6, names, and neighbour discovery. It routes nothing. */
export function serviceTable6(): NftTable {
  return {
    family: 'ip6',
    name: 'shoal_md6',
    sets: [],
    chains: [
      { name: 'forwarded', hook: 'type filter hook forward priority 0; policy drop;', rules: [] },
      {
        name: 'received',
        hook: 'type filter hook input priority 0; policy drop;',
        rules: [
          'iifname "lo" accept',
          'icmpv6 type { 128, 130, 135, 136 } accept',
          `udp dport 53 limit rate over ${queriesPerSecondMax}/second burst ${queriesPerSecondMax} packets drop`,
          `iifname "${serviceInner}" udp dport { 53, 547 } accept`,
          `iifname "${serviceInner}" tcp dport 53 accept`,
          'ct state established accept',
        ],
      },
    ],
  };
}
