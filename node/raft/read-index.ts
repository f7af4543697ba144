/**
 * Reads that need not be written to the log (Raft thesis, 6.4). The leader notes its commit index, then learns from a
 * quorum that nobody has replaced it meanwhile; a node that has applied up to the noted index may then read.
 */
import type { RaftId } from '../base/ids.ts';
import type { LogIndex, Message } from './messages/messages.ts';
import type { JointQuorum } from './quorum.ts';

/** A read that may go on once `index` is applied. */
export interface ReadState {
  readonly index: LogIndex;
  /** What the caller named the read. */
  readonly context: Uint8Array;
}

/** A read that waits for its quorum. */
interface PendingRead {
  /** The request, from this node or a follower. */
  readonly request: Message;
  /** The commit index when the request came. */
  readonly index: LogIndex;
}

interface Waiting extends PendingRead {
  readonly key: string;
  readonly acknowledged: Map<RaftId, boolean>;
}

/** The reads that wait, oldest first. Heartbeats carry the newest one's context: its quorum confirms all before it. */
export class ReadIndexQueue {
  readonly #waiting: Waiting[] = [];
  readonly #byKey = new Map<string, Waiting>();

  get length(): number {
    return this.#waiting.length;
  }

  /** Adds a read; one that waits already under the same context is not added again. */
  add(index: LogIndex, request: Message, self: RaftId): void {
    const key = keyOf(request.context);
    if (this.#byKey.has(key)) return;
    const waiting = { key, request, index, acknowledged: new Map([[self, true]]) };
    this.#byKey.set(key, waiting);
    this.#waiting.push(waiting);
  }

  /** What the next heartbeat is to carry; undefined when nothing waits. */
  lastContext(): Uint8Array | undefined {
    return this.#waiting.at(-1)?.request.context;
  }

  /** `from` has answered a heartbeat that carried `context`. Returns the reads that a quorum has now confirmed. */
  acknowledge(from: RaftId, context: Uint8Array, voters: JointQuorum): readonly PendingRead[] {
    const waiting = this.#byKey.get(keyOf(context));
    if (waiting === undefined) return [];
    waiting.acknowledged.set(from, true);
    if (voters.voteResult(waiting.acknowledged) !== 'won') return [];
    const confirmed = this.#waiting.splice(0, this.#waiting.indexOf(waiting) + 1);
    for (const read of confirmed) this.#byKey.delete(read.key);
    return confirmed;
  }

  clear(): void {
    this.#waiting.length = 0;
    this.#byKey.clear();
  }
}

function keyOf(context: Uint8Array): string {
  return String.fromCharCode(...context);
}
