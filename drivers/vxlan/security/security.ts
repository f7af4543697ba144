/**
 * The host's packet filter: security groups (stateful, table `inet shoal_sg`) and anti-spoofing (table `bridge
 * shoal_guard`). Pure text.
 *
 * Connection tracking works for bridged frames only in the `inet` forward hook through br_netfilter, and there the
 * interface is the *bridge*. So groups are keyed on (bridge, address), which is safe because the guard, which sees the
 * ports, pins each address to its port. Networks may share addresses: each has its own conntrack zone. Only addresses
 * of local ports are judged: routed traffic is asymmetric (each direction is routed at its sender's host), so frames in
 * transit may look invalid to conntrack, and that is not an attack.
 */
import type { LocalPortSpec, SecurityRuleSpec } from '../../types.ts';
import { elementLines, fingerprint, type NftTable, type TableFound } from '../links/nft.ts';
import { vxlanPort } from '../links/vni.ts';
import { disjointPrefixes, isIp6, readCidr } from '../model/cidr.ts';
import { addresses6, pairsWithLinkLocal, speaksIp6, targetsText, targetText } from '../model/link-local.ts';
import { metadataIp, metadataServerIp, metadataServerPort, resolverPort } from '../model/metadata.ts';
import {
  bridgeName,
  egressChain,
  egressChain6,
  ingressChain,
  ingressChain6,
  metadataBridge,
  tapName,
  vxlanName,
} from '../model/names.ts';
import { countFlows6, filterSets6, guardSets6, guestChains6, judgeChains6, post6 } from './ipv6.ts';

/**
 * Connections that one guest may have begun, and that others may have begun to it, at a time; and so many on each network
 * of what is neither (ports without port security). The kernel's table has room for 262,144 by default, for all guests.
 */
const flowsMax = 16_384;
/** Frames of one port a second, and at once: more than QEMU sends (a segment of 64 KB is one), less than a host can bear. */
const framesPerSecondMax = 200_000;
const framesAtOnceMax = 50_000;
/** Those of them to everybody on the network, which every host and guest gets a copy of. */
const floodsPerSecondMax = 1_000;
/** MACs that a bridge learns from a port without port security: at once, and a second. It forgets them after 5 min. */
const newMacsAtOnceMax = 256;
const newMacsPerSecondMax = 2;
/** Sets whose elements the kernel makes itself; what is silent for a minute goes. */
const countedByKernel = 'size 65535; flags dynamic,timeout; timeout 1m';
/** VNI in what comes to the port of VXLAN: 24 bits, after UDP's header (64 bits) and VXLAN's flags (32). */
const vniField = '@th,96,24';

