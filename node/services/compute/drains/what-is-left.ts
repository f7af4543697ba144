/** What the mesh has when some hosts are switched off: voters for its quorum, hosts for its strict server groups. Pure. */
import type { shoal } from '../../../../proto/messages.ts';
import { hostTable, serverGroupTable, serverTable } from '../../../state/tables/index.ts';
import type { ClusterStatus, StateReader } from '../../../state/types.ts';
import type { HostViews } from '../../kit/dependencies.ts';

type Host = shoal.v1.Host;

/** Groups named in a warning; the rest are counted. */
const namedMax = 5;

/** Why nothing could be committed any more without these hosts, for people; undefined: something could. */
export function whyNoQuorum(
  reader: StateReader,
  hosts: readonly Host[],
  { voters }: Pick<ClusterStatus, 'voters'>,
  views: Pick<HostViews, 'condition'>,
): string | undefined {
  const gone = new Set(hosts.map(({ raftId }) => raftId));
  if (!voters.some((raftId) => gone.has(raftId))) return undefined;
  const byRaftId = new Map(hostTable.list(reader).map(({ record }) => [record.raftId, record]));
  const left = voters.filter((raftId) => {
    const id = byRaftId.get(raftId)?.id;
    return !gone.has(raftId) && id !== undefined && views.condition(id) !== 'dead';
  });
  if (left.length > voters.length / 2) return undefined;
  return (
    `${voters.length - left.length} of the ${voters.length} voters would be off: with ${left.length} left, ` +
    'the mesh has no quorum'
  );
}

/** Strict groups that have members on these hosts and too few other hosts for them; for people. */
export function groupsWithoutRoom(reader: StateReader, hosts: readonly Host[]): readonly string[] {
  const gone = new Set(hosts.map(({ id }) => id));
  const others = hostTable.list(reader).filter(({ record }) => !gone.has(record.id) && !record.disabled).length;
  const texts: string[] = [];
  for (const { record: group } of serverGroupTable.list(reader)) {
    if (group.policy !== 'anti-affinity') continue;
    const members = group.memberIds.flatMap((id) => serverTable.get(reader, id)?.record ?? []);
    if (!members.some(({ hostId }) => gone.has(hostId))) continue;
    const placed = members.filter(({ hostId }) => hostId !== '').length;
    const room = others * Math.max(1, group.maxServerPerHost);
    if (placed <= room) continue;
    texts.push(`server group ${group.name} keeps ${placed} servers apart, and the other hosts take ${room} of them`);
  }
  if (texts.length <= namedMax) return texts;
  return [...texts.slice(0, namedMax), `${texts.length - namedMax} more server groups have too few other hosts`];
}
