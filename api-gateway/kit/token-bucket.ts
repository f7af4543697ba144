import type { Clock } from '../../node/base/clock.ts';

/** How fast buckets fill and what they hold. */
interface TokenBucketOptions {
  readonly perSecond: number;
  /** Capacity; a new key starts full. */
  readonly burst: number;
  /** Keys remembered. Beyond it the one not seen for longest is forgotten, which can only favour its caller. */
  readonly keysMax: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** One token bucket a key, filled by the monotonic clock when looked at. */
export class TokenBuckets {
  readonly #clock: Clock;
  readonly #options: TokenBucketOptions;
  // A Map keeps insertion order; a key seen again is moved to the end, so the first is the oldest.
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, options: TokenBucketOptions) {
    this.#clock = clock;
    this.#options = options;
  }

  /** Takes one token. Returns 0 when there was one, else the seconds until there will be (at least 1). */
  take(key: string): number {
    const bucket = this.#bucket(key);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return 0;
    }
    return this.#secondsUntilOne(bucket);
  }

  /**
   * Takes one token ahead of its time when there is none: `waitMs` is how long its holder has to wait before use, and the
   * next one waits longer. Refused, with the wait there would be, when that exceeds `waitMsMax`; nothing is taken then.
   */
  reserve(key: string, waitMsMax: number): { readonly waitMs: number; readonly refused: boolean } {
    const bucket = this.#bucket(key);
    const waitMs = Math.max(0, Math.ceil(((1 - bucket.tokens) / this.#options.perSecond) * 1000));
    if (waitMs > waitMsMax) return { waitMs, refused: true };
    bucket.tokens -= 1;
    return { waitMs, refused: false };
  }

  /** Gives a token back. */
  give(key: string): void {
    const bucket = this.#bucket(key);
    bucket.tokens = Math.min(this.#options.burst, bucket.tokens + 1);
  }

  #secondsUntilOne(bucket: Bucket): number {
    return Math.max(1, Math.ceil((1 - bucket.tokens) / this.#options.perSecond));
  }

  #bucket(key: string): Bucket {
    const { perSecond, burst, keysMax } = this.#options;
    const now = this.#clock.monotonicMs();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > keysMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest);
        break;
      }
    }
    return bucket;
  }
}
