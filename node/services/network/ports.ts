/** Ports: a MAC and addresses on a network, for whatever is plugged in there. */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { networkTable, portTable, securityGroupTable, serverTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../context.ts';
import type { ServiceDependencies } from '../dependencies.ts';
import {
  canSeePort,
  checkDevice,
  isOwner,
  projectFor,
  seeNetwork,
  seePort,
  seeSubnet,
  serverOfPort,
} from '../ownership.ts';
import { type Attempt, transact } from '../transact.ts';
import { contains, parseIpv4, parsePrefix, usableRange } from './address.ts';
import { allocateAddress, allocateMac, takeAddress } from './allocation.ts';
import { definedOf } from './networks.ts';
import { insertPortRow, isServicePort, releaseFloatingIps, removePortRow, updatePortRow } from './port-record.ts';
import { badRequest, forbidden, notFound, refuse } from './refusals.ts';
import { planDefaultGroup } from './security-groups.ts';
import { prefixOf } from './subnets.ts';
import { checkText } from './text.ts';

/** Most addresses and address pairs of one port; Neutron's defaults are 5 and 10. */
const fixedIpsMax = 5;
const addressPairsMax = 10;

/** An address that a caller asks for: a subnet, an address, or both. */
export interface FixedIpDraft {
  readonly subnetId?: string;
  readonly ip?: string;
}

export interface PortDraft {
  readonly networkId: string;
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly mac?: string;
  /** Absent: one address of the network's subnet, when it has one. */
  readonly fixedIps?: readonly FixedIpDraft[];
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly adminStateUp?: boolean;
  readonly portSecurityEnabled?: boolean;
  /** Absent: the project's default group. */
  readonly securityGroupIds?: readonly string[];
  readonly allowedAddressPairs?: readonly { readonly mac?: string; readonly ip: string }[];
}

export type PortPatch = Partial<Omit<PortDraft, 'networkId' | 'projectId'>> & { readonly tags?: readonly string[] };

/** Which ports to list; a field that is absent does not matter. */
export interface PortFilter {
  readonly networkId?: string;
  readonly deviceId?: string;
}

export class Ports {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader, filter: PortFilter = {}): readonly shoal.v1.Port[] {
    return portRows(reader, filter)
      .map((row) => row.record)
      .filter((port) => canSeePort(context, reader, port));
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.Port {
    return seePort(context, reader, id).record;
  }

  /** All of them, or none. */
  async create(context: RequestContext, drafts: readonly PortDraft[]): Promise<readonly shoal.v1.Port[]> {
    const ids = drafts.map(() => this.#deps.newId());
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) =>
      drafts.map((draft, index) =>
        planPort(context, attempt, draft, { id: ids[index] as string, nowMs, newId: this.#deps.newId }),
      ),
    );
  }

  async update(context: RequestContext, id: string, patch: PortPatch): Promise<shoal.v1.Port> {
    checkText('name', patch.name);
    checkText('description', patch.description);
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = seePort(context, reader, id);
      if (!isOwner(context, row.record)) throw forbidden('changing a port of another project');
      const networkRow = networkTable.must(reader, row.record.networkId);
      checkPrivileges(context, networkRow.record, patch);
      checkDeviceChange(context, reader, row.record, patch);
      const next = this.#patched(context, attempt, row, networkRow.record, patch);
      const keep = next.fixedIps.map((fixed) => fixed.ip);
      releaseFloatingIps(change, reader, row.record, next.updatedMs, keep);
      updatePortRow(change, row, next);
      return next;
    });
  }

  /** Ports that routers, floating IPs and DHCP live by go with those alone: 409 `ServicePortInUse`. */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seePort(context, reader, id);
      const port = row.record;
      if (!isOwner(context, port)) throw forbidden('deleting a port of another project');
      if (isServicePort(reader, port)) {
        throw refuse(
          'CONFLICT',
          'ServicePortInUse',
          `Port ${id} cannot be deleted directly via the port API: has device owner ${port.deviceOwner}.`,
        );
      }
      const nowMs = this.#deps.clock.nowMs();
      const server = serverOfPort(reader, port);
      if (server !== undefined) {
        const portIds = server.record.portIds.filter((portId) => portId !== id);
        serverTable.update(change, server, new shoal.v1.Server({ ...server.record, portIds, updatedMs: nowMs }));
      }
      releaseFloatingIps(change, reader, port, nowMs);
      removePortRow(change, row);
    });
  }

  #patched(
    context: RequestContext,
    attempt: Attempt,
    row: Row<shoal.v1.Port>,
    network: shoal.v1.Network,
    patch: PortPatch,
  ): shoal.v1.Port {
    const port = row.record;
    if (patch.mac !== undefined && patch.mac !== port.mac && port.hostId !== '') {
      throw refuse('CONFLICT', 'PortBound', `Unable to complete operation on port ${port.id}, port is already bound.`);
    }
    const fixedIps =
      patch.fixedIps === undefined
        ? port.fixedIps
        : planAddresses(context, attempt, network, patch.fixedIps, port.fixedIps);
    const portSecurityEnabled = patch.portSecurityEnabled ?? port.portSecurityEnabled;
    const securityGroupIds = patch.securityGroupIds ?? port.securityGroupIds;
    checkGroups(
      context,
      attempt,
      securityGroupIds.filter((id) => !port.securityGroupIds.includes(id)),
      port.projectId,
    );
    const pairs = patch.allowedAddressPairs;
    const next = new shoal.v1.Port({
      ...port,
      ...definedOf({
        name: patch.name,
        description: patch.description,
        adminStateUp: patch.adminStateUp,
        deviceId: patch.deviceId,
        deviceOwner: patch.deviceOwner,
      }),
      mac: patch.mac === undefined ? port.mac : wantedMac(attempt, network.id, patch.mac, port.mac),
      fixedIps: [...fixedIps],
      portSecurityEnabled,
      securityGroupIds: [...securityGroupIds],
      allowedAddressPairs: pairs === undefined ? port.allowedAddressPairs : pairs.map(toPair),
      tags: [...(patch.tags ?? port.tags)],
      updatedMs: this.#deps.clock.nowMs(),
    });
    checkSecurityAgrees(next);
    return next;
  }
}

