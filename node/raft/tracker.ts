import type { RaftId } from '../base/ids.ts';
import { emptyMembership, type Membership, type ProgressMap } from './membership.ts';
import type { LogIndex } from './messages/messages.ts';
import type { Progress } from './progress.ts';
import type { VoteResult } from './quorum.ts';

/** The members, what is known of each, and the votes of the election under way. */
export class Tracker {
  membership: Membership = emptyMembership;
  /** Of every voter and learner, ascending by id. */
  progress: ProgressMap = new Map();
  readonly #votes = new Map<RaftId, boolean>();
  readonly #matchOf = (id: RaftId): LogIndex => this.progress.get(id)?.match ?? 0;

  get(id: RaftId): Progress | undefined {
    return this.progress.get(id);
  }

  /** The highest index that a quorum holds, as far as the leader knows. Infinity without voters. */
  committedIndex(): LogIndex {
    return this.membership.voters.committedIndex(this.#matchOf);
  }

  /** Whether `id` alone decides everything. */
  isOnlyVoter(id: RaftId): boolean {
    const { incoming, outgoing } = this.membership.voters;
    return outgoing.size === 0 && incoming.size === 1 && incoming.has(id);
  }

  /** Whether a quorum was heard from since the last check. */
  isQuorumActive(): boolean {
    const heard = new Map<RaftId, boolean>();
    for (const [id, progress] of this.progress) if (!progress.isLearner) heard.set(id, progress.recentActive);
    return this.membership.voters.voteResult(heard) === 'won';
  }

  /** Forgets the last election's votes. */
  resetVotes(): void {
    this.#votes.clear();
  }

  /** Counts a vote; only the first of each voter counts. */
  recordVote(id: RaftId, granted: boolean): void {
    if (!this.#votes.has(id)) this.#votes.set(id, granted);
  }

  /** Whether `id` has voted yes. */
  hasVoteOf(id: RaftId): boolean {
    return this.#votes.get(id) === true;
  }

  /** The election so far: votes for and against by voters, and what they amount to. */
  tally(): { granted: number; rejected: number; result: VoteResult } {
    let granted = 0;
    let rejected = 0;
    for (const [id, progress] of this.progress) {
      const vote = this.#votes.get(id);
      if (progress.isLearner || vote === undefined) continue;
      if (vote) granted++;
      else rejected++;
    }
    return { granted, rejected, result: this.membership.voters.voteResult(this.#votes) };
  }
}
