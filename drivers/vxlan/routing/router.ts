/**
 * A router as each host has it: a namespace with the gateway's address and MAC on every network, floating IPs of the
 * guests that run here, and a way to the one host that does source NAT for the others. Pure.
 *
 * Policy routing: rule 100 takes connected networks (main table without its default), rule 200 sends guests with a
 * floating IP out by the external leg of *this* host (table 100), and the rest goes by the main default: out, on the
 * host that does source NAT; over the transit network to that host, everywhere else.
 */
import { ShoalError } from '../../../node/base/errors.ts';
import type { PortForward, RouterSpec } from '../../types.ts';
import type { AddressWanted, RouteWanted, RuleWanted } from '../links/address.ts';
import { type FdbEntry, floodMac } from '../links/forwarding.ts';
import type { NftTable } from '../links/nft.ts';
import { transitIp } from '../links/vni.ts';
import { holds, isIp6, readCidr } from '../model/cidr.ts';
import { linkLocalOf } from '../model/link-local.ts';
import { externalInner, routerInner, transitInner, transitLegName, transitMac, vxlanName } from '../model/names.ts';
import { wayOf } from '../model/way.ts';

/** Table of what guests with a floating IP use. */
const floatingTable = 100;
const connectedPriority = 100;
const floatingPriority = 200;
/** Keeps the external leg from ever losing its last address, and all its routes with it. Scope host: never a source. */
const keepAddress = '169.254.127.1/32';

/** Addresses, routes, rules and NAT of the router's namespace. */
export interface RouterWanted {
  /** Interfaces whose addresses are all listed here. */
  readonly devs: readonly string[];
  readonly addresses: readonly AddressWanted[];
  readonly routes: readonly RouteWanted[];
  /** Those of IPv6; undefined: the router speaks none. */
  readonly routes6?: readonly RouteWanted[];
  readonly rules: readonly RuleWanted[];
  readonly nat: NftTable;
  /** Whether this host has an external leg, and a transit leg. */
  readonly hasExternal: boolean;
  readonly transit?: RouterTransit;
  /** Addresses to announce on the external network when they are new here. */
  readonly announced: readonly string[];
}

/** A router's part of a transit network. */
export interface RouterTransit {
  readonly vni: number;
  readonly index: number;
  /** Absent on the host that does the source NAT. */
  readonly next?: { readonly index: number; readonly vtepIp: string };
}

/**
 * @param vnis VNI of each network that the router is on.
 * Throws `INVALID_ARGUMENT` when the record does not say enough.
 */
export function routerWanted(spec: RouterSpec, vnis: ReadonlyMap<string, number>): RouterWanted {
  const devs = new Set<string>();
  const addresses: AddressWanted[] = [];
  const routes: RouteWanted[] = [];
  const rules: RuleWanted[] = [{ priority: connectedPriority, table: 'main', withoutDefault: true }];
  for (const leg of spec.interfaces) {
    const vni = vnis.get(leg.networkId);
    if (vni === undefined) {
      throw new ShoalError('CONFLICT', `router ${spec.routerId}: network ${leg.networkId} is not on this host`, {
        facts: { routerId: spec.routerId, networkId: leg.networkId },
      });
    }
    devs.add(routerInner(vni));
    addresses.push({ dev: routerInner(vni), address: `${leg.ip}/${leg.prefixLength}` });
  }

  const external = spec.external;
  const floating = external?.floatingIps ?? [];
  const snatIp = external?.snatHere === true ? external.snatIp : undefined;
  const forwards = snatIp === undefined ? [] : (external?.forwards ?? []);
  const out6 = spec.external6?.snatHere === true ? spec.external6 : undefined;
  const hasExternal = floating.length > 0 || snatIp !== undefined || out6 !== undefined;
  /** Addresses that are answered for here. */
  const announced = [
    ...floating.map((entry) => entry.floatingIp),
    ...new Set(forwards.map((forward) => forward.floatingIp)),
    ...(snatIp === undefined ? [] : [snatIp]),
  ];
  if (hasExternal) {
    devs.add(externalInner);
    addresses.push({ dev: externalInner, address: keepAddress, scope: 'host' });
    if (out6 !== undefined) addresses.push({ dev: externalInner, address: `${out6.ip}/128` });
  }
  if (external !== undefined && announced.length > 0) {
    for (const ip of announced) addresses.push({ dev: externalInner, address: `${ip}/32` });
    const onLink = readCidr(external.cidr).text;
    for (const table of [floatingTable, ...(snatIp === undefined ? [] : [undefined])]) {
      const at = table === undefined ? {} : { table };
      routes.push({ destination: onLink, dev: externalInner, ...at });
      routes.push({ destination: 'default', dev: externalInner, gateway: external.gatewayIp, ...at });
    }
    for (const entry of floating) {
      rules.push({ priority: floatingPriority, from: entry.fixedIp, table: String(floatingTable) });
    }
  }

  const transit = transitOf(spec);
  if (transit !== undefined) {
    devs.add(transitInner);
    addresses.push({ dev: transitInner, address: `${transitIp(transit.index)}/32` });
    if (transit.next !== undefined && external?.transitVni !== undefined) {
      routes.push({ destination: 'default', dev: transitInner, gateway: transitIp(transit.next.index) });
    }
  }
  return {
    devs: [...devs],
    addresses,
    routes: lastOfEach([
      ...routes,
      ...staticRoutes(spec, vnis, { isFloating: floating.length > 0, isSnat: snatIp !== undefined }),
    ]),
    ...(speaksIp6(spec) ? { routes6: lastOfEach(routesOf6(spec, vnis, transit)) } : {}),
    rules,
    nat: natTable(floating, snatIp, forwards),
    hasExternal,
    ...(transit === undefined ? {} : { transit }),
    announced,
  };
}

