/**
 * What the packet filter says of IPv6, in the same tables and by the same keys as IPv4 (security.ts). A port speaks IPv6
 * when it has an address of it, or a pair: then as these and as the link-local address of its MAC, and else not at all.
 *
 * Neighbour discovery, router advertisements and DHCPv6 are ordinary packets in IPv6, so what ARP's rules say of IPv4 is said
 * here of ICMPv6: nobody solicits or announces for an address that is not theirs, is a router, or a DHCP server. Pure text.
 */
import type { NftTable } from '../links/nft.ts';
import { linkLocalOf } from '../model/link-local.ts';
import { serviceMac } from '../model/names.ts';

/** Target of a neighbour solicitation or advertisement: 128 bits, behind ICMPv6's header and 32 bits of flags. */
const target = '@th,64,128';
/** Types of ICMPv6 (RFC 4861). */
const routerAdvertisement = 134;
const solicitation = 135;
const advertisement = 136;
const redirect = 137;
/** What links live by, and no rule may stop: multicast listeners (RFC 2710, 3810) and neighbour discovery. */
const linkTypes = '{ 130, 131, 132, 133, 134, 135, 136, 143 }';
/** All of a network's DHCPv6 servers (RFC 8415). */
const allServers = 'ff02::1:2';

/** Sets of table `inet shoal_sg`. */
export const filterSets6: NftTable['sets'] = [
  { name: 'egress6', kind: 'map', type: 'type ifname . ipv6_addr : verdict' },
  { name: 'ingress6', kind: 'map', type: 'type ifname . ipv6_addr : verdict' },
  { name: 'egress_pairs6', kind: 'map', type: 'type ifname . ether_addr . ipv6_addr : verdict; flags interval' },
  { name: 'ingress_pairs6', kind: 'map', type: 'type ifname . ether_addr . ipv6_addr : verdict; flags interval' },
  { name: 'guests6', kind: 'set', type: 'type ifname . ipv6_addr' },
  { name: 'stateless6', kind: 'set', type: 'type ifname . ipv6_addr' },
  { name: 'flows_from6', kind: 'set', type: 'type ifname . ipv6_addr; size 65535; flags dynamic' },
  { name: 'flows_to6', kind: 'set', type: 'type ifname . ipv6_addr; size 65535; flags dynamic' },
];

/** Where `judge` goes with IPv6. */
export const judgeChains6: NftTable['chains'] = [
  { name: 'judge6', rules: ['jump always6', 'jump leave6', 'goto enter6'] },
  {
    name: 'always6',
    rules: [
      `icmpv6 type ${linkTypes} accept`,
      `udp sport 547 udp dport 546 ip6 saddr ${linkLocalOf(serviceMac)} accept`,
      `udp sport 546 udp dport 547 ip6 daddr { ${allServers}, ${linkLocalOf(serviceMac)} } accept`,
    ],
  },
  {
    name: 'leave6',
    rules: ['iifname . ether saddr . ip6 saddr vmap @egress_pairs6', 'iifname . ip6 saddr vmap @egress6'],
  },
  {
    name: 'enter6',
    rules: ['oifname . ether daddr . ip6 daddr vmap @ingress_pairs6', 'oifname . ip6 daddr vmap @ingress6'],
  },
  {
    // As of IPv4: one of the two ports judges replies.
    name: 'judge_each6',
    rules: [
      'ct state new jump count_flows',
      'jump always6',
      'iifname . ip6 saddr @stateless6 jump leave6',
      'iifname . ip6 saddr != @stateless6 ct state new,invalid,untracked jump leave6',
      'oifname . ip6 daddr @stateless6 goto enter6',
      'ct state established,related accept',
      'goto enter6',
    ],
  },
];

/** The connections of guests that are counted, as of IPv4. */
export function countFlows6(flowsMax: number): readonly string[] {
  return [
    `iifname . ip6 saddr @guests6 add @flows_from6 { iifname . ip6 saddr ct count over ${flowsMax} } counter drop`,
    `oifname . ip6 daddr @guests6 add @flows_to6 { oifname . ip6 daddr ct count over ${flowsMax} } counter drop`,
    'iifname . ip6 saddr @guests6 return',
    'oifname . ip6 daddr @guests6 return',
  ];
}

/** Sets of table `bridge shoal_guard`. */
export const guardSets6: NftTable['sets'] = [
  { name: 'addresses6', kind: 'set', type: 'type ifname . ether_addr . ipv6_addr' },
  { name: 'pairs6', kind: 'set', type: 'type ifname . ether_addr . ipv6_addr; flags interval' },
  // The same as targets of neighbour discovery, which are numbers to nftables.
  { name: 'targets6', kind: 'set', type: `typeof iifname . ether saddr . ${target}` },
  { name: 'pair_targets6', kind: 'set', type: `typeof iifname . ether saddr . ${target}; flags interval` },
  { name: 'anycast6', kind: 'set', type: `typeof oifname . ${target}` },
];

/** Where the guard goes with IPv6 of a guest. */
export const guestChains6: NftTable['chains'] = [
  {
    name: 'guest_ip6',
    rules: [
      `icmpv6 type { ${routerAdvertisement}, ${redirect} } counter drop`,
      'udp sport 547 counter drop',
      // In pieces, with headers before it, a message could hide what it is from the lines above (RFC 7113).
      'exthdr frag exists exthdr hbh exists counter drop',
      'exthdr frag exists exthdr rt exists counter drop',
      'exthdr frag exists exthdr dst exists counter drop',
      // Duplicate address detection asks with an empty sender, for its own address alone: the question denies it to others.
      `icmpv6 type ${solicitation} ip6 saddr :: goto guest_target6`,
      `icmpv6 type ${advertisement} jump guest_announces6`,
      'goto guest_sender6',
    ],
  },
  {
    name: 'guest_target6',
    rules: [
      `iifname . ether saddr . ${target} @targets6 accept`,
      `iifname . ether saddr . ${target} @pair_targets6 accept`,
      'counter drop',
    ],
  },
  {
    name: 'guest_announces6',
    rules: [
      `iifname . ether saddr . ${target} @targets6 return`,
      // As with ARP: where a shared address is, the routers of all hosts are to know.
      `iifname . ether saddr . ${target} @pair_targets6 ether daddr set 33:33:00:00:00:01 return`,
      'counter drop',
    ],
  },
  {
    name: 'guest_sender6',
    rules: [
      'iifname . ether saddr . ip6 saddr @addresses6 accept',
      'iifname . ether saddr . ip6 saddr @pairs6 accept',
      'counter drop',
    ],
  },
];

/** What of IPv6 must not leave the host, or come to a guest. */
export const post6: readonly string[] = [
  // Local and anycast addresses are answered here; other hosts have their own or have the entry written down.
  `icmpv6 type ${solicitation} oifname . ${target} @anycast6 drop`,
  // Each host's router speaks to its own guests. The MACs are those that the driver gives.
  `oifname @vxlan ether saddr and ff:00:00:00:00:00 == 0e:00:00:00:00:00 icmpv6 type ${routerAdvertisement} drop`,
  'oifname @vxlan ether type ip6 udp dport { 546, 547 } drop',
  // A guest's multicast for DHCP is no neighbour's business.
  'oifname @guarded ether type ip6 udp dport 547 drop',
];