/** Security groups. */
export const filterTable: NftTable = {
  family: 'inet',
  name: 'shoal_sg',
  sets: [
    { name: 'tenant', kind: 'set', type: 'type ifname' },
    { name: 'zones', kind: 'map', type: 'typeof iifname : ct zone' },
    { name: 'service', kind: 'set', type: 'type ifname . ipv4_addr' },
    { name: 'egress', kind: 'map', type: 'type ifname . ipv4_addr : verdict' },
    { name: 'ingress', kind: 'map', type: 'type ifname . ipv4_addr : verdict' },
    // Addresses of ports that judge replies, too.
    { name: 'stateless', kind: 'set', type: 'type ifname . ipv4_addr' },
    // Address pairs may be prefixes, and may be several ports': the MAC tells whose frame it is.
    { name: 'egress_pairs', kind: 'map', type: 'type ifname . ether_addr . ipv4_addr : verdict; flags interval' },
    { name: 'ingress_pairs', kind: 'map', type: 'type ifname . ether_addr . ipv4_addr : verdict; flags interval' },
    // Addresses of guarded ports; the kernel counts the connections of each, and of the rest of each network.
    { name: 'guests', kind: 'set', type: 'type ifname . ipv4_addr' },
    { name: 'flows_from', kind: 'set', type: 'type ifname . ipv4_addr; size 65535; flags dynamic' },
    { name: 'flows_to', kind: 'set', type: 'type ifname . ipv4_addr; size 65535; flags dynamic' },
    { name: 'flows_else', kind: 'set', type: 'type ifname; size 65535; flags dynamic' },
    // Which hosts send into which network: VNI and the host's underlay address.
    ...filterSets6,
    { name: 'senders', kind: 'set', type: `typeof ${vniField} . ip saddr` },
    { name: 'senders6', kind: 'set', type: `typeof ${vniField} . ip6 saddr` },
  ],
  chains: [
    {
      name: 'raw_pre',
      hook: 'type filter hook prerouting priority -300; policy accept;',
      rules: [`udp dport ${vxlanPort} notrack`, 'ct zone set iifname map @zones'],
    },
    {
      name: 'raw_out',
      hook: 'type filter hook output priority -300; policy accept;',
      rules: [`udp dport ${vxlanPort} notrack`],
    },
    {
      name: 'forwarded',
      hook: 'type filter hook forward priority 0; policy accept;',
      rules: ['iifname @tenant goto judge', 'oifname @tenant counter drop'],
    },
    {
      name: 'judge',
      rules: [
        // Bridged frames have a tenant bridge on both sides; anything else is the host routing for a guest.
        'oifname != @tenant counter drop',
        'iifname . ip saddr @stateless goto judge_each',
        'oifname . ip daddr @stateless goto judge_each',
        'iifname . ip6 saddr @stateless6 goto judge_each6',
        'oifname . ip6 daddr @stateless6 goto judge_each6',
        'ct state established,related accept',
        'ct state new jump count_flows',
        'meta nfproto ipv6 goto judge6',
        'jump always',
        'jump leave',
        'goto enter',
      ],
    },
    {
      name: 'always',
      rules: [
        'udp sport 67 udp dport 68 iifname . ip saddr @service accept',
        'udp sport 68 udp dport 67 ip daddr 255.255.255.255 accept',
        'udp sport 68 udp dport 67 iifname . ip daddr @service accept',
        `ip daddr ${metadataIp} tcp dport 80 accept`,
      ],
    },
    {
      name: 'leave',
      rules: ['iifname . ether saddr . ip saddr vmap @egress_pairs', 'iifname . ip saddr vmap @egress'],
    },
    {
      name: 'enter',
      rules: ['oifname . ether daddr . ip daddr vmap @ingress_pairs', 'oifname . ip daddr vmap @ingress'],
    },
    {
      // One of the two ports judges replies, the other may not: each side is asked by its own kind.
      name: 'judge_each',
      rules: [
        'ct state new jump count_flows',
        'jump always',
        `ip saddr ${metadataIp} tcp sport 80 ct state established accept`,
        'iifname . ip saddr @stateless jump leave',
        'iifname . ip saddr != @stateless ct state new,invalid,untracked jump leave',
        'oifname . ip daddr @stateless goto enter',
        'ct state established,related accept',
        'goto enter',
      ],
    },
    ...judgeChains6,
    {
      // One guest must not fill the table that the connections of all guests share.
      name: 'count_flows',
      rules: [
        `iifname . ip saddr @guests add @flows_from { iifname . ip saddr ct count over ${flowsMax} } counter drop`,
        `oifname . ip daddr @guests add @flows_to { oifname . ip daddr ct count over ${flowsMax} } counter drop`,
        'iifname . ip saddr @guests return',
        'oifname . ip daddr @guests return',
        ...countFlows6(flowsMax),
        `add @flows_else { iifname ct count over ${flowsMax} } counter drop`,
      ],
    },
    {
      name: 'received',
      hook: 'type filter hook input priority 0; policy accept;',
      rules: [
        // What is inside is taken for a frame of that network: only from hosts that have it.
        `udp dport ${vxlanPort} ${vniField} . ip saddr != @senders counter drop`,
        `udp dport ${vxlanPort} ${vniField} . ip6 saddr != @senders6 counter drop`,
        `iifname "${metadataBridge}" ip daddr ${metadataServerIp} tcp dport { ${resolverPort}, ${metadataServerPort} } accept`,
        `iifname "${metadataBridge}" ip daddr ${metadataServerIp} udp dport ${resolverPort} accept`,
        `iifname "${metadataBridge}" counter drop`,
        // The sender's address is a guest's identity there, so nobody but the service namespaces may speak to it.
        `ip daddr ${metadataServerIp} iifname != "lo" counter drop`,
        'iifname @tenant counter drop',
      ],
    },
  ],
};

