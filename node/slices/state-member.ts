/**
 * Whether this host holds a replica of the state or a slice. The leader's autopilot decides, by who is a member of the Raft
 * group; this follows: a host that is made a learner takes up the replica once it has caught up with the slice, one that is a
 * member no more takes up a slice once that has caught up with the replica. Those who use the state see it advance meanwhile.
 *
 * The Raft loop runs on all hosts: on one that is no member it says nothing, and hears the leader when that makes it one. What
 * such a host still has of a replica it sheds after a while, and its slice where it holds a replica.
 */
import type { Clock, Timer } from '../base/clock.ts';
import type { RaftId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { RaftStateClient } from '../consensus/client/state-client.ts';
import type { RaftLoop } from '../consensus/loop/loop.ts';
import type { RaftTransport } from '../consensus/transport/transport.ts';
import type { ClusterStatus, StateClient } from '../state/types.ts';
import { RequestQueue } from './request-queue.ts';
import type { SliceChannel } from './slice-channel.ts';
import type { SliceReplica } from './slice-replica.ts';
import { SwitchedState } from './switched-state.ts';

/** How often is looked what this host is to hold. Unit: ms. */
const lookMs = 500;
/** A member to which no leader has spoken for so long asks another replica whether it is one yet. Unit: ms. */
const silentMs = 3_000;
/** How long that may take. Unit: ms. */
const askMs = 2_000;

/**
 * A host that is no member, reads its slice and has heard no leader for so long sheds what it held as a member: longer than
 * any message is on its way, and than a membership that changes back and forth takes. Unit: ms.
 */
const shedAfterMs = 30_000;

interface StateMemberDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly loop: RaftLoop;
  readonly transport: RaftTransport;
  readonly channel: SliceChannel;
  /** Makes the slice of this host. Called once for each time that it comes to hold one. */
  readonly slice: () => Promise<SliceReplica>;
  /** The revision of the slice that an earlier process of this host has kept; 0: none. */
  readonly keptRevision: () => Promise<number>;
  /** A new name that no other client has. */
  readonly uniqueName: () => string;
  readonly onFatal: (error: unknown) => void;
}

/** See above. */
export class StateMember implements Service {
  readonly state: SwitchedState;
  readonly #deps: StateMemberDeps;
  readonly #replica: StateClient;
  #slice: { readonly replica: SliceReplica; readonly client: StateClient } | undefined;
  /** The slice is what is used. */
  #isSliced = false;
  /** Since when. Unit: ms of the monotonic clock. */
  #slicedMs = 0;
  #timer: Timer | undefined;
  #changing: Promise<void> | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isStopping = false;

