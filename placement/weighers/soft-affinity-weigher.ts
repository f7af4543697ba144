import type { HostId } from '../../node/base/ids.ts';
import type { RequestWeigher } from './weigher.ts';

/** Policy `soft-affinity`: the share of the group's members that is on the host. */
export const softAffinityWeigher: RequestWeigher = {
  name: 'ServerGroupSoftAffinityWeigher',
  purpose: "more of the group's members on the host, under soft-affinity",
  scope: 'request',
  multiplierKey: 'soft_affinity_weight_multiplier',
  multipliers: { spread: 1, pack: 1 },
  compile: ({ group }) => (group?.policy === 'soft-affinity' ? memberShares(group.memberHosts, 1) : undefined),
};

/** Each host's members over all members, times `sign`. Undefined when there are none. */
export function memberShares(memberHosts: readonly HostId[], sign: 1 | -1): ReadonlyMap<HostId, number> | undefined {
  if (memberHosts.length === 0) return undefined;
  const counts = new Map<HostId, number>();
  for (const host of memberHosts) counts.set(host, (counts.get(host) ?? 0) + 1);
  for (const [host, count] of counts) counts.set(host, (sign * count) / memberHosts.length);
  return counts;
}
