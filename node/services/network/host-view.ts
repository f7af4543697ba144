/**
 * What one host must carry of all networks, as the drivers want it. Pure: same records, same view, in the same order.
 *
 * A host carries a network when a guest placed on it has a port there, or when a router connects it with such a network:
 * routing is distributed, so each host routes for its own guests and must reach every network that their routers reach.
 * The host that does a router's source NAT carries that router's networks too, for the way back. Networks that routers
 * join thus form an island, and all of an island's networks are carried by the same hosts. External networks do not
 * join: they end at the router.
 *
 * Only indexes are walked, from this host's own ports and routers: the work grows with what the host carries, not with
 * the mesh.
 */
import type {
  AdvertisementSpec,
  ForwardingSpec,
  LocalPortSpec,
  MetadataBodies,
  NetworkSpec,
  PortForward,
  RemotePortSpec,
  RouterSpec,
  RouterWay,
  SecurityRuleSpec,
  SubnetSpec,
} from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import { AssertionError } from '../../base/assert.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId, NetworkId, PortId, RouterId, SubnetId } from '../../base/ids.ts';
import { ReadMemo } from '../../state/read-set.ts';
import { indexKey } from '../../state/table.ts';
import {
  addressGroupTable,
  floatingIpTable,
  portTable,
  securityGroupTable,
  serverTable,
  subnetTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { unreadableRows } from '../../state/unreadable-rows.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import type { HostNetworkView, SyncFailure } from '../kit/host-network-view.ts';
import { serverOfPort } from '../kit/ownership.ts';
import { CarriedRecords, cached, carriedBy, type Island } from './carried-networks.ts';
import { normalPrefix, parseIp, parsePrefix, wholePrefix } from './kit/address.ts';
import { type MetadataSettings, plainMetadataSettings, serverMetadata } from './metadata.ts';
import { protocolNumber } from './protocols.ts';

/** The bodies served to one guest; replaceable in tests. */
type MetadataOf = (reader: StateReader, server: shoal.v1.Server) => MetadataBodies;

/** Guests whose metadata one host keeps prepared: more than a host has. */
const guestsMax = 1024;

/**
 * The views of one host, one after the other. A host looks after every change of the mesh, and most changes are none of its
 * business: the view, and what a guest reads, are made again only when a record that they are made of has changed. What
 * has not changed is the same object.
 */
export class HostNetworkViews {
  readonly #hostId: HostId;
  readonly #settings: MetadataSettings;
  readonly #views = new ReadMemo<ViewParts>(1);
  readonly #metadata = new ReadMemo<MetadataBodies>(guestsMax);

  constructor(hostId: HostId, settings: MetadataSettings = plainMetadataSettings) {
    this.#hostId = hostId;
    this.#settings = settings;
  }

  of(reader: StateReader): HostNetworkView {
    const parts = this.#views.get('view', reader, (seen) =>
      viewParts(seen, this.#hostId, (reads, { id }) =>
        this.#metadata.get(id, reads, (own) => serverMetadata(own, serverTable.must(own, id).record, this.#settings)),
      ),
    );
    return { revision: reader.revision, ...parts };
  }

  /**
   * To be told of every change of the state, in order, before a view of the state that has it is asked for. Returns whether
   * the view that was made last may be another now.
   */
  heard(keys: readonly string[]): boolean {
    this.#views.heard(keys);
    return this.#views.isStale('view');
  }
}

/** Everything that `hostId` must carry. */
export function hostNetworkView(
  reader: StateReader,
  hostId: HostId,
  metadataOf: MetadataOf = serverMetadata,
): HostNetworkView {
  return { revision: reader.revision, ...viewParts(reader, hostId, metadataOf) };
}

type ViewParts = Omit<HostNetworkView, 'revision'>;

