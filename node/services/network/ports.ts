/** Ports: a MAC and addresses on a network, for whatever is plugged in there. */

import { shoal } from '../../../proto/messages.ts';
import { definedOf } from '../../base/defined-of.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { networkTable, portTable, securityGroupTable, serverTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { badAttribute, badRequest, forbidden, notFound, refuse } from '../kit/network-refusals.ts';
import { canSeePort, checkDevice, projectFor, seeNetwork, seePort, serverOfPort } from '../kit/ownership.ts';
import { isAdministrator, isAllowedOn, mayActOn } from '../kit/permissions.ts';
import { withLeavingNic, withoutNic } from '../kit/servers/server-nics.ts';
import { leanOnPolicy, policyFor } from '../kit/sharing.ts';
import { type Attempt, type Change, transact } from '../kit/transact.ts';
import { formatPrefix, overlaps, parsePrefix, wholePrefix } from './kit/address.ts';
import { allocateMac } from './kit/allocation.ts';
import { prefixOf } from './kit/prefix-of.ts';
import { checkText } from './kit/text.ts';
import { type FixedIpDraft, planAddresses, planAnyAddress, withAutoAddresses } from './port-addresses.ts';
import { insertPortRow, isServicePort, releaseFloatingIps, removePortRow, updatePortRow } from './port-record.ts';
import { planDefaultGroup } from './security-groups.ts';

/** Most address pairs of one port: Neutron's default. */
const addressPairsMax = 10;

/** What a caller may say of a new port. MACs are six octets in hex, addresses of either family; `ip` of a pair may be a prefix. */
export interface PortDraft {
  readonly networkId: string;
  readonly name?: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly mac?: string;
  /** Absent: one address of each family that the network has a subnet of. */
  readonly fixedIps?: readonly FixedIpDraft[];
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly adminStateUp?: boolean;
  readonly portSecurityEnabled?: boolean;
  /** Absent: the project's default group. */
  readonly securityGroupIds?: readonly string[];
  readonly allowedAddressPairs?: readonly { readonly mac?: string; readonly ip: string }[];
}

/** What a caller may change; an absent field stays. A port keeps its network and its project. */
export type PortPatch = Partial<Omit<PortDraft, 'networkId' | 'projectId'>> & { readonly tags?: readonly string[] };

/** Which ports to list; a field that is absent does not matter. */
interface PortFilter {
  readonly networkId?: string;
  readonly deviceId?: string;
}

