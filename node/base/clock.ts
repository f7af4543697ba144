/**
 * Time comes from outside, so that the simulator can own it. Nothing but this file's `systemClock` reads the real one.
 *
 * Wall time (`nowMs`) is for people and records; it may step. Durations, timeouts and leases use `monotonicMs` only.
 */
export interface Clock {
  /** Wall clock, milliseconds since 1970. May jump either way. */
  nowMs(): number;
  /** Milliseconds since some fixed moment; never goes back. Fractional. */
  monotonicMs(): number;
  /** Calls `callback` once after `delayMs` (>= 0). */
  setTimeout(callback: () => void, delayMs: number): Timer;
  /** Calls `callback` every `periodMs` (> 0) until cancelled. */
  setInterval(callback: () => void, periodMs: number): Timer;
}

/** A pending call. */
export interface Timer {
  /** Stops it. Safe to call twice, and after it fired. */
  cancel(): void;
}

/** The machine's own clock. Timers do not keep the process alive. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout(callback, delayMs) {
    const handle = setTimeout(callback, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
  setInterval(callback, periodMs) {
    const handle = setInterval(callback, periodMs);
    handle.unref();
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `delayMs`, or rejects with `signal.reason` as soon as it aborts. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
