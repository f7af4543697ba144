/**
 * Which slices a changed key belongs to, for many slices at once. Terms that slices have in common are kept once; a key that
 * no slice covers costs a few look-ups in maps, however many slices there are.
 */
import type { StateReader } from '../types.ts';
import { coveredBy } from './slice-of.ts';
import { isPrefix, namedBy, prefixesOf, type SliceTerm } from './slice-terms.ts';

/** Told of a key of which a slice must hear. */
type Touch<S> = (slice: S, key: string) => void;

/** The terms of all slices, and the rows that index entries under them name. */
export class SliceCover<S> {
  readonly #slices = new Map<SliceTerm, Set<S>>();
  /** By row: the entries under terms that name it. */
  readonly #entries = new Map<string, Set<string>>();
  /** The row that a unique entry names, for each that is a term. */
  readonly #unique = new Map<SliceTerm, string>();

  /** Terms that any slice has. */
  get termCount(): number {
    return this.#slices.size;
  }

  /** A slice has one more term. `reader` is the state as of the last change that this was told of. */
  add(slice: S, term: SliceTerm, reader: StateReader): void {
    const known = this.#slices.get(term);
    if (known !== undefined) {
      known.add(slice);
      return;
    }
    this.#slices.set(term, new Set([slice]));
    for (const { key, value } of coveredBy(reader, term)) {
      const row = namedBy(term, key, value);
      if (row !== undefined) this.#enter(row, key);
    }
  }

  /** A slice has one term less. `reader` as for `add`. */
  remove(slice: S, term: SliceTerm, reader: StateReader): void {
    const known = this.#slices.get(term);
    if (known === undefined || !known.delete(slice) || known.size > 0) return;
    this.#slices.delete(term);
    for (const { key, value } of coveredBy(reader, term)) {
      const row = namedBy(term, key, value);
      if (row !== undefined && !this.#isUnderTerm(key)) this.#leave(row, key);
    }
  }

  /** Whether a slice covers a key, be there a row or not. */
  covers(slice: S, key: string): boolean {
    return this.termOver(slice, key) !== undefined;
  }

  /** A term by which a slice covers a key; undefined: it does not. */
  termOver(slice: S, key: string): SliceTerm | undefined {
    const over = this.#firstOf(slice, termsOver(key));
    if (over !== undefined) return over;
    for (const entry of this.#entries.get(key) ?? []) {
      const naming = this.#firstOf(slice, termsNaming(entry));
      if (naming !== undefined) return naming;
    }
    return undefined;
  }

  /**
   * A key has changed in the state, which has the change already. Calls `touch` for each slice and key of which the slice
   * must hear: of the key itself, and of a row that an index entry names now or has named. May call it more than once.
   * @param value now; undefined: the key is gone.
   */
  changed(key: string, value: Uint8Array | undefined, touch: Touch<S>): void {
    for (const term of termsOver(key)) this.#touch(term, key, touch);
    for (const entry of this.#entries.get(key) ?? [])
      for (const term of termsNaming(entry)) this.#touch(term, key, touch);
    if (key.startsWith('x/')) this.#entryChanged(key, value, touch);
    else if (key.startsWith('u/')) this.#uniqueChanged(key, value, touch);
  }

  #entryChanged(key: string, value: Uint8Array | undefined, touch: Touch<S>): void {
    if (!this.#isUnderTerm(key)) return;
    const row = namedBy(key, key, value);
    if (row === undefined) return;
    for (const term of termsNaming(key)) this.#touch(term, row, touch);
    if (value === undefined) this.#leave(row, key);
    else this.#enter(row, key);
  }

  #uniqueChanged(key: string, value: Uint8Array | undefined, touch: Touch<S>): void {
    if (!this.#slices.has(key)) return;
    const before = this.#unique.get(key);
    const now = namedBy(key, key, value);
    if (before === now) return;
    for (const row of [before, now]) if (row !== undefined) this.#touch(key, row, touch);
    if (before !== undefined) this.#leave(before, key);
    if (now !== undefined) this.#enter(now, key);
  }

  #enter(row: string, entry: string): void {
    const entries = this.#entries.get(row);
    if (entries === undefined) this.#entries.set(row, new Set([entry]));
    else entries.add(entry);
    if (entry.startsWith('u/')) this.#unique.set(entry, row);
  }

  #leave(row: string, entry: string): void {
    const entries = this.#entries.get(row);
    if (entries?.delete(entry) === true && entries.size === 0) this.#entries.delete(row);
    if (entry.startsWith('u/')) this.#unique.delete(entry);
  }

  #touch(term: SliceTerm, key: string, touch: Touch<S>): void {
    for (const slice of this.#slices.get(term) ?? []) touch(slice, key);
  }

  #firstOf(slice: S, terms: Iterable<SliceTerm>): SliceTerm | undefined {
    for (const term of terms) if (this.#slices.get(term)?.has(slice) === true) return term;
    return undefined;
  }

  #isUnderTerm(entry: string): boolean {
    for (const term of termsNaming(entry)) if (this.#slices.has(term)) return true;
    return false;
  }
}

/** The terms that cover a key. */
function* termsOver(key: string): Generator<SliceTerm, void, undefined> {
  yield key;
  yield* prefixesOf(key);
}

/** The terms for which an entry names its row. */
function* termsNaming(entry: string): Generator<SliceTerm, void, undefined> {
  yield entry;
  if (!isPrefix(entry) && entry.startsWith('x/')) yield* prefixesOf(entry);
}
