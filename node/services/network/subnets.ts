/** Subnets: a prefix, its gateway, its pools, and the address of its DHCP and metadata service. */

import { transitCidr } from '../../../drivers/vxlan/links/vni.ts';
import { identityCidr } from '../../../drivers/vxlan/model/metadata.ts';
import { serviceMac } from '../../../drivers/vxlan/model/names.ts';
import { shoal } from '../../../proto/messages.ts';
import { definedOf } from '../../base/defined-of.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { hostTable, networkTable, portTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { badAttribute, badRequest, refuse } from '../kit/network-refusals.ts';
import { canSeeSubnet, ownNetwork, ownSubnet, projectFor, seeSubnet } from '../kit/ownership.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { type Attempt, type Change, transact } from '../kit/transact.ts';
import { transactInPieces, unfinished } from '../kit/transact-in-pieces.ts';
import { giveAutoAddresses, subnetInUse, takeAutoAddresses } from './auto-addresses.ts';
import {
  canonicalIp,
  contains,
  firstOf,
  formatIp,
  formatPrefix,
  type IpFamily,
  type IpPrefix,
  type IpRange,
  lastOf,
  overlaps,
  parseIp,
  rangeWithout,
  usableRange,
} from './kit/address.ts';
import { allocateAddress, poolRanges, takeAddress } from './kit/allocation.ts';
import { autoAddressOf, checkModes, isAutoAddressed } from './kit/ipv6-modes.ts';
import { prefixOf } from './kit/prefix-of.ts';
import { checkText } from './kit/text.ts';
import { requireUnused, use } from './kit/uses.ts';
import { touchNetwork } from './network-record.ts';
import { mtuMin6 } from './options.ts';
import { allot } from './pools/allotment.ts';
import { dhcpPortsOf, insertPortRow, isServicePort, keepMac, removePortRow } from './port-record.ts';
import { checkRoutes } from './routes.ts';

/** Most pools, name servers and routes of a subnet: Neutron's own limits for the last two. */
const poolsMax = 16;
const dnsServersMax = 5;
const hostRoutesMax = 20;
/** Most subnets of a network: every host that carries it serves each of them. */
const subnetsMax = 256;
/** Most of those in which every port has an address: a port has few. */
const autoSubnetsMax = 16;

/**
 * What a caller may say of a new subnet. All addresses are of the family of `cidr`; absent `pools`: all usable addresses but
 * the gateway's. At most 16 pools, 5 name servers and 20 routes.
 */
export interface SubnetDraft {
  readonly networkId: string;
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  /** Absent only with `pool`, which then chooses. */
  readonly cidr?: string;
  /** The subnet pool that its prefix is cut from: an id, or `default`. */
  readonly pool?: string;
  /** 4 or 6, checked against everything else. Absent: that of the prefix. */
  readonly ipVersion?: number;
  /** Neutron's `ipv6_address_mode` and `ipv6_ra_mode`. */
  readonly ipv6AddressMode?: string;
  readonly ipv6RaMode?: string;
  /** Bits that a prefix which the pool chooses shall have; absent: the pool's default. */
  readonly prefixLength?: number;
  /** Absent: the first usable address; null: none. */
  readonly gatewayIp?: string | null;
  readonly dhcp?: boolean;
  readonly pools?: readonly { readonly start: string; readonly end: string }[];
  readonly dnsServers?: readonly string[];
  readonly hostRoutes?: readonly { readonly destination: string; readonly nextHop: string }[];
}

/** What a caller may change; an absent field stays. A subnet keeps its network and its prefix. */
export type SubnetPatch = Partial<Omit<SubnetDraft, Kept>> & { readonly tags?: readonly string[] };
type Kept =
  | 'networkId'
  | 'cidr'
  | 'pool'
  | 'prefixLength'
  | 'projectId'
  | 'ipVersion'
  | 'ipv6AddressMode'
  | 'ipv6RaMode';

