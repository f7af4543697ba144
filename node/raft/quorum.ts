/**
 * Majorities, and two of them at once (Raft thesis, section 4.3): while a configuration is joint, nothing commits and
 * nobody is elected unless a majority of the old *and* of the new voters agree.
 */
import type { RaftId } from '../base/ids.ts';
import type { LogIndex } from './messages/messages.ts';

/** `pending`: those who have not answered can still turn it either way. */
export type VoteResult = 'won' | 'lost' | 'pending';

/** A set of voters of which more than half decide. Immutable. */
export class MajorityQuorum {
  /** Ascending, without repeats. */
  readonly ids: readonly RaftId[];
  readonly #members: ReadonlySet<RaftId>;
  /** Reused by `committedIndex`, which runs for every acknowledgement. */
  readonly #scratch: number[];

  constructor(ids: Iterable<RaftId>) {
    this.#members = new Set(ids);
    this.ids = [...this.#members].sort((a, b) => a - b);
    this.#scratch = new Array<number>(this.ids.length).fill(0);
  }

  get size(): number {
    return this.ids.length;
  }

  has(id: RaftId): boolean {
    return this.#members.has(id);
  }

  /**
   * The highest index that a majority has. `acked` gives each voter's index, 0 when it is not known. Infinity for an
   * empty set, so that it never holds back the other half of a joint quorum.
   */
  committedIndex(acked: (id: RaftId) => LogIndex): LogIndex {
    const count = this.ids.length;
    if (count === 0) return Number.POSITIVE_INFINITY;
    const sorted = this.#scratch;
    // Insertion sort, ascending: there are one to seven voters, and nothing is allocated.
    for (let i = 0; i < count; i++) {
      const value = acked(this.ids[i] as RaftId);
      let at = i;
      while (at > 0 && (sorted[at - 1] as number) > value) {
        sorted[at] = sorted[at - 1] as number;
        at--;
      }
      sorted[at] = value;
    }
    return sorted[count - (Math.floor(count / 2) + 1)] as number;
  }

  /** The outcome so far. An empty set has won, for the same reason as above. */
  voteResult(votes: ReadonlyMap<RaftId, boolean>): VoteResult {
    const count = this.ids.length;
    if (count === 0) return 'won';
    let yes = 0;
    let missing = 0;
    for (const id of this.ids) {
      const vote = votes.get(id);
      if (vote === undefined) missing++;
      else if (vote) yes++;
    }
    const needed = Math.floor(count / 2) + 1;
    if (yes >= needed) return 'won';
    return yes + missing >= needed ? 'pending' : 'lost';
  }
}

/** Two majorities that must both agree; with an empty `outgoing` it is just `incoming`. Immutable. */
export class JointQuorum {
  readonly incoming: MajorityQuorum;
  readonly outgoing: MajorityQuorum;
  /** The voters of either half. Ascending. */
  readonly ids: readonly RaftId[];

  constructor(incoming: MajorityQuorum, outgoing: MajorityQuorum) {
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.ids = outgoing.size === 0 ? incoming.ids : new MajorityQuorum([...incoming.ids, ...outgoing.ids]).ids;
  }

  has(id: RaftId): boolean {
    return this.incoming.has(id) || this.outgoing.has(id);
  }

  committedIndex(acked: (id: RaftId) => LogIndex): LogIndex {
    return Math.min(this.incoming.committedIndex(acked), this.outgoing.committedIndex(acked));
  }

  voteResult(votes: ReadonlyMap<RaftId, boolean>): VoteResult {
    const incoming = this.incoming.voteResult(votes);
    const outgoing = this.outgoing.voteResult(votes);
    if (incoming === outgoing) return incoming;
    return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
  }
}
