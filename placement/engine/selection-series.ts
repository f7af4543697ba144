import type { Prng } from '../../node/base/prng.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { drawAfter, drawAmong, listWidthMax } from '../configuration/draw.ts';
import type { CandidateList } from '../index/candidate-index.ts';
import type { ClassIndex } from '../index/class-index.ts';
import { compileOverlay } from '../index/request-overlay.ts';
import type { PlacementRequest } from '../model/request.ts';
import type { Candidate, Selection } from '../model/selection.ts';

/** How many times more candidates are kept than one choice looks at: then they last for several. */
const keptFactor = 4;

/** What a series asks of the engine. */
interface SeriesEngine {
  readonly columns: HostColumns;
  readonly configuration: PlacementConfiguration;
  readonly prng: Prng;
  /** The best host now, without what the series keeps. */
  select(request: PlacementRequest, refusals?: number): Selection;
  /** The best `width` hosts, best first; good until the next call of the engine. */
  rank(request: PlacementRequest, width: number): CandidateList;
  /** The scores of the hosts for such a request. */
  indexFor(request: PlacementRequest): ClassIndex;
}

/**
 * The same request again and again, each answer held before the next is asked for: a batch. Keeps the best candidates and
 * looks again only at hosts that have changed since, so that a search of the index serves many choices. As exact as `select`
 * each time: what was never kept was worse than the last one kept, and has not changed. (The draw may see fewer
 * near-equals than it is wide, never other hosts.)
 *
 * Groups and hints that favour or name hosts are asked of the engine each time.
 */
export class SelectionSeries {
  readonly #engine: SeriesEngine;
  readonly #request: PlacementRequest;
  readonly #refusals: number;
  readonly #isPlain: boolean;
  /** Slots that are left out, as of `#membershipVersion`. */
  #except: ReadonlySet<number>;
  /** Best first. */
  #slots: number[] = [];
  #scores: number[] = [];
  /** What is not kept does not precede this; undefined: everything that passes is kept. */
  #bound: { readonly slot: number; readonly score: number } | undefined;
  #isFresh = false;
  #changeCount = 0;
  #layoutVersion = 0;
  #membershipVersion: number;

  constructor(engine: SeriesEngine, request: PlacementRequest, refusals: number) {
    this.#engine = engine;
    this.#request = request;
    this.#refusals = refusals;
    const overlay = compileOverlay(engine.columns, engine.configuration, request);
    this.#isPlain = request.host === undefined && overlay?.only === undefined && overlay?.bonuses === undefined;
    this.#except = overlay?.except ?? new Set();
    this.#membershipVersion = engine.columns.membershipVersion;
  }

  /** As `PlacementEngine.select`. */
  next(): Selection {
    if (!this.#isPlain) return this.#engine.select(this.#request, this.#refusals);
    const { alternatesMax } = this.#engine.configuration;
    const draw = drawAfter(this.#engine.configuration, this.#refusals);
    const wanted = Math.max(draw.width, alternatesMax + 1);
    if (this.#isFresh) this.#catchUp();
    if (!this.#isFresh || (this.#bound !== undefined && this.#slots.length * 2 < wanted)) this.#search(wanted);
    if (this.#slots.length === 0) return { outcome: 'none' };
    const first = drawAmong({ length: this.#slots.length, scores: this.#scores }, draw, this.#engine.prng);
    const alternates: Candidate[] = [];
    for (let i = 0; i < this.#slots.length && alternates.length < alternatesMax; i++) {
      if (i !== first) alternates.push(this.#candidate(i));
    }
    return { outcome: 'selected', candidate: this.#candidate(first), alternates };
  }

  #search(wanted: number): void {
    const width = Math.min(listWidthMax, wanted * keptFactor);
    const list = this.#engine.rank(this.#request, width);
    this.#slots = [...list.slots.subarray(0, list.length)];
    this.#scores = [...list.scores.subarray(0, list.length)];
    const last = list.length - 1;
    this.#bound = list.length < width ? undefined : { slot: this.#slots[last] ?? 0, score: this.#scores[last] ?? 0 };
    this.#changeCount = this.#engine.columns.changeCount;
    this.#layoutVersion = this.#engine.columns.layoutVersion;
    this.#isFresh = true;
  }

  /** Takes in what has changed since the last look; too much of it, and everything is looked at again. */
  #catchUp(): void {
    const { columns } = this.#engine;
    const from = this.#changeCount;
    if (columns.membershipVersion !== this.#membershipVersion) {
      // A host that is left out may have come, or a slot be another host's.
      this.#membershipVersion = columns.membershipVersion;
      this.#except = compileOverlay(columns, this.#engine.configuration, this.#request)?.except ?? new Set();
      this.#isFresh = false;
      return;
    }
    if (columns.layoutVersion !== this.#layoutVersion || columns.changeCount - from > columns.changeMask) {
      this.#isFresh = false;
      return;
    }
    const index = this.#engine.indexFor(this.#request);
    for (let at = from; at < columns.changeCount; at++) {
      // An entry that is not its slot's latest says nothing.
      const slot = columns.changes[at & columns.changeMask] ?? 0;
      if (columns.lastChange[slot] !== at) continue;
      const kept = this.#slots.indexOf(slot);
      if (kept >= 0) {
        this.#slots.splice(kept, 1);
        this.#scores.splice(kept, 1);
      }
      const score = index.scoreOf(slot);
      if (score === Number.NEGATIVE_INFINITY || this.#except.has(slot)) continue;
      if (this.#bound === undefined || this.#precedes(score, slot, this.#bound.score, this.#bound.slot)) {
        this.#insert(slot, score);
      }
    }
    this.#changeCount = columns.changeCount;
  }

  #insert(slot: number, score: number): void {
    let at = this.#slots.length;
    while (at > 0 && this.#precedes(score, slot, this.#scores[at - 1] ?? 0, this.#slots[at - 1] ?? 0)) at--;
    this.#slots.splice(at, 0, slot);
    this.#scores.splice(at, 0, score);
  }

  #precedes(score: number, slot: number, otherScore: number, other: number): boolean {
    if (score !== otherScore) return score > otherScore;
    const { rank } = this.#engine.columns;
    return (rank[slot] ?? 0) < (rank[other] ?? 0);
  }

  #candidate(at: number): Candidate {
    const slot = this.#slots[at] ?? 0;
    return {
      hostId: this.#engine.columns.hostIds[slot] ?? ('' as Candidate['hostId']),
      slot,
      score: this.#scores[at] ?? 0,
    };
  }
}
