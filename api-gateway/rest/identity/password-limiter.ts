/**
 * Slows the guessing of passwords without locking anybody out.
 *
 * Buckets go by the *user that was found*, however it was spelled, and by the client's address:
 *
 * 1. user and address: 20 failures at once, then one in five seconds. Everything that is tried is charged before the hash is
 *    computed and given back when it succeeds, so that attempts in parallel count like attempts in a row.
 * 2. user, over all addresses: for guessers who have many. Not for addresses from which the user has logged in lately: a
 *    crowd of strangers cannot slow people down where they usually are.
 * 3. all names that nobody has, by address: whether a user exists cannot be told by being slowed down.
 *
 * An empty bucket delays before it refuses: the next attempt waits its turn, for 25 seconds at most. So a stranger behind the
 * same address (a proxy, an office) who guessed wrongly 20 times costs the right password five seconds and no more, while
 * the guesser is held to the same one in five. Only who keeps the line full (five wait already) makes others behind that
 * very address try again; telling the two apart there is what the password is for.
 *
 * Each agent counts for itself: a mesh of n agents allows n times as much. Nothing of it is written, so that a guesser
 * causes no commits.
 */
import { type Clock, sleep } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { addressGroup } from '../../../node/rpc/listener/address-group.ts';
import type { GatewayLimits } from '../../kit/limits.ts';
import { TokenBuckets } from '../../kit/token-bucket.ts';

/** How long an address stays known as one from which a user has logged in, milliseconds. */
const knownForMs = 12 * 3_600_000;

/** One attempt. */
interface PasswordAttempt {
  /** Of the client, as far as trusted proxies say. */
  readonly address: string;
  /** Id of the user that the request names; '' when there is no such user, undefined when it names none (a token alone). */
  readonly userId: string | undefined;
  readonly signal: AbortSignal;
}

/** See above. */
export class PasswordLimiter {
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  readonly #attempts: TokenBuckets;
  readonly #failures: TokenBuckets;
  readonly #userFailures: TokenBuckets;
  /** When a user last logged in from an address, monotonic; the oldest is the first. */
  readonly #known = new Map<string, number>();

  constructor(clock: Clock, limits: GatewayLimits) {
    this.#clock = clock;
    this.#limits = limits;
    const buckets = (perSecond: number, burst: number): TokenBuckets =>
      new TokenBuckets(clock, { perSecond, burst, keysMax: limits.limiterKeysMax });
    this.#attempts = buckets(limits.authAttemptsPerSecond, limits.authAttemptsBurst);
    this.#failures = buckets(limits.authFailuresPerSecond, limits.authFailuresBurst);
    this.#userFailures = buckets(limits.authUserFailuresPerSecond, limits.authUserFailuresBurst);
  }

  /** Runs `attempt` in its turn. Throws `RATE_LIMITED` when that is too far away, and what `attempt` throws. */
  async run<T>({ address: from, userId, signal }: PasswordAttempt, attempt: () => Promise<T>): Promise<T> {
    const address = addressGroup(from);
    const waitSeconds = this.#attempts.take(address);
    if (waitSeconds > 0) throw tooMany(waitSeconds);
    if (userId === undefined) return attempt();
    const key = `${address} ${userId}`;
    const charged: (() => void)[] = [];
    const giveBack = (): void => {
      for (const undo of charged.splice(0)) undo();
    };
    try {
      await this.#turn(this.#failures, key, charged, signal);
      if (userId !== '' && !this.#isKnown(key)) await this.#turn(this.#userFailures, userId, charged, signal);
      const result = await attempt();
      giveBack();
      this.#remember(key);
      return result;
    } catch (error) {
      // Only a wrong password is charged: not what never came to its turn, and not what failed for other reasons.
      if (!ShoalError.is(error, 'UNAUTHENTICATED')) giveBack();
      throw error;
    }
  }

  async #turn(buckets: TokenBuckets, key: string, charged: (() => void)[], signal: AbortSignal): Promise<void> {
    const { waitMs, refused } = buckets.reserve(key, this.#limits.authWaitMs);
    if (refused) throw tooMany(Math.max(1, Math.ceil(waitMs / 1000)));
    charged.push(() => buckets.give(key));
    if (waitMs > 0) await sleep(this.#clock, waitMs, signal);
  }

  #isKnown(key: string): boolean {
    const atMs = this.#known.get(key);
    return atMs !== undefined && this.#clock.monotonicMs() - atMs < knownForMs;
  }

  #remember(key: string): void {
    this.#known.delete(key);
    this.#known.set(key, this.#clock.monotonicMs());
    if (this.#known.size <= this.#limits.limiterKeysMax) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

function tooMany(retryAfterSeconds: number): ShoalError {
  return new ShoalError('RATE_LIMITED', 'Too many attempts to authenticate; try again later.', {
    facts: { retryAfterSeconds },
  });
}
