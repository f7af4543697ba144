/** Starts of guests that fail on this host: what Nova's BuildFailureWeigher goes by. */
import type { Clock } from '../base/clock.ts';
import type { KindObserver } from './engine/kind.ts';

/** A failure counts for so long: what ails a host may have been mended, and no guest would come to show it. */
const recentMs = 3_600_000;
/** Failures kept; more of them say nothing new. */
const failuresMax = 1_000;

/** How many there were lately, since the last start that worked. */
export class BuildFailures {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #onChange: () => void;
  #failedAtMs: number[] = [];

  constructor(clock: Pick<Clock, 'monotonicMs'>, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** In the last hour, and after the last start that worked. At most 1,000. */
  get count(): number {
    const fromMs = this.#clock.monotonicMs() - recentMs;
    return this.#failedAtMs.filter((failedAtMs) => failedAtMs > fromMs).length;
  }

  /** An observer that takes note and tells `inner` what it hears. */
  watch(inner: KindObserver): KindObserver {
    return {
      step: (kind, step, result, seconds) => {
        if (kind === 'server' && step === 'start') this.#note(result);
        inner.step?.(kind, step, result, seconds);
      },
      health: (part, error) => inner.health?.(part, error),
    };
  }

  #note(result: 'done' | 'failed'): void {
    if (result === 'done' && this.#failedAtMs.length === 0) return;
    this.#failedAtMs = result === 'done' ? [] : [...this.#failedAtMs, this.#clock.monotonicMs()].slice(-failuresMax);
    this.#onChange();
  }
}