/** The ports that a filter can find by index, or all. */
export function portRows(reader: StateReader, filter: PortFilter): readonly Row<shoal.v1.Port>[] {
  if (filter.deviceId !== undefined && filter.deviceId !== '') {
    return portTable.by(reader, 'device', indexKey(filter.deviceId));
  }
  if (filter.networkId !== undefined) return portTable.by(reader, 'network', indexKey(filter.networkId));
  return portTable.list(reader);
}

/** What the service knows of a new port beside its draft. */
export interface PortMaking {
  readonly id: string;
  readonly nowMs: number;
  readonly newId: () => string;
  /** Where its guest will be. */
  readonly hostId?: string;
  readonly madeForServer?: boolean;
}

/** Writes a new port into the change: addresses, MAC, groups, quota. Part of one transaction with whatever needs it. */
export function planPort(
  context: RequestContext,
  attempt: Attempt,
  draft: PortDraft,
  making: PortMaking,
): shoal.v1.Port {
  checkText('name', draft.name);
  checkText('description', draft.description);
  const { reader, change } = attempt;
  const network = seeNetwork(context, reader, draft.networkId).record;
  checkPrivileges(context, network, draft);
  // A new server's own record is not there yet.
  if (making.madeForServer !== true) {
    checkDevice(context, reader, { deviceId: draft.deviceId ?? '', deviceOwner: draft.deviceOwner ?? '' });
  }
  const projectId = projectFor(context, draft.projectId);
  change.compare({ key: networkTable.key(network.id), exists: true });
  const fixedIps =
    draft.fixedIps === undefined
      ? planAnyAddress(attempt, network)
      : planAddresses(context, attempt, network, draft.fixedIps);
  const portSecurityEnabled = draft.portSecurityEnabled ?? network.portSecurityEnabled;
  const port = new shoal.v1.Port({
    id: making.id,
    name: draft.name ?? '',
    projectId,
    networkId: network.id,
    mac: draft.mac === undefined ? allocateMac(attempt, network.id) : wantedMac(attempt, network.id, draft.mac),
    fixedIps: [...fixedIps],
    deviceId: draft.deviceId ?? '',
    deviceOwner: draft.deviceOwner ?? '',
    securityGroupIds: [...planGroups(context, attempt, draft, projectId, portSecurityEnabled, making)],
    adminStateUp: draft.adminStateUp ?? true,
    portSecurityEnabled,
    description: draft.description ?? '',
    createdMs: making.nowMs,
    updatedMs: making.nowMs,
    status: 'DOWN',
    hostId: making.hostId ?? '',
    allowedAddressPairs: (draft.allowedAddressPairs ?? []).map(toPair),
    madeForServer: making.madeForServer ?? false,
  });
  checkSecurityAgrees(port);
  insertPortRow(change, reader, port);
  return port;
}

function planGroups(
  context: RequestContext,
  attempt: Attempt,
  draft: PortDraft,
  projectId: string,
  portSecurityEnabled: boolean,
  making: PortMaking,
): readonly string[] {
  if (draft.securityGroupIds !== undefined) {
    checkGroups(context, attempt, draft.securityGroupIds, projectId);
    return [...new Set(draft.securityGroupIds)];
  }
  const isSystemPort = (draft.deviceOwner ?? '').startsWith('network:');
  if (!portSecurityEnabled || isSystemPort || projectId === '') return [];
  return [planDefaultGroup(attempt, projectId, making).id];
}

