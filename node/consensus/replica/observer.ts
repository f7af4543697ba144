/** What one member of the Raft group reports while it runs: for metrics, and for the checkers of the simulator. */
import type { RaftId } from '../../base/ids.ts';
import type { ConfState, Entry, Role, Term } from '../../raft/index.ts';
import type { DigestValue } from '../../state/digest.ts';
import type { StateEvent, StateReader, TransactionOutcome } from '../../state/types.ts';
import type { QuarantineReason, SnapshotPlace } from '../../store/index.ts';

/** One committed entry, applied to the state of this member in memory. */
interface ObservedEntry {
  readonly entry: Entry;
  /** Undefined: the entry holds no command. */
  readonly outcome: TransactionOutcome | undefined;
  /** The command's token was known: nothing was changed, and the outcome is that of the first. */
  readonly isReplay: boolean;
  /** What watchers are told. */
  readonly events: readonly StateEvent[];
  /** Of the state after the entry. */
  readonly digest: DigestValue;
  /** The members after the entry. */
  readonly confState: ConfState;
  /** The term that this member plans to have on disk. */
  readonly plannedTerm: Term;
}

/**
 * Each method is called where the thing happens, before peers, callers or watchers are told of it; all of them are
 * optional. An observer only looks: what it throws ends the loop like a fault of the loop itself.
 */
export interface RaftObserver {
  /** An entry was applied, and given to the store. */
  applied?(observed: ObservedEntry): void;
  /** A snapshot from the leader has replaced the state, and is on disk. Watchers hear of it in the same turn. */
  installed?(place: SnapshotPlace, state: StateReader): void;
  /** The role of this member, the leader that it knows (0: none), or both have changed. */
  role?(now: { readonly role: Role; readonly leader: RaftId; readonly term: Term }): void;
  /** A start found the log damaged. What was found, for people. */
  damaged?(findings: readonly string[]): void;
  /** The log, or the state with reason `state-diverged`, is not what it was: this member does not vote from here on. */
  quarantined?(found: { readonly reason: QuarantineReason; readonly detail: string }): void;
  /** The log holds again all that was committed: this member votes. */
  repaired?(): void;
  /** This host, no member any more, begins to let go of log and state; called again once they are gone. */
  shedding?(): void;
  /** Entries up to `index` are about to be dropped from the log. */
  compacting?(index: number): void;
  /** A change of the members was applied. */
  membersChanged?(confState: ConfState): void;
  /** A listener of a watch threw; the other listeners are called all the same. */
  watcherThrew?(error: unknown): void;
}
