/** Routers of a host: their namespaces, legs, floating IPs and source NAT. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { NetworkId, RouterId } from '../../../node/base/ids.ts';
import type { RouterSpec } from '../../types.ts';
import { Undo } from '../../undo.ts';
import type { Host } from '../host/host.ts';
import { addressLines, type NeighbourWanted, neighbourLines, routeLines, ruleLines } from '../links/address.ts';
import { fdbLines } from '../links/forwarding.ts';
import { bridge, type Links, type LinkWanted, linkBatch, veth, vxlan } from '../links/link.ts';
import type { Netns } from '../links/netns.ts';
import { transitIp } from '../links/vni.ts';
import { isIp6, readCidr } from '../model/cidr.ts';
import { linkLocalOf } from '../model/link-local.ts';
import {
  bridgeName,
  externalBridge,
  externalInner,
  externalLegName,
  externalMac,
  readAlias,
  routerAlias,
  routerInner,
  routerLegName,
  routerMac,
  routerNamespace,
  transitInner,
  transitLegName,
  transitMac,
  vxlanName,
} from '../model/names.ts';
import { wayOf } from '../model/way.ts';
import { routerLegPort, suppressesArp } from '../networks/networks.ts';
import { type AdvertisedPrefix, Advertiser } from '../services/advertiser.ts';
import {
  endedForwards,
  type RouterTransit,
  type RouterWanted,
  routerTable6,
  routerWanted,
  speaksIp6,
  transitFdb,
  unclaimedTransit,
} from './router.ts';

/** Alias of a bridge that carries transit traffic, of any number of routers. */
const transitAlias = 'shoal-transit';
/** External networks are plain Ethernet, or less where the host's interface says less. Unit: bytes. */
const externalMtuMax = 1500;

const sysctls6 = {
  'net.ipv6.conf.all.forwarding': '1',
  // What is new on the external network is told there (RFC 4861, 7.2.6).
  'net.ipv6.conf.all.ndisc_notify': '1',
  'net.ipv6.conf.default.ndisc_notify': '1',
};

const sysctls = {
  'net.ipv4.ip_forward': '1',
  // Each direction of a flow may take another way: source validation would drop half of it.
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
  // Guests keep to their gateway, even where a shorter way is on the same wire.
  'net.ipv4.conf.all.send_redirects': '0',
  'net.ipv4.conf.default.send_redirects': '0',
};

/**
 * Makes the router as the record says. `CONFLICT` when one of its networks is not on this host; `INVALID_ARGUMENT` when
 * it wants an external leg and the host has no external interface.
 * @param announce called with each address that is new on the external network.
 */
