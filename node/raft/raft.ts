/**
 * The consensus state machine (Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", and
 * Ongaro's thesis for membership, pre-vote, transfer and reads), in the seams of etcd-io/raft so that its scenarios run
 * against it. It has no clock, no I/O, no promise and no randomness of its own: ticks and messages go in, its fields
 * change, and messages come out in two lists. `messages` may be sent at once. `messagesAfterAppend` speak of state that
 * is not on disk yet (votes, acknowledgements), including to this very node, which counts its own vote and its own
 * acknowledgement only when they are durable. raw-node.ts turns both into `Ready`.
 */
import { assert } from '../base/assert.ts';
import type { RaftId } from '../base/ids.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { asV2, type ConfChange, type ConfChangeV2, entersJoint, leavesByItself, leavesJoint } from './conf-change.ts';
import { decodeConfChangeV1, decodeConfChangeV2 } from './conf-change-codec.ts';
import type { CheckedRaftConfig } from './config.ts';
import type { InflightLimits } from './inflights.ts';
import {
  changeDirectly,
  confStateOf,
  enterJoint,
  leaveJoint,
  type Membership,
  type MembershipResult,
  type ProgressMap,
  restoreMembership,
} from './membership.ts';
import {
  assertInRange,
  type ConfState,
  type Entry,
  entriesBytes,
  type HardState,
  isEmptyHardState,
  isLocalThread,
  type LogIndex,
  type Message,
  type MessageFields,
  newMessage,
  noBytes,
  nobody,
  payloadBytes,
  type Snapshot,
  type Term,
} from './messages/messages.ts';
import { Progress } from './progress.ts';
import { ReadIndexQueue, type ReadState } from './read-index.ts';
import type { Role, SoftState } from './ready.ts';
import type { Refusal } from './refusal.ts';
import { type EntryId, RaftLog } from './storage/log.ts';
import { Tracker } from './tracker.ts';

/** `transfer`: the leader asked for it, so voters need not wait for its lease to run out. */
type CampaignKind = 'preElection' | 'election' | 'transfer';

/** The context of a vote request that a leader's transfer has caused. */
const transferContext = Uint8Array.from('CampaignTransfer', (letter) => letter.charCodeAt(0));

/** How much of the log is looked through at once for conf changes not yet applied. Unit: bytes. */
const scanBytes = 1024 * 1024;

/** Heartbeats carry the leader's tick in front of the read's context when it serves lease reads. Unit: bytes. */
const leaseStampBytes = 8;

/** The core itself. Owners use `RawNode`, which checks what comes in and turns the fields here into work. */
export class Raft {
  readonly id: RaftId;
  readonly log: RaftLog;
  readonly tracker = new Tracker();

  term: Term = 0;
  /** Who got this node's vote in `term`. */
  vote: RaftId = nobody;
  role: Role = 'follower';
  /** The leader of `term`, as far as known. */
  leader: RaftId = nobody;
  /** To whom leadership is being handed; proposals are refused meanwhile. */
  leadTransferee: RaftId = nobody;
  /** Whether this node is a member that does not vote. */
  isLearner = false;

  /** May be sent at once. Emptied by the sender (raw-node.ts). */
  messages: Message[] = [];
  /** May be sent, or stepped when to this node, once all that is unstable now is durable. Emptied likewise. */
  messagesAfterAppend: Message[] = [];
  /** Reads that were answered. Emptied by the reader (raw-node.ts). */
  readStates: ReadState[] = [];

  /** Ticks until the next campaign are counted against this; drawn at each change of term or role. Unit: ticks. */
  randomizedElectionTicks = 0;

  readonly #config: CheckedRaftConfig;
  readonly #logger: Logger;
  readonly #limits: InflightLimits;
  readonly #leaseReads: boolean;
  readonly #reads = new ReadIndexQueue();
  /** Reads that came before this leader committed an entry of its own term; until then its commit index may be old. */
  #earlyReads: Message[] = [];

  /** Follower: since the leader was heard or a vote cast. Leader: since the last quorum check. Unit: ticks. */
  #electionElapsed = 0;
  /** Since the last heartbeat was sent. Unit: ticks. */
  #heartbeatElapsed = 0;
  /** Since this object was made. Never reset, so stamps of one run can be compared. Unit: ticks. */
  #tickCount = 0;
  /** Some follower was told that it may campaign at once; from then on no lease of this term means anything. */
  #leaseGivenAway = false;
  /**
   * Under lease reads no vote is cast before this tick, unless the leader hands over. Each message of a leader extends
   * the promise, and it stands when the leader is forgotten for whatever reason. A restarted node has forgotten its
   * promises and so keeps the longest that it can have made.
   */
  #voteNotBeforeTick = 0;
  /** A snapshot that came while entries were being applied; taken when they are. The last one to come wins. */
  #heldSnapshot: Message | undefined;
  /** Whether this object began without a stored term. */
  readonly #beganEmpty: boolean;

  /**
   * Leader: no new conf change is appended while this index is not applied. It may point at a conf change that was
   * already there when the leadership began, or at none: conservative, never wrong.
   */
  #pendingConfIndex: LogIndex = 0;
  /** Leader: the index of its first entry. Once that is committed, so is all that earlier leaders have acknowledged. */
  #firstOwnIndex: LogIndex = 0;
  /** Leader: payload appended in this term and not yet applied. An estimate from below. Unit: bytes. */
  #uncommittedBytes = 0;

