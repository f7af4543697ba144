/**
 * A disk under the log store, which outlives the processes that write to it.
 *
 * Fault model. A batch becomes durable some time after it was given, all of it at once: LevelDB writes a batch as one
 * checksummed record, so a torn one is dropped whole when the log is opened. A batch in flight when the process or the
 * power goes is kept or lost, and nobody was told which. What `clear` removed was not synced, and may be there again
 * after a crash unless a later batch was. A sync may fail, after which the batch is kept or lost; it may be slow for a
 * while; the disk may be full. Rows may rot (`rot`), change places (`misdirect`), hold something else than was written,
 * checksum and all (`alter`), or lack the end of what was written (`tear`); the whole disk may come back as it was some time
 * ago (`rollBack`), or empty (`wipe`).
 *
 * What LevelDB does with damaged files of its own (write-ahead.ts keeps what is in them): it leaves out a block of its
 * write-ahead file, with every batch that has a part in it, entries and state rows alike (`dropBlock`); the end of that file
 * (`cutEnd`); or all, when CURRENT is gone (`loseCurrent`). A look at the files before they are opened shows it (`check` of
 * `place`), as production's does; once the database has been opened, nothing tells of it any more. A mark that was noted and
 * not synced may go with the power: what was lost since the last sync of it does not show.
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { Disk, DiskOp, DiskRow } from '../../node/store/log/disk.ts';
import { headKey } from '../../node/store/log/keys.ts';
import { type LogMark, markSyncMs } from '../../node/store/log/log-mark.ts';
import { judge, type LevelCheck, type LogPlace } from '../../node/store/log/log-place.ts';
import { decodeHead, type Head } from '../../node/store/log/records.ts';
import { seal, sealBytes } from '../../node/store/log/sealed-bytes.ts';
import { DiskRows } from './disk-rows.ts';
import type { Life, Schedule } from './schedule.ts';
import { WriteAhead } from './write-ahead.ts';

/** Hears what becomes durable, and what is taken away again. */
export interface DiskObserver {
  onDurable(ops: readonly DiskOp[]): void;
  onWiped(): void;
  onRolledBack(rows: readonly DiskOp[]): void;
}

/** A disk as it was. */
export interface DiskCopy {
  readonly rows: ReadonlyMap<string, Uint8Array>;
  readonly mark: LogMark | undefined;
}

interface DiskOptions {
  /** Usual time of a sync. Unit: ms. */
  readonly syncMs: number;
}

interface InFlight {
  readonly ops: readonly DiskOp[];
  isOver: boolean;
}

export class SimDisk {
  /** Syncs take so much longer. */
  slowFactor = 1;
  /** The next sync fails. */
  failNext: 'kept' | 'lost' | undefined;
  isFull = false;
  /** A planted bug: says durable before it is. Unit: none. */
  liesAboutSync = false;
  readonly #schedule: Schedule;
  readonly #random: Prng;
  readonly #observer: DiskObserver;
  readonly #syncMs: number;
  #rows = new DiskRows();
  #inFlight: InFlight[] = [];
  /** Removed without a sync since the last durable batch. */
  #cleared = new Map<string, Uint8Array>();
  /** What is in no table yet. */
  readonly #writeAhead = new WriteAhead();
  /** What a look at the files shows, until they are opened. */
  #fault: string | undefined;
  #brokenEnd: string | undefined;
  #isCurrentGone = false;
  /** Beside the database: whose it is, and how far it had come. A mark that was not synced may be lost with the power. */
  #owner: number | undefined;
  #mark: LogMark | undefined;
  #syncedMark: LogMark | undefined;
  #markSyncedAtMs = 0;
  /** As it was before the power took the last of it. */
  #notedMark: LogMark | undefined;

  constructor(deps: { schedule: Schedule; random: Prng; observer: DiskObserver }, options: DiskOptions) {
    this.#schedule = deps.schedule;
    this.#random = deps.random;
    this.#observer = deps.observer;
    this.#syncMs = options.syncMs;
  }

