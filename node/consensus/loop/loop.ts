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

import { assert, must } from '../../base/assert.ts';
import { buggify, coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import {
  appendThread,
  applyThread,
  type ConfChangeSingle,
  type ConfState,
  type Entry,
  type HardState,
  type Message,
  noBytes,
  nobody,
  type RawNode,
  type Snapshot,
} from '../../raft/index.ts';
import { type Command, decodeCommand, encodeCommand } from '../../state/command.ts';
import { type DigestValue, digestText } from '../../state/digest.ts';
import type { StateView } from '../../state/state-machine.ts';
import type { ClusterStatus, QuorumOutlook, StateReader, TransactionOutcome } from '../../state/types.ts';
import { WatchHub } from '../../state/watch.ts';
import type { LogStore, OpenedLog, PeerMemory } from '../../store/index.ts';
import { type MemberHealth, Quorum, type Route } from '../quorum/quorum.ts';
import { Compaction } from '../replica/compaction.ts';
import { Comparison } from '../replica/comparison.ts';
import type { RaftObserver } from '../replica/observer.ts';
import { checkRaftLoopOptions, type RaftLoopOptions } from '../replica/options.ts';
import { Replica } from '../replica/replica.ts';
import { Scrub } from '../replica/scrub.ts';
import { SnapshotCache } from '../snapshots/snapshot-cache.ts';
import type { FetchedSnapshot } from '../snapshots/snapshot-fetch.ts';
import { SnapshotReceiver } from '../snapshots/snapshot-receiver.ts';
import type { PeerMessage, RaftHandlers, RaftTransport } from '../transport/transport.ts';
import { isDigestMessage, isHello } from '../transport/transport.ts';
import { Handshake } from '../trust/handshake.ts';
import { Repair } from '../trust/repair.ts';
import { makeCore } from './core.ts';
import { HeldCommits } from './held-commits.ts';
import { Proposals } from './proposals.ts';
import { Reads } from './reads.ts';
import { notLeader, stopping } from './refusals.ts';
import { Shedding } from './shedding.ts';
import { Succession } from './succession.ts';
import { AppliedWaiters, ChangeWaiters } from './waiters.ts';

const markLeaderWithoutAQuorum = coverageMark(
  'leader-without-a-quorum',
  'a leader that hears no quorum is asked to write',
);
const markLeaderWaitsForItsVoters = coverageMark(
  'leader-waits-for-its-voters',
  'a leader takes a request while its voters are silent',
);
const buggifyOneMessageATurn = buggify(
  'raft-loop.one-message-a-turn',
  'a turn takes one message and leaves the rest to the next',
);
const buggifyRememberNow = buggify('raft-loop.remember-now', 'what was heard of others is stored at this tick');
const buggifyFlushLater = buggify('raft-loop.flush-later', 'what was applied is not flushed at this tick');
const failpointRaftLoopSyncedNotSent = failpoint(
  'raft-loop.synced-not-sent',
  'entries or a vote are on disk, and nobody was told',
);
const buggifyApplyOne = buggify(
  'raft-loop.apply-one',
  'one committed entry is applied before other events have their turn',
);
const markApplyPutOff = coverageMark('apply-put-off', 'applying goes on after other events');
const markTermFenceRaised = coverageMark('term-fence-raised', 'a quarantined log raises its term fence');
const failpointQuarantineFenceRaised = failpoint(
  'quarantine.fence-raised',
  'a quarantined log has raised its term fence, and no other member knows',
);
const failpointInstallBeforeCommit = failpoint('install.before-commit', 'a snapshot is on disk beside the state');
const failpointInstallCommitted = failpoint(
  'install.committed',
  'a snapshot has replaced the state on disk, not in memory',
);
const markSnapshotInstalled = coverageMark('snapshot-installed', 'a snapshot was installed');
const failpointStateGivenUp = failpoint(
  'state.given-up',
  'a state that the others do not have is given up, and the process runs on',
);
const markUndecidedStateReadAgain = coverageMark(
  'undecided-state-read-again',
  'no majority holds one state, and a replica starts again to read its rows from disk',
);
const markRowsChangedInMemory = coverageMark(
  'rows-changed-in-memory',
  'rows of the state in memory are not those that were applied',
);

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
/** A replica reads its rows from disk again, by a start, at most so often. Unit: ticks. */
const rereadTicksMin = 100;
/**
 * How long a stopping leader waits for another to take over: what a transfer takes on a machine that is busy, and less than
 * an election by silence would cost everybody. Unit: milliseconds.
 */
const handOverMs = 2000;

interface RaftLoopDeps {
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
  /** What people call a member, for what is told to them; default `voter 3`. */
  readonly nameOf?: (member: RaftId) => string;
  /** Reads the command committed at `index`, as `decodeCommand` does, which is the default. The simulator reads each once for all. */
  readonly decode?: (data: Uint8Array, index: number) => Command;
  /** Is told what happens here; default: nobody is. */
  readonly observer?: RaftObserver;
  /**
   * Why this member is to take no part and to write nothing (its disk is full): the replica is read as it is, and all else is
   * refused with this, at once. Absent: it takes part.
   */
  readonly idle?: ShoalError | undefined;
}

type LoopState = 'new' | 'running' | 'idle' | 'stopping' | 'stopped';

/**
 * One member of the Raft group: owns the core, the log store and the replica of the state. `start` it before anything
 * else. Callers propose, read and watch here; peers reach it as `RaftHandlers` through the transport.
 */
export class RaftLoop implements Service, RaftHandlers {
  readonly options: RaftLoopOptions;
  readonly #deps: RaftLoopDeps;
  readonly #defer: (callback: () => void) => void;
  readonly #store: LogStore;
  readonly #replica: Replica;
  readonly #hub: WatchHub;
  readonly #raftId: RaftId;
  readonly #quorum: Quorum;
  readonly #repair: Repair;
  readonly #handshake: Handshake;
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  readonly #cache: SnapshotCache;
  readonly #receiver: SnapshotReceiver;
  readonly #compaction: Compaction;
  readonly #comparison: Comparison;
  readonly #scrub: Scrub;
  readonly #shedding: Shedding;
  readonly #heldCommits: HeldCommits;
  readonly #succession: Succession;
  /** Undefined while the log is quarantined and no peer has told its term. */
  #core: RawNode | undefined;
  /** This node is no member, and does not look for others: it waits until a leader makes it one. */
  isResting = false;
  #state: LoopState = 'new';
  #timer: Timer | undefined;
  #tickCount = 0;
  #isTurnDue = false;
  #isInTurn = false;
  #inbox: Message[] = [];
  /** Appends whose responses have not been handed out yet, in order. */
  #appends: AppendSlot[] = [];
  /** Committed entries to apply; `#applyAt` is the position in the first. */
  #applyQueue: Message[] = [];
  #applyAt = 0;
  #isApplyDue = false;
  readonly #changes: ChangeWaiters;
  readonly #applied: AppliedWaiters;

  /** Throws `CONFIG_INVALID`. */
  constructor(deps: RaftLoopDeps, options: Partial<RaftLoopOptions> = {}) {
    this.options = checkRaftLoopOptions(options);
    this.#deps = deps;
    this.#defer = deps.defer ?? ((callback) => void setImmediate(callback));
    const { clock, logger, random, transport, observer } = deps;
    const { store } = deps.log;
    this.#store = store;
    this.#raftId = store.identity.raftId;
    this.#replica = new Replica(deps.log, deps.decode ?? decodeCommand, {
      membersChanged: (confState) => {
        observer?.membersChanged?.(confState);
        this.#handshake.greetAll();
        this.#changes.tell();
      },
      ...(observer === undefined ? {} : { observer }),
    });
    const replica = this.#replica;
    this.#hub = new WatchHub(replica.appliedIndex, (error) => {
      logger.error({ error }, 'a watcher threw; the other watchers are still served');
      observer?.watcherThrew?.(error);
    });
    this.#quorum = new Quorum({
      clock,
      options: this.options,
      store,
      replica,
      transport,
      core: () => this.#core,
      nameOf: deps.nameOf ?? ((member) => `voter ${member}`),
      changed: () => this.#changes.tell(),
      failed: (error) => this.#fatal(error),
    });
    this.#repair = new Repair({
      store,
      logger,
      background: (work) => this.#background(work),
      dropCore: () => this.#dropCore(),
      quarantined: (found) => observer?.quarantined?.(found),
      fenceRaised: () => this.#resumeAboveFence(),
      lifted: () => {
        observer?.repaired?.();
        this.#changes.tell();
      },
    });
    this.#handshake = new Handshake({ store, transport, quorum: this.#quorum, repair: this.#repair });
    this.#comparison = new Comparison(
      {
        raftId: this.#raftId,
        logger,
        nameOf: deps.nameOf ?? ((member) => `member ${member}`),
        send: (message) => transport.send(message),
        term: () => this.#core?.raft.term ?? 0,
        confState: () => replica.confState,
        appliedIndex: () => replica.appliedIndex,
        digestAt: (revision) => replica.digestAt(revision),
        isFetching: (member) => this.#isFetching(member),
        diverged: (detail) => this.#giveUpState(detail),
        undecided: (revision, isNews) => this.#readStateAgain(revision, isNews),
        judged: () => this.#cache.judged(),
      },
      this.options.compareTicks,
    );
    this.#scrub = new Scrub(() => replica.view().view, this.options.scrubTicks);
    this.#changes = new ChangeWaiters(clock);
    this.#applied = new AppliedWaiters(clock, () => replica.appliedIndex);
    this.#heldCommits = new HeldCommits(clock, (message) => {
      if (this.#isLive()) this.#transmit(message);
    });
    this.#succession = new Succession({
      clock,
      random,
      candidate: () => (this.#isLive() && store.quarantine === undefined ? this.#core : undefined),
      campaign: () => {
        this.#guard(() => this.#core?.campaign());
        this.#wake();
      },
    });
    this.#cache = new SnapshotCache({
      take: () => replica.view(),
      nowMs: () => clock.monotonicMs(),
      report: (peer, arrived) => {
        this.#core?.reportSnapshot(peer, arrived);
        this.#wake();
      },
      rest: () => new Promise((resolve) => this.#defer(resolve)),
      vouches: (revision) => (this.isLeader ? this.#comparison.vouches(revision) : 'no'),
    });
    this.#receiver = new SnapshotReceiver({
      clock,
      logger,
      transport,
      store,
      arrived: () => this.#guard(() => this.#offerFetched()),
      failed: (error) => this.#fatal(error),
    });
    this.#shedding = new Shedding({
      store,
      replica,
      hub: this.#hub,
      logger,
      observer,
      mayBegin: () =>
        this.#state === 'running' &&
        this.#core !== undefined &&
        store.quarantine === undefined &&
        !this.isLeader &&
        !this.#receiver.isInstalling,
      dropCore: () => this.#dropCore(),
      ended: () => this.#guard(() => this.#coreAfterShedding()),
    });
    this.#compaction = new Compaction(this.options, store, {
      logger,
      neededIndex: () => Math.min(this.#cache.neededIndex, this.#quorum.neededIndex()),
      compacting: (index) => observer?.compacting?.(index),
    });
  }

  // --- Life ----------------------------------------------------------------------------------------------------------

  async start(): Promise<void> {
    assert(this.#state === 'new', 'the loop starts once');
    if (this.#deps.idle !== undefined) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'running';
    const { findings } = this.#deps.log;
    if (findings.length > 0) {
      this.#deps.logger.warn({ findings }, 'the log was repaired or is quarantined');
      this.#deps.observer?.damaged?.(findings);
    }
    if (this.#store.quarantine === undefined || this.#store.quarantine.raisedTerm > 0) this.#makeCore();
    this.#deps.transport.attach(this);
    this.#timer = this.#deps.clock.setInterval(() => this.#guard(() => this.#tick()), this.options.tickMs);
    this.#handshake.greetAll();
    // Nobody else could lead; waiting for an election timeout would only delay the first start.
    // A quarantined log may date from before the others joined: it names the voters of that time.
    const isAlone = this.#store.quarantine === undefined && this.#replica.isOnlyVoter(this.#raftId);
    if (isAlone) this.#guard(() => this.#core?.campaign());
    this.#wake();
  }

  /**
   * Leader: has the fittest voter lead instead, and waits until it does, but not for long. Everything else goes on as it
   * was: what is asked of this node meanwhile is answered or passed on. For a stop that nobody is to notice.
   */
  async handOver(): Promise<void> {
    const successor = this.#quorum.successor();
    if (successor === undefined) return;
    this.transferLeadership(successor);
    const untilMs = this.#deps.clock.monotonicMs() + handOverMs;
    const isLed = (): boolean => this.route()?.kind === 'leader';
    while (this.#isLive() && !isLed() && this.#deps.clock.monotonicMs() < untilMs) {
      await this.changed(this.options.tickMs);
    }
  }

  /** Hands leadership over if it can be done soon, writes what waits and closes the log. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#state !== 'running') return this.halt();
    this.#state = 'stopping';
    await this.handOver();
    if (this.#end(stopping())) await this.#store.close();
  }

  /** Stops at once, as if the process had been killed: nothing is handed over, what is not on disk is lost. */
  async halt(): Promise<void> {
    if (this.#end(stopping())) await this.#store.abandon();
  }

  // --- For the state client and the agent ----------------------------------------------------------------------------

  get raftId(): RaftId {
    return this.#raftId;
  }

  /** The local replica. */
  get reader(): StateReader {
    return this.#replica.reader;
  }

  /** All of the local replica as it is now; costs nothing to take, and does not move. */
  stateView(): StateView {
    return this.#replica.view().view;
  }

  get watches(): WatchHub {
    return this.#hub;
  }

  /** Why this node does not vote, if so. */
  get quarantine(): LogStore['quarantine'] {
    return this.#store.quarantine;
  }

  /** What is wrong with the log or the state here, for people, by part; empty when all is well. */
  troubles(): Readonly<Record<string, string>> {
    const { quarantine } = this.#store;
    const { disagreement } = this.#comparison;
    return {
      ...(quarantine === undefined
        ? {}
        : { log: `the log is quarantined; this host does not vote: ${quarantine.detail}` }),
      ...(disagreement === undefined ? {} : { state: disagreement }),
    };
  }

  /** The digest of the state here at a recent revision (state/digest.ts); undefined: not known any more, or not yet. */
  digestAt(revision: number): DigestValue | undefined {
    return this.#replica.digestAt(revision);
  }

  /** How the replicas compare, as far as this node has found or was told. */
  get comparison(): Pick<Comparison, 'rounds' | 'divergences' | 'disagreement'> {
    return this.#comparison;
  }

  /** Whether it runs: started, and neither stopping nor ended by a failure. */
  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** What this node remembers of a peer's log. */
  memoryOf(peer: RaftId): PeerMemory | undefined {
    return this.#handshake.memoryOf(peer);
  }

  get isLeader(): boolean {
    return this.#quorum.isLeader;
  }

  /** The last entry known committed. */
  get commitIndex(): number {
    return this.#quorum.commitIndex;
  }

  status(): ClusterStatus {
    const status = this.#quorum.status();
    return this.#state === 'idle' ? { ...status, hasQuorum: false, quorum: 'lost', missingVoters: [] } : status;
  }

  /** What the leader knows of the members; empty on others. */
  members(): readonly MemberHealth[] {
    return this.#quorum.members();
  }

  /** Leader: has applied an entry of its own term, and so everything that was committed before it led. */
  get isCaughtUp(): boolean {
    return this.isLeader && this.#replica.appliedTerm === this.#core?.raft.term;
  }

  /** The members, as of what is applied here. */
  get confState(): ConfState {
    return this.#replica.confState;
  }

  /** Who can commit now; undefined when no leader with a quorum is known. */
  route(): Route | undefined {
    return this.#quorum.route();
  }

  /** Who leads as far as this node knows; 0: nobody. It may be silent. */
  get leader(): RaftId {
    return this.#core?.raft.leader ?? nobody;
  }

  /** Since who leads has spoken to this node as to a member, ms; Infinity: never. */
  get leaderSilentMs(): number {
    return this.#quorum.leaderSilentMs;
  }

  /** What may be expected of the voters. */
  get outlook(): QuorumOutlook {
    return this.#quorum.outlook;
  }

  /** Whether no majority can be made of the voters that are not known to be lost. */
  get isLossKnown(): boolean {
    return this.#quorum.isLossKnown;
  }

  /** Whether a member is known to be lost, and not merely silent. */
  isLost(member: RaftId): boolean {
    return this.#quorum.isLost(member);
  }

  /** The leader says that it has no quorum: whether that is so is asked of the voters' hosts now. */
  suspectQuorum(): void {
    this.#quorum.suspectRoute();
  }

  /** Resolves when leader or quorum may have changed, or after `delayMs`. */
  changed(delayMs: number): Promise<void> {
    return this.#changes.wait(delayMs);
  }

  /** Resolves true once the local replica has applied `index`, false after `delayMs` or when the loop ends. */
  waitApplied(index: number, delayMs: number): Promise<boolean> {
    if (this.#state !== 'stopped') return this.#applied.wait(index, delayMs);
    return Promise.resolve(this.#replica.appliedIndex >= index);
  }

  /** The refusal of a write or a fresh read: it names who is missing, why this member is idle, or that the agent is stopping. */
  noQuorum(): ShoalError {
    if (this.#state === 'idle' && this.#deps.idle !== undefined) return this.#deps.idle;
    return this.isRunning ? this.#quorum.refusal() : stopping();
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

  /** Leader: hands leadership to a voter. The outcome shows in `status`. */
  transferLeadership(to: RaftId): void {
    this.#guard(() => this.#core?.transferLeadership(to));
    this.#wake();
  }

  // --- For peers (RaftHandlers) --------------------------------------------------------------------------------------

  onMessage(message: PeerMessage): void {
    if (!this.#isLive() || message.to !== this.#raftId || message.from === this.#raftId) return;
    this.#quorum.heard(message.from);
    if (isDigestMessage(message)) {
      if (this.#core !== undefined && this.#handshake.hasAnswered(message.from))
        this.#guard(() => this.#comparison.onMessage(message));
    } else if (isHello(message)) {
      if (message.type === 'Hello') this.#comparison.soon();
      this.#guard(() => {
        for (const held of this.#handshake.onHello(message)) this.#take(held);
      });
    } else if (this.#handshake.admits(message)) this.#guard(() => this.#take(message));
  }

  onUnreachable(peer: RaftId): void {
    if (!this.#isLive()) return;
    this.#guard(() => this.#core?.reportUnreachable(peer));
  }

  onGone(peer: RaftId): void {
    this.#quorum.refused(peer);
    this.#guard(() => this.#succession.begin(peer));
    this.#wake();
  }

  async propose(command: Command, signal?: AbortSignal, from?: RaftId): Promise<TransactionOutcome> {
    await this.#untilAnswered(signal);
    const outcome = await this.proposeEncoded(encodeCommand(command), signal).catch((error: unknown) => {
      throw signal?.aborted ? error : passedOn(error);
    });
    // The peer waits until it has applied this, too; nobody else does.
    this.#heldCommits.flush(from);
    return outcome;
  }

  /** Commits an encoded command of this node's own. Throws as `propose` does. */
  proposeEncoded(data: Uint8Array, signal?: AbortSignal): Promise<TransactionOutcome> {
    try {
      this.#mustLead();
      this.#mustAgree();
      if (this.route() === undefined) {
        markLeaderWithoutAQuorum();
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
    await this.#untilAnswered(signal);
    this.#mustAgree();
    if (this.route() === undefined) throw this.noQuorum();
    const promise = this.#reads.add();
    this.#wake();
    const index = await promise.catch((error: unknown) => {
      throw passedOn(error);
    });
    // A member that asks for another agent waits until that one has applied so much.
    this.#heldCommits.flush(from);
    return index;
  }

  snapshot(...[peer, request, signal]: Parameters<RaftHandlers['snapshot']>): ReturnType<RaftHandlers['snapshot']> {
    return this.#cache.serve(peer, request, signal);
  }

  /**
   * Leader: waits while its voters are silent and not known to be lost. Throws `NOT_LEADER`, `CANCELLED` when the caller
   * has given up, `UNAVAILABLE` when this agent stops: another may answer.
   */
  async #untilAnswered(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      try {
        this.#mustLead();
      } catch (error) {
        throw passedOn(error);
      }
      if (this.#quorum.outlook !== 'awaited') return;
      markLeaderWaitsForItsVoters();
      await this.changed(this.options.patienceMs);
    }
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
      const isSlow = this.#inbox.length > 1 && buggifyOneMessageATurn();
      const inbox = isSlow ? this.#inbox.slice(0, 1) : this.#inbox;
      this.#inbox = isSlow ? this.#inbox.slice(1) : [];
      if (isSlow) this.#wake();
      for (const message of inbox) {
        const refusal = core.step(message);
        if (refusal !== undefined)
          this.#deps.logger.debug({ refusal, type: message.type, from: message.from }, 'message refused');
      }
      this.#proposals.giveTo(core);
      this.#reads.giveTo(core, this.#deps.clock.monotonicMs());
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
        const { term } = core.raft;
        this.#deps.logger.info({ leader, role, term }, 'leadership');
        this.#deps.observer?.role?.({ leader, role, term });
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
    this.#repair.liftIfRepaired(core);
  }

  #tick(): void {
    this.#tickCount += 1;
    this.#quorum.tick();
    const core = this.#core;
    const { quarantine } = this.#store;
    // Such a node does not campaign, and campaigning is all that a follower's ticks are for.
    const mayCampaign = quarantine === undefined && this.#store.shed === undefined;
    if (core !== undefined && (mayCampaign || this.isLeader)) core.tick();
    if (!this.isResting && (this.route() === undefined || this.#tickCount <= this.options.electionTicks)) {
      // Who else is there? The answers tell whom to name, and a fresh start asks what the others remember.
      this.#handshake.greetAll();
    }
    this.#expire();
    this.#comparison.tick(this.isLeader && quarantine === undefined, this.isCaughtUp);
    this.#readRowsAgain();
    this.#cache.tick();
    this.#changes.tell();
    if (this.#tickCount % rememberTicks === 0 || buggifyRememberNow()) {
      this.#handshake.remember();
    }
    if (!buggifyFlushLater()) this.#background(this.#store.flush());
    const isReplaced = this.#receiver.isInstalling || this.#shedding.isUnderWay;
    const compacted = isReplaced ? undefined : this.#compaction.beginIfLarge();
    if (compacted !== undefined) this.#background(compacted);
    // A quarantine is lifted by a turn, whatever else there is to do.
    if (core?.hasReady() === true || quarantine !== undefined) this.#wake();
  }

  #expire(): void {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#proposals.expire(nowMs - this.options.outcomeTimeoutMs, 'It took too long.');
    if (this.#quorum.outlook !== 'lost') return;
    this.#proposals.expire(nowMs - this.options.lossPatienceMs, 'Too few voters answer.');
    // Who is no member sees no quorum for as long as it runs; an error, with its stack, is not made for nobody.
    if (this.#reads.count > 0) this.#reads.fail(this.noQuorum(), nowMs - this.options.lossPatienceMs, true);
  }

  // --- 1. Append and sync, then 2. send ------------------------------------------------------------------------------

  /** Stores what one message of the core asks for, and hands out its responses once that is durable. */
  #persist(message: Message): void {
    if (this.#receiver.hold(message)) return;
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
        failpointRaftLoopSyncedNotSent();
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
    if (message.snapshot !== null) this.#cache.told(message.to);
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
    let left = buggifyApplyOne() ? Math.min(1, entriesMax) : entriesMax;
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
    this.#comparison.applied();
  }

  #applyLater(): void {
    markApplyPutOff();
    this.#isApplyDue = true;
    this.#defer(() => {
      this.#isApplyDue = false;
      // A quarantine may have begun meanwhile: what was to be applied has gone with the core.
      if (this.#core !== undefined) this.#guard(() => this.#apply(appliedPerTurnMax));
    });
  }

  #applyEntry(core: RawNode, entry: Entry): void {
    const applied = this.#replica.apply(core, entry);
    if (applied === undefined) return;
    this.#hub.publish(entry.index, applied.events);
    this.#proposals.applied(entry.index, entry.term, applied.outcome);
  }

  // --- Peers and the core --------------------------------------------------------------------------------------------

  #take(message: Message): void {
    const core = this.#core;
    if (core === undefined || !this.#handshake.believes(message, core)) return;
    this.#quorum.spoke(message.from);
    if (message.type === 'MsgSnap') {
      this.#onSnapshotOffer(message);
      return;
    }
    if (this.#inbox.length >= inboxMax) return;
    this.#inbox.push(message);
    this.#wake();
  }

  #resumeAboveFence(): void {
    if (!this.#isLive()) return;
    markTermFenceRaised();
    failpointQuarantineFenceRaised();
    // A core that began on what a snapshot is just replacing would know another log than the disk holds.
    if (!this.#receiver.isInstalling && !this.#shedding.isUnderWay) this.#restartCore();
  }

  /** A new core, on what is on disk now. */
  #restartCore(): void {
    this.#makeCore();
    this.#handshake.greetAll();
    this.#wake();
  }

  #coreAfterShedding(): void {
    // A peer may have found meanwhile that the log was less than it was: its term fence makes the core then.
    if (this.#store.quarantine?.raisedTerm !== 0) this.#makeCore();
    this.#changes.tell();
  }

  #makeCore(): void {
    const { random, logger } = this.#deps;
    this.#core = makeCore({
      raftId: this.#raftId,
      options: this.options,
      random,
      logger,
      store: this.#store,
      replica: this.#replica,
      cache: this.#cache,
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

  // --- Snapshots -----------------------------------------------------------------------------------------------------

  /** The leader offers a snapshot: its content is fetched first, then the core hears of it. */
  #onSnapshotOffer(message: Message): void {
    const state = this.#receiver.offered(message, this.#replica.appliedIndex);
    if (state === 'here') this.#offerFetched();
    if (state !== 'past') return;
    // Nothing to fetch; the core answers with what it has.
    this.#inbox.push(message);
    this.#wake();
  }

  #offerFetched(): void {
    const core = this.#core;
    // One after the other: the end of an install looks again.
    if (core === undefined || this.#receiver.isInstalling) return;
    const offer = this.#receiver.takeOffer();
    if (offer === undefined) return;
    core.step(offer);
    this.#turn();
    // Not taken: something newer has come meanwhile.
    const unwanted = this.#receiver.takeUnwanted();
    if (unwanted !== undefined) this.#background(unwanted.install.abandon());
  }

  #install(core: RawNode, message: Message, snapshot: Snapshot, hardState: HardState | undefined): void {
    const fetched = this.#receiver.begin(snapshot);
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
    await this.#store.synced();
    failpointInstallBeforeCommit();
    // A quarantine may have begun meanwhile and have raised the term fence: what the old core knew of terms and votes
    // is void.
    await fetched.install.commit(fetched.place, fetched.machine.digest, this.#core === core ? hardState : undefined);
    failpointInstallCommitted();
    markSnapshotInstalled();
    const { place } = fetched;
    const events = this.#replica.replaceWith(fetched.machine, place);
    this.#deps.logger.info({ index: place.index, term: place.term }, 'a snapshot was installed');
    this.#deps.observer?.installed?.(place, this.reader);
    if (!this.#isLive()) return;
    this.#guard(() => {
      this.#hub.publishSnapshot(place.index, events);
      this.#proposals.skippedTo(place.index);
      const { behind, offer } = this.#receiver.end();
      if (this.#core !== core) {
        // The term fence is durable and waited for this; one that is still being written resumes by itself.
        if (this.#store.quarantine?.raisedTerm !== 0) this.#restartCore();
        return;
      }
      // Entries that came behind the snapshot, then its responses.
      this.#persist({ ...message, snapshot: null });
      for (const next of behind) this.#persist(next);
      this.#applied.tell();
      this.#changes.tell();
      this.#turn();
      if (offer !== undefined) this.#onSnapshotOffer(offer);
    });
  }

  /** For a host that is no member any more: lets go of log and state. It does so only when this node may do it now. */
  get shedding(): Pick<Shedding, 'run' | 'isDone'> {
    return this.#shedding;
  }

  // --- The state against that of the others, and against its own rows ------------------------------------------------

  /** Throws `STATE_DIVERGED` while no majority of the replicas holds one state. */
  #mustAgree(): void {
    const { disagreement } = this.#comparison;
    if (disagreement !== undefined) throw new ShoalError('STATE_DIVERGED', disagreement);
  }

  /**
   * A majority holds another state: this one is not to be served any longer, and not to be read again. That is noted,
   * and the process ends; the next start begins quarantined and without a state, and fetches that of the others
   * (store/log/recovery.ts).
   */
  #giveUpState(detail: string): void {
    if (this.#core === undefined) return;
    this.#deps.logger.error(
      { reason: 'state-diverged', detail },
      'this replica differs from the majority; it is discarded and fetched from the others',
    );
    this.#deps.observer?.quarantined?.({ reason: 'state-diverged', detail });
    this.#dropCore();
    this.#background(
      this.#store.setQuarantine({ reason: 'state-diverged', detail, raisedTerm: 0 }).then(() => {
        failpointStateGivenUp();
        this.#fatal(new ShoalError('STATE_DIVERGED', detail));
      }),
    );
  }

  #isFetching(member: RaftId): boolean {
    return this.#core?.status().members.some(({ id, state }) => id === member && state === 'snapshot') ?? false;
  }

  /**
   * No majority can say which state is right. A replica that went wrong in memory has other rows on disk, or rows without
   * the digest noted beside them, and a start finds that out (store/log/recovery.ts). One that has just started has nothing
   * new to find.
   */
  #readStateAgain(revision: number, isNews: boolean): void {
    if (this.#tickCount < rereadTicksMin) return;
    // The rows of that revision have come from disk already.
    if (!isNews && revision <= this.#replica.startIndex) return;
    markUndecidedStateReadAgain();
    throw new ShoalError(
      'STATE_DIVERGED',
      'No state is held by a majority of the replicas: this one starts again, to read its own from disk once more.',
    );
  }

  /** What is wrong in memory is right on disk, as far as the next start finds it so. */
  #readRowsAgain(): void {
    const found = this.#scrub.tick();
    if (found === undefined) return;
    markRowsChangedInMemory();
    throw new ShoalError(
      'STATE_DIVERGED',
      `The rows of the state at ${found.revision} have the digest ${digestText(found.found)} in memory, not ` +
        `${digestText(found.kept)}: memory was changed behind the agent's back. It must start again.`,
    );
  }

  // --- Ends ----------------------------------------------------------------------------------------------------------

  #mustLead(): void {
    const raft = this.#core?.raft;
    if (this.#state !== 'running') throw stopping();
    if (raft === undefined || raft.role !== 'leader') throw notLeader(raft?.leader ?? nobody);
  }

  /** Lets something run on its own; its failure ends the loop. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (this.#isLive()) this.#fatal(error);
    });
  }

  #fatal(error: unknown): void {
    if (!this.#isLive()) return;
    this.#deps.logger.error({ error }, 'consensus failed; the agent must stop');
    this.#end(ShoalError.from(error, 'STORE_FAILED'));
    this.#background(this.#store.abandon());
    this.#deps.onFatal(error);
  }

  /** Returns false when it had ended before. */
  #end(reason: ShoalError): boolean {
    if (this.#state === 'stopped') return false;
    this.#state = 'stopped';
    this.#quorum.close();
    this.#timer?.cancel();
    this.#succession.stop();
    this.#deps.transport.attach(undefined);
    this.#receiver.stop(reason);
    this.#cache.close();
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

/** What a peer, or who may ask a peer, is told of this agent's end: nothing was done, and another agent may do it. */
function passedOn(error: unknown): unknown {
  if (!ShoalError.is(error, 'CANCELLED')) return error;
  return new ShoalError('UNAVAILABLE', error.message, { facts: error.facts, cause: error });
}

function hardStateOf({ term, vote, commit }: Message): HardState | undefined {
  return term === 0 && vote === nobody && commit === 0 ? undefined : { term, vote, commit };
}
