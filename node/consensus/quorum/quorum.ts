/**
 * Who can commit now, as far as this node knows: the members, who of them was heard of lately, who leads, and so whether a
 * write or a fresh read has a chance. It decides nothing about consensus; it only refuses early what would not be answered.
 *
 * Early means: within a second when too many voters are known to be lost (losses.ts), so that no majority can be made of
 * the rest. While they are merely silent a request waits, for they may only be slow.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import { nobody, type RawNode } from '../../raft/index.ts';
import type { ClusterStatus, QuorumOutlook } from '../../state/types.ts';
import type { LogStore } from '../../store/index.ts';
import type { RaftLoopOptions } from '../replica/options.ts';
import type { Replica } from '../replica/replica.ts';
import type { RaftTransport } from '../transport/transport.ts';
import { Heard } from './heard.ts';
import { type Loss, Losses } from './losses.ts';

const markTickCameLate = coverageMark('tick-came-late', 'a process stood still for a while');

/** One member as the leader sees it. */
export interface MemberHealth {
  readonly raftId: RaftId;
  readonly isVoter: boolean;
  /** Since anything was heard of it; Infinity: never. 0 for the leader itself. Unit: milliseconds. */
  readonly silentMs: number;
  /** Entries that it is not known to have; Infinity: it is not known to have any state yet. */
  readonly lagEntries: number;
}

/** Who can commit a write, as far as this node knows. */
export type Route = { readonly kind: 'here' } | { readonly kind: 'leader'; readonly raftId: RaftId };

interface QuorumDeps {
  readonly clock: Clock;
  readonly options: RaftLoopOptions;
  readonly store: LogStore;
  readonly replica: Replica;
  readonly transport: Pick<RaftTransport, 'presence'>;
  /** The core; undefined while the log is quarantined and no peer has told its term. */
  readonly core: () => RawNode | undefined;
  /** What people call a member. */
  readonly nameOf: (member: RaftId) => string;
  /** Whether a quorum is lost may be seen otherwise now. */
  readonly changed: () => void;
  /** The transport's answer could not be had: a fault of the code. */
  readonly failed: (error: unknown) => void;
}

/** How long a leader's word that it has no quorum keeps this node asking. Unit: milliseconds. */
const suspectMs = 2000;

const lossTexts: Readonly<Record<Loss, string>> = {
  'refuses-connections': 'refuses connections',
  'no-answer': 'cannot be reached',
};

/** This node's outlook on the group. It learns by `heard`, `refused` and `tick`, which the loop calls. */
export class Quorum {
  readonly #deps: QuorumDeps;
  readonly #raftId: RaftId;
  readonly #heard: Heard;
  /** Of messages of the group's own, which greetings are not. */
  readonly #spoken: Heard;
  readonly #losses: Losses;
  #lastTickMs: number;
  /** How long nobody is known who could commit, as far as this process was running. Unit: milliseconds. */
  #routelessMs = 0;
  #suspectedUntilMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;

  constructor(deps: QuorumDeps) {
    this.#deps = deps;
    this.#raftId = deps.store.identity.raftId;
    this.#heard = new Heard(this.#raftId);
    this.#spoken = new Heard(this.#raftId);
    this.#losses = new Losses({ ...deps, silentMs: (member) => this.#heard.silentMs(member) });
    this.#lastTickMs = deps.clock.monotonicMs();
  }

  /** Something has come from a peer. */
  heard(peer: RaftId): void {
    this.#heard.note(peer);
    this.#losses.heard(peer);
  }

  /** A peer has said something as a member of the group to another: a greeting alone is answered to anybody. */
  spoke(peer: RaftId): void {
    this.#spoken.note(peer);
  }

  /**
   * Since who leads has last said something as a leader, ms: it does to all members, several times a second, and to nobody else.
   * 0 where this node leads; Infinity: never, or nobody is known to lead.
   */
  get leaderSilentMs(): number {
    return this.#spoken.silentMs(this.#deps.core()?.raft.leader ?? nobody);
  }

  /** Whether a member is known to be lost, and not merely silent. */
  isLost(member: RaftId): boolean {
    return member !== this.#raftId && this.#losses.of(member) !== undefined;
  }

  /** Who leads says that it has no quorum: the voters are asked for, as if this node knew no leader. */
  suspectRoute(): void {
    this.#suspectedUntilMs = this.#deps.clock.monotonicMs() + suspectMs;
    this.#ask();
  }

  /** A peer's host has refused a connection: its process has ended. */
  refused(peer: RaftId): void {
    this.#losses.refused(peer);
  }

