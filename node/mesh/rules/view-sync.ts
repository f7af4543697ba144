/**
 * When a host compares its view with a peer's, and with whose. Pure: time, links and what came of it are handed in.
 *
 * Every half a minute or so with one linked peer, drawn each time; soon after a link is made, since who was cut off has
 * missed something; and again soon after a comparison that brought news, so that what one side of a healed partition knows
 * reaches all of the other in a few rounds. A newcomer that holds less than half of the members' adverts has no use for a
 * comparison: it first pulls the whole view of a peer, at once.
 */
import type { HostId } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';

/** From one comparison to the next, ms, and the part of it that chance takes off or adds. */
const everyMs = 30_000;
const jitter = 0.3;
/** Time until a comparison that has a reason, ms; chance takes up to three quarters off. */
const soonMs = 1_000;
/** Least time from the end of one to the next, ms: links that come and go must not make a flood of it. */
const betweenMs = 250;
/** Time until it is tried again when no linked peer answered, ms: a newcomer's, and another's (all may be of an earlier version). */
const retryMs = { newcomer: 2_000, other: 15_000 };

/** What is to be done with which peer. */
interface ViewSyncAction {
  readonly kind: 'pull' | 'compare';
  readonly with: HostId;
}

/** How it ended: whether the peer answered to the end, and how many adverts of it were news here. */
interface ViewSyncResult {
  readonly isComplete: boolean;
  readonly newAdverts: number;
}

export class ViewSync {
  readonly #random: Prng;
  #dueMs: number;
  #freeMs = 0;
  #underWay: ViewSyncAction | undefined;
  /** Asked last: the next one asked is another, if there is one. */
  #lastWith: HostId | undefined;
  /** A pull has come to its end: what is missing since is found by comparing. */
  #hasPulled = false;
  /** Did not answer to the end since one did. */
  readonly #failed = new Set<HostId>();

  constructor(random: Prng, nowMs: number) {
    this.#random = random;
    this.#dueMs = nowMs + everyMs * (1 - jitter * random.float());
  }

  /** Something may have been missed: a link was made, or an advert came that builds on one that is not here. */
  missed(nowMs: number): void {
    this.#dueMs = Math.min(this.#dueMs, nowMs + soonMs * (1 - 0.75 * this.#random.float()));
  }

  /**
   * What is to be done now, if anything; it is under way until `ended`.
   * @param links peers that can be asked.
   * @param held adverts that are held, of `members` hosts.
   */
  next(
    nowMs: number,
    links: readonly HostId[],
    { held, members }: { readonly held: number; readonly members: number },
  ): ViewSyncAction | undefined {
    if (this.#underWay !== undefined || links.length === 0 || nowMs < this.#freeMs) return undefined;
    const isPoor = !this.#hasPulled && 2 * held < members;
    if (!isPoor && nowMs < this.#dueMs) return undefined;
    const answering = links.filter((hostId) => !this.#failed.has(hostId));
    if (answering.length === 0) {
      this.#failed.clear();
      this.#freeMs = nowMs + (isPoor ? retryMs.newcomer : retryMs.other);
      return undefined;
    }
    const others = answering.filter((hostId) => hostId !== this.#lastWith);
    const peer = this.#random.pick(others.length > 0 ? others : answering);
    this.#lastWith = peer;
    this.#underWay = { kind: isPoor ? 'pull' : 'compare', with: peer };
    return this.#underWay;
  }

  /** What `next` asked for has ended. */
  ended(nowMs: number, { isComplete, newAdverts }: ViewSyncResult): void {
    const done = this.#underWay;
    this.#underWay = undefined;
    if (done === undefined) return;
    if (!isComplete) {
      // Another one is asked at once.
      this.#failed.add(done.with);
      this.#dueMs = nowMs;
      return;
    }
    this.#failed.clear();
    this.#freeMs = nowMs + betweenMs;
    this.#dueMs = nowMs + everyMs * (1 + jitter * (2 * this.#random.float() - 1));
    if (done.kind === 'pull') this.#hasPulled = true;
    // What a peer leaves out of its whole view, another one has.
    if (done.kind === 'pull' || newAdverts > 0) this.missed(nowMs);
  }
}
