/** Failures that a test or the simulator orders in advance: the next calls of an operation fail with a given error. */
import type { ShoalError } from '../../node/base/errors.ts';

/** Ordered failures of one fake, by the name of its operation. */
export class Faults<Operation extends string> {
  readonly #ordered = new Map<Operation, { readonly error: ShoalError; left: number }[]>();

  /** The next `times` calls of `operation` fail with `error`, after failures that were ordered earlier. */
  failNext(operation: Operation, error: ShoalError, times = 1): void {
    const queue = this.#ordered.get(operation) ?? [];
    queue.push({ error, left: times });
    this.#ordered.set(operation, queue);
  }

  /** Forgets every order. */
  clear(): void {
    this.#ordered.clear();
  }

  /** Called by the fake at the start of each operation. */
  strike(operation: Operation): void {
    const queue = this.#ordered.get(operation);
    const next = queue?.[0];
    if (queue === undefined || next === undefined) return;
    next.left -= 1;
    if (next.left <= 0) queue.shift();
    throw next.error;
  }
}
