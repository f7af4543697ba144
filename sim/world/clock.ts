/**
 * A host's clock in virtual time. It may run fast or slow (`rate`), and its wall clock may step; its monotonic clock never
 * goes back. Timers run by the host's own rate and end with the life that set them.
 */
import type { Clock, Timer } from '../../node/base/clock.ts';
import type { Life, Schedule } from './schedule.ts';

/** Where virtual time begins on wall clocks: 2026-01-01. Unit: ms since 1970. */
const startWallMs = 1_767_225_600_000;

/** What a host's oscillator and its wall clock do; outlives the agent's processes. */
export class HostTime {
  readonly #schedule: Schedule;
  #rate = 1;
  #monotonicMs: number;
  #setAtMs = 0;
  #stoppedAtMs: number | undefined;
  /** Wall clock over monotonic clock. */
  #wallOffsetMs = startWallMs;

  constructor(schedule: Schedule, options: { readonly uptimeMs: number }) {
    this.#schedule = schedule;
    this.#monotonicMs = options.uptimeMs;
    this.#wallOffsetMs -= options.uptimeMs;
  }

  get rate(): number {
    return this.#rate;
  }

  /** Local ms per true ms. */
  setRate(rate: number): void {
    this.#monotonicMs = this.monotonicMs();
    this.#setAtMs = this.#schedule.nowMs;
    this.#rate = rate;
  }

  monotonicMs(): number {
    return this.#monotonicMs + (this.#schedule.nowMs - this.#setAtMs) * this.#rate;
  }

  /** The wall clock stands still from now on; the monotonic one goes on. */
  stopWall(): void {
    this.#stoppedAtMs ??= this.wallMs();
  }

  wallMs(): number {
    return this.#stoppedAtMs ?? Math.floor(this.monotonicMs() + this.#wallOffsetMs);
  }

  /** Somebody sets the wall clock. */
  stepWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** The time service has set it right. */
  correctWall(): void {
    this.#stoppedAtMs = undefined;
    this.#wallOffsetMs = startWallMs + this.#schedule.nowMs - this.monotonicMs();
  }
}

/** What one life sees of it. */
export class LifeClock implements Clock {
  /** Timers that wait. */
  timers = 0;
  readonly #schedule: Schedule;
  readonly #time: HostTime;
  readonly #life: Life;

  constructor(schedule: Schedule, time: HostTime, life: Life) {
    this.#schedule = schedule;
    this.#time = time;
    this.#life = life;
  }

  nowMs(): number {
    return this.#time.wallMs();
  }

  monotonicMs(): number {
    return this.#time.monotonicMs();
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    this.timers += 1;
    const pending = this.#schedule.after(
      Math.max(0, delayMs) / this.#time.rate,
      () => {
        this.timers -= 1;
        pending.isCancelled = true;
        callback();
      },
      this.#life,
    );
    return {
      cancel: () => {
        if (!pending.isCancelled) this.timers -= 1;
        pending.isCancelled = true;
      },
    };
  }

  setInterval(callback: () => void, periodMs: number): Timer {
    this.timers += 1;
    let isCancelled = false;
    const arm = (): void => {
      this.#schedule.after(
        periodMs / this.#time.rate,
        () => {
          if (isCancelled) return;
          arm();
          callback();
        },
        this.#life,
      );
    };
    arm();
    return {
      cancel: () => {
        if (!isCancelled) this.timers -= 1;
        isCancelled = true;
      },
    };
  }
}