  constructor(config: CheckedRaftConfig) {
    this.#config = config;
    this.#logger = config.logger;
    this.id = config.id;
    this.#limits = { messagesMax: config.maxInflightMessages, bytesMax: config.maxInflightBytes };
    this.#leaseReads = config.readMode === 'lease-based';
    this.log = new RaftLog(config.storage, config.maxCommittedBytesPerReady);

    const { hardState, confState } = config.storage.initialState();
    const restored = restoreMembership(confState, this.#newProgress);
    this.#setMembership(restored.membership, restored.progress);
    if (!isEmptyHardState(hardState)) this.#loadHardState(hardState);
    // A node that has stored no term has promised nothing, so there is nothing that it could have forgotten.
    this.#beganEmpty = hardState.term === 0;
    if (this.#leaseReads && !this.#beganEmpty) this.#voteNotBeforeTick = config.electionTicks;
    if (config.applied > 0) {
      // What is applied was committed, though the stored commit index, which need not be synced, may not say so.
      this.log.commitTo(config.applied);
      this.log.appliedTo(config.applied, 0);
    }
    this.#becomeFollower(this.term, nobody);
  }

  // --- What the owner asks -----------------------------------------------------------------------------------------

  get softState(): SoftState {
    return { leader: this.leader, role: this.role };
  }

  get hardState(): HardState {
    return { term: this.term, vote: this.vote, commit: this.log.committed };
  }

  /** One tick of the owner's clock has passed. */
  tick(): void {
    this.#tickCount++;
    if (this.role === 'leader') this.#tickLeader();
    else this.#tickFollower();
  }

  /** Starts an election, through a pre-vote when that is configured. Nothing happens on a leader or a non-voter. */
  campaign(): void {
    if (this.#tickCount < this.#voteNotBeforeTick && !this.tracker.isOnlyVoter(this.id)) {
      // A candidate votes for itself, and a leader may be answering reads on the promise that nobody votes.
      this.#logger.info({ id: this.id, leader: this.leader }, 'not campaigning while the leader holds a lease');
      return;
    }
    this.#hup(this.#config.preVote ? 'preElection' : 'election');
  }

  /** Appends `entries` if this node leads, else passes them on to the leader. */
  propose(entries: readonly Entry[]): Refusal | undefined {
    return this.step(newMessage({ type: 'MsgProp', from: this.id, entries }));
  }

  /** Follower: forget who leads, and so be free to vote, without a change of term. */
  forgetLeader(): void {
    if (this.role !== 'follower' || this.leader === nobody) return;
    if (this.#leaseReads) {
      this.#logger.warn({ id: this.id, leader: this.leader }, 'not forgetting a leader that may serve lease reads');
      return;
    }
    this.#logger.info({ id: this.id, leader: this.leader, term: this.term }, 'forgetting the leader');
    this.leader = nobody;
  }

  /** A message to `id` could not be delivered: what was streamed to it may be lost. */
  reportUnreachable(id: RaftId): void {
    const progress = this.role === 'leader' ? this.tracker.get(id) : undefined;
    if (progress?.state === 'replicate') progress.becomeProbe();
  }

  /** The snapshot that was sent to `id` has arrived or failed. */
  reportSnapshot(id: RaftId, arrived: boolean): void {
    const progress = this.role === 'leader' ? this.tracker.get(id) : undefined;
    if (progress?.state !== 'snapshot') return;
    if (!arrived) progress.pendingSnapshot = 0;
    progress.becomeProbe();
    // Arrived: the follower's own acknowledgement says where to go on. Failed: wait a heartbeat before trying again.
    progress.paused = true;
  }

  /** A committed conf change is applied: the membership changes. Returns the new one. */
  applyConfChange(change: ConfChangeV2): ConfState {
    const result = this.#membershipAfter(change);
    assert(result.ok, () => `a committed conf change cannot be applied: ${result.ok ? '' : result.refusal}`);
    return this.#switchMembership(result.membership, result.progress);
  }

  /** The state machine has applied up to `index`; `bytes` of what was handed out are done with. */
  appliedTo(index: LogIndex, bytes: number): void {
    const applied = Math.max(index, this.log.applied);
    this.log.appliedTo(applied, bytes);
    if (this.role !== 'leader' || !this.tracker.membership.autoLeave || applied < this.#pendingConfIndex) return;
    // The joint configuration is applied and nothing else is pending: propose to leave it. An empty entry cannot be
    // refused for its size; while leadership is being transferred it is, and each later entry applied tries again.
    const refusal = this.propose([{ term: 0, index: 0, type: 'confChangeV2', data: noBytes }]);
    this.#logger.info({ id: this.id, refusal }, 'leaving the joint configuration');
  }

  // --- Time --------------------------------------------------------------------------------------------------------

  #tickFollower(): void {
    this.#electionElapsed++;
    if (this.#electionElapsed < this.randomizedElectionTicks || !this.#isPromotable()) return;
    this.#electionElapsed = 0;
    this.#hup(this.#config.preVote ? 'preElection' : 'election');
  }

  #tickLeader(): void {
    this.#heartbeatElapsed++;
    this.#electionElapsed++;
    if (this.#electionElapsed >= this.#config.electionTicks) {
      this.#electionElapsed = 0;
      if (this.#config.checkQuorum) this.#checkQuorum();
      if (this.role !== 'leader') return;
      // The transferee had an election timeout to take over; then this leader serves again.
      this.leadTransferee = nobody;
    }
    if (this.#heartbeatElapsed >= this.#config.heartbeatTicks) {
      this.#heartbeatElapsed = 0;
      this.#broadcastHeartbeat(this.#reads.lastContext() ?? noBytes);
    }
  }

  #checkQuorum(): void {
    const self = this.tracker.get(this.id);
    if (self !== undefined) self.recentActive = true;
    if (!this.tracker.isQuorumActive()) {
      this.#logger.warn({ id: this.id, term: this.term }, 'no quorum was heard from; stepping down');
      this.#becomeFollower(this.term, nobody);
      return;
    }
    for (const [id, progress] of this.tracker.progress) if (id !== this.id) progress.recentActive = false;
  }

  // --- Roles -------------------------------------------------------------------------------------------------------

  #becomeFollower(term: Term, leader: RaftId): void {
    this.#reset(term);
    this.leader = leader;
    this.role = 'follower';
    this.#logger.debug({ id: this.id, term, leader }, 'follower');
  }

  #becomeCandidate(): void {
    assert(this.role !== 'leader', 'a leader campaigns');
    this.#reset(this.term + 1);
    this.vote = this.id;
    this.role = 'candidate';
    this.#logger.info({ id: this.id, term: this.term }, 'candidate');
  }