/**
 * Neutron's subnets. One that the caller may not see is `NOT_FOUND`; changing one that is seen and is another project's
 * is 403. A network has 256 at most, of which none overlaps another.
 */
export class Subnets {
  readonly #deps: ServiceDependencies;
  readonly #onExternal: (context: RequestContext, networkId: string) => Promise<void>;

  /** @param onExternal called when an external network has a new subnet. */
  constructor(
    deps: ServiceDependencies,
    onExternal: (context: RequestContext, networkId: string) => Promise<void> = async () => {},
  ) {
    this.#deps = deps;
    this.#onExternal = onExternal;
  }

  list(context: RequestContext, reader: StateReader): readonly shoal.v1.Subnet[] {
    return subnetTable
      .list(reader)
      .map((row) => row.record)
      .filter((subnet) => canSeeSubnet(context, reader, subnet));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Subnet {
    return seeSubnet(context, reader, id).record;
  }

  /** All of them, or none. */
  async create(context: RequestContext, drafts: readonly SubnetDraft[]): Promise<readonly shoal.v1.Subnet[]> {
    const ids = drafts.map(() => ({ subnet: this.#deps.newId(), port: this.#deps.newId() }));
    const { made, external } = await transact(this.#deps, context, (attempt) => {
      const made: shoal.v1.Subnet[] = [];
      drafts.forEach((draft, index) => {
        made.push(this.#plan(context, attempt, draft, ids[index] as { subnet: string; port: string }, made));
      });
      const networkIds = new Set(made.map((subnet) => subnet.networkId));
      return {
        made,
        external: [...networkIds].filter((id) => networkTable.get(attempt.reader, id)?.record.external === true),
      };
    });
    for (const networkId of external) await this.#onExternal(context, networkId);
    await giveAutoAddresses(
      this.#deps,
      context,
      made.filter(isAutoAddressed).map(({ id }) => id),
    );
    return made;
  }

  async update(context: RequestContext, id: string, patch: SubnetPatch): Promise<shoal.v1.Subnet> {
    checkText('name', patch.name);
    checkText('description', patch.description);
    const portId = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const row = ownSubnet(context, attempt.reader, id);
      const prefix = prefixOf(row.record.cidr);
      const gatewayIp = patch.gatewayIp === undefined ? row.record.gatewayIp : canonical(patch.gatewayIp ?? '');
      if (gatewayIp !== row.record.gatewayIp) this.#checkGatewayChange(attempt.reader, row.record, gatewayIp);
      const pools =
        patch.pools === undefined ? poolRanges(row.record) : parsePools(patch.pools, prefix, row.record.cidr);
      checkGateway(gatewayIp, prefix, pools);
      checkModes(modesOf(row.record), prefix, { dhcp: patch.dhcp ?? row.record.dhcp, external: false });
      const next = new shoal.v1.Subnet({
        ...row.record,
        ...definedOf({ name: patch.name, description: patch.description, dhcp: patch.dhcp }),
        gatewayIp,
        pools: pools.map(toPool),
        dnsServers: [...parseDnsServers(patch.dnsServers ?? row.record.dnsServers, prefix.family)],
        hostRoutes: [...parseRoutes(patch.hostRoutes ?? row.record.hostRoutes, prefix.family)],
        tags: [...(patch.tags ?? row.record.tags)],
        updatedMs: this.#deps.clock.nowMs(),
      });
      this.#planService(attempt, row.record, next, portId);
      subnetTable.update(attempt.change, row, next);
      return next;
    });
  }

  /**
   * 409 `SubnetInUse` while a port other than its DHCP port has an address of it. Addresses that ports have made of their MACs go
   * with it, in pieces where they are very many; but not while a router is on it.
   */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transactInPieces(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownSubnet(context, reader, id);
      if (takeAutoAddresses(attempt, row.record, this.#deps.clock.nowMs()) === 'took some') return unfinished;
      requireUnused(change, reader, 'subnet', id, () => subnetInUse(id));
      this.#dropServiceAddress(attempt, row.record);
      removeSubnetRow(change, row);
      return undefined;
    });
  }

  #plan(
    context: RequestContext,
    attempt: Attempt,
    draft: SubnetDraft,
    ids: { readonly subnet: string; readonly port: string },
    madeBefore: readonly shoal.v1.Subnet[],
  ): shoal.v1.Subnet {
    checkText('name', draft.name);
    checkText('description', draft.description);
    const { reader, change } = attempt;
    const networkRow = ownNetwork(context, reader, draft.networkId);
    const network = networkRow.record;
    const projectId =
      draft.projectId === undefined ? network.projectId || context.projectId : projectFor(context, draft.projectId);
    const allotted =
      draft.pool === undefined
        ? undefined
        : allot(context, attempt, projectId, { ...draft, pool: draft.pool }, madeBefore);
    const prefix = allotted?.prefix ?? prefixOf(draft.cidr ?? '');
    const cidr = draft.cidr ?? formatPrefix(prefix);
    checkVersion(draft.ipVersion, prefix, cidr);
    checkPrefix(reader, prefix, cidr, network);
    const modes = { addressMode: draft.ipv6AddressMode ?? '', raMode: draft.ipv6RaMode ?? '' };
    checkModes(modes, prefix, { dhcp: draft.dhcp ?? true, external: network.external });
    const siblings = [
      ...subnetTable.by(reader, 'network', indexKey(network.id)).map((row) => row.record),
      ...madeBefore.filter((subnet) => subnet.networkId === network.id),
    ];
    // As in Neutron: guests of one network would else be in the same pool or not by chance.
    const family = siblings.filter((sibling) => prefixOf(sibling.cidr).family === prefix.family);
    if (family.some((sibling) => sibling.subnetPoolId !== (allotted?.poolId ?? ''))) {
      throw badRequest(
        'Subnets hosted on the same network must be allocated from the same subnet pool.',
        'NetworkSubnetPoolAffinityError',
      );
    }
    for (const sibling of siblings) {
      if (overlaps(prefixOf(sibling.cidr), prefix)) {
        throw badRequest(
          `Invalid input for operation: Requested subnet with cidr: ${formatPrefix(prefix)} for network: ${network.id} ` +
            'overlaps with another subnet.',
          'InvalidInput',
        );
      }
    }
    if (siblings.length >= subnetsMax) throw badRequest(`A network may have ${subnetsMax} subnets at most.`);
    if (
      siblings.filter(isAutoAddressed).length >= autoSubnetsMax &&
      isAutoAddressed({ ipv6AddressMode: modes.addressMode, ipv6RaMode: modes.raMode })
    ) {
      throw badRequest(`A network may have ${autoSubnetsMax} subnets with automatic addresses at most.`);
    }
    const usable = usableRange(prefix);
    const gatewayIp = draft.gatewayIp === undefined ? formatIp(firstOf(usable)) : canonical(draft.gatewayIp ?? '');
    const pools =
      draft.pools === undefined || draft.pools.length === 0
        ? rangeWithout(usable, parseIp(gatewayIp))
        : parsePools(draft.pools, prefix, cidr);
    checkGateway(gatewayIp, prefix, pools);
    const now = this.#deps.clock.nowMs();
    const subnet = new shoal.v1.Subnet({
      id: ids.subnet,
      name: draft.name ?? '',
      projectId,
      networkId: network.id,
      cidr: formatPrefix(prefix),
      subnetPoolId: allotted?.poolId ?? '',
      gatewayIp,
      dhcp: draft.dhcp ?? true,
      pools: pools.map(toPool),
      dnsServers: [...parseDnsServers(draft.dnsServers ?? [], prefix.family)],
      hostRoutes: [...parseRoutes(draft.hostRoutes ?? [], prefix.family)],
      description: draft.description ?? '',
      createdMs: now,
      updatedMs: now,
      ipv6AddressMode: modes.addressMode,
      ipv6RaMode: modes.raMode,
    });
    if (!network.external && subnet.dhcp) subnet.serviceIp = this.#serviceAddress(attempt, subnet, ids.port, now);
    chargeQuota(change, reader, projectId, { subnet: 1 });
    if (subnet.subnetPoolId !== '') use(change, 'subnet-pool', subnet.subnetPoolId, 1);
    subnetTable.insert(change, subnet);
    touchNetwork(attempt, networkRow, now);
    return subnet;
  }

  /** DHCP has a port while it is on. `next` is not yet written. */
  #planService(attempt: Attempt, before: shoal.v1.Subnet, next: shoal.v1.Subnet, portId: string): void {
    const { reader } = attempt;
    if (networkTable.get(reader, next.networkId)?.record.external === true) return;
    if (next.dhcp && before.serviceIp === '') {
      next.serviceIp = this.#serviceAddress(attempt, next, portId, next.updatedMs);
    } else if (!next.dhcp && before.serviceIp !== '') {
      this.#dropServiceAddress(attempt, before);
      next.serviceIp = '';
    }
  }

