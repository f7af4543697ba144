import type { HostWeigher } from './weigher.ts';

/** Free vCPUs (under the allocation ratio) over the scale: 0..1, below 0 on an over-committed host. */
export const cpuWeigher: HostWeigher = {
  name: 'CPUWeigher',
  purpose: 'more free vCPUs',
  scope: 'host',
  multiplierKey: 'cpu_weight_multiplier',
  multipliers: { spread: 1, pack: 0 },
  compile: () => (columns, slot) => (columns.resources.vcpus.free[slot] ?? 0) / columns.resources.vcpus.scale,
};
