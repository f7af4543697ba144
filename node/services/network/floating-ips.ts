/** Floating IPs: an external address, reserved by a port of its own, that leads to a port's fixed address. */

import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { floatingIpTable, networkTable, portTable, routerTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../kit/context.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { badRequest, forbidden, notFound, refuse } from '../kit/network-refusals.ts';
import {
  interfacesOf,
  ownFloatingIp,
  ownPort,
  projectFor,
  projectRows,
  seeNetwork,
  systemPortOf,
} from '../kit/ownership.ts';
import { isAllowed } from '../kit/permissions.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { contains, formatIp, parseIp, usableRange } from './kit/address.ts';
import { allocateAddress, allocateMac, takeAddress } from './kit/allocation.ts';
import { prefixOf } from './kit/prefix-of.ts';
import { checkText } from './kit/text.ts';
import { insertPortRow, removePortRow, useOfFloatingIp, withoutPort } from './port-record.ts';

/** What a caller may ask of a new floating IP. Absent `fixedIp`: the first address of the port. */
export interface FloatingIpDraft {
  readonly floatingNetworkId: string;
  readonly projectId?: string;
  readonly description?: string;
  readonly subnetId?: string;
  /** Administrators only. */
  readonly floatingIp?: string;
  readonly portId?: string;
  readonly fixedIp?: string;
}

/** `portId` null: leads nowhere from now on. */
export interface FloatingIpPatch {
  readonly portId?: string | null;
  readonly fixedIp?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
}

/**
 * Neutron's floating IPs. One of another project is `NOT_FOUND` but for administrators. Each has a port of no project
 * on the external network, which keeps the address taken.
 */
export class FloatingIps {
  readonly #deps: ServiceDependencies;

  constructor(deps: ServiceDependencies) {
    this.#deps = deps;
  }

  list(context: RequestContext, reader: StateReader): readonly shoal.v1.FloatingIp[] {
    return projectRows(context, reader, floatingIpTable).map((row) => row.record);
  }

  show(context: RequestContext, reader: StateReader, id: string): shoal.v1.FloatingIp {
    return ownFloatingIp(context, reader, id).record;
  }

  async create(context: RequestContext, draft: FloatingIpDraft): Promise<shoal.v1.FloatingIp> {
    checkText('description', draft.description);
    if (draft.floatingIp !== undefined && !isAllowed(context, 'create_floatingip:floating_ip_address')) {
      throw forbidden('create_floatingip:floating_ip_address');
    }
    const projectId = projectFor(context, draft.projectId);
    const ids = { floatingIp: this.#deps.newId(), port: this.#deps.newId() };
    const nowMs = this.#deps.clock.nowMs();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const network = seeNetwork(context, reader, draft.floatingNetworkId).record;
      if (!network.external) throw badRequest(`Network ${network.id} is not a valid external network`);
      const { subnetRow, ip } = reserve(attempt, network, draft);
      change.compare({ key: networkTable.key(network.id), exists: true });
      subnetTable.unchanged(change, subnetRow);
      const floatingIp = new shoal.v1.FloatingIp({
        id: ids.floatingIp,
        projectId,
        floatingNetworkId: network.id,
        subnetId: subnetRow.record.id,
        floatingIp: ip,
        description: draft.description ?? '',
        createdMs: nowMs,
        updatedMs: nowMs,
      });
      insertPortRow(
        change,
        reader,
        new shoal.v1.Port({
          id: ids.port,
          networkId: network.id,
          mac: allocateMac(attempt, network.id),
          fixedIps: [new shoal.v1.FixedIp({ subnetId: subnetRow.record.id, ip })],
          deviceId: ids.floatingIp,
          deviceOwner: deviceOwners.floatingIp,
          adminStateUp: true,
          createdMs: nowMs,
          updatedMs: nowMs,
          status: 'ACTIVE',
        }),
      );
      if (draft.portId !== undefined) associate(context, attempt, floatingIp, draft.portId, draft.fixedIp);
      else if (draft.fixedIp !== undefined) throw needsPort();
      chargeQuota(change, reader, projectId, { floatingip: 1 });
      floatingIpTable.insert(change, floatingIp);
      return floatingIp;
    });
  }

  async update(context: RequestContext, id: string, patch: FloatingIpPatch): Promise<shoal.v1.FloatingIp> {
    checkText('description', patch.description);
    return transact(this.#deps, context, (attempt) => {
      const row = ownFloatingIp(context, attempt.reader, id);
      const nowMs = this.#deps.clock.nowMs();
      let next = new shoal.v1.FloatingIp({ ...row.record, updatedMs: nowMs });
      // As in Neutron, a body that names no port leaves the association alone unless it names an address.
      if (patch.portId !== undefined) {
        // Without a port there is nothing to end, and the router is that of what is forwarded.
        if (row.record.portId !== '') next = disassociated(attempt, row, nowMs);
        if (patch.portId !== null) associate(context, attempt, next, patch.portId, patch.fixedIp);
        else if (patch.fixedIp !== undefined) throw needsPort();
      } else if (patch.fixedIp !== undefined) {
        if (row.record.portId === '') throw needsPort();
        next = disassociated(attempt, row, nowMs);
        associate(context, attempt, next, row.record.portId, patch.fixedIp);
      }
      if (patch.description !== undefined) next.description = patch.description;
      if (patch.tags !== undefined) next.tags = [...patch.tags];
      floatingIpTable.update(attempt.change, row, next);
      return next;
    });
  }

  async delete(context: RequestContext, id: string): Promise<void> {
    await transact(this.#deps, context, (attempt) => {
      const { reader, change } = attempt;
      const row = ownFloatingIp(context, reader, id);
      if (row.record.portForwardings.length > 0) throw inUseByForwarding(id);
      disassociated(attempt, row, row.record.updatedMs);
      const port = systemPortOf(reader, id, deviceOwners.floatingIp);
      if (port !== undefined) removePortRow(change, port);
      refundQuota(change, row.record.projectId, { floatingip: 1 });
      floatingIpTable.remove(change, row);
    });
  }
}