  /** The service's address is a port like any other, so that nothing else can get it. */
  #serviceAddress(attempt: Attempt, subnet: shoal.v1.Subnet, portId: string, nowMs: number): string {
    const ip = isAutoAddressed(subnet)
      ? takenAutoAddress(attempt, subnet)
      : (lowestFree(attempt, subnet) ?? allocateAddress(attempt, subnet));
    if (ip === undefined) {
      throw badRequest(
        `Subnet ${subnet.cidr} has no address for its DHCP and metadata service in its allocation pools.`,
        'InvalidInput',
      );
    }
    const port = new shoal.v1.Port({
      id: portId,
      projectId: subnet.projectId,
      networkId: subnet.networkId,
      // The MAC that every host gives the service, so that the record says what guests see.
      mac: serviceMac,
      sharesMac:
        servicePortsOn(attempt.reader, subnet.networkId).length > 0 || !attempt.change.take(`dhcp/${subnet.networkId}`),
      fixedIps: [new shoal.v1.FixedIp({ subnetId: subnet.id, ip })],
      deviceId: `dhcp-${subnet.networkId}`,
      deviceOwner: deviceOwners.dhcp,
      adminStateUp: true,
      createdMs: nowMs,
      updatedMs: nowMs,
      status: 'ACTIVE',
    });
    insertPortRow(attempt.change, attempt.reader, port);
    return ip;
  }

  /** Takes the port of a subnet's service away. */
  #dropServiceAddress({ reader, change }: Attempt, subnet: shoal.v1.Subnet): void {
    if (subnet.serviceIp === '') return;
    const port = portTable.one(reader, 'ip', indexKey(subnet.id, subnet.serviceIp));
    if (port === undefined || !isServicePort(reader, port.record)) return;
    removePortRow(change, port);
    keepMac(change, port.record, servicePortsOn(reader, subnet.networkId));
  }

  #checkGatewayChange(reader: StateReader, subnet: shoal.v1.Subnet, gatewayIp: string): void {
    const current = portTable.one(reader, 'ip', indexKey(subnet.id, subnet.gatewayIp))?.record;
    if (current !== undefined && isServicePort(reader, current)) {
      throw refuse(
        'CONFLICT',
        'GatewayIpInUse',
        `Current gateway ip ${subnet.gatewayIp} already in use by port ${current.id}. Unable to update.`,
      );
    }
    const holder = gatewayIp === '' ? undefined : portTable.one(reader, 'ip', indexKey(subnet.id, gatewayIp))?.record;
    if (holder !== undefined) {
      throw refuse('CONFLICT', 'IpAddressInUse', `The IP address ${gatewayIp} is in use by port ${holder.id}.`);
    }
  }
}

