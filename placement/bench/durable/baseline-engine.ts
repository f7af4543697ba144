import type { Prng } from '../../../node/base/prng.ts';
import {
  defaultConfiguration,
  type HostColumns,
  PlacementEngine,
  type PlacementRequest,
  type Selection,
} from '../../index.ts';
import type { PlacerName } from './messages.ts';

/** Placers that are not ours. */
type BaselineName = Extract<PlacerName, 'random2' | 'first-fit'>;

/** Pairs of random hosts looked at before a scan looks for any that fits. */
const pairsMax = 16;

/**
 * What ours is measured against: the same view, holds, claims and bind, with the choice made by a rule that needs no index.
 * `random2`: of two random hosts with room the one with more free memory. `first-fit`: the first with room.
 */
export class BaselineEngine extends PlacementEngine {
  readonly #rule: BaselineName;
  readonly #random: Prng;

  constructor(columns: HostColumns, rule: BaselineName, random: Prng) {
    super(columns, defaultConfiguration, random);
    this.#rule = rule;
    this.#random = random;
  }

  override select(request: PlacementRequest): Selection {
    const { columns } = this;
    const excluded = new Set(request.excludedHosts);
    const fits = (slot: number): boolean => {
      const hostId = columns.hostIds[slot];
      return (
        columns.takesGuests[slot] === 1 &&
        (columns.resources.vcpus.room[slot] ?? 0) >= request.needs.vcpus &&
        (columns.resources.memoryMib.room[slot] ?? 0) >= request.needs.memoryMib &&
        (columns.resources.diskGib.room[slot] ?? 0) >= request.needs.diskGib &&
        hostId !== undefined &&
        !excluded.has(hostId)
      );
    };
    const slot = this.#rule === 'random2' ? (this.#randomOfTwo(fits) ?? this.#first(fits)) : this.#first(fits);
    const hostId = slot === undefined ? undefined : columns.hostIds[slot];
    if (slot === undefined || hostId === undefined) return { outcome: 'none' };
    return { outcome: 'selected', candidate: { hostId, slot, score: 0 }, alternates: [] };
  }

  override series(request: PlacementRequest): { next(): Selection } {
    return { next: () => this.select(request) };
  }

  #randomOfTwo(fits: (slot: number) => boolean): number | undefined {
    const { columns } = this;
    for (let pair = 0; pair < pairsMax; pair++) {
      const [a, b] = [this.#random.below(columns.slotsUsed), this.#random.below(columns.slotsUsed)].filter(fits);
      if (a === undefined) continue;
      if (b === undefined) return a;
      return (columns.resources.memoryMib.free[a] ?? 0) >= (columns.resources.memoryMib.free[b] ?? 0) ? a : b;
    }
    return undefined;
  }

  #first(fits: (slot: number) => boolean): number | undefined {
    for (let slot = 0; slot < this.columns.slotsUsed; slot++) if (fits(slot)) return slot;
    return undefined;
  }
}
