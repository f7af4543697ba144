/**
 * The side of a slice that takes: the rows of the terms that this host follows, as of one revision. A reader of part of the
 * state: what the terms do not cover it does not know, and says so (`NOT_IN_SLICE`) instead of "there is none".
 */
import { ShoalError } from '../../base/errors.ts';
import type { DigestValue } from '../digest.ts';
import { SortedMap } from '../sorted-map.ts';
import { prefixEnd } from '../table.ts';
import type { KeyValue, StateEvent, StateReader } from '../types.ts';
import { SliceCover } from './slice-cover.ts';
import type { SliceDelta } from './slice-delta.ts';
import { bucketCountFor, bucketDigests, bucketOf } from './slice-digests.ts';
import { coveredBy } from './slice-of.ts';
import { namedBy, prefixesOf, type SliceTerm } from './slice-terms.ts';

/** What a delta has made of a slice. */
export interface SliceChange {
  readonly revision: number;
  /** In the order of keys. A row that the terms cover no more is deleted as one that is gone. */
  readonly events: readonly StateEvent[];
  /** Terms that the slice is whole in since, and those that it is no more. */
  readonly termsAdded: readonly SliceTerm[];
  readonly termsRemoved: readonly SliceTerm[];
}

/** Pieces that have arrived of a delta that is not whole. */
interface Staged {
  readonly rows: Map<string, KeyValue | undefined>;
  readonly cleared: { readonly buckets: number; readonly numbers: ReadonlySet<number> }[];
}

/** See above. */
export class SliceState implements StateReader {
  readonly #rows = new SortedMap<KeyValue>();
  readonly #cover = new SliceCover<'this'>();
  /** Terms that the rows are whole in. */
  readonly #held = new Set<SliceTerm>();
  /** Terms that were asked for, each with the number of the change that asked. */
  readonly #asked = new Map<SliceTerm, number>();
  #revision = 0;
  #staged: Staged = newStaged();
  #number = 0;
  readonly #onMiss: (term: SliceTerm) => void;
  readonly #onUse: (term: SliceTerm) => void;
  /** The rows as they are, whatever the terms cover: for those who know what they look for. */
  readonly bare: StateReader;

  /**
   * @param hears `missed`: something was read that no term covers; `used`: something that this term covers.
   */
  constructor(hears: { missed(term: SliceTerm): void; used(term: SliceTerm): void }) {
    this.#onMiss = (term) => hears.missed(term);
    this.#onUse = (term) => hears.used(term);
    const revision = (): number => this.#revision;
    this.bare = {
      get revision() {
        return revision();
      },
      get: (key) => this.#rows.get(key),
      range: (start, end, limit) => this.#rows.range(start, end, limit),
      counter: () => 0,
    };
  }

  /** Takes up what was kept on disk. Before anything else. */
  restore(rows: Iterable<KeyValue>, terms: Iterable<SliceTerm>, revision: number): void {
    for (const row of rows) this.#rows.put(row);
    for (const term of terms) this.#hold(term);
    this.#revision = revision;
  }

  /** Whether all there is to know of a key is here, be there a row or not. */
  covers(key: string): boolean {
    return this.#cover.covers('this', key);
  }

  /** Whether every row with a key in [start, end) is here. */
  coversRange(start: string, end: string): boolean {
    return this.#termOfRange(start, end) !== undefined;
  }

  /** 0: there is no slice yet. */
  get revision(): number {
    return this.#revision;
  }

  get rowCount(): number {
    return this.#rows.size;
  }

