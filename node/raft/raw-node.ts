/**
 * The face of the core: what its owner calls. One owner, no concurrency.
 *
 * Synchronous mode (default): `ready()`, do what ready.ts says, `advance()`, in this order and one at a time.
 *
 * A new group begins with the same snapshot (index and term at least 1, the first voters, any data) on each first voter,
 * stored as if received; everybody else begins empty and hears from a leader.
 *
 * Asynchronous storage writes: `ready()` as often as `hasReady()`, without `advance`. `messages` then holds, besides
 * those to peers, `MsgStorageAppend` to `appendThread` and `MsgStorageApply` to `applyThread`. The owner does the
 * appends in order (batching neighbours is fine: newer entries replace older ones), and when one is durable hands its
 * `responses` out: those to this node to `step`, the others to the network. The same for the applies, in order, on their
 * own. Messages to peers go out at once. An append must be synced when it has entries, a snapshot, or a term or vote other
 * than those stored last; else (a commit index alone) it may ride with the next. Between the two threads there is no
 * order, but an apply never comes for entries that are not durable here, and no apply is under way when a snapshot comes.
 */
import { assert } from '../base/assert.ts';
import type { RaftId } from '../base/ids.ts';
import { asV2, type ConfChange, type ConfChangeV1, type ConfChangeV2, isV1 } from './conf-change.ts';
import { encodeConfChangeV1, encodeConfChangeV2 } from './conf-change-codec.ts';
import { type CheckedRaftConfig, checkConfig, type RaftConfig } from './config.ts';
import { contextBytesMax, messageFault } from './messages/message-fault.ts';
import {
  appendThread,
  applyThread,
  type ConfState,
  type Entry,
  emptyHardState,
  equalHardStates,
  type HardState,
  isEmptyHardState,
  isLocalThread,
  type Message,
  type MessageType,
  newMessage,
  type Snapshot,
} from './messages/messages.ts';
import { Raft } from './raft.ts';
import type { Ready, SoftState } from './ready.ts';
import type { Refusal } from './refusal.ts';
import { type Status, statusOf } from './status.ts';

/** Kinds that make sense only from a member. */
const fromMembersOnly: ReadonlySet<MessageType> = new Set([
  'MsgAppResp',
  'MsgVoteResp',
  'MsgPreVoteResp',
  'MsgHeartbeatResp',
  'MsgReadIndexResp',
]);

/** Kinds that never travel. */
const neverTravel: ReadonlySet<MessageType> = new Set([
  'MsgStorageAppend',
  'MsgStorageAppendResp',
  'MsgStorageApply',
  'MsgStorageApplyResp',
]);

const noReadStates: Ready['readStates'] = Object.freeze([]);

/**
 * One member of one group. Nothing here is asynchronous, and nothing is retried: a call that is refused says so by a
 * `Refusal`, and a broken invariant throws `AssertionError`, after which the object must not be used.
 */
export class RawNode {
  /** The state machine itself, for reading. Change it through this object only. */
  readonly raft: Raft;
  readonly #asyncWrites: boolean;
  #lastSoftState: SoftState;
  #lastHardState: HardState;
  /** Synchronous mode: this node's messages to itself, which count from `advance` on. */
  #stepsOnAdvance: Message[] = [];
  #awaitsAdvance = false;

  /** Throws `CONFIG_INVALID` that lists every mistake; `AssertionError` when storage contradicts itself. */
  constructor(config: RaftConfig) {
    const checked: CheckedRaftConfig = checkConfig(config);
    this.raft = new Raft(checked);
    this.#asyncWrites = checked.asyncStorageWrites;
    this.#lastSoftState = this.raft.softState;
    this.#lastHardState = this.raft.hardState;
  }

  /** One tick of the owner's clock has passed. */
  tick(): void {
    this.raft.tick();
  }

  /**
   * Takes a message from a peer, or a response of this node's own storage. The caller has made sure that `from` is who
   * sent it (forwarded `MsgProp` and `MsgReadIndex` name the node that they started at).
   */
  step(message: Message): Refusal | undefined {
    if (!isLocalThread(message.from)) {
      if (neverTravel.has(message.type)) return 'local-message';
      if (messageFault(message) !== undefined) return 'malformed-message';
      // Also this node itself, when its own acknowledgement was on its way while it was removed.
      if (fromMembersOnly.has(message.type) && this.raft.tracker.get(message.from) === undefined) {
        return 'peer-not-found';
      }
    }
    return this.raft.step(message);
  }

  /** Starts an election now. */
  campaign(): void {
    this.raft.campaign();
  }