/** Anti-spoofing, and what must not leave the host. */
export const guardTable: NftTable = {
  family: 'bridge',
  name: 'shoal_guard',
  sets: [
    { name: 'guarded', kind: 'set', type: 'type ifname' },
    // Ports without port security: counted and limited like the others, and otherwise free.
    { name: 'loose', kind: 'set', type: 'type ifname' },
    { name: 'frames', kind: 'set', type: `type ifname; ${countedByKernel}` },
    { name: 'floods', kind: 'set', type: `type ifname; ${countedByKernel}` },
    { name: 'new_macs', kind: 'set', type: `type ifname; ${countedByKernel}` },
    {
      name: 'learned',
      kind: 'set',
      type: 'type ifname . ether_addr; size 262144; flags dynamic,timeout; timeout 5m',
    },
    { name: 'mac', kind: 'set', type: 'type ifname . ether_addr' },
    { name: 'ip4', kind: 'set', type: 'type ifname . ether_addr . ipv4_addr' },
    { name: 'pairs', kind: 'set', type: 'type ifname . ether_addr . ipv4_addr; flags interval' },
    ...guardSets6,
    { name: 'vxlan', kind: 'set', type: 'type ifname' },
    { name: 'anycast', kind: 'set', type: 'type ifname . ipv4_addr' },
  ],
  chains: [
    {
      name: 'pre',
      hook: 'type filter hook prerouting priority -300; policy accept;',
      rules: [
        'iifname @guarded jump port_limits',
        'iifname @guarded goto guest',
        'iifname @loose jump port_limits',
        'iifname @loose goto loose_macs',
      ],
    },
    {
      name: 'port_limits',
      rules: [
        limited('frames', `${framesPerSecondMax}/second burst ${framesAtOnceMax}`),
        `meta pkttype { broadcast, multicast } ${limited('floods', `${floodsPerSecondMax}/second burst ${floodsPerSecondMax}`)}`,
      ],
    },
    {
      name: 'loose_macs',
      rules: [
        `iifname . ether saddr != @learned ${limited('new_macs', `${newMacsPerSecondMax}/second burst ${newMacsAtOnceMax}`)}`,
        'update @learned { iifname . ether saddr }',
      ],
    },
    {
      name: 'guest',
      rules: [
        'iifname . ether saddr != @mac counter drop',
        'ether type arp goto guest_arp',
        'ether type ip goto guest_ip',
        'ether type ip6 goto guest_ip6',
        'counter drop',
      ],
    },
    {
      name: 'guest_arp',
      rules: [
        'iifname . arp saddr ether . arp saddr ip @ip4 accept',
        // Where a shared address is, each host's router finds out by ARP; the answer goes to a MAC that all routers have,
        // so it is told to all hosts.
        'arp operation reply iifname . arp saddr ether . arp saddr ip @pairs ether daddr set ff:ff:ff:ff:ff:ff accept',
        'iifname . arp saddr ether . arp saddr ip @pairs accept',
        // Duplicate address detection asks with an empty sender.
        'arp operation request arp saddr ip 0.0.0.0 iifname . arp saddr ether @mac accept',
        'counter drop',
      ],
    },
    {
      name: 'guest_ip',
      rules: [
        'ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept',
        'udp sport 67 counter drop',
        'iifname . ether saddr . ip saddr @ip4 accept',
        'iifname . ether saddr . ip saddr @pairs accept',
        'counter drop',
      ],
    },
    ...guestChains6,
    {
      name: 'post',
      hook: 'type filter hook postrouting priority 0; policy accept;',
      rules: [
        // Local and anycast addresses are answered here; other hosts have their own or have the entry written down.
        'arp operation request oifname . arp daddr ip @anycast drop',
        'oifname @vxlan ether type ip udp dport { 67, 68 } drop',
        // A guest's broadcast for DHCP is no neighbour's business.
        'oifname @guarded ether type ip udp dport 67 drop',
        ...post6,
      ],
    },
  ],
};

