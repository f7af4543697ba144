/** How a host's subscriptions went: counted for metrics, and told to people where the replicas stay behind the slice. */
import type { ShoalError } from '../base/errors.ts';

/** All replicas that answer may be behind for so long, as after an election, before people are told. Unit: ms. */
const behindMsMax = 30_000;

/**
 * How the slice became current: `whole` where there was none, `changes` where the replica knew what had changed, `digests`
 * where it did not; `failed`: the subscription ended before.
 */
export type SubscriptionResult = 'whole' | 'changes' | 'digests' | 'failed';

/** See above. */
export class SubscriptionLog {
  readonly #counts: Record<SubscriptionResult, number> = { whole: 0, changes: 0, digests: 0, failed: 0 };
  /** Of the subscription under way; undefined: it is current already. */
  #result: SubscriptionResult | undefined;
  /** Since when those who answer are behind; undefined: none has said so since the slice was fed last. Monotonic ms. */
  #behindMs: number | undefined;

  /** Since the start. */
  get counts(): Readonly<Record<SubscriptionResult, number>> {
    return { ...this.#counts };
  }

  /** One begins, with a slice or with none. */
  begins(hasSlice: boolean): void {
    this.#result = hasSlice ? 'changes' : 'whole';
  }

  /** The replica does not know what has changed since. */
  isAskedForDigests(): void {
    if (this.#result === 'changes') this.#result = 'digests';
  }

  /** A piece has come. */
  isFed(isWhole: boolean): void {
    this.#behindMs = undefined;
    if (!isWhole || this.#result === undefined) return;
    this.#counts[this.#result] += 1;
    this.#result = undefined;
  }

  /** It has ended. */
  ends(): void {
    if (this.#result !== undefined) this.#counts.failed += 1;
    this.#result = undefined;
  }

  /** It has ended with an error. */
  failed({ code }: ShoalError, nowMs: number): void {
    if (code === 'STALE') this.#behindMs ??= nowMs;
  }

  /** What is wrong, for people, by part; empty when all is well. */
  troubles(nowMs: number, revision: number): Readonly<Record<string, string>> {
    if (this.#behindMs === undefined || nowMs - this.#behindMs < behindMsMax) return {};
    return {
      slice:
        `the replicas are behind revision ${revision}, which this host has followed: it keeps its guests as of then and hears ` +
        'of nothing new. If their disks were put back from copies and are to stay so: stop this agent, then ' +
        'shoal reset-membership   and join again with a ticket; its disks, images and guests stay',
    };
  }
}
