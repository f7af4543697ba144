/** Who may see and change what: own project's things, what is shared or external, and everything for administrators. */
import type { shoal } from '../../../proto/messages.ts';
import type { Row, Table } from '../../state/table.ts';
import {
  floatingIpTable,
  networkTable,
  portTable,
  routerTable,
  securityGroupTable,
  subnetTable,
} from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { RequestContext } from '../context.ts';
import { forbidden, notFound } from './refusals.ts';

export function isOwner(context: RequestContext, thing: { readonly projectId: string }): boolean {
  return context.isAdmin || (context.projectId !== '' && thing.projectId === context.projectId);
}

export function canSeeNetwork(context: RequestContext, network: shoal.v1.Network): boolean {
  return isOwner(context, network) || network.shared || network.external;
}

/** A network's addresses are seen by whoever sees the network. */
export function canSeeSubnet(context: RequestContext, reader: StateReader, subnet: shoal.v1.Subnet): boolean {
  if (isOwner(context, subnet)) return true;
  const network = networkTable.get(reader, subnet.networkId)?.record;
  return network !== undefined && canSeeNetwork(context, network);
}

/** Ports are their project's; the network's owner sees all that lie on it. */
export function canSeePort(context: RequestContext, reader: StateReader, port: shoal.v1.Port): boolean {
  if (isOwner(context, port)) return true;
  const network = networkTable.get(reader, port.networkId)?.record;
  return network !== undefined && isOwner(context, network);
}

export function seeNetwork(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Network> {
  const row = networkTable.get(reader, id);
  if (row === undefined || !canSeeNetwork(context, row.record)) throw notFound('network', id);
  return row;
}

export function ownNetwork(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Network> {
  const row = seeNetwork(context, reader, id);
  if (!isOwner(context, row.record)) throw forbidden('changing a network of another project');
  return row;
}

export function seeSubnet(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Subnet> {
  const row = subnetTable.get(reader, id);
  if (row === undefined || !canSeeSubnet(context, reader, row.record)) throw notFound('subnet', id);
  return row;
}

export function ownSubnet(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Subnet> {
  const row = seeSubnet(context, reader, id);
  if (!isOwner(context, row.record)) throw forbidden('changing a subnet of another project');
  return row;
}

export function seePort(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Port> {
  const row = portTable.get(reader, id);
  if (row === undefined || !canSeePort(context, reader, row.record)) throw notFound('port', id);
  return row;
}

export function ownRouter(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.Router> {
  return ownRow(routerTable, 'router', context, reader, id);
}

export function ownFloatingIp(context: RequestContext, reader: StateReader, id: string): Row<shoal.v1.FloatingIp> {
  return ownRow(floatingIpTable, 'floatingip', context, reader, id);
}

export function ownSecurityGroup(
  context: RequestContext,
  reader: StateReader,
  id: string,
): Row<shoal.v1.SecurityGroup> {
  return ownRow(securityGroupTable, 'security_group', context, reader, id);
}

function ownRow<T extends { readonly projectId: string }>(
  table: Table<T>,
  kind: 'router' | 'floatingip' | 'security_group',
  context: RequestContext,
  reader: StateReader,
  id: string,
): Row<T> {
  const row = table.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw notFound(kind, id);
  return row;
}

/** The project a new thing belongs to: the caller's own, or for administrators whichever they name. */
export function projectFor(context: RequestContext, wanted: string | undefined): string {
  const projectId = wanted === undefined || wanted === '' ? context.projectId : wanted;
  if (projectId !== context.projectId && !context.isAdmin) throw forbidden('creating things for another project');
  return projectId;
}
