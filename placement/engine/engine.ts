import type { HostId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import { drawAfter, drawAmong, listWidthMax } from '../configuration/draw.ts';
import { CandidateIndex, CandidateList } from '../index/candidate-index.ts';
import { ClassIndex } from '../index/class-index.ts';
import { HostScores } from '../index/host-scores.ts';
import { familyKey, RequestClass, requestClassKey, scoresReadSize } from '../index/request-class.ts';
import { compileOverlay } from '../index/request-overlay.ts';
import { SharedIndex } from '../index/shared-index.ts';
import type { PlacementRequest } from '../model/request.ts';
import type { Candidate, Selection } from '../model/selection.ts';
import { SelectionSeries } from './selection-series.ts';

/** Figures for metrics. */
export interface EngineStatistics {
  readonly decisions: number;
  readonly classes: number;
  readonly classesBuilt: number;
  readonly hostsRescored: number;
}

/**
 * Decides where guests go: exactly the best host of the view for every request, at the cost of re-scoring what changed.
 *
 * Requests fall into classes (../index/request-class.ts). Each class has an index over all hosts (../index/candidate-index.ts) that catches
 * up with the columns' change log when it is asked. What is particular to one request (groups, host hints, a wanted host)
 * is laid over the index's answer (../index/request-overlay.ts). `oracle.ts` does the same by a plain scan; they never differ.
 */
export class PlacementEngine {
  readonly columns: HostColumns;
  /** What draws among near-equals. */
  readonly prng: Prng;
  #configuration: PlacementConfiguration;
  #hostScores: HostScores;
  /** Most recently used last. */
  readonly #classes = new Map<string, ClassIndex>();
  /** By family key, in order of making. */
  readonly #shared = new Map<string, SharedIndex>();
  /** The class asked last: bursts of one flavor are the rule. */
  #lastKey = '';
  #lastIndex: ClassIndex | undefined;
  readonly #list: CandidateList;
  #decisions = 0;
  #classesBuilt = 0;
  #rescoredBefore = 0;

  constructor(columns: HostColumns, configuration: PlacementConfiguration, prng: Prng) {
    this.columns = columns;
    this.#configuration = configuration;
    this.#hostScores = new HostScores(columns, configuration);
    this.prng = prng;
    this.#list = new CandidateList(columns, listWidthMax);
  }

  get configuration(): PlacementConfiguration {
    return this.#configuration;
  }

  /** Changes how hosts are judged. Every index is built again when next asked. */
  reconfigure(configuration: PlacementConfiguration): void {
    this.#rescoredBefore = this.statistics.hostsRescored;
    this.#configuration = configuration;
    this.#hostScores = new HostScores(this.columns, configuration);
    this.#classes.clear();
    this.#shared.clear();
    this.#lastIndex = undefined;
  }

  get statistics(): EngineStatistics {
    let hostsRescored = this.#rescoredBefore;
    for (const index of this.#classes.values()) hostsRescored += index.rescored;
    for (const index of this.#shared.values()) hostsRescored += index.rescored;
    return {
      decisions: this.#decisions,
      classes: this.#classes.size,
      classesBuilt: this.#classesBuilt,
      hostsRescored,
    };
  }

  /**
   * The best host for the request and the next best ones, by the view as it is now. Deducts nothing: the caller holds
   * (`columns.hold`) what it claims, before it decides again. Draws among near-equals as configured.
   * @param refusals how many targets have refused this request so far. A refusal means that others are after the same
   *   hosts, so each doubles the draw and looks past scores.
   */
  select(request: PlacementRequest, refusals = 0): Selection {
    const { alternatesMax } = this.#configuration;
    const draw = drawAfter(this.#configuration, refusals);
    const list = this.rank(request, Math.max(draw.width, alternatesMax + 1));
    if (list.length === 0) return nothing;
    const first = drawAmong(list, draw, this.prng);
    const alternates: Candidate[] = [];
    for (let i = 0; i < list.length && alternates.length < alternatesMax; i++) {
      if (i !== first) alternates.push(this.#candidate(list, i));
    }
    return { outcome: 'selected', candidate: this.#candidate(list, first), alternates };
  }

  /** For a batch: the same request many times over. */
  series(request: PlacementRequest, refusals = 0): { next(): Selection } {
    return new SelectionSeries(this, request, refusals);
  }

  /**
   * The slot that `select` would choose, or -1: for callers that need no alternates and nothing allocated.
   */
  selectSlot(request: PlacementRequest, refusals = 0): number {
    const draw = drawAfter(this.#configuration, refusals);
    const list = this.rank(request, draw.width);
    return list.length === 0 ? -1 : (list.slots[drawAmong(list, draw, this.prng)] ?? -1);
  }

  /** The best `width` (bounded) hosts in order. The list is reused: read it before the next call. */
  rank(request: PlacementRequest, width: number): CandidateList {
    this.#decisions++;
    const list = this.#list;
    list.reset(Math.max(1, width));
    if (request.host?.force === true) {
      this.#rankForced(request, request.host.hostId);
      return list;
    }
    const index = this.indexFor(request);
    const overlay = compileOverlay(this.columns, this.#configuration, request);
    if (overlay === undefined) {
      index.collect(list, undefined);
      return list;
    }
    const { only, except, bonuses } = overlay;
    if (only !== undefined) {
      for (const slot of only) {
        if (except?.has(slot) !== true) offer(list, index.scoreOf(slot) + (bonuses?.get(slot) ?? 0), slot);
      }
      return list;
    }
    if (bonuses === undefined) {
      index.collect(list, except);
      return list;
    }
    // Hosts with a bonus are judged one by one; the index answers for all others.
    const apart = new Set(except);
    for (const slot of bonuses.keys()) apart.add(slot);
    index.collect(list, apart);
    for (const [slot, bonus] of bonuses) {
      if (except?.has(slot) !== true) offer(list, index.scoreOf(slot) + bonus, slot);
    }
    return list;
  }

  /** The class's index, caught up. For batches and tests; ordinary callers use `select`. */
  indexFor(request: PlacementRequest): ClassIndex {
    const key = requestClassKey(this.columns, this.#configuration, request);
    let index = this.#lastIndex;
    if (index === undefined || key !== this.#lastKey) {
      index = this.#classes.get(key);
      if (index === undefined) {
        this.#makeRoom();
        index = new ClassIndex(this.columns, this.#configuration, request, {
          hostScores: this.#hostScores,
          shared: this.#sharedFor(request),
        });
        this.#classesBuilt++;
      } else {
        this.#classes.delete(key);
      }
      this.#classes.set(key, index);
      this.#lastKey = key;
      this.#lastIndex = index;
    }
    index.refresh(!scoresReadSize(this.columns, this.#configuration));
    return index;
  }

  #sharedFor(request: PlacementRequest): SharedIndex {
    const key = familyKey(this.columns, this.#configuration, request);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      const requestClass = new RequestClass(this.columns, this.#configuration, request, {
        hostScores: this.#hostScores,
        withoutRoom: true,
      });
      shared = new SharedIndex(this.columns, requestClass);
      this.#shared.set(key, shared);
    }
    return shared;
  }

  /** A forced host: no filter is asked, but a host that is excluded stays so. The target still decides by its claim ledger. */
  #rankForced(request: PlacementRequest, hostId: HostId): void {
    if (request.excludedHosts.includes(hostId)) return;
    const slot = this.columns.slotOf(hostId);
    if (slot === undefined) return;
    const requestClass = new RequestClass(this.columns, this.#configuration, request, {
      hostScores: this.#hostScores,
    });
    this.#list.insert(requestClass.weigh(slot), slot);
  }

  /**
   * Drops the classes that were used longest ago while the indexes would take more memory than allowed. Every index counts
   * as full size, which errs on the small side of memory.
   */
  #makeRoom(): void {
    const each = Math.max(CandidateIndex.bytesFor(this.columns.slotsMax), SharedIndex.bytesFor(this.columns.slotsMax));
    const most = Math.max(2, Math.floor(this.#configuration.indexBytesMax / each));
    let held = this.#shared.size;
    for (const index of this.#classes.values()) if (index.hasOwn) held++;
    if (held + 2 <= most && this.#classes.size < classesMax) return;
    // Rare, so plain: forget the older half of the classes and every shared index; those in use come back when asked.
    this.#rescoredBefore = this.statistics.hostsRescored;
    const half = Math.ceil(this.#classes.size / 2);
    let dropped = 0;
    for (const key of this.#classes.keys()) {
      if (dropped++ >= half) break;
      this.#classes.delete(key);
    }
    const kept = [...this.#classes.keys()];
    if (this.#shared.size * 2 > most) {
      for (const key of kept) this.#classes.delete(key);
      this.#shared.clear();
    }
  }

  #candidate(list: CandidateList, i: number): Candidate {
    const slot = list.slots[i] ?? 0;
    const hostId = this.columns.hostIds[slot];
    return { hostId: hostId ?? ('' as HostId), slot, score: list.scores[i] ?? 0 };
  }
}

/** Classes without an index of their own are small; this bounds what odd requests can pile up. */
const classesMax = 10_000;

const nothing: Selection = { outcome: 'none' };

function offer(list: CandidateList, score: number, slot: number): void {
  if (score !== Number.NEGATIVE_INFINITY && list.admits(score, slot)) list.insert(score, slot);
}
