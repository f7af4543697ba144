import type { HostColumns } from '../columns/host-columns.ts';
import type { PlacementConfiguration } from '../configuration/configuration.ts';
import type { PlacementRequest } from '../model/request.ts';
import { CandidateIndex, type CandidateList } from './candidate-index.ts';
import type { HostScores } from './host-scores.ts';
import { RequestClass, type RoomNeeds } from './request-class.ts';
import type { SharedIndex } from './shared-index.ts';

/**
 * Where one request class gets its candidates from: the index that it shares with classes of other sizes, or one of its
 * own. Its own it gets when a weigher reads the guest's size, or when searching the shared one turned out to be long.
 */
export class ClassIndex {
  readonly requestClass: RequestClass;
  readonly #columns: HostColumns;
  readonly #needs: RoomNeeds;
  readonly #shared: SharedIndex | undefined;
  #own: CandidateIndex | undefined;
  #longSearches = 0;
  /** Whether the answer of the last `refresh` comes from `#own`. */
  #usesOwn = false;

  /** @param shared undefined where none can be shared. */
  constructor(
    columns: HostColumns,
    configuration: PlacementConfiguration,
    request: PlacementRequest,
    parts: { readonly hostScores: HostScores; readonly shared: SharedIndex | undefined },
  ) {
    this.#columns = columns;
    this.requestClass = new RequestClass(columns, configuration, request, { hostScores: parts.hostScores });
    this.#needs = this.requestClass.roomNeeds;
    this.#shared = parts.shared;
  }

  /** Hosts scored again for this class alone. */
  get rescored(): number {
    return this.#own?.rescored ?? 0;
  }

  /** Whether it holds the memory of an index of its own. */
  get hasOwn(): boolean {
    return this.#own !== undefined;
  }

  /** Catches up. Call before reading. @param mayShare false while some aggregate makes scores depend on the guest's size. */
  refresh(mayShare: boolean): void {
    this.#usesOwn = this.#shared === undefined || !mayShare || this.#longSearches >= longSearchesMax;
    if (this.#usesOwn) {
      this.#own ??= new CandidateIndex(this.#columns, this.requestClass);
      this.#own.refresh();
    } else {
      this.#shared?.refresh();
    }
  }

  /** A slot's score; -Infinity when it does not pass. */
  scoreOf(slot: number): number {
    if (this.#usesOwn) return this.#own?.scoreOf(slot) ?? Number.NEGATIVE_INFINITY;
    return this.#shared?.scoreOf(slot, this.#needs) ?? Number.NEGATIVE_INFINITY;
  }

  /** Puts the best hosts into `into`, leaving out `skip`. */
  collect(into: CandidateList, skip: ReadonlySet<number> | undefined): void {
    if (this.#usesOwn) {
      this.#own?.collect(into, skip);
      return;
    }
    const visited = this.#shared?.collect(into, skip, this.#needs) ?? 0;
    if (visited > longSearchBlocks * into.width + (skip?.size ?? 0)) this.#longSearches++;
  }
}

/** Blocks of sixteen hosts: a search over more of them for each host wanted costs more than keeping an own index does. */
const longSearchBlocks = 32;
/** One long search may be chance; this many mean that the shared order does not suit the class. */
const longSearchesMax = 4;
