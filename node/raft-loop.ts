/**
 * The only code that turns what the consensus core wants into effects. In this order, and the order is the whole point:
 *
 *  1. append and sync   entries and hard state go to the log store; many at once share one sync (group commit)
 *  2. send              what speaks of them (acknowledgements, votes) leaves only when that sync has returned; the
 *                       leader's own appends to others leave at once, in parallel with its own disk
 *  3. apply             committed entries go to the state, in order, each once
 *  4. acknowledge       the proposer is answered, readers and watchers see it
 *
 * Everything happens in turns: messages, proposals and reads that came since the last turn are given to the core together,
 * and what it then wants is done. So the more there is to do, the larger the batches.
 *
 * A failure of the disk, a broken invariant, or a command that this version does not understand ends the loop: `onFatal`
 * is called, and the process must stop. Nothing is retried on a disk that has failed.
 */

import { assert, must } from './base/assert.ts';
import type { Clock, Timer } from './base/clock.ts';
import { ShoalError } from './base/errors.ts';
import type { RaftId } from './base/ids.ts';
import type { Service } from './base/lifecycle.ts';
import type { Logger } from './base/logger.ts';
import { failpoint, maybe, reached } from './base/maybe.ts';
import type { Prng } from './base/prng.ts';
import {
  appendThread,
  applyThread,
  type ConfChangeSingle,
  type ConfState,
  decodeConfChangeV1,
  decodeConfChangeV2,
  type Entry,
  type HardState,
  type Message,
  noBytes,
  nobody,
  RawNode,
  type Snapshot,
} from './raft/index.ts';
import { Heard } from './raft-loop/heard.ts';
import { HeldCommits } from './raft-loop/held-commits.ts';
import { checkRaftLoopOptions, type RaftLoopOptions } from './raft-loop/options.ts';
import { Proposals } from './raft-loop/proposals.ts';
import { Reads } from './raft-loop/reads.ts';
import { type FetchedSnapshot, SnapshotFetch } from './raft-loop/snapshot-fetch.ts';
import { SnapshotShelf } from './raft-loop/snapshot-shelf.ts';
import { Succession } from './raft-loop/succession.ts';
import { type OwnLog, Trust } from './raft-loop/trust.ts';
import { AppliedWaiters, ChangeWaiters } from './raft-loop/waiters.ts';
import type { Hello, PeerMessage, RaftHandlers, RaftTransport } from './raft-transport.ts';
import { isHello } from './raft-transport.ts';
import { type Command, decodeCommand, encodeCommand } from './state/command.ts';
import type { StateMachine } from './state/state-machine.ts';
import type { StateReader, StateStanding, TransactionOutcome } from './state/types.ts';
import { WatchHub } from './state/watch.ts';
import type { Doubt, LogStore, OpenedLog, PeerMemory } from './store/index.ts';

/** Messages from peers that wait for the next turn; more are dropped, as a slow network would. */
const inboxMax = 8192;
/** Entries applied in one go, so that a long backlog does not hold up heartbeats. */
const appliedPerTurnMax = 512;
/**
 * Proposals that are not left to wait for more: the others work on these while this node takes in the next. Otherwise
 * many clients end up in step, and all of them wait for one another and then for the same sync.
 */
const proposalsPerTurn = 64;
/** Times the core is asked for work in one turn: more than it ever has, so that a fault cannot spin for ever. */
const readiesPerTurnMax = 10_000;
/** How often what was heard of others is stored. Unit: ticks. */
const rememberTicks = 50;
/** How long a stopping leader waits for another to take over. Unit: milliseconds. */
const handOverMs = 500;

export interface RaftLoopDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: Prng;
  readonly transport: RaftTransport;
  /** The log, opened for this member. The loop closes it. */
  readonly log: OpenedLog;
  /** The loop has ended and cannot go on; the process must stop. */
  readonly onFatal: (error: unknown) => void;
  /** Calls back after the events at hand were taken in; default `setImmediate`. The simulator gives its own. */
  readonly defer?: (callback: () => void) => void;
  /** Reads a committed command, as `decodeCommand` does, which is the default. The simulator reads each once for all. */
  readonly decode?: (data: Uint8Array) => Command;
}

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

type LoopState = 'new' | 'running' | 'stopping' | 'stopped';

export class RaftLoop implements Service, RaftHandlers {
  readonly options: RaftLoopOptions;
  readonly #deps: RaftLoopDeps;
  readonly #defer: (callback: () => void) => void;
  readonly #decode: (data: Uint8Array) => Command;
  readonly #store: LogStore;
  readonly #machine: StateMachine;
  readonly #hub: WatchHub;
  readonly #raftId: RaftId;
  readonly #trust: Trust;
  readonly #heard: Heard;
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  readonly #shelf: SnapshotShelf;
  readonly #heldCommits: HeldCommits;
  readonly #succession: Succession;
  /** Undefined while the log is in doubt and no peer has told its term. */
  #core: RawNode | undefined;
  #state: LoopState = 'new';
  #timer: Timer | undefined;
  #tickCount = 0;
  #lastTickMs: number;
  /** Ticks in a row without anybody who could commit. */
  #routelessTicks = 0;
  #isTurnDue = false;
  #isInTurn = false;
  #inbox: Message[] = [];
  /** Storage work that waits for a snapshot to be installed. */
  #afterInstall: Message[] | undefined;
  /** Appends whose responses have not been handed out yet, in order. */
  #appends: AppendSlot[] = [];
  /** Committed entries to apply; `#applyAt` is the position in the first. */
  #applyQueue: Message[] = [];
  #applyAt = 0;
  #isApplyDue = false;
  /** What the state amounts to, which may be ahead of the disk. */
  #appliedTerm: number;
  #confState: ConfState;
  #fetch: { readonly indexMin: number; readonly stop: AbortController } | undefined;
  #offer: Message | undefined;
  #fetched: FetchedSnapshot | undefined;
  #isCompacting = false;
  #isRaisingTerm = false;
  readonly #changes: ChangeWaiters;
  readonly #applied: AppliedWaiters;