  /** Terms that the slice is whole in, at its revision. */
  get held(): readonly SliceTerm[] {
    return [...this.#held];
  }

  /** Terms that were asked for since. */
  get asked(): readonly SliceTerm[] {
    return [...this.#asked.keys()];
  }

  /** The last change of terms. */
  get termsNumber(): number {
    return this.#number;
  }

  /** Whether a term is held, or asked for. */
  isAsked(term: SliceTerm): boolean {
    return this.#held.has(term) || this.#asked.has(term);
  }

  /** All rows, in the order of keys. */
  rows(): Iterable<KeyValue> {
    return this.#rows.entries();
  }

  /** The digests that a repair begins with. */
  digests(): readonly DigestValue[] {
    return bucketDigests(this.#rows.entries(), bucketCountFor(this.#rows.size));
  }

  get(key: string): KeyValue | undefined {
    const term = this.#cover.termOver('this', key);
    if (term === undefined) throw this.#missed(key);
    this.#onUse(term);
    return this.#rows.get(key);
  }

  range(start: string, end: string, limit?: number): readonly KeyValue[] {
    const term = this.#termOfRange(start, end);
    if (term === undefined) throw this.#missed(wholeRange(start, end));
    this.#onUse(term);
    return this.#rows.range(start, end, limit);
  }

  /** Counters are in no slice. */
  counter(key: string): number {
    throw notInSlice(key);
  }

  /**
   * Runs a computation that may read what is not covered: it finds nothing there. All that it missed is asked for at once, and
   * the result is thrown away: `NOT_IN_SLICE`.
   */
  wholly<T>(compute: (reader: StateReader) => T): T {
    const missed = new Set<SliceTerm>();
    const note = (term: SliceTerm | undefined): void => {
      if (term !== undefined) missed.add(term);
    };
    const reader: StateReader = {
      revision: this.#revision,
      get: (key) => {
        const term = this.#cover.termOver('this', key);
        if (term === undefined) note(key);
        else this.#onUse(term);
        return this.#rows.get(key);
      },
      range: (start, end, limit) => {
        const term = this.#termOfRange(start, end);
        if (term === undefined) note(wholeRange(start, end));
        else this.#onUse(term);
        return this.#rows.range(start, end, limit);
      },
      counter: (key) => {
        throw notInSlice(key);
      },
    };
    const result = compute(reader);
    if (missed.size === 0) return result;
    for (const term of missed) this.#onMiss(term);
    throw notInSlice([...missed].slice(0, 3).join(', '));
  }

  /** Asks for more terms, and gives up others, whose rows go. Returns the change, if any row went. */
  change(add: Iterable<SliceTerm>, remove: Iterable<SliceTerm>): SliceChange {
    this.#number += 1;
    for (const term of add) if (!this.#held.has(term)) this.#asked.set(term, this.#number);
    const suspects = new Set<string>();
    const termsRemoved: SliceTerm[] = [];
    for (const term of remove) {
      this.#asked.delete(term);
      if (!this.#held.delete(term)) continue;
      termsRemoved.push(term);
      for (const { key, value } of coveredBy(this.bare, term)) {
        suspects.add(key);
        const named = namedBy(term, key, value);
        if (named !== undefined) suspects.add(named);
      }
      this.#cover.remove('this', term, this.bare);
    }
    return { revision: this.#revision, events: this.#sweep(suspects), termsAdded: [], termsRemoved };
  }

  /** A piece has arrived. Returns what it has made of the slice, or undefined: more is to come first. */
  take(delta: SliceDelta): SliceChange | undefined {
    if (delta.cleared !== undefined) {
      // A repair begins: what was staged of an earlier one is of another connection.
      this.#staged = newStaged();
      this.#staged.cleared.push(delta.cleared);
    }
    for (const key of delta.deletes) this.#staged.rows.set(key, undefined);
    for (const row of delta.puts) this.#staged.rows.set(row.key, row);
    if (!delta.isWhole) return undefined;
    const staged = this.#staged;
    this.#staged = newStaged();
    const termsAdded: SliceTerm[] = [];
    const events = this.#apply(staged, delta, termsAdded);
    this.#revision = delta.revision;
    return { revision: delta.revision, events, termsAdded, termsRemoved: [] };
  }

  /** The connection that the staged pieces came by is gone. */
  disconnected(): void {
    this.#staged = newStaged();
  }

  #apply(staged: Staged, { revision, termsNumber }: SliceDelta, termsAdded: SliceTerm[]): readonly StateEvent[] {
    for (const { buckets, numbers } of staged.cleared) {
      for (const { key } of this.#rows.entries()) {
        if (numbers.has(bucketOf(key, buckets)) && !staged.rows.has(key)) staged.rows.set(key, undefined);
      }
    }
    const before = new Map<string, KeyValue | undefined>();
    const suspects = new Set<string>();
    for (const [key, row] of staged.rows) {
      const known = this.#rows.get(key);
      if (known?.revision === row?.revision) continue;
      before.set(key, known);
      if (row === undefined) this.#rows.delete(key);
      else this.#rows.put(row);
      this.#cover.changed(key, row?.value, (_, touched) => suspects.add(touched));
      suspects.add(key);
    }
    for (const [term, number] of this.#asked) {
      if (number > termsNumber) continue;
      this.#asked.delete(term);
      // A term's rows all come with it, so what is here already and did not come is gone. A repair has compared all.
      if (staged.cleared.length === 0) this.#outdated(term, staged, suspects, before);
      this.#hold(term);
      termsAdded.push(term);
    }
    for (const key of staged.rows.keys()) suspects.add(key);
    for (const key of suspects) {
      const row = this.#rows.get(key);
      if (row === undefined || this.#cover.covers('this', key)) continue;
      if (!before.has(key)) before.set(key, row);
      this.#rows.delete(key);
    }
    return this.#eventsOf(before, revision);
  }

  /** Takes away rows under a term that is new which are here by another, older one, and are there no more. */
  #outdated(term: SliceTerm, staged: Staged, suspects: Set<string>, before: Map<string, KeyValue | undefined>): void {
    for (const row of coveredBy(this.bare, term)) {
      if (staged.rows.has(row.key)) continue;
      if (!before.has(row.key)) before.set(row.key, row);
      this.#rows.delete(row.key);
      this.#cover.changed(row.key, undefined, (_, touched) => suspects.add(touched));
    }
  }

  #eventsOf(before: ReadonlyMap<string, KeyValue | undefined>, revision: number): readonly StateEvent[] {
    const events: StateEvent[] = [];
    for (const [key, known] of before) {
      const now = this.#rows.get(key);
      if (now === known) continue;
      if (now !== undefined) events.push({ key, value: now.value, revision });
      else if (known !== undefined) events.push({ key, value: undefined, revision });
    }
    return events.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #sweep(suspects: ReadonlySet<string>): readonly StateEvent[] {
    const before = new Map<string, KeyValue | undefined>();
    for (const key of suspects) {
      const row = this.#rows.get(key);
      if (row === undefined || this.#cover.covers('this', key)) continue;
      before.set(key, row);
      this.#rows.delete(key);
    }
    return this.#eventsOf(before, this.#revision);
  }

  #hold(term: SliceTerm): void {
    this.#held.add(term);
    this.#cover.add('this', term, this.bare);
  }

  #termOfRange(start: string, end: string): SliceTerm | undefined {
    for (const prefix of prefixesOf(start)) if (this.#held.has(prefix) && end <= prefixEnd(prefix)) return prefix;
    return undefined;
  }

  #missed(term: SliceTerm | undefined): ShoalError {
    if (term !== undefined) this.#onMiss(term);
    return notInSlice(term ?? 'a range');
  }
}

function newStaged(): Staged {
  return { rows: new Map(), cleared: [] };
}

/** The term of a range that is all keys of a prefix. */
function wholeRange(start: string, end: string): SliceTerm | undefined {
  return start.endsWith('/') && end === prefixEnd(start) ? start : undefined;
}

function notInSlice(what: string): ShoalError {
  return new ShoalError('NOT_IN_SLICE', `This host does not hold ${what}; a replica does.`, { facts: { what } });
}
