import { type HostWeigher, squash } from './weigher.ts';

/** Failed builds in a row, squashed: 0, 1/2, 2/3, ... Times -1,000,000: any failure outweighs all else. */
export const buildFailureWeigher: HostWeigher = {
  name: 'BuildFailureWeigher',
  purpose: 'fewer recent failed builds',
  scope: 'host',
  multiplierKey: 'build_failure_weight_multiplier',
  multipliers: { spread: -1_000_000, pack: -1_000_000 },
  compile: () => (columns, slot) => squash(columns.buildFailures[slot] ?? 0),
};