  /** Throws `CONFIG_INVALID`. */
  constructor(deps: RaftLoopDeps, options: Partial<RaftLoopOptions> = {}) {
    this.options = checkRaftLoopOptions(options);
    this.#deps = deps;
    this.#defer = deps.defer ?? ((callback) => void setImmediate(callback));
    this.#decode = deps.decode ?? decodeCommand;
    const { store, machine } = deps.log;
    this.#store = store;
    this.#machine = machine;
    this.#raftId = store.identity.raftId;
    this.#appliedTerm = store.applied.term;
    this.#confState = store.applied.confState;
    this.#hub = new WatchHub(machine.appliedIndex, (error) =>
      deps.logger.error({ error }, 'a watcher threw; the others go on'),
    );
    this.#trust = new Trust(store.identity, store.peers);
    this.#heard = new Heard(this.#raftId);
    this.#lastTickMs = deps.clock.monotonicMs();
    this.#changes = new ChangeWaiters(deps.clock);
    this.#applied = new AppliedWaiters(deps.clock, () => machine.appliedIndex);
    this.#heldCommits = new HeldCommits(deps.clock, (message) => {
      if (this.#isLive()) this.#transmit(message);
    });
    this.#succession = new Succession({
      clock: deps.clock,
      random: deps.random,
      candidate: () => (this.#isLive() && this.#store.doubt === undefined ? this.#core : undefined),
      campaign: () => {
        this.#guard(() => this.#core?.campaign());
        this.#wake();
      },
    });
    this.#shelf = new SnapshotShelf(
      () => ({
        place: { index: machine.appliedIndex, term: this.#appliedTerm, confState: this.#confState },
        view: machine.view(),
      }),
      () => deps.clock.monotonicMs(),
      (peer, arrived) => {
        this.#core?.reportSnapshot(peer, arrived);
        this.#wake();
      },
      () => new Promise((resolve) => this.#defer(resolve)),
    );
  }

  // --- Life ----------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    assert(this.#state === 'new', 'the loop starts once');
    this.#state = 'running';
    const { findings } = this.#deps.log;
    if (findings.length > 0) this.#deps.logger.warn({ findings }, 'the log was repaired or is in doubt');
    if (this.#store.doubt === undefined || this.#store.doubt.raisedTerm > 0) this.#makeCore();
    this.#deps.transport.attach(this);
    this.#timer = this.#deps.clock.setInterval(() => this.#guard(() => this.#tick()), this.options.tickMs);
    for (const peer of this.#peers()) this.#greet(peer);
    // Nobody else could lead; waiting for an election timeout would only delay the first start.
    if (this.#isOnlyVoter()) this.#guard(() => this.#core?.campaign());
    this.#wake();
  }

  /** Hands leadership over if it can be done soon, writes what waits and closes the log. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return this.halt();
    this.#state = 'stopping';
    await this.#handOver();
    if (this.#end(new ShoalError('CANCELLED', 'The agent is stopping.'))) await this.#store.close();
  }

  /** Stops at once, as if the process had been killed: nothing is handed over, what is not on disk is lost. */
  async halt(): Promise<void> {
    if (this.#end(new ShoalError('CANCELLED', 'The agent is stopping.'))) await this.#store.abandon();
  }

  // --- For the state client and the agent ----------------------------------------------------------------------------

  get raftId(): RaftId {
    return this.#raftId;
  }

  /** The local replica. */
  get reader(): StateReader {
    return this.#machine;
  }

  get watches(): WatchHub {
    return this.#hub;
  }

  /** Why this node does not vote, if so. */
  get doubt(): LogStore['doubt'] {
    return this.#store.doubt;
  }

  /** Whether it runs: started, and neither stopping nor ended by a failure. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** What this node remembers of a peer's log. */
  memoryOf(peer: RaftId): PeerMemory | undefined {
    return this.#trust.memoryOf(peer);
  }

  get isLeader(): boolean {
    return this.#core?.raft.role === 'leader';
  }

  /** The last entry known committed. */
  get commitIndex(): number {
    return this.#core?.raft.log.committed ?? this.#machine.appliedIndex;
  }

  standing(): StateStanding {
    const raft = this.#core?.raft;
    const route = this.route();
    const { voters, votersOutgoing, learners, learnersNext } = this.#confState;
    return {
      hasQuorum: route !== undefined,
      leaderRaftId: raft?.leader ?? nobody,
      term: raft?.term ?? this.#store.plannedHardState.term,
      commitIndex: this.commitIndex,
      appliedIndex: this.#machine.appliedIndex,
      voters: [...new Set([...voters, ...votersOutgoing])],
      learners: [...new Set([...learners, ...learnersNext])],
      missingVoters:
        route?.kind === 'leader' ? [] : this.#heard.missing([...voters, ...votersOutgoing], this.options.silenceMs),
    };
  }

  /** What the leader knows of the members; empty on others. */
  members(): readonly MemberHealth[] {
    const core = this.#core;
    if (core === undefined || !this.isLeader) return [];
    const status = core.status();
    return status.members.map((member) => ({
      raftId: member.id,
      isVoter: !member.isLearner,
      silentMs: this.#heard.silentMs(member.id),
      lagEntries: Math.max(0, status.lastIndex - member.match),
    }));
  }

  /** Leader: has applied an entry of its own term, and so everything that was committed before it led. */
  get isCaughtUp(): boolean {
    return this.isLeader && this.#appliedTerm === this.#core?.raft.term;
  }

  /** The members, as of what is applied here. */
  get confState(): ConfState {
    return this.#confState;
  }

  /** Who can commit now; undefined when no leader with a quorum is known. */
  route(): Route | undefined {
    const raft = this.#core?.raft;
    if (raft === undefined || this.#state === 'stopped') return undefined;
    const { silenceMs } = this.options;
    if (raft.role === 'leader') {
      const { voters, votersOutgoing } = this.#confState;
      const isHeard = (ids: readonly RaftId[]): boolean => this.#heard.isMajorityHeard(ids, silenceMs);
      return isHeard(voters) && (votersOutgoing.length === 0 || isHeard(votersOutgoing)) ? { kind: 'here' } : undefined;
    }
    if (raft.leader === nobody || this.#heard.silentMs(raft.leader) > silenceMs) return undefined;
    return { kind: 'leader', raftId: raft.leader };
  }

  /**
   * How long a request that needs a quorum should wait for one now. In an outage that has lasted longer than an election
   * takes, waiting again with each request would only make refusals slow. Unit: milliseconds.
   */
  get patienceMs(): number {
    const { patienceMs, tickMs, electionTicks } = this.options;
    return this.#routelessTicks > 2 * electionTicks + patienceMs / tickMs ? Math.min(patienceMs, tickMs) : patienceMs;
  }

  /** Resolves when leader or quorum may have changed, or after `delayMs`. */
  changed(delayMs: number): Promise<void> {
    return this.#changes.wait(delayMs);
  }

  /** Resolves true once the local replica has applied `index`, false after `delayMs` or when the loop ends. */
  waitApplied(index: number, delayMs: number): Promise<boolean> {
    if (this.#state !== 'stopped') return this.#applied.wait(index, delayMs);
    return Promise.resolve(this.#machine.appliedIndex >= index);
  }

  /** The refusal of a write or a fresh read: it names who is missing, or says that the agent is stopping. */
  noQuorum(): ShoalError {
    if (!this.isRunning) return new ShoalError('CANCELLED', 'The agent is stopping.');
    const { missingVoters, leaderRaftId } = this.standing();
    const doubt = this.#store.doubt;
    const missing = missingVoters.length === 0 ? '' : ` Not answering: ${missingVoters.join(', ')}.`;
    return new ShoalError('NO_QUORUM', `Too few voters answer to commit a write.${missing}`, {
      facts: { missingVoters, leaderRaftId, ...(doubt === undefined ? {} : { doubt: doubt.detail }) },
    });
  }

  /**
   * Leader: changes the members; more than one change at once goes through a joint configuration. Resolves when the change
   * is applied here. Throws `NOT_LEADER`, `CONFLICT` (another change is pending, or the change does not fit), and what
   * `propose` throws.
   */
  async changeMembers(changes: readonly ConfChangeSingle[], signal?: AbortSignal): Promise<void> {
    this.#mustLead();
    const change = { transition: 'auto' as const, changes, context: noBytes };
    const promise = this.#proposals.addMembers(change, this.#deps.clock.monotonicMs(), signal);
    this.#wake();
    await promise;
  }

  /** Leader: hands leadership to a voter. What became of it shows in `standing`. */
  transferLeadership(to: RaftId): void {
    this.#guard(() => this.#core?.transferLeadership(to));
    this.#wake();
  }

  // --- For peers (RaftHandlers) --------------------------------------------------------------------------------------

  onMessage(message: PeerMessage): void {
    if (!this.#isLive() || message.to !== this.#raftId || message.from === this.#raftId) return;
    this.#heard.note(message.from);
    if (isHello(message)) {
      this.#guard(() => this.#onHello(message));
      return;
    }
    if (!this.#trust.hasAnswered(message.from)) {
      reached('message-held-until-greeted');
      this.#trust.hold(message);
      this.#greet(message.from);
      return;
    }
    this.#guard(() => this.#take(message));
  }

  onUnreachable(peer: RaftId): void {
    if (!this.#isLive()) return;
    this.#guard(() => this.#core?.reportUnreachable(peer));
  }

  onGone(peer: RaftId): void {
    this.#guard(() => this.#succession.begin(peer));
    this.#wake();
  }

  async propose(command: Command, signal?: AbortSignal, from?: RaftId): Promise<TransactionOutcome> {
    const outcome = await this.proposeEncoded(encodeCommand(command), signal);
    // The peer waits until it has applied this, too; nobody else does.
    this.#heldCommits.flush(from);
    return outcome;
  }

  /** Commits an encoded command of this node's own. Throws as `propose` does. */
  proposeEncoded(data: Uint8Array, signal?: AbortSignal): Promise<TransactionOutcome> {
    try {
      this.#mustLead();
      if (this.route() === undefined) {
        reached('leader-without-a-quorum');
        throw this.noQuorum();
      }
    } catch (error) {
      return Promise.reject(ShoalError.from(error, 'NO_QUORUM'));
    }
    const promise = this.#proposals.addCommand(data, this.#deps.clock.monotonicMs(), signal);
    if (this.#proposals.queued >= proposalsPerTurn) this.#guard(() => this.#turn());
    else this.#wake();
    return promise;
  }

  async readIndex(signal?: AbortSignal, from?: RaftId): Promise<number> {
    this.#mustLead();
    if (this.route() === undefined) throw this.noQuorum();
    if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
    const promise = this.#reads.add();
    this.#wake();
    const index = await promise;
    // Whoever asks for another agent waits until that one has applied so much.
    this.#heldCommits.flush(from);
    return index;
  }

  snapshot(...[peer, request, signal]: Parameters<RaftHandlers['snapshot']>): ReturnType<RaftHandlers['snapshot']> {
    return this.#shelf.serve(peer, request, signal);
  }

  // --- Turns ---------------------------------------------------------------------------------------------------------

  #isLive(): boolean {
    return this.#state === 'running' || this.#state === 'stopping';
  }

  /** Asks for a turn. */
  #wake(): void {
    if (this.#isTurnDue || !this.#isLive()) return;
    this.#isTurnDue = true;
    this.#defer(() => {
      this.#isTurnDue = false;
      this.#guard(() => this.#turn());
    });
  }

  /** Runs a part of the loop; what it throws ends the loop. */
  #guard(part: () => void): void {
    if (!this.#isLive()) return;
    try {
      part();
    } catch (error) {
      this.#fatal(error);
    }
  }

  #turn(): void {
    const core = this.#core;
    if (core === undefined || this.#isInTurn) return;
    this.#isInTurn = true;
    try {
      const isSlow = this.#inbox.length > 1 && maybe('raft-loop.one-message-a-turn');
      const inbox = isSlow ? this.#inbox.slice(0, 1) : this.#inbox;
      this.#inbox = isSlow ? this.#inbox.slice(1) : [];
      if (isSlow) this.#wake();
      for (const message of inbox) {
        const refusal = core.step(message);
        if (refusal !== undefined)
          this.#deps.logger.debug({ refusal, type: message.type, from: message.from }, 'message refused');
      }
      this.#proposeQueued(core);
      this.#askReads(core);
      this.#doWork(core);
    } finally {
      this.#isInTurn = false;
    }
  }

  /** Does what the core wants, until it wants nothing more. */
  #doWork(core: RawNode): void {
    for (let count = 0; core.hasReady() && this.#core === core; count += 1) {
      assert(count < readiesPerTurnMax, 'the core never comes to rest');
      const ready = core.ready();
      if (ready.softState !== undefined) {
        const { leader, role } = ready.softState;
        this.#deps.logger.info({ leader, role, term: core.raft.term }, 'leadership');
        if (role !== 'leader') {
          this.#reads.fail(notLeader(leader), Number.POSITIVE_INFINITY, true);
          this.#heldCommits.clear();
        }
        this.#changes.tell();
      }
      for (const message of ready.messages) {
        if (message.to === appendThread) this.#persist(message);
        else if (message.to === applyThread) this.#queueApply(message);
        else this.#send(message);
      }
      for (const { context, index } of ready.readStates) this.#reads.answered(context, index);
    }
    this.#liftDoubt(core);
  }

  #tick(): void {
    this.#tickCount += 1;
    const nowMs = this.#deps.clock.monotonicMs();
    // A late tick means that this process stood still; that is no silence of others.
    if (nowMs - this.#lastTickMs > 2 * this.options.tickMs) reached('tick-came-late');
    this.#heard.advance(Math.min(nowMs - this.#lastTickMs, 2 * this.options.tickMs));
    this.#lastTickMs = nowMs;
    this.#routelessTicks = this.route() === undefined ? this.#routelessTicks + 1 : 0;
    const core = this.#core;
    const { doubt } = this.#store;
    // A doubtful node does not campaign, and campaigning is all that a follower's ticks are for.
    if (core !== undefined && (doubt === undefined || this.isLeader)) core.tick();
    if (this.route() === undefined || this.#tickCount <= this.options.electionTicks) {
      // Who else is there? The answers tell whom to name, and a fresh start asks what the others remember.
      for (const peer of this.#peers()) this.#greet(peer);
    }
    this.#expire();
    this.#shelf.tick();
    this.#changes.tell();
    if (this.#tickCount % rememberTicks === 0 || maybe('raft-loop.remember-now')) {
      for (const [peer, memory] of this.#trust.takeChanges()) this.#store.rememberPeer(peer, memory);
    }
    if (!maybe('raft-loop.flush-later')) this.#background(this.#store.flush());
    this.#compactIfLarge();
    // A doubt is lifted by a turn, whatever else there is to do.
    if (core?.hasReady() === true || doubt !== undefined) this.#wake();
  }

  #expire(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#proposals.expire(nowMs - this.options.outcomeTimeoutMs, 'It took too long.');
    if (this.route() !== undefined) return;
    this.#proposals.expire(nowMs - this.options.silenceMs, 'Too few voters answer.');
    this.#reads.fail(this.noQuorum(), nowMs - this.options.silenceMs, true);
  }

  // --- 1. Append and sync, then 2. send ------------------------------------------------------------------------------

  /** Stores what one message of the core asks for, and hands out its responses once that is durable. */
  #persist(message: Message): void {
    if (this.#afterInstall !== undefined) {
      reached('append-behind-an-install');
      this.#afterInstall.push(message);
      return;
    }
    const core = must(this.#core, 'core');
    const { entries, snapshot, responses } = message;
    const hardState = hardStateOf(message);
    if (snapshot !== null) {
      this.#install(core, message, snapshot, hardState);
      return;
    }
    const planned = this.#store.plannedHardState;
    const isVoteNew = hardState !== undefined && (hardState.term !== planned.term || hardState.vote !== planned.vote);
    const slot: AppendSlot = { responses, isDurable: false };
    this.#appends.push(slot);
    if (entries.length === 0 && !isVoteNew) {
      // Nothing that needs a sync; but what the responses speak of may be in an append before, so they keep their place.
      if (hardState !== undefined) this.#store.noteCommit(hardState);
      slot.isDurable = true;
      this.#deliverDurable(core);
      return;
    }
    this.#store.append({ hardState, entries }).then(
      () => {
        slot.isDurable = true;
        failpoint('raft-loop.synced-not-sent');
        this.#guard(() => {
          if (this.#core !== core) return;
          this.#deliverDurable(core);
          this.#turn();
        });
      },
      (error: unknown) => this.#fatal(error),
    );
  }

  /** Hands out the responses of appends that are durable, in the order in which they were asked for. */
  #deliverDurable(core: RawNode): void {
    while (this.#appends[0]?.isDurable) this.#deliver(core, must(this.#appends.shift(), 'append').responses);
  }

  /** Hands out what may be said now. */
  #deliver(core: RawNode, responses: readonly Message[]): void {
    for (const response of responses) {
      if (response.to === this.#raftId) core.step(response);
      else this.#send(response);
    }
    if (core.hasReady()) this.#wake();
  }

  #send(message: Message): void {
    if (message.snapshot !== null) this.#shelf.told(message.to);
    if (this.#heldCommits.take(message)) return;
    this.#transmit(message);
  }

  /** What leads says with each message how far its own disk has come: the others are to remember it. */
  #transmit(message: Message): void {
    const { type, term } = message;
    const lastIndex = this.#store.lastIndex();
    const tells = (type === 'MsgApp' || type === 'MsgHeartbeat') && this.#store.term(lastIndex) === term;
    this.#deps.transport.send(tells ? { ...message, durableIndex: lastIndex } : message);
  }

  // --- 3. Apply, then 4. acknowledge ---------------------------------------------------------------------------------

  #queueApply(message: Message): void {
    this.#applyQueue.push(message);
    if (!this.#isApplyDue) this.#apply(appliedPerTurnMax);
  }

  /** Applies up to `entriesMax` entries; the rest follows after other events had their turn. */
  #apply(entriesMax: number): void {
    const core = must(this.#core, 'core');
    let left = maybe('raft-loop.apply-one') ? Math.min(1, entriesMax) : entriesMax;
    for (;;) {
      const message = this.#applyQueue[0];
      if (message === undefined) break;
      while (this.#applyAt < message.entries.length && left > 0) {
        this.#applyEntry(core, must(message.entries[this.#applyAt], 'entry'));
        this.#applyAt += 1;
        left -= 1;
      }
      if (this.#applyAt < message.entries.length) {
        this.#applyLater();
        break;
      }
      this.#applyQueue.shift();
      this.#applyAt = 0;
      this.#deliver(core, message.responses);
    }
    this.#applied.tell();
  }

  #applyLater(): void {
    reached('apply-put-off');
    this.#isApplyDue = true;
    this.#defer(() => {
      this.#isApplyDue = false;
      this.#guard(() => this.#apply(appliedPerTurnMax));
    });
  }

  #applyEntry(core: RawNode, entry: Entry): void {
    const { index, term } = entry;
    if (index <= this.#machine.appliedIndex) return;
    this.#appliedTerm = term;
    if (entry.type === 'normal' && entry.data.length > 0) {
      const { outcome, rows, events } = this.#machine.apply(index, this.#decode(entry.data));
      this.#store.apply({ rows, index, term, confState: this.#confState });
      this.#hub.publish(index, events);
      this.#proposals.applied(index, term, outcome);
      return;
    }
    this.#machine.skip(index);
    if (entry.type !== 'normal') this.#applyMembers(core, entry);
    this.#store.apply({ rows: [], index, term, confState: this.#confState });
    this.#hub.publish(index, []);
    this.#proposals.applied(
      index,
      term,
      // The core puts an empty entry in the place of a change of members that it refuses.
      entry.type === 'normal' ? 'replaced' : { revision: index, succeeded: true, counters: [] },
    );
  }

  #applyMembers(core: RawNode, entry: Entry): void {
    const change = entry.type === 'confChange' ? decodeConfChangeV1(entry.data) : decodeConfChangeV2(entry.data);
    if (change === undefined) {
      throw new ShoalError('LOG_CORRUPT', `The change of members at ${entry.index} cannot be decoded.`);
    }
    this.#confState = core.applyConfChange(change);
    if (this.#confState.votersOutgoing.length > 0) reached('membership-is-joint');
    failpoint('members.changed-not-stored');
    for (const peer of this.#peers()) this.#greet(peer);
    this.#changes.tell();
  }

  // --- Proposals and reads -------------------------------------------------------------------------------------------

  #proposeQueued(core: RawNode): void {
    const queued = this.#proposals.takeQueued();
    if (queued.length === 0) return;
    const { raft } = core;
    if (raft.role !== 'leader') {
      reached('proposal-at-a-former-leader');
      for (const proposal of queued) this.#proposals.refuse(proposal, notLeader(raft.leader));
      return;
    }
    // Neighbours of one kind go together; a change of members goes alone.
    const isApart = maybe('raft-loop.propose-apart');
    const groups = isApart
      ? queued.flatMap((proposal) => this.#proposals.grouped([proposal]))
      : this.#proposals.grouped(queued);
    for (const group of groups) {
      const refusal =
        group.members === undefined
          ? core.proposeBatch(group.proposals.map((proposal) => proposal.data))
          : core.proposeConfChange(group.members);
      if (refusal !== undefined) {
        reached('proposal-refused-by-core');
        const error = new ShoalError('PROPOSAL_DROPPED', 'The leader takes no more writes for now.', {
          facts: { refusal },
        });
        for (const proposal of group.proposals) this.#proposals.refuse(proposal, error);
        continue;
      }
      let index = raft.log.lastIndex() - group.proposals.length;
      for (const proposal of group.proposals) {
        index += 1;
        this.#proposals.appended(proposal, index, raft.term);
      }
    }
  }

  #askReads(core: RawNode): void {
    const context = this.#reads.ask(this.#deps.clock.monotonicMs());
    if (context === undefined) return;
    const { raft } = core;
    const refusal = raft.role === 'leader' ? core.readIndex(context) : 'not-leader';
    if (refusal !== undefined) this.#reads.fail(notLeader(raft.leader), Number.POSITIVE_INFINITY, true);
  }

  // --- Peers, trust and doubt ----------------------------------------------------------------------------------------

  #take(message: Message): void {
    const core = this.#core;
    if (core === undefined) return;
    if (this.#store.doubt !== undefined && asksForVote(message)) {
      reached('doubtful-log-asked-for-a-vote');
      return;
    }
    const lastIndex = core.raft.log.lastIndex();
    // A leader tells a follower of what is committed only as far as that follower has acknowledged the log. What is
    // missing of it was here once, though no peer that has answered a greeting remembers.
    if (message.type === 'MsgHeartbeat' && message.term >= core.raft.term && message.commit > lastIndex) {
      const detail = `Member ${message.from} leads term ${message.term} and counts on entry ${message.commit} of this member; the log ends at ${lastIndex}.`;
      this.#beginDoubt({ reason: 'rolled-back', detail }, message.term);
      return;
    }
    this.#trust.heard(message, (index) => {
      const term = core.raft.log.term(index);
      return typeof term === 'number' ? term : 0;
    });
    if (message.type === 'MsgSnap') {
      this.#onSnapshotOffer(message);
      return;
    }
    if (this.#inbox.length >= inboxMax) return;
    this.#inbox.push(message);
    this.#wake();
  }

  #greet(peer: RaftId): void {
    this.#deps.transport.send(this.#trust.greeting(peer, this.#ownLog()));
  }

  #onHello(hello: Hello): void {
    const own = this.#ownLog();
    const { doubt } = this.#store;
    if (hello.type === 'Hello') {
      this.#deps.transport.send(this.#trust.answer(hello, own));
      return;
    }
    this.#trust.met(hello);
    if (doubt?.raisedTerm === 0) {
      this.#raiseTerm(hello.term);
      return;
    }
    // Also while in doubt: the disk may be put back once more, and what was promised since the leap counts.
    const found = this.#trust.judge(hello, own);
    if (hello.known !== undefined && hello.known.raisedTerm < own.raisedTerm) reached('answer-from-before-the-leap');
    if (found !== undefined) {
      this.#beginDoubt(found, hello.term);
      return;
    }
    for (const message of this.#trust.release(hello.from)) this.#take(message);
  }

  #beginDoubt(found: Omit<Doubt, 'raisedTerm'>, heardTerm: number): void {
    reached('own-log-doubted');
    this.#deps.logger.error(
      { ...found },
      'this log holds less than this member has promised; it does not vote until repaired',
    );
    this.#dropCore();
    this.#background(this.#store.setDoubt({ ...found, raisedTerm: 0 }).then(() => this.#raiseTerm(heardTerm)));
  }

  /** Leaps out of reach of forgotten votes, then goes on with a new core. */
  #raiseTerm(heardTerm: number): void {
    if (this.#isRaisingTerm || this.#store.doubt?.raisedTerm !== 0) return;
    this.#isRaisingTerm = true;
    this.#background(
      this.#store.raiseTerm(heardTerm).then(() => {
        this.#isRaisingTerm = false;
        if (!this.#isLive()) return;
        reached('term-leapt');
        failpoint('doubt.leapt');
        this.#makeCore();
        for (const peer of this.#peers()) this.#greet(peer);
        this.#wake();
      }),
    );
  }

  /** A doubtful node that holds a committed entry of a leader elected after its leap has everything that was committed. */
  #liftDoubt(core: RawNode): void {
    const { doubt } = this.#store;
    const { raft } = core;
    if (doubt === undefined || doubt.raisedTerm === 0 || raft.leader === nobody) return;
    if (raft.term <= doubt.raisedTerm || raft.log.term(raft.log.committed) !== raft.term) return;
    if (this.#store.lastIndex() < raft.log.committed || this.#isRaisingTerm) return;
    this.#isRaisingTerm = true;
    this.#background(
      this.#store.setDoubt(undefined).then(() => {
        this.#isRaisingTerm = false;
        reached('doubt-lifted');
        failpoint('doubt.lifted');
        this.#deps.logger.info(
          { was: doubt.reason, index: raft.log.committed },
          'the log is repaired; this member votes again',
        );
        this.#changes.tell();
      }),
    );
  }

  #makeCore(): void {
    const { clock: _, ...deps } = this.#deps;
    this.#core = new RawNode({
      id: this.#raftId,
      storage: {
        initialState: () => ({ ...this.#store.initialState(), confState: this.#confState }),
        entries: (low, high, bytesMax) =>
          this.#store.entries(low, high, maybe('raft-loop.one-entry-at-a-time') ? 1 : bytesMax),
        term: (index) => this.#store.term(index),
        firstIndex: () => this.#store.firstIndex(),
        lastIndex: () => this.#store.lastIndex(),
        snapshot: () => this.#snapshotPlace(),
      },
      applied: this.#machine.appliedIndex,
      random: {
        below: (bound) => (maybe('raft-loop.shortest-election-timeout') ? 0 : deps.random.below(bound)),
      },
      electionTicks: this.options.electionTicks,
      heartbeatTicks: this.options.heartbeatTicks,
      asyncStorageWrites: true,
      checkQuorum: true,
      preVote: true,
      disableProposalForwarding: true,
      stepDownOnRemoval: true,
      logger: deps.logger,
    });
  }

  /** Forgets the core: what it was about to do is not done any more. */
  #dropCore(): void {
    this.#core = undefined;
    this.#inbox = [];
    this.#appends = [];
    this.#applyQueue = [];
    this.#applyAt = 0;
    this.#reads.fail(this.noQuorum(), Number.POSITIVE_INFINITY, true);
    this.#changes.tell();
  }

  #ownLog(): OwnLog {
    const lastIndex = this.#store.lastIndex();
    const lastTerm = this.#store.term(lastIndex);
    const { term } = this.#store.initialState().hardState;
    const { raisedTerm } = this.#store;
    return { term, lastIndex, lastTerm: typeof lastTerm === 'number' ? lastTerm : 0, raisedTerm };
  }

  #peers(): readonly RaftId[] {
    const { voters, votersOutgoing, learners } = this.#confState;
    // Voters first: theirs are the answers that matter; a follower has no business with learners.
    const ids = this.isLeader ? [...voters, ...votersOutgoing, ...learners] : [...voters, ...votersOutgoing];
    return [...new Set(ids)].filter((id) => id !== this.#raftId);
  }

  #isOnlyVoter(): boolean {
    const { voters, votersOutgoing } = this.#confState;
    return voters.length === 1 && voters[0] === this.#raftId && votersOutgoing.length === 0;
  }

  // --- Snapshots -----------------------------------------------------------------------------------------------------

  #snapshotPlace(): Snapshot | 'temporarily-unavailable' {
    if (this.#machine.appliedIndex === 0) return 'temporarily-unavailable';
    const place = this.#shelf.newest(this.#machine.appliedIndex, this.#store.firstIndex() - 1, this.#confState);
    return { ...place, data: noBytes };
  }

  /** The leader offers a snapshot: its content is fetched first, then the core hears of it. */
  #onSnapshotOffer(message: Message): void {
    const index = message.snapshot?.index ?? 0;
    this.#offer = message;
    if (this.#fetched !== undefined && this.#fetched.place.index >= index) {
      reached('snapshot-offered-that-is-here');
      this.#offerFetched();
      return;
    }
    if (this.#fetch !== undefined) {
      if (this.#fetch.indexMin >= index) return;
      reached('newer-snapshot-offered-meanwhile');
      this.#fetch.stop.abort(new ShoalError('CANCELLED', 'A newer snapshot is offered.'));
    }
    if (index <= this.#machine.appliedIndex) {
      reached('snapshot-offered-of-the-past');
      // Nothing to fetch; the core answers with what it has.
      this.#inbox.push(message);
      this.#wake();
      return;
    }
    const stop = new AbortController();
    const fetch = { indexMin: index, stop };
    this.#fetch = fetch;
    const { clock, logger, transport } = this.#deps;
    new SnapshotFetch({ clock, logger, transport, store: this.#store }, message.from, index).run(stop.signal).then(
      (fetched) => {
        if (this.#fetch === fetch) this.#fetch = undefined;
        this.#fetched = fetched;
        this.#guard(() => this.#offerFetched());
      },
      (error: unknown) => {
        if (this.#fetch === fetch) this.#fetch = undefined;
        if (ShoalError.is(error, 'STORE_FAILED')) this.#fatal(error);
        else if (!stop.signal.aborted)
          this.#deps.logger.warn({ error }, 'a snapshot could not be fetched; the leader will offer one again');
      },
    );
  }

  #offerFetched(): void {
    const fetched = this.#fetched;
    const offer = this.#offer;
    const core = this.#core;
    if (fetched === undefined || offer === undefined || core === undefined) return;
    this.#offer = undefined;
    core.step({ ...offer, snapshot: { ...fetched.place, data: noBytes } });
    this.#turn();
    // Not taken: something newer has come meanwhile.
    if (this.#fetched === fetched && this.#afterInstall === undefined) {
      reached('snapshot-fetched-in-vain');
      this.#fetched = undefined;
      this.#background(fetched.install.abandon());
    }
  }

  #install(core: RawNode, message: Message, snapshot: Snapshot, hardState: HardState | undefined): void {
    const fetched = must(this.#fetched, 'the content of a snapshot');
    assert(fetched.place.index === snapshot.index, 'the snapshot is the one that was fetched');
    this.#afterInstall = [];
    // What is committed before the snapshot belongs to the state that it replaces.
    while (this.#applyQueue.length > 0) this.#apply(Number.POSITIVE_INFINITY);
    this.#background(this.#finishInstall(core, message, fetched, hardState));
  }

  async #finishInstall(
    core: RawNode,
    message: Message,
    fetched: FetchedSnapshot,
    hardState: HardState | undefined,
  ): Promise<void> {
    await this.#store.settled();
    failpoint('install.before-commit');
    await fetched.install.commit(fetched.place, hardState);
    failpoint('install.committed');
    reached('snapshot-installed');
    this.#fetched = undefined;
    const { place } = fetched;
    const events = this.#machine.replaceWith(fetched.machine);
    this.#appliedTerm = place.term;
    this.#confState = place.confState;
    this.#deps.logger.info({ index: place.index, term: place.term }, 'a snapshot was installed');
    if (!this.#isLive()) return;
    this.#guard(() => {
      this.#hub.publishSnapshot(place.index, events);
      this.#proposals.skippedTo(place.index);
      const waiting = this.#afterInstall ?? [];
      this.#afterInstall = undefined;
      if (this.#core !== core) return;
      // Entries that came behind the snapshot, then its responses.
      this.#persist({ ...message, snapshot: null });
      for (const next of waiting) this.#persist(next);
      this.#applied.tell();
      this.#changes.tell();
      this.#turn();
    });
  }

  // --- Compaction ----------------------------------------------------------------------------------------------------

  #compactIfLarge(): void {
    const { logBytesMax, logBytesKept, logBytesHard } = this.options;
    const { logBytes } = this.#store;
    if (this.#isCompacting || this.#afterInstall !== undefined) return;
    const isEager = maybe('raft-loop.compact-now');
    if (logBytes <= logBytesMax && !isEager) return;
    let index = this.#store.compactionIndex(isEager ? 0 : logBytesKept);
    if (logBytes <= logBytesHard) index = Math.min(index, this.#neededIndex());
    if (index < this.#store.firstIndex()) {
      reached('compaction-held-back');
      return;
    }
    reached('log-compacted');
    this.#isCompacting = true;
    this.#deps.logger.info({ index, logBytes }, 'compacting the log');
    this.#background(
      this.#store.compact(index).finally(() => {
        this.#isCompacting = false;
      }),
    );
  }

  /** The last entry that no live follower and no snapshot on its way needs. */
  #neededIndex(): number {
    let index = this.#shelf.neededIndex;
    if (!this.isLeader) return index;
    for (const member of this.#core?.status().members ?? []) {
      const isAlive = member.id === this.#raftId || this.#heard.silentMs(member.id) <= this.options.silenceMs;
      if (isAlive && member.state !== 'snapshot') index = Math.min(index, member.match);
    }
    return index;
  }

  // --- Ends ----------------------------------------------------------------------------------------------------------

  #mustLead(): void {
    const raft = this.#core?.raft;
    if (this.#state !== 'running') throw new ShoalError('CANCELLED', 'The agent is stopping.');
    if (raft === undefined || raft.role !== 'leader') throw notLeader(raft?.leader ?? nobody);
  }

  async #handOver(): Promise<void> {
    if (!this.isLeader) return;
    const candidates = this.members().filter(
      (member) => member.isVoter && member.raftId !== this.#raftId && member.silentMs <= this.options.silenceMs,
    );
    const best = candidates.sort((a, b) => a.lagEntries - b.lagEntries)[0];
    if (best === undefined) return;
    this.transferLeadership(best.raftId);
    const untilMs = this.#deps.clock.monotonicMs() + handOverMs;
    while (this.isLeader && this.#deps.clock.monotonicMs() < untilMs) await this.changed(this.options.tickMs);
  }

  /** Lets something run on its own; its failure ends the loop. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (this.#isLive()) this.#fatal(error);
    });
  }

  #fatal(error: unknown): void {
    if (!this.#isLive()) return;
    this.#deps.logger.error({ error }, 'consensus cannot go on; the agent must stop');
    this.#end(ShoalError.from(error, 'STORE_FAILED'));
    this.#background(this.#store.abandon());
    this.#deps.onFatal(error);
  }

  /** Returns false when it had ended before. */
  #end(reason: ShoalError): boolean {
    if (this.#state === 'stopped') return false;
    this.#state = 'stopped';
    this.#timer?.cancel();
    this.#succession.stop();
    this.#deps.transport.attach(undefined);
    this.#fetch?.stop.abort(reason);
    this.#proposals.close();
    this.#reads.fail(reason, Number.POSITIVE_INFINITY, true);
    this.#changes.tell();
    this.#applied.close();
    return true;
  }
}

/** Storage work that the core waits for. */
interface AppendSlot {
  readonly responses: readonly Message[];
  isDurable: boolean;
}

function hardStateOf({ term, vote, commit }: Message): HardState | undefined {
  return term === 0 && vote === nobody && commit === 0 ? undefined : { term, vote, commit };
}

function asksForVote({ type }: Message): boolean {
  return type === 'MsgVote' || type === 'MsgPreVote' || type === 'MsgTimeoutNow';
}

function notLeader(leader: RaftId): ShoalError {
  return new ShoalError('NOT_LEADER', leader === nobody ? 'No leader is known.' : `Member ${leader} leads.`, {
    facts: { leaderRaftId: leader },
  });
}
