/**
 * Ports as rows: every port is inserted, changed and removed through here, so that quota, use counts and floating IPs
 * always move with it.
 */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { floatingIpTable, portTable, routerTable, subnetTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import { deviceOwners } from '../kit/device-owners.ts';
import { isInterfaceOf } from '../kit/ownership.ts';
import { chargeQuota, refundQuota } from '../kit/quota.ts';
import type { Attempt, Change } from '../kit/transact.ts';
import { endForwardings } from './kit/forwarding-uses.ts';
import { use } from './kit/uses.ts';

/** Those of the ports that say they are a network's DHCP port. Whether the subnet agrees is for `isServicePort`. */
export function dhcpPortsOf(ports: readonly Row<shoal.v1.Port>[]): readonly Row<shoal.v1.Port>[] {
  return ports.filter((row) => row.record.deviceOwner === deviceOwners.dhcp);
}

/** Adds a port: charges its project (none: the system's own), counts it where it hangs. */
export function insertPortRow(change: Change, reader: StateReader, port: shoal.v1.Port): void {
  if (port.projectId !== '') chargeQuota(change, reader, port.projectId, { port: 1 });
  countUses(change, port, 1);
  portTable.insert(change, port);
}

/** Replaces a port; its counts move along. */
export function updatePortRow(change: Change, row: Row<shoal.v1.Port>, next: shoal.v1.Port): void {
  const before = usesOfPort(row.record);
  const after = usesOfPort(next);
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const delta = (after.get(key) ?? 0) - (before.get(key) ?? 0);
    const [kind, id] = splitUse(key);
    if (delta !== 0) use(change, kind, id, delta);
  }
  portTable.update(change, row, next);
}

/** Removes a port and its counts. Floating IPs that lead to it: see `releaseFloatingIps`. */
export function removePortRow(change: Change, row: Row<shoal.v1.Port>): void {
  if (row.record.projectId !== '') refundQuota(change, row.record.projectId, { port: 1 });
  countUses(change, row.record, -1);
  portTable.remove(change, row);
}

/** When the port that kept a MAC from others goes, one of those that share it keeps it. */
export function keepMac(change: Change, gone: shoal.v1.Port, sharing: readonly Row<shoal.v1.Port>[]): void {
  if (gone.sharesMac) return;
  const heir = sharing.find(({ record }) => record.id !== gone.id);
  if (heir !== undefined) updatePortRow(change, heir, new shoal.v1.Port({ ...heir.record, sharesMac: false }));
}

/** Leaves the floating IPs that lead to a port (or to some of its addresses) unassociated, and ends what is forwarded there. */
export function releaseFloatingIps(
  change: Change,
  reader: StateReader,
  port: shoal.v1.Port,
  nowMs: number,
  keep: readonly string[] = [],
): void {
  endForwardings({ reader, change }, port, nowMs, keep);
  for (const row of floatingIpTable.by(reader, 'port', indexKey(port.id))) {
    if (keep.includes(row.record.fixedIp)) continue;
    useOfFloatingIp(change, port, row.record, -1);
    floatingIpTable.update(change, row, withoutPort(row.record, nowMs));
  }
}

/** The floating IP, leading nowhere. */
export function withoutPort(floatingIp: shoal.v1.FloatingIp, nowMs: number): shoal.v1.FloatingIp {
  return new shoal.v1.FloatingIp({ ...floatingIp, portId: '', fixedIp: '', routerId: '', updatedMs: nowMs });
}

/** Counts a floating IP at the router it goes through, for its gateway and for the interface that it needs. */
export function useOfFloatingIp(
  change: Change,
  port: shoal.v1.Port,
  floatingIp: shoal.v1.FloatingIp,
  delta: number,
): void {
  const subnetId = port.fixedIps.find((fixed) => fixed.ip === floatingIp.fixedIp)?.subnetId ?? '';
  use(change, 'router-gateway', floatingIp.routerId, delta);
  use(change, 'router-interface', `${floatingIp.routerId}/${subnetId}`, delta);
}

function countUses(change: Change, port: shoal.v1.Port, sign: number): void {
  for (const [key, count] of usesOfPort(port)) {
    const [kind, id] = splitUse(key);
    use(change, kind, id, sign * count);
  }
}

/** DHCP ports are the subnet's own and stand in nobody's way. */
function usesOfPort(port: shoal.v1.Port): Map<string, number> {
  const uses = new Map<string, number>();
  const add = (key: string): void => {
    uses.set(key, (uses.get(key) ?? 0) + 1);
  };
  for (const groupId of port.securityGroupIds) add(`security-group ${groupId}`);
  if (port.deviceOwner === deviceOwners.dhcp) return uses;
  add(`network ${port.networkId}`);
  for (const fixed of port.fixedIps) add(`subnet ${fixed.subnetId}`);
  return uses;
}

function splitUse(key: string): ['network' | 'subnet' | 'security-group', string] {
  const [kind, id] = key.split(' ');
  return [kind as 'network' | 'subnet' | 'security-group', id ?? ''];
}

/**
 * Whether a router, a floating IP or a network's DHCP lives by the port, so that it goes with those alone. A port that only
 * says so of itself is like any other.
 */
export function isServicePort(reader: StateReader, port: shoal.v1.Port): boolean {
  switch (port.deviceOwner) {
    case deviceOwners.routerInterface: {
      const router = routerTable.get(reader, port.deviceId)?.record;
      return router !== undefined && isInterfaceOf(port, router);
    }
    case deviceOwners.routerGateway:
    case deviceOwners.floatingIp:
      return port.projectId === '';
    case deviceOwners.dhcp:
      return port.fixedIps.some((fixed) => subnetTable.get(reader, fixed.subnetId)?.record.serviceIp === fixed.ip);
    default:
      return false;
  }
}

/** Ports say by what name their guest is found (`Port.dns_name`). */
export function renamePorts({ reader, change }: Attempt, portIds: readonly string[], dnsName: string): void {
  for (const portId of portIds) {
    const port = portTable.get(reader, portId);
    if (port !== undefined) updatePortRow(change, port, new shoal.v1.Port({ ...port.record, dnsName }));
  }
}
