/**
 * Guests that powered themselves off, noted durably before QEMU is let go. With its process gone nothing on the host says
 * that the guest went down by its own will; until the records say so (a quorum may be missing), this note does, and the
 * guest stays off.
 *
 * A note says for which request of the owner it holds. After another request it is void, and it is dropped before the
 * guest is started again, so that it can never speak of a later run.
 */

import { shoal } from '../../../proto/messages.ts';
import { coverageMark } from '../../base/buggify/buggify.ts';
import { requestOf } from '../../services/kit/server-request.ts';
import type { HostStore, HostStoreWrite } from '../../store/host/host-store.ts';

const markPowerOffRemembered = coverageMark(
  'power-off-remembered',
  'a guest is off by its own will, and only its host knows',
);

const { PowerWanted } = shoal.v1;

interface PowerOffNote {
  /** The owner's request when the guest went off, as text. The stored name of the field stays. */
  readonly ask: string;
}

const prefix = 'off/';

/** The notes of one host. They lie in its store, so several instances may read them at once. */
export class PowerOffNotes {
  readonly #store: HostStore;

  constructor(store: HostStore) {
    this.#store = store;
  }

  /** Servers with a note. */
  get serverIds(): readonly string[] {
    return this.#store.entries(prefix).map(([key]) => key.slice(prefix.length));
  }

  /** Durable when it resolves. */
  async note(server: shoal.v1.Server): Promise<void> {
    const note: PowerOffNote = { ask: requestOf(server) };
    await this.#store.write([{ key: keyOf(server.id), value: note }]);
  }

  /** The write that drops the note of a server. */
  dropping(serverId: string): HostStoreWrite {
    return { key: keyOf(serverId), value: undefined };
  }

  /** The request that the note of a server holds for; undefined: there is none. */
  notedRequestOf(serverId: string): string | undefined {
    return (this.#store.get(keyOf(serverId)) as PowerOffNote | undefined)?.ask;
  }

  /** Drops the note, if there is one, and it holds for `request` where that is given. Durable when it resolves. */
  async drop(serverId: string, request = this.notedRequestOf(serverId)): Promise<void> {
    const held = this.notedRequestOf(serverId);
    if (held !== undefined && held === request) await this.#store.write([this.dropping(serverId)]);
  }

  /** The record as it will be once it says that the guest is off; the record itself when it has no note that holds. */
  overlay(server: shoal.v1.Server): shoal.v1.Server {
    if (this.notedRequestOf(server.id) !== requestOf(server)) return server;
    markPowerOffRemembered();
    return new shoal.v1.Server({ ...server, powerWanted: PowerWanted.POWER_WANTED_STOPPED });
  }
}

function keyOf(serverId: string): string {
  return `${prefix}${serverId}`;
}