  /** Batches that were given and are not durable yet. */
  get inFlight(): number {
    return this.#inFlight.length;
  }

  get isEmpty(): boolean {
    return this.#rows.isEmpty;
  }

  /** What a process holds of it. Once the life has ended, nothing asked through it happens or answers any more. */
  open(life: Life): Disk {
    // LevelDB takes no more after a write that failed, until it is opened again.
    const handle = { hasFailed: false };
    return {
      get: (key) => copyOf(this.#rows.get(key)),
      scan: (start, end) => this.#scan(start, end),
      write: (ops) => this.#write(ops, life, handle),
      clear: async (start, end) => {
        if (!life.isAlive) return;
        for (const [key, value] of this.#rows.within(start, end)) {
          this.#rows.delete(key);
          this.#cleared.set(key, value);
        }
      },
      // What was cleared may still be back after a crash: LevelDB does not sync what it compacts away.
      compact: async () => {},
      close: async () => {},
    };
  }

  /** The database and what lies beside it, as a process comes upon them. */
  place(life: Life): LogPlace {
    return {
      owner: this.#owner,
      mark: {
        found: this.#mark,
        note: (mark) => {
          if (!life.isAlive) return;
          this.#mark = mark;
          const isDue = this.#schedule.nowMs - this.#markSyncedAtMs >= markSyncMs;
          if (isDue || mark.isAlone !== this.#syncedMark?.isAlone) this.#markSynced(mark);
        },
        sync: () => this.#syncMark(life),
        close: async () => {},
      },
      check: async () => this.#check(),
      hold: async () => async () => {},
      open: async () => {
        if (this.#isCurrentGone) this.#empty();
        this.#forgetDamage();
        return this.open(life);
      },
      setAside: async () => {
        this.#empty();
        return 'elsewhere';
      },
      salvage: async () => {
        throw new ShoalError('NOT_IMPLEMENTED', 'Nobody recovers a simulated disk.');
      },
      own: async (raftId) => {
        this.#owner = raftId;
      },
    };
  }

  /** The process or the power has gone: what was in flight is kept or lost, in order. */
  crash(): void {
    for (const batch of this.#inFlight) {
      // A later batch is written behind an earlier one: when one is lost, so are those after it.
      if (batch.isOver || this.#random.chance(0.5)) break;
      this.#apply(batch.ops);
    }
    for (const batch of this.#inFlight) batch.isOver = true;
    this.#inFlight = [];
    for (const [key, value] of this.#cleared) {
      if (!this.#rows.has(key) && this.#random.chance(0.5)) this.#rows.set(key, value);
    }
    this.#cleared.clear();
    this.failNext = undefined;
    this.#notedMark = this.#mark;
    if (this.#random.chance(0.5)) this.#mark = this.#syncedMark;
  }

  /** What the newest head says; undefined: there is none that holds. */
  get head(): Head | undefined {
    const bytes = this.#rows.get(headKey);
    return bytes === undefined ? undefined : decodeHead(headKey, bytes);
  }

  /** Whether neither the files nor the mark beside them show that something is missing. */
  get looksWhole(): boolean {
    const { faults, behind } = judge({ ...this.#check(), last: this.#rows.get(headKey) }, this.#mark);
    return faults.length === 0 && behind === undefined;
  }

  /** The mark is as it was noted last: of it the power took nothing. Only while no process has it open. */
  keepMark(): void {
    this.#mark = this.#notedMark;
    this.#syncedMark = this.#notedMark;
  }

  #markSynced(mark: LogMark | undefined): void {
    this.#syncedMark = mark;
    this.#markSyncedAtMs = this.#schedule.nowMs;
  }

  /** What was noted before is on the platter when it resolves; a crash meanwhile may take it. */
  #syncMark(life: Life): Promise<void> {
    const mark = this.#mark;
    return new Promise((resolve) => {
      const synced = (): void => {
        if (!life.isAlive) return;
        this.#markSynced(mark);
        resolve();
      };
      this.#schedule.after(this.#syncMs * this.slowFactor, synced, life);
    });
  }

  /**
   * A block of the write-ahead file is damaged: LevelDB will leave out every batch that has a part in it. Only while no
   * process has it open. Returns the keys of what is left out.
   */
  dropBlock(): readonly string[] {
    const dropped = this.#writeAhead.dropBlock(this.#rows, this.#random);
    if (dropped.keys.length === 0) return [];
    if (dropped.isEnd) this.#brokenEnd = 'What lies at the end of the write-ahead file fails its checksum.';
    else this.#fault = 'A block of the write-ahead file is damaged.';
    this.#observer.onRolledBack(this.#content());
    return dropped.keys;
  }

  /** The end of the write-ahead file is missing, as if never written. Only while no process has it open. */
  cutEnd(): readonly string[] {
    const keys = this.#writeAhead.cutEnd(this.#rows, this.#random);
    if (keys.length > 0) this.#observer.onRolledBack(this.#content());
    return keys;
  }

  /** CURRENT is gone: opening the database all the same makes a new one. Only while no process has it open. */
  loseCurrent(): void {
    this.#isCurrentGone = true;
    this.#fault = 'CURRENT is missing, and other files of the database are there.';
  }

  /** Flips a bit of some rows whose keys begin with one of `prefixes`. Returns their keys. */
  rot(prefixes: readonly string[], rowsMax: number): readonly string[] {
    const keys = this.#rows.keysOf(prefixes);
    const hit: string[] = [];
    for (let n = 0; n < rowsMax && keys.length > 0; n += 1) {
      const key = this.#random.pick(keys);
      const value = new Uint8Array(this.#rows.get(key) ?? []);
      if (value.length === 0) continue;
      const at = this.#random.below(value.length);
      value[at] = (value[at] ?? 0) ^ (1 << this.#random.below(8));
      this.#rows.set(key, value);
      hit.push(key);
    }
    return hit;
  }

  /** Exchanges the values of two rows whose keys begin with one of `prefixes`: a write went to the wrong place. */
  misdirect(prefixes: readonly string[]): readonly string[] {
    const keys = this.#rows.keysOf(prefixes);
    if (keys.length < 2) return [];
    const a = this.#random.pick(keys);
    const b = this.#random.pick(keys.filter((key) => key !== a));
    const [valueA, valueB] = [this.#rows.get(a), this.#rows.get(b)];
    if (valueA === undefined || valueB === undefined) return [];
    this.#rows.set(a, valueB);
    this.#rows.set(b, valueA);
    return [a, b];
  }

  /** A row whose key begins with one of `prefixes` holds something else than was written, under a checksum that holds. */
  alter(prefixes: readonly string[]): readonly string[] {
    const keys = this.#rows.keysOf(prefixes);
    if (keys.length === 0) return [];
    const key = this.#random.pick(keys);
    const value = new Uint8Array(this.#rows.get(key) ?? []);
    if (value.length <= sealBytes) return [];
    const at = value.length - 1;
    value[at] = (value[at] ?? 0) ^ 1;
    seal(value, key);
    this.#rows.set(key, value);
    return [key];
  }

  /** A row whose key begins with `prefix` is gone. */
  lose(prefix: string): readonly string[] {
    const keys = this.#rows.keysOf([prefix]);
    if (keys.length === 0) return [];
    const key = this.#random.pick(keys);
    this.#rows.delete(key);
    return [key];
  }

  /** A later row or two of the last batch are not there though the batch was called durable: a write was torn. */
  tear(prefix: string): readonly string[] {
    const keys = this.#rows.keysOf([prefix]);
    const torn = keys.slice(-1 - this.#random.below(2));
    for (const key of torn) this.#rows.delete(key);
    return torn;
  }

  /** What is on it now, to be put back later. */
  copy(): DiskCopy {
    return { rows: new Map(this.#rows), mark: this.#mark };
  }

  /** Puts an older copy back: the database alone, or with its mark. Only while no process has it open. */
  rollBack(copy: DiskCopy, what: 'database' | 'all' = 'all'): void {
    this.#rows = new DiskRows(copy.rows);
    this.#writeAhead.clear();
    this.#forgetDamage();
    if (what === 'all') {
      this.#mark = copy.mark;
      this.#markSynced(copy.mark);
    }
    this.#observer.onRolledBack(this.#content());
  }

  /** A new, empty disk in its place. Only while no process has it open. */
  wipe(): void {
    this.#mark = undefined;
    this.#markSynced(undefined);
    this.#empty();
  }

  #empty(): void {
    this.#rows = new DiskRows();
    this.#cleared.clear();
    this.#forgetDamage();
    this.#observer.onWiped();
  }

  /** LevelDB has made tables of what it could read, and removed the rest. */
  #forgetDamage(): void {
    this.#writeAhead.clear();
    this.#fault = undefined;
    this.#brokenEnd = undefined;
    this.#isCurrentGone = false;
  }

  #check(): LevelCheck {
    return {
      isThere: !this.#rows.isEmpty,
      faults: this.#fault === undefined ? [] : [this.#fault],
      brokenEnd: this.#brokenEnd,
      last: this.#writeAhead.isEmpty || this.#isCurrentGone ? undefined : this.#rows.get(headKey),
    };
  }

  #content(): readonly DiskOp[] {
    return [...this.#rows].map(([key, value]) => ({ key, value }));
  }

  async *#scan(start: string, end: string): AsyncGenerator<DiskRow, void, undefined> {
    const rows = [...this.#rows.within(start, end)];
    rows.sort(([a], [b]) => (a < b ? -1 : 1));
    for (const [key, value] of rows) yield { key, value: new Uint8Array(value) };
  }

  #write(given: readonly DiskOp[], life: Life, handle: { hasFailed: boolean }): Promise<void> {
    const batch: InFlight = { ops: given.map(({ key, value }) => ({ key, value: copyOf(value) })), isOver: false };
    if (!life.isAlive) return new Promise(() => {});
    this.#inFlight.push(batch);
    const delayMs = this.#syncMs * this.slowFactor * (0.5 + this.#random.float());
    return new Promise((resolve, reject) => {
      // The disk goes on while the process pauses; only the answer waits. A dead process gets none (`crash` decides).
      this.#schedule.after(delayMs, () => {
        if (batch.isOver) return;
        batch.isOver = true;
        this.#inFlight = this.#inFlight.filter((other) => other !== batch);
        const failure = this.failNext;
        this.failNext = undefined;
        const isFull = this.isFull;
        const isRefused = isFull || handle.hasFailed;
        if (failure !== undefined || isFull) handle.hasFailed = true;
        if (failure !== 'lost' && !isRefused) this.#apply(batch.ops);
        const answer = (): void => {
          if (failure === undefined && !isRefused) resolve();
          else reject(new ShoalError('STORE_FAILED', 'The disk could not write.', { facts: { isDiskFull: isFull } }));
        };
        this.#schedule.after(0, answer, life);
      });
      if (this.liesAboutSync) this.#schedule.after(0, resolve, life);
    });
  }

  #apply(ops: readonly DiskOp[]): void {
    this.#writeAhead.add(ops, this.#rows);
    for (const { key, value } of ops) {
      this.#cleared.delete(key);
      if (value === undefined) this.#rows.delete(key);
      else this.#rows.set(key, value);
    }
    // What was cleared before a synced batch is as durable as the batch.
    this.#cleared.clear();
    this.#observer.onDurable(ops);
  }
}

function copyOf(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined ? undefined : new Uint8Array(value);
}