function viewParts(reader: StateReader, hostId: HostId, metadataOf: MetadataOf): ViewParts {
  const records = new Records(reader);
  const { localPorts, islands } = carriedBy(records, hostId);
  const failures: SyncFailure[] = [];
  const kept = new Set<string>();
  // One record that makes no sense must not take the others' network along.
  const each = <R extends { readonly id: string }, S>(kind: string, of: readonly R[], make: (record: R) => S): S[] =>
    of.flatMap((record) => {
      try {
        return [make(record)];
      } catch (error) {
        if (error instanceof AssertionError || ShoalError.is(error, 'NOT_IN_SLICE')) throw error;
        failures.push({ what: `${kind}/${record.id}`, error });
        kept.add(record.id);
        return [];
      }
    });
  const networks = islands.flatMap((island) => each('network', island.networks, (it) => networkSpec(reader, it)));
  const ports = each('port', localPorts, (it) => ({
    ...localPortSpec(records, it, metadataOf),
    ...(it.hostId === hostId ? {} : { isComing: true }),
  }));
  const forwarding = islands.flatMap((island) =>
    each('forwarding', island.networks, (it) => forwardingSpec(records, island, it, hostId)),
  );
  const routers = islands.flatMap((island) =>
    each('router', island.routers, (it) => routerSpec(records, island, it, hostId)),
  );
  for (const id of unreadableParts(reader)) kept.add(id);
  return {
    networks: sortedBy(networks, (spec) => spec.networkId),
    ports: sortedBy(ports, (spec) => spec.portId),
    forwarding: sortedBy(forwarding, (spec) => spec.networkId),
    routers: sortedBy(routers, (spec) => spec.routerId),
    failures,
    kept,
  };
}

/** What the records have and nobody can read, with what hangs on it: it is left as it is on this host. */
function* unreadableParts(reader: StateReader): Generator<string> {
  for (const { table, id } of unreadableRows.in(reader)) {
    if (table === 'port' || table === 'router' || table === 'network') yield id;
    if (table !== 'network') continue;
    for (const { record: port } of portTable.by(reader, 'network', indexKey(id))) {
      yield port.id;
      if (port.deviceOwner === deviceOwners.routerInterface) yield port.deviceId;
    }
  }
}

/** The records of one view, with the rules that its guests' groups come to. */
class Records extends CarriedRecords {
  readonly #members = new Map<string, readonly string[]>();
  readonly #rules = new Map<string, readonly SecurityRuleSpec[]>();

  /** Addresses of a group's members as prefixes, in order. */
  membersOf(groupId: string): readonly string[] {
    return cached(this.#members, groupId, () => {
      const prefixes = new Set<string>();
      for (const { record: port } of portTable.by(this.reader, 'security-group', indexKey(groupId))) {
        for (const fixed of port.fixedIps) prefixes.add(wholePrefix(fixed.ip));
        for (const pair of port.allowedAddressPairs) {
          prefixes.add(pairPrefix(pair));
        }
      }
      return sortedPrefixes([...prefixes]);
    });
  }

  /** The prefixes of an address group, of both families, in order. */
  addressesOf(groupId: string): readonly string[] {
    return sortedPrefixes(addressGroupTable.find(this.reader, groupId)?.record.addresses ?? []);
  }

  /** Whether replies to what the port's rules allow are judged as well: its groups are all stateless. */
  isStateless(port: shoal.v1.Port): boolean {
    const groups = port.securityGroupIds.map((id) => securityGroupTable.find(this.reader, id)?.record);
    return groups.length > 0 && groups.every((group) => group?.stateful === false);
  }

  rulesOf(groupId: string): readonly SecurityRuleSpec[] {
    return cached(this.#rules, groupId, () => {
      const group = securityGroupTable.find(this.reader, groupId)?.record;
      return (group?.rules ?? []).map((rule) => ruleSpec(this, rule));
    });
  }
}

function networkSpec(reader: StateReader, network: shoal.v1.Network): NetworkSpec {
  const subnets = subnetTable.by(reader, 'network', indexKey(network.id)).map(({ record: subnet }) => ({
    subnetId: subnet.id as SubnetId,
    cidr: subnet.cidr,
    ...(subnet.gatewayIp === '' ? {} : { gatewayIp: subnet.gatewayIp }),
    ...(subnet.serviceIp === '' ? {} : { serviceIp: subnet.serviceIp }),
    dhcp: subnet.dhcp,
    dnsServers: [...subnet.dnsServers],
    hostRoutes: subnet.hostRoutes.map((route) => ({ destination: route.destination, nextHop: route.nextHop })),
    ...addressingOf(subnet),
  }));
  return { networkId: network.id as NetworkId, vni: network.vni, mtu: network.mtu, subnets };
}

/** How guests come to their addresses: what is not said is what routers tell them, as in Neutron. */
function addressingOf({ ipv6AddressMode, ipv6RaMode }: shoal.v1.Subnet): Pick<SubnetSpec, 'addressing'> {
  const mode = ipv6AddressMode === '' ? ipv6RaMode : ipv6AddressMode;
  return mode === 'slaac' || mode === 'dhcpv6-stateless' ? { addressing: mode } : {};
}