/**
 * Neutron's ports. One that the caller may not see is `NOT_FOUND`. The owner of a network sees the ports of others on
 * it, and gets 403 for changing them.
 */
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
      if (!mayActOn(context, row.record)) throw forbidden('update_port', `port ${id} belongs to another project`);
      const networkRow = networkTable.must(reader, row.record.networkId);
      checkPrivileges(context, 'update', networkRow.record, patch);
      checkDeviceChange(context, reader, row.record, patch);
      const released = releasedNic(context, attempt, row.record, patch, this.#deps.clock.nowMs());
      const next = this.#patched(context, attempt, row, networkRow.record, { ...patch, ...released });
      // Its owner keeps it, also where it was made for the server.
      if (released !== undefined) next.madeForServer = false;
      const keep = next.fixedIps.map((fixed) => fixed.ip);
      releaseFloatingIps(change, reader, row.record, next.updatedMs, keep);
      updatePortRow(change, row, next);
      return next;
    });
  }

  /**
   * Ports that routers, floating IPs and DHCP live by go with those alone: 409 `ServicePortInUse`. That of a server which has a host
   * goes once its guest has let go of the NIC; of one which is being deleted, with the guest: 409 `PortInUse`.
   */
  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seePort(context, reader, id);
      const port = row.record;
      if (!mayActOn(context, port)) throw forbidden('delete_port', `port ${id} belongs to another project`);
      if (isServicePort(reader, port)) {
        throw refuse(
          'CONFLICT',
          'ServicePortInUse',
          `Port ${id} cannot be deleted directly via the port API: has device owner ${port.deviceOwner}.`,
        );
      }
      const nowMs = this.#deps.clock.nowMs();
      const server = serverOfPort(reader, port);
      // Its host may be cut off, and its guest go on: until the host says otherwise the address must be nobody else's.
      if (server?.record.deleting === true && port.hostId !== '') {
        throw refuse(
          'CONFLICT',
          'PortInUse',
          `Port ${id} is in use by server ${server.record.id}, which is being deleted. Delete it when the server is gone.`,
        );
      }
      if (server !== undefined && unplug(context, change, server, id, nowMs) === 'later') {
        updatePortRow(change, row, new shoal.v1.Port({ ...port, madeForServer: true, updatedMs: nowMs }));
        return;
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
    const mac = patch.mac === undefined ? port.mac : wantedMac(attempt, network.id, patch.mac, port.mac);
    const fixedIps = patchedAddresses(context, attempt, network, port, { mac, fixedIps: patch.fixedIps });
    const portSecurityEnabled = patch.portSecurityEnabled ?? port.portSecurityEnabled;
    const securityGroupIds = [...new Set(patch.securityGroupIds ?? port.securityGroupIds)];
    checkGroups(
      context,
      attempt,
      securityGroupIds.filter((id) => !port.securityGroupIds.includes(id)),
      port.projectId,
    );
    checkOneKind(attempt.reader, securityGroupIds);
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
      // It was the name of another device's.
      dnsName: patch.deviceId === undefined || patch.deviceId === port.deviceId ? port.dnsName : '',
      mac,
      fixedIps: [...fixedIps],
      portSecurityEnabled,
      securityGroupIds,
      allowedAddressPairs: pairs === undefined ? port.allowedAddressPairs : pairsOf(pairs, mac),
      tags: [...(patch.tags ?? port.tags)],
      updatedMs: this.#deps.clock.nowMs(),
    });
    checkSecurityAgrees(next);
    return next;
  }
}

/** What addresses a port has with this MAC, and what is asked for of them: those that were made of its MAC go with it. */
function patchedAddresses(
  context: RequestContext,
  attempt: Attempt,
  network: shoal.v1.Network,
  port: shoal.v1.Port,
  asked: { readonly mac: string; readonly fixedIps: readonly FixedIpDraft[] | undefined },
): readonly shoal.v1.FixedIp[] {
  const addressed = { mac: asked.mac, deviceOwner: port.deviceOwner, held: port.fixedIps };
  if (asked.fixedIps !== undefined) return planAddresses(context, attempt, network, asked.fixedIps, addressed);
  return asked.mac === port.mac ? port.fixedIps : withAutoAddresses(attempt, network, port.fixedIps, addressed);
}

/**
 * Takes a NIC from a server. `later`: its host does it, as its guest may have it; until then the port is the server's. `now`: there is
 * no guest that could have it.
 */
function unplug(
  context: RequestContext,
  change: Change,
  server: Row<shoal.v1.Server>,
  portId: string,
  nowMs: number,
): 'now' | 'later' {
  const { record } = server;
  const isNic = record.portIds.includes(portId);
  const mayRun = isNic && record.hostId !== '';
  const fields = mayRun ? withLeavingNic(record, portId, context.requestId) : withoutNic(record, portId);
  if (isNic) serverTable.update(change, server, new shoal.v1.Server({ ...record, ...fields, updatedMs: nowMs }));
  return mayRun ? 'later' : 'now';
}

/**
 * What becomes of the device in an update that takes a NIC from its server: nothing yet, when the server's host is to do it.
 * Undefined: the update does not do that.
 */
function releasedNic(
  context: RequestContext,
  { reader, change }: Attempt,
  port: shoal.v1.Port,
  patch: PortPatch,
  nowMs: number,
): Pick<PortPatch, 'deviceId' | 'deviceOwner'> | undefined {
  if (!isReleasing(reader, port, patch)) return undefined;
  const server = serverOfPort(reader, port);
  const isLater = server !== undefined && unplug(context, change, server, port.id, nowMs) === 'later';
  return isLater
    ? { deviceId: port.deviceId, deviceOwner: port.deviceOwner }
    : { deviceOwner: patch.deviceOwner ?? '' };
}