/** A statement that drops what a port sends beyond a rate, counted in `set`. */
function limited(set: string, rate: string): string {
  return `update @${set} { iifname limit rate over ${rate} packets } counter drop`;
}

const filterAt = `${filterTable.family} ${filterTable.name}`;
const guardAt = `${guardTable.family} ${guardTable.name}`;

/** What the filter must know of a network. */
export interface FilterNetwork {
  readonly vni: number;
  readonly zone: number;
  /** Addresses of its DHCP: one for each subnet that has it. */
  readonly serviceIps: readonly string[];
  /** Router addresses and local ports' addresses, link-local ones too: who asks for them is answered on the host. */
  readonly anycastIps: readonly string[];
  /** Address pairs of its local ports that have port security. */
  readonly pairs?: readonly PortPair[];
}

/** An address pair and the port that has it. */
interface PortPair {
  readonly portId: LocalPortSpec['portId'];
  readonly mac: string;
  readonly prefix: string;
}

/** What the filter must know of a port. */
export type FilterPort = Pick<
  LocalPortSpec,
  'portId' | 'mac' | 'ip' | 'moreIps' | 'addressPairs' | 'portSecurity' | 'rules' | 'stateless'
> & {
  readonly vni: number;
};

/** The part of the filter that one call may change, and how it should be. */
interface FilterScope {
  /** Networks looked at: VNI to wanted; undefined: to be removed. */
  readonly networks: ReadonlyMap<number, FilterNetwork | undefined>;
  /** Ports looked at: id to wanted; undefined: to be removed. */
  readonly ports: ReadonlyMap<LocalPortSpec['portId'], FilterPort | undefined>;
  /** VNIs looked at, of networks and transit networks: to the underlay addresses of the hosts that send into it. */
  readonly senders: ReadonlyMap<number, readonly string[]>;
}

/**
 * A rule as nft expressions, one for each thing that it says alone; empty when it can match nothing. `verdict` follows.
 * `INVALID_ARGUMENT` for prefixes that are none.
 */
export function ruleExpressions(rule: SecurityRuleSpec): string | undefined {
  const { ip, icmp, icmpProtocol, protocolField } = wordsOf[familyOf(rule)];
  const parts: string[] = [];
  if (rule.remotePrefixes !== undefined) {
    const prefixes = disjointPrefixes(rule.remotePrefixes, familyOf(rule));
    if (prefixes.length === 0) return undefined;
    const field = rule.direction === 'ingress' ? 'saddr' : 'daddr';
    if (!prefixes.includes(everything[familyOf(rule)])) parts.push(`${ip} ${field} { ${prefixes.join(', ')} }`);
  }
  const protocol = protocolNames[familyOf(rule)].get(rule.protocol ?? '') ?? rule.protocol;
  const first = rule.portMin ?? rule.portMax;
  if (protocol === 'icmp') {
    if (rule.portMin !== undefined) parts.push(`${icmp} type ${rule.portMin}`);
    else parts.push(`${protocolField} ${icmpProtocol}`);
    if (rule.portMin !== undefined && rule.portMax !== undefined) parts.push(`${icmp} code ${rule.portMax}`);
  } else if (protocol === 'tcp' || protocol === 'udp') {
    if (first === undefined) parts.push(`${protocolField} ${protocol}`);
    else parts.push(`${protocol} dport ${first}-${rule.portMax ?? first}`);
  } else if (protocol !== undefined) {
    parts.push(`${protocolField} ${protocol}`);
  }
  return parts.join(' ');
}

function familyOf(rule: SecurityRuleSpec): 4 | 6 {
  return rule.ethertype === 'IPv6' ? 6 : 4;
}