/**
 * The record's own routes. One by a guest holds on every host. One by a neighbour on the external network holds where
 * traffic leaves: for guests with a floating IP here, and for all others on the host that does source NAT.
 */
function staticRoutes(
  spec: RouterSpec,
  vnis: ReadonlyMap<string, number>,
  leaves: { readonly isFloating: boolean; readonly isSnat: boolean },
): RouteWanted[] {
  return (spec.routes ?? [])
    .filter(({ nextHop }) => !isIp6(nextHop))
    .flatMap((route): RouteWanted[] => {
      const destination = readCidr(route.destination)
        .text.replace(/^0\.0\.0\.0\/0$/, 'default')
        .replace(/\/32$/, '');
      const leg = spec.interfaces.find((each) => holds(readCidr(`${each.ip}/${each.prefixLength}`), route.nextHop));
      const vni = vnis.get(leg?.networkId ?? '');
      if (vni !== undefined) return [{ destination, dev: routerInner(vni), gateway: route.nextHop }];
      if (spec.external === undefined || !holds(readCidr(spec.external.cidr), route.nextHop)) return [];
      const outward: RouteWanted = { destination, dev: externalInner, gateway: route.nextHop };
      return [
        ...(leaves.isFloating ? [{ ...outward, table: floatingTable }] : []),
        ...(leaves.isSnat ? [outward] : []),
      ];
    });
}

/** Whether the router routes IPv6: it has an interface of it, whatever its way out. */
export function speaksIp6({ interfaces }: RouterSpec): boolean {
  return interfaces.some(({ ip }) => isIp6(ip));
}

/**
 * Routes of IPv6: the record's own, and the way out, by the host that has the router's external address. The next hop on the transit
 * network is the link-local address that is made of its MAC there.
 */
function routesOf6(
  spec: RouterSpec,
  vnis: ReadonlyMap<string, number>,
  transit: RouterTransit | undefined,
): RouteWanted[] {
  const { external6, interfaces, routes = [], routerId } = spec;
  const out = external6?.snatHere === true ? external6 : undefined;
  const ways: RouteWanted[] = [];
  if (out !== undefined) {
    ways.push({ destination: readCidr(out.cidr).text, dev: externalInner });
    ways.push({ destination: 'default', dev: externalInner, gateway: out.gatewayIp });
  } else if (external6 !== undefined && transit?.next !== undefined) {
    const gateway = linkLocalOf(transitMac(routerId, transit.next.index));
    ways.push({ destination: 'default', dev: transitInner, gateway });
  }
  const own = routes
    .filter(({ nextHop }) => isIp6(nextHop))
    .flatMap((route): RouteWanted[] => {
      const destination = readCidr(route.destination)
        .text.replace(/^::\/0$/, 'default')
        .replace(/\/128$/, '');
      const leg = interfaces.find((each) => holds(readCidr(`${each.ip}/${each.prefixLength}`), route.nextHop));
      const vni = vnis.get(leg?.networkId ?? '');
      if (vni !== undefined) return [{ destination, dev: routerInner(vni), gateway: route.nextHop }];
      // As of IPv4: by a neighbour on the external network, where traffic leaves.
      if (out === undefined || !holds(readCidr(out.cidr), route.nextHop)) return [];
      return [{ destination, dev: externalInner, gateway: route.nextHop }];
    });
  return [...ways, ...own];
}

