/** A broken invariant. The process stops: running on with corrupt state is worse, and the mesh is built to lose a node. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(`invariant broken: ${message}`);
    this.name = 'AssertionError';
  }
}

/** Throws `AssertionError` unless `condition` holds. Never for bad input from outside: that is a `ShoalError`. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

/** Narrows away `undefined` and `null` where the surrounding code guarantees a value. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`${what} is missing`);
  return value;
}
