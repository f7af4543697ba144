import type { ConfState, Entry, HardState, LogIndex, Snapshot, Term } from '../messages/messages.ts';

/**
 * Why a read of the log has no answer.
 *
 * - `compacted`: a snapshot has replaced it.
 * - `unavailable`: it is behind the end of the log.
 * - `temporarily-unavailable`: it is there, but not in memory now; the storage fetches it meanwhile. Only allowed for
 *   entries that are applied already: those not yet applied must always be at hand. The leader tries again when it next
 *   hears from the follower that needs them.
 */
export type LogRefusal = 'compacted' | 'unavailable' | 'temporarily-unavailable';

/**
 * The log as it is on disk, as far as the core reads it. The core never writes: what is to be stored leaves in `Ready`,
 * and the owner of the storage applies it. All calls are synchronous and cheap; keep what they need in memory.
 */
export interface Storage {
  /** What the last run left: the hard state, and the membership as of the snapshot or the applied index. */
  initialState(): { readonly hardState: HardState; readonly confState: ConfState };
  /**
   * Entries in [`low`, `high`), the longest prefix within `bytesMax` but at least one. `low` < `high` <= last index + 1.
   * The result is not changed by anybody.
   */
  entries(low: LogIndex, high: LogIndex, bytesMax: number): readonly Entry[] | LogRefusal;
  /** The term of the entry at `index`, which is in [firstIndex - 1, lastIndex]. The entry before the first is known too. */
  term(index: LogIndex): Term | LogRefusal;
  /** The index of the last entry, or of the snapshot when there is none. */
  lastIndex(): LogIndex;
  /** The index of the first entry that could be read; older ones are in the snapshot. */
  firstIndex(): LogIndex;
  /**
   * The newest snapshot, for a follower that is too far behind. When that is older than `atLeast` (which is applied), a
   * newer one has to be made: at once, or later, and meanwhile the answer is "not now" and the leader tries again.
   */
  snapshot(atLeast: LogIndex): Snapshot | 'temporarily-unavailable';
}