/** How nftables calls things. A packet of IPv6 may have headers before its protocol's: `meta` looks behind them. */
const wordsOf = {
  4: { ip: 'ip', icmp: 'icmp', icmpProtocol: 'icmp', protocolField: 'ip protocol' },
  6: { ip: 'ip6', icmp: 'icmpv6', icmpProtocol: 'ipv6-icmp', protocolField: 'meta l4proto' },
} as const;

const everything = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/** Protocols that may come as a number or by name. ICMP is another one in each family. */
const protocolNames: Readonly<Record<4 | 6, ReadonlyMap<string | number, 'icmp' | 'tcp' | 'udp'>>> = {
  4: new Map([
    [1, 'icmp'],
    [6, 'tcp'],
    [17, 'udp'],
  ]),
  6: new Map([
    [58, 'icmp'],
    [6, 'tcp'],
    [17, 'udp'],
  ]),
};

/** The rules of both chains of a port for one family, without the drop at their end. In the order given, doubles once. */
export function portRules(
  rules: readonly SecurityRuleSpec[],
  family: 4 | 6 = 4,
): {
  readonly ingress: string[];
  readonly egress: string[];
} {
  const of = (direction: SecurityRuleSpec['direction']): string[] => {
    // An egress rule only returns: the destination may be a local port too, whose ingress rules have their say.
    const verdict = direction === 'ingress' ? 'accept' : 'return';
    const lines = rules
      .filter((rule) => rule.direction === direction && familyOf(rule) === family)
      .map(ruleExpressions)
      .filter((line) => line !== undefined)
      .map((line) => (line === '' ? verdict : `${line} ${verdict}`));
    return [...new Set(lines)];
  };
  return { ingress: of('ingress'), egress: of('egress') };
}

/**
 * Pairs as elements of an interval set, which holds no two that overlap: for each MAC its prefixes without those that
 * another one covers. A MAC and prefix that two ports share (VRRP with a virtual MAC) goes by the rules of the first.
 */
function disjointPairs(pairs: readonly PortPair[], family: 4 | 6): PortPair[] {
  const byMac = Map.groupBy(family === 4 ? pairs : pairsWithLinkLocal(pairs), (pair) => pair.mac);
  return [...byMac.values()].flatMap((group) =>
    disjointPrefixes(
      group.map((pair) => pair.prefix),
      family,
    ).flatMap((prefix) => {
      const owner = group.find((pair) => readCidr(pair.prefix).text === prefix);
      return owner === undefined ? [] : elementPrefixes(prefix).map((element) => ({ ...owner, prefix: element }));
    }),
  );
}

/** A prefix as nft prints it in a set: one address bare, and everything in two halves. */
function elementPrefixes(prefix: string): string[] {
  if (prefix === everything[4]) return ['0.0.0.0/1', '128.0.0.0/1'];
  if (prefix === everything[6]) return ['::/1', '8000::/1'];
  return [isIp6(prefix) ? prefix.replace(/\/128$/, '') : prefix.replace(/\/32$/, '')];
}

/**
 * Everything that the rules allow, one entry for each rule and prefix: when an old entry is not among the new ones,
 * something was revoked and the port's flows have to be cut.
 */
export function allowances(port: Pick<LocalPortSpec, 'portSecurity' | 'rules'>): string[] {
  if (!port.portSecurity) return ['everything'];
  const entries = port.rules.flatMap((rule) => {
    const family = familyOf(rule);
    const prefixes =
      rule.remotePrefixes === undefined ? [everything[family]] : disjointPrefixes(rule.remotePrefixes, family);
    return prefixes.map(
      (prefix) => `${rule.direction} ${ruleExpressions({ ...rule, remotePrefixes: [prefix] })} ${prefix}`,
    );
  });
  return [...new Set(entries)].sort();
}

/**
 * One transaction from what the kernel holds to `scope`; empty when all is right.
 * @param sg,guard the two tables as found; both must be there already.
 */
