/**
 * Whether this node's log is what it was, as far as the others remember.
 *
 * The problem: a disk that was wiped, or put back from an old copy, under a live member. Such a node has forgotten votes
 * and entries that it acknowledged; were it to vote, committed entries could be lost. It cannot see that by itself.
 *
 * The method: every member notes of every other the last incarnation, the highest term it has spoken in and the last
 * entry that it has said is durable: a follower says so by acknowledging, a leader, who acknowledges its own entries to
 * nobody, with everything that it sends. After a start a node greets each peer, and believes nothing a peer says before
 * that peer's answer is here: the answer tells what the peer remembers. If that is more than the log holds, the log is
 * quarantined. It then raises its term fence to a term that no forgotten vote can have reached, takes entries of
 * leaders elected above the fence only, and does not vote until it holds an entry of such a leader as committed; by
 * then it has everything that was committed before.
 *
 * A term fence voids what the node promised in lower terms, and nothing else: what it acknowledges while quarantined
 * counts, and a disk that is put back once more meanwhile is quarantined again. The fence stays on disk for good and is
 * in every greeting, and each memory says which fence it knew of. So a peer that was away during the repair can tell,
 * once it hears of the fence, what the old disk promised from what the repaired one has promised since; and a disk put
 * back from before the fence is found out by any peer that has heard of it.
 *
 * A leader's heartbeat that counts on entries beyond the end of the log says the same without having been asked.
 *
 * Why that is enough: the leader above the fence was elected by a majority that this node is not part of, so every
 * majority this node was part of shares some other, honest member with it. What can remain unseen: a rollback that no
 * reachable peer remembers anything about. So it is with entries which a leader has synced and counted, when it dies
 * before its next message and its disk comes back as it was before them: waiting for that message to arrive would cost
 * each write a round trip.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Message, MessageType, Term } from '../../raft/index.ts';
import type { Identity, PeerMemory, Quarantine } from '../../store/index.ts';
import type { Hello, SentMessage } from '../transport/transport.ts';

const markMemoryFollowsAFence = coverageMark(
  'memory-follows-a-fence',
  'what was remembered of a member is void: it has raised its term fence',
);
const markAnswerFromBelowTheFence = coverageMark(
  'answer-from-below-the-fence',
  'a peer answers that has not heard of the term fence',
);

/** Messages held back for a peer whose answer is not here yet: what it sends in one round trip. */
const heldMessagesMax = 64;

/**
 * Kinds of messages whose term is on the sender's disk: what it sends behind a sync, and what only a leader sends. Votes
 * are asked for, and heartbeats answered, before the new term is durable; a question about a future term promises nothing.
 */
const promises: ReadonlySet<MessageType> = new Set([
  'MsgApp',
  'MsgAppResp',
  'MsgVoteResp',
  'MsgSnap',
  'MsgHeartbeat',
  'MsgTimeoutNow',
]);

/** Where this node's log is, on disk. */
export interface OwnLog {
  readonly term: number;
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** Its term fence; 0: none. */
  readonly raisedTerm: number;
}

/** What each peer was heard to promise, and whether its answer shows that the own log has lost something. No I/O. */
export class Trust {
  readonly #identity: Identity;
  readonly #memory: Map<RaftId, PeerMemory>;
  /** Peers that have answered since the start. */
  readonly #answered = new Set<RaftId>();
  readonly #held = new Map<RaftId, Message[]>();
  /** Peers whose memory has changed since it was last stored. */
  readonly #changed = new Set<RaftId>();

  constructor(identity: Identity, memory: ReadonlyMap<RaftId, PeerMemory>) {
    this.#identity = identity;
    this.#memory = new Map(memory);
  }

  /** Whether the peer's messages may be believed. */
  hasAnswered(peer: RaftId): boolean {
    return this.#answered.has(peer);
  }

  /** Keeps a message until the peer has answered; the oldest go first when there are too many. */
  hold(message: Message): void {
    const held = this.#held.get(message.from) ?? [];
    held.push(message);
    if (held.length > heldMessagesMax) held.shift();
    this.#held.set(message.from, held);
  }

  /** The peer has answered: its messages count from now on. Returns those that were held back. */
  release(peer: RaftId): readonly Message[] {
    this.#answered.add(peer);
    const held = this.#held.get(peer) ?? [];
    this.#held.delete(peer);
    return held;
  }

  /** A greeting for `peer`. */
  greeting(peer: RaftId, own: OwnLog): Hello {
    return this.#hello('Hello', peer, own, undefined);
  }

  /** The answer to a greeting: what was remembered before it. */
  answer(hello: Hello, own: OwnLog): Hello {
    const known = this.#memory.get(hello.from);
    this.met(hello);
    return this.#hello('HelloResp', hello.from, own, known);
  }

  /**
   * Takes in what a peer says of its log. Greetings come late, twice and out of order: a memory only ever follows to
   * a higher fence. What is known of another disk stays until the peer tells of a fence, and so knows.
   */
  met({ from, incarnation, starts, term, raisedTerm }: Hello): void {
    const known = this.#memory.get(from);
    if (known === undefined) {
      this.#note(from, { incarnation, starts, term, match: 0, matchTerm: 0, raisedTerm });
    } else if (raisedTerm > known.raisedTerm) {
      markMemoryFollowsAFence();
      const left = aboveFence(known, raisedTerm);
      this.#note(from, { ...left, incarnation, starts, term: Math.max(left.term, term), raisedTerm });
    } else if (known.incarnation === incarnation && known.raisedTerm === raisedTerm && known.starts < starts) {
      this.#note(from, { ...known, starts });
    }
  }

