/** Callers that wait for something of the loop, each up to a deadline. */
import type { Clock } from '../../base/clock.ts';

/** Waiting for the next change of leader or quorum. */
export class ChangeWaiters {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves at the next `tell`, or after `delayMs`. */
  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, delayMs);
      this.#waiting.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** Something may have changed. */
  tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}

/** Waiting for entries to be applied here. */
export class AppliedWaiters {
  readonly #clock: Clock;
  readonly #appliedIndex: () => number;
  #waiting: { readonly index: number; readonly done: () => void }[] = [];

  /** @param appliedIndex the last index applied, at any time. */
  constructor(clock: Clock, appliedIndex: () => number) {
    this.#clock = clock;
    this.#appliedIndex = appliedIndex;
  }

  /** Resolves true once `index` is applied, false after `delayMs` or at `close`. */
  wait(index: number, delayMs: number): Promise<boolean> {
    if (this.#appliedIndex() >= index) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = { index, done: (): void => finish() };
      const finish = (): void => {
        timer.cancel();
        resolve(this.#appliedIndex() >= index);
      };
      const timer = this.#clock.setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== waiter);
        resolve(false);
      }, delayMs);
      this.#waiting.push(waiter);
    });
  }

  /** More has been applied. */
  tell(): void {
    if (this.#waiting.length === 0) return;
    const index = this.#appliedIndex();
    const done = this.#waiting.filter((waiter) => waiter.index <= index);
    if (done.length === 0) return;
    this.#waiting = this.#waiting.filter((waiter) => waiter.index > index);
    for (const waiter of done) waiter.done();
  }

  /** Nothing more will be applied: answers all. */
  close(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.done();
  }
}
