/**
 * The plain data that consensus is about: log entries, hard state, configuration state, snapshots and messages. Nothing
 * here knows a wire format; the mesh encodes these as protobuf, and the simulator passes the objects as they are.
 *
 * Numbers: terms, indexes and ids are integers in [0, 2^53). A log that takes a million entries a second reaches 2^53
 * after 285 years, so `number` is enough; `assertInRange` watches the places where they grow.
 */
import { assert } from '../../base/assert.ts';
import type { RaftId } from '../../base/ids.ts';

/** An election's number. Grows, never shrinks. 0 is "before the first election". Range: [0, 2^53). */
export type Term = number;
/** A position in the log; the first entry is 1, 0 is "before the log". Range: [0, 2^53). */
export type LogIndex = number;

/** What an id field says when it names nobody. */
export const nobody: RaftId = 0;
/** The address of this node's own log writer in asynchronous-storage mode. Never travels. */
export const appendThread: RaftId = -1;
/** The address of this node's own state machine in asynchronous-storage mode. Never travels. */
export const applyThread: RaftId = -2;

/** Shared by every field that carries no bytes. Never written to. */
export const noBytes: Uint8Array = new Uint8Array(0);
/** Shared by every message without entries. */
export const noEntries: readonly Entry[] = Object.freeze([]);
/** Shared by every message without responses. */
const noMessages: readonly Message[] = Object.freeze([]);

/** `confChange` is one change, `confChangeV2` any number of them (none: leave the joint configuration). */
export type EntryType = 'normal' | 'confChange' | 'confChangeV2';

/** One record of the replicated log. Immutable once made; it is shared between log, messages and storage. */
export interface Entry {
  /** The term of the leader that appended it; 0 in a proposal that no leader has seen. */
  readonly term: Term;
  /** Its position; 0 in a proposal that no leader has seen. */
  readonly index: LogIndex;
  readonly type: EntryType;
  /** Opaque for `normal` entries, ../conf-change-codec.ts for the others. A leader's first entry of a term has none. */
  readonly data: Uint8Array;
}

/** What must be on disk before anything that depends on it is said to another node. */
export interface HardState {
  readonly term: Term;
  /** Who got this node's vote in `term`; 0 is nobody. */
  readonly vote: RaftId;
  /** The highest index known committed. May lag after a restart; never exceeds the log. */
  readonly commit: LogIndex;
}

/** Who the members are, in the form that snapshots and the state machine keep. All lists ascend. */
export interface ConfState {
  readonly voters: readonly RaftId[];
  /** The old majority while the configuration is joint, else empty. */
  readonly votersOutgoing: readonly RaftId[];
  readonly learners: readonly RaftId[];
  /** Voters of the old majority that become learners when the joint configuration is left. */
  readonly learnersNext: readonly RaftId[];
  /** Whether the leader leaves the joint configuration by itself. */
  readonly autoLeave: boolean;
}

/** State up to and including `index`. What `data` means is the storage's own business (bytes, or a handle to a file). */
export interface Snapshot {
  readonly index: LogIndex;
  readonly term: Term;
  readonly confState: ConfState;
  readonly data: Uint8Array;
}

/** Kinds that travel between nodes. */
export type PeerMessageType =
  | 'MsgProp'
  | 'MsgApp'
  | 'MsgAppResp'
  | 'MsgVote'
  | 'MsgVoteResp'
  | 'MsgPreVote'
  | 'MsgPreVoteResp'
  | 'MsgSnap'
  | 'MsgHeartbeat'
  | 'MsgHeartbeatResp'
  | 'MsgTransferLeader'
  | 'MsgTimeoutNow'
  | 'MsgReadIndex'
  | 'MsgReadIndexResp';

/** Kinds between the core and its own storage, in asynchronous-storage mode. */
export type StorageMessageType =
  | 'MsgStorageAppend'
  | 'MsgStorageAppendResp'
  | 'MsgStorageApply'
  | 'MsgStorageApplyResp';

/** etcd's names (raftpb), so that its scenarios and documents can be read beside this code. */
export type MessageType = PeerMessageType | StorageMessageType;