  /** What a peer's answer says about this node's log: a reason to quarantine it, or undefined. */
  judge(answer: Hello, own: OwnLog): Omit<Quarantine, 'raisedTerm'> | undefined {
    if (answer.known === undefined) return undefined;
    const isBelowFence = answer.known.raisedTerm < own.raisedTerm;
    if (isBelowFence) markAnswerFromBelowTheFence();
    const known = isBelowFence ? aboveFence(answer.known, own.raisedTerm) : answer.known;
    const isFenceForgotten = known.raisedTerm > own.raisedTerm;
    const isSameDisk = known.incarnation === this.#identity.incarnation;
    const isAhead = known.matchTerm > own.lastTerm || (known.matchTerm === own.lastTerm && known.match > own.lastIndex);
    const isTermForgotten = known.term > own.term;
    // A peer that has not heard of the fence names the disk and the starts of before it.
    const isStartForgotten = isSameDisk && !isBelowFence && known.starts > this.#identity.starts;
    // A promise of another disk is one that this disk has not kept; only a term fence voids it.
    const isDiskForgotten = !isSameDisk && !isBelowFence && known.term > 0;
    if (!isAhead && !isTermForgotten && !isStartForgotten && !isDiskForgotten && !isFenceForgotten) return undefined;
    const detail =
      `Member ${answer.from} remembers start ${known.starts} of this member, term ${known.term}, entry ` +
      `${known.match} of term ${known.matchTerm}, and term fence ${known.raisedTerm}; this is start ` +
      `${this.#identity.starts}, term ${own.term}, the log ends at ${own.lastIndex} of term ${own.lastTerm}, and its ` +
      `term fence is ${own.raisedTerm}.`;
    return { reason: isSameDisk || isBelowFence ? 'rolled-back' : 'disk-wiped', detail };
  }

  /**
   * What a heartbeat says about this node's log, which ends at `lastIndex` and whose term is `term`. A leader tells a
   * follower of what is committed only as far as that follower has acknowledged the log: what is missing of it was here
   * once, though no peer that has answered a greeting remembers.
   */
  judgeHeartbeat(message: Message, term: Term, lastIndex: number): Omit<Quarantine, 'raisedTerm'> | undefined {
    if (message.type !== 'MsgHeartbeat' || message.term < term || message.commit <= lastIndex) return undefined;
    const detail = `Member ${message.from} leads term ${message.term} and counts on entry ${message.commit} of this member; the log ends at ${lastIndex}.`;
    return { reason: 'rolled-back', detail };
  }

  /** Notes what a peer has promised by a message. Only what it says after a sync counts: the rest it may rightly forget. `termOf` tells the term of an entry of this node's own log, 0 if unknown. */
  heard(message: SentMessage, termOf: (index: number) => number): void {
    if (!promises.has(message.type)) return;
    const { from, type, term, index, durableIndex = 0 } = message;
    const known = this.#memory.get(from);
    if (known === undefined) return;
    if (term > known.term) this.#note(from, { ...known, term });
    // What a leader tells of its disk is of its own term.
    if (durableIndex > 0) this.#holds(from, durableIndex, term);
    else if (type === 'MsgAppResp' && !message.reject && index > 0) this.#holds(from, index, termOf(index));
  }

  /** What is remembered of a peer; undefined: it was never heard of. */
  memoryOf(peer: RaftId): PeerMemory | undefined {
    return this.#memory.get(peer);
  }

  /** What changed since the last call, to be stored. */
  takeChanges(): readonly (readonly [RaftId, PeerMemory])[] {
    const changes: (readonly [RaftId, PeerMemory])[] = [];
    for (const peer of this.#changed) {
      const memory = this.#memory.get(peer);
      if (memory !== undefined) changes.push([peer, memory]);
    }
    this.#changed.clear();
    return changes;
  }

  /** The peer has an entry on its disk. */
  #holds(peer: RaftId, match: number, matchTerm: Term): void {
    const known = this.#memory.get(peer);
    if (known === undefined || matchTerm < known.matchTerm) return;
    if (matchTerm === known.matchTerm && match <= known.match) return;
    this.#note(peer, { ...known, match, matchTerm });
  }

  #note(peer: RaftId, memory: PeerMemory): void {
    this.#memory.set(peer, memory);
    this.#changed.add(peer);
  }

  #hello(type: Hello['type'], to: RaftId, own: OwnLog, known: PeerMemory | undefined): Hello {
    const { raftId, incarnation, starts } = this.#identity;
    const { term, raisedTerm } = own;
    return { type, to, from: raftId, term, incarnation, starts, raisedTerm, known };
  }
}

/**
 * The part of a memory that was promised above the fence `raisedTerm`: nothing was ever promised in such terms before
 * it. An acknowledgement of an entry of a lower term goes with the rest: what is committed above the fence has an entry
 * of a later leader behind it, which is remembered.
 */
function aboveFence(known: PeerMemory, raisedTerm: number): PeerMemory {
  const hasMatched = known.matchTerm >= raisedTerm;
  return {
    ...known,
    term: known.term >= raisedTerm ? known.term : 0,
    match: hasMatched ? known.match : 0,
    matchTerm: hasMatched ? known.matchTerm : 0,
  };
}
