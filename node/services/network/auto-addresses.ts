/**
 * A subnet that leaves its addresses to MACs (SLAAC, stateless DHCPv6) comes to a network that has ports, and goes again: each port
 * has an address of it for as long, as in Neutron.
 */
import { shoal } from '../../../proto/messages.ts';
import type { ShoalError } from '../../base/errors.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { portTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { ServiceDependencies } from '../kit/dependencies.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { refuse } from '../kit/network-refusals.ts';
import type { Attempt, TransactOptions } from '../kit/transact.ts';
import { editWhileRoom, transactInPieces, unfinished } from '../kit/transact-in-pieces.ts';
import { takeAddress } from './kit/allocation.ts';
import { autoAddressOf, isAutoAddressed } from './kit/ipv6-modes.ts';
import { prefixOf } from './kit/prefix-of.ts';
import { updatePortRow } from './port-record.ts';

/**
 * Gives every port of their networks its address of each of these new subnets, in pieces. Ports that are made after a subnet have
 * theirs already: none commits from a view without it. An agent that dies in between leaves ports which get theirs with their next
 * change of addresses.
 */
export async function giveAutoAddresses(
  deps: ServiceDependencies,
  options: Pick<TransactOptions, 'signal'>,
  subnetIds: readonly string[],
): Promise<void> {
  if (subnetIds.length === 0) return;
  await transactInPieces(deps, { signal: options.signal }, (attempt) => {
    const rows = subnetIds.map((id) => subnetTable.get(attempt.reader, id)).filter((row) => row !== undefined);
    for (const row of rows) subnetTable.unchanged(attempt.change, row);
    const subnets = rows.map(({ record }) => record);
    const isDone = editWhileRoom(attempt, lacking(attempt.reader, subnets), (port) =>
      give(attempt, port, subnets, deps.clock.nowMs()),
    );
    return isDone ? undefined : unfinished;
  });
}

/** Ports of the subnets' networks that have no address of one of them, and should have. */
function lacking(reader: StateReader, subnets: readonly shoal.v1.Subnet[]): readonly Row<shoal.v1.Port>[] {
  const networkIds = new Set(subnets.map(({ networkId }) => networkId));
  return [...networkIds].flatMap((networkId) =>
    portTable
      .by(reader, 'network', indexKey(networkId))
      .filter(({ record }) => hasAutoAddresses(record) && missing(record, subnets).length > 0),
  );
}

function missing(port: shoal.v1.Port, subnets: readonly shoal.v1.Subnet[]): readonly shoal.v1.Subnet[] {
  return subnets.filter(
    ({ id, networkId }) => networkId === port.networkId && !port.fixedIps.some(({ subnetId }) => subnetId === id),
  );
}

/** Routers are given theirs, and DHCP's are the subnets' own. */
function hasAutoAddresses({ deviceOwner }: shoal.v1.Port): boolean {
  return deviceOwner !== deviceOwners.routerInterface && deviceOwner !== deviceOwners.dhcp;
}

function give(attempt: Attempt, row: Row<shoal.v1.Port>, subnets: readonly shoal.v1.Subnet[], updatedMs: number): void {
  const added = missing(row.record, subnets).flatMap(({ id, cidr }) => {
    const ip = autoAddressOf(prefixOf(cidr), row.record.mac);
    // Of the subnet's gateway, say, which a router has: the port goes without, as its guest would after detecting the duplicate.
    return takeAddress(attempt, id, ip) ? [new shoal.v1.FixedIp({ subnetId: id, ip })] : [];
  });
  if (added.length === 0) return;
  const fixedIps = [...row.record.fixedIps, ...added];
  updatePortRow(attempt.change, row, new shoal.v1.Port({ ...row.record, fixedIps, updatedMs }));
}

/**
 * Takes the addresses of a subnet from the ports that have them by their MACs, as many as one change has room for. `none left`: no
 * port has one any more. Throws 409 while a router is on it.
 */
export function takeAutoAddresses(
  { reader, change }: Attempt,
  subnet: shoal.v1.Subnet,
  updatedMs: number,
): 'took some' | 'none left' {
  if (!isAutoAddressed(subnet)) return 'none left';
  const holders = portTable
    .by(reader, 'network', indexKey(subnet.networkId))
    .filter(({ record }) => record.fixedIps.some(({ subnetId }) => subnetId === subnet.id));
  if (holders.some(({ record }) => record.deviceOwner === deviceOwners.routerInterface)) throw subnetInUse(subnet.id);
  const ports = holders.filter(({ record }) => hasAutoAddresses(record));
  editWhileRoom({ change }, ports, (row) => {
    const fixedIps = row.record.fixedIps.filter(({ subnetId }) => subnetId !== subnet.id);
    updatePortRow(change, row, new shoal.v1.Port({ ...row.record, fixedIps, updatedMs }));
  });
  return ports.length > 0 ? 'took some' : 'none left';
}

/** Why a subnet stays. */
export function subnetInUse(id: string): ShoalError {
  return refuse(
    'CONFLICT',
    'SubnetInUse',
    `Unable to complete operation on subnet ${id}: One or more ports have an IP allocation from this subnet.`,
  );
}
