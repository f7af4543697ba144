/**
 * Whose is what a request names. Every id in a body or a path is looked up through here, whichever service asks and by
 * whichever door the request came: own project's things, what is shared or external, and everything for administrators.
 * What is not the caller's to name is refused exactly as an id that nobody has, so that no answer tells the two apart.
 *
 * The second half is for readers of records: a port says of itself which device it is for (`device_id`), and its maker
 * could write anything there. So a caller that wants the ports of a device asks here, and gets those that belong to it.
 */

import type { shoal } from '../../../proto/messages.ts';
import type { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row, type Table } from '../../state/table.ts';
import {
  addressGroupTable,
  floatingIpTable,
  imageTable,
  networkTable,
  portTable,
  rbacPolicyTable,
  routerTable,
  securityGroupTable,
  serverTable,
  subnetPoolTable,
  subnetTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from './context.ts';
import { deviceOwners } from './device-owners.ts';
import { forbidden, notFound, refuse } from './network-refusals.ts';
import { isAdministrator, isAllowed, isAllowedOn, isOwner, mayActOn, mayActOnAll } from './permissions.ts';
import { policyFor, type SharedKind } from './sharing.ts';

/** Whether a project's thing may be read: own ones, which every operation may name, and what the rule lets be read besides. */
function mayRead(context: RequestContext, rule: string, thing: { readonly projectId: string }): boolean {
  return isOwner(context, thing) || isAllowedOn(context, rule, thing);
}

/** As in Neutron: own networks, those that are shared with or external for the caller's project; all for administrators. */
export function canSeeNetwork(context: RequestContext, reader: StateReader, network: shoal.v1.Network): boolean {
  return (
    mayRead(context, 'get_network', network) ||
    isShared(context, reader, 'network', network) ||
    isExternalFor(context, reader, network)
  );
}

/** What Neutron's `shared` says to this caller: whether a policy lets all projects, or his own, use the thing. */
export function isShared(
  context: RequestContext,
  reader: StateReader,
  kind: SharedKind,
  thing: { readonly id: string; readonly shared?: boolean },
): boolean {
  return thing.shared === true || policyFor(reader, kind, thing.id, context.projectId) !== undefined;
}

function isExternalFor(context: RequestContext, reader: StateReader, network: shoal.v1.Network): boolean {
  if (!network.external) return false;
  return (
    !network.externalByPolicy ||
    policyFor(reader, 'network', network.id, context.projectId, 'access_as_external') !== undefined
  );
}

/** A network's addresses are seen by its owner, and by all where it is shared. That it is external opens nothing. */
export function canSeeSubnet(context: RequestContext, reader: StateReader, subnet: shoal.v1.Subnet): boolean {
  if (mayRead(context, 'get_subnet', subnet)) return true;
  const network = networkTable.find(reader, subnet.networkId)?.record;
  return network !== undefined && (isOwner(context, network) || isShared(context, reader, 'network', network));
}

/** Ports are their project's; the network's owner sees all that lie on it. */
export function canSeePort(context: RequestContext, reader: StateReader, port: shoal.v1.Port): boolean {
  if (mayRead(context, 'get_port', port)) return true;
  const network = networkTable.find(reader, port.networkId)?.record;
  return network !== undefined && isOwner(context, network);
}

/** The place that `context`'s project has among those an image is shared with; undefined for none, or not shared now. */
export function imageMembership(context: RequestContext, image: shoal.v1.Image): shoal.v1.IImageMember | undefined {
  if (image.visibility !== 'shared' || context.projectId === '') return undefined;
  return image.members.find(({ projectId }) => projectId === context.projectId);
}

/**
 * Whether an image may be shown, downloaded and booted when it is named. As in Glance a member may in each status: what
 * it made of the sharing decides about lists only.
 */
function canSeeImage(context: RequestContext, image: shoal.v1.Image): boolean {
  if (image.deleting) return false;
  if (mayRead(context, 'get_image', image) || image.visibility === 'public' || image.visibility === 'community')
    return true;
  return imageMembership(context, image) !== undefined;
}

/** Undefined where there is none that the caller may see: each caller has its own words. */
export function findImage(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Image> | undefined {
  const row = imageTable.get(reader, id);
  return row === undefined || !canSeeImage(context, row.record) ? undefined : row;
}

/** For reading and for plugging in. Throws 404 `NetworkNotFound` unless the caller may see the network. */
export function seeNetwork(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Network> {
  const row = networkTable.get(reader, id);
  if (row === undefined || !canSeeNetwork(context, reader, row.record)) throw notFound('network', id);
  return row;
}

/** For changing it. Throws 404 as `seeNetwork` does, and 403 for a network that is seen and is another project's. */
export function ownNetwork(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Network> {
  const row = seeNetwork(context, reader, id);
  if (!mayActOn(context, row.record))
    throw forbidden(context.permissions.operation, `network ${id} belongs to another project`);
  return row;
}

/** Throws 404 `SubnetNotFound` unless the caller may see the subnet: an external network's is not enough. */
export function seeSubnet(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Subnet> {
  const row = subnetTable.get(reader, id);
  if (row === undefined || !canSeeSubnet(context, reader, row.record)) throw notFound('subnet', id);
  return row;
}

/** For changing it. Throws 404 as `seeSubnet` does, and 403 for a subnet that is seen and is another project's. */
export function ownSubnet(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Subnet> {
  const row = seeSubnet(context, reader, id);
  if (!mayActOn(context, row.record))
    throw forbidden(context.permissions.operation, `subnet ${id} belongs to another project`);
  return row;
}

/** Own pools and those that are shared with the caller's project; all for administrators. */
export function canSeeSubnetPool(context: RequestContext, reader: StateReader, pool: shoal.v1.SubnetPool): boolean {
  return mayRead(context, 'get_subnetpool', pool) || isShared(context, reader, 'subnetpool', pool);
}

/** For reading, and for cutting subnets from it. Throws 404 `SubnetPoolNotFound` unless the caller may see it. */
export function seeSubnetPool(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.SubnetPool> {
  const row = subnetPoolTable.get(reader, id);
  if (row === undefined || !canSeeSubnetPool(context, reader, row.record)) throw notFound('subnetpool', id);
  return row;
}

/** For changing it. Throws 404 as `seeSubnetPool` does, and 403 for one that is shared and another project's. */
export function ownSubnetPool(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.SubnetPool> {
  const row = seeSubnetPool(context, reader, id);
  if (!mayActOn(context, row.record))
    throw forbidden(context.permissions.operation, `subnet pool ${id} belongs to another project`);
  return row;
}

/** For reading. Throws 404 `PortNotFound`; the owner of the network sees the ports of others on it. */
export function seePort(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Port> {
  const row = portTable.get(reader, id);
  if (row === undefined || !canSeePort(context, reader, row.record)) throw notFound('port', id);
  return row;
}

/** A port to plug in, to lead to, to hand to a server: the caller's own. That one owns the network is not enough. */
export function ownPort(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Port> {
  return ownRow(portTable, 'port', (port) => isOwner(context, port), reader, id);
}

/** Throws 404 `RouterNotFound` unless the router is the project's own or the caller an administrator. */
export function ownRouter(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Router> {
  return ownRow(routerTable, 'router', (router) => mayActOn(context, router), reader, id);
}

/** Throws 404 `FloatingIPNotFound` unless it is the project's own or the caller an administrator. */
export function ownFloatingIp(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.FloatingIp> {
  return ownRow(floatingIpTable, 'floatingip', (floatingIp) => mayActOn(context, floatingIp), reader, id);
}

/** Own groups and those that are shared with the caller's project; all for administrators. */
export function canSeeSecurityGroup(
  context: RequestContext,
  reader: StateReader,
  group: shoal.v1.SecurityGroup,
): boolean {
  return mayRead(context, 'get_security_group', group) || isShared(context, reader, 'security_group', group);
}

/** For reading, for ports and for rules about it. Throws 404 `SecurityGroupNotFound` unless the caller may see the group. */
export function seeSecurityGroup(
  context: RequestContext,
  reader: StateReader,
  id: string,
): Row<shoal.v1.SecurityGroup> {
  const row = securityGroupTable.get(reader, id);
  if (row === undefined || !canSeeSecurityGroup(context, reader, row.record)) throw notFound('security_group', id);
  return row;
}

/** For changing it. Throws 404 as `seeSecurityGroup` does, and 403 for one that is shared and another project's. */
export function ownSecurityGroup(
  context: RequestContext,
  reader: StateReader,
  id: string,
): Row<shoal.v1.SecurityGroup> {
  const row = seeSecurityGroup(context, reader, id);
  if (!mayActOn(context, row.record))
    throw forbidden(context.permissions.operation, `security group ${id} belongs to another project`);
  return row;
}

/** Own address groups and those that are shared with the caller's project; all for administrators. */
export function canSeeAddressGroup(
  context: RequestContext,
  reader: StateReader,
  group: shoal.v1.AddressGroup,
): boolean {
  return mayRead(context, 'get_address_group', group) || isShared(context, reader, 'address_group', group);
}

/** For reading, and for rules about it. Throws 404 `AddressGroupNotFound` unless the caller may see it. */
export function seeAddressGroup(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.AddressGroup> {
  const row = addressGroupTable.get(reader, id);
  if (row === undefined || !canSeeAddressGroup(context, reader, row.record)) throw notFound('address_group', id);
  return row;
}

/** For changing it. Throws 404 as `seeAddressGroup` does, and 403 for one that is shared and another project's. */
export function ownAddressGroup(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.AddressGroup> {
  const row = seeAddressGroup(context, reader, id);
  if (!mayActOn(context, row.record))
    throw forbidden(context.permissions.operation, `address group ${id} belongs to another project`);
  return row;
}

/** Throws 404 `RbacPolicyNotFound` unless the policy is the project's own or the caller an administrator. */
export function ownRbacPolicy(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.RbacPolicy> {
  const row = rbacPolicyTable.get(reader, id);
  if (row === undefined || !mayActOn(context, row.record)) {
    throw refuse('NOT_FOUND', 'RbacPolicyNotFound', `RBAC policy of type None with ID ${id} not found`, { id });
  }
  return row;
}

/**
 * A server that a request names beside what it is about: the project's own, or any for administrators. Undefined otherwise:
 * each caller has its own words.
 */
export function findOwnServer(
  context: RequestContext,
  reader: StateReader,
  id: string,
): Row<shoal.v1.Server> | undefined {
  const row = serverTable.get(reader, id);
  return row === undefined || !isOwner(context, row.record) ? undefined : row;
}

/** Rows of what the operation under way may show: the project's own, or everybody's where its rule says so. */
export function projectRows<T extends object>(
  context: RequestContext,
  reader: StateReader,
  table: Table<T>,
): readonly Row<T>[] {
  return mayActOnAll(context) ? table.list(reader) : table.by(reader, 'project', indexKey(context.projectId));
}

function ownRow<T extends { readonly projectId: string }>(
  table: Table<T>,
  kind: 'port' | 'router' | 'floatingip',
  isOwn: (record: T) => boolean,
  reader: StateReader,
  id: string,
): Row<T> {
  const row = table.get(reader, id);
  if (row === undefined || !isOwn(row.record)) throw notFound(kind, id);
  return row;
}

/** The project a new thing belongs to: the caller's own, or for administrators whichever they name. */
export function projectFor(context: RequestContext, wanted: string | undefined): string {
  const projectId = wanted === undefined || wanted === '' ? context.projectId : wanted;
  if (projectId !== context.projectId && !mayActOn(context, { projectId }))
    throw forbidden(context.permissions.operation, 'only administrators name a project_id that is not their own');
  return projectId;
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Checks the device that a caller writes into a port. `network:` owners are our own services' word and administrators'.
 * A `compute:` owner stands beside a server of the caller's project. Other owners may go with any text; but what has the
 * form of an id names a server, router or floating IP of the caller's, or nothing: it is refused alike whether another
 * project has it or nobody. Throws 403 `PolicyNotAuthorized`, 409 `DeviceIDNotOwnedByTenant`.
 */
export function checkDevice(
  context: RequestContext,
  reader: StateReader,
  verb: 'create' | 'update',
  device: { readonly deviceId: string; readonly deviceOwner: string },
): void {
  if (isAdministrator(context)) return;
  const { deviceId, deviceOwner } = device;
  const rule = `${verb}_port:device_owner`;
  if (deviceOwner.startsWith('network:') && !isAllowed(context, rule)) {
    throw forbidden(rule, 'network:* owners are for administrators');
  }
  if (deviceId === '') return;
  const isServers = findOwnServer(context, reader, deviceId) !== undefined;
  if (deviceOwner.startsWith('compute:')) {
    if (!isServers) throw deviceNotOwned(deviceId);
    return;
  }
  if (!uuidPattern.test(deviceId) || isServers) return;
  const isOwn = [routerTable, floatingIpTable].some((table) => {
    const record = table.get(reader, deviceId)?.record;
    return record !== undefined && isOwner(context, record);
  });
  if (!isOwn) throw deviceNotOwned(deviceId);
}

function deviceNotOwned(deviceId: string): ShoalError {
  return refuse(
    'CONFLICT',
    'DeviceIDNotOwnedByTenant',
    `The following device_id ${deviceId} is not owned by your tenant or matches another tenants router.`,
    { deviceId },
  );
}

/** The server that a port is plugged into: one that names the port itself, or that has the port's project. */
export function serverOfPort(reader: StateReader, port: shoal.v1.Port): Row<shoal.v1.Server> | undefined {
  const row = serverTable.get(reader, port.deviceId);
  return row !== undefined && isPortOfServer(port, row.record) ? row : undefined;
}

/** A server's ports, by port id, whatever else says that it is the server's. */
export function portsOfServer(reader: StateReader, server: shoal.v1.Server): readonly Row<shoal.v1.Port>[] {
  return portTable.by(reader, 'device', indexKey(server.id)).filter((row) => isPortOfServer(row.record, server));
}

/** An administrator may hand a port of one project to a server of another: then the server's record names it. */
function isPortOfServer(port: shoal.v1.Port, server: shoal.v1.Server): boolean {
  return port.deviceId === server.id && (port.projectId === server.projectId || server.portIds.includes(port.id));
}

/** A router's interfaces, by port id: ports of the router's own project. Its gateway is not one of them. */
export function interfacesOf(
  reader: StateReader,
  router: Pick<shoal.v1.Router, 'id' | 'projectId'>,
): readonly Row<shoal.v1.Port>[] {
  return portTable.by(reader, 'device', indexKey(router.id)).filter((row) => isInterfaceOf(row.record, router));
}

/** Whether a port is an interface of the router. */
export function isInterfaceOf(port: shoal.v1.Port, router: Pick<shoal.v1.Router, 'id' | 'projectId'>): boolean {
  return (
    port.deviceOwner === deviceOwners.routerInterface &&
    port.deviceId === router.id &&
    port.projectId === router.projectId
  );
}

/** A device's port on an external network (a router's gateway, a floating IP's reservation): the system's own, of no project. */
export function systemPortOf(
  reader: StateReader,
  deviceId: string,
  deviceOwner: typeof deviceOwners.routerGateway | typeof deviceOwners.floatingIp,
): Row<shoal.v1.Port> | undefined {
  return portTable
    .by(reader, 'device', indexKey(deviceId))
    .find(({ record }) => record.deviceOwner === deviceOwner && record.projectId === '');
}
