/**
 * What a simulated LevelDB holds in its write-ahead file only: the batches since it was opened, or since the file was full
 * and became a table. Of such a file LevelDB drops whole blocks when it reads it again, and with each every batch that has a
 * part in it.
 */
import type { Prng } from '../../node/base/prng.ts';
import type { DiskOp } from '../../node/store/log/disk.ts';
import type { DiskRows } from './disk-rows.ts';

/** LevelDB's block. Unit: bytes. */
const blockBytes = 32 * 1024;
/** When the file becomes a table: less than production's, for runs are short. Unit: bytes. */
const fileBytesMax = 1024 * 1024;
/** Around a batch and each of its rows. Unit: bytes. */
const batchBytes = 19;
const rowBytes = 8;

interface WrittenBatch {
  readonly ops: readonly DiskOp[];
  /** What its keys held before it. */
  readonly before: readonly DiskOp[];
  /** Where it begins and ends in the file. Unit: bytes. */
  readonly begin: number;
  readonly end: number;
}

export class WriteAhead {
  #batches: WrittenBatch[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** Adds a batch that is about to change `rows`. */
  add(ops: readonly DiskOp[], rows: DiskRows): void {
    if (this.#bytes > fileBytesMax) this.clear();
    const before = ops.map(({ key }) => ({ key, value: rows.get(key) }));
    const begin = this.#bytes;
    this.#bytes += batchBytes;
    for (const { key, value } of ops) this.#bytes += rowBytes + key.length + (value?.length ?? 0);
    this.#batches.push({ ops, before, begin, end: this.#bytes });
  }

  /** It has become a table. */
  clear(): void {
    this.#batches = [];
    this.#bytes = 0;
  }

  /** Takes the batches of one block out of `rows`. Returns their keys, and whether nothing is left behind them. */
  dropBlock(rows: DiskRows, random: Prng): { readonly keys: readonly string[]; readonly isEnd: boolean } {
    const block = random.below(Math.max(1, Math.ceil(this.#bytes / blockBytes)));
    const isHit = ({ begin, end }: WrittenBatch): boolean =>
      begin < (block + 1) * blockBytes && end > block * blockBytes;
    const first = this.#batches.findIndex(isHit);
    if (first === -1) return { keys: [], isEnd: true };
    // Damage is somewhere in the block: what lies before it is read, all the rest of the block is not.
    const hit = this.#batches.filter(isHit).length;
    const read = random.below(hit);
    return this.#without(rows, first + read, hit - read);
  }

  /** Takes some of the last batches out of `rows`. */
  cutEnd(rows: DiskRows, random: Prng): readonly string[] {
    if (this.#batches.length === 0) return [];
    const count = 1 + random.below(Math.min(20, this.#batches.length));
    return this.#without(rows, this.#batches.length - count, count).keys;
  }

  #without(rows: DiskRows, from: number, count: number): { readonly keys: readonly string[]; readonly isEnd: boolean } {
    const kept = this.#batches.slice(from + count);
    for (const { before } of this.#batches.slice(from).reverse()) put(rows, before);
    for (const { ops } of kept) put(rows, ops);
    const keys = this.#batches.slice(from, from + count).flatMap(({ ops }) => ops.map(({ key }) => key));
    this.#batches = [...this.#batches.slice(0, from), ...kept];
    return { keys, isEnd: kept.length === 0 };
  }
}

function put(rows: DiskRows, ops: readonly DiskOp[]): void {
  for (const { key, value } of ops) {
    if (value === undefined) rows.delete(key);
    else rows.set(key, value);
  }
}
