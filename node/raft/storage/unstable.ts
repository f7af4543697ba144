import { assert } from '../../base/assert.ts';
import type { Entry, LogIndex, Snapshot, Term } from '../messages/messages.ts';

/**
 * The end of the log that storage has not confirmed. Entry `entries[i]` has index `offset + i`. Part of it may be being
 * written (`inProgress`), and while it is, newer entries may replace it: storage then holds the old ones for a moment, so
 * an entry leaves from here only when a confirmation of *this* index and term comes, within this term.
 *
 * Invariants: `offset` <= `offsetInProgress` <= `offset + entries.length`; a snapshot here ends at `offset - 1` when no
 * entries follow it.
 */
export class Unstable {
  /** A snapshot received and not yet stored. */
  snapshot: Snapshot | null = null;
  /** Whether that snapshot was handed out to be stored. */
  snapshotInProgress = false;
  /** The index of `entries[0]`, or of the next entry. */
  offset: LogIndex;
  /** Entries before this index were handed out to be stored. */
  offsetInProgress: LogIndex;
  #entries: Entry[] = [];

  constructor(offset: LogIndex) {
    this.offset = offset;
    this.offsetInProgress = offset;
  }

  get length(): number {
    return this.#entries.length;
  }

  /** The last index known here; undefined when storage knows better. */
  lastIndex(): LogIndex | undefined {
    if (this.#entries.length > 0) return this.offset + this.#entries.length - 1;
    return this.snapshot?.index;
  }

  /** The term of the entry at `index`, when it or the snapshot that ends there is here. */
  term(index: LogIndex): Term | undefined {
    if (index >= this.offset) return this.#entries[index - this.offset]?.term;
    return this.snapshot?.index === index ? this.snapshot.term : undefined;
  }

  /** Whether there is something to hand out. */
  get hasNextEntries(): boolean {
    return this.offsetInProgress < this.offset + this.#entries.length;
  }

  /** Entries not yet handed out. */
  nextEntries(): readonly Entry[] {
    return this.#entries.slice(this.offsetInProgress - this.offset);
  }

  /** The snapshot, unless it was handed out already. */
  nextSnapshot(): Snapshot | null {
    return this.snapshotInProgress ? null : this.snapshot;
  }

  /** Everything here counts as handed out from now on. */
  acceptInProgress(): void {
    this.offsetInProgress = this.offset + this.#entries.length;
    if (this.snapshot !== null) this.snapshotInProgress = true;
  }

  /**
   * Storage holds everything up to (`index`, `term`). Ignored when that entry is not here any more, or is another one:
   * the confirmation was overtaken by a newer write that is still on its way.
   */
  stableTo(index: LogIndex, term: Term): void {
    if (index < this.offset || this.term(index) !== term) return;
    this.#entries.splice(0, index + 1 - this.offset);
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
  }

  /** Storage holds the snapshot at `index`. */
  stableSnapshotTo(index: LogIndex): void {
    if (this.snapshot?.index !== index) return;
    this.snapshot = null;
    this.snapshotInProgress = false;
  }

  /** Replaces everything by a snapshot. */
  restore(snapshot: Snapshot): void {
    this.offset = snapshot.index + 1;
    this.offsetInProgress = this.offset;
    this.#entries = [];
    this.snapshot = snapshot;
    this.snapshotInProgress = false;
  }

  /** Adds entries, replacing any at the same or higher indexes. They must not leave a gap. */
  truncateAndAppend(entries: readonly Entry[]): void {
    const from = entries[0]?.index;
    if (from === undefined) return;
    const end = this.offset + this.#entries.length;
    assert(from <= end, () => `entries from ${from} leave a gap after ${end - 1}`);
    if (from <= this.offset) {
      this.offset = from;
      this.offsetInProgress = from;
      this.#entries = [...entries];
      return;
    }
    if (from < end) {
      this.#entries.length = from - this.offset;
      // What was handed out beyond here must be handed out again in its new form.
      this.offsetInProgress = Math.min(this.offsetInProgress, from);
    }
    for (const entry of entries) this.#entries.push(entry);
  }

  /** Entries in [`low`, `high`), which must be here. */
  slice(low: LogIndex, high: LogIndex): readonly Entry[] {
    assert(
      low >= this.offset && low <= high && high <= this.offset + this.#entries.length,
      () => `[${low}, ${high}) is not in the unstable log, which starts at ${this.offset}`,
    );
    return this.#entries.slice(low - this.offset, high - this.offset);
  }
}
