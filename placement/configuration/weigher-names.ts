/**
 * Every weigher by name, in the order in which weights are summed (sums of floats depend on it): first those that read the
 * host alone, then those that read the request class too, then those that read the single request.
 */
export const weigherNames = [
  'RAMWeigher',
  'CPUWeigher',
  'DiskWeigher',
  'IoOpsWeigher',
  'PCIWeigher',
  'MetricsWeigher',
  'BuildFailureWeigher',
  'HostStateWeigher',
  'FragmentationWeigher',
  'CrossCellWeigher',
  'ServerGroupSoftAffinityWeigher',
  'ServerGroupSoftAntiAffinityWeigher',
] as const;

/** The name of one weigher, Nova's where Nova has it: the key of its multiplier in the configuration. */
export type WeigherName = (typeof weigherNames)[number];
