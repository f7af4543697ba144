/**
 * A disk in memory, for tests and the simulator. Survives what opens and closes it, as a platter survives a process.
 *
 * Fault model: `failNextWrite` makes the next write throw after all or none of it was kept (nobody can tell which);
 * `isFull` makes each write throw; after either, every write fails until the disk was closed, as LevelDB's do; `corrupt` flips a byte; `remove` loses a row, `put` plants one; `lose` forgets the newest writes, which is
 * what a disk that lied about syncing, or an old copy put back, looks like.
 */
import { ShoalError } from '../../base/errors.ts';
import type { Disk, DiskOp, DiskRow } from '../log/disk.ts';

/** Writes remembered for `lose`. */
const historyWritesMax = 1000;

/** `Disk` without a disk: durable once `write` resolves, for as long as the object lives. Nothing is locked. */
export class MemoryDisk implements Disk {
  /** Every write fails, as on a full disk. */
  isFull = false;
  /** The next write fails: 'kept' leaves its changes behind all the same, 'lost' does not. */
  failNextWrite: 'kept' | 'lost' | undefined;
  /** What a write waits for before it is durable: the simulator's latency. */
  beforeWrite: () => Promise<void> = async () => {};
  /** Durable writes so far. */
  writeCount = 0;
  #rows = new Map<string, Uint8Array>();
  #history: Map<string, Uint8Array>[] = [];
  readonly #keepsHistory: boolean;
  /** A write has failed since the disk was opened. */
  #hasFailed = false;

  /** @param options.keepsHistory remember old contents for `lose`; costs a copy of the map each write. */
  constructor(options: { readonly keepsHistory?: boolean } = {}) {
    this.#keepsHistory = options.keepsHistory ?? false;
  }

  get(key: string): Uint8Array | undefined {
    return copyOf(this.#rows.get(key));
  }

  async *scan(start: string, end: string): AsyncGenerator<DiskRow, void, undefined> {
    const rows = [...this.#rows].filter(([key]) => key >= start && key < end);
    rows.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of rows) yield { key, value: new Uint8Array(value) };
  }

  async write(given: readonly DiskOp[]): Promise<void> {
    // As they are when they are given: a real disk has taken them by then.
    const ops = given.map(({ key, value }) => ({ key, value: copyOf(value) }));
    await this.beforeWrite();
    if (this.#hasFailed) throw this.#failed();
    const failure = this.failNextWrite;
    this.failNextWrite = undefined;
    if (this.isFull || failure === 'lost') throw this.#failed();
    if (this.#keepsHistory) {
      this.#history.push(new Map(this.#rows));
      if (this.#history.length > historyWritesMax) this.#history.shift();
    }
    for (const op of ops) {
      if (op.value === undefined) this.#rows.delete(op.key);
      else this.#rows.set(op.key, op.value);
    }
    this.writeCount += 1;
    if (failure === 'kept') throw this.#failed();
  }

  async clear(start: string, end: string): Promise<void> {
    for (const key of [...this.#rows.keys()]) if (key >= start && key < end) this.#rows.delete(key);
  }

  async compact(): Promise<void> {
    // A map keeps nothing of what was removed.
  }

  /** Who opens it next begins afresh. */
  async close(): Promise<void> {
    this.#hasFailed = false;
  }

  /** Keys in order, for tests. */
  keys(): string[] {
    return [...this.#rows.keys()].sort();
  }

  /** Flips a byte of a row. */
  corrupt(key: string, at = 0): void {
    const value = new Uint8Array(this.#rows.get(key) ?? []);
    if (at >= value.length) throw new RangeError(`no byte ${at} in ${key}`);
    value[at] = (value[at] ?? 0) ^ 0x40;
    this.#rows.set(key, value);
  }

  /** Puts another value into a row that is there. */
  replace(key: string, value: Uint8Array): void {
    if (!this.#rows.has(key)) throw new RangeError(`no ${key}`);
    this.#rows.set(key, new Uint8Array(value));
  }

  /** Puts a row there behind the back of the store that has it open. */
  put(key: string, value: Uint8Array): void {
    this.#rows.set(key, new Uint8Array(value));
  }

  /** Loses a row. */
  remove(key: string): void {
    if (!this.#rows.delete(key)) throw new RangeError(`no ${key}`);
  }

  /** Forgets the newest writes. Throws `RangeError` for more than are remembered. */
  lose(writes: number): void {
    if (writes > this.#history.length) {
      throw new RangeError(`${writes} writes cannot be lost: ${this.#history.length} are remembered`);
    }
    for (let n = 0; n < writes; n += 1) this.#rows = this.#history.pop() ?? this.#rows;
  }

  #failed(): ShoalError {
    this.#hasFailed = true;
    return new ShoalError('STORE_FAILED', 'The disk could not write.', { facts: { isDiskFull: this.isFull } });
  }
}

function copyOf(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(value);
}