/** Groups must be there, and the port's project's own. The commit compares that they still are. */
function checkGroups(context: RequestContext, attempt: Attempt, groupIds: readonly string[], projectId: string): void {
  for (const id of groupIds) {
    const group = securityGroupTable.get(attempt.reader, id)?.record;
    const usable = group !== undefined && (group.projectId === projectId || context.isAdmin);
    if (!usable) throw notFound('security_group', id);
    attempt.change.compare({ key: securityGroupTable.key(id), exists: true });
  }
}

function checkSecurityAgrees(port: shoal.v1.Port): void {
  if (port.portSecurityEnabled) return;
  if (port.securityGroupIds.length > 0) {
    throw refuse(
      'CONFLICT',
      'PortSecurityPortHasSecurityGroup',
      'Port has security group associated. Cannot disable port security until security group is removed.',
    );
  }
  if (port.allowedAddressPairs.length > 0) {
    throw refuse(
      'CONFLICT',
      'AddressPairAndPortSecurityRequired',
      'Port Security must be enabled in order to have allowed address pairs on a port.',
    );
  }
}

/**
 * Who does not own the network takes the MAC and the address that it gives, and speaks from no other. So a gateway's
 * address is its network's owner's to give away.
 */
function checkPrivileges(
  context: RequestContext,
  network: shoal.v1.Network,
  draft: Omit<PortDraft, 'networkId' | 'projectId'> | PortPatch,
): void {
  if (isOwner(context, network)) return;
  if (draft.mac !== undefined) throw forbidden('setting mac_address of a port on a network of another project');
  if (draft.fixedIps?.some((fixed) => fixed.ip !== undefined)) {
    throw forbidden('setting fixed_ips of a port on a network of another project');
  }
  if (draft.portSecurityEnabled === false) throw forbidden('disabling port security on a network of another project');
  if (draft.allowedAddressPairs !== undefined && draft.allowedAddressPairs.length > 0) {
    throw forbidden('setting allowed_address_pairs of a port on a network of another project');
  }
}

/**
 * What a port is for is changed by whoever plugged it in. Its owner may write a device into a port that nothing lives by.
 * Throws 409 for a port of a router, a floating IP or DHCP, and for a NIC of a server.
 */
