import type { RaftId } from '../../base/ids.ts';

/**
 * When each peer was last heard of. Time here is told by the loop's ticks and stands still while this process does: after a
 * pause (garbage collection, a busy host) what the peers sent meanwhile is still to be read, and they must not look silent.
 */
export class Heard {
  readonly #self: RaftId;
  readonly #at = new Map<RaftId, number>();
  #nowMs = 0;

  constructor(self: RaftId) {
    this.#self = self;
  }

  /** Time has passed in which messages could have been read. Unit: milliseconds. */
  advance(ms: number): void {
    this.#nowMs += ms;
  }

  note(peer: RaftId): void {
    this.#at.set(peer, this.#nowMs);
  }

  /** Since the peer was heard of; Infinity: never. 0 for this node itself. Unit: milliseconds. */
  silentMs(peer: RaftId): number {
    if (peer === this.#self) return 0;
    const at = this.#at.get(peer);
    return at === undefined ? Number.POSITIVE_INFINITY : this.#nowMs - at;
  }

  /** Whether more than half of `members` were heard of lately. */
  isMajorityHeard(members: readonly RaftId[], silenceMs: number): boolean {
    const heard = members.filter((id) => this.silentMs(id) <= silenceMs).length;
    return heard > members.length / 2;
  }

  /** Which of `members` were not heard of lately, ascending. */
  missing(members: readonly RaftId[], silenceMs: number): RaftId[] {
    return [...new Set(members)].filter((id) => this.silentMs(id) > silenceMs).sort((a, b) => a - b);
  }
}
