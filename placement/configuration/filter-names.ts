/** Every filter by name, in the order in which they run. */
export const filterNames = [
  'ComputeFilter',
  'AvailabilityZoneFilter',
  'FeatureLevelFilter',
  'ComputeCapabilitiesFilter',
  'ImagePropertiesFilter',
  'RequiredTraitsFilter',
  'PhysicalNetworkFilter',
  'StoragePoolFilter',
  'CoreFilter',
  'RamFilter',
  'DiskFilter',
  'ResourceClassFilter',
  'PciPassthroughFilter',
  'NUMATopologyFilter',
  'AggregateImagePropertiesIsolation',
  'AggregateInstanceExtraSpecsFilter',
  'AggregateIoOpsFilter',
  'AggregateMultiTenancyIsolation',
  'AggregateNumInstancesFilter',
  'AggregateTypeAffinityFilter',
  'AllHostsFilter',
  'IoOpsFilter',
  'IsolatedHostsFilter',
  'JsonFilter',
  'MetricsFilter',
  'NumInstancesFilter',
  'DifferentHostFilter',
  'SameHostFilter',
  'SimpleCIDRAffinityFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
] as const;

/** The name of one filter, Nova's where Nova has it: what `enabledFilters` in the configuration lists. */
export type FilterName = (typeof filterNames)[number];

/**
 * On by default: Nova's five (Compute, ComputeCapabilities, ImageProperties and both group filters); what Nova leaves to
 * its Placement service (capacity, zone, traits, networks, storage, devices, NUMA); and the filters that act only on a
 * hint, because a hint that is ignored silently is worse than one that is refused. `JsonFilter` stays off, as in Nova: its
 * queries let a user probe what hosts look like.
 */
export const defaultFilterNames: readonly FilterName[] = [
  'ComputeFilter',
  'AvailabilityZoneFilter',
  'FeatureLevelFilter',
  'ComputeCapabilitiesFilter',
  'ImagePropertiesFilter',
  'RequiredTraitsFilter',
  'PhysicalNetworkFilter',
  'StoragePoolFilter',
  'CoreFilter',
  'RamFilter',
  'DiskFilter',
  'ResourceClassFilter',
  'PciPassthroughFilter',
  'NUMATopologyFilter',
  'DifferentHostFilter',
  'SameHostFilter',
  'SimpleCIDRAffinityFilter',
  'ServerGroupAntiAffinityFilter',
  'ServerGroupAffinityFilter',
];
