/** Tenant networks of a host: bridge, VXLAN device, and the service namespace for DHCP and metadata. */

import { ShoalError } from '../../../node/base/errors.ts';
import type { NetworkId } from '../../../node/base/ids.ts';
import type { NetworkSpec } from '../../types.ts';
import { Undo } from '../../undo.ts';
import { type Host, hasIp6 } from '../host/host.ts';
import { addressLines, neighbourLines, routeLines } from '../links/address.ts';
import {
  bridge,
  interfaceWith,
  type Links,
  type LinkWanted,
  linkBatch,
  type PortFlags,
  veth,
  vxlan,
} from '../links/link.ts';
import { lowestFree, zoneMax } from '../links/vni.ts';
import { isIp6, readCidr } from '../model/cidr.ts';
import { addresses6 } from '../model/link-local.ts';
import { identityIp, metadataIp, metadataServerIp, metadataTable, serviceTable6 } from '../model/metadata.ts';
import {
  bridgeName,
  metadataBridge,
  metadataInner,
  metadataVethName,
  networkAlias,
  readAlias,
  routerLegName,
  serviceInner,
  serviceMac,
  serviceNamespace,
  serviceVethName,
  vxlanName,
} from '../model/names.ts';
import { vxlanOverheadBytes } from '../model/underlay-address.ts';
import { Dnsmasq } from '../services/dnsmasq.ts';

/** Keeps the metadata leg from losing its last address, and with it its route. */
const keepAddress = '169.254.127.1/32';

/** Makes the network as the record says. `CONFLICT` when its VNI carries another network, or it had another VNI. */
export async function ensureNetwork(host: Host, spec: NetworkSpec, signal: AbortSignal): Promise<boolean> {
  const { book } = host;
  const previous = book.networks.get(spec.networkId);
  const links = await host.netns.links(signal);
  checkPlace(host, spec, links);
  const zone = previous?.zone ?? (await pickZone(host, spec.vni, signal));
  return Undo.run(async (undo) => {
    if (previous === undefined) undo.add('book entry', () => book.networks.delete(spec.networkId));
    await book.networks.put(spec.networkId, { spec, zone });
    let changed = await host.syncFilter([spec.vni], [], signal);
    if (previous === undefined) undo.add('filter', () => forgetFilter(host, spec));

    const service = await host.ensureNamespace(
      serviceNamespace(host.options.namespacePrefix, spec.vni),
      { sysctls: { 'net.ipv4.ip_forward': '1' }, ipv6: hasIp6(spec) },
      undo,
      signal,
    );
    changed = (await host.ensureLinks(links, networkLinks(host, spec), undo, signal)) || changed;
    changed = (await syncService(host, spec.networkId, signal)) || changed;
    changed = (await host.syncForwarding(spec.networkId, signal)) || changed;

    const dnsmasq = new Dnsmasq(host, spec.networkId);
    if (spec.subnets.some((subnet) => subnet.dhcp)) {
      if (previous === undefined) undo.add('dnsmasq', () => dnsmasq.remove());
      changed = (await dnsmasq.ensure(service, spec, book.portsOf(spec.networkId), signal)) || changed;
    } else {
      await dnsmasq.remove();
    }
    return changed;
  });
}

/** Removes the network. `CONFLICT` while something else than its own parts is on its bridge. Absent is success. */
export async function removeNetwork(host: Host, networkId: NetworkId, signal: AbortSignal): Promise<void> {
  const links = await host.netns.links(signal);
  const entry = host.book.networks.get(networkId);
  const vni = entry?.spec.vni ?? vniOfAlias(links, networkId);
  if (vni === undefined) return;
  const own = [serviceVethName(vni), metadataVethName(vni), vxlanName(vni)];
  const guests = [...links.values()].filter((link) => link.master === bridgeName(vni) && !own.includes(link.name));
  if (guests.length > 0) {
    throw new ShoalError('CONFLICT', `network ${networkId} is in use on this host`, {
      facts: { networkId, interfaces: guests.map((link) => link.name) },
    });
  }
  await new Dnsmasq(host, networkId).remove();
  // Its bridge last, for its alias is what finds the network again if this stops half-way.
  await host.deleteLinks([...own, bridgeName(vni)], signal);
  await host.deleteNamespace(serviceNamespace(host.options.namespacePrefix, vni));
  await host.book.forwarding.delete(networkId);
  await host.book.networks.delete(networkId);
  await host.syncFilter([vni], [], signal);
  if (entry !== undefined) await host.netns.dropConnections(['-w', String(entry.zone)], signal);
}

