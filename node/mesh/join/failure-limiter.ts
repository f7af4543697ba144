import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';

/** Bounds on failed attempts. */
interface FailureLimits {
  /** Failures of one source in a window. */
  readonly perSourceMax: number;
  /** Failures of all sources together in a window: each may cost the mesh a consensus read. */
  readonly totalMax: number;
  readonly windowMs: number;
  /** Sources remembered. Beyond it the oldest is forgotten; the total still bounds what a crowd can do. */
  readonly sourcesMax: number;
}

/**
 * Generous to a person who mistypes, hopeless for a guesser: a secret has 256 bits, so the limits are about load. A crowd
 * can keep newcomers out for as long as it goes on, but never a member.
 */
export const joinFailureLimits: FailureLimits = { perSourceMax: 10, totalMax: 300, windowMs: 60_000, sourcesMax: 1024 };

/** Counts failures by source, and refuses those that have had too many. */
export class FailureLimiter {
  readonly #clock: Clock;
  readonly #limits: FailureLimits;
  readonly #failures = new Map<string, number>();
  #total = 0;
  #windowEndsMs = 0;

  constructor(clock: Clock, limits: FailureLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Throws `RATE_LIMITED`, with `facts.retryAfterMs`, when the source or all of them have failed too often of late. */
  check(source: string): void {
    this.#roll();
    if ((this.#failures.get(source) ?? 0) >= this.#limits.perSourceMax || this.#total >= this.#limits.totalMax) {
      const retryAfterMs = Math.ceil(this.#windowEndsMs - this.#clock.monotonicMs());
      throw new ShoalError(
        'RATE_LIMITED',
        `Too many failed attempts; try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
        {
          facts: { retryAfterMs },
        },
      );
    }
  }

  failed(source: string): void {
    this.#roll();
    this.#total++;
    const count = (this.#failures.get(source) ?? 0) + 1;
    this.#failures.delete(source); // Puts it last: the first is always the one that has been quiet longest.
    this.#failures.set(source, count);
    if (this.#failures.size > this.#limits.sourcesMax) {
      const oldest = this.#failures.keys().next();
      if (!oldest.done) this.#failures.delete(oldest.value);
    }
  }

  #roll(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#windowEndsMs) return;
    this.#windowEndsMs = nowMs + this.#limits.windowMs;
    this.#failures.clear();
    this.#total = 0;
  }
}

/** The address without the port of `ip:port`: a source has one address and many ports. */
export function sourceOf(remoteAddress: string): string {
  const colon = remoteAddress.lastIndexOf(':');
  return colon < 0 ? remoteAddress : remoteAddress.slice(0, colon);
}
