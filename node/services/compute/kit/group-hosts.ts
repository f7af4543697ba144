/** Server groups and hosts: where the members are, and whether a placement still agrees with them when it is committed. */
import { shoal } from '../../../../proto/messages.ts';
import type { Row } from '../../../state/table.ts';
import { serverGroupTable, serverTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { PlacementGroup } from '../../kit/dependencies.ts';
import type { Change } from '../../kit/transact.ts';

/** A group as placement wants it: the hosts of its members. @param withoutServerId a member that is about to move. */
export function groupForPlacement(
  reader: StateReader,
  group: shoal.v1.ServerGroup,
  withoutServerId = '',
): PlacementGroup {
  const memberHostIds = group.memberIds
    .filter((id) => id !== withoutServerId)
    .flatMap((id) => {
      const hostId = serverTable.get(reader, id)?.record.hostId ?? '';
      return hostId === '' ? [] : [hostId];
    });
  return { id: group.id, policy: group.policy, maxServerPerHost: group.maxServerPerHost, memberHostIds };
}

/**
 * Whether the group's policy allows members on `hostIds` beside those that it has (Nova's late affinity check, made exact
 * by the transaction that asks). The soft policies allow everything.
 */
export function groupAllows(group: PlacementGroup, hostIds: readonly string[]): boolean {
  const all = [...group.memberHostIds, ...hostIds];
  if (group.policy === 'affinity') {
    const where = new Set(group.memberHostIds.length > 0 ? group.memberHostIds : hostIds.slice(0, 1));
    return hostIds.every((hostId) => where.has(hostId));
  }
  if (group.policy !== 'anti-affinity') return true;
  const most = Math.max(1, group.maxServerPerHost);
  return hostIds.every((hostId) => all.filter((other) => other === hostId).length <= most);
}

/**
 * Writes the group in the transaction that puts members of it on hosts, with these members. A request that placed
 * another member by the group as it was before sees that it has changed: two placements never agree with one state of
 * the group each.
 */
export function writeGroup(change: Change, row: Row<shoal.v1.ServerGroup>, memberIds: readonly string[]): void {
  serverGroupTable.update(change, row, new shoal.v1.ServerGroup({ ...row.record, memberIds: [...memberIds] }));
}