function checkDeviceChange(context: RequestContext, reader: StateReader, port: shoal.v1.Port, patch: PortPatch): void {
  const device = {
    deviceId: patch.deviceId ?? port.deviceId,
    deviceOwner: patch.deviceOwner ?? port.deviceOwner,
  };
  const isSame = device.deviceId === port.deviceId && device.deviceOwner === port.deviceOwner;
  const isMoved = patch.fixedIps !== undefined || (patch.mac !== undefined && normalMac(patch.mac) !== port.mac);
  if ((!isSame || isMoved) && isServicePort(reader, port)) {
    throw refuse(
      'CONFLICT',
      'ServicePortInUse',
      `Port ${port.id} cannot be changed directly via the port API: has device owner ${port.deviceOwner}.`,
    );
  }
  if (isSame) return;
  if (serverOfPort(reader, port)?.record.portIds.includes(port.id) === true) {
    throw refuse(
      'CONFLICT',
      'PortInUse',
      `Unable to complete operation on port ${port.id} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
    );
  }
  checkDevice(context, reader, device);
}

/** One address of the first subnet that has one left; none when the network has no subnet. */
function planAnyAddress(attempt: Attempt, network: shoal.v1.Network): readonly shoal.v1.FixedIp[] {
  const subnets = subnetTable.by(attempt.reader, 'network', indexKey(network.id));
  if (subnets.length === 0) {
    // A subnet that appears meanwhile would have given an address: it touches the network's row.
    networkTable.unchanged(attempt.change, networkTable.must(attempt.reader, network.id));
    return [];
  }
  for (const row of subnets) {
    const ip = allocateAddress(attempt, row.record);
    if (ip === undefined) continue;
    subnetTable.unchanged(attempt.change, row);
    return [new shoal.v1.FixedIp({ subnetId: row.record.id, ip })];
  }
  throw exhausted(network.id);
}

function planAddresses(
  context: RequestContext,
  attempt: Attempt,
  network: shoal.v1.Network,
  drafts: readonly FixedIpDraft[],
  held: readonly shoal.v1.FixedIp[] = [],
): readonly shoal.v1.FixedIp[] {
  if (drafts.length > fixedIpsMax) {
    throw badRequest(`Exceeded maximum amount of fixed ips per port: ${fixedIpsMax}.`, 'InvalidInput');
  }
  return drafts.map((draft) => {
    const row = subnetFor(context, attempt.reader, network, draft);
    const subnet = row.record;
    subnetTable.unchanged(attempt.change, row);
    if (draft.ip === undefined) {
      const kept = held.find(
        (fixed) => fixed.subnetId === subnet.id && attempt.change.take(`ip/${indexKey(subnet.id, fixed.ip)}`),
      );
      const ip = kept?.ip ?? allocateAddress(attempt, subnet);
      if (ip === undefined) throw exhausted(network.id);
      return new shoal.v1.FixedIp({ subnetId: subnet.id, ip });
    }
    const address = parseIpv4(draft.ip);
    if (address === undefined || !contains(usableRange(prefixOf(subnet.cidr)), address)) {
      throw badRequest(`IP address ${draft.ip} is not a valid IP for the specified subnet.`, 'InvalidIpForSubnet');
    }
    const isHeld = held.some((fixed) => fixed.subnetId === subnet.id && fixed.ip === draft.ip);
    if (!isHeld && !takeAddress(attempt, subnet.id, draft.ip)) {
      throw refuse(
        'CONFLICT',
        'IpAddressInUse',
        `Unable to complete operation for network ${network.id}. The IP address ${draft.ip} is in use.`,
      );
    }
    return new shoal.v1.FixedIp({ subnetId: subnet.id, ip: draft.ip });
  });
}

function subnetFor(
  context: RequestContext,
  reader: StateReader,
  network: shoal.v1.Network,
  draft: FixedIpDraft,
): Row<shoal.v1.Subnet> {
  if (draft.subnetId !== undefined) {
    const row = seeSubnet(context, reader, draft.subnetId);
    if (row.record.networkId === network.id) return row;
    throw badRequest(
      `Invalid input for operation: Failed to create port on network ${network.id}, because fixed_ips included invalid subnet ${draft.subnetId}.`,
      'InvalidInput',
    );
  }
  if (draft.ip === undefined) throw badRequest('IP allocation requires subnet_id or ip_address.', 'InvalidInput');
  const address = parseIpv4(draft.ip);
  const row =
    address === undefined
      ? undefined
      : subnetTable
          .by(reader, 'network', indexKey(network.id))
          .find((candidate) => contains(prefixOf(candidate.record.cidr), address));
  if (row === undefined) {
    throw badRequest(
      `IP address ${draft.ip} is not a valid IP for any of the subnets on the specified network.`,
      'InvalidIpForNetwork',
    );
  }
  return row;
}

function exhausted(networkId: string): Error {
  return refuse(
    'ADDRESS_EXHAUSTED',
    'IpAddressGenerationFailure',
    `No more IP addresses available on network ${networkId}.`,
  );
}

/** A MAC that the caller chose: unicast, and free on the network. */
function wantedMac(attempt: Attempt, networkId: string, wanted: string, held?: string): string {
  const mac = normalMac(wanted);
  if (mac === held) return mac;
  const key = indexKey(networkId, mac);
  if (portTable.isTaken(attempt.reader, 'mac', key) || !attempt.change.take(`mac/${key}`)) {
    throw refuse(
      'CONFLICT',
      'MacAddressInUse',
      `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
    );
  }
  return mac;
}

function normalMac(text: string): string {
  const mac = text.toLowerCase().replaceAll('-', ':');
  const isMac = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) && mac !== '00:00:00:00:00:00';
  const isUnicast = Number.parseInt(mac.slice(0, 2), 16) % 2 === 0;
  if (!isMac || !isUnicast) {
    throw badRequest(`Invalid input for mac_address. Reason: '${text}' is not a valid MAC address.`, 'HTTPBadRequest');
  }
  return mac;
}

function toPair(pair: { readonly mac?: string; readonly ip: string }, index: number): shoal.v1.AddressPair {
  if (index >= addressPairsMax) {
    throw badRequest(
      `The number of allowed address pairs exceeds the maximum ${addressPairsMax}.`,
      'AllowedAddressPairExhausted',
    );
  }
  if (parseIpv4(pair.ip) === undefined && parsePrefix(pair.ip) === undefined) {
    throw badRequest(
      `Invalid input for allowed_address_pairs. Reason: '${pair.ip}' is not a valid IP.`,
      'HTTPBadRequest',
    );
  }
  return new shoal.v1.AddressPair({ ip: pair.ip, mac: pair.mac === undefined ? '' : normalMac(pair.mac) });
}

/** Whether a port may be given to a new server: nobody else has it. */
export function isFreePort(port: shoal.v1.Port): boolean {
  return port.deviceId === '' && !port.deviceOwner.startsWith('network:');
}
