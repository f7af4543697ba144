/** The public face of placement. See README.md for what the words mean and how the parts work together. */
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
} from './advert.ts';
export { adverseIn, advertBounds } from './advert-check.ts';
export { type BatchMember, type BatchOptions, type BatchSelection, batchMax, selectBatch } from './batch.ts';
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
} from './claims.ts';
export {
  defaultAllocationRatios,
  defaultConfiguration,
  type GuestShape,
  type PlacementConfiguration,
} from './configuration.ts';
export { configurationFaults } from './configuration-check.ts';
export { type EngineStatistics, PlacementEngine } from './engine.ts';
export { type Explanation, explain, explainHost, type FilterExplanation, type HostExplanation } from './explain.ts';
export { filters } from './filters/index.ts';
export { defaultFilterNames, type FilterName, filterNames } from './filters/names.ts';
export { HostColumns } from './host-columns.ts';
export { compileJsonQuery, type JsonQuery } from './json-query.ts';
export { type NumaAssignment, numaNeedsOf } from './numa.ts';
export { type PciAliases, type PciAssignment, pciRequestsOf } from './pci.ts';
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
} from './request.ts';
export type { Candidate, Selection } from './selection.ts';
export { ShapeTracker } from './shape-tracker.ts';
export { weighers } from './weighers/index.ts';
export { type WeigherName, weigherNames } from './weighers/names.ts';
export { type WhatIf, whatIf, whatIfMax } from './what-if.ts';
