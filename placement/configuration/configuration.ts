import type { FilterName } from './filter-names.ts';
import { defaultFilterNames } from './filter-names.ts';
import type { WeigherName } from './weigher-names.ts';

/** A guest shape with how common it is. For the fragmentation weigher. */
export interface GuestShape {
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Relative frequency, > 0. */
  readonly weight: number;
}

/** How an agent places. One object, validated once (`configurationFaults`), the same on every agent of a mesh by choice, not by need. */
export interface PlacementConfiguration {
  /** Filters that run, in this order (the order matters for `explain` alone: a host is charged to the first that refuses). */
  readonly enabledFilters: readonly FilterName[];
  /**
   * `spread` (Nova's default): the emptiest host first. `pack`: the host that is left with the least unusable room first,
   * so that as few hosts as possible are in use.
   */
  readonly strategy: 'spread' | 'pack';
  /** Overrides of the strategy's multipliers. An aggregate's `*_weight_multiplier` overrides both. */
  readonly weightMultipliers: Readonly<Partial<Record<WeigherName, number>>>;
  /** `IoOpsFilter`: a host with this many I/O-heavy operations takes no more. */
  readonly maxIoOpsPerHost: number;
  /** `NumInstancesFilter`: a host with this many servers takes no more. */
  readonly maxInstancesPerHost: number;
  readonly isolated: {
    readonly imageIds: readonly string[];
    readonly hostNames: readonly string[];
    /** True: isolated hosts take isolated images only. */
    readonly restrictHostsToImages: boolean;
  };
  /** `AggregateImagePropertiesIsolation`: keys considered begin with `namespace + separator`; empty: every key. */
  readonly imagePropertiesIsolation: { readonly namespace: string; readonly separator: string };
  readonly metrics: {
    /** Factor by metric name: the weigher's sum, and the names that the filter insists on. */
    readonly weights: Readonly<Record<string, number>>;
  };
  /** Shapes in use, the commonest first. Bounded by `shapesMax`. Empty: fragmentation is judged by the request's own shape. */
  readonly shapes: readonly GuestShape[];
  /** Draw among this many of the best hosts... */
  readonly drawWidth: number;
  /**
   * ...whose score is within this of the best one's. 0: among exact equals. Agents with stale views collide less: on the
   * Azure trace with 5 s old views and strategy `pack`, 32 hosts within 0.3 cut first refusals from 19 % to 4 % of guests
   * (placement/bench, an eighth of the trace) and cost half a percent of hosts.
   */
  readonly drawTolerance: number;
  /** Further candidates handed back, best first, for when the target refuses. */
  readonly alternatesMax: number;
  /** Bytes that candidate indexes may take in all; the least recently used class goes first. About 9 bytes a host a class. */
  readonly indexBytesMax: number;
}

/** More shapes would slow each score down and tell it little: the commonest few make up nearly all guests. */
export const shapesMax = 16;

/** Defaults: Nova's filters, capacity, Nova's spreading. */
export const defaultConfiguration: PlacementConfiguration = {
  enabledFilters: defaultFilterNames,
  strategy: 'spread',
  weightMultipliers: {},
  maxIoOpsPerHost: 8,
  maxInstancesPerHost: 50,
  isolated: { imageIds: [], hostNames: [], restrictHostsToImages: true },
  imagePropertiesIsolation: { namespace: '', separator: '.' },
  metrics: { weights: {} },
  shapes: [],
  drawWidth: 8,
  drawTolerance: 0.02,
  alternatesMax: 3,
  indexBytesMax: 256 * 1024 * 1024,
};

/** Allocation ratios that a host advertises unless it is configured otherwise: Nova's long-standing defaults. */
export const defaultAllocationRatios = { vcpus: 4, memoryMib: 1, diskGib: 1 } as const;
