/** The public face of placement. See README.md for what the words mean and how the parts work together. */

export {
  type Admission,
  type Claim,
  type ClaimChange,
  ClaimLedger,
  type ClaimLimits,
  type ClaimRecord,
  defaultClaimLimits,
  type HostCapacity,
  type LedgerChange,
  type LedgerUsage,
  type RefusalWhy,
} from './claims/claims.ts';
export { HostColumns } from './columns/host-columns.ts';
export {
  defaultAllocationRatios,
  defaultConfiguration,
  type GuestShape,
  type PlacementConfiguration,
} from './configuration/configuration.ts';
export { configurationFaults } from './configuration/configuration-check.ts';
export { defaultFilterNames, type FilterName, filterNames } from './configuration/filter-names.ts';
export { ShapeTracker } from './configuration/shape-tracker.ts';
export { type WeigherName, weigherNames } from './configuration/weigher-names.ts';
export { type NumaAssignment, numaCellsUsed, numaNeedsOf } from './devices/numa.ts';
export { type PciAliases, type PciAssignment, pciRequestsOf } from './devices/pci.ts';
export { type BatchMember, type BatchOptions, type BatchSelection, batchMax, selectBatch } from './engine/batch.ts';
export { type EngineStatistics, PlacementEngine } from './engine/engine.ts';
export {
  type Explanation,
  explain,
  explainHost,
  type FilterExplanation,
  type HostExplanation,
} from './engine/explain.ts';
export { type WhatIf, whatIf, whatIfMax } from './engine/what-if.ts';
export { filters } from './filters/index.ts';
export { compileJsonQuery, type JsonQuery } from './matching/json-query.ts';
export {
  capacityOf,
  compareAdverts,
  type HostAdvert,
  type HostAggregate,
  type HostState,
  type Hypervisor,
  type NumaCell,
  type NumaPages,
  type PciPool,
  type ResourcePool,
  type StoragePool,
  type SupportedGuest,
} from './model/advert.ts';
export { adverseIn, advertBounds } from './model/advert-check.ts';
export {
  type ClaimKey,
  claimKeyText,
  type NumaNeeds,
  type PciRequest,
  type PlacementPurpose,
  type PlacementRequest,
  placementRequest,
  type RequestGroup,
  type RequestHints,
  type ResourceNeeds,
} from './model/request.ts';
export {
  type BasicResource,
  type ByResource,
  type ExtraResource,
  extraAmountsOf,
  extraResourceOf,
  extraResources,
  type ResourceName,
  resourceClasses,
  resourceNames,
  resourceSpecPrefix,
} from './model/resource-classes.ts';
export type { Candidate, Selection } from './model/selection.ts';
export { weighers } from './weighers/index.ts';