  #becomePreCandidate(): void {
    assert(this.role !== 'leader', 'a leader campaigns');
    // Term and vote stay: a pre-vote promises nothing.
    this.tracker.resetVotes();
    this.leader = nobody;
    this.role = 'preCandidate';
    this.#logger.info({ id: this.id, term: this.term }, 'pre-candidate');
  }

  #becomeLeader(): void {
    assert(this.role === 'candidate', () => `a ${this.role} becomes leader`);
    this.#reset(this.term);
    this.leader = this.id;
    this.role = 'leader';
    // This node's own log agrees with itself. Its `match` follows what is durable, like anybody's.
    const self = this.tracker.get(this.id);
    assert(self !== undefined, 'a non-member was elected');
    self.becomeReplicate();
    self.recentActive = true;
    // Some entry after the applied ones may be a conf change. Looking would cost a scan; assuming so costs a wait.
    this.#pendingConfIndex = this.log.lastIndex();
    this.#firstOwnIndex = this.log.lastIndex() + 1;
    // Older terms' entries commit only below one of this term (Raft paper, 5.4.2), so there is one at once.
    const appended = this.#append([{ term: 0, index: 0, type: 'normal', data: noBytes }]);
    assert(appended, 'the empty entry of a new leader was refused');
    this.#logger.info({ id: this.id, term: this.term }, 'leader');
  }

  /** What every change of term or role starts from. */
  #reset(term: Term): void {
    if (term !== this.term) {
      assertInRange(term, 'term');
      this.term = term;
      this.vote = nobody;
    }
    this.leader = nobody;
    this.#electionElapsed = 0;
    this.#heartbeatElapsed = 0;
    this.randomizedElectionTicks = this.#config.electionTicks + this.#config.random.below(this.#config.electionTicks);
    this.leadTransferee = nobody;
    this.#leaseGivenAway = false;
    this.tracker.resetVotes();
    const last = this.log.lastIndex();
    const progress = new Map<RaftId, Progress>();
    for (const [id, old] of this.tracker.progress) {
      const fresh = Progress.fresh({
        next: last + 1,
        isLearner: old.isLearner,
        recentActive: false,
        limits: this.#limits,
      });
      if (id === this.id) fresh.match = last;
      progress.set(id, fresh);
    }
    this.tracker.progress = progress;
    this.#pendingConfIndex = 0;
    this.#uncommittedBytes = 0;
    this.#reads.clear();
    this.#earlyReads = [];
  }

  /** Whether this node may be elected: a voter by what it knows, and not about to learn better from a snapshot. */
  #isPromotable(): boolean {
    const self = this.tracker.get(this.id);
    return self !== undefined && !self.isLearner && this.log.unstable.snapshot === null;
  }

  // --- Elections ---------------------------------------------------------------------------------------------------

  #hup(kind: CampaignKind): void {
    if (this.role === 'leader') return;
    if (!this.#isPromotable()) {
      this.#logger.warn({ id: this.id }, 'not a voter, cannot campaign');
      return;
    }
    if (this.#hasUnappliedConfChange()) {
      // With the old membership it could win an election that the new one would not grant.
      this.#logger.warn({ id: this.id, term: this.term }, 'cannot campaign before a conf change is applied');
      return;
    }
    this.#campaign(kind);
  }

  #hasUnappliedConfChange(): boolean {
    let low = this.log.applied + 1;
    while (low <= this.log.committed) {
      const entries = this.log.slice(low, this.log.committed + 1, scanBytes);
      assert(typeof entries !== 'string', () => `entries not yet applied are ${String(entries)}`);
      if (entries.some((entry) => entry.type !== 'normal')) return true;
      low += entries.length;
    }
    return false;
  }

  #campaign(kind: CampaignKind): void {
    const isPreVote = kind === 'preElection';
    if (isPreVote) this.#becomePreCandidate();
    else this.#becomeCandidate();
    // A pre-vote asks about the term that a real election would have.
    const term = isPreVote ? this.term + 1 : this.term;
    // With asynchronous writes the request leaves before the end of the log is durable, so it claims only what is: else
    // this node could lose that end with its power, ask again in the same term, and be elected by answers to the longer
    // log. Otherwise all is stored before the request leaves.
    const last = this.#config.asyncStorageWrites ? this.log.lastStableId() : this.log.lastEntryId();
    for (const id of this.tracker.membership.voters.ids) {
      if (id === this.id) {
        // Its own vote counts once it is durable, like any other.
        this.#sendAs(term, { type: isPreVote ? 'MsgPreVoteResp' : 'MsgVoteResp', to: id });
        continue;
      }
      this.#sendAs(term, {
        type: isPreVote ? 'MsgPreVote' : 'MsgVote',
        to: id,
        index: last.index,
        logTerm: last.term,
        context: kind === 'transfer' ? transferContext : noBytes,
      });
    }
  }

  #handleVoteRequest(message: Message): void {
    const isPreVote = message.type === 'MsgPreVote';
    const type = isPreVote ? 'MsgPreVoteResp' : 'MsgVoteResp';
    const mayVote =
      this.vote === message.from ||
      (this.vote === nobody && this.leader === nobody) ||
      (isPreVote && message.term > this.term);
    // A learner votes too: the candidate may know of its promotion while it does not (yet).
    if (mayVote && this.log.isUpToDate({ index: message.index, term: message.logTerm })) {
      // The request's term, which for a pre-vote is not this node's: the answer must reach the round it belongs to.
      this.#sendAs(message.term, { type, to: message.from });
      if (!isPreVote) {
        this.#electionElapsed = 0;
        this.vote = message.from;
      }
    } else {
      this.#rejectVote(message);
    }
  }

  /**
   * Says no, and up to where this node knows the log to be committed. A voter may hold entries that nobody will ever
   * commit, and itself be out of the membership by a change that the candidate has but does not know committed: the
   * candidate could not win and this node could not campaign, for ever. So told, the candidate commits, applies, and asks
   * again as a member of the membership that there is.
   */
  #rejectVote(request: Message): void {
    const term = this.log.term(this.log.committed);
    this.#sendAs(this.term, {
      type: request.type === 'MsgPreVote' ? 'MsgPreVoteResp' : 'MsgVoteResp',
      to: request.from,
      reject: true,
      context: typeof term === 'number' ? encodeEntryId({ index: this.log.committed, term }) : noBytes,
    });
  }

  /** A voter knows that `commit` is committed. When the same entry is here, it is committed here too. */
  #learnCommit(commit: EntryId | undefined): void {
    if (commit === undefined || !this.log.commitInTerm(commit.index, commit.term)) return;
    // The election under way asks the wrong members if the membership changes by what is now committed.
    if (this.#hasUnappliedConfChange()) this.#becomeFollower(this.term, nobody);
  }

  #handleVoteResponse(message: Message): void {
    if (message.reject) {
      const { role } = this;
      this.#learnCommit(decodeEntryId(message.context));
      if (this.role !== role) return;
    }
    this.tracker.recordVote(message.from, !message.reject);
    const { granted, rejected, result } = this.tracker.tally();
    this.#logger.debug({ id: this.id, from: message.from, granted, rejected, result }, 'vote');
    if (result === 'won') {
      if (this.role === 'preCandidate') {
        this.#campaign('election');
      } else if (this.tracker.hasVoteOf(this.id)) {
        // Only with its own vote, even when others are a quorum without it: that vote is counted when it is durable, and
        // a leader whose term is not could lose it with its power, and lead the same term again with other entries.
        this.#becomeLeader();
        this.#broadcastAppend();
      }
    } else if (result === 'lost') {
      // Not a new term: the voter that made this fail has told its own, if that is higher.
      this.#becomeFollower(this.term, nobody);
    }
  }

  /** Whether this node has promised somebody not to vote for another for now. */
  #isInLease(): boolean {
    if (this.#tickCount < this.#voteNotBeforeTick) return true;
    return this.#config.checkQuorum && this.leader !== nobody && this.#electionElapsed < this.#config.electionTicks;
  }

  // --- Messages ----------------------------------------------------------------------------------------------------

  /** Takes one message. Messages from this node's own threads and of term 0 count as its own word. */
  step(message: Message): Refusal | undefined {
    if (message.term > this.term) {
      if (!this.#enterHigherTerm(message)) return undefined;
    } else if (message.term !== 0 && message.term < this.term) {
      this.#answerLowerTerm(message);
      return undefined;
    }
    switch (message.type) {
      case 'MsgVote':
      case 'MsgPreVote':
        this.#handleVoteRequest(message);
        return undefined;
      case 'MsgStorageAppendResp':
        if (message.index !== 0) this.log.unstable.stableTo(message.index, message.logTerm);
        if (message.snapshot !== null) this.#snapshotStored(message.snapshot);
        return undefined;
      case 'MsgStorageApplyResp':
        this.#entriesApplied(message.entries);
        return undefined;
      default:
        break;
    }
    if (this.role === 'leader') return this.#stepLeader(message);
    if (this.role === 'follower') return this.#stepFollower(message);
    return this.#stepCandidate(message);
  }

  /** Follows a higher term. False when the message is to be ignored. */
  #enterHigherTerm(message: Message): boolean {
    if (message.type === 'MsgVote' || message.type === 'MsgPreVote') {
      if (this.#isInLease() && !equalBytes(message.context, transferContext)) {
        this.#logger.debug({ id: this.id, from: message.from, term: message.term }, 'no vote: a leader is alive');
        return false;
      }
    }
    // Neither a question about a future election nor a yes to one starts it.
    if (message.type === 'MsgPreVote') return true;
    if (message.type === 'MsgPreVoteResp' && !message.reject) return true;
    const fromLeader = message.type === 'MsgApp' || message.type === 'MsgHeartbeat' || message.type === 'MsgSnap';
    this.#becomeFollower(message.term, fromLeader ? message.from : nobody);
    return true;
  }

  #answerLowerTerm(message: Message): void {
    const { checkQuorum, preVote } = this.#config;
    if ((checkQuorum || preVote) && (message.type === 'MsgHeartbeat' || message.type === 'MsgApp')) {
      // A leader of an older term, which would otherwise never learn that this node has moved on: with a lease others
      // refuse this node's votes, with pre-vote it does not raise its term. This answer makes that leader step down.
      this.#send({ type: 'MsgAppResp', to: message.from });
    } else if (message.type === 'MsgPreVote') {
      // The candidate must learn the newer term, or two nodes could refuse each other for ever.
      this.#rejectVote(message);
    } else if (message.type === 'MsgStorageAppendResp' && message.snapshot !== null) {
      // Entries confirmed in an older term may have been replaced since. A snapshot is committed and stays true.
      this.#snapshotStored(message.snapshot);
    }
  }

  #stepLeader(message: Message): Refusal | undefined {
    switch (message.type) {
      case 'MsgProp':
        return this.#handleProposal(message);
      case 'MsgReadIndex':
        return this.#handleReadIndex(message);
      case 'MsgAppResp':
        this.#handleAppendResponse(message);
        return undefined;
      case 'MsgHeartbeatResp':
        this.#handleHeartbeatResponse(message);
        return undefined;
      case 'MsgTransferLeader':
        this.#handleTransfer(message.vote);
        return undefined;
      default:
        return undefined;
    }
  }

  #stepCandidate(message: Message): Refusal | undefined {
    switch (message.type) {
      case 'MsgProp':
        return 'proposal-dropped';
      case 'MsgReadIndex':
        return 'read-dropped';
      case 'MsgApp':
      case 'MsgHeartbeat':
      case 'MsgSnap':
        this.#becomeFollower(message.term, message.from);
        return this.#stepFollower(message);
      case 'MsgPreVoteResp':
        if (this.role === 'preCandidate') this.#handleVoteResponse(message);
        return undefined;
      case 'MsgVoteResp':
        if (this.role === 'candidate') this.#handleVoteResponse(message);
        return undefined;
      default:
        return undefined;
    }
  }

  #stepFollower(message: Message): Refusal | undefined {
    switch (message.type) {
      case 'MsgProp':
        if (this.leader === nobody || this.#config.disableProposalForwarding) return 'proposal-dropped';
        this.#sendAs(0, { type: 'MsgProp', to: this.leader, from: message.from, entries: message.entries });
        return undefined;
      case 'MsgReadIndex':
        if (this.leader === nobody) return 'read-dropped';
        this.#sendAs(0, { type: 'MsgReadIndex', to: this.leader, from: message.from, context: message.context });
        return undefined;
      case 'MsgTransferLeader':
        if (this.leader !== nobody) this.#send({ type: 'MsgTransferLeader', to: this.leader, vote: message.vote });
        return undefined;
      case 'MsgApp':
        this.#heardLeader(message.from);
        this.#handleAppend(message);
        return undefined;
      case 'MsgHeartbeat':
        this.#heardLeader(message.from);
        this.log.commitTo(message.commit);
        this.#answerHeartbeat(message);
        return undefined;
      case 'MsgSnap':
        this.#heardLeader(message.from);
        this.#handleSnapshot(message);
        return undefined;
      case 'MsgTimeoutNow':
        // The leader itself hands over: no pre-vote, and no waiting for anybody's lease.
        this.#hup('transfer');
        return undefined;
      case 'MsgReadIndexResp':
        this.readStates.push({ index: message.index, context: message.context });
        return undefined;
      default:
        return undefined;
    }
  }

  #answerHeartbeat(message: Message): void {
    const answer: MessageFields = { type: 'MsgHeartbeatResp', to: message.from, context: message.context };
    if (this.#leaseReads && this.#beganEmpty) {
      // It promises a lease. If power is lost now, only a stored term shows the next run that there was a promise.
      this.messagesAfterAppend.push(newMessage(answer, this.id, this.term));
    } else {
      this.#send(answer);
    }
  }

  #heardLeader(leader: RaftId): void {
    this.#electionElapsed = 0;
    this.leader = leader;
    if (this.#leaseReads) this.#voteNotBeforeTick = this.#tickCount + this.#config.electionTicks;
  }

  // --- Replication, follower's side --------------------------------------------------------------------------------

  #handleAppend(message: Message): void {
    if (message.index < this.log.committed) {
      // Old news. What is committed agrees with every leader's log.
      this.#send({ type: 'MsgAppResp', to: message.from, index: this.log.committed });
      return;
    }
    const previous: EntryId = { index: message.index, term: message.logTerm };
    const last = this.log.appendFromLeader(previous, message.entries, message.commit);
    if (last !== undefined) {
      this.#send({ type: 'MsgAppResp', to: message.from, index: last });
      return;
    }
    // Where the logs could agree at best: not behind our end, and at no entry of a term newer than the leader's there.
    const end = Math.min(message.index, this.log.lastIndex());
    const hint = this.log.findConflictByTerm(end, message.logTerm);
    this.#send({
      type: 'MsgAppResp',
      to: message.from,
      index: message.index,
      reject: true,
      rejectHint: hint.index,
      logTerm: hint.term,
    });
  }

  #handleSnapshot(message: Message): void {
    if (this.log.applying > this.log.applied) {
      // Entries are being applied, perhaps conf changes, and those belong to the membership before the snapshot.
      this.#heldSnapshot = message;
      return;
    }
    const restored = message.snapshot !== null && this.#restore(message.snapshot);
    this.#send({
      type: 'MsgAppResp',
      to: message.from,
      index: restored ? this.log.lastIndex() : this.log.committed,
    });
  }

  /** Takes a snapshot in place of the log. False when it brings nothing new or is not for this node. */
  #restore(snapshot: Snapshot): boolean {
    if (snapshot.index <= this.log.committed) return false;
    if (!isMember(snapshot.confState, this.id)) {
      // Never expected: leaders look first. As a non-member this node could not go on from there.
      this.#logger.warn({ id: this.id, index: snapshot.index }, 'a snapshot that does not list this node is ignored');
      return false;
    }
    if (this.log.matches(snapshot.index, snapshot.term)) {
      // The log has all that already; only that it is committed is new.
      this.log.commitTo(snapshot.index);
      return false;
    }
    this.log.restore(snapshot);
    const restored = restoreMembership(snapshot.confState, this.#newProgress);
    this.#switchMembership(restored.membership, restored.progress);
    const self = this.tracker.get(this.id);
    if (self !== undefined) self.acknowledge(snapshot.index);
    this.#logger.info({ id: this.id, index: snapshot.index, term: snapshot.term }, 'restoring from a snapshot');
    return true;
  }

  // --- Replication, leader's side ----------------------------------------------------------------------------------

  #handleProposal(message: Message): Refusal | undefined {
    if (message.entries.length === 0) return 'malformed-message';
    // A leader that was removed goes on until the others know, but takes nothing new.
    if (this.tracker.get(this.id) === undefined || this.leadTransferee !== nobody) return 'proposal-dropped';
    const entries = this.#checkConfChanges(message.entries);
    if (entries === undefined) return 'malformed-message';
    if (!this.#append(entries)) return 'proposal-dropped';
    this.#broadcastAppend();
    return undefined;
  }

  /**
   * Lets at most one conf change be pending, and none that could not be applied: once committed it would stop every node
   * that reaches it. With nothing pending, the present membership is the one it will meet. Refused changes become empty
   * entries, so that their proposer sees something happen. Undefined when the bytes are not a conf change at all.
   */
  #checkConfChanges(entries: readonly Entry[]): readonly Entry[] | undefined {
    if (entries.every((entry) => entry.type === 'normal')) return entries;
    const checked: Entry[] = [];
    // Changes only once all are decoded: a refused proposal leaves no trace.
    let pending = this.#pendingConfIndex;
    for (const entry of entries) {
      if (entry.type === 'normal') {
        checked.push(entry);
        continue;
      }
      const change: ConfChange | undefined =
        entry.type === 'confChange' ? decodeConfChangeV1(entry.data) : decodeConfChangeV2(entry.data);
      if (change === undefined) return undefined;
      const fits = pending <= this.log.applied && this.#membershipAfter(asV2(change)).ok;
      if (fits || this.#config.disableConfChangeValidation) {
        pending = this.log.lastIndex() + checked.length + 1;
        checked.push(entry);
      } else {
        this.#logger.info({ id: this.id, pending, applied: this.log.applied }, 'a conf change is refused');
        checked.push({ term: 0, index: 0, type: 'normal', data: noBytes });
      }
    }
    this.#pendingConfIndex = pending;
    return checked;
  }

  /** Appends this leader's own entries. False when too much is uncommitted. */
  #append(proposed: readonly Entry[]): boolean {
    const bytes = payloadBytes(proposed);
    // One proposal of any size is let through when nothing else waits, and an empty entry always is.
    const over = this.#uncommittedBytes + bytes > this.#config.maxUncommittedBytes;
    if (this.#uncommittedBytes > 0 && bytes > 0 && over) return false;
    this.#uncommittedBytes += bytes;
    const term = this.term;
    let index = this.log.lastIndex();
    const entries: Entry[] = [];
    for (const entry of proposed) entries.push({ term, index: ++index, type: entry.type, data: entry.data });
    this.log.append(entries);
    // This node's own acknowledgement counts once the entries are durable here.
    this.#send({ type: 'MsgAppResp', to: this.id, index });
    return true;
  }

  #handleAppendResponse(message: Message): void {
    const progress = this.tracker.get(message.from);
    if (progress === undefined) return;
    progress.recentActive = true;
    if (message.reject) {
      this.#handleAppendRejection(message, progress);
      return;
    }
    const wasNews = progress.acknowledge(message.index);
    // A repeat of what is known still brings a probed follower back to streaming: its log agrees up to there.
    if (!wasNews && !(progress.match === message.index && progress.state === 'probe')) return;
    if (progress.state === 'replicate') {
      progress.inflights.freeUpTo(message.index);
    } else if (progress.state === 'probe' || progress.match + 1 >= this.log.firstIndex()) {
      // After a snapshot, whichever one it was: what matters is that the log goes on from where the follower is.
      progress.becomeReplicate();
    }
    if (this.log.commitInTerm(this.tracker.committedIndex(), this.term)) {
      this.#answerEarlyReads();
      this.#broadcastAppend();
    } else if (message.from !== this.id && progress.canBumpCommit(this.log.committed)) {
      // It may not have heard of the newest commit index; the next heartbeat would tell it, this is sooner.
      this.#sendAppend(message.from, progress, true);
    }
    if (message.from === this.id) return;
    // Room may have come free for several messages.
    while (this.#sendAppend(message.from, progress, false)) {
      // Sent; try the next.
    }
    if (message.from === this.leadTransferee && progress.match === this.log.lastIndex()) {
      this.#sendTimeoutNow(message.from);
    }
  }

  #handleAppendRejection(message: Message, progress: Progress): void {
    // The follower's hint skips what it has in terms that the leader's entry there cannot have; the same from this side
    // skips what the leader has in terms newer than the follower's. A round trip then costs a term, not an entry.
    const hint =
      message.logTerm > 0 ? this.log.findConflictByTerm(message.rejectHint, message.logTerm).index : message.rejectHint;
    if (!progress.reject(message.index, hint)) return;
    if (progress.state === 'replicate') progress.becomeProbe();
    this.#sendAppend(message.from, progress, true);
  }

  #handleHeartbeatResponse(message: Message): void {
    const progress = this.tracker.get(message.from);
    if (progress === undefined) return;
    progress.recentActive = true;
    progress.paused = false;
    // Behind, as far as known: send what the window admits, an empty append if nothing. Its answer shows what was lost.
    // Caught up but probed: the answer brings it back to streaming.
    if (progress.match < this.log.lastIndex() || progress.state === 'probe') {
      this.#sendAppend(message.from, progress, true);
    }
    const context = this.#takeLeaseStamp(message.context, progress);
    if (context.length === 0) return;
    const voters = this.tracker.membership.voters;
    for (const read of this.#reads.acknowledge(message.from, context, voters)) {
      this.#answerRead(read.request, read.index);
    }
  }

  #broadcastAppend(): void {
    for (const [id, progress] of this.tracker.progress) {
      if (id !== this.id) this.#sendAppend(id, progress, true);
    }
  }

  /**
   * Sends `to` the next entries, or a snapshot when they are gone. With `evenEmpty` also an append without entries, which
   * carries the commit index. Returns whether anything was sent.
   */
  #sendAppend(to: RaftId, progress: Progress, evenEmpty: boolean): boolean {
    if (progress.isPaused) return false;
    const previous = progress.next - 1;
    const previousTerm = this.log.term(previous);
    if (previousTerm === 'temporarily-unavailable') return false;
    if (typeof previousTerm === 'string') return this.#sendSnapshot(to, progress);
    // Through a full window only empty appends go: should all in it be lost, their rejection is what shows it.
    const full = progress.state === 'replicate' && progress.inflights.full;
    const entries = full ? [] : this.log.entriesFrom(progress.next, this.#config.maxBytesPerMessage);
    if (entries === 'temporarily-unavailable') return false;
    if (typeof entries === 'string') return this.#sendSnapshot(to, progress);
    if (entries.length === 0 && !evenEmpty) return false;
    const commit = this.log.committed;
    this.#send({ type: 'MsgApp', to, index: previous, logTerm: previousTerm, entries, commit });
    progress.noteSentEntries(entries.length, payloadBytes(entries));
    progress.sentCommit = commit;
    return true;
  }

  #sendSnapshot(to: RaftId, progress: Progress): boolean {
    // It would only fill the queues of a peer that is down.
    if (!progress.recentActive) return false;
    let snapshot = this.log.unstable.snapshot ?? this.#config.storage.snapshot(0);
    if (snapshot !== 'temporarily-unavailable' && !isMember(snapshot.confState, to)) {
      // Made before `to` was added, who could do nothing with it.
      snapshot = this.#config.storage.snapshot(this.log.applied);
      if (snapshot !== 'temporarily-unavailable' && !isMember(snapshot.confState, to)) return false;
    }
    if (snapshot === 'temporarily-unavailable') return false;
    assert(snapshot.index > 0, 'the log is compacted, but there is no snapshot');
    this.#logger.debug({ id: this.id, to, index: snapshot.index, match: progress.match }, 'sending a snapshot');
    progress.becomeSnapshot(snapshot.index);
    this.#send({ type: 'MsgSnap', to, snapshot });
    return true;
  }

  #broadcastHeartbeat(readContext: Uint8Array): void {
    const context = this.#leaseReads ? this.#withLeaseStamp(readContext) : readContext;
    for (const [id, progress] of this.tracker.progress) {
      if (id === this.id) continue;
      // Never beyond what the follower is known to hold: it may lack entries that a quorum of others has.
      const commit = Math.min(progress.match, this.log.committed);
      this.#send({ type: 'MsgHeartbeat', to: id, commit, context });
      progress.sentCommit = commit;
    }
  }

  // --- Transfer of leadership --------------------------------------------------------------------------------------

  #handleTransfer(transferee: RaftId): void {
    const progress = this.tracker.get(transferee);
    if (progress === undefined || progress.isLearner) {
      this.#logger.info({ id: this.id, transferee }, 'leadership goes to voters only');
      return;
    }
    if (this.leadTransferee === transferee) return;
    // Also when it is this node itself: that ends a transfer to another.
    this.leadTransferee = nobody;
    if (transferee === this.id) return;
    // It has one election timeout from now.
    this.#electionElapsed = 0;
    this.leadTransferee = transferee;
    if (progress.match === this.log.lastIndex()) this.#sendTimeoutNow(transferee);
    else this.#sendAppend(transferee, progress, true);
  }

  #sendTimeoutNow(to: RaftId): void {
    // It may arrive late, even after the transfer was given up, and voters then ignore this leader's lease.
    this.#leaseGivenAway = true;
    this.#send({ type: 'MsgTimeoutNow', to });
  }

  // --- Reads -------------------------------------------------------------------------------------------------------

  #handleReadIndex(message: Message): Refusal | undefined {
    if (this.log.committed < this.#firstOwnIndex) {
      // Until an entry of this term commits, entries that an earlier leader acknowledged may be above the commit index.
      if (this.#earlyReads.length >= this.#config.maxPendingReads) return 'read-dropped';
      this.#earlyReads.push(message);
      return undefined;
    }
    return this.#startRead(message);
  }

  #startRead(message: Message): Refusal | undefined {
    if (this.tracker.isOnlyVoter(this.id) || this.#holdsLease()) {
      this.#answerRead(message, this.log.committed);
      return undefined;
    }
    if (this.#reads.length >= this.#config.maxPendingReads) return 'read-dropped';
    this.#reads.add(this.log.committed, message, this.id);
    this.#broadcastHeartbeat(message.context);
    return undefined;
  }

  #answerEarlyReads(): void {
    if (this.#earlyReads.length === 0 || this.log.committed < this.#firstOwnIndex) return;
    const reads = this.#earlyReads;
    this.#earlyReads = [];
    // Both queues have the same bound, and the second is empty until now, so none is dropped.
    for (const read of reads) this.#startRead(read);
  }

  #answerRead(request: Message, index: LogIndex): void {
    if (request.from === nobody || request.from === this.id) {
      this.readStates.push({ index, context: request.context });
    } else {
      this.#send({ type: 'MsgReadIndexResp', to: request.from, index, context: request.context });
    }
  }

  /**
   * Whether nobody else can be leader now, by ticks alone. A voter that answered a heartbeat sent at tick t grants no
   * vote before it has counted an election timeout from when the heartbeat came, which was after t. Its count starts up
   * to a tick early and ours may be up to a tick late, and its ticks may be `leaseDriftTicks` faster: hence the margin.
   */
  #holdsLease(): boolean {
    if (!this.#leaseReads || this.#leaseGivenAway) return false;
    const stampOf = (id: RaftId): number =>
      id === this.id ? this.#tickCount + 1 : (this.tracker.get(id)?.leaseTick ?? 0);
    const quorumStamp = this.tracker.membership.voters.committedIndex(stampOf);
    if (quorumStamp === 0 || !Number.isFinite(quorumStamp)) return false;
    const age = this.#tickCount + 1 - quorumStamp;
    return age + 2 + this.#config.leaseDriftTicks <= this.#config.electionTicks;
  }

  #withLeaseStamp(readContext: Uint8Array): Uint8Array {
    const context = new Uint8Array(leaseStampBytes + readContext.length);
    new DataView(context.buffer).setFloat64(0, this.#tickCount + 1);
    context.set(readContext, leaseStampBytes);
    return context;
  }

  /** Notes the tick that the answered heartbeat was sent at; returns the read's context behind it. */
  #takeLeaseStamp(context: Uint8Array, progress: Progress): Uint8Array {
    if (!this.#leaseReads) return context;
    if (context.length < leaseStampBytes) return noBytes;
    const stamp = new DataView(context.buffer, context.byteOffset, context.byteLength).getFloat64(0);
    if (stamp > progress.leaseTick && stamp <= this.#tickCount + 1) progress.leaseTick = stamp;
    return context.subarray(leaseStampBytes);
  }

  // --- Storage and membership --------------------------------------------------------------------------------------

  #loadHardState(state: HardState): void {
    // What the log has compacted was committed. The stored commit index may not say so: it need not be synced.
    this.log.commitTo(state.commit);
    this.term = state.term;
    this.vote = state.vote;
  }

  #snapshotStored(snapshot: Snapshot): void {
    this.log.unstable.stableSnapshotTo(snapshot.index);
    this.appliedTo(snapshot.index, 0);
  }

  #entriesApplied(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.appliedTo(last.index, entriesBytes(entries));
    // Entries of earlier leaders were never counted, so this may go below the truth; the bound is not exact.
    this.#uncommittedBytes = Math.max(0, this.#uncommittedBytes - payloadBytes(entries));
    const held = this.#heldSnapshot;
    if (held === undefined || this.log.applying > this.log.applied) return;
    this.#heldSnapshot = undefined;
    this.step(held);
  }

  readonly #newProgress = (isLearner: boolean): Progress =>
    Progress.fresh({
      // Where the log begins for it is not known; one behind the end is where the first rejection comes cheapest.
      next: Math.max(this.log.lastIndex(), 1),
      isLearner,
      // It has not been heard of yet, but the next quorum check must not fail because it was just added.
      recentActive: true,
      limits: this.#limits,
    });

  #setMembership(membership: Membership, progress: ProgressMap): void {
    this.tracker.membership = membership;
    this.tracker.progress = progress;
    this.isLearner = this.tracker.get(this.id)?.isLearner ?? false;
  }

  #membershipAfter(change: ConfChangeV2): MembershipResult {
    const base = {
      membership: this.tracker.membership,
      progress: this.tracker.progress,
      newProgress: this.#newProgress,
    };
    if (leavesJoint(change)) return leaveJoint(base);
    if (entersJoint(change)) return enterJoint(base, change.changes, leavesByItself(change));
    return changeDirectly(base, change.changes);
  }

  #switchMembership(membership: Membership, progress: ProgressMap): ConfState {
    this.#setMembership(membership, progress);
    const confState = confStateOf(membership);
    this.#logger.info({ id: this.id, ...confState }, 'membership changed');
    if (this.role !== 'leader') return confState;
    if (this.tracker.get(this.id) === undefined || this.isLearner) {
      // This leader was removed or demoted by what it has just applied, so that is committed without it.
      if (this.#config.stepDownOnRemoval) this.#becomeFollower(this.term, nobody);
      return confState;
    }
    if (membership.voters.incoming.size === 0) return confState;
    if (this.log.commitInTerm(this.tracker.committedIndex(), this.term)) {
      // A smaller quorum may have more than the larger one had.
      this.#answerEarlyReads();
      this.#broadcastAppend();
    } else {
      // New members need not wait for the next heartbeat.
      for (const [id, of] of this.tracker.progress) if (id !== this.id) this.#sendAppend(id, of, false);
    }
    if (this.leadTransferee !== nobody && !membership.voters.has(this.leadTransferee)) this.leadTransferee = nobody;
    return confState;
  }

  // --- Sending -----------------------------------------------------------------------------------------------------

  /** Sends in this node's present term. */
  #send(fields: MessageFields): void {
    this.#sendAs(this.term, fields);
  }

  /** Sends in the given term: 0 for what is not bound to one, the election's own for votes. */
  #sendAs(term: Term, fields: MessageFields): void {
    const message = newMessage(fields, fields.from ?? this.id, term);
    if (message.type === 'MsgAppResp' || message.type === 'MsgVoteResp' || message.type === 'MsgPreVoteResp') {
      // These promise something, so what they promise must survive a power cut before they are heard. A rejection or a
      // pre-vote promises less, but they too reveal the term; one rule for all keeps the order of answers.
      this.messagesAfterAppend.push(message);
      return;
    }
    assert(message.to !== this.id && !isLocalThread(message.to), () => `${message.type} to itself`);
    this.messages.push(message);
  }
}

/** An entry's index and term in the context of a vote's rejection: two doubles, exact below 2^53. */
function encodeEntryId(id: EntryId): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, id.index);
  view.setFloat64(8, id.term);
  return bytes;
}

/** Undefined when the voter said nothing, or nothing that makes sense. */
function decodeEntryId(bytes: Uint8Array): EntryId | undefined {
  if (bytes.length !== 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = { index: view.getFloat64(0), term: view.getFloat64(8) };
  return Number.isSafeInteger(id.index) && Number.isSafeInteger(id.term) ? id : undefined;
}

/** Those in `learnersNext` are in `votersOutgoing` too. */
function isMember({ voters, votersOutgoing, learners }: ConfState, id: RaftId): boolean {
  return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
