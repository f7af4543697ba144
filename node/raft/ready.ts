/**
 * What the core wants done. The order is the whole point, and types cannot express it (raw-node.ts says it for the
 * asynchronous mode):
 *
 *  1. Write `hardState`, `entries` and `snapshot` to disk, `entries` replacing what is there from their first index on.
 *     When `mustSync` or with a snapshot, the write has to be on the platter, not in a cache, before step 2.
 *  2. Send `messages`.
 *  3. Restore the state machine from `snapshot`; apply `committedEntries` in order; for conf changes call
 *     `applyConfChange`, even to say that one is void.
 *  4. Call `advance`.
 *
 * Steps 2 and 3 may be swapped. The leader alone may send its append messages while it writes.
 */
import type { RaftId } from '../base/ids.ts';
import type { Entry, HardState, Message, Snapshot } from './messages/messages.ts';
import type { ReadState } from './read-index.ts';

/** `preCandidate` asks whether it could win; `candidate` has raised the term and asks for votes. */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What others want to know at once and what need not survive a restart. */
export interface SoftState {
  /** 0: none known. */
  readonly leader: RaftId;
  readonly role: Role;
}

/** One piece of work, as `RawNode.ready` hands it out: to be done whole, and once. Nobody changes what is in it. */
export interface Ready {
  /** Only when it changed. */
  readonly softState: SoftState | undefined;
  /** Only when it changed. */
  readonly hardState: HardState | undefined;
  /** Reads that may go on once their index is applied. A node that loses leadership forgets reads that wait. */
  readonly readStates: readonly ReadState[];
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly committedEntries: readonly Entry[];
  readonly messages: readonly Message[];
  /** Whether step 1 must be synced even without a snapshot: entries came, or term or vote changed. A commit index alone may be lost. */
  readonly mustSync: boolean;
}