function localPortSpec(records: Records, port: shoal.v1.Port, metadataOf: MetadataOf): LocalPortSpec {
  const server = serverOfPort(records.reader, port)?.record;
  const ip = port.fixedIps[0]?.ip ?? '';
  // A port that is administratively down, or whose network is, has protection on and nothing allowed.
  const isUp = port.adminStateUp && records.network(port.networkId)?.adminStateUp !== false;
  const pairs = isUp
    ? port.allowedAddressPairs.map((pair) => ({ mac: pair.mac || port.mac, prefix: pairPrefix(pair) }))
    : [];
  const isIp6 = [...port.fixedIps.map((fixed) => fixed.ip), ...pairs.map(({ prefix }) => prefix)].some(isOfIp6);
  const rules = isUp && port.portSecurityEnabled ? port.securityGroupIds.flatMap((id) => records.rulesOf(id)) : [];
  return {
    portId: port.id as PortId,
    networkId: port.networkId as NetworkId,
    mac: port.mac,
    ip,
    ...(port.fixedIps.length > 1 ? { moreIps: port.fixedIps.slice(1).map((fixed) => fixed.ip) } : {}),
    ...(pairs.length > 0 ? { addressPairs: pairs } : {}),
    hostname: hostnameOf(server, ip),
    portSecurity: port.portSecurityEnabled || !isUp,
    // A guest that has no IPv6 is not judged by it.
    rules: withoutRepeats(isIp6 ? rules : rules.filter(({ ethertype }) => ethertype !== 'IPv6')),
    ...(isUp && port.portSecurityEnabled && records.isStateless(port) ? { stateless: true } : {}),
    metadata: server === undefined ? {} : metadataOf(records.reader, server),
  };
}

/** Whether an address or prefix is of IPv6. */
function isOfIp6(text: string): boolean {
  return text.includes(':');
}

/** A guest's name in DHCP and DNS, as Neutron names what has none. */
function hostnameOf(server: shoal.v1.Server | undefined, ip: string): string {
  return server === undefined || server.hostname === '' ? `host-${ip.replaceAll(/[.:]/g, '-')}` : server.hostname;
}

/** The name of a guest elsewhere: its server's record is read only where the port does not say. */
function remoteHostname(reader: StateReader, port: shoal.v1.Port, ip: string): string {
  return port.dnsName === '' ? hostnameOf(serverOfPort(reader, port)?.record, ip) : port.dnsName;
}

/** A pair's address or prefix, without host bits. */
function pairPrefix(pair: shoal.v1.AddressPair): string {
  return normalPrefix(wholePrefix(pair.ip));
}

function forwardingSpec(records: Records, island: Island, network: shoal.v1.Network, hostId: HostId): ForwardingSpec {
  const remotePorts: RemotePortSpec[] = [];
  for (const port of records.portsOf(network.id)) {
    if (port.hostId === '' || port.hostId === hostId) continue;
    const vtepIp = records.vtepIp(port.hostId);
    if (vtepIp === undefined) continue;
    for (const [index, { ip }] of port.fixedIps.entries()) {
      const named = index === 0 || isOfIp6(ip) ? { hostname: remoteHostname(records.reader, port, ip) } : {};
      remotePorts.push({ mac: port.mac, ip, vtepIp, ...named });
    }
  }
  return {
    networkId: network.id as NetworkId,
    peerVtepIps: peersOf(records, island, hostId),
    remotePorts: sortedBy(remotePorts, (port) => `${port.mac} ${port.ip}`),
  };
}

function peersOf(records: Records, island: Island, hostId: HostId): readonly string[] {
  const ips = new Set<string>();
  for (const id of island.hostIds) {
    const ip = id === hostId ? undefined : records.vtepIp(id);
    if (ip !== undefined) ips.add(ip);
  }
  return [...ips].sort();
}

