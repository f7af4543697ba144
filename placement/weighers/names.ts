/** Every weigher by name; all are asked unless their multiplier is 0. */
export const weigherNames = [
  'RAMWeigher',
  'CPUWeigher',
  'DiskWeigher',
  'FragmentationWeigher',
  'IoOpsWeigher',
  'PCIWeigher',
  'MetricsWeigher',
  'BuildFailureWeigher',
  'HostStateWeigher',
  'CrossCellWeigher',
  'ServerGroupSoftAffinityWeigher',
  'ServerGroupSoftAntiAffinityWeigher',
] as const;

export type WeigherName = (typeof weigherNames)[number];