  constructor(deps: StateMemberDeps) {
    this.#deps = deps;
    this.#replica = new RaftStateClient({ ...deps, uniqueName: deps.uniqueName() });
    this.state = new SwitchedState(this.#replica);
    this.#askedMs = deps.clock.monotonicMs();
  }

  /** This host's number in the Raft group, member or not. */
  get raftId(): RaftId {
    return this.#deps.loop.raftId;
  }

  /** Whether the state here is a replica's. */
  get isReplica(): boolean {
    return !this.#isSliced;
  }

  /** The slice, while one is used. */
  get slice(): SliceReplica | undefined {
    return this.#isSliced ? this.#slice?.replica : undefined;
  }

  /** The replica's state alone: for those who serve it to others. */
  get replicaState(): StateClient {
    return this.#replica;
  }

  /** After the Raft loop has started. On a host that is no member, the state is usable once `slice.ready` says so. */
  async start(): Promise<void> {
    // One that was removed while it was away has a log in which it is a member still: its slice is newer then.
    const isBehind = (await this.#deps.keptRevision()) > this.#replica.local.revision;
    // A log that is being repaired may be a voter's, whatever is left of it says: the leader gives it a state again.
    const isOutside = !this.#isMember() && this.#deps.loop.quarantine === undefined;
    if (isOutside || isBehind) {
      const slice = await this.#open();
      this.#sliceIsUsed();
      // One that may be a member still is repaired by the others.
      this.#deps.loop.isResting = isOutside;
      this.state.switchTo(slice.client, { terms: [], before: this.#replica.local, after: slice.client.local });
    }
    this.#timer = this.#deps.clock.setInterval(() => this.#look(), lookMs);
  }

  /** Resolves true once the state can be used: a slice has what the host needs. False: not within `delayMs`. */
  async ready(delayMs: number): Promise<boolean> {
    return this.slice === undefined || (await this.slice.ready(delayMs));
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#timer?.cancel();
    await this.#slice?.replica.stop();
    await this.#changing;
  }

  #look(): void {
    if (this.#changing !== undefined || this.#isStopping) return;
    const change = this.#isSliced ? (this.#promoted() ?? this.#sheds()) : this.#dismissed();
    if (change === undefined) return;
    this.#changing = change.catch(this.#deps.onFatal).finally(() => {
      this.#changing = undefined;
    });
  }

  // --- From a slice to a replica -------------------------------------------------------------------------------------

  #promoted(): Promise<void> | undefined {
    const { loop, logger } = this.#deps;
    const slice = this.#slice;
    if (slice === undefined || !this.#isMember() || loop.route() === undefined) return undefined;
    if (this.#replica.local.revision < slice.client.local.revision) return undefined;
    logger.info({ revision: this.#replica.local.revision }, 'this host holds a replica of the state now');
    loop.isResting = false;
    this.#isSliced = false;
    this.#slice = undefined;
    const { terms, bare } = slice.replica;
    this.state.switchTo(this.#replica, { terms, before: bare, after: this.#replica.local });
    return slice.replica.retire();
  }

  // --- From a replica to a slice -------------------------------------------------------------------------------------

  #dismissed(): Promise<void> | undefined {
    const { loop, clock } = this.#deps;
    const nowMs = clock.monotonicMs();
    const { confState } = loop;
    if (confState.voters.length === 0) return undefined;
    if (!this.#isMember()) return this.#takeSlice();
    if (loop.leaderSilentMs < silentMs || nowMs - this.#askedMs < silentMs) return undefined;
    this.#askedMs = nowMs;
    return this.#askWhetherMember();
  }

  /** The leader speaks no more to one that it has removed: another replica knows. */
  async #askWhetherMember(): Promise<void> {
    const { loop, logger } = this.#deps;
    const peers = [...loop.confState.voters, ...loop.confState.learners].filter((id) => id !== loop.raftId);
    for (const peer of peers) {
      if (this.#isStopping) return;
      const status = await this.#statusOf(peer);
      if (status === undefined || status.quorum !== 'answers' || status.appliedIndex < loop.commitIndex) continue;
      if (status.isJoint || [...status.voters, ...status.learners].includes(loop.raftId)) return;
      logger.info({ told: peer }, 'this host is no member of the Raft group any more');
      return this.#takeSlice();
    }
  }

  async #statusOf(peer: RaftId): Promise<ClusterStatus | undefined> {
    const { channel, clock } = this.#deps;
    const requests = new RequestQueue<{ kind: 'subscribe'; held: []; asked: []; revision: 0; termsNumber: 0 }>();
    requests.push({ kind: 'subscribe', held: [], asked: [], revision: 0, termsNumber: 0 });
    const stop = new AbortController();
    const timer = clock.setTimeout(() => stop.abort(), askMs);
    try {
      for await (const reply of channel.subscribe(peer, requests, stop.signal)) {
        if (reply.kind === 'status') return reply.status;
      }
    } catch {
      // It cannot be asked now; another may know.
    } finally {
      timer.cancel();
      requests.close();
      stop.abort();
    }
    return undefined;
  }

  async #takeSlice(): Promise<void> {
    const { loop, logger } = this.#deps;
    const slice = await this.#open();
    while (!this.#isStopping) {
      // Made a member again meanwhile.
      if (this.#isMember() && loop.leaderSilentMs < silentMs) {
        this.#slice = undefined;
        await slice.replica.stop();
        return;
      }
      if (slice.replica.isReady && slice.client.local.revision >= this.#replica.local.revision) break;
      await slice.replica.changed(lookMs);
    }
    if (this.#isStopping) return;
    logger.info({ revision: slice.client.local.revision }, 'this host holds a slice of the state now');
    loop.isResting = true;
    this.#sliceIsUsed();
    const { terms, bare } = slice.replica;
    this.state.switchTo(slice.client, { terms, before: this.#replica.local, after: bare });
  }

  #sliceIsUsed(): void {
    this.#isSliced = true;
    this.#slicedMs = this.#deps.clock.monotonicMs();
  }

  // --- Letting go of the replica beneath a slice ---------------------------------------------------------------------

  #sheds(): Promise<void> | undefined {
    const { loop, clock } = this.#deps;
    const slice = this.#slice;
    if (slice === undefined || loop.shedding.isDone || clock.monotonicMs() - this.#slicedMs < shedAfterMs)
      return undefined;
    if (loop.leaderSilentMs < shedAfterMs || !this.#isOutside(slice.replica)) return undefined;
    // What the guests' tasks go by is at least as new, and on disk.
    if (!slice.replica.isReady || slice.replica.durableRevision < this.#replica.local.revision) return undefined;
    return loop.shedding.run().then(() => undefined);
  }

  /** By its own log, or by what the replica that feeds the slice says, which is newer than all that the log has committed. */
  #isOutside(slice: SliceReplica): boolean {
    if (!this.#isMember()) return true;
    const { loop } = this.#deps;
    const { quorum, isJoint, voters, learners, appliedIndex } = slice.status();
    if (slice.feeder === undefined || quorum !== 'answers' || isJoint || appliedIndex < loop.commitIndex) return false;
    return ![...voters, ...learners].includes(loop.raftId);
  }

  async #open(): Promise<{ readonly replica: SliceReplica; readonly client: StateClient }> {
    const replica = await this.#deps.slice();
    const { transport, clock, uniqueName } = this.#deps;
    const client = new RaftStateClient({ loop: replica, transport, clock, uniqueName: uniqueName() });
    this.#slice = { replica, client };
    await replica.start();
    return this.#slice;
  }

  #isMember(): boolean {
    const { confState, raftId } = this.#deps.loop;
    const { voters, votersOutgoing, learners, learnersNext } = confState;
    return [voters, votersOutgoing, learners, learnersNext].some((ids) => ids.includes(raftId));
  }
}
