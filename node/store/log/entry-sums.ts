/**
 * The sum of the checksums of the entries in a log. It goes into the head with every batch, so that a start sees whether the
 * entries that are there are those that were written: one that an older write put there holds as well as one that is right.
 */
import { assert } from '../../base/assert.ts';

/** Sums are kept below this, which numbers carry exactly. */
const modulus = 2 ** 48;
/** Places given up at the front before the array is moved. */
const slackMax = 4096;

/** Sum and count of the entries between the log's start and end. Keeps each checksum, to subtract it again. */
export class EntrySums {
  /** `#sums[at]` belongs to entry `#first + at`. */
  #sums: number[] = [];
  #first: number;
  #start: number;
  #total = 0;

  /** Of an empty log behind entry `startIndex`. */
  constructor(startIndex: number) {
    this.#first = startIndex + 1;
    this.#start = startIndex;
  }

  /** In [0, 2^48). */
  get total(): number {
    return this.#total;
  }

  /** Entries in the log. */
  get count(): number {
    return this.#first + this.#sums.length - 1 - this.#start;
  }

  /** Entries from `index` on, in order, which replace what is there and behind. */
  append(index: number, sums: readonly number[]): void {
    assert(index > this.#start && index <= this.#first + this.#sums.length, 'sums of a log have no gap');
    for (const sum of this.#sums.splice(index - this.#first)) this.#add(-sum);
    for (const sum of sums) {
      this.#sums.push(sum);
      this.#add(sum);
    }
  }

  /** Entries up to `index` are no longer in the log. */
  compact(index: number): void {
    for (let at = this.#start + 1; at <= index; at += 1) this.#add(-(this.#sums[at - this.#first] ?? 0));
    this.#start = index;
    if (index - this.#first < slackMax) return;
    this.#sums = this.#sums.slice(index + 1 - this.#first);
    this.#first = index + 1;
  }

  #add(sum: number): void {
    this.#total = (this.#total + sum + modulus) % modulus;
  }
}