  /** Appends one entry if this node leads; else passes it on to the leader. */
  propose(data: Uint8Array): Refusal | undefined {
    return this.raft.propose([{ term: 0, index: 0, type: 'normal', data }]);
  }

  /** The same for several entries at once: one message to each follower, all taken or all refused. */
  proposeBatch(datas: readonly Uint8Array[]): Refusal | undefined {
    return this.raft.propose(datas.map((data): Entry => ({ term: 0, index: 0, type: 'normal', data })));
  }

  /** Proposes a change of the membership. At most one is pending at a time; others are appended as empty entries. */
  proposeConfChange(change: ConfChange): Refusal | undefined {
    return this.raft.propose([confChangeEntry(change)]);
  }

  /**
   * A committed conf change is applied; must be called for each, in order, before the entry is reported as applied. One
   * that the state machine refuses is passed with its node ids set to 0. Returns the membership as of that entry, which
   * the state machine keeps for its snapshots and for `Storage.initialState` after a restart.
   */
  applyConfChange(change: ConfChangeV1 | ConfChangeV2): ConfState {
    return this.raft.applyConfChange(asV2(change));
  }

  /** Asks for the index at which a read under the name `context` (1 to 256 bytes, not in use) is linearizable. */
  readIndex(context: Uint8Array): Refusal | undefined {
    assert(context.length > 0 && context.length <= contextBytesMax - 8, 'a read needs a short name');
    return this.raft.step(newMessage({ type: 'MsgReadIndex', from: this.raft.id, context }));
  }

  /** Hands leadership to `transferee`; given up after an election timeout. Watch the soft state for the outcome. */
  transferLeadership(transferee: RaftId): void {
    this.raft.step(newMessage({ type: 'MsgTransferLeader', from: this.raft.id, vote: transferee }));
  }

  /** Follower: forget who leads, and so be free to vote. For an owner that knows better than the timeout. */
  forgetLeader(): void {
    this.raft.forgetLeader();
  }

  /** A message to `id` could not be delivered. */
  reportUnreachable(id: RaftId): void {
    this.raft.reportUnreachable(id);
  }

  /** A snapshot to `id` has arrived, or has not. Must be called for every `MsgSnap`, or that follower gets nothing more. */
  reportSnapshot(id: RaftId, arrived: boolean): void {
    this.raft.reportSnapshot(id, arrived);
  }

  status(): Status {
    return statusOf(this.raft);
  }