/** The ports of a network's DHCP: one for each subnet that has it, all with the MAC that every host gives the service. */
function servicePortsOn(reader: StateReader, networkId: string): readonly Row<shoal.v1.Port>[] {
  return dhcpPortsOf(portTable.by(reader, 'network', indexKey(networkId))).filter(({ record }) =>
    isServicePort(reader, record),
  );
}

/** Removes a subnet's row and gives its quota back. Its ports are the caller's concern. */
export function removeSubnetRow(change: Change, row: Row<shoal.v1.Subnet>): void {
  refundQuota(change, row.record.projectId, { subnet: 1 });
  if (row.record.subnetPoolId !== '') use(change, 'subnet-pool', row.record.subnetPoolId, -1);
  subnetTable.remove(change, row);
}

/** The first address of the pools is where people expect the service to be. */
function lowestFree(attempt: Attempt, subnet: shoal.v1.Subnet): string | undefined {
  const [pool] = poolRanges(subnet);
  if (pool === undefined) return undefined;
  const ip = formatIp(firstOf(pool));
  return takeAddress(attempt, subnet.id, ip) ? ip : undefined;
}

/**
 * Ranges that no subnet may touch: they mean something else to every host and guest, or are what routers and the metadata
 * service of each host speak by.
 */
const reserved = [
  ...['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', identityCidr, transitCidr],
  // RFC 4291: unspecified, loopback and what holds IPv4 addresses; link-local; multicast.
  ...['::/8', 'fe80::/10', 'ff00::/8'],
].map((cidr) => prefixOf(cidr));