/**
 * Brings the inside of the service namespace to what the book says: addresses, the route to the metadata server, and the
 * translation of each local port to its identity.
 */
export async function syncService(host: Host, networkId: NetworkId, signal: AbortSignal): Promise<boolean> {
  const { spec } = host.network(networkId);
  const service = host.namespace(serviceNamespace(host.options.namespacePrefix, spec.vni));
  const ports = host.book.portsOf(networkId);
  const [links, tables] = await Promise.all([service.links(signal), service.tables(signal)]);
  const table = metadataTable(
    ports.flatMap((port) =>
      [port.spec.ip, ...(port.spec.moreIps ?? [])]
        .filter((ip) => !isIp6(ip))
        .map((ip) => ({ ip, identityIp: identityIp(port.identityIndex) })),
    ),
  );
  let changed = await service.ensureTable(table, tables.get(`${table.family} ${table.name}`), signal);
  const ipv6 = hasIp6(spec);
  if (ipv6) {
    // The interface may be older than its network's IPv6, and hears the routers of its network.
    await service.ensureSysctls({ [`net.ipv6.conf.${serviceInner}.accept_ra`]: '0' }, signal);
    const table6 = serviceTable6();
    changed = (await service.ensureTable(table6, tables.get(`${table6.family} ${table6.name}`), signal)) || changed;
  }
  const inner: LinkWanted[] = [
    { name: 'lo' },
    { name: serviceInner, mac: serviceMac, mtu: spec.mtu },
    { name: metadataInner },
  ];
  const lines = [
    ...linkBatch(links, inner, { ipv6: false }).ip,
    ...addressLines(
      links,
      [serviceInner, metadataInner],
      [
        ...spec.subnets.flatMap((subnet) =>
          subnet.serviceIp === undefined
            ? []
            : [{ dev: serviceInner, address: `${subnet.serviceIp}/${readCidr(subnet.cidr).prefixLength}` }],
        ),
        ...(spec.subnets.length === 0 ? [] : [{ dev: serviceInner, address: `${metadataIp}/32` }]),
        { dev: metadataInner, address: keepAddress, scope: 'host' },
        ...ports.map((port) => ({ dev: metadataInner, address: `${identityIp(port.identityIndex)}/32` })),
      ],
      { ipv6: host.ipv6 },
    ),
    // A guest that asks for its lease is known by its MAC, which DHCPv6 does not say: dnsmasq looks for it here.
    ...(ipv6
      ? neighbourLines(
          serviceInner,
          await service.neighbours(serviceInner, signal),
          ports.flatMap(({ spec: port }) => addresses6(port).map((ip) => ({ ip, mac: port.mac }))),
        )
      : []),
  ];
  await service.ipBatch(lines, signal);
  // Without an address of the subnet nothing but this leads back to its guests.
  const onLink = spec.subnets
    .filter((subnet) => subnet.serviceIp === undefined && !isIp6(subnet.cidr))
    .map((subnet) => ({ destination: readCidr(subnet.cidr).text, dev: serviceInner }));
  // Routes are read after the addresses changed, for the kernel drops some with them.
  const routes = routeLines(await service.routes(signal), [
    { destination: metadataServerIp, dev: metadataInner },
    ...onLink,
  ]);
  await service.ipBatch(routes, signal);
  changed = lines.length + routes.length > 0 || changed;
  return changed;
}

/** The VNI of the bridge whose alias names the network. */
function vniOfAlias(links: Links, networkId: NetworkId): number | undefined {
  for (const link of links.values()) {
    const meaning = readAlias(link.alias);
    if (meaning?.kind === 'network' && meaning.networkId === networkId) return vniOfBridge(link.name);
  }
  return undefined;
}