function inUseByForwarding(id: string): Error {
  return refuse('CONFLICT', 'FipInUseByPortForwarding', `Floating IP ${id} in use by Port Forwarding resources.`);
}

function needsPort(): Error {
  return badRequest(
    'Invalid input for operation: fixed_ip_address cannot be specified without a port_id.',
    'InvalidInput',
  );
}

function reserve(
  attempt: Attempt,
  network: shoal.v1.Network,
  draft: FloatingIpDraft,
): { readonly subnetRow: Row<shoal.v1.Subnet>; readonly ip: string } {
  const subnets = subnetTable
    .by(attempt.reader, 'network', indexKey(network.id))
    .filter((row) => draft.subnetId === undefined || row.record.id === draft.subnetId)
    // There is no translation of IPv6.
    .filter(({ record }) => prefixOf(record.cidr).family === 4);
  if (subnets.length === 0) {
    const named = draft.subnetId === undefined ? undefined : subnetTable.get(attempt.reader, draft.subnetId)?.record;
    if (draft.subnetId !== undefined && named?.networkId !== network.id) throw notFound('subnet', draft.subnetId);
    throw badRequest(`Network ${network.id} does not contain any IPv4 subnet`);
  }
  if (draft.floatingIp !== undefined) return reserveThis(attempt, subnets, draft.floatingIp);
  for (const subnetRow of subnets) {
    const ip = allocateAddress(attempt, subnetRow.record);
    if (ip !== undefined) return { subnetRow, ip };
  }
  throw refuse(
    'ADDRESS_EXHAUSTED',
    'IpAddressGenerationFailure',
    `No more IP addresses available on network ${network.id}.`,
  );
}

function reserveThis(
  attempt: Attempt,
  subnets: readonly Row<shoal.v1.Subnet>[],
  wanted: string,
): { readonly subnetRow: Row<shoal.v1.Subnet>; readonly ip: string } {
  const address = parseIp(wanted);
  const subnetRow =
    address === undefined
      ? undefined
      : subnets.find(({ record }) => contains(usableRange(prefixOf(record.cidr)), address));
  if (subnetRow === undefined || address === undefined) {
    throw badRequest(
      `IP address ${wanted} is not a valid IP for any of the subnets on the specified network.`,
      'InvalidIpForNetwork',
    );
  }
  const ip = formatIp(address);
  if (takeAddress(attempt, subnetRow.record.id, ip)) return { subnetRow, ip };
  throw refuse(
    'CONFLICT',
    'IpAddressAlreadyAllocated',
    `IP address ${ip} already allocated in subnet ${subnetRow.record.id}`,
  );
}

