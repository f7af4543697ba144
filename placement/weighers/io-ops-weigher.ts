import type { HostWeigher } from './weigher.ts';

/** I/O-heavy operations over `IoOpsFilter`'s limit: 1 is a host at the limit. Negative multiplier: fewer is better. */
export const ioOpsWeigher: HostWeigher = {
  name: 'IoOpsWeigher',
  purpose: 'fewer I/O-heavy operations in progress',
  scope: 'host',
  multiplierKey: 'io_ops_weight_multiplier',
  // Packing wants the fullest host even when it is building: otherwise a burst spreads over fresh hosts.
  multipliers: { spread: -1, pack: 0 },
  compile(configuration) {
    const limit = Math.max(1, configuration.maxIoOpsPerHost);
    return (columns, slot) => (columns.ioOps[slot] ?? 0) / limit;
  },
};