function routerSpec(records: Records, island: Island, router: shoal.v1.Router, hostId: HostId): RouterSpec {
  const interfaces = records.interfacesOf(router).flatMap((port) =>
    port.fixedIps.flatMap((fixed) => {
      const subnet = subnetTable.find(records.reader, fixed.subnetId)?.record;
      const prefix = subnet === undefined ? undefined : parsePrefix(subnet.cidr);
      if (subnet === undefined || prefix === undefined) return [];
      return [
        {
          networkId: port.networkId as NetworkId,
          subnetId: fixed.subnetId as SubnetId,
          ip: fixed.ip,
          prefixLength: prefix.prefixLength,
          neighbours: neighboursOf(records, port, fixed.subnetId),
          ...advertisementOf(subnet),
        },
      ];
    }),
  );
  const way = wayOf(records, island, router, hostId);
  const external = externalOf(records, router, hostId, way);
  const external6 = way && external6Of(records, router, way);
  return {
    routerId: router.id as RouterId,
    interfaces: sortedBy(interfaces, (leg) => `${leg.networkId} ${leg.subnetId}`),
    ...(router.routes.length > 0
      ? {
          routes: router.routes.map(({ destination, nextHop }) => ({
            destination: normalPrefix(destination),
            nextHop,
          })),
        }
      : {}),
    ...(external === undefined ? {} : { external }),
    ...(external6 === undefined ? {} : { external6 }),
  };
}

/** What the router says there. Guests without a name server of the subnet's ask the network's own. */
function advertisementOf(subnet: shoal.v1.Subnet): { readonly advertisement?: AdvertisementSpec } {
  const mode = subnet.ipv6RaMode;
  if (mode !== 'slaac' && mode !== 'dhcpv6-stateless' && mode !== 'dhcpv6-stateful') return {};
  const own = subnet.serviceIp === '' ? [] : [subnet.serviceIp];
  return { advertisement: { mode, dnsServers: subnet.dnsServers.length > 0 ? [...subnet.dnsServers] : own } };
}

/**
 * Addresses of a subnet whose ports are somewhere: with a guest on a host, or made by every host itself (routers, DHCP). A port that nobody has
 * plugged in yet may be an address that guests share, which only ARP can find.
 */
function neighboursOf(
  records: Records,
  self: shoal.v1.Port,
  subnetId: string,
): readonly { readonly ip: string; readonly mac: string }[] {
  const neighbours = records
    .portsOf(self.networkId)
    .filter((port) => port.id !== self.id && (port.hostId !== '' || port.deviceOwner.startsWith('network:')))
    .flatMap((port) =>
      port.fixedIps.filter((fixed) => fixed.subnetId === subnetId).map((fixed) => ({ ip: fixed.ip, mac: port.mac })),
    );
  return sortedBy(neighbours, (neighbour) => neighbour.ip);
}

/** How what leaves the router comes to the host that does its source NAT. Undefined: no host does. */
function wayOf(records: Records, island: Island, router: shoal.v1.Router, hostId: HostId): RouterWay | undefined {
  const snatHost = records.host(router.snatHostId);
  if (router.externalNetworkId === '' || snatHost === undefined) return undefined;
  const transitIndex = records.host(hostId)?.transitIndex ?? 0;
  const snatVtepIp = records.vtepIp(snatHost.id);
  return {
    snatHere: snatHost.id === hostId,
    ...(snatVtepIp === undefined ? {} : { snatVtepIp }),
    transitVni: router.transitVni,
    transitPeerVtepIps: peersOf(records, island, hostId),
    ...(transitIndex === 0 ? {} : { transitIndex }),
    ...(snatHost.transitIndex === 0 ? {} : { snatTransitIndex: snatHost.transitIndex }),
  };
}

function externalOf(
  records: Records,
  router: shoal.v1.Router,
  hostId: HostId,
  way: RouterWay | undefined,
): RouterSpec['external'] {
  const subnet = subnetTable.find(records.reader, router.externalSubnetId)?.record;
  // Without a gateway there the router has nowhere to send to.
  if (router.externalNetworkId === '' || subnet === undefined || subnet.gatewayIp === '') return undefined;
  const floatingIps = sortedBy(floatingIpsHere(records, router, hostId), (entry) => entry.floatingIp);
  const base = { gatewayIp: subnet.gatewayIp, cidr: subnet.cidr, floatingIps };
  if (!router.snat || way === undefined) return { ...base, snatHere: false };
  const forwards = way.snatHere ? forwardsOf(records, router) : [];
  return { ...base, ...(forwards.length === 0 ? {} : { forwards }), snatIp: router.externalIp, ...way };
}

/** The way out of IPv6. A router without an interface of it has no use for one. */
function external6Of(records: Records, router: shoal.v1.Router, way: RouterWay): RouterSpec['external6'] {
  const subnet = subnetTable.find(records.reader, router.externalSubnet6Id)?.record;
  if (subnet === undefined || subnet.gatewayIp === '') return undefined;
  const speaks = records.interfacesOf(router).some(({ fixedIps }) => fixedIps.some(({ ip }) => isOfIp6(ip)));
  return speaks ? { gatewayIp: subnet.gatewayIp, cidr: subnet.cidr, ip: router.externalIp6, ...way } : undefined;
}

