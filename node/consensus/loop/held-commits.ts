/**
 * A leader's appends that carry nothing but a higher commit index, kept back for a moment.
 *
 * After each commit the core tells every follower. Under load the next entries follow at once and tell the same, so that
 * one message and its answer would be for nothing; with one writer that is half of all messages. Where no entries follow,
 * the message goes after `delayMs`. Nothing depends on it but how soon a follower applies: it may be lost altogether, as
 * heartbeats tell the commit index too. A caller that needs a follower to know at once calls `flush`.
 */
import type { Clock } from '../../base/clock.ts';
import type { RaftId } from '../../base/ids.ts';
import type { Message } from '../../raft/index.ts';

/** What is waited for entries: a little longer than a client with one write at a time takes to send the next. */
const delayMs = 2;

/** Keeps at most one message a follower, for 2 ms at most, and sends it by the function that it was given. */
export class HeldCommits {
  readonly #clock: Clock;
  readonly #send: (message: Message) => void;
  /** The newest of each follower. */
  readonly #held = new Map<RaftId, Message>();
  #isTimed = false;

  constructor(clock: Clock, send: (message: Message) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** Takes a message that is about to be sent; false: it has to go now. */
  take(message: Message): boolean {
    if (message.type !== 'MsgApp') return false;
    if (message.entries.length > 0) {
      // Says all that the one kept back would say: its commit index is no lower.
      this.#held.delete(message.to);
      return false;
    }
    this.#held.set(message.to, message);
    if (!this.#isTimed) {
      this.#isTimed = true;
      this.#clock.setTimeout(() => {
        this.#isTimed = false;
        this.flush();
      }, delayMs);
    }
    return true;
  }

  /** Sends what is kept back: for one follower, or for all. */
  flush(to?: RaftId): void {
    if (this.#held.size === 0) return;
    if (to !== undefined) {
      const message = this.#held.get(to);
      if (message === undefined) return;
      this.#held.delete(to);
      this.#send(message);
      return;
    }
    const messages = [...this.#held.values()];
    this.#held.clear();
    for (const message of messages) this.#send(message);
  }

  /** Forgets what is kept back: this node leads no more. */
  clear(): void {
    this.#held.clear();
  }
}
