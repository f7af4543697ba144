import type { HostWeigher } from './weigher.ts';

/** Free local disk over the scale: 0..1, below 0 on an over-committed host. */
export const diskWeigher: HostWeigher = {
  name: 'DiskWeigher',
  purpose: 'more free local disk',
  scope: 'host',
  multiplierKey: 'disk_weight_multiplier',
  multipliers: { spread: 1, pack: 0 },
  compile: () => (columns, slot) => (columns.resources.diskGib.free[slot] ?? 0) / columns.resources.diskGib.scale,
};
