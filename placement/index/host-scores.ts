import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { weigherNames } from '../configuration/weigher-names.ts';
import { weighers } from '../weighers/index.ts';
import { type CompiledWeight, WeightSum } from '../weighers/weight-sum.ts';

/**
 * The part of a score that reads the host alone, the same for every request class. Worked out at most once for each change
 * of a host, when the first class asks; with sixteen classes that saves fifteen of sixteen sums.
 */
export class HostScores {
  readonly #columns: HostColumns;
  readonly #sum: WeightSum;
  #scores: Float64Array;
  /** The change that a score was worked out for, by slot. */
  #changes: Float64Array;
  #layoutVersion: number;

  constructor(columns: HostColumns, configuration: PlacementConfiguration) {
    this.#columns = columns;
    this.#sum = new WeightSum(columns, configuration, compileHostWeights(configuration));
    this.#scores = new Float64Array(columns.slotsMax);
    this.#changes = new Float64Array(columns.slotsMax).fill(-1);
    this.#layoutVersion = columns.layoutVersion;
  }

  /** The host's score by its row alone. `relayout` must have been called since columns moved. */
  scoreOf(slot: number): number {
    const change = this.#columns.lastChange[slot] ?? 0;
    if (this.#changes[slot] !== change) {
      this.#changes[slot] = change;
      this.#scores[slot] = this.#sum.addTo(0, slot);
    }
    return this.#scores[slot] ?? 0;
  }

  /** Forgets everything when columns moved or a scale changed. */
  relayout(): void {
    const columns = this.#columns;
    if (this.#layoutVersion === columns.layoutVersion) return;
    this.#layoutVersion = columns.layoutVersion;
    this.#sum.relayout();
    if (this.#scores.length !== columns.slotsMax) {
      this.#scores = new Float64Array(columns.slotsMax);
      this.#changes = new Float64Array(columns.slotsMax);
    }
    this.#changes.fill(-1);
  }
}

function compileHostWeights(configuration: PlacementConfiguration): readonly CompiledWeight[] {
  const compiled: CompiledWeight[] = [];
  for (const name of weigherNames) {
    const weigher = weighers[name];
    if (weigher.scope !== 'host') continue;
    const weight = weigher.compile(configuration);
    if (weight !== undefined) compiled.push({ weigher, weight });
  }
  return compiled;
}
