import { assert } from '../../base/assert.ts';
import {
  type ConfState,
  type Entry,
  emptyConfState,
  emptyHardState,
  type HardState,
  type LogIndex,
  limitBytes,
  noBytes,
  type Snapshot,
  type Term,
} from '../messages/messages.ts';
import type { LogRefusal, Storage } from './storage.ts';

/** The log in memory: for tests, for the simulator's disk to build on, and as the model of what a storage does. */
export class MemoryStorage implements Storage {
  #hardState: HardState = emptyHardState;
  #snapshot: Snapshot = { index: 0, term: 0, confState: emptyConfState, data: noBytes };
  /** Entries from `#compacted.index + 1` on. */
  #entries: Entry[] = [];
  /** The last entry that is gone. */
  #compacted: { index: LogIndex; term: Term } = { index: 0, term: 0 };

  initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: this.#hardState, confState: this.#snapshot.confState };
  }

  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal {
    const first = this.firstIndex();
    if (low < first) return 'compacted';
    if (high > this.lastIndex() + 1) return 'unavailable';
    return limitBytes(this.#entries.slice(low - first, high - first), bytesMax);
  }

  term(index: LogIndex): Term | LogRefusal {
    if (index < this.#compacted.index) return 'compacted';
    if (index === this.#compacted.index) return this.#compacted.term;
    return this.#entries[index - this.#compacted.index - 1]?.term ?? 'unavailable';
  }

  lastIndex(): LogIndex {
    return this.#compacted.index + this.#entries.length;
  }

  firstIndex(): LogIndex {
    return this.#compacted.index + 1;
  }

  snapshot(atLeast: LogIndex = 0): Snapshot | 'temporarily-unavailable' {
    return this.#snapshot.index >= atLeast ? this.#snapshot : 'temporarily-unavailable';
  }

  setHardState(state: HardState): void {
    this.#hardState = state;
  }

  /** Replaces everything by `snapshot`. An older one than there is already is ignored. */
  applySnapshot(snapshot: Snapshot): void {
    if (snapshot.index <= this.#snapshot.index) return;
    this.#snapshot = snapshot;
    this.#entries = [];
    this.#compacted = { index: snapshot.index, term: snapshot.term };
  }

  /** Notes the state at `index`, which is in the log and applied. The log stays as it is; see `compact`. */
  createSnapshot(index: LogIndex, confState: ConfState, data: Uint8Array): Snapshot {
    const term = this.term(index);
    assert(typeof term === 'number' && index >= this.#snapshot.index, () => `no snapshot can be made at ${index}`);
    this.#snapshot = { index, term, confState, data };
    return this.#snapshot;
  }

  /** Forgets entries up to and including `index`. A snapshot at or after it must exist for followers who need them. */
  compact(index: LogIndex): void {
    if (index <= this.#compacted.index) return;
    const term = this.term(index);
    assert(typeof term === 'number', () => `compaction to ${index} is behind the end of the log`);
    this.#entries.splice(0, index - this.#compacted.index);
    this.#compacted = { index, term };
  }

  /** Adds entries, replacing any at the same or higher indexes. What is compacted already is skipped. */
  append(entries: readonly Entry[]): void {
    const first = this.firstIndex();
    const fresh = entries.filter((entry) => entry.index >= first);
    const start = fresh[0]?.index;
    if (start === undefined) return;
    assert(start <= this.lastIndex() + 1, () => `entries from ${start} leave a gap after ${this.lastIndex()}`);
    this.#entries.length = start - first;
    for (const entry of fresh) this.#entries.push(entry);
  }
}