/** What a router's namespace takes and passes of IPv6: it is no DHCP server, and the external network comes in by the way out alone. */
export function routerTable6({ external6 }: Pick<RouterSpec, 'external6'>): NftTable {
  const isOut = external6?.snatHere === true;
  return {
    family: 'ip6',
    name: 'shoal_r6',
    sets: [],
    chains: [
      {
        name: 'received',
        hook: 'type filter hook input priority 0; policy accept;',
        // Who advertises (../services/advertiser.ts) would answer for the network's DHCP, too.
        rules: [
          'udp dport 547 drop',
          `iifname "${externalInner}" icmpv6 type { 1, 2, 3, 4, 128, 129, 135, 136 } accept`,
          `iifname { "${externalInner}", "${transitInner}" } icmpv6 type { 135, 136 } accept`,
          `iifname { "${externalInner}", "${transitInner}" } counter drop`,
        ],
      },
      {
        name: 'forwarded',
        hook: 'type filter hook forward priority 0; policy accept;',
        rules: isOut ? [] : [`iifname "${externalInner}" counter drop`, `oifname "${externalInner}" counter drop`],
      },
    ],
  };
}

/** A table holds one route to a destination: the last one asked for, as Neutron's agent does. */
function lastOfEach(routes: readonly RouteWanted[]): RouteWanted[] {
  return [...new Map(routes.map((route) => [`${route.destination} ${route.table ?? ''}`, route])).values()];
}

function transitOf(spec: Pick<RouterSpec, 'external' | 'external6'>): RouterTransit | undefined {
  const { transitVni: vni, transitIndex: index, snatTransitIndex, snatVtepIp, snatHere } = wayOf(spec) ?? {};
  if (vni === undefined || index === undefined) return undefined;
  if (snatHere === true) return { vni, index };
  // Nobody does source NAT (yet): guests without a floating IP have no way out, and no leg is needed.
  if (snatTransitIndex === undefined || snatVtepIp === undefined) return undefined;
  return { vni, index, next: { index: snatTransitIndex, vtepIp: snatVtepIp } };
}

/** Address translation of a router's namespace. */
export function natTable(
  floating: readonly { readonly floatingIp: string; readonly fixedIp: string }[],
  snatIp: string | undefined,
  forwards: readonly PortForward[] = [],
): NftTable {
  const type = 'type ipv4_addr : ipv4_addr';
  return {
    family: 'ip',
    name: 'shoal_nat',
    sets: [
      { name: 'fdnat', kind: 'map', type, elements: floating.map((f) => `${f.floatingIp} : ${f.fixedIp}`).sort() },
      { name: 'fsnat', kind: 'map', type, elements: floating.map((f) => `${f.fixedIp} : ${f.floatingIp}`).sort() },
      ...forwardSets(forwards),
    ],
    chains: [
      {
        name: 'pre',
        hook: 'type nat hook prerouting priority -100; policy accept;',
        rules: [
          ...(forwards.length === 0
            ? []
            : ['meta l4proto { tcp, udp } dnat to ip daddr . meta l4proto . th dport map @forwards']),
          'dnat to ip daddr map @fdnat',
        ],
      },
      {
        name: 'post',
        hook: 'type nat hook postrouting priority 100; policy accept;',
        rules: [
          // The guest that asks may be on another host, and the one that answers on a third: by the router's external address the
          // answer comes back here, while that of its leg is every host's own.
          ...(forwards.length === 0 || snatIp === undefined
            ? []
            : [
                `iifname != "${externalInner}" oifname "qr-*" ct status dnat ct original ip daddr @forwarded snat to ${snatIp}`,
              ]),
          // Guest to a floating IP of the same host: without this the answer would go straight home, untranslated.
          'iifname "qr-*" oifname "qr-*" ct status dnat snat to ip saddr map @fsnat',
          'iifname "qr-*" oifname "qr-*" ct status dnat masquerade',
          `oifname "${externalInner}" snat to ip saddr map @fsnat`,
          `oifname "${externalInner}" counter jump central`,
        ],
      },
      { name: 'central', rules: snatIp === undefined ? [] : [`snat to ${snatIp}`] },
      {
        name: 'forwarded',
        hook: 'type filter hook forward priority 0; policy accept;',
        rules: [
          // `ct status != dnat` does not mean "not translated", so: accept what is, then drop.
          `iifname "${externalInner}" ct status dnat accept`,
          `iifname "${externalInner}" ct state new,invalid,untracked counter drop`,
        ],
      },
    ],
  };
}

