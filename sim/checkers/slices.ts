/**
 * Slices against the replay of the log: a slice is what its terms cover of the state at its revision, who comes back to it
 * hears of what it has missed, and what is answered from it is marked where it is not all.
 */
import { sliceOf } from '../../node/state/slices/slice-of.ts';
import { isPrefix, type SliceTerm } from '../../node/state/slices/slice-terms.ts';
import type { KeyValue, StateReader } from '../../node/state/types.ts';
import type { Report } from './invariants.ts';

/** Revisions whose state is remembered: a slice is seconds behind, seldom a minute. */
const revisionsKept = 20_000;

/** What a host holds. */
interface HeldSlice {
  readonly revision: number;
  readonly terms: readonly SliceTerm[];
  readonly rows: Iterable<KeyValue>;
}

/** A subscription that begins with a slice, up to its first whole delta. */
interface Resumed {
  /** Who subscribes to whom. */
  readonly name: string;
  /** Of the slice that it begins with. */
  readonly fromRevision: number;
  readonly toRevision: number;
  /** Terms that it was whole in, and has given up none of meanwhile. */
  readonly terms: readonly SliceTerm[];
  /** The keys of which it was told, with a row or as gone. */
  readonly told: ReadonlySet<string>;
}

/** What was answered of the keys in [start, end) from a slice. */
interface SliceAnswer {
  readonly life: string;
  readonly revision: number;
  readonly start: string;
  readonly end: string;
  readonly rows: readonly KeyValue[];
  readonly isMarked: boolean;
}

export class SliceChecker {
  readonly #report: Report;
  /** The state at each revision, oldest first. */
  readonly #states = new Map<number, StateReader>();
  #newest = 0;
  /** By member's life: the revision that was seen last. */
  readonly #seen = new Map<string, number>();
  #compared = 0;

  constructor(report: Report) {
    this.#report = report;
  }

  /** Slices that were compared. */
  get compared(): number {
    return this.#compared;
  }

  /** The replay has come to `revision`; `state` does not change any more. */
  replayed(revision: number, state: StateReader): void {
    this.#states.set(revision, state);
    this.#newest = revision;
    if (this.#states.size <= revisionsKept) return;
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      break;
    }
  }

  /** Whether a slice is of the newest state, whatever revision it says. */
  isCurrent({ terms, rows }: Pick<HeldSlice, 'terms' | 'rows'>): boolean {
    const newest = this.#states.get(this.#newest);
    if (newest === undefined) return false;
    const expected = sliceOf(newest, terms);
    let count = 0;
    for (const row of rows) {
      count += 1;
      if (expected.get(row.key)?.revision !== row.revision) return false;
    }
    return count === expected.size;
  }

  /** A slice has come to another revision, or to other terms. */
  changed(life: string, slice: HeldSlice): void {
    const before = this.#seen.get(life) ?? 0;
    if (slice.revision < before)
      this.#report('slice-is-part-of-the-state', `${life}: its slice was at ${before}, and is at ${slice.revision}`);
    this.#seen.set(life, slice.revision);
    const state = this.#states.get(slice.revision);
    // Of a revision that the replay has not come to, or that is long past, nothing can be said.
    if (state === undefined || slice.revision > this.#newest) return;
    this.#compared += 1;
    const expected = sliceOf(state, slice.terms);
    const found = new Map<string, KeyValue>();
    for (const row of slice.rows) found.set(row.key, row);
    for (const [key, row] of found) {
      const other = expected.get(key);
      if (other?.revision !== row.revision) {
        this.#tell(
          life,
          slice,
          `${key} is of revision ${row.revision}, where the state has ${other?.revision ?? 'none'}`,
        );
        return;
      }
    }
    for (const [key, row] of expected) {
      if (found.has(key)) continue;
      this.#tell(life, slice, `${key} of revision ${row.revision} is missing`);
      return;
    }
  }

  /** Somebody has taken up a subscription again, and has its first delta whole. */
  resumed({ name, fromRevision, toRevision, terms, told }: Resumed): void {
    const before = this.#states.get(fromRevision);
    const after = this.#states.get(toRevision);
    if (before === undefined || after === undefined) return;
    const had = sliceOf(before, terms);
    const has = sliceOf(after, terms);
    for (const key of new Set([...had.keys(), ...has.keys()])) {
      if (had.get(key)?.revision === has.get(key)?.revision || told.has(key)) continue;
      // A row that is there by an index entry goes with that entry, of which it is told.
      if (!has.has(key) && !isCoveredBySelf(key, terms)) continue;
      this.#report('resumes-without-gap', `${name}, from ${fromRevision} to ${toRevision}: nothing is said of ${key}`);
      return;
    }
  }

  /** Somebody who reads a slice was answered. */
  answered({ life, revision, start, end, rows, isMarked }: SliceAnswer): void {
    const state = this.#states.get(revision);
    if (isMarked || state === undefined || revision > this.#newest) return;
    const all = state.range(start, end);
    if (all.length === rows.length && all.every(({ revision }, at) => rows[at]?.revision === revision)) return;
    const found = `${rows.length} of the ${all.length} rows from ${start} on are given as all that there is`;
    this.#report('partial-answers-marked', `${life} at ${revision}: ${found}`);
  }

  #tell(life: string, slice: HeldSlice, what: string): void {
    this.#report('slice-is-part-of-the-state', `${life} at ${slice.revision}: ${what}`);
  }
}

/** Whether terms cover a key by what it is, and not by an entry that names it. */
function isCoveredBySelf(key: string, terms: readonly SliceTerm[]): boolean {
  return terms.some((term) => term === key || (isPrefix(term) && key.startsWith(term)));
}
