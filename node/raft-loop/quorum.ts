/**
 * Who can commit now, as far as this node knows: the members, who of them was heard of lately, who leads, and so whether a
 * write or a fresh read has a chance. It decides nothing about consensus; it only refuses early what would not be answered.
 */
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { RaftId } from '../base/ids.ts';
import { reached } from '../base/maybe.ts';
import { nobody, type RawNode } from '../raft/index.ts';
import type { StateStanding } from '../state/types.ts';
import type { LogStore } from '../store/index.ts';
import { Heard } from './heard.ts';
import type { RaftLoopOptions } from './options.ts';
import type { Replica } from './replica.ts';

/** One member as the leader sees it. */
export interface MemberHealth {
  readonly raftId: RaftId;
  readonly isVoter: boolean;
  /** Since anything was heard of it; Infinity: never. 0 for the leader itself. Unit: milliseconds. */
  readonly silentMs: number;
  /** Entries that it is known to lack. */
  readonly lagEntries: number;
}

/** Who can commit a write, as far as this node knows. */
export type Route = { readonly kind: 'here' } | { readonly kind: 'leader'; readonly raftId: RaftId };

export interface QuorumDeps {
  readonly clock: Clock;
  readonly options: RaftLoopOptions;
  readonly store: LogStore;
  readonly replica: Replica;
  /** The core; undefined while the log is in doubt and no peer has told its term. */
  readonly core: () => RawNode | undefined;
}

export class Quorum {
  readonly #deps: QuorumDeps;
  readonly #raftId: RaftId;
  readonly #heard: Heard;
  #lastTickMs: number;
  /** Ticks in a row without anybody who could commit. */
  #routelessTicks = 0;
  #isClosed = false;

  constructor(deps: QuorumDeps) {
    this.#deps = deps;
    this.#raftId = deps.store.identity.raftId;
    this.#heard = new Heard(this.#raftId);
    this.#lastTickMs = deps.clock.monotonicMs();
  }

  /** Something has come from a peer. */
  heard(peer: RaftId): void {
    this.#heard.note(peer);
  }

  /** Time has passed. Call once a tick. */
  tick(): void {
    const tickMsMax = 2 * this.#deps.options.tickMs;
    const nowMs = this.#deps.clock.monotonicMs();
    // A late tick means that this process stood still; that is no silence of others.
    if (nowMs - this.#lastTickMs > tickMsMax) reached('tick-came-late');
    this.#heard.advance(Math.min(nowMs - this.#lastTickMs, tickMsMax));
    this.#lastTickMs = nowMs;
    this.#routelessTicks = this.route() === undefined ? this.#routelessTicks + 1 : 0;
  }

  /** The loop has ended: from now on there is no route. */
  close(): void {
    this.#isClosed = true;
  }

  get isLeader(): boolean {
    return this.#deps.core()?.raft.role === 'leader';
  }

  /** The last entry known committed. */
  get commitIndex(): number {
    return this.#deps.core()?.raft.log.committed ?? this.#deps.replica.appliedIndex;
  }

  /** What there is to tell about all this. */
  standing(): StateStanding {
    const { options, replica, store } = this.#deps;
    const raft = this.#deps.core()?.raft;
    const route = this.route();
    const { voters, votersOutgoing, learners, learnersNext } = replica.confState;
    return {
      hasQuorum: route !== undefined,
      leaderRaftId: raft?.leader ?? nobody,
      term: raft?.term ?? store.plannedHardState.term,
      commitIndex: this.commitIndex,
      appliedIndex: replica.appliedIndex,
      voters: [...new Set([...voters, ...votersOutgoing])],
      learners: [...new Set([...learners, ...learnersNext])],
      missingVoters:
        route?.kind === 'leader' ? [] : this.#heard.missing([...voters, ...votersOutgoing], options.silenceMs),
    };
  }

  /** Who can commit now; undefined when no leader with a quorum is known. */
  route(): Route | undefined {
    const raft = this.#deps.core()?.raft;
    if (raft === undefined || this.#isClosed) return undefined;
    if (raft.role === 'leader') {
      const { voters, votersOutgoing } = this.#deps.replica.confState;
      const { silenceMs } = this.#deps.options;
      const isHeard = (ids: readonly RaftId[]): boolean => this.#heard.isMajorityHeard(ids, silenceMs);
      return isHeard(voters) && (votersOutgoing.length === 0 || isHeard(votersOutgoing)) ? { kind: 'here' } : undefined;
    }
    if (raft.leader === nobody || !this.#isAlive(raft.leader)) return undefined;
    return { kind: 'leader', raftId: raft.leader };
  }

  /**
   * How long a request that needs a quorum should wait for one now. In an outage that has lasted longer than an election
   * takes, waiting again with each request would only make refusals slow. Unit: milliseconds.
   */
  get patienceMs(): number {
    const { patienceMs, tickMs, electionTicks } = this.#deps.options;
    return this.#routelessTicks > 2 * electionTicks + patienceMs / tickMs ? Math.min(patienceMs, tickMs) : patienceMs;
  }

  /** The refusal of a write or a fresh read for want of a quorum: it names who is missing. */
  refusal(): ShoalError {
    const { missingVoters, leaderRaftId } = this.standing();
    const { doubt } = this.#deps.store;
    const missing = missingVoters.length === 0 ? '' : ` Not answering: ${missingVoters.join(', ')}.`;
    return new ShoalError('NO_QUORUM', `Too few voters answer to commit a write.${missing}`, {
      facts: { missingVoters, leaderRaftId, ...(doubt === undefined ? {} : { doubt: doubt.detail }) },
    });
  }

  /** The members that this node has business with, but for itself. */
  peers(): readonly RaftId[] {
    const { voters, votersOutgoing, learners } = this.#deps.replica.confState;
    // Voters first: theirs are the answers that matter; a follower has no business with learners.
    const ids = this.isLeader ? [...voters, ...votersOutgoing, ...learners] : [...voters, ...votersOutgoing];
    return [...new Set(ids)].filter((id) => id !== this.#raftId);
  }

  /** What the leader knows of the members; empty on others. */
  members(): readonly MemberHealth[] {
    const core = this.#deps.core();
    if (core === undefined || !this.isLeader) return [];
    const status = core.status();
    return status.members.map((member) => ({
      raftId: member.id,
      isVoter: !member.isLearner,
      silentMs: this.#heard.silentMs(member.id),
      lagEntries: Math.max(0, status.lastIndex - member.match),
    }));
  }

  /** Leader: the live voter that lacks the least, to lead next; undefined on others, and when there is none. */
  successor(): RaftId | undefined {
    const candidates = this.members().filter(
      (member) => member.isVoter && member.raftId !== this.#raftId && this.#isAlive(member.raftId),
    );
    return candidates.sort((a, b) => a.lagEntries - b.lagEntries)[0]?.raftId;
  }

  /** Leader: the last entry that no live follower lacks. Infinity on others: nobody counts on their logs. */
  neededIndex(): number {
    let index = Number.POSITIVE_INFINITY;
    if (!this.isLeader) return index;
    for (const member of this.#deps.core()?.status().members ?? []) {
      if (this.#isAlive(member.id) && member.state !== 'snapshot') index = Math.min(index, member.match);
    }
    return index;
  }

  /** Whether the member was heard of lately, or is this node itself. */
  #isAlive(member: RaftId): boolean {
    return this.#heard.silentMs(member) <= this.#deps.options.silenceMs;
  }
}
