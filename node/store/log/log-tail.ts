/**
 * What is kept in memory of the log on disk: every entry's size, every term's beginning, and the newest entries whole.
 * Reads of the consensus core are synchronous and mostly about the tail; older entries are read from disk.
 */
import { assert, must } from '../../base/assert.ts';
import type { Entry } from '../../raft/index.ts';
import { entryRecordBytes } from './entry-record.ts';

/** Bytes of entries kept whole. Followers that lag by more are served from disk. */
const cacheBytesMax = 32 * 1024 * 1024;
/** Positions given up at the front of an array before it is moved. */
const slackMax = 4096;

/** Entries from `first` on have `term`, up to where the next run begins. */
interface TermRun {
  readonly first: number;
  readonly term: number;
}

/** A mirror of what is durable: changed only when a batch is on disk. Keeps at most 32 MiB of entries whole. */
export class LogTail {
  #startIndex: number;
  #startTerm: number;
  #lastIndex: number;
  /** In order; the first run covers the first entry. Empty when the log is. */
  #runs: TermRun[] = [];
  /** `#sizes[at]` is the size of entry `#sizesFirst + at`. */
  #sizes: number[] = [];
  #sizesFirst: number;
  #bytes = 0;
  /** `#cache[at]` is entry `#cacheFirst + at`; reaches to the last entry. */
  #cache: Entry[] = [];
  #cacheFirst: number;
  #cacheBytes = 0;

  /** An empty log behind (`startIndex`, `startTerm`). */
  constructor(startIndex: number, startTerm: number) {
    this.#startIndex = startIndex;
    this.#startTerm = startTerm;
    this.#lastIndex = startIndex;
    this.#sizesFirst = startIndex + 1;
    this.#cacheFirst = startIndex + 1;
  }

  get startIndex(): number {
    return this.#startIndex;
  }

  get startTerm(): number {
    return this.#startTerm;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get lastTerm(): number {
    return this.#runs.at(-1)?.term ?? this.#startTerm;
  }

  /** Size of all entries on disk. Unit: bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The term of an entry in [start, last]. */
  term(index: number): number {
    if (index === this.#startIndex) return this.#startTerm;
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (must(this.#runs[middle], 'run').first <= index) low = middle + 1;
      else high = middle;
    }
    return must(this.#runs[low - 1], `the term of entry ${index}`).term;
  }

  /** An entry, if it is in memory. */
  cached(index: number): Entry | undefined {
    return this.#cache[index - this.#cacheFirst];
  }

  /** Adds entries; the first may lie within the log, and then replaces what is there and behind. */
  append(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index > this.#startIndex && first.index <= this.#lastIndex + 1, 'the log has a gap');
    if (first.index <= this.#lastIndex) this.#truncate(first.index);
    for (const entry of entries) {
      assert(entry.index === this.#lastIndex + 1, 'the log has a gap');
      if (entry.term !== this.#runs.at(-1)?.term) this.#runs.push({ first: entry.index, term: entry.term });
      const bytes = entryRecordBytes(entry);
      this.#sizes.push(bytes);
      this.#bytes += bytes;
      this.#cache.push(entry);
      this.#cacheBytes += bytes;
      this.#lastIndex = entry.index;
    }
    this.#trimCache();
  }

  /** Drops what lies up to `index`, which is in [start, last]. */
  compact(index: number): void {
    const term = this.term(index);
    for (let at = this.#startIndex + 1; at <= index; at += 1) this.#bytes -= this.#sizes[at - this.#sizesFirst] ?? 0;
    while ((this.#runs[1]?.first ?? Number.POSITIVE_INFINITY) <= index + 1) this.#runs.shift();
    this.#startIndex = index;
    this.#startTerm = term;
    if (index === this.#lastIndex) this.#runs = [];
    if (index - this.#sizesFirst > slackMax || index === this.#lastIndex) {
      this.#sizes = this.#sizes.slice(index + 1 - this.#sizesFirst);
      this.#sizesFirst = index + 1;
    }
    if (index >= this.#cacheFirst) {
      for (let at = this.#cacheFirst; at <= index; at += 1) this.#cacheBytes -= this.#sizeOfCached(at);
      this.#cache = this.#cache.slice(index + 1 - this.#cacheFirst);
      this.#cacheFirst = index + 1;
    }
  }

  /**
   * The least index up to which compaction leaves at most `bytesKept` bytes of log. In [start, last].
   */
  indexLeaving(bytesKept: number): number {
    let index = this.#startIndex;
    let bytes = this.#bytes;
    while (bytes > bytesKept && index < this.#lastIndex) {
      index += 1;
      bytes -= this.#sizes[index - this.#sizesFirst] ?? 0;
    }
    return index;
  }

  #truncate(from: number): void {
    for (let at = from; at <= this.#lastIndex; at += 1) this.#bytes -= this.#sizes[at - this.#sizesFirst] ?? 0;
    this.#sizes.length = from - this.#sizesFirst;
    while ((this.#runs.at(-1)?.first ?? 0) >= from) this.#runs.pop();
    for (let at = Math.max(from, this.#cacheFirst); at <= this.#lastIndex; at += 1) {
      this.#cacheBytes -= this.#sizeOfCached(at);
    }
    if (from >= this.#cacheFirst) {
      this.#cache.length = from - this.#cacheFirst;
    } else {
      this.#cache = [];
      this.#cacheFirst = from;
    }
    this.#lastIndex = from - 1;
  }

  #sizeOfCached(index: number): number {
    const entry = this.cached(index);
    return entry === undefined ? 0 : entryRecordBytes(entry);
  }

  #trimCache(): void {
    if (this.#cacheBytes <= cacheBytesMax) return;
    // Down to three quarters at once, so that the array is not moved for each entry.
    let drop = 0;
    while (this.#cacheBytes > cacheBytesMax * 0.75 && drop < this.#cache.length - 1) {
      this.#cacheBytes -= entryRecordBytes(must(this.#cache[drop], 'entry'));
      drop += 1;
    }
    this.#cache = this.#cache.slice(drop);
    this.#cacheFirst += drop;
  }
}
