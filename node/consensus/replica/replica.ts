/**
 * What the entries applied so far amount to on this node: the state, the members, and the place in the log. It may be ahead
 * of the disk, where what is applied rides on the next batch; a start then applies the same entries again.
 */

import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import {
  type ConfState,
  decodeConfChangeV1,
  decodeConfChangeV2,
  type Entry,
  emptyConfState,
  type RawNode,
  type Term,
} from '../../raft/index.ts';
import type { Command } from '../../state/command.ts';
import type { DigestValue } from '../../state/digest.ts';
import { RecentDigests } from '../../state/recent-digests.ts';
import type { StateRow } from '../../state/rows.ts';
import type { Applied, StateMachine, StateView } from '../../state/state-machine.ts';
import type { StateEvent, StateReader, TransactionOutcome } from '../../state/types.ts';
import type { LogStore, OpenedLog, SnapshotPlace } from '../../store/index.ts';
import type { RaftObserver } from './observer.ts';

const markMembershipIsJoint = coverageMark(
  'membership-is-joint',
  'a change of several members passes through a joint membership',
);
const failpointMembersChangedNotStored = failpoint(
  'members.changed-not-stored',
  'a change of members is applied in memory',
);

/** What applying one entry did. */
interface AppliedEntry {
  /** For its proposer; `replaced`: nothing was done, whatever was proposed at this index. */
  readonly outcome: TransactionOutcome | 'replaced';
  /** For watchers. */
  readonly events: readonly StateEvent[];
}

interface ReplicaDeps {
  /** A change of members was applied in memory, and is not noted in the store yet. */
  readonly membersChanged: (confState: ConfState) => void;
  readonly observer?: RaftObserver;
}

/** The state machine with its place in the log and its membership, opened from what the log store found on disk. */
export class Replica {
  readonly #store: LogStore;
  readonly #machine: StateMachine;
  readonly #decode: (data: Uint8Array, index: number) => Command;
  readonly #deps: ReplicaDeps;
  #digests = new RecentDigests();
  readonly #startIndex: number;
  #appliedTerm: Term;
  #confState: ConfState;

  /** @param decode reads the command of the entry at an index. */
  constructor(log: OpenedLog, decode: (data: Uint8Array, index: number) => Command, deps: ReplicaDeps) {
    this.#store = log.store;
    this.#machine = log.machine;
    this.#decode = decode;
    this.#deps = deps;
    this.#appliedTerm = log.store.applied.term;
    this.#confState = log.store.applied.confState;
    this.#startIndex = this.#machine.appliedIndex;
    for (const { revision, digest } of log.digests) this.#digests.note(revision, digest);
    if (this.#machine.appliedIndex > 0) this.#digests.note(this.#machine.appliedIndex, this.#machine.digest);
  }

  get reader(): StateReader {
    return this.#machine;
  }

  /** The last entry of the state that was read from disk; later ones were applied since. 0: there was none. */
  get startIndex(): number {
    return this.#startIndex;
  }

  /** The last entry applied; 0: none. */
  get appliedIndex(): number {
    return this.#machine.appliedIndex;
  }

  /** The term of that entry. */
  get appliedTerm(): Term {
    return this.#appliedTerm;
  }

  /** The members as of that entry. */
  get confState(): ConfState {
    return this.#confState;
  }

  /** The digest of the state at a recent revision; undefined: not known any more. */
  digestAt(revision: number): DigestValue | undefined {
    return revision === this.#machine.appliedIndex ? this.#machine.digest : this.#digests.at(revision);
  }

  /** Whether nobody but `member` votes. */
  isOnlyVoter(member: RaftId): boolean {
    const { voters, votersOutgoing } = this.#confState;
    return voters.length === 1 && voters[0] === member && votersOutgoing.length === 0;
  }

  /** Applies a committed entry and notes it in the store. Undefined when it had been applied before. */
  apply(core: RawNode, entry: Entry): AppliedEntry | undefined {
    const { index, term } = entry;
    if (index <= this.#machine.appliedIndex) return undefined;
    this.#appliedTerm = term;
    if (entry.type === 'normal' && entry.data.length > 0) {
      const applied = this.#machine.apply(index, this.#decode(entry.data, index));
      this.#note(applied.rows, entry);
      if (this.#deps.observer !== undefined) this.#observe(this.#deps.observer, entry, applied);
      return { outcome: applied.outcome, events: applied.events };
    }
    this.#machine.skip(index);
    if (entry.type !== 'normal') this.#applyMembers(core, entry);
    this.#note([], entry);
    if (this.#deps.observer !== undefined) this.#observe(this.#deps.observer, entry, undefined);
    // The core puts an empty entry in the place of a change of members that it refuses.
    const outcome = entry.type === 'normal' ? 'replaced' : { revision: index, succeeded: true, counters: [] };
    return { outcome, events: [] };
  }

  /** The state as it is now and its place, for a snapshot. */
  view(): { readonly place: SnapshotPlace; readonly view: StateView } {
    return {
      place: { index: this.#machine.appliedIndex, term: this.#appliedTerm, confState: this.#confState },
      view: this.#machine.view(),
    };
  }

  /** Becomes what a snapshot holds, which must be on disk by then. Returns the difference. */
  replaceWith(machine: StateMachine, place: SnapshotPlace): readonly StateEvent[] {
    const events = this.#machine.replaceWith(machine);
    this.#appliedTerm = place.term;
    this.#confState = place.confState;
    this.#digests.note(place.index, this.#machine.digest);
    return events;
  }

  /** Has nothing any more: neither rows nor members. What is on disk is the caller's to take away. */
  empty(): void {
    this.#machine.empty();
    this.#digests = new RecentDigests();
    this.#appliedTerm = 0;
    this.#confState = emptyConfState;
  }

  #note(rows: readonly StateRow[], { index, term }: Entry): void {
    const { digest } = this.#machine;
    this.#digests.note(index, digest);
    this.#store.apply({ rows, index, term, confState: this.#confState, digest });
  }

  #observe(observer: RaftObserver, entry: Entry, applied: Applied | undefined): void {
    observer.applied?.({
      entry,
      outcome: applied?.outcome,
      isReplay: applied?.isReplay ?? false,
      events: applied?.events ?? [],
      digest: this.#machine.digest,
      confState: this.#confState,
      plannedTerm: this.#store.plannedHardState.term,
    });
  }

  #applyMembers(core: RawNode, entry: Entry): void {
    const change = entry.type === 'confChange' ? decodeConfChangeV1(entry.data) : decodeConfChangeV2(entry.data);
    if (change === undefined) {
      throw new ShoalError('LOG_CORRUPT', `The change of members at ${entry.index} cannot be decoded.`);
    }
    this.#confState = core.applyConfChange(change);
    if (this.#confState.votersOutgoing.length > 0) markMembershipIsJoint();
    failpointMembersChangedNotStored();
    this.#deps.membersChanged(this.#confState);
  }
}
