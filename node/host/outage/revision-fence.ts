/**
 * The newest revision of the records on whose word this host has done something: to a guest, to its books of claims, or to
 * notes of its own that the records have taken over. Noted before, or together with, what is done: else a host whose replica
 * goes back (its disk was put back) would do as older records say, and build a server again that it has taken away.
 */
import type { HostStore, HostStoreWrite } from '../../store/host/host-store.ts';

/** The key in the host store, which keeps its first name. */
const key = 'claims-followed';

/** The revision fence of one host. It lies in the host's store, so several instances may read it at once. */
export class RevisionFence {
  readonly #store: HostStore;

  constructor(store: HostStore) {
    this.#store = store;
  }

  /** Whether newer records than those of `revision` have been acted on: a replica that lists these has gone back. */
  isAheadOf(revision: number): boolean {
    const noted = this.#store.get(key) as number | undefined;
    return noted !== undefined && revision < noted;
  }

  /** The write that notes `revision`, to go with what is done; none where so much is noted. */
  writes(revision: number): readonly HostStoreWrite[] {
    const noted = this.#store.get(key) as number | undefined;
    return noted !== undefined && revision <= noted ? [] : [{ key, value: revision }];
  }

  /** Durable when it resolves. */
  async note(revision: number): Promise<void> {
    const writes = this.writes(revision);
    if (writes.length > 0) await this.#store.write(writes);
  }
}
