/**
 * How the members of the Raft group reach one another, seen from the Raft loop. gRPC between agents is one implementation,
 * direct calls in a test or the simulator are others. Messages are the core's own objects; `codec.ts` turns them into
 * protobuf and back for those that need bytes.
 *
 * Peers are named by their member numbers. Which address a number has is the transport's business; so is proof that a peer
 * is who it claims to be: `from` in what it delivers is proved, never taken from the message.
 */
import type { RaftId } from '../../base/ids.ts';
import type { LogIndex, Message, Term } from '../../raft/index.ts';
import type { Command } from '../../state/command.ts';
import type { DigestValue } from '../../state/digest.ts';
import type { TransactionOutcome } from '../../state/types.ts';
import type { PeerMemory, SnapshotPlace } from '../../store/index.ts';

/**
 * "This is the log that I hold; what do you remember of me?" Asked of each peer after a start, before anything else it
 * says is believed: so a disk that was wiped or put back from an old copy is found out (consensus/trust/trust.ts).
 */
export interface Hello {
  readonly type: 'Hello' | 'HelloResp';
  readonly to: RaftId;
  readonly from: RaftId;
  /** The sender's term. */
  readonly term: Term;
  readonly incarnation: string;
  readonly starts: number;
  /**
   * The sender's term fence: the term that it was raised to when its log was last quarantined; 0: it never was. It
   * knows that the log may have forgotten what it promised in lower terms: that is void. Told for as long as the log
   * lives, for a peer may have been away meanwhile.
   */
  readonly raisedTerm: Term;
  /** In an answer: what the sender remembers of the asker from before the question. */
  readonly known: PeerMemory | undefined;
}

/** A message of the core as it travels. */
export interface SentMessage extends Message {
  /**
   * In what a leader sends: the last entry of its own term that is durable on its disk; absent: none, or an older agent
   * sent it. A leader acknowledges its own entries to nobody, so this is what the others have to remember it by.
   */
  readonly durableIndex?: LogIndex;
}

/**
 * What members tell one another of the digests of their states (consensus/replica/comparison.ts): the leader asks for that of one
 * revision, a member tells it, and the leader tells what it has found.
 */
export interface DigestMessage {
  readonly type: 'DigestAsk' | 'DigestTell' | 'DigestVerdict';
  readonly to: RaftId;
  readonly from: RaftId;
  /** The sender's term. */
  readonly term: Term;
  readonly revision: LogIndex;
  /**
   * Told: that of the sender's state at the revision; absent: it does not know it any more. In a verdict: the one that a
   * majority has; absent: there is none.
   */
  readonly digest: DigestValue | undefined;
  /** Told by a member that has not come so far: the revision that was asked for. Absent: `revision` is it. */
  readonly asked?: LogIndex;
}

/** What travels one way between members. */
export type PeerMessage = SentMessage | Hello | DigestMessage;

/**
 * What a member's address says to somebody who connects, whatever its process does: `listening`, a process is there, be
 * it starved of CPU; `closed`, its host says that there is none; `silent`, nothing answers, or no way leads there;
 * `unknown`, nothing can be told.
 */
export type Presence = 'listening' | 'closed' | 'silent' | 'unknown';

/** Whether a message is a greeting or its answer, and not the core's. */
export function isHello(message: PeerMessage): message is Hello {
  return message.type === 'Hello' || message.type === 'HelloResp';
}

/** Whether a message is of the comparison of states, and not the core's. */
export function isDigestMessage(message: PeerMessage): message is DigestMessage {
  return message.type === 'DigestAsk' || message.type === 'DigestTell' || message.type === 'DigestVerdict';
}

/** Asks for a snapshot's content. */
export interface SnapshotRequest {
  /** The least index that is of use. */
  readonly indexMin: number;
  /** Go on with the snapshot at `index` behind what came already. Another snapshot from its beginning may come instead. */
  readonly resume?: { readonly index: number; readonly offsetBytes: number };
}

/** A piece of a snapshot's content. */
export interface SnapshotPart {
  readonly place: SnapshotPlace;
  /** Where in the content `data` lies. */
  readonly offsetBytes: number;
  readonly data: Uint8Array;
  /** CRC-32C of `data`. */
  readonly crc32c: number;
  /** Nothing follows. */
  readonly isLast: boolean;
  /** With the last piece: the digest that the sender kept of the state; absent: an older agent sent it. */
  readonly digest?: DigestValue;
}

/** What the loop answers to peers. Calls are cheap; the promises may take as long as their signal lets them. */
export interface RaftHandlers {
  onMessage(message: PeerMessage): void;
  /** Messages to this peer were lost or could not be sent. */
  onUnreachable(peer: RaftId): void;
  /** The peer's process has ended, by all appearances: its host says that nobody listens there any more. */
  onGone(peer: RaftId): void;
  /**
   * Commits a command for another agent; `from`, where its number is known, is the one to hear of the commit first. Throws
   * `NOT_LEADER`, `PROPOSAL_DROPPED`, `NO_QUORUM` (each: not appended), `OUTCOME_UNKNOWN`, `CANCELLED`.
   */
  propose(command: Command, signal: AbortSignal, from?: RaftId): Promise<TransactionOutcome>;
  /** A read point for another agent; `from` as above. Throws `NOT_LEADER`, `NO_QUORUM`, `CANCELLED`. */
  readIndex(signal: AbortSignal, from?: RaftId): Promise<number>;
  /** A snapshot's content, pulled as fast as the peer takes it. Throws `UNAVAILABLE` when there is none of use. */
  snapshot(peer: RaftId, request: SnapshotRequest, signal: AbortSignal): AsyncIterable<SnapshotPart>;
}

/**
 * Carries a loop's messages, and its callers' requests to a leader. A message may be lost or come late; messages to one
 * peer that do come keep their order.
 */
export interface RaftTransport {
  /** Says who answers from now on; undefined: nobody. Called when the loop starts and when it stops. */
  attach(handlers: RaftHandlers | undefined): void;
  /** Sends in order, or not at all. Never waits and never throws. */
  send(message: PeerMessage): void;
  /** Asks at a member's address whether it is there, for at most `timeoutMs`. Never rejects. */
  presence(peer: RaftId, timeoutMs: number): Promise<Presence>;
  /**
   * Passes an encoded command to the leader. Throws what its `propose` throws; `UNAVAILABLE` when it was certainly not
   * delivered; `OUTCOME_UNKNOWN` when it may have been.
   */
  forwardPropose(leader: RaftId, command: Uint8Array, signal: AbortSignal): Promise<TransactionOutcome>;
  /** Asks the leader for a read point. Throws what its `readIndex` throws, or `UNAVAILABLE`. */
  forwardReadIndex(leader: RaftId, signal: AbortSignal): Promise<number>;
  /** Fetches a snapshot's content. Throws `UNAVAILABLE` when the peer cannot be reached or has none of use. */
  fetchSnapshot(from: RaftId, request: SnapshotRequest, signal: AbortSignal): AsyncIterable<SnapshotPart>;
}
