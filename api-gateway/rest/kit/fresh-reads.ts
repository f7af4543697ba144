import type { Clock } from '../../../node/base/clock.ts';
import { isTransient, ShoalError } from '../../../node/base/errors.ts';
import type { StateClient, StateReader } from '../../../node/state/types.ts';
import type { GatewayLimits } from '../../kit/limits.ts';

/** A view and how far it can be trusted. */
interface ReadView {
  readonly reader: StateReader;
  /** Undefined: confirmed. A number: at most so many seconds old. 'true': of unknown age. */
  readonly stale: number | 'true' | undefined;
}

/** Reads that are fresh where they can be and say so where they cannot. */
export class FreshReads {
  readonly #state: StateClient;
  readonly #clock: Clock;
  readonly #limits: GatewayLimits;
  /** When a view was last confirmed: what came later may be missing from the local one. */
  #confirmedMs: number | undefined;

  constructor(state: StateClient, clock: Clock, limits: GatewayLimits) {
    this.#state = state;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** A view within a bound, confirmed if possible. Throws what `signal` says when the caller has gone. */
  async read(signal: AbortSignal): Promise<ReadView> {
    signal.throwIfAborted();
    const isLost = this.#state.status().quorum === 'lost';
    const waitMs = isLost ? this.#limits.freshWaitWithoutQuorumMs : this.#limits.freshWaitMs;
    const bound = new AbortController();
    const timer = this.#clock.setTimeout(() => bound.abort(), waitMs);
    const gone = (): void => bound.abort();
    signal.addEventListener('abort', gone, { once: true });
    // The bound holds even where the state client is slow to heed the signal.
    const outOfTime = new Promise<'out-of-time'>((resolve) => {
      bound.signal.addEventListener('abort', () => resolve('out-of-time'), { once: true });
    });
    const askedMs = this.#clock.monotonicMs();
    try {
      const fresh = this.#state.fresh(bound.signal);
      // When the bound wins, the rejection that follows has nobody waiting for it.
      fresh.catch(() => undefined);
      const reader = await Promise.race([fresh, outOfTime]);
      if (reader !== 'out-of-time') {
        this.#confirmedMs = askedMs;
        return { reader, stale: undefined };
      }
    } catch (error) {
      // No fresh view is to be had now: the local one is given, and marked.
      if (!ShoalError.of(error, isTransient)) throw error;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', gone);
    }
    signal.throwIfAborted();
    const stale =
      this.#confirmedMs === undefined ? 'true' : Math.ceil((this.#clock.monotonicMs() - this.#confirmedMs) / 1000);
    return { reader: this.#state.local, stale };
  }
}
