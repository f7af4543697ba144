/**
 * Which networks one host carries, by its own ports and routers, and what of the records its network is made of. What is made
 * of them is host-view.ts.
 */
import type { shoal } from '../../../proto/messages.ts';
import type { HostId } from '../../base/ids.ts';
import { indexKey } from '../../state/table.ts';
import {
  addressGroupTable,
  floatingIpTable,
  hostTable,
  networkTable,
  portTable,
  routerTable,
  securityGroupTable,
  serverTable,
  subnetTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { interfacesOf, isInterfaceOf, serverOfPort } from '../kit/ownership.ts';
import { liveMove } from '../kit/server-move.ts';

/** Networks joined by routers, and who carries them. */
export interface Island {
  readonly networks: shoal.v1.Network[];
  readonly routers: shoal.v1.Router[];
  readonly hostIds: Set<string>;
}

/** Records as they are read for one host, each looked up once. */
export class CarriedRecords {
  readonly reader: StateReader;
  readonly #ports = new Map<string, readonly shoal.v1.Port[]>();
  readonly #interfaces = new Map<string, readonly shoal.v1.Port[]>();

  constructor(reader: StateReader) {
    this.reader = reader;
  }

  network(id: string): shoal.v1.Network | undefined {
    return networkTable.find(this.reader, id)?.record;
  }

  portsOf(networkId: string): readonly shoal.v1.Port[] {
    return cached(this.#ports, networkId, () =>
      portTable.by(this.reader, 'network', indexKey(networkId)).map((row) => row.record),
    );
  }

  interfacesOf(router: shoal.v1.Router): readonly shoal.v1.Port[] {
    return cached(this.#interfaces, router.id, () => interfacesOf(this.reader, router).map((row) => row.record));
  }

  host(id: string): shoal.v1.Host | undefined {
    return hostTable.find(this.reader, id)?.record;
  }

  vtepIp(hostId: string): string | undefined {
    const ip = this.host(hostId)?.vtepIp;
    return ip === '' ? undefined : ip;
  }
}

/** What a host carries. */
interface Carried {
  /** Ports of its own guests that have an address on a network. */
  readonly localPorts: readonly shoal.v1.Port[];
  readonly islands: readonly Island[];
}

/** What `hostId` carries. */
export function carriedBy(records: CarriedRecords, hostId: HostId): Carried {
  const { reader } = records;
  const own = portTable.by(reader, 'host', hostId).map((row) => row.record);
  const localPorts = [...own, ...comingPorts(reader, hostId)].filter(
    (port) => port.fixedIps.length > 0 && (records.network(port.networkId)?.vni ?? 0) > 0,
  );
  const seeds = new Set(localPorts.map((port) => port.networkId));
  for (const { record: router } of routerTable.by(reader, 'snat-host', hostId)) {
    if (router.externalNetworkId === '' || !router.adminStateUp) continue;
    for (const port of records.interfacesOf(router)) seeds.add(port.networkId);
  }
  return { localPorts, islands: islandsOf(records, [...seeds].sort()) };
}

/** Ports of guests that are on their way to the host while they run, and are another's still. */
function comingPorts(reader: StateReader, hostId: HostId): readonly shoal.v1.Port[] {
  const coming = serverTable
    .by(reader, 'coming', hostId)
    .filter(({ record }) => record.hostId !== hostId && liveMove(record)?.targetHostId === hostId);
  const ports = coming.flatMap(({ record }) => record.portIds.map((id) => portTable.find(reader, id)?.record));
  return ports.filter((port) => port !== undefined).filter((port) => port.hostId !== hostId);
}

/**
 * Reads what the network of `hostId` is made of, without making anything of it: all but the servers of its own guests. For a
 * host that has to hold it all; what this does not read, the view itself asks for.
 */
export function readCarried(reader: StateReader, hostId: HostId): void {
  const records = new CarriedRecords(reader);
  const { localPorts, islands } = carriedBy(records, hostId);
  for (const id of new Set(localPorts.flatMap((port) => port.securityGroupIds))) readGroup(reader, id);
  const hostIds = new Set<string>();
  for (const { networks, routers, hostIds: carriers } of islands) {
    for (const { id } of networks) {
      subnetTable.by(reader, 'network', indexKey(id));
      for (const port of records.portsOf(id)) {
        // Of the others the port says the name, if its version did.
        if (port.hostId !== '' && port.hostId !== hostId && port.dnsName === '') serverOfPort(reader, port);
      }
    }
    for (const router of routers) readRouter(records, router, hostId);
    for (const id of carriers) hostIds.add(id);
  }
  for (const id of hostIds) hostTable.find(reader, id);
}

/** A group's rules, the ports of the groups that they name, and address groups. */
function readGroup(reader: StateReader, id: string): void {
  for (const { remoteGroupId, remoteAddressGroupId } of securityGroupTable.find(reader, id)?.record.rules ?? []) {
    if (remoteGroupId !== '') portTable.by(reader, 'security-group', indexKey(remoteGroupId));
    if (remoteAddressGroupId !== '') addressGroupTable.find(reader, remoteAddressGroupId);
  }
}

function readRouter(records: CarriedRecords, router: shoal.v1.Router, hostId: HostId): void {
  const { reader } = records;
  const legs = records.interfacesOf(router);
  for (const { fixedIps } of legs) for (const { subnetId } of fixedIps) subnetTable.find(reader, subnetId);
  if (router.externalNetworkId === '') return;
  for (const id of [router.externalSubnetId, router.externalSubnet6Id]) subnetTable.find(reader, id);
  for (const id of [router.snatHostId, hostId]) hostTable.find(reader, id);
  for (const leg of legs) {
    for (const port of records.portsOf(leg.networkId)) {
      const place = port.hostId === '' ? router.snatHostId : port.hostId;
      if (place === hostId) floatingIpTable.by(reader, 'port', indexKey(port.id));
      if (router.snatHostId === hostId) floatingIpTable.by(reader, 'forwarded-port', indexKey(port.id));
    }
  }
}

/** The networks that are carried with `seeds`. */
function islandsOf(records: CarriedRecords, seeds: readonly string[]): Island[] {
  const seenNetworks = new Set<string>();
  const seenRouters = new Set<string>();
  const islands: Island[] = [];
  for (const seed of seeds) {
    if (seenNetworks.has(seed)) continue;
    const island: Island = { networks: [], routers: [], hostIds: new Set() };
    const queue = [seed];
    seenNetworks.add(seed);
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const network = records.network(id);
      if (network === undefined || network.vni === 0) continue;
      island.networks.push(network);
      for (const port of records.portsOf(id)) {
        if (port.hostId !== '') island.hostIds.add(port.hostId);
        if (port.deviceOwner !== deviceOwners.routerInterface || seenRouters.has(port.deviceId)) continue;
        const router = routerTable.find(records.reader, port.deviceId)?.record;
        if (router === undefined || !router.adminStateUp || !isInterfaceOf(port, router)) continue;
        seenRouters.add(router.id);
        island.routers.push(router);
        if (router.externalNetworkId !== '' && router.snatHostId !== '') island.hostIds.add(router.snatHostId);
        for (const other of records.interfacesOf(router)) {
          if (seenNetworks.has(other.networkId)) continue;
          seenNetworks.add(other.networkId);
          queue.push(other.networkId);
        }
      }
    }
    islands.push(island);
  }
  return islands;
}

/** What `map` has, or what is made for it now. */
export function cached<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
