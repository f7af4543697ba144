/**
 * Guests that are paused for a moment by another kind than their own, so that several disks are seen at one instant: the plan
 * of their servers leaves them alone meanwhile. In memory: after a crash nobody holds them, and they run on.
 */
export class GuestHolds {
  readonly #held = new Set<string>();

  isHeld(serverId: string): boolean {
    return this.#held.has(serverId);
  }

  /** Holds them while `work` goes on. */
  async during<T>(serverIds: readonly string[], work: () => Promise<T>): Promise<T> {
    for (const id of serverIds) this.#held.add(id);
    try {
      return await work();
    } finally {
      for (const id of serverIds) this.#held.delete(id);
    }
  }
}
