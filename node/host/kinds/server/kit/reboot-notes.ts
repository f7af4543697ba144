/** Which reboots of its servers this host has carried out, noted durably: a report that fails must not reboot a guest again. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { HostStore, HostStoreWrite } from '../../../../store/host/host-store.ts';

/** The notes of one host. All of them are in its store: many may look at once. */
export class RebootNotes {
  readonly #store: HostStore;

  constructor(store: HostStore) {
    this.#store = store;
  }

  /** The number of the last reboot that is noted; 0: none. */
  done(server: shoal.v1.Server): number {
    const note = this.#store.get(keyOf(server.id)) as { readonly number: number } | undefined;
    return note?.number ?? 0;
  }

  /** Durable when it resolves. */
  async note(server: shoal.v1.Server, number: number): Promise<void> {
    await this.#store.write([{ key: keyOf(server.id), value: { number } }]);
  }

  /** The write that drops the note of a server. */
  dropping(serverId: string): HostStoreWrite {
    return { key: keyOf(serverId), value: undefined };
  }
}

function keyOf(serverId: string): string {
  return `reboot/${serverId}`;
}