export async function ensureRouter(
  host: Host,
  spec: RouterSpec,
  announce: (netns: Netns, ip: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const { book, options } = host;
  const vnis = new Map<string, number>();
  let mtu = 0;
  for (const leg of spec.interfaces) {
    const network = book.networks.get(leg.networkId)?.spec;
    if (network === undefined) continue;
    vnis.set(leg.networkId, network.vni);
    mtu = Math.max(mtu, network.mtu);
  }
  const wanted = routerWanted(spec, vnis);
  if (wanted.hasExternal && options.externalInterface === undefined) {
    throw new ShoalError('INVALID_ARGUMENT', `router ${spec.routerId} needs an external interface; this host has none`);
  }
  const links = await host.netns.links(signal);
  checkTransit(host, wanted, links);
  const previous = book.routers.get(spec.routerId);
  const name = routerNamespace(options.namespacePrefix, spec.routerId);

  return Undo.run(async (undo) => {
    if (previous === undefined)
      undo.add('router', () => removeRouter(host, spec.routerId, AbortSignal.timeout(30_000)));
    await book.routers.put(spec.routerId, { spec });
    const ipv6 = speaksIp6(spec);
    const settings = { sysctls: { ...sysctls, ...(ipv6 ? sysctls6 : {}) }, ipv6 };
    const netns = await host.ensureNamespace(name, settings, undo, signal);
    let changed = await host.syncFilter([...vnis.values(), ...transitVnis(spec, previous?.spec)], [], signal);

    const externalMtu = Math.min(externalMtuMax, links.get(options.externalInterface ?? '')?.mtu ?? externalMtuMax);
    const hostLinks = routerLinks(host, spec.routerId, wanted, [...vnis.values()], {
      transit: mtu || externalMtuMax,
      external: externalMtu,
    });
    changed = (await host.ensureLinks(links, hostLinks, undo, signal)) || changed;
    changed = (await syncInside(host, netns, spec, wanted, announce, signal)) || changed;
    if (wanted.transit !== undefined) {
      changed = (await syncTransit(host, netns, spec.routerId, wanted.transit, ipv6, signal)) || changed;
    }
    changed = (await new Advertiser(host, spec.routerId).ensure(netns, advertised(spec, vnis), signal)) || changed;
    changed = (await dropStaleLegs(host, spec.routerId, hostLinks, links, signal)) || changed;
    const touched = new Set<NetworkId>(spec.interfaces.map((leg) => leg.networkId));
    changed = (await syncNetworks(host, touched, previous?.spec, links, signal)) || changed;
    return changed;
  });
}

/** Removes the router from this host. Absent is success. */
export async function removeRouter(host: Host, routerId: RouterId, signal: AbortSignal): Promise<void> {
  const links = await host.netns.links(signal);
  const previous = host.book.routers.get(routerId)?.spec;
  await new Advertiser(host, routerId).remove();
  await dropStaleLegs(host, routerId, [], links, signal);
  await host.deleteNamespace(routerNamespace(host.options.namespacePrefix, routerId));
  await host.book.routers.delete(routerId);
  await syncNetworks(host, new Set(), previous, links, signal);
}

/** Forwarding and ARP guard of the networks that the router is on, or was on before. */
async function syncNetworks(
  host: Host,
  now: ReadonlySet<NetworkId>,
  previous: RouterSpec | undefined,
  links: Links,
  signal: AbortSignal,
): Promise<boolean> {
  let changed = false;
  const vnis = transitVnis(previous);
  for (const networkId of new Set([...now, ...(previous?.interfaces ?? []).map((leg) => leg.networkId)])) {
    const network = host.book.networks.get(networkId);
    if (network === undefined) continue;
    vnis.push(network.spec.vni);
    // After a reboot the entry may be all that is left.
    if (!links.has(bridgeName(network.spec.vni))) continue;
    changed = (await host.syncForwarding(networkId, signal)) || changed;
  }
  if (vnis.length > 0) changed = (await host.syncFilter(vnis, [], signal)) || changed;
  return changed;
}

/** VNIs of the transit networks that these records name. */
function transitVnis(...specs: readonly (RouterSpec | undefined)[]): number[] {
  return specs.map((spec) => spec && wayOf(spec)?.transitVni).filter((vni) => vni !== undefined);
}

/** What the router says on each of its interfaces. */
function advertised(spec: RouterSpec, vnis: ReadonlyMap<string, number>): readonly AdvertisedPrefix[] {
  return spec.interfaces.flatMap(({ networkId, subnetId, ip, prefixLength, advertisement }) => {
    const vni = vnis.get(networkId);
    if (advertisement === undefined || vni === undefined) return [];
    return [{ ...advertisement, dev: routerInner(vni), subnetId, prefix: readCidr(`${ip}/${prefixLength}`).text }];
  });
}

/** The host's ends of the router's legs, and the transit network it may need. */
function routerLinks(
  host: Host,
  routerId: RouterId,
  wanted: RouterWanted,
  vnis: readonly number[],
  mtus: { readonly transit: number; readonly external: number },
): LinkWanted[] {
  const transitMtu = mtus.transit;
  const peerNamespace = routerNamespace(host.options.namespacePrefix, routerId);
  const alias = routerAlias(routerId);
  const wires: LinkWanted[] = vnis.map((vni) => {
    const network = host.book.networks.values().find((entry) => entry.spec.vni === vni)?.spec;
    return veth(routerLegName(routerId, vni), {
      peer: routerInner(vni),
      peerNamespace,
      peerMac: routerMac(routerId),
      bridge: bridgeName(vni),
      mtu: network?.mtu ?? transitMtu,
      alias,
      port: routerLegPort(network === undefined || suppressesArp(host, network.networkId)),
    });
  });
  if (wanted.hasExternal) {
    wires.push(
      veth(externalLegName(routerId), {
        peer: externalInner,
        peerNamespace,
        peerMac: externalMac(routerId, host.options.vtepIp),
        bridge: externalBridge,
        mtu: mtus.external,
        alias,
        port: { learning: true, flood: true, neighSuppress: false, isolated: false },
      }),
    );
  }
  if (wanted.transit !== undefined) {
    const { vni, index } = wanted.transit;
    wires.push(
      bridge(bridgeName(vni), { filtered: false, mtu: transitMtu, alias: transitAlias }),
      vxlan(vxlanName(vni), {
        vni,
        vtepIp: host.options.vtepIp,
        bridge: bridgeName(vni),
        mtu: transitMtu,
        flood: false,
      }),
      veth(transitLegName(routerId), {
        peer: transitInner,
        peerNamespace,
        peerMac: transitMac(routerId, index),
        bridge: bridgeName(vni),
        mtu: transitMtu,
        alias,
        port: { learning: false, flood: false, neighSuppress: false, isolated: false },
      }),
    );
  }
  return wires;
}

/** Addresses, routes, rules, neighbours and NAT inside the router's namespace. */
async function syncInside(
  host: Host,
  netns: Netns,
  spec: RouterSpec,
  wanted: RouterWanted,
  announce: (netns: Netns, ip: string) => void,
  signal: AbortSignal,
): Promise<boolean> {
  const [links, rules, tables] = await Promise.all([netns.links(signal), netns.rules(signal), netns.tables(signal)]);
  const nat = tables.get(`${wanted.nat.family} ${wanted.nat.name}`);
  const goneFloating = [...(nat?.sets.get('fdnat') ?? [])].filter(
    ([floatingIp, fixedIp]) =>
      !spec.external?.floatingIps.some((entry) => entry.floatingIp === floatingIp && entry.fixedIp === fixedIp),
  );
  const ended = endedForwards(nat?.sets.get('forwards') ?? new Map(), spec.external?.forwards ?? []);
  let changed = await netns.ensureTable(wanted.nat, nat, signal);
  const ipv6 = wanted.routes6 !== undefined;
  if (ipv6) {
    const table = routerTable6(spec);
    changed = (await netns.ensureTable(table, tables.get(`${table.family} ${table.name}`), signal)) || changed;
  }

  const macs = new Map<string, string>([[externalInner, externalMac(spec.routerId, host.options.vtepIp)]]);
  if (wanted.transit !== undefined) macs.set(transitInner, transitMac(spec.routerId, wanted.transit.index));
  const inner: LinkWanted[] = [
    { name: 'lo' },
    ...wanted.devs.map((name) => ({ name, mac: macs.get(name) ?? routerMac(spec.routerId) })),
  ];
  const lines = [...linkBatch(links, inner, { ipv6: false }).ip];
  for (const [networkId, legs] of Map.groupBy(spec.interfaces, (leg) => leg.networkId)) {
    const network = host.network(networkId).spec;
    const dev = routerInner(network.vni);
    if (links.get(dev)?.mtu !== network.mtu) lines.push(`link set ${dev} mtu ${network.mtu}`);
    // A leg that was made a moment ago has none yet; asking would be an error only if it were not there.
    const found = await netns.neighbours(dev, signal);
    const neighbours = legs.flatMap((leg) => (isIp6(leg.ip) ? withLinkLocal(leg.neighbours) : leg.neighbours));
    lines.push(...neighbourLines(dev, found, neighbours));
  }
  const addresses = addressLines(links, wanted.devs, wanted.addresses, { ipv6 });
  lines.push(...addresses, ...ruleLines(rules, wanted.rules));
  const { external6 } = spec;
  if (external6 !== undefined && addresses.includes(`addr add ${external6.ip}/128 dev ${externalInner} nodad`)) {
    // The kernel announces its addresses of IPv6 when the MAC is set, be it the same one.
    lines.push(`link set ${externalInner} address ${externalMac(spec.routerId, host.options.vtepIp)}`);
  }
  await netns.ipBatch(lines, signal);
  changed = lines.length > 0 || changed;
  // Routes are read after the addresses changed, for the kernel drops some with them.
  const routes = routeLines(await netns.routes(signal), wanted.routes);
  await netns.ipBatch(routes, signal);
  changed = routes.length > 0 || changed;
  if (wanted.routes6 !== undefined) {
    const routes6 = routeLines(await netns.routes(signal, 6), wanted.routes6, 6);
    await netns.ipBatch(routes6, signal);
    changed = routes6.length > 0 || changed;
  }

  for (const [floatingIp, fixedIp] of goneFloating) {
    await netns.dropConnections(['-d', floatingIp], signal);
    await netns.dropConnections(['-s', fixedIp], signal);
  }
  for (const filter of ended) await netns.dropConnections(filter, signal);
  for (const ip of wanted.announced) {
    if (addresses.includes(`addr add ${ip}/32 dev ${externalInner}`)) announce(netns, ip);
  }
  return changed;
}

/** The next hop on the transit network: where it is, and its MAC. */
async function syncTransit(
  host: Host,
  netns: Netns,
  routerId: RouterId,
  transit: RouterTransit,
  ipv6: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  const wanted = transitFdb(routerId, transit);
  const found = await host.netns.fdb(bridgeName(transit.vni), signal);
  const fdb = fdbLines(unclaimedTransit(found, routerId, transit.vni, host.book.routers.values()), wanted);
  await host.netns.bridgeBatch(fdb, signal);
  const next =
    transit.next === undefined
      ? []
      : withLinkLocal([{ ip: transitIp(transit.next.index), mac: transitMac(routerId, transit.next.index) }], ipv6);
  const neighbours = neighbourLines(transitInner, await netns.neighbours(transitInner, signal), next);
  await netns.ipBatch(neighbours, signal);
  return fdb.length + neighbours.length > 0;
}

/** Neighbours of IPv6, with the link-local addresses of their MACs: by those they ask who routes for them. */
function withLinkLocal(neighbours: readonly NeighbourWanted[], ipv6 = true): readonly NeighbourWanted[] {
  if (!ipv6) return neighbours;
  const macs = new Set(neighbours.map(({ mac }) => mac));
  return [...neighbours, ...[...macs].map((mac) => ({ ip: linkLocalOf(mac), mac }))];
}

/** Deletes the router's interfaces on the host that are not wanted, and the transit network once nobody uses it. */
async function dropStaleLegs(
  host: Host,
  routerId: RouterId,
  wanted: readonly LinkWanted[],
  before: Links,
  signal: AbortSignal,
): Promise<boolean> {
  const keep = new Set(wanted.map((link) => link.name));
  const stale = [...before.values()].filter((link) => {
    const meaning = readAlias(link.alias);
    return meaning?.kind === 'router' && meaning.routerId === routerId && !keep.has(link.name);
  });
  await host.deleteLinks(
    stale.map((link) => link.name),
    signal,
  );
  const wires = new Set(stale.map((link) => link.master).filter((master) => master !== undefined));
  for (const master of wires) {
    if (before.get(master)?.alias !== transitAlias) continue;
    const tunnel = master.replace(/^br-/, 'vx-');
    const left = [...(await host.netns.links(signal)).values()];
    const used = left.some((link) => link.master === master && link.name !== tunnel);
    if (!used) await host.deleteLinks([tunnel, master], signal);
  }
  return stale.length > 0;
}

/** A transit network must not be a tenant's. */
function checkTransit(host: Host, wanted: RouterWanted, links: Links): void {
  const vni = wanted.transit?.vni;
  if (vni === undefined) return;
  const found = links.get(bridgeName(vni));
  const isTenants = host.book.networks.values().some((entry) => entry.spec.vni === vni);
  if (isTenants || (found !== undefined && found.alias !== undefined && found.alias !== transitAlias)) {
    throw new ShoalError('CONFLICT', `VNI ${vni} is a network's and cannot be a transit network`, { facts: { vni } });
  }
}
