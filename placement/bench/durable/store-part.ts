import type { HostStore, HostStoreWrite } from '../../../node/store/host/host-store.ts';

/** One simulated host's part of the store that all hosts of a process share: one sync covers the writes of many. */
export class StorePart implements HostStore {
  readonly #store: HostStore;
  readonly #prefix: string;

  constructor(store: HostStore, hostId: string) {
    this.#store = store;
    this.#prefix = partPrefix(hostId);
  }

  get(key: string): unknown {
    return this.#store.get(this.#prefix + key);
  }

  entries(prefix: string): readonly (readonly [string, unknown])[] {
    return this.#store
      .entries(this.#prefix + prefix)
      .map(([key, value]) => [key.slice(this.#prefix.length), value] as const);
  }

  write(writes: readonly HostStoreWrite[]): Promise<void> {
    return this.#store.write(writes.map(({ key, value }) => ({ key: this.#prefix + key, value })));
  }

  /** The store is the process's. */
  async close(): Promise<void> {}
}

/** Where a host's entries lie in the shared store. */
function partPrefix(hostId: string): string {
  return `host/${hostId}/`;
}