/** Floating IPs of this router whose port is on this host. */
function floatingIpsHere(
  records: Records,
  router: shoal.v1.Router,
  hostId: HostId,
): { readonly floatingIp: string; readonly fixedIp: string }[] {
  return records.interfacesOf(router).flatMap((leg) =>
    records
      .portsOf(leg.networkId)
      // An address that guests share (its port reserves it and is plugged in nowhere) is where the source NAT is.
      .filter((port) => (port.hostId === '' ? router.snatHostId : port.hostId) === hostId)
      .flatMap((port) => floatingIpTable.by(records.reader, 'port', indexKey(port.id)))
      .filter((row) => row.record.routerId === router.id)
      .map(({ record }) => ({ floatingIp: record.floatingIp, fixedIp: record.fixedIp })),
  );
}

/** Forwarded ports of floating IPs that go through this router, in order. */
function forwardsOf(records: Records, router: shoal.v1.Router): readonly PortForward[] {
  const forwards = records.interfacesOf(router).flatMap((leg) =>
    records.portsOf(leg.networkId).flatMap((port) =>
      floatingIpTable
        .by(records.reader, 'forwarded-port', indexKey(port.id))
        .filter(({ record }) => record.routerId === router.id && record.portId === '')
        .flatMap(({ record }) =>
          record.portForwardings
            .filter((each) => each.portId === port.id)
            .map(
              ({ protocol, externalPort = 0, internalPort = 0, fixedIp = '' }): PortForward => ({
                ...{ floatingIp: record.floatingIp, protocol: protocol === 'udp' ? 'udp' : 'tcp' },
                ...{ port: externalPort, fixedIp, fixedPort: internalPort },
              }),
            ),
        ),
    ),
  );
  const unique = new Map(forwards.map((each) => [`${each.floatingIp} ${each.protocol} ${each.port}`, each]));
  return sortedBy([...unique.values()], (each) => `${each.floatingIp} ${each.protocol} ${each.port}`);
}

function ruleSpec(records: Records, rule: shoal.v1.SecurityGroupRule): SecurityRuleSpec {
  const protocol = protocolOf(rule.protocol);
  const remotePrefixes =
    rule.remoteGroupId !== ''
      ? records.membersOf(rule.remoteGroupId)
      : rule.remoteAddressGroupId !== ''
        ? records.addressesOf(rule.remoteAddressGroupId)
        : rule.remotePrefix !== ''
          ? [normalPrefix(rule.remotePrefix)]
          : undefined;
  return {
    direction: rule.direction === 'ingress' ? 'ingress' : 'egress',
    ...(rule.ethertype === 'IPv6' ? { ethertype: 'IPv6' } : {}),
    ...(protocol === undefined ? {} : { protocol }),
    ...(rule.portMin < 0 ? {} : { portMin: rule.portMin }),
    ...(rule.portMax < 0 ? {} : { portMax: rule.portMax }),
    // Those of the other family match nothing.
    ...(remotePrefixes === undefined
      ? {}
      : { remotePrefixes: remotePrefixes.filter((prefix) => isOfIp6(prefix) === (rule.ethertype === 'IPv6')) }),
  };
}

function protocolOf(protocol: string): 'tcp' | 'udp' | 'icmp' | number | undefined {
  const number = protocol === '' ? undefined : protocolNumber(protocol);
  switch (number) {
    case 1:
      return 'icmp';
    case 6:
      return 'tcp';
    case 17:
      return 'udp';
    default:
      return number;
  }
}

/** Groups often say the same; one rule is enough. The first of equals stays. */
function withoutRepeats(rules: readonly SecurityRuleSpec[]): readonly SecurityRuleSpec[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** By address. Each is parsed once, and not for each comparison: a group may have thousands. */
function sortedPrefixes(prefixes: readonly string[]): readonly string[] {
  const ranked = prefixes.map((prefix) => ({ prefix, rank: parseIp(prefix.split('/')[0] ?? '')?.value ?? 0n }));
  ranked.sort((a, b) => (a.rank === b.rank ? (a.prefix < b.prefix ? -1 : 1) : a.rank < b.rank ? -1 : 1));
  return ranked.map(({ prefix }) => prefix);
}

function sortedBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}