  /** Whether `ready()` would hand out anything. */
  hasReady(): boolean {
    const { raft } = this;
    const { log } = raft;
    if (raft.role !== this.#lastSoftState.role || raft.leader !== this.#lastSoftState.leader) return true;
    if (this.#hardStateChanged(raft.hardState)) return true;
    if (log.unstable.nextSnapshot() !== null || log.unstable.hasNextEntries) return true;
    if (raft.messages.length > 0 || raft.messagesAfterAppend.length > 0 || raft.readStates.length > 0) return true;
    return log.hasNextCommitted(!this.#asyncWrites);
  }

  /** Hands out what is to be done. The caller must do it. */
  ready(): Ready {
    assert(!this.#awaitsAdvance, 'ready() was called twice without advance()');
    const { raft } = this;
    const { log } = raft;
    const entries = log.unstable.nextEntries();
    const committedEntries = log.nextCommitted(!this.#asyncWrites);
    const softState = raft.softState;
    const hardState = raft.hardState;
    const last = this.#lastHardState;
    const newSoftState = softState.role !== this.#lastSoftState.role || softState.leader !== this.#lastSoftState.leader;
    const newHardState = this.#hardStateChanged(hardState) ? hardState : undefined;
    const snapshot = log.unstable.nextSnapshot() ?? undefined;
    const mustSync = entries.length > 0 || hardState.term !== last.term || hardState.vote !== last.vote;
    const readStates = raft.readStates.length > 0 ? raft.readStates : noReadStates;
    const work: StorageWork = { hardState: newHardState, entries, snapshot, committedEntries };

    const messages = raft.messages;
    const afterAppend = raft.messagesAfterAppend;
    if (this.#asyncWrites) this.#queueStorageMessages(messages, afterAppend, work);
    else this.#holdForAdvance(messages, afterAppend, work);

    if (newSoftState) this.#lastSoftState = softState;
    if (newHardState !== undefined) this.#lastHardState = newHardState;
    raft.readStates = raft.readStates.length > 0 ? [] : raft.readStates;
    raft.messages = [];
    raft.messagesAfterAppend = [];
    log.unstable.acceptInProgress();
    log.acceptApplying(committedEntries, !this.#asyncWrites);
    return {
      softState: newSoftState ? softState : undefined,
      hardState: newHardState,
      readStates,
      entries,
      snapshot,
      committedEntries,
      messages,
      mustSync,
    };
  }

  /** Synchronous mode: all that the last `Ready` asked for is done. */
  advance(): void {
    assert(!this.#asyncWrites, 'advance() has no meaning with asynchronous storage writes');
    assert(this.#awaitsAdvance, 'advance() was called without ready()');
    this.#awaitsAdvance = false;
    const steps = this.#stepsOnAdvance;
    this.#stepsOnAdvance = [];
    for (const message of steps) this.raft.step(message);
  }

  #hardStateChanged(hardState: HardState): boolean {
    return !isEmptyHardState(hardState) && !equalHardStates(hardState, this.#lastHardState);
  }

  /** Synchronous mode: what is to peers goes out with this `Ready`, which is stored first; the rest waits. */
  #holdForAdvance(messages: Message[], afterAppend: readonly Message[], work: StorageWork): void {
    this.#awaitsAdvance = true;
    for (const message of afterAppend) {
      if (message.to === this.raft.id) this.#stepsOnAdvance.push(message);
      else messages.push(message);
    }
    if (this.#needsAppendResponse(work)) this.#stepsOnAdvance.push(this.#appendResponse(work.snapshot));
    if (work.committedEntries.length > 0) this.#stepsOnAdvance.push(this.#applyResponse(work.committedEntries));
  }

  /** Asynchronous mode: storage work goes out as messages that carry their own answers. */
  #queueStorageMessages(messages: Message[], afterAppend: readonly Message[], work: StorageWork): void {
    const { hardState, entries, snapshot, committedEntries } = work;
    const somethingToStore = hardState !== undefined || entries.length > 0 || snapshot !== undefined;
    // Answers without anything to store still go through the queue: what they speak of may be in an earlier append.
    if (somethingToStore || afterAppend.length > 0) {
      // The confirmation comes behind this node's own acknowledgement, which looks at entries while they are still here.
      const responses = this.#needsAppendResponse(work)
        ? [...afterAppend, this.#appendResponse(snapshot)]
        : afterAppend;
      const { term, vote, commit } = hardState ?? emptyHardState;
      messages.push(
        newMessage({
          type: 'MsgStorageAppend',
          to: appendThread,
          from: this.raft.id,
          term,
          vote,
          commit,
          entries,
          snapshot: snapshot ?? null,
          responses,
        }),
      );
    }
    if (committedEntries.length > 0) {
      messages.push(
        newMessage({
          type: 'MsgStorageApply',
          to: applyThread,
          from: this.raft.id,
          entries: committedEntries,
          responses: [this.#applyResponse(committedEntries)],
        }),
      );
    }
  }

  /** Whether the core waits to hear that something is stored, from this or an earlier append. */
  #needsAppendResponse(work: StorageWork): boolean {
    return this.raft.log.unstable.length > 0 || work.snapshot !== undefined;
  }

  /**
   * "Everything unstable as of now is stored." It names the last entry of the whole unstable log, not only of this
   * append, because appends are done in order; and it carries this term, because of the following. Entries of term 1 are
   * being written at index 5; a leader of term 2 replaces them, then one of term 3 again with term 1's; now the first
   * confirmation comes, for the same index and term as what is unstable, while storage is about to write term 2's over
   * it. So a confirmation counts only in the term in which it was asked for; after each change of term the hard state
   * is written anyway, and that append's confirmation, behind all others, covers what the dropped ones spoke of.
   */
  #appendResponse(snapshot: Snapshot | undefined): Message {
    const { raft } = this;
    const last = raft.log.unstable.length > 0 ? raft.log.lastEntryId() : { index: 0, term: 0 };
    return newMessage({
      type: 'MsgStorageAppendResp',
      to: raft.id,
      from: appendThread,
      term: raft.term,
      index: last.index,
      logTerm: last.term,
      snapshot: snapshot ?? null,
    });
  }

  /** Bound to no term: what is applied is committed and stays so. */
  #applyResponse(entries: readonly Entry[]): Message {
    return newMessage({ type: 'MsgStorageApplyResp', to: this.raft.id, from: applyThread, entries });
  }
}

interface StorageWork {
  readonly hardState: HardState | undefined;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | undefined;
  readonly committedEntries: readonly Entry[];
}

function confChangeEntry(change: ConfChange): Entry {
  if (isV1(change)) return { term: 0, index: 0, type: 'confChange', data: encodeConfChangeV1(change) };
  return { term: 0, index: 0, type: 'confChangeV2', data: encodeConfChangeV2(change) };
}
