import type { HostId } from '../../node/base/ids.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import type { WeigherName } from '../configuration/weigher-names.ts';
import type { PlacementRequest } from '../model/request.ts';

/**
 * A weigher says how welcome a guest is on a host that passed the filters. A host's score is the sum of multiplier times
 * weight; the highest wins.
 *
 * **Normalisation, and how it differs from Nova's.** Nova scales each weigher to 0..1 over the hosts that passed the
 * filters for this one request, so one host's score hangs on every other host. Ours depends on the host and the request
 * class alone: the raw value is divided by a fixed scale (the largest host's capacity rounded up to a power of two, or a
 * named constant) or squashed by `x / (1 + |x|)`. Both are strictly monotone, so *one* weigher alone orders hosts exactly
 * as Nova does. Several together differ only in how much one counts against another: Nova stretches small differences to
 * the full range (hosts with 100 and 101 GiB free get 0 and 1), ours leaves them small. That makes an incremental index
 * exact, a score comparable over time and across agents, and placement free of jumps when one odd host joins.
 */
export type Weigher = HostWeigher | ClassWeigher | RequestWeigher;

interface WeigherBase {
  /** Nova's name, where Nova has the weigher. */
  readonly name: WeigherName;
  /** One sentence for operators. */
  readonly purpose: string;
  /** Aggregate metadata key that overrides the multiplier for hosts of the aggregate (the lowest of several wins). */
  readonly multiplierKey: string;
  /** Multiplier under each strategy. 0: not asked. */
  readonly multipliers: { readonly spread: number; readonly pack: number };
}

/** Weighs every host by its row alone: one number serves every class of requests. Prefer this kind. */
export interface HostWeigher extends WeigherBase {
  readonly scope: 'host';
  /** `undefined`: weighs every host alike under this configuration. */
  compile(configuration: PlacementConfiguration): HostWeight | undefined;
}

/** Weighs every host by its row and what the request's class asks for. */
export interface ClassWeigher extends WeigherBase {
  readonly scope: 'class';
  /** Whether it reads how large the guest is. If not, flavors that differ in size alone share an index. */
  readonly readsSize: boolean;
  /** `undefined`: weighs every host alike for this request. */
  compile(request: PlacementRequest, configuration: PlacementConfiguration): HostWeight | undefined;
}

/** A row's weight. About 0..1 (or -1..0); finite. */
export type HostWeight = (columns: HostColumns, slot: number) => number;

/** Weighs a few hosts by what is not in the request's class; hosts that are not listed weigh 0. */
export interface RequestWeigher extends WeigherBase {
  readonly scope: 'request';
  compile(request: PlacementRequest): ReadonlyMap<HostId, number> | undefined;
}

/** The multiplier that configuration and strategy give; aggregates may override it by host. */
export function multiplierOf(weigher: Weigher, configuration: PlacementConfiguration): number {
  return configuration.weightMultipliers[weigher.name] ?? weigher.multipliers[configuration.strategy];
}

/** Maps any finite number into (-1, 1), strictly monotone. */
export function squash(value: number): number {
  return value / (1 + Math.abs(value));
}
