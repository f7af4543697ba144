/**
 * Waits that an abort ends. Not `Promise.race` with a promise of the abort: each race would leave a reaction on it, and a
 * long stream races once a message.
 */
export class Waiting {
  readonly #signal: AbortSignal;
  #fail: ((reason: unknown) => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#fail?.(signal.reason), { once: true });
  }

  /** As `promise`, or the abort's reason if that comes first. One wait at a time. */
  for<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#signal.aborted) reject(this.#signal.reason);
      this.#fail = reject;
      promise.then(resolve, reject);
    });
  }
}