/** The VNI in a bridge's name; undefined when it is no network's bridge. */
export function vniOfBridge(name: string): number | undefined {
  const digits = /^br-(\d{1,8})$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/**
 * Whether the bridge answers ARP for its tunnel and its routers. One that does also keeps from them what is announced
 * unasked; but by that an address which guests share tells where it is now. So where one may speak as such an address,
 * nothing is suppressed.
 */
export function suppressesArp(host: Host, networkId: NetworkId): boolean {
  return !host.book.portsOf(networkId).some(({ spec }) => (spec.addressPairs ?? []).length > 0);
}

/** The interfaces of a network, as far as they are there, whose suppression of ARP follows its local ports. */
export function suppressing(host: Host, spec: NetworkSpec, links: Links): LinkWanted[] {
  const { networkId, vni } = spec;
  const legs = host.book.legsOf(networkId).map((leg) => routerLegName(leg.routerId, vni));
  return [
    tunnelLink(host, spec),
    ...legs
      .filter((name) => links.has(name))
      .map((name) => ({ name, master: bridgeName(vni), port: routerLegPort(suppressesArp(host, networkId)) })),
  ];
}

/** A router's leg as a port of its network's bridge. */
export function routerLegPort(neighSuppress: boolean): PortFlags {
  return { learning: false, flood: false, neighSuppress, isolated: false };
}

function tunnelLink(host: Host, { networkId, vni, mtu }: NetworkSpec): LinkWanted {
  return vxlan(vxlanName(vni), {
    vni,
    vtepIp: host.options.vtepIp,
    bridge: bridgeName(vni),
    mtu,
    flood: true,
    neighSuppress: suppressesArp(host, networkId),
  });
}

/** The host's interfaces of a network. */
function networkLinks(host: Host, spec: NetworkSpec): LinkWanted[] {
  const { vni, mtu } = spec;
  const name = bridgeName(vni);
  const peerNamespace = serviceNamespace(host.options.namespacePrefix, vni);
  const quiet = { learning: false, flood: false, neighSuppress: true };
  return [
    bridge(name, { filtered: true, mtu, alias: networkAlias(spec.networkId) }),
    tunnelLink(host, spec),
    veth(serviceVethName(vni), {
      peer: serviceInner,
      peerNamespace,
      peerMac: serviceMac,
      bridge: name,
      mtu,
      port: { ...quiet, isolated: false },
    }),
    veth(metadataVethName(vni), {
      peer: metadataInner,
      peerNamespace,
      bridge: metadataBridge,
      mtu: 1500,
      // Networks meet on that bridge, and must see nothing but the host there.
      port: { learning: true, flood: true, neighSuppress: false, isolated: true },
    }),
  ];
}

function checkPlace(host: Host, spec: NetworkSpec, links: Links): void {
  const facts = { networkId: spec.networkId, vni: spec.vni };
  const previous = host.book.networks.get(spec.networkId);
  const known = previous?.spec.vni ?? vniOfAlias(links, spec.networkId);
  if (known !== undefined && known !== spec.vni) {
    throw new ShoalError('CONFLICT', `network ${spec.networkId} is on this host with VNI ${known}`, { facts });
  }
  const bridgeFound = links.get(bridgeName(spec.vni));
  const meaning = readAlias(bridgeFound?.alias);
  if (bridgeFound !== undefined && (meaning?.kind !== 'network' || meaning.networkId !== spec.networkId)) {
    // An empty alias is a bridge of which the maker died between two lines; any other one is somebody else's.
    if (bridgeFound.alias !== undefined || previous === undefined) {
      throw new ShoalError('CONFLICT', `bridge ${bridgeFound.name} is there and not this network's`, {
        facts: { ...facts, alias: bridgeFound.alias },
      });
    }
  }
  const { vtepIp } = host.options;
  const underlay = interfaceWith(links, vtepIp);
  if (underlay !== undefined && underlay.mtu < spec.mtu + vxlanOverheadBytes(vtepIp)) {
    host.deps.logger.warn(
      { ...facts, mtu: spec.mtu, underlay: underlay.name, underlayMtu: underlay.mtu },
      'the underlay is too narrow for the network: full-sized packets will be lost',
    );
  }
}

/** The zone that the kernel has for the bridge (its book entry was lost), or a free one. */
async function pickZone(host: Host, vni: number, signal: AbortSignal): Promise<number> {
  const [sg] = await host.filterTables(signal);
  const zones = sg.sets.get('zones') ?? new Map<string, string>();
  const kept = zones.get(bridgeName(vni));
  if (kept !== undefined) return Number(kept);
  const taken = new Set([...zones.values()].map(Number));
  for (const entry of host.book.networks.values()) taken.add(entry.zone);
  return lowestFree(taken, 1, zoneMax, 'conntrack zone');
}

/** Undo of a network's first filter elements: its book entry is taken away first, so the rest follows. */
async function forgetFilter(host: Host, spec: NetworkSpec): Promise<void> {
  await host.book.networks.delete(spec.networkId);
  await host.syncFilter([spec.vni], [], AbortSignal.timeout(15_000));
}