/** The service's own address where addresses are made of MACs. Undefined: a port has it. */
function takenAutoAddress(attempt: Attempt, subnet: shoal.v1.Subnet): string | undefined {
  const ip = autoAddressOf(prefixOf(subnet.cidr), serviceMac);
  return takeAddress(attempt, subnet.id, ip) ? ip : undefined;
}

function modesOf(subnet: shoal.v1.Subnet): { readonly addressMode: string; readonly raMode: string } {
  return { addressMode: subnet.ipv6AddressMode, raMode: subnet.ipv6RaMode };
}

/** An address in its one form. What is none stays as it is, for the check that names it. */
function canonical(ip: string): string {
  return canonicalIp(ip) ?? ip;
}

function checkVersion(version: number | undefined, prefix: IpPrefix, cidr: string): void {
  if (version === undefined || version === prefix.family) return;
  throw badRequest(
    `Invalid input for operation: cidr '${cidr}' does not match the ip_version '${version}'.`,
    'InvalidInput',
  );
}

/** Throws 400 for a prefix that is too large, too small, or not the tenant's to have. */
function checkPrefix(
  reader: StateReader,
  prefix: IpPrefix,
  cidr: string,
  { external, mtu }: Pick<shoal.v1.Network, 'external' | 'mtu'>,
): void {
  if (prefix.family === 6 && mtu < mtuMin6) {
    throw badRequest(
      `Invalid input for operation: IPv6 needs an MTU of ${mtuMin6}, and the network's is ${mtu}.`,
      'InvalidInput',
    );
  }
  const range = reserved.find((candidate) => overlaps(candidate, prefix));
  if (prefix.prefixLength < 8 || range !== undefined) {
    const why = range === undefined ? 'its prefix is shorter than 8 bits' : `${formatPrefix(range)} is reserved`;
    throw badRequest(`Invalid input for operation: Invalid CIDR ${cidr} given as IP subnet: ${why}.`, 'InvalidInput');
  }
  // An external network may well be the one that hosts are on; a tenant's would hide them from its guests' routers.
  const isUnderlay = !external && hostTable.list(reader).some(({ record }) => contains(prefix, parseIp(record.vtepIp)));
  if (isUnderlay) {
    throw badRequest(
      `Invalid input for operation: Invalid CIDR ${cidr} given as IP subnet: the hosts of this cloud are in it.`,
      'InvalidInput',
    );
  }
  if (prefix.prefixLength > (prefix.family === 4 ? 30 : 126) && !external) {
    throw badRequest(
      `Invalid input for operation: Subnet ${cidr} has no room for a gateway and a guest.`,
      'InvalidInput',
    );
  }
}

