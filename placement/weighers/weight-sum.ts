import { lowestNumber } from '../columns/aggregate-limit.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { HostProfile } from '../columns/host-profile.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { type HostWeight, multiplierOf, type Weigher } from './weigher.ts';

/** A weigher ready to be asked. */
export interface CompiledWeight {
  readonly weigher: Weigher;
  readonly weight: HostWeight;
}

/** Multiplier times weight, summed over some weighers. Aggregates' multipliers are looked up once a profile. */
export class WeightSum {
  readonly #columns: HostColumns;
  readonly #compiled: readonly CompiledWeight[];
  readonly #plain: Terms;
  /** By profile id; undefined: not looked up yet. */
  #byProfile: (Terms | undefined)[] = [];
  readonly #configured: readonly number[];

  constructor(columns: HostColumns, configuration: PlacementConfiguration, compiled: readonly CompiledWeight[]) {
    this.#columns = columns;
    this.#compiled = compiled;
    this.#configured = compiled.map(({ weigher }) => multiplierOf(weigher, configuration));
    this.#plain = termsOf(compiled, this.#configured);
  }

  /** `start` plus the host's weights. */
  addTo(start: number, slot: number): number {
    const columns = this.#columns;
    const profileId = columns.profileIds[slot] ?? 0;
    const { multipliers, weights } = this.#byProfile[profileId] ?? this.#lookUp(profileId);
    let sum = start;
    for (let i = 0; i < weights.length; i++) sum += (multipliers[i] ?? 0) * (weights[i]?.(columns, slot) ?? 0);
    return sum;
  }

  /** Called after profile ids have been reassigned. */
  relayout(): void {
    this.#byProfile = [];
  }

  #lookUp(profileId: number): Terms {
    const profile = this.#columns.profiles.byId[profileId];
    if (profile === undefined) return this.#plain;
    let overridden = false;
    const multipliers = this.#compiled.map(({ weigher }, i) => {
      const override = overrideOf(profile, weigher);
      if (override !== undefined) overridden = true;
      return override ?? this.#configured[i] ?? 0;
    });
    // Most profiles share one object: fewer things for the cache to hold.
    const terms = overridden ? termsOf(this.#compiled, multipliers) : this.#plain;
    this.#byProfile[profileId] = terms;
    return terms;
  }
}

interface Terms {
  readonly multipliers: readonly number[];
  readonly weights: readonly HostWeight[];
}

/** Weighers that count for nothing are left out: adding 0 times a finite weight changes no sum. */
function termsOf(compiled: readonly CompiledWeight[], multipliers: readonly number[]): Terms {
  const counted = [...compiled.keys()].filter((i) => multipliers[i] !== 0);
  return {
    multipliers: counted.map((i) => multipliers[i] ?? 0),
    weights: compiled.filter((_, i) => multipliers[i] !== 0).map(({ weight }) => weight),
  };
}

function overrideOf(profile: HostProfile, weigher: Weigher): number | undefined {
  return lowestNumber(profile.metadata.get(weigher.multiplierKey));
}

/** The multiplier of `weigher` on a host of `profile`. */
export function multiplierOn(profile: HostProfile, weigher: Weigher, configuration: PlacementConfiguration): number {
  return overrideOf(profile, weigher) ?? multiplierOf(weigher, configuration);
}
