/** One kind of event within a process: the emitter need not know its listeners. */
export class Emitter<T = void> {
  readonly #listeners = new Set<(value: T) => void>();

  /** Calls `listener` at each `emit` until it is closed. */
  on(listener: (value: T) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  /** Calls every listener, in the order in which they came. What one throws goes to the caller, and those after it are not called. */
  emit(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }
}