/** Lets `floatingIp` (not yet written) lead to a port, through the router that connects the two. */
function associate(
  context: RequestContext,
  attempt: Attempt,
  floatingIp: shoal.v1.FloatingIp,
  portId: string,
  wantedFixedIp: string | undefined,
): void {
  const { reader, change } = attempt;
  const portRow = ownPort(context, reader, portId);
  const port = portRow.record;
  // There is no translation of IPv6, and so no floating IP of it.
  const fixed4 = port.fixedIps.filter((candidate) => parseIp(candidate.ip)?.family === 4);
  const fixed = wantedFixedIp === undefined ? fixed4[0] : fixed4.find((candidate) => candidate.ip === wantedFixedIp);
  if (fixed === undefined) {
    throw badRequest(
      wantedFixedIp === undefined
        ? `Cannot add floating IP to port ${portId} that has no fixed IPv4 addresses`
        : `Port ${portId} does not have fixed ip ${wantedFixedIp}`,
    );
  }
  const other = floatingIpTable.one(reader, 'fixed', indexKey(portId, fixed.ip))?.record;
  if (other !== undefined && other.id !== floatingIp.id) {
    throw refuse(
      'CONFLICT',
      'FloatingIPPortAlreadyAssociated',
      `Cannot associate floating IP ${floatingIp.floatingIp} (${floatingIp.id}) with port ${portId} using fixed IP ${fixed.ip}, as that fixed IP already has a floating IP on external network ${other.floatingNetworkId}.`,
    );
  }
  const router = connectingRouter(attempt, floatingIp.floatingNetworkId, port.networkId, fixed.subnetId);
  if (router === undefined) {
    throw refuse(
      'NOT_FOUND',
      'ExternalGatewayForFloatingIPNotFound',
      `External network ${floatingIp.floatingNetworkId} is not reachable from subnet ${fixed.subnetId}. Therefore, cannot associate Port ${portId} with a Floating IP.`,
    );
  }
  if (floatingIp.portForwardings.length > 0) throw inUseByForwarding(floatingIp.id);
  if (floatingIpTable.by(reader, 'forwarded-port', indexKey(portId)).length > 0) {
    throw badRequest(
      `Cannot associate floating IP to port ${portId} because it already has a Port Forwarding binding.`,
      'PortHasPortForwarding',
    );
  }
  portTable.unchanged(change, portRow);
  floatingIp.portId = portId;
  floatingIp.fixedIp = fixed.ip;
  floatingIp.routerId = router.id;
  useOfFloatingIp(change, port, floatingIp, 1);
}

/** The floating IP of `row`, leading nowhere; the caller writes it. */
function disassociated(attempt: Attempt, row: Row<shoal.v1.FloatingIp>, nowMs: number): shoal.v1.FloatingIp {
  const port = portTable.get(attempt.reader, row.record.portId)?.record;
  if (port !== undefined) useOfFloatingIp(attempt.change, port, row.record, -1);
  return withoutPort(row.record, nowMs);
}

/** The router with an interface on the subnet and its gateway on the external network. Of several, the lowest id. */
export function connectingRouter(
  attempt: Attempt,
  externalNetworkId: string,
  networkId: string,
  subnetId: string,
): shoal.v1.Router | undefined {
  const { reader, change } = attempt;
  const candidates = routerTable.by(reader, 'external-network', indexKey(externalNetworkId));
  for (const row of candidates) {
    const port = interfacesOf(reader, row.record).find(
      ({ record }) => record.networkId === networkId && record.fixedIps.some((fixed) => fixed.subnetId === subnetId),
    );
    // A gateway of IPv6 alone translates nothing.
    if (port === undefined || (row.record.externalIp === '' && row.record.externalIp6 !== '')) continue;
    // Both must still be so when this commits.
    routerTable.unchanged(change, row);
    portTable.unchanged(change, port);
    return row.record;
  }
  return undefined;
}
