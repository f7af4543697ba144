import { memberShares } from './soft-affinity-weigher.ts';
import type { RequestWeigher } from './weigher.ts';

/** Policy `soft-anti-affinity`: less the share of the group's members that is on the host. */
export const softAntiAffinityWeigher: RequestWeigher = {
  name: 'ServerGroupSoftAntiAffinityWeigher',
  purpose: "fewer of the group's members on the host, under soft-anti-affinity",
  scope: 'request',
  multiplierKey: 'soft_anti_affinity_weight_multiplier',
  multipliers: { spread: 1, pack: 1 },
  compile: ({ group }) => (group?.policy === 'soft-anti-affinity' ? memberShares(group.memberHosts, -1) : undefined),
};