export function filterText(sg: TableFound, guard: TableFound, scope: FilterScope): string {
  const removals: string[] = [];
  const chains: string[] = [];
  const deletes: string[] = [];
  const adds: string[] = [];

  const bridges = new Set([...scope.networks.keys()].map(bridgeName));
  const tunnels = new Set([...scope.networks.keys()].map(vxlanName));
  const taps = new Set([...scope.ports.keys()].map(tapName));
  const jumps = new Set(
    [...scope.ports.keys()].flatMap((id) =>
      [ingressChain, egressChain, ingressChain6, egressChain6].map((nameOf) => `jump ${nameOf(id)}`),
    ),
  );

  const drop = (...names: readonly string[]): void => {
    for (const name of names) {
      if (sg.chains.has(name)) removals.push(`flush chain ${filterAt} ${name}`, `delete chain ${filterAt} ${name}`);
    }
  };
  const wanted = new Map<string, Map<string, string>>();
  const want = (set: string, key: string, value = ''): void => {
    const elements = wanted.get(set) ?? new Map<string, string>();
    wanted.set(set, elements.set(key, value));
  };
  for (const network of scope.networks.values()) {
    if (network === undefined) continue;
    const bridge = bridgeName(network.vni);
    const tunnel = vxlanName(network.vni);
    want('tenant', bridge);
    want('zones', bridge, String(network.zone));
    want('vxlan', tunnel);
    for (const ip of network.anycastIps) {
      if (isIp6(ip)) want('anycast6', `${tunnel} . ${targetText(ip)}`);
      else want('anycast', `${tunnel} . ${ip}`);
    }
    // After a reboot a port may be known before its chains are there: they come with the port.
    const ready = (network.pairs ?? []).filter(
      ({ portId }) => scope.ports.get(portId)?.portSecurity === true || sg.chains.has(ingressChain(portId)),
    );
    for (const pair of disjointPairs(ready, 4)) {
      const key = `${bridge} . ${pair.mac} . ${pair.prefix}`;
      want('egress_pairs', key, `jump ${egressChain(pair.portId)}`);
      want('ingress_pairs', key, `jump ${ingressChain(pair.portId)}`);
    }
    const ready6 = (network.pairs ?? []).filter(
      ({ portId }) => scope.ports.get(portId)?.portSecurity === true || sg.chains.has(ingressChain6(portId)),
    );
    for (const pair of disjointPairs(ready6, 6)) {
      const key = `${bridge} . ${pair.mac} . ${pair.prefix}`;
      want('egress_pairs6', key, `jump ${egressChain6(pair.portId)}`);
      want('ingress_pairs6', key, `jump ${ingressChain6(pair.portId)}`);
    }
    for (const serviceIp of network.serviceIps) {
      want('service', `${bridge} . ${serviceIp}`);
      want('anycast', `${tunnel} . ${serviceIp}`);
    }
    want('anycast', `${tunnel} . ${metadataIp}`);
  }
  for (const [vni, ips] of scope.senders) {
    for (const ip of ips) want(isIp6(ip) ? 'senders6' : 'senders', `${vni} . ${ip}`);
  }
  for (const [portId, port] of scope.ports) {
    if (port?.portSecurity !== true) {
      if (port !== undefined) want('loose', tapName(portId));
      drop(ingressChain(portId), egressChain(portId), ingressChain6(portId), egressChain6(portId));
      continue;
    }
    const bridge = bridgeName(port.vni);
    const dev = tapName(portId);
    want('guarded', dev);
    want('mac', `${dev} . ${port.mac}`);
    for (const ip of [port.ip, ...(port.moreIps ?? [])]) {
      if (isIp6(ip)) continue;
      want('ip4', `${dev} . ${port.mac} . ${ip}`);
      want('guests', `${bridge} . ${ip}`);
      if (port.stateless === true) want('stateless', `${bridge} . ${ip}`);
      want('egress', `${bridge} . ${ip}`, `jump ${egressChain(portId)}`);
      want('ingress', `${bridge} . ${ip}`, `jump ${ingressChain(portId)}`);
    }
    for (const ip of addresses6(port)) {
      want('addresses6', `${dev} . ${port.mac} . ${ip}`);
      want('targets6', `${dev} . ${port.mac} . ${targetText(ip)}`);
      want('guests6', `${bridge} . ${ip}`);
      if (port.stateless === true) want('stateless6', `${bridge} . ${ip}`);
      want('egress6', `${bridge} . ${ip}`, `jump ${egressChain6(portId)}`);
      want('ingress6', `${bridge} . ${ip}`, `jump ${ingressChain6(portId)}`);
    }
    const pairs = (port.addressPairs ?? []).map((each) => ({ ...each, portId }));
    for (const pair of disjointPairs(pairs, 4)) {
      want('mac', `${dev} . ${pair.mac}`);
      want('pairs', `${dev} . ${pair.mac} . ${pair.prefix}`);
    }
    for (const pair of disjointPairs(pairs, 6)) {
      want('mac', `${dev} . ${pair.mac}`);
      want('pairs6', `${dev} . ${pair.mac} . ${pair.prefix}`);
      want('pair_targets6', `${dev} . ${pair.mac} . ${targetsText(pair.prefix)}`);
    }
    const rules = portRules(port.rules);
    const rules6 = portRules(port.rules, 6);
    const speaks = speaksIp6(port);
    if (!speaks) drop(ingressChain6(portId), egressChain6(portId));
    for (const [name, lines] of [
      [ingressChain(portId), rules.ingress],
      [egressChain(portId), rules.egress],
      ...(speaks
        ? ([
            [ingressChain6(portId), rules6.ingress],
            [egressChain6(portId), rules6.egress],
          ] as const)
        : []),
    ] as const) {
      const hash = fingerprint(lines.join('\n'));
      if (sg.chains.get(name) === hash) continue;
      chains.push(`add chain ${filterAt} ${name}`, `flush chain ${filterAt} ${name}`);
      for (const line of lines) chains.push(`add rule ${filterAt} ${name} ${line}`);
      chains.push(`add rule ${filterAt} ${name} counter drop comment "${hash}"`);
    }
  }

  const sync = (
    at: string,
    found: TableFound,
    sets: readonly string[],
    isMine: (key: string, value: string) => boolean,
  ) => {
    for (const set of sets) {
      const lines = elementLines(at, set, found.sets.get(set) ?? new Map(), wanted.get(set) ?? new Map(), isMine);
      deletes.push(...lines.deletes);
      adds.push(...lines.adds);
    }
  };
  const owner = (key: string): string => key.split(' . ')[0] ?? '';
  const ofBridges = ['tenant', 'zones', 'service', 'egress_pairs', 'ingress_pairs', 'egress_pairs6', 'ingress_pairs6'];
  sync(filterAt, sg, ofBridges, (key) => bridges.has(owner(key)));
  sync(filterAt, sg, ['egress', 'ingress', 'egress6', 'ingress6'], (_key, value) => jumps.has(value));
  // An address is its port's as long as the chain of that port judges it.
  sync(filterAt, sg, ['guests', 'stateless'], (key) => jumps.has(sg.sets.get('egress')?.get(key) ?? ''));
  sync(filterAt, sg, ['guests6', 'stateless6'], (key) => jumps.has(sg.sets.get('egress6')?.get(key) ?? ''));
  sync(filterAt, sg, ['senders', 'senders6'], (key) => scope.senders.has(Number(owner(key))));
  const ofTaps = ['guarded', 'loose', 'mac', 'ip4', 'pairs', 'addresses6', 'pairs6', 'targets6', 'pair_targets6'];
  sync(guardAt, guard, ofTaps, (key) => taps.has(owner(key)));
  sync(guardAt, guard, ['vxlan', 'anycast', 'anycast6'], (key) => tunnels.has(owner(key)));

  // Chains before the elements that jump to them; elements before the chains that they no longer jump to.
  const lines = [...chains, ...deletes, ...adds, ...removals];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
