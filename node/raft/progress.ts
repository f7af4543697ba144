import { type InflightLimits, Inflights } from './inflights.ts';
import type { LogIndex } from './messages/messages.ts';

/**
 * How a leader sends to one follower.
 *
 * - `probe`: the follower's log is not known. One message at a time, until an answer tells where the logs agree.
 * - `replicate`: the logs agree. Messages are sent one after another without waiting, within the in-flight window.
 * - `snapshot`: the follower needs what the leader's log no longer has. Nothing is appended until it has the snapshot.
 */
export type ProgressState = 'probe' | 'replicate' | 'snapshot';

/**
 * What a leader knows of one member. Invariant: `match` < `next`. Only the leader's own view: followers keep such
 * objects too (membership hangs on them) but never read the numbers.
 */
export class Progress {
  /** The highest index known to be on the follower's disk. Never shrinks within one leadership. */
  match: LogIndex = 0;
  /** The index that the next append starts at. Everything below has been sent or is known to be there. */
  next: LogIndex;
  state: ProgressState = 'probe';
  /** The index of the snapshot under way. 0 unless `state` is `snapshot`. */
  pendingSnapshot: LogIndex = 0;
  /** Heard from since the last quorum check. The leader clears it at each check. */
  recentActive: boolean;
  /**
   * Nothing is sent until something is heard: in `probe` after one message with entries, in `replicate` when the
   * window is full. A heartbeat's answer clears it, so that lost messages cannot stall the follower for ever.
   */
  paused = false;
  /** The highest commit index sent in a message that may have arrived. Lowered when a rejection shows it did not. */
  sentCommit: LogIndex = 0;
  /** The newest tick, plus 1, whose heartbeat this member has answered; 0 is never. Lease reads count on it. */
  leaseTick = 0;
  isLearner: boolean;
  readonly inflights: Inflights;

  constructor(options: { next: LogIndex; isLearner: boolean; recentActive: boolean; inflights: Inflights }) {
    this.next = options.next;
    this.isLearner = options.isLearner;
    this.recentActive = options.recentActive;
    this.inflights = options.inflights;
  }

  /** Progress of a member about whom nothing is known yet. */
  static fresh(options: {
    next: LogIndex;
    isLearner: boolean;
    recentActive: boolean;
    limits: InflightLimits;
  }): Progress {
    return new Progress({ ...options, inflights: new Inflights(options.limits) });
  }

  /** A copy whose fields may be changed; the window is shared, as only one of the two lives on. */
  clone(): Progress {
    const copy = new Progress(this);
    copy.match = this.match;
    copy.state = this.state;
    copy.pendingSnapshot = this.pendingSnapshot;
    copy.paused = this.paused;
    copy.sentCommit = this.sentCommit;
    copy.leaseTick = this.leaseTick;
    return copy;
  }

  /** Whether nothing may be appended now. */
  get isPaused(): boolean {
    return this.state === 'snapshot' || this.paused;
  }

  /** Where the logs agree is not known (any more): go back to what is certain, or to behind a snapshot that was sent. */
  becomeProbe(): void {
    const afterSnapshot = this.state === 'snapshot' ? this.pendingSnapshot + 1 : 0;
    this.#enter('probe');
    this.next = Math.max(this.match + 1, afterSnapshot);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
  }

  /** The logs agree up to `match`: stream from there. */
  becomeReplicate(): void {
    this.#enter('replicate');
    this.next = this.match + 1;
  }

  /** A snapshot at `index` is being sent. */
  becomeSnapshot(index: LogIndex): void {
    this.#enter('snapshot');
    this.pendingSnapshot = index;
    this.next = index + 1;
    this.sentCommit = index;
  }

  #enter(state: ProgressState): void {
    this.state = state;
    this.paused = false;
    this.pendingSnapshot = 0;
    this.inflights.reset();
  }

  /** Counts an append of `count` entries that was just sent. */
  noteSentEntries(count: number, bytes: number): void {
    if (count === 0) {
      // An empty append through a full window keeps it closed; one in `probe` costs nothing and pauses nothing.
      if (this.state === 'replicate') this.paused = this.inflights.full;
      return;
    }
    if (this.state === 'replicate') {
      this.next += count;
      this.inflights.add(this.next - 1, bytes);
      this.paused = this.inflights.full;
    } else {
      this.paused = true;
    }
  }

  /** Whether telling the follower of commit index `index` may raise its own: it was not told, and it holds more. */
  canBumpCommit(index: LogIndex): boolean {
    return index > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** Takes an acknowledgement of `index`. Returns whether it was news. */
  acknowledge(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.paused = false;
    return true;
  }

  /**
   * Takes a rejection of the append after `rejected`; `hint` is the highest index at which the logs may still agree.
   * Returns false when it is stale: reordered, repeated or overtaken by an acknowledgement.
   */
  reject(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === 'replicate') {
      if (rejected <= this.match) return false;
      // Everything after `match` was sent without waiting; where exactly it broke does not matter.
      this.next = this.match + 1;
    } else {
      if (rejected !== this.next - 1) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.paused = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }
}