function checkGateway(gatewayIp: string, prefix: IpPrefix, pools: readonly IpRange[]): void {
  if (gatewayIp === '') return;
  const address = parseIp(gatewayIp);
  if (address === undefined) {
    throw badAttribute('gateway_ip', `'${gatewayIp}' is not a valid IP address`);
  }
  if (!contains(usableRange(prefix), address)) {
    throw badRequest('Invalid input for operation: Gateway is not valid on subnet.', 'InvalidInput');
  }
  const pool = pools.find((range) => contains(range, address));
  if (pool !== undefined) {
    throw refuse(
      'CONFLICT',
      'GatewayConflictWithAllocationPools',
      `Gateway ip ${gatewayIp} conflicts with allocation pool ${formatIp(firstOf(pool))}-${formatIp(lastOf(pool))}.`,
    );
  }
}

function parsePools(
  pools: readonly { readonly start: string; readonly end: string }[],
  prefix: IpPrefix,
  cidr: string,
): readonly IpRange[] {
  if (pools.length > poolsMax) throw badRequest(`A subnet may have ${poolsMax} allocation pools at most.`);
  const ranges: IpRange[] = [];
  for (const pool of pools) {
    const first = parseIp(pool.start);
    const last = parseIp(pool.end);
    if (first === undefined || last?.family !== first.family || first.value > last.value) {
      throw badRequest(`The allocation pool ${pool.start}-${pool.end} is not valid.`, 'InvalidAllocationPool');
    }
    const range = { family: first.family, first: first.value, last: last.value };
    const usable = usableRange(prefix);
    if (!contains(usable, first) || !contains(usable, last)) {
      throw badRequest(
        `The allocation pool ${pool.start}-${pool.end} spans beyond the subnet cidr ${cidr}.`,
        'OutOfBoundsAllocationPool',
      );
    }
    const other = ranges.find((earlier) => overlaps(earlier, range));
    if (other !== undefined) {
      throw refuse('CONFLICT', 'OverlappingAllocationPools', `Found overlapping allocation pools for subnet ${cidr}.`);
    }
    ranges.push(range);
  }
  return ranges.sort((a, b) => (a.first < b.first ? -1 : 1));
}

function toPool(range: IpRange): shoal.v1.AddressRange {
  return new shoal.v1.AddressRange({ start: formatIp(firstOf(range)), end: formatIp(lastOf(range)) });
}

function parseDnsServers(given: readonly string[], family: IpFamily): readonly string[] {
  const servers = given.map(canonical);
  if (servers.length > dnsServersMax) {
    throw badRequest(`The number of DNS nameservers exceeds the limit ${dnsServersMax}.`, 'DNSNameServersExhausted');
  }
  for (const [at, server] of servers.entries()) {
    const address = parseIp(server);
    if (address !== undefined && address.family !== family) {
      throw badRequest(
        `Invalid input for operation: dns_nameserver '${server}' does not match the ip_version '${family}'.`,
        'InvalidInput',
      );
    }
    if (address === undefined) {
      throw badAttribute(
        'dns_nameservers',
        `'${server}' is not a valid nameserver. '${server}' is not a valid IP address`,
      );
    }
    if (servers.indexOf(server) !== at) throw badAttribute('dns_nameservers', `Duplicate nameserver '${server}'`);
  }
  return servers;
}

function parseRoutes(
  routes: readonly { readonly destination: string; readonly nextHop: string }[],
  family: IpFamily,
): readonly shoal.v1.HostRoute[] {
  if (routes.length > hostRoutesMax) {
    throw badRequest(`The number of host routes exceeds the limit ${hostRoutesMax}.`, 'HostRoutesExhausted');
  }
  return checkRoutes('host_routes', routes, family);
}
