/** Who wants to hear that there is another certificate. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  /** Calls `changed` after each change; returns what ends that. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  announce(): void {
    for (const changed of this.#listeners) changed();
  }
}
