/**
 * What stands between the peers' messages and the core: nothing of a peer counts before it has answered a greeting, and
 * what shows that this node's own log is less than it was begins a repair instead of being taken. The rules are in
 * trust.ts; this is where they meet the wire and the disk.
 */

import { coverageMark } from '../../base/buggify/buggify.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Message, RawNode } from '../../raft/index.ts';
import type { LogStore, PeerMemory } from '../../store/index.ts';
import type { Quorum } from '../quorum/quorum.ts';
import type { Hello, RaftTransport } from '../transport/transport.ts';
import type { Repair } from './repair.ts';
import { type OwnLog, Trust } from './trust.ts';

const markMessageHeldUntilGreeted = coverageMark(
  'message-held-until-greeted',
  'a message waits for the answer to a greeting',
);
const markQuarantinedLogAskedForAVote = coverageMark(
  'quarantined-log-asked-for-a-vote',
  'a quarantined member is asked for its vote',
);

const markShedLogAskedForAVote = coverageMark(
  'shed-log-asked-for-a-vote',
  'a host that has shed its log is asked for its vote',
);

interface HandshakeDeps {
  readonly store: LogStore;
  readonly transport: RaftTransport;
  readonly quorum: Quorum;
  readonly repair: Repair;
}

/** Greets peers, holds back what comes from those that have not answered, and keeps what is remembered of each. */
export class Handshake {
  readonly #deps: HandshakeDeps;
  readonly #trust: Trust;

  constructor(deps: HandshakeDeps) {
    this.#deps = deps;
    this.#trust = new Trust(deps.store.identity, deps.store.peers);
  }

  /** What this node remembers of a peer's log; undefined: it was never heard of. */
  memoryOf(peer: RaftId): PeerMemory | undefined {
    return this.#trust.memoryOf(peer);
  }

  /** Has the store remember what was heard since the last call. */
  remember(): void {
    for (const [peer, memory] of this.#trust.takeChanges()) this.#deps.store.rememberPeer(peer, memory);
  }

  /** Greets every peer. */
  greetAll(): void {
    for (const peer of this.#deps.quorum.peers()) this.#greet(peer);
  }

  /** Whether the sender has answered a greeting. Otherwise it is greeted, and the message kept until `onHello`. */
  admits(message: Message): boolean {
    if (this.#trust.hasAnswered(message.from)) return true;
    markMessageHeldUntilGreeted();
    this.#trust.hold(message);
    this.#greet(message.from);
    return false;
  }

  /** Whether a peer has answered a greeting, so that what it says counts. */
  hasAnswered(peer: RaftId): boolean {
    return this.#trust.hasAnswered(peer);
  }

  /** A greeting or the answer to one. Returns the messages that were kept for want of it. */
  onHello(hello: Hello): readonly Message[] {
    const { store, transport, repair } = this.#deps;
    const own = this.#ownLog();
    if (hello.type === 'Hello') {
      const isNewStart = this.#trust.memoryOf(hello.from)?.starts !== hello.starts;
      transport.send(this.#trust.answer(hello, own));
      // Its disk may have been put back: what is remembered of it now must outlive this process, too.
      if (isNewStart) this.remember();
      return [];
    }
    this.#trust.met(hello);
    if (store.quarantine?.raisedTerm === 0) {
      repair.raiseTermFence(hello.term);
      return [];
    }
    // Also while quarantined: the disk may be put back once more, and what was promised above the fence counts.
    const found = this.#trust.judge(hello, own);
    if (found !== undefined) {
      repair.begin(found, hello.term);
      return [];
    }
    return this.#trust.release(hello.from);
  }

  /** Whether a message is for `core` to hear; what it promises is noted then. It may begin a repair, which drops the core. */
  believes(message: Message, core: RawNode): boolean {
    const { store, repair } = this.#deps;
    const { log, term } = core.raft;
    // What a vote compares, a log that was shed does not have.
    if (store.shed !== undefined && asksForVote(message)) {
      markShedLogAskedForAVote();
      return false;
    }
    if (store.quarantine !== undefined && asksForVote(message)) {
      markQuarantinedLogAskedForAVote();
      return false;
    }
    const found = this.#trust.judgeHeartbeat(message, term, log.lastIndex());
    if (found !== undefined) {
      repair.begin(found, message.term);
      return false;
    }
    this.#trust.heard(message, (index) => {
      const termAt = log.term(index);
      return typeof termAt === 'number' ? termAt : 0;
    });
    return true;
  }

  #greet(peer: RaftId): void {
    this.#deps.transport.send(this.#trust.greeting(peer, this.#ownLog()));
  }

  #ownLog(): OwnLog {
    const { store } = this.#deps;
    const { raisedTerm } = store;
    const { term } = store.initialState().hardState;
    // What was shed was not lost: the others rightly remember it.
    const { shed } = store;
    if (shed !== undefined) return { term, lastIndex: shed.index, lastTerm: shed.term, raisedTerm };
    const lastIndex = store.lastIndex();
    const lastTerm = store.term(lastIndex);
    return { term, lastIndex, lastTerm: typeof lastTerm === 'number' ? lastTerm : 0, raisedTerm };
  }
}

function asksForVote({ type }: Message): boolean {
  return type === 'MsgVote' || type === 'MsgPreVote' || type === 'MsgTimeoutNow';
}
