import { ShoalError } from '../../../node/base/errors.ts';

/** How many streams of changes are open on this agent, of all kinds, and of each user. */
export class WatchStreams {
  readonly #max: number;
  readonly #perUserMax: number;
  readonly #ofUser = new Map<string, number>();
  #open = 0;

  constructor(bounds: { readonly max: number; readonly perUserMax: number }) {
    this.#max = bounds.max;
    this.#perUserMax = bounds.perUserMax;
  }

  /** Passes events on while there is room for one more stream. Throws `RATE_LIMITED`. */
  async *counted<T>(userId: string, events: () => AsyncIterable<T>): AsyncGenerator<T> {
    const own = this.#ofUser.get(userId) ?? 0;
    if (own >= this.#perUserMax) {
      throw new ShoalError('RATE_LIMITED', `A user has at most ${this.#perUserMax} watches on an agent.`);
    }
    if (this.#open >= this.#max) {
      throw new ShoalError('RATE_LIMITED', 'This agent serves as many watches as it can.');
    }
    this.#open += 1;
    this.#ofUser.set(userId, own + 1);
    try {
      yield* events();
    } finally {
      this.#open -= 1;
      const left = (this.#ofUser.get(userId) ?? 1) - 1;
      if (left === 0) this.#ofUser.delete(userId);
      else this.#ofUser.set(userId, left);
    }
  }
}
