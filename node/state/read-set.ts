/**
 * What a computation has read of the state, so that its result can be kept while it would read the same again. An entry is
 * the same when its key and its revision are: nothing else changes a value. Asking costs look-ups, and no decoding.
 */
import { AssertionError, must } from '../base/assert.ts';
import { prefixEnd } from './table.ts';
import type { KeyValue, StateReader } from './types.ts';

/** Hands on what is read, and remembers it. */
export class ReadSet implements StateReader {
  #reader: StateReader | undefined;
  readonly #gets = new Map<string, number | undefined>();
  readonly #ranges: { start: string; end: string; limit: number | undefined; found: readonly KeyValue[] }[] = [];
  /** Ranges that hold all keys of a prefix that ends with a slash, as those of tables and indexes do. */
  readonly #prefixes = new Set<string>();
  readonly #otherRanges: { readonly start: string; readonly end: string }[] = [];
  readonly #counters = new Map<string, number>();

  constructor(reader: StateReader) {
    this.#reader = reader;
  }

  /** Not to be asked for: a result that depends on it could never be kept. */
  get revision(): number {
    throw new AssertionError('a result that is kept depends on the revision of the whole state');
  }

  get(key: string): KeyValue | undefined {
    const found = this.#open.get(key);
    this.#gets.set(key, found?.revision);
    return found;
  }

  range(start: string, end: string, limit?: number): readonly KeyValue[] {
    const found = this.#open.range(start, end, limit);
    this.#ranges.push({ start, end, limit, found });
    if (start.endsWith('/') && end === prefixEnd(start)) this.#prefixes.add(start);
    else this.#otherRanges.push({ start, end });
    return found;
  }

  counter(key: string): number {
    const value = this.#open.counter(key);
    this.#counters.set(key, value);
    return value;
  }

  /** Whether a counter was read: counters change without a key. */
  get hasCounters(): boolean {
    return this.#counters.size > 0;
  }

  /** Nothing more is read, and the state is let go. */
  close(): void {
    this.#reader = undefined;
  }

  /**
   * Whether a change of `key` can change what was read; false is certain. Counters change without a key: who has read one
   * is always told true.
   */
  mayChangeWith(key: string): boolean {
    if (this.hasCounters || this.#gets.has(key)) return true;
    for (let slash = key.indexOf('/'); slash >= 0; slash = key.indexOf('/', slash + 1))
      if (this.#prefixes.has(key.slice(0, slash + 1))) return true;
    return this.#otherRanges.some(({ start, end }) => start <= key && key < end);
  }

  /** Whether everything that was read is the same in `reader`. */
  isSameIn(reader: StateReader): boolean {
    for (const [key, revision] of this.#gets) if (reader.get(key)?.revision !== revision) return false;
    for (const { start, end, limit, found } of this.#ranges) {
      if (!isSame(found, reader.range(start, end, limit))) return false;
    }
    for (const [key, value] of this.#counters) if (reader.counter(key) !== value) return false;
    return true;
  }

  get #open(): StateReader {
    return must(this.#reader, 'the state that is read');
  }
}

function isSame(before: readonly KeyValue[], now: readonly KeyValue[]): boolean {
  return (
    before.length === now.length &&
    before.every((entry, at) => entry.key === now[at]?.key && entry.revision === now[at].revision)
  );
}

/** Results by name, each made again only when something that it was made of has changed. */
export class ReadMemo<T> {
  readonly #countMax: number;
  readonly #kept = new Map<string, { readonly reads: ReadSet; readonly result: T; isStale: boolean }>();
  #isTold = false;

  /** @param countMax results kept; beyond it the one that was made longest ago is forgotten. */
  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  /** Whether the result that is kept for `name` may have changed by what was heard since; true when none is. */
  isStale(name: string): boolean {
    return this.#kept.get(name)?.isStale ?? true;
  }

  /**
   * From the first call on, this is told of every change before anybody asks for a result of the state that has it; so what
   * no change can have touched is handed out without a look at the state.
   */
  heard(keys: readonly string[]): void {
    // What changed before the first call is not known.
    const isAll = !this.#isTold;
    this.#isTold = true;
    for (const kept of this.#kept.values()) kept.isStale ||= isAll || keys.some((key) => kept.reads.mayChangeWith(key));
  }

  /** The result of `make` for `name`. `make` reads from its reader alone, and does not ask for its revision. */
  get(name: string, reader: StateReader, make: (reader: StateReader) => T): T {
    const kept = this.#kept.get(name);
    const isSure = this.#isTold && kept?.isStale === false && !kept.reads.hasCounters;
    if (kept !== undefined && (isSure || kept.reads.isSameIn(reader))) {
      kept.isStale = false;
      return kept.result;
    }
    const reads = new ReadSet(reader);
    const result = make(reads);
    reads.close();
    this.#kept.delete(name);
    this.#kept.set(name, { reads, result, isStale: false });
    if (this.#kept.size > this.#countMax) {
      for (const oldest of this.#kept.keys()) {
        this.#kept.delete(oldest);
        break;
      }
    }
    return result;
  }
}
