import type { FilterName } from '../configuration/filter-names.ts';
import { aggregateImagePropertiesIsolation } from './aggregate-image-properties-isolation.ts';
import { aggregateInstanceExtraSpecsFilter } from './aggregate-instance-extra-specs-filter.ts';
import { aggregateIoOpsFilter } from './aggregate-io-ops-filter.ts';
import { aggregateMultiTenancyIsolation } from './aggregate-multi-tenancy-isolation.ts';
import { aggregateNumInstancesFilter } from './aggregate-num-instances-filter.ts';
import { aggregateTypeAffinityFilter } from './aggregate-type-affinity-filter.ts';
import { allHostsFilter } from './all-hosts-filter.ts';
import { availabilityZoneFilter } from './availability-zone-filter.ts';
import { computeCapabilitiesFilter } from './compute-capabilities-filter.ts';
import { computeFilter } from './compute-filter.ts';
import { differentHostFilter } from './different-host-filter.ts';
import { featureLevelFilter } from './feature-level-filter.ts';
import type { HostFilter } from './filter.ts';
import { imagePropertiesFilter } from './image-properties-filter.ts';
import { ioOpsFilter } from './io-ops-filter.ts';
import { isolatedHostsFilter } from './isolated-hosts-filter.ts';
import { jsonFilter } from './json-filter.ts';
import { metricsFilter } from './metrics-filter.ts';
import { numInstancesFilter } from './num-instances-filter.ts';
import { numaTopologyFilter } from './numa-topology-filter.ts';
import { pciPassthroughFilter } from './pci-passthrough-filter.ts';
import { physicalNetworkFilter } from './physical-network-filter.ts';
import { requiredTraitsFilter } from './required-traits-filter.ts';
import { resourceClassFilter, resourceFilter } from './resource-filter.ts';
import { sameHostFilter } from './same-host-filter.ts';
import { serverGroupAffinityFilter } from './server-group-affinity-filter.ts';
import { serverGroupAntiAffinityFilter } from './server-group-anti-affinity-filter.ts';
import { simpleCidrAffinityFilter } from './simple-cidr-affinity-filter.ts';
import { storagePoolFilter } from './storage-pool-filter.ts';

/** Every filter there is, by name. */
export const filters: Readonly<Record<FilterName, HostFilter>> = {
  ComputeFilter: computeFilter,
  AvailabilityZoneFilter: availabilityZoneFilter,
  FeatureLevelFilter: featureLevelFilter,
  ComputeCapabilitiesFilter: computeCapabilitiesFilter,
  ImagePropertiesFilter: imagePropertiesFilter,
  RequiredTraitsFilter: requiredTraitsFilter,
  PhysicalNetworkFilter: physicalNetworkFilter,
  StoragePoolFilter: storagePoolFilter,
  CoreFilter: resourceFilter('CoreFilter', 'vcpus'),
  RamFilter: resourceFilter('RamFilter', 'memoryMib'),
  DiskFilter: resourceFilter('DiskFilter', 'diskGib'),
  ResourceClassFilter: resourceClassFilter,
  PciPassthroughFilter: pciPassthroughFilter,
  NUMATopologyFilter: numaTopologyFilter,
  AggregateImagePropertiesIsolation: aggregateImagePropertiesIsolation,
  AggregateInstanceExtraSpecsFilter: aggregateInstanceExtraSpecsFilter,
  AggregateIoOpsFilter: aggregateIoOpsFilter,
  AggregateMultiTenancyIsolation: aggregateMultiTenancyIsolation,
  AggregateNumInstancesFilter: aggregateNumInstancesFilter,
  AggregateTypeAffinityFilter: aggregateTypeAffinityFilter,
  AllHostsFilter: allHostsFilter,
  IoOpsFilter: ioOpsFilter,
  IsolatedHostsFilter: isolatedHostsFilter,
  JsonFilter: jsonFilter,
  MetricsFilter: metricsFilter,
  NumInstancesFilter: numInstancesFilter,
  DifferentHostFilter: differentHostFilter,
  SameHostFilter: sameHostFilter,
  SimpleCIDRAffinityFilter: simpleCidrAffinityFilter,
  ServerGroupAntiAffinityFilter: serverGroupAntiAffinityFilter,
  ServerGroupAffinityFilter: serverGroupAffinityFilter,
};
