/**
 * The log, the hard state and the state's rows on one disk.
 *
 * One batch is in flight at a time; what is asked meanwhile gathers into the next (group commit). Every batch is synced,
 * and every batch carries the head, which says where the log ends: a batch that went missing shows at the next start.
 *
 * Rows of the state need no haste, as they can be replayed from the log: they ride on the next batch, or on `flush`. They
 * are synced with it all the same. LevelDB starts a new log file now and then; an unsynced batch in the old file could be
 * lost in a power cut while a later one in the new file survives, and that hole nobody would notice.
 *
 * What is read here is what is durable. After a failed write nothing more is written: what is on disk is not known until
 * it is opened again, and a sync that failed once may claim success the next time (fsync's errors are told once).
 */

import { assert } from '../../base/assert.ts';
import { failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import { type ConfState, type Entry, emptyConfState, type HardState, type LogRefusal } from '../../raft/index.ts';
import type { DigestValue } from '../../state/digest.ts';
import { type RowContent, rowBytes, type StateRow, type StoredRow, writeRow } from '../../state/rows.ts';
import type { Disk, DiskOp } from './disk.ts';
import { decodeEntry, encodeEntries, entryRecordBytes } from './entry-record.ts';
import { EntrySums } from './entry-sums.ts';
import { KeptDigests } from './kept-digests.ts';
import { appliedKey, entryKey, headKey, olderGenerations, peerKey, rowKey, rowRange } from './keys.ts';
import { type MarkKeeper, markOf, outlasts } from './log-mark.ts';
import { LogTail } from './log-tail.ts';
import {
  type AppliedRecord,
  encodeRecord,
  type Head,
  type Identity,
  lifeOf,
  type PeerMemory,
  type Quarantine,
  quarantineTermMargin,
  type ShedPlace,
} from './records.ts';
import { seal, sealBytes, sealed } from './sealed-bytes.ts';
import { Slab } from './slab.ts';

const failpointCompactionHeadMoved = failpoint('compaction.head-moved', 'a compacted log still holds what it dropped');

/** Bytes of state rows that wait for a batch to ride on; beyond, they get one of their own. */
const waitingRowBytesMax = 4 * 1024 * 1024;

/** What the core wants stored. */
export interface LogWrite {
  /** Absent: as before. */
  readonly hardState?: HardState | undefined;
  /** Replace what is there from the first one's index on. */
  readonly entries: readonly Entry[];
}

/** What applying entries changed. */
export interface StateWrite {
  readonly rows: readonly StateRow[];
  /** The last entry applied. */
  readonly index: number;
  readonly term: number;
  /** The membership after it. */
  readonly confState: ConfState;
  /** Of all rows after it. */
  readonly digest: DigestValue;
}

/** A snapshot's place in the log. */
export interface SnapshotPlace {
  readonly index: number;
  readonly term: number;
  readonly confState: ConfState;
}

/** What is found on a disk when it is opened. */
interface LogStoreContents {
  readonly head: Head;
  readonly applied: AppliedRecord;
  readonly identity: Identity;
  readonly peers: ReadonlyMap<number, PeerMemory>;
  readonly tail: LogTail;
  /** Of the entries in `tail`. */
  readonly sums: EntrySums;
  /** Notes how far the log has come. Absent: nobody does. */
  readonly mark?: MarkKeeper | undefined;
}

/** A batch that gathers. */
interface Batch {
  readonly ops: DiskOp[];
  /** Rows by key: of several changes only the last is written. */
  readonly rows: Map<string, RowContent | undefined>;
  /** What it makes true. Absent: as before. */
  head: Head | undefined;
  applied: AppliedRecord | undefined;
  /** What else it makes true. */
  readonly effects: (() => void)[];
  readonly waiting: { resolve(): void; reject(error: unknown): void }[];
  /** Something waits for it: must go as soon as possible. */
  isUrgent: boolean;
}

/**
 * Log, state and notes of one member, on one disk. What is asked for in one turn goes to the disk as one batch with one
 * sync; reads see what is durable. After a failed write every later one throws the same `STORE_FAILED`.
 */
export class LogStore {
  readonly #disk: Disk;
  /** As on disk. */
  #head: Head;
  #applied: AppliedRecord;
  readonly #identity: Identity;
  #tail: LogTail;
  readonly #peers: Map<number, PeerMemory>;
  readonly #mark: MarkKeeper | undefined;
  /** As on disk once everything asked for is written. */
  #plannedHead: Head;
  #plannedSums: EntrySums;
  #plannedApplied: AppliedRecord;
  #keptDigests: KeptDigests;
  #next: Batch = newBatch();
  #waitingRowBytes = 0;
  #inFlight: Promise<void> | undefined;
  #failure: ShoalError | undefined;
  #isClosed = false;
  /** `close` still writes. */
  #isClosing = false;
  #installs = 0;

  /** Use `openLogStore` (recovery.ts). */
  constructor(disk: Disk, contents: LogStoreContents) {
    this.#disk = disk;
    this.#head = contents.head;
    this.#plannedHead = contents.head;
    this.#applied = contents.applied;
    this.#plannedApplied = contents.applied;
    const { stateGeneration, index, recentDigests } = contents.applied;
    this.#keptDigests = new KeptDigests(stateGeneration, index, recentDigests);
    this.#identity = contents.identity;
    this.#tail = contents.tail;
    this.#peers = new Map(contents.peers);
    this.#plannedSums = contents.sums;
    this.#mark = contents.mark;
  }

  // --- Reading: what consensus asks for ------------------------------------------------------------------------------

  initialState(): { readonly hardState: HardState; readonly confState: ConfState } {
    const { term, vote, commit } = this.#head;
    return { hardState: { term, vote, commit }, confState: this.#applied.confState };
  }

  firstIndex(): number {
    return this.#tail.startIndex + 1;
  }

  lastIndex(): number {
    return this.#tail.lastIndex;
  }

  term(index: number): number | LogRefusal {
    if (index < this.#tail.startIndex) return 'compacted';
    if (index > this.#tail.lastIndex) return 'unavailable';
    return this.#tail.term(index);
  }

  /**
   * Entries in [low, high), the longest prefix within `bytesMax` but at least one. An entry that has rotted on disk reads
   * as compacted when the state covers it, so that a follower gets a snapshot; otherwise throws `LOG_CORRUPT`.
   */
  entries(low: number, high: number, bytesMax: number): readonly Entry[] | LogRefusal {
    if (low <= this.#tail.startIndex) return 'compacted';
    if (high > this.#tail.lastIndex + 1) return 'unavailable';
    const found: Entry[] = [];
    let bytes = 0;
    for (let index = low; index < high; index += 1) {
      const entry = this.#tail.cached(index) ?? this.#readEntry(index);
      if (entry === undefined) {
        if (found.length > 0) return found;
        if (index <= this.#applied.index) return 'compacted';
        throw new ShoalError('LOG_CORRUPT', `Entry ${index} fails its checksum.`, { facts: { index } });
      }
      bytes += entryRecordBytes(entry);
      if (bytes > bytesMax && found.length > 0) return found;
      found.push(entry);
    }
    return found;
  }

  // --- Reading: everything else --------------------------------------------------------------------------------------

  /** The newest state that is durable. */
  get applied(): { readonly index: number; readonly term: number; readonly confState: ConfState } {
    return this.#applied;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Why this log must not vote; undefined when nothing is wrong with it. */
  get quarantine(): Quarantine | undefined {
    return this.#head.quarantine;
  }

  /** Where the log ended when it was shed, while it has not come so far again; undefined: it holds all that it had. */
  get shed(): ShedPlace | undefined {
    return this.#head.shed;
  }

  /** Size of the log's entries. Unit: bytes. */
  get logBytes(): number {
    return this.#tail.bytes;
  }

  /** Set once a write has failed: nothing is written any more. */
  get failure(): ShoalError | undefined {
    return this.#failure;
  }

  /** The least index up to which compaction leaves at most `bytesKept` of log, and never more than the state covers. */
  compactionIndex(bytesKept: number): number {
    return Math.min(this.#tail.indexLeaving(bytesKept), this.#applied.index);
  }

  /** What was last heard of the other members, as far as it was stored. */
  get peers(): ReadonlyMap<number, PeerMemory> {
    return this.#peers;
  }

  // --- Writing -------------------------------------------------------------------------------------------------------

  /** Durable when it resolves. Throws `STORE_FAILED`: stop, and start again from what is on disk. */
  append(write: LogWrite): Promise<void> {
    const head = { ...this.#plannedHead, ...write.hardState };
    const first = write.entries[0];
    const last = write.entries.at(-1);
    if (first !== undefined && last !== undefined) {
      assert(first.index > head.startIndex && first.index <= head.lastIndex + 1, 'an append leaves a gap in the log');
      const { ops } = this.#next;
      this.#plannedSums.append(first.index, encodeEntries(head.logGeneration, write.entries, ops));
      for (let index = last.index + 1; index <= head.lastIndex; index += 1) {
        ops.push({ key: entryKey(head.logGeneration, index), value: undefined });
      }
      head.lastIndex = last.index;
      head.lastTerm = last.term;
      const tail = this.#tail;
      this.#next.effects.push(() => tail.append(write.entries));
    }
    this.#planHead(head);
    return this.#urgent();
  }

  /** Notes a hard state whose term and vote are as before: the commit index alone may be lost, so it needs no haste. */
  noteCommit(hardState: HardState): void {
    const { term, vote } = this.#plannedHead;
    assert(hardState.term === term && hardState.vote === vote, 'a vote must not wait');
    this.#planHead({ ...this.#plannedHead, commit: hardState.commit });
  }

  /** The hard state once everything asked for is written. */
  get plannedHardState(): HardState {
    const { term, vote, commit } = this.#plannedHead;
    return { term, vote, commit };
  }

  /** Notes what was applied. Becomes durable with the next batch or `flush`, in the order of calls. */
  apply(write: StateWrite): void {
    assert(write.index >= this.#plannedApplied.index, 'the applied index does not go back');
    const generation = this.#plannedApplied.stateGeneration;
    for (const row of write.rows) {
      this.#next.rows.set(rowKey(generation, row.key), row.value);
      this.#waitingRowBytes += row.key.length + (row.value === undefined ? 0 : rowBytes(row.value));
    }
    const { index, term, confState, digest } = write;
    this.#keptDigests.note(index, digest, this.#next.ops);
    this.#planApplied({ index, term, confState, stateGeneration: generation, digest });
    if (this.#waitingRowBytes > waitingRowBytesMax) this.#hurry();
  }

  /** Resolves once everything that `append` was called for so far is durable. Writes nothing of its own. */
  async synced(): Promise<void> {
    if (this.#next.isUrgent) await this.#urgent();
    else await this.#inFlight;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Makes durable what `apply` noted. */
  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (isEmptyBatch(this.#next)) return this.#inFlight ?? Promise.resolve();
    return this.#urgent();
  }

  /**
   * Drops entries up to `index`, which must not exceed what is durably applied. Resolves once that is durable; the space
   * comes free later.
   */
  async compact(index: number): Promise<void> {
    assert(index <= this.#applied.index && index <= this.#tail.lastIndex, 'compaction beyond the durable state');
    if (index <= this.#plannedHead.startIndex) return;
    const from = this.#plannedHead.startIndex;
    this.#planHead({ ...this.#plannedHead, startIndex: index, startTerm: this.#tail.term(index) });
    this.#plannedSums.compact(index);
    const tail = this.#tail;
    this.#next.effects.push(() => tail.compact(index));
    const generation = this.#plannedHead.logGeneration;
    await this.#urgent();
    failpointCompactionHeadMoved();
    await this.#disk.clear(entryKey(generation, from), entryKey(generation, index + 1));
  }

  /**
   * Starts to take a snapshot from elsewhere: rows first, in as many calls as it likes, then `commit` switches to them.
   * Until then everything is as before; an install that was given up leaves only rows that the next start clears.
   */
  install(): SnapshotInstall {
    this.#installs += 1;
    const generation = this.#plannedApplied.stateGeneration + this.#installs;
    return {
      write: (rows) => this.#writeInstallRows(generation, rows),
      commit: (place, digest, hardState) => this.#commitInstall(generation, place, digest, hardState),
      abandon: () => this.#abandonInstall(generation),
    };
  }

  /**
   * Lets go of all entries and rows, of a member that is none any more: the log is as that of one that has never had any, but
   * for term and vote, and for where it ended (`shed`). One batch; the space comes free before it resolves. Throws
   * `STORE_FAILED`.
   * @param digest of no rows.
   */
  async shedAll(digest: DigestValue): Promise<void> {
    await this.synced();
    // Shed again before it had come so far, it ended where it did at first.
    const { term, vote, lastIndex, lastTerm, shed = { index: lastIndex, term: lastTerm } } = this.#plannedHead;
    this.#installs += 1;
    const generation = this.#plannedApplied.stateGeneration + this.#installs;
    const nowhere = { index: 0, term: 0, confState: emptyConfState };
    await this.#commitInstall(generation, nowhere, digest, { term, vote, commit: 0 }, shed);
    await this.#disk.compact();
  }

  /** The term fence; 0: it was never raised. Durable. */
  get raisedTerm(): number {
    return this.#head.raisedTerm ?? 0;
  }

  /** Notes that this log must not vote, or what has become of that. Durable when it resolves. */
  setQuarantine(quarantine: Quarantine | undefined): Promise<void> {
    const { quarantine: _, ...head } = this.#plannedHead;
    this.#planHead(quarantine === undefined ? head : { ...head, quarantine });
    return this.#urgent();
  }

  /**
   * Raises the term of a quarantined log out of reach of forgotten votes, given the highest term heard from the others.
   * Durable when it resolves.
   */
  raiseTermFence(heardTerm: number): Promise<void> {
    const { quarantine } = this.#plannedHead;
    assert(quarantine?.raisedTerm === 0, 'only a quarantined log raises its term fence, and once');
    const term = Math.max(this.#plannedHead.term, heardTerm) + quarantineTermMargin;
    this.#planHead({
      ...this.#plannedHead,
      term,
      vote: 0,
      raisedTerm: term,
      quarantine: { ...quarantine, raisedTerm: term },
    });
    return this.#urgent();
  }

  /** Notes what was last heard of a member. Rides on the next batch. */
  rememberPeer(raftId: number, memory: PeerMemory): void {
    this.#peers.set(raftId, memory);
    const key = peerKey(raftId);
    this.#next.ops.push({ key, value: encodeRecord(key, memory) });
  }

  /** Writes what waits, then closes. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#isClosing = true;
    try {
      if (this.#failure === undefined) await this.flush();
    } finally {
      this.#isClosing = false;
      await this.#inFlight?.catch(() => {
        // Reported to the callers that waited for that batch.
      });
      await this.#disk.close();
      await this.#mark?.close();
    }
  }

  /** Closes without writing what waits, as if the process had died. Safe to call twice. */
  async abandon(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#next = newBatch();
    await this.#inFlight?.catch(() => {
      // Reported to the callers that waited for that batch.
    });
    await this.#disk.close();
    await this.#mark?.close();
  }

  #readEntry(index: number): Entry | undefined {
    const key = entryKey(this.#head.logGeneration, index);
    const value = this.#disk.get(key);
    return value === undefined ? undefined : decodeEntry(key, value);
  }

  async #writeInstallRows(generation: number, rows: readonly StoredRow[]): Promise<void> {
    for (const row of rows) {
      const key = rowKey(generation, row.key);
      this.#next.ops.push({ key, value: sealed(row.value, key) });
    }
    await this.#urgent();
  }

  async #commitInstall(
    generation: number,
    place: SnapshotPlace,
    digest: DigestValue,
    hardState: HardState | undefined,
    shed = this.#plannedHead.shed,
  ): Promise<void> {
    const { index, term, confState } = place;
    const logGeneration = this.#plannedHead.logGeneration + 1;
    // Rows of the old generation that still wait would be written for nobody.
    this.#next.rows.clear();
    this.#planApplied({ index, term, confState, stateGeneration: generation, digest });
    this.#keptDigests = new KeptDigests(generation, index);
    this.#planHead({
      ...this.#plannedHead,
      ...hardState,
      commit: Math.max(index, hardState?.commit ?? 0),
      startIndex: index,
      startTerm: term,
      lastIndex: index,
      lastTerm: term,
      logGeneration,
      ...(shed === undefined ? {} : { shed }),
    });
    this.#plannedSums = new EntrySums(index);
    this.#next.effects.push(() => {
      this.#tail = new LogTail(index, term);
    });
    await this.#urgent();
    // Rows of later generations may be those of a newer snapshot that is being fetched.
    for (const { start, end } of [
      olderGenerations('l', logGeneration),
      olderGenerations('r', generation),
      olderGenerations('d', generation),
    ]) {
      await this.#disk.clear(start, end);
    }
  }

  async #abandonInstall(generation: number): Promise<void> {
    const range = rowRange(generation);
    await this.#disk.clear(range.start, range.end);
  }

  #planHead(planned: Head): void {
    const head = withoutReached(planned);
    this.#plannedHead = head;
    this.#next.head = head;
  }

  #planApplied(applied: AppliedRecord): void {
    this.#plannedApplied = applied;
    this.#next.applied = applied;
  }

  /** The next batch has somebody waiting. */
  #urgent(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#isClosed && !this.#isClosing) return Promise.reject(closed());
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#next.waiting.push({ resolve, reject });
    this.#hurry();
    return promise;
  }

  #hurry(): void {
    this.#next.isUrgent = true;
    if (this.#inFlight === undefined && this.#failure === undefined) this.#inFlight = this.#writeBatches();
  }

  /** Writes batches until none is urgent. Never rejects: failures go to those who wait. */
  async #writeBatches(): Promise<void> {
    // What is asked for in this same turn of the event loop goes into the same batch.
    await Promise.resolve();
    while (this.#next.isUrgent) {
      const batch = this.#next;
      const number = (this.#plannedHead.batch ?? 0) + 1;
      this.#plannedHead = { ...this.#plannedHead, batch: number };
      this.#next = newBatch();
      this.#waitingRowBytes = 0;
      const before = this.#head;
      try {
        await this.#disk.write(this.#opsOf(batch));
        this.#head = batch.head ?? before;
        this.#applied = batch.applied ?? this.#applied;
        for (const effect of batch.effects) effect();
        this.#mark?.note(markOf({ identity: this.#identity, batch: number, head: this.#head, applied: this.#applied }));
        if (outlasts(before, this.#head)) await this.#mark?.sync();
      } catch (error) {
        this.#fail(ShoalError.from(error, 'STORE_FAILED'), batch);
        return;
      }
      for (const { resolve } of batch.waiting) resolve();
    }
    this.#inFlight = undefined;
  }

  #opsOf(batch: Batch): DiskOp[] {
    const ops = batch.ops;
    let bytes = 0;
    for (const content of batch.rows.values()) if (content !== undefined) bytes += sealBytes + rowBytes(content);
    const slab = new Slab(bytes);
    for (const [key, content] of batch.rows) {
      if (content === undefined) {
        ops.push({ key, value: undefined });
        continue;
      }
      const value = slab.take(sealBytes + rowBytes(content));
      writeRow(content, value, sealBytes);
      seal(value, key);
      ops.push({ key, value });
    }
    if (batch.rows.size > 0 || this.#plannedApplied !== this.#applied) {
      const applied = { ...this.#plannedApplied, recentDigests: this.#keptDigests.text };
      ops.push({ key: appliedKey, value: encodeRecord(appliedKey, applied) });
    }
    const head = { ...this.#plannedHead, logSum: this.#plannedSums.total, life: lifeOf(this.#identity) };
    ops.push({ key: headKey, value: encodeRecord(headKey, head) });
    return ops;
  }

  #fail(failure: ShoalError, batch: Batch): void {
    this.#failure = failure;
    this.#inFlight = undefined;
    for (const { reject } of [...batch.waiting, ...this.#next.waiting]) reject(failure);
    this.#next = newBatch();
  }
}

/** A snapshot on its way to the disk. */
export interface SnapshotInstall {
  /** Writes rows beside those that count. Durable when it resolves; wait for it before the next call. */
  write(rows: readonly StoredRow[]): Promise<void>;
  /**
   * Makes the rows written the state and the log empty behind `place`, in one batch. Everything asked of the store before
   * must have been done: appends, and `apply` of older entries.
   * @param digest of all rows written.
   */
  commit(place: SnapshotPlace, digest: DigestValue, hardState: HardState | undefined): Promise<void>;
  /** Gives it up. */
  abandon(): Promise<void>;
}

/** Once the log has come to where it was shed, it holds all that it had. */
function withoutReached(head: Head): Head {
  const { shed, ...rest } = head;
  if (shed === undefined || isBehind({ index: head.lastIndex, term: head.lastTerm }, shed)) return head;
  return rest;
}

/** Whether a log that ends at `end` is less than one that ends at `other`, as votes compare them: by term, then by index. */
function isBehind(end: ShedPlace, other: ShedPlace): boolean {
  return end.term < other.term || (end.term === other.term && end.index < other.index);
}

function newBatch(): Batch {
  return { ops: [], rows: new Map(), head: undefined, applied: undefined, effects: [], waiting: [], isUrgent: false };
}

function closed(): ShoalError {
  return new ShoalError('CANCELLED', 'The log is closed.');
}

function isEmptyBatch(batch: Batch): boolean {
  const { ops, rows, head, applied, effects } = batch;
  return ops.length === 0 && rows.size === 0 && head === undefined && applied === undefined && effects.length === 0;
}