/**
 * One message. Every field is always there (one hidden class, so property reads stay fast); what a field means by kind:
 *
 * - `MsgProp`: `entries` to append. Carries no term: a proposal is not bound to one.
 * - `MsgApp`: (`index`, `logTerm`) is the entry before `entries`; `commit` the leader's commit index.
 *   Example: index 7, logTerm 2, entries 8..10: "if you hold 7 of term 2, then append these".
 * - `MsgAppResp`: `index` is the last index now known equal, or with `reject` the `index` of the refused `MsgApp`, and
 *   then (`rejectHint`, `logTerm`) says where the leader should look next.
 * - `MsgVote`, `MsgPreVote`: (`index`, `logTerm`) is the candidate's last entry; a pre-vote's `term` is the next one;
 *   `context` says when a leader's transfer has caused it. A rejection's `context` says what the voter knows committed.
 * - `MsgSnap`: `snapshot`.
 * - `MsgHeartbeat`, `MsgHeartbeatResp`: `context` is echoed; `commit` never exceeds what the follower is known to hold.
 * - `MsgReadIndex`, `MsgReadIndexResp`: `context` names the request, `index` is the answer.
 * - `MsgTransferLeader`: `vote` names the wanted leader.
 * - `MsgStorageAppend`: (`term`, `vote`, `commit`) is a hard state to write unless all are 0; then `entries`, `snapshot`.
 *   `responses` may be delivered once all that is durable, in order after those of earlier appends.
 * - `MsgStorageApply`: `entries` to apply, then `responses`.
 */
export interface Message {
  readonly type: MessageType;
  readonly to: RaftId;
  readonly from: RaftId;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: LogIndex;
  readonly commit: LogIndex;
  readonly vote: RaftId;
  readonly reject: boolean;
  readonly rejectHint: LogIndex;
  readonly entries: readonly Entry[];
  readonly snapshot: Snapshot | null;
  readonly context: Uint8Array;
  readonly responses: readonly Message[];
}

/** The fields of a message that differ from "nothing". */
export type MessageFields = { readonly type: MessageType } & Partial<Message>;

/** A whole message from the fields that matter; `from` and `term` win over those in `fields`. */
export function newMessage(
  fields: MessageFields,
  from: RaftId = fields.from ?? nobody,
  term: Term = fields.term ?? 0,
): Message {
  return {
    type: fields.type,
    to: fields.to ?? nobody,
    from,
    term,
    logTerm: fields.logTerm ?? 0,
    index: fields.index ?? 0,
    commit: fields.commit ?? 0,
    vote: fields.vote ?? nobody,
    reject: fields.reject ?? false,
    rejectHint: fields.rejectHint ?? 0,
    entries: fields.entries ?? noEntries,
    snapshot: fields.snapshot ?? null,
    context: fields.context ?? noBytes,
    responses: fields.responses ?? noMessages,
  };
}

/** Nothing voted, nothing committed: the hard state of a node that has never run. */
export const emptyHardState: HardState = Object.freeze({ term: 0, vote: nobody, commit: 0 });

/** A configuration without members: the node waits for a snapshot or an append from a leader. */
export const emptyConfState: ConfState = Object.freeze({
  voters: Object.freeze([]),
  votersOutgoing: Object.freeze([]),
  learners: Object.freeze([]),
  learnersNext: Object.freeze([]),
  autoLeave: false,
});

/** Whether nothing was ever promised or committed: what storage says of a log that is new. */
export function isEmptyHardState(state: HardState): boolean {
  return state.term === 0 && state.vote === nobody && state.commit === 0;
}

/** Field by field; a hard state that is equal need not be written again. */
export function equalHardStates(a: HardState, b: HardState): boolean {
  return a.term === b.term && a.vote === b.vote && a.commit === b.commit;
}

/** Whether `id` is one of this node's own threads and not a member. */
export function isLocalThread(id: RaftId): boolean {
  return id === appendThread || id === applyThread;
}

/**
 * What an entry's header costs on the wire and on disk at most: tag and varint of type, term and index, tag and length of
 * the data (2 + 9 + 9 + 6). Byte limits count this too, so that many empty entries cannot pass for nothing. Unit: bytes.
 */
const entryOverheadBytes = 26;

/** What one entry counts against a byte limit. Unit: bytes. */
export function entryBytes(entry: Entry): number {
  return entryOverheadBytes + entry.data.length;
}

/** What `entries` count against a byte limit. Unit: bytes. */
export function entriesBytes(entries: readonly Entry[]): number {
  let sum = 0;
  for (const entry of entries) sum += entryOverheadBytes + entry.data.length;
  return sum;
}

/** The bytes that users put into `entries`, without headers; a leader's empty entry counts 0. Unit: bytes. */
export function payloadBytes(entries: readonly Entry[]): number {
  let sum = 0;
  for (const entry of entries) sum += entry.data.length;
  return sum;
}

/** The longest prefix of `entries` within `bytesMax`, but at least one entry, so that a large one can still move. */
export function limitBytes(entries: readonly Entry[], bytesMax: number): readonly Entry[] {
  let sum = 0;
  let count = 0;
  for (const entry of entries) {
    sum += entryOverheadBytes + entry.data.length;
    if (sum > bytesMax && count > 0) return entries.slice(0, count);
    count++;
  }
  return entries;
}

/** Stops before a term or index leaves the range in which `number` is exact. */
export function assertInRange(value: number, what: string): void {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${what} ${value} is outside [0, 2^53)`);
}