  /** Time has passed. Call once a tick. */
  tick(): void {
    const tickMsMax = 2 * this.#deps.options.tickMs;
    const nowMs = this.#deps.clock.monotonicMs();
    // A late tick means that this process stood still; that is no silence of others.
    if (nowMs - this.#lastTickMs > tickMsMax) markTickCameLate();
    const ranMs = Math.min(nowMs - this.#lastTickMs, tickMsMax);
    this.#heard.advance(ranMs);
    this.#spoken.advance(ranMs);
    this.#lastTickMs = nowMs;
    this.#routelessMs = this.route() === undefined ? this.#routelessMs + ranMs : 0;
    // Asked before a route is given up, so that the answers are there when they are needed.
    if (!this.#isRouteSure() || nowMs < this.#suspectedUntilMs) this.#ask();
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
  status(): ClusterStatus {
    const { options, replica, store } = this.#deps;
    const raft = this.#deps.core()?.raft;
    const route = this.route();
    const { voters, votersOutgoing, learners, learnersNext } = replica.confState;
    return {
      hasQuorum: route !== undefined,
      quorum: this.outlook,
      leaderRaftId: raft?.leader ?? nobody,
      term: raft?.term ?? store.plannedHardState.term,
      commitIndex: this.commitIndex,
      appliedIndex: replica.appliedIndex,
      voters: [...new Set([...voters, ...votersOutgoing])],
      isJoint: votersOutgoing.length > 0,
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

  /** Whether a request that needs a quorum is answered, should wait, or is refused. */
  get outlook(): QuorumOutlook {
    if (this.route() !== undefined) return 'answers';
    return this.#isClosed || this.isLossKnown || this.#routelessMs > this.#deps.options.patienceMs ? 'lost' : 'awaited';
  }

  /** Whether so many voters are known to be lost that no majority can be made of the rest. */
  get isLossKnown(): boolean {
    const { voters, votersOutgoing } = this.#deps.replica.confState;
    const isShort = (ids: readonly RaftId[]): boolean => {
      const left = ids.filter((id) => id === this.#raftId || this.#losses.of(id) === undefined);
      return ids.length > 0 && left.length <= ids.length / 2;
    };
    return isShort(voters) || isShort(votersOutgoing);
  }

  /** The refusal of a write or a fresh read for want of a quorum: it names who is lost, or who was waited for. */
  refusal(): ShoalError {
    const { missingVoters, leaderRaftId } = this.status();
    const { quarantine } = this.#deps.store;
    return new ShoalError('NO_QUORUM', this.#refusalText(leaderRaftId, missingVoters), {
      facts: { missingVoters, leaderRaftId, ...(quarantine === undefined ? {} : { quarantine: quarantine.detail }) },
    });
  }

  #refusalText(leader: RaftId, missing: readonly RaftId[]): string {
    const { nameOf } = this.#deps;
    if (this.isLossKnown) {
      const lost = this.#voters().flatMap((id) => {
        const loss = this.#losses.of(id);
        return loss === undefined || id === this.#raftId ? [] : [`${nameOf(id)} ${lossTexts[loss]}`];
      });
      return `Too few voters are left to commit a write: ${lost.sort().join(', ')}.`;
    }
    const names = missing
      .filter((id) => id !== this.#raftId)
      .map(nameOf)
      .sort();
    const wait = names.length === 1 ? 'does not answer' : 'do not answer';
    if (leader === this.#raftId) {
      return names.length === 0
        ? 'The other voters do not confirm writes in time.'
        : `${names.join(', ')} ${wait} the leader ${nameOf(leader)} in time.`;
    }
    if (leader !== nobody) return `The leader ${nameOf(leader)} does not answer in time.`;
    return names.length === 0
      ? 'No leader was elected in time.'
      : `No leader was elected in time: ${names.join(', ')} ${wait}.`;
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
      // However short the log is: who has nothing of it would vote without the state of the mesh.
      lagEntries: member.match === 0 ? Number.POSITIVE_INFINITY : Math.max(0, status.lastIndex - member.match),
    }));
  }

  /** Leader: the live voter that lacks the least, to lead next; undefined on others, and when there is none. */
  successor(): RaftId | undefined {
    const candidates = this.members().filter(
      (member) => member.isVoter && member.raftId !== this.#raftId && this.#isAlive(member.raftId),
    );
    let [best] = candidates;
    for (const candidate of candidates)
      if (best !== undefined && candidate.lagEntries < best.lagEntries) best = candidate;
    return best?.raftId;
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

  #ask(): void {
    this.#losses.ask(this.#voters().filter((id) => id !== this.#raftId));
  }

  #voters(): readonly RaftId[] {
    const { voters, votersOutgoing } = this.#deps.replica.confState;
    return [...new Set([...voters, ...votersOutgoing])];
  }

  /** Whether who can commit was heard of so lately that nobody need be asked for. */
  #isRouteSure(): boolean {
    const route = this.route();
    const { askAfterMs } = this.#deps.options;
    if (route === undefined) return false;
    if (route.kind === 'leader') return this.#heard.silentMs(route.raftId) < askAfterMs;
    const { voters, votersOutgoing } = this.#deps.replica.confState;
    return [voters, votersOutgoing].every((ids) => ids.length === 0 || this.#heard.isMajorityHeard(ids, askAfterMs));
  }
}
