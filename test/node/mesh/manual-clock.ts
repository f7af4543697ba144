/** Time that moves when the test says so. */
import { setImmediate } from 'node:timers/promises';
import type { Clock, Timer } from '../../../node/base/clock.ts';

export class ManualClock implements Clock {
  #nowMs = 1_000;
  #number = 0;
  readonly #due = new Map<number, { readonly atMs: number; readonly callback: () => void; readonly everyMs: number }>();

  nowMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    return this.#arm(callback, delayMs, 0);
  }

  setInterval(callback: () => void, periodMs: number): Timer {
    return this.#arm(callback, periodMs, periodMs);
  }

  /** Moves on, calling what falls due in order, and lets promises settle after each call. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      let next:
        | [number, { readonly atMs: number; readonly callback: () => void; readonly everyMs: number }]
        | undefined;
      for (const entry of this.#due) {
        if (entry[1].atMs <= endMs && (next === undefined || entry[1].atMs < next[1].atMs)) next = entry;
      }
      if (next === undefined) break;
      const [number, { atMs, callback, everyMs }] = next;
      this.#nowMs = atMs;
      if (everyMs > 0) this.#due.set(number, { atMs: atMs + everyMs, callback, everyMs });
      else this.#due.delete(number);
      callback();
      await setImmediate();
    }
    this.#nowMs = endMs;
    await setImmediate();
  }

  #arm(callback: () => void, delayMs: number, everyMs: number): Timer {
    const number = ++this.#number;
    this.#due.set(number, { atMs: this.#nowMs + delayMs, callback, everyMs });
    return { cancel: () => void this.#due.delete(number) };
  }
}
