import { assert } from '../../base/assert.ts';
import {
  assertInRange,
  type Entry,
  entriesBytes,
  type LogIndex,
  limitBytes,
  noEntries,
  type Snapshot,
  type Term,
} from '../messages/messages.ts';
import type { LogRefusal, Storage } from './storage.ts';
import { Unstable } from './unstable.ts';

/** Names an entry: no two different entries share an index and a term (Raft paper, 5.3, Log Matching). */
export interface EntryId {
  readonly index: LogIndex;
  readonly term: Term;
}

/**
 * The whole log as the core sees it: what storage confirmed, and behind it what it has not (`unstable`).
 *
 * Invariant: applied <= applying <= committed <= lastIndex().
 */
export class RaftLog {
  readonly storage: Storage;
  readonly unstable: Unstable;
  /** The highest index known to be on a quorum's disks. Never shrinks. */
  committed: LogIndex;
  /** The highest index handed out to be applied. Never shrinks. */
  applying: LogIndex;
  /** The highest index the state machine has reported as applied. Never shrinks. */
  applied: LogIndex;
  /** Handed out and not yet reported: at most this much, plus the last entry. Unit: bytes. */
  readonly #applyingBytesMax: number;
  #applyingBytes = 0;
  /** Nothing more is handed out until some of it is reported. */
  #applyingPaused = false;

  /** @param applyingBytesMax see `RaftConfig.maxCommittedBytesPerReady`. */
  constructor(storage: Storage, applyingBytesMax: number) {
    this.storage = storage;
    this.#applyingBytesMax = applyingBytesMax;
    const first = storage.firstIndex();
    this.unstable = new Unstable(storage.lastIndex() + 1);
    this.committed = first - 1;
    this.applying = first - 1;
    this.applied = first - 1;
  }

  firstIndex(): LogIndex {
    const snapshot = this.unstable.snapshot;
    return snapshot === null ? this.storage.firstIndex() : snapshot.index + 1;
  }

  lastIndex(): LogIndex {
    return this.unstable.lastIndex() ?? this.storage.lastIndex();
  }

  /** The last entry, or what the snapshot ends with. */
  lastEntryId(): EntryId {
    const index = this.lastIndex();
    const term = this.term(index);
    assert(typeof term === 'number', () => `the term of the last entry ${index} is ${term}`);
    return { index, term };
  }

  /** The last entry that storage has confirmed and that nothing unstable replaces. */
  lastStableId(): EntryId {
    const index = Math.min(this.lastIndex(), this.unstable.offset - 1);
    const term = this.term(index);
    assert(typeof term === 'number', () => `the term of the last stable entry ${index} is ${term}`);
    return { index, term };
  }

  term(index: LogIndex): Term | LogRefusal {
    const unstable = this.unstable.term(index);
    if (unstable !== undefined) return unstable;
    if (index + 1 < this.firstIndex()) return 'compacted';
    if (index > this.lastIndex()) return 'unavailable';
    return this.storage.term(index);
  }

  /** Whether the entry at `index` is here and has `term`. */
  matches(index: LogIndex, term: Term): boolean {
    return this.term(index) === term;
  }

  /** Whether a log that ends with `last` is at least as good as this one (Raft paper, 5.4.1). */
  isUpToDate(last: EntryId): boolean {
    const own = this.lastEntryId();
    return last.term > own.term || (last.term === own.term && last.index >= own.index);
  }

  /** Adds the leader's own entries. Returns the last index. */
  append(entries: readonly Entry[]): LogIndex {
    const first = entries[0];
    if (first !== undefined) {
      assert(first.index > this.committed, () => `entry ${first.index} would replace a committed one`);
      this.unstable.truncateAndAppend(entries);
      assertInRange(this.lastIndex(), 'log index');
    }
    return this.lastIndex();
  }

  /**
   * Takes a leader's append after `previous`. Returns the last index now known equal to the leader's log, or undefined
   * when the entry before the new ones is missing or another one.
   */
  appendFromLeader(previous: EntryId, entries: readonly Entry[], leaderCommit: LogIndex): LogIndex | undefined {
    if (!this.matches(previous.index, previous.term)) return undefined;
    const last = previous.index + entries.length;
    const fresh = this.#firstNew(entries);
    if (fresh < entries.length) this.append(fresh === 0 ? entries : entries.slice(fresh));
    this.commitTo(Math.min(leaderCommit, last));
    return last;
  }