/** Whether an update takes a NIC from its server: it names no device any more, nor another owner. */
function isReleasing(reader: StateReader, port: shoal.v1.Port, patch: PortPatch): boolean {
  const { deviceId, deviceOwner = '' } = patch;
  const isNone = deviceId === '' && (deviceOwner === '' || deviceOwner === port.deviceOwner);
  const server = isNone ? serverOfPort(reader, port)?.record : undefined;
  return server?.deleting === false && server.portIds.includes(port.id);
}

/** The ports that a filter can find by index, or all. */
function portRows(reader: StateReader, filter: PortFilter): readonly Row<shoal.v1.Port>[] {
  if (filter.deviceId !== undefined && filter.deviceId !== '') {
    return portTable.by(reader, 'device', indexKey(filter.deviceId));
  }
  if (filter.networkId !== undefined) return portTable.by(reader, 'network', indexKey(filter.networkId));
  return portTable.list(reader);
}

/** What the service knows of a new port beside its draft. */
interface PortMaking {
  readonly id: string;
  readonly nowMs: number;
  readonly newId: () => string;
  /** Where its guest will be. */
  readonly hostId?: string;
  readonly madeForServer?: boolean;
  /** The name of its guest in DNS. */
  readonly dnsName?: string;
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
  checkPrivileges(context, 'create', network, draft);
  // A new server's own record is not there yet.
  if (making.madeForServer !== true) {
    checkDevice(context, reader, 'create', { deviceId: draft.deviceId ?? '', deviceOwner: draft.deviceOwner ?? '' });
  }
  const projectId = projectFor(context, draft.projectId);
  change.compare({ key: networkTable.key(network.id), exists: true });
  leanOnPolicy(change, reader, 'network', network, projectId);
  const mac = draft.mac === undefined ? allocateMac(attempt, network.id) : wantedMac(attempt, network.id, draft.mac);
  const addressed = { mac, deviceOwner: draft.deviceOwner ?? '', held: [] };
  const fixedIps =
    draft.fixedIps === undefined
      ? planAnyAddress(attempt, network, addressed)
      : planAddresses(context, attempt, network, draft.fixedIps, addressed);
  const portSecurityEnabled = draft.portSecurityEnabled ?? network.portSecurityEnabled;
  const port = new shoal.v1.Port({
    id: making.id,
    name: draft.name ?? '',
    projectId,
    networkId: network.id,
    mac,
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
    allowedAddressPairs: pairsOf(draft.allowedAddressPairs, mac),
    madeForServer: making.madeForServer ?? false,
    dnsName: making.dnsName ?? '',
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
    checkOneKind(attempt.reader, draft.securityGroupIds);
    return [...new Set(draft.securityGroupIds)];
  }
  const isSystemPort = (draft.deviceOwner ?? '').startsWith('network:');
  if (!portSecurityEnabled || isSystemPort || projectId === '') return [];
  return [planDefaultGroup(attempt, projectId, making).id];
}

/** Groups must be there, and the port's project's own or shared with it. The commit compares that they still are. */
function checkGroups(context: RequestContext, attempt: Attempt, groupIds: readonly string[], projectId: string): void {
  for (const id of groupIds) {
    const group = securityGroupTable.get(attempt.reader, id)?.record;
    const usable =
      group !== undefined &&
      (group.projectId === projectId ||
        policyFor(attempt.reader, 'security_group', id, projectId) !== undefined ||
        isAdministrator(context));
    if (!usable) throw notFound('security_group', id);
    leanOnPolicy(attempt.change, attempt.reader, 'security_group', group, projectId);
    attempt.change.compare({ key: securityGroupTable.key(id), exists: true });
  }
}

/** Replies are let back for all of a port's groups, or for none. */
function checkOneKind(reader: StateReader, groupIds: readonly string[]): void {
  const kinds = new Set(groupIds.map((id) => securityGroupTable.get(reader, id)?.record.stateful));
  if (kinds.size < 2) return;
  throw refuse(
    'CONFLICT',
    'SecurityGroupConflict',
    'Error Cannot apply both stateful and stateless security groups on the same port at the same time while attempting the operation.',
  );
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
 * address is its network's owner's to give away. As in Neutron the rules' `project_id` is that of the network.
 */
function checkPrivileges(
  context: RequestContext,
  verb: 'create' | 'update',
  network: shoal.v1.Network,
  draft: Omit<PortDraft, 'networkId' | 'projectId'> | PortPatch,
): void {
  const asked = {
    mac_address: draft.mac !== undefined,
    'fixed_ips:ip_address': draft.fixedIps?.some((fixed) => fixed.ip !== undefined) === true,
    port_security_enabled: draft.portSecurityEnabled === false,
    allowed_address_pairs: draft.allowedAddressPairs !== undefined && draft.allowedAddressPairs.length > 0,
  };
  for (const [attribute, isAsked] of Object.entries(asked)) {
    const rule = `${verb}_port:${attribute}`;
    if (isAsked && !isAllowedOn(context, rule, network))
      throw forbidden(rule, 'the network belongs to another project');
  }
}

/**
 * What a port is for is changed by the service that plugged it in. Its owner may write a device into a port that
 * nothing lives by. Throws 409 for a port of a router, a floating IP or DHCP, and for a NIC of a server.
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
  if (isSame || isReleasing(reader, port, patch)) return;
  if (serverOfPort(reader, port)?.record.portIds.includes(port.id) === true) {
    throw refuse(
      'CONFLICT',
      'PortInUse',
      `Unable to complete operation on port ${port.id} for network ${port.networkId}. Port already has an attached device ${port.deviceId}.`,
    );
  }
  checkDevice(context, reader, 'update', device);
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
    throw badAttribute('mac_address', `'${text}' is not a valid MAC address`);
  }
  return mac;
}

/** Checks a port's address pairs as Neutron does. A pair without a MAC has the port's own. */
function pairsOf(pairs: PortDraft['allowedAddressPairs'], portMac: string): shoal.v1.AddressPair[] {
  if (pairs === undefined) return [];
  if (pairs.length > addressPairsMax) {
    throw badRequest(
      `The number of allowed address pairs exceeds the maximum ${addressPairsMax}.`,
      'AllowedAddressPairExhausted',
    );
  }
  const seen = new Set<string>();
  return pairs.map((pair) => {
    const prefix = parsePrefix(wholePrefix(pair.ip));
    if (prefix === undefined) {
      const kind = pair.ip.includes('/') ? 'IP subnet' : 'IP address';
      throw badRequest(`'${pair.ip}' is not a valid ${kind}`, 'HTTPBadRequest');
    }
    if (multicasts.some((multicast) => overlaps(prefix, multicast) && prefix.prefixLength >= multicast.prefixLength)) {
      throw badRequest(`'${pair.ip}' is a multicast address`, 'HTTPBadRequest');
    }
    const mac = pair.mac === undefined ? '' : normalMac(pair.mac);
    const key = `${mac === '' ? portMac : mac} ${formatPrefix(prefix)}`;
    if (seen.has(key)) {
      throw badRequest(
        `Request contains duplicate address pair: mac_address ${pair.mac ?? portMac} ip_address ${pair.ip}.`,
        'DuplicateAddressPairInRequest',
      );
    }
    seen.add(key);
    return new shoal.v1.AddressPair({ ip: pair.ip, mac });
  });
}

/** 224.0.0.0/4 (RFC 5771) and ff00::/8 (RFC 4291): nobody's source. */
const multicasts = [prefixOf('224.0.0.0/4'), prefixOf('ff00::/8')];

/** Whether a port may be given to a new server: nobody else has it. */
export function isFreePort(port: shoal.v1.Port): boolean {
  return port.deviceId === '' && !port.deviceOwner.startsWith('network:');
}
