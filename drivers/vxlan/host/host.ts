/**
 * What every part of the driver works with: the host's namespace, the book, and the two things that networks, ports and
 * routers all change: the packet filter, and the forwarding entries of a network's bridge.
 */
import { join } from 'node:path';
import type { Clock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { NetworkId, PortId } from '../../../node/base/ids.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import type { CommandRunner } from '../../command.ts';
import type { NetworkSpec } from '../../types.ts';
import type { Undo } from '../../undo.ts';
import { type NeighbourWanted, neighbourLines } from '../links/address.ts';
import { type FdbEntry, fdbLines, floodMac } from '../links/forwarding.ts';
import { type Links, type LinkWanted, linkBatch } from '../links/link.ts';
import { Netns, namespaceNames } from '../links/netns.ts';
import type { TableFound } from '../links/nft.ts';
import { Book, type NetworkEntry } from '../model/book.ts';
import { isIp6 } from '../model/cidr.ts';
import type { DnsForwarders } from '../model/dns-forwarders.ts';
import { addresses6, linkLocalOf } from '../model/link-local.ts';
import { metadataIp } from '../model/metadata.ts';
import {
  bridgeName,
  routerLegName,
  routerMac,
  serviceMac,
  serviceVethName,
  tapName,
  vxlanName,
} from '../model/names.ts';
import { wayOf } from '../model/way.ts';
import { type FilterNetwork, type FilterPort, filterTable, filterText, guardTable } from '../security/security.ts';

/**
 * IPv6 of a namespace. With it an interface has the link-local address of its MAC, takes nothing from router advertisements and asks
 * nobody whether an address is in use: every host has the same ones.
 */
function ipv6Sysctls(on: boolean): Readonly<Record<string, string>> {
  const of = (name: string, value: string): [string, string][] =>
    ['all', 'default'].map((which) => [`net.ipv6.conf.${which}.${name}`, value]);
  const quiet = [...of('accept_ra', '0'), ...of('autoconf', '0'), ...of('accept_dad', '0')];
  return Object.fromEntries([...(on ? quiet : []), ...of('disable_ipv6', on ? '0' : '1')]);
}

/** Whether a network has guests that speak IPv6. */
export function hasIp6({ subnets }: Pick<NetworkSpec, 'subnets'>): boolean {
  return subnets.some(({ cidr }) => isIp6(cidr));
}

/** How a host is set up. */
export interface VxlanOptions {
  /** Begins the name of every namespace that this driver makes; unique among the agents of a machine. */
  readonly namespacePrefix: string;
  /** Named namespace that plays the host (tests, development); absent: the namespace of this process. */
  readonly hostNamespace?: string;
  /** This host's underlay address; must be on an interface of the host. */
  readonly vtepIp: string;
  /** Interface to the external network; has no address of its own. Absent: no floating IPs and no source NAT here. */
  readonly externalInterface?: string;
  /** Where guests' questions for names of the outside world go. Default: nowhere, they are REFUSED. */
  readonly dnsForwarders?: DnsForwarders;
  /** Absolute path of a folder for the book, DHCP and metadata files. Survives reboots. */
  readonly stateDir: string;
  /** User and group number that the metadata server becomes; absent: it stays the agent's user, without capabilities. */
  readonly metadataUid?: number;
}

/** What the driver is given. */
export interface VxlanDeps {
  readonly runCommand: CommandRunner;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** The packet filter's table of security groups and that of the guard, as found. */
type FilterTables = readonly [TableFound, TableFound];

/** Shared by the parts. Every method expects that no other call is at work (../driver.ts sees to it). */
export class Host {
  readonly options: VxlanOptions;
  readonly deps: VxlanDeps;
  readonly netns: Netns;
  readonly book: Book;
  /** Whether the kernel has IPv6; known after `start`. */
  ipv6 = true;

  constructor(deps: VxlanDeps, options: VxlanOptions) {
    this.deps = deps;
    this.options = options;
    this.netns = new Netns(deps.runCommand, options.hostNamespace);
    this.book = new Book(join(options.stateDir, 'book'));
  }

  /** A named namespace of this driver's. */
  namespace(name: string): Netns {
    return new Netns(this.deps.runCommand, name);
  }

  namespaces(signal: AbortSignal): Promise<ReadonlySet<string>> {
    return namespaceNames(this.deps.runCommand, signal);
  }

  /** The entry of a network that is on this host. `CONFLICT` when it is not. */
  network(networkId: NetworkId): NetworkEntry {
    const entry = this.book.networks.get(networkId);
    if (entry !== undefined) return entry;
    throw new ShoalError('CONFLICT', `network ${networkId} is not on this host`, { facts: { networkId } });
  }

  /** Makes a named namespace with `sysctls` set, and with or without IPv6. */
  async ensureNamespace(
    name: string,
    { sysctls, ipv6 }: { readonly sysctls: Readonly<Record<string, string>>; readonly ipv6: boolean },
    undo: Undo,
    signal: AbortSignal,
  ): Promise<Netns> {
    if (ipv6 && !this.ipv6) throw new ShoalError('DRIVER_FAILED', 'the kernel of this host has no IPv6');
    const netns = this.namespace(name);
    if (!(await this.namespaces(signal)).has(name)) {
      undo.add(`namespace ${name}`, () => this.deleteNamespace(name));
      await this.deps.runCommand(['ip', 'netns', 'add', name], { signal });
    }
    await netns.ensureSysctls({ ...sysctls, ...(this.ipv6 ? ipv6Sysctls(ipv6) : {}) }, signal);
    return netns;
  }

  /** Removes a namespace. Absent is success. Also runs as an undo, so it takes no signal. */
  async deleteNamespace(name: string): Promise<void> {
    if (!(await this.namespaces(AbortSignal.timeout(15_000))).has(name)) return;
    await this.deps.runCommand(['ip', 'netns', 'del', name]);
  }

  /** Makes interfaces of the host as wanted. What this call makes goes again when it fails later. */
  async ensureLinks(found: Links, wanted: readonly LinkWanted[], undo: Undo, signal: AbortSignal): Promise<boolean> {
    const batch = linkBatch(found, wanted, { ipv6: this.ipv6 });
    for (const name of batch.created) undo.add(`interface ${name}`, () => this.deleteLinks([name], undefined));
    await this.netns.ipBatch(batch.ip, signal);
    await this.netns.bridgeBatch(batch.bridge, signal);
    return batch.ip.length + batch.bridge.length > 0;
  }

  /** Deletes those of `names` that are there. */
  async deleteLinks(names: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const found = await this.netns.links(signal ?? AbortSignal.timeout(15_000));
    const there = names.filter((name) => found.has(name));
    await this.netns.ipBatch(
      there.map((name) => `link del ${name}`),
      signal,
    );
  }

  /**
   * Brings the packet filter of these networks and ports to what the book says; what the book does not have is removed.
   * True when something was written.
   */
  async syncFilter(vnis: readonly number[], portIds: readonly PortId[], signal: AbortSignal): Promise<boolean> {
    return this.#writeFilter(await this.filterTables(signal), vnis, portIds, signal);
  }

  /**
   * The two tables of the host. When they are gone (another firewall was loaded), they are made again, with all in
   * them.
   */
  async filterTables(signal: AbortSignal): Promise<FilterTables> {
    const found = await this.#findTables(signal);
    if (found !== undefined) return found;
    this.deps.logger.warn({}, 'the packet filter tables were missing on this host; they are created again');
    await this.ensureTables(signal);
    const made = await this.#mustFindTables(signal);
    await this.#writeFilter(made, this.#vnis(), this.#portIds(), signal);
    return this.#mustFindTables(signal);
  }

  /** Brings the packet filter of everything in the book to what that says: the tables may be new, or of another version. */
  async syncWholeFilter(signal: AbortSignal): Promise<boolean> {
    return this.syncFilter(this.#vnis(), this.#portIds(), signal);
  }

  #vnis(): readonly number[] {
    const networks = this.book.networks.values().map(({ spec }) => spec.vni);
    const transit = this.book.routers.values().map(({ spec }) => wayOf(spec)?.transitVni);
    return [...new Set([...networks, ...transit.filter((vni) => vni !== undefined)])];
  }

  #portIds(): readonly PortId[] {
    return this.book.ports.values().map(({ spec }) => spec.portId);
  }

  /** Makes the two tables, without networks and ports; those that are there stay as they are. */
  async ensureTables(signal: AbortSignal): Promise<void> {
    for (const table of [filterTable, guardTable]) {
      await this.netns.ensureTable(table, await this.netns.table(table, signal), signal);
    }
  }

  async #findTables(signal: AbortSignal): Promise<FilterTables | undefined> {
    const [sg, guard] = await Promise.all([
      this.netns.table(filterTable, signal),
      this.netns.table(guardTable, signal),
    ]);
    return sg === undefined || guard === undefined ? undefined : [sg, guard];
  }

  async #mustFindTables(signal: AbortSignal): Promise<FilterTables> {
    const found = await this.#findTables(signal);
    if (found !== undefined) return found;
    throw new ShoalError('DRIVER_FAILED', 'the packet filter tables are gone as soon as they are made');
  }

  async #writeFilter(
    [sg, guard]: FilterTables,
    vnis: readonly number[],
    portIds: readonly PortId[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const networks = new Map<number, FilterNetwork | undefined>();
    for (const vni of vnis) networks.set(vni, this.#filterNetwork(vni));
    const ports = new Map<PortId, FilterPort | undefined>();
    for (const portId of portIds) {
      const entry = this.book.ports.get(portId);
      const network = entry === undefined ? undefined : this.book.networks.get(entry.spec.networkId);
      const both = entry !== undefined && network !== undefined;
      ports.set(portId, both ? { ...entry.spec, vni: network.spec.vni } : undefined);
    }
    const senders = new Map(vnis.map((vni) => [vni, this.#senders(vni)]));
    const text = filterText(sg, guard, { networks, ports, senders });
    await this.netns.nft(text, signal);
    return text !== '';
  }

  /** Underlay addresses of the other hosts that have the network, or the transit network, of this VNI. */
  #senders(vni: number): readonly string[] {
    const ips = new Set<string>();
    for (const { spec } of this.book.networks.values()) {
      if (spec.vni !== vni) continue;
      const forwarding = this.book.forwarding.get(spec.networkId)?.spec;
      for (const ip of forwarding?.peerVtepIps ?? []) ips.add(ip);
      for (const port of forwarding?.remotePorts ?? []) ips.add(port.vtepIp);
    }
    for (const { spec } of this.book.routers.values()) {
      const way = wayOf(spec);
      if (way?.transitVni !== vni) continue;
      for (const ip of way.transitPeerVtepIps ?? []) ips.add(ip);
    }
    ips.delete(this.options.vtepIp);
    return [...ips].sort();
  }

  #filterNetwork(vni: number): FilterNetwork | undefined {
    const entry = this.book.networks.values().find((candidate) => candidate.spec.vni === vni);
    if (entry === undefined) return undefined;
    const { networkId, subnets } = entry.spec;
    return {
      vni,
      zone: entry.zone,
      serviceIps: subnets.flatMap(({ serviceIp }) => (serviceIp === undefined || isIp6(serviceIp) ? [] : [serviceIp])),
      anycastIps: this.#hereIps(entry.spec),
      pairs: this.book
        .portsOf(networkId)
        .filter((port) => port.spec.portSecurity)
        .flatMap(({ spec }) => (spec.addressPairs ?? []).map((pair) => ({ ...pair, portId: spec.portId }))),
    };
  }

  /** Addresses that are answered on this host: of routers, of the service and of local ports, with their link-local ones. */
  #hereIps(spec: NetworkSpec): readonly string[] {
    const legs = this.book.legsOf(spec.networkId);
    const ports = this.book.portsOf(spec.networkId).map((port) => port.spec);
    const own = [...legs.map((leg) => leg.ip), ...ports.flatMap(({ ip, moreIps = [] }) => [ip, ...moreIps])];
    if (!hasIp6(spec)) return own;
    const services = spec.subnets.flatMap(({ serviceIp }) =>
      serviceIp === undefined || !isIp6(serviceIp) ? [] : [serviceIp],
    );
    const macs = [serviceMac, ...legs.map((leg) => routerMac(leg.routerId))];
    return [...new Set([...own, ...services, ...ports.flatMap(addresses6), ...macs.map(linkLocalOf)])];
  }

  /**
   * Brings the forwarding and neighbour entries of a network to what the book says: its service namespace, its routers
   * and local ports, then the ports of other hosts. A local port wins over a record that says it is elsewhere.
   */
  async syncForwarding(networkId: NetworkId, signal: AbortSignal): Promise<boolean> {
    const { spec } = this.network(networkId);
    const bridge = bridgeName(spec.vni);
    const tunnel = vxlanName(spec.vni);
    const fdb: FdbEntry[] = [];
    const neighbours: NeighbourWanted[] = [];
    const devs = new Set([tunnel, serviceVethName(spec.vni)]);

    fdb.push({ mac: serviceMac, dev: serviceVethName(spec.vni) });
    for (const { serviceIp } of spec.subnets) {
      if (serviceIp !== undefined) neighbours.push({ ip: serviceIp, mac: serviceMac });
    }
    const ipv6 = hasIp6(spec);
    if (ipv6) neighbours.push({ ip: linkLocalOf(serviceMac), mac: serviceMac });
    if (spec.subnets.length > 0) neighbours.push({ ip: metadataIp, mac: serviceMac });
    for (const leg of this.book.legsOf(networkId)) {
      const dev = routerLegName(leg.routerId, spec.vni);
      // A router on several of the network's subnets has one leg there.
      if (!devs.has(dev)) fdb.push({ mac: routerMac(leg.routerId), dev });
      devs.add(dev);
      const mac = routerMac(leg.routerId);
      neighbours.push(isIp6(leg.ip) ? { ip: leg.ip, mac, router: true } : { ip: leg.ip, mac });
      if (isIp6(leg.ip)) neighbours.push({ ip: linkLocalOf(mac), mac, router: true });
    }
    for (const { spec: port } of this.book.portsOf(networkId)) {
      devs.add(tapName(port.portId));
      if (port.isComing === true) continue;
      fdb.push({ mac: port.mac, dev: tapName(port.portId) });
      for (const ip of [port.ip, ...(port.moreIps ?? [])]) neighbours.push({ ip, mac: port.mac });
      if (ipv6) neighbours.push(...addresses6(port).map((ip) => ({ ip, mac: port.mac })));
    }
    const localMacs = new Set(fdb.map((entry) => entry.mac));
    const localIps = new Set(neighbours.map((entry) => entry.ip));
    const forwarding = this.book.forwarding.get(networkId)?.spec;
    for (const vtepIp of new Set(forwarding?.peerVtepIps)) {
      if (vtepIp !== this.options.vtepIp) fdb.push({ mac: floodMac, dev: tunnel, vtepIp });
    }
    const remoteMacs = new Set<string>();
    for (const port of forwarding?.remotePorts ?? []) {
      if (localMacs.has(port.mac) || port.vtepIp === this.options.vtepIp) continue;
      // A port with several addresses comes once for each.
      if (!remoteMacs.has(port.mac)) {
        fdb.push({ mac: port.mac, dev: tunnel }, { mac: port.mac, dev: tunnel, vtepIp: port.vtepIp });
      }
      remoteMacs.add(port.mac);
      if (!localIps.has(port.ip)) neighbours.push({ ip: port.ip, mac: port.mac });
      if (ipv6 && isIp6(port.ip)) neighbours.push({ ip: linkLocalOf(port.mac), mac: port.mac });
    }

    const [links, foundFdb, foundNeighbours] = await Promise.all([
      this.netns.links(signal),
      this.netns.fdb(bridge, signal),
      this.netns.neighbours(bridge, signal),
    ]);
    // Entries on interfaces that the book does not know are not touched; and of what the book knows, an agent that died
    // may not have made all: the call that makes the interface comes back here.
    const known = foundFdb.filter((entry) => devs.has(entry.dev));
    const bridgeLines = fdbLines(
      known,
      fdb.filter((entry) => links.has(entry.dev)),
    );
    // Without IPv6 of its own the bridge has no neighbours to answer for. It has no address, and takes none.
    if (ipv6) await this.#ensureBridgeIp6(bridge, signal);
    const ipLines = neighbourLines(
      bridge,
      foundNeighbours,
      ipv6 ? neighbours : neighbours.filter(({ ip }) => !isIp6(ip)),
    );
    await this.netns.bridgeBatch(bridgeLines, signal);
    await this.netns.ipBatch(ipLines, signal);
    return bridgeLines.length + ipLines.length > 0;
  }

  async #ensureBridgeIp6(bridge: string, signal: AbortSignal): Promise<void> {
    const of = (name: string): string => `net.ipv6.conf.${bridge}.${name}`;
    await this.netns.ensureSysctls(
      { [of('accept_ra')]: '0', [of('autoconf')]: '0', [of('disable_ipv6')]: '0' },
      signal,
    );
  }
}