  /** The position of the first entry that is not here yet, or here as another one. */
  #firstNew(entries: readonly Entry[]): number {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as Entry;
      if (!this.matches(entry.index, entry.term)) return i;
    }
    return entries.length;
  }

  /**
   * The highest index at or below `index` whose term here is at most `term`: where a log in which `index` has `term`
   * may still agree with this one. Its term too, 0 when it is not known. This skips whole terms at a time over
   * several rounds of probing (Raft paper, end of 5.3). Walks at most the uncommitted end of the log.
   */
  findConflictByTerm(index: LogIndex, term: Term): EntryId {
    for (let at = index; at > 0; at--) {
      const own = this.term(at);
      if (typeof own !== 'number') return { index: at, term: 0 };
      if (own <= term) return { index: at, term: own };
    }
    return { index: 0, term: 0 };
  }

  /** Raises the commit index, never lowers it. */
  commitTo(index: LogIndex): void {
    if (index <= this.committed) return;
    // A leader says so only of entries it knows to be here. They are gone: this disk has lost acknowledged writes.
    assert(index <= this.lastIndex(), () => `commit index ${index} is behind the end of the log ${this.lastIndex()}`);
    this.committed = index;
  }

  /** Raises the commit index to `index` if that entry is here and of `term`; a leader passes its own (Raft paper, 5.4.2). */
  commitInTerm(index: LogIndex, term: Term): boolean {
    if (index <= this.committed || !this.matches(index, term)) return false;
    this.commitTo(index);
    return true;
  }

  /** Entries from `low` on, within `bytesMax` but at least one. Empty when `low` is behind the end. */
  entriesFrom(low: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal {
    const last = this.lastIndex();
    return low > last ? noEntries : this.slice(low, last + 1, bytesMax);
  }

  /** Entries in [`low`, `high`), the longest prefix within `bytesMax` but at least one. */
  slice(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal {
    if (low < this.firstIndex()) return 'compacted';
    assert(high <= this.lastIndex() + 1, () => `[${low}, ${high}) is behind the end of the log`);
    if (low >= high) return noEntries;
    const offset = this.unstable.offset;
    if (low >= offset) return limitBytes(this.unstable.slice(low, high), bytesMax);
    const cut = Math.min(high, offset);
    const stable = this.storage.entries(low, cut, bytesMax);
    if (typeof stable === 'string' || high <= offset || stable.length < cut - low) return stable;
    const used = entriesBytes(stable);
    if (used >= bytesMax) return stable;
    const rest = limitBytes(this.unstable.slice(offset, high), bytesMax - used);
    // `limitBytes` lets one through whatever its size; the stable part has had that exception already.
    if (rest.length === 1 && used + entriesBytes(rest) > bytesMax) return stable;
    return [...stable, ...rest];
  }

  /** The last index that may be applied now. Unstable entries may be only where the caller stores before it applies. */
  #appliableIndex(allowUnstable: boolean): LogIndex {
    return allowUnstable ? this.committed : Math.min(this.committed, this.unstable.offset - 1);
  }

  /** Whether there is something to apply. A snapshot that waits must be stored first: it comes before any entry. */
  hasNextCommitted(allowUnstable: boolean): boolean {
    if (this.#applyingPaused || this.unstable.snapshot !== null) return false;
    return this.applying < this.#appliableIndex(allowUnstable);
  }

  /** Committed entries not yet handed out, as many as the byte limit admits. */
  nextCommitted(allowUnstable: boolean): readonly Entry[] {
    if (!this.hasNextCommitted(allowUnstable)) return noEntries;
    const room = this.#applyingBytesMax - this.#applyingBytes;
    assert(room > 0, 'entries are being applied beyond their bound, but not paused');
    const entries = this.slice(this.applying + 1, this.#appliableIndex(allowUnstable) + 1, room);
    assert(typeof entries !== 'string', () => `committed entries after ${this.applying} are ${String(entries)}`);
    return entries;
  }

  /** Counts `entries` as handed out to be applied. */
  acceptApplying(entries: readonly Entry[], allowUnstable: boolean): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    assert(last.index <= this.committed, () => `entry ${last.index} is applied before it is committed`);
    this.applying = last.index;
    this.#applyingBytes += entriesBytes(entries);
    // Full; or the byte limit cut this batch short, and then the next entry would not have fitted either.
    this.#applyingPaused =
      this.#applyingBytes >= this.#applyingBytesMax || last.index < this.#appliableIndex(allowUnstable);
  }

  /** The state machine has applied up to `index`; `bytes` of what was handed out are done with. */
  appliedTo(index: LogIndex, bytes: number): void {
    assert(
      index >= this.applied && index <= this.committed,
      () => `applied index ${index} is outside [${this.applied}, ${this.committed}]`,
    );
    this.applied = index;
    this.applying = Math.max(this.applying, index);
    this.#applyingBytes = Math.max(0, this.#applyingBytes - bytes);
    this.#applyingPaused = this.#applyingBytes >= this.#applyingBytesMax;
  }

  /** Replaces the whole log by `snapshot`. */
  restore(snapshot: Snapshot): void {
    this.committed = snapshot.index;
    this.unstable.restore(snapshot);
  }
}