/** Where ports of floating IPs lead, and of which addresses there are any. None: no sets, so that a table without stays as it was. */
function forwardSets(forwards: readonly PortForward[]): NftTable['sets'] {
  if (forwards.length === 0) return [];
  const elements = forwards.map((forward) => `${forwardKey(forward)} : ${forward.fixedIp} . ${forward.fixedPort}`);
  const addresses = [...new Set(forwards.map(({ floatingIp }) => floatingIp))];
  return [
    {
      ...{ name: 'forwards', kind: 'map', elements: elements.sort() },
      type: 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service',
    },
    { name: 'forwarded', kind: 'set', type: 'type ipv4_addr', elements: addresses.sort() },
  ];
}

/** A forwarded port as the kernel's set has it. */
function forwardKey({ floatingIp, protocol, port }: PortForward): string {
  return `${floatingIp} . ${protocol} . ${port}`;
}

/**
 * What `conntrack -D` must be told so that flows by forwardings that are no more, or lead elsewhere now, end.
 * @param found elements of the set `forwards`
 */
export function endedForwards(
  found: ReadonlyMap<string, string>,
  forwards: readonly PortForward[],
): readonly (readonly string[])[] {
  const wanted = new Map(forwards.map((each) => [forwardKey(each), `${each.fixedIp} . ${each.fixedPort}`]));
  return [...found].flatMap(([key, to]) => {
    const [ip = '', protocol = '', port = ''] = key.split(' . ');
    return wanted.get(key) === to ? [] : [['-d', ip, '-p', protocol, '--orig-port-dst', port]];
  });
}

/**
 * Forwarding entries of a transit network: where the next hop's MAC is. Nobody broadcasts there, so nothing is flooded
 * and no ARP is asked; the way back never uses it, for the host that does source NAT routes to the guest directly.
 */
export function transitFdb(routerId: RouterSpec['routerId'], transit: RouterTransit): FdbEntry[] {
  const own: FdbEntry = { mac: transitMac(routerId, transit.index), dev: transitLegName(routerId) };
  if (transit.next === undefined) return [own];
  const mac = transitMac(routerId, transit.next.index);
  const dev = vxlanName(transit.vni);
  return [own, { mac, dev }, { mac, dev, vtepIp: transit.next.vtepIp }];
}

/**
 * Of the entries found on a transit network, those that no other router has a claim to: this router's, and what led to a
 * host that did its source NAT before, also one that is no longer in the mesh. Floods and interfaces that are nobody's
 * are left out.
 */
export function unclaimedTransit(
  found: readonly FdbEntry[],
  routerId: RouterSpec['routerId'],
  vni: number,
  routers: Iterable<{ readonly spec: RouterSpec }>,
): FdbEntry[] {
  const claimed = new Set<string>();
  for (const { spec } of routers) {
    const transit = transitOf(spec);
    if (spec.routerId === routerId || transit?.vni !== vni) continue;
    for (const { mac } of transitFdb(spec.routerId, transit)) claimed.add(mac);
  }
  const devs = [vxlanName(vni), transitLegName(routerId)];
  return found.filter((entry) => devs.includes(entry.dev) && entry.mac !== floodMac && !claimed.has(entry.mac));
}
