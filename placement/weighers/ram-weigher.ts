import type { HostWeigher } from './weigher.ts';

/** Free memory over the scale: 0..1, below 0 on an over-committed host. Nova's floor of 0 is the same zero. */
export const ramWeigher: HostWeigher = {
  name: 'RAMWeigher',
  purpose: 'more free memory',
  scope: 'host',
  multiplierKey: 'ram_weight_multiplier',
  multipliers: { spread: 1, pack: 0 },
  compile: () => (columns, slot) => (columns.resources.memoryMib.free[slot] ?? 0) / columns.resources.memoryMib.scale,
};
