/**
 * Keeps owners' intentions durable during an outage, and commits them after it (../plan/local-intents.ts says what they are); and
 * likewise that a guest has powered itself off (power-off-notes.ts).
 */

import type { shoal } from '../../../proto/messages.ts';
import { buggify, coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import { isTransient, ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import type { LocalIntent, ServiceDependencies } from '../../services/kit/dependencies.ts';
import { transact } from '../../services/kit/transact.ts';
import { serverTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import type { HostStore } from '../../store/host/host-store.ts';
import { foldIntent, type PendingIntent, withIntent } from '../plan/local-intents.ts';
import { PowerOffNotes } from './power-off-notes.ts';
import { RevisionFence } from './revision-fence.ts';

const markIntentNoted = coverageMark('intent-noted', 'an owner is obeyed without a quorum');
const buggifyFlushLater = buggify('intents.flush-later', 'intents are not recorded at this chance');
const failpointIntentsRecordedNotDropped = failpoint(
  'intents.recorded-not-dropped',
  'an intent is recorded, and still noted',
);
const markIntentsStay = coverageMark('intents-stay', 'intents could not be recorded yet');
const markIntentRecorded = coverageMark('intent-recorded', 'an intent is recorded after an outage');

/** The intents of one host. */
export class IntentBook {
  readonly #deps: ServiceDependencies;
  readonly #store: HostStore;
  readonly #state: StateClient;
  readonly #logger: Logger;
  readonly #powerOffs: PowerOffNotes;
  readonly #revisionFence: RevisionFence;
  #flushing = false;

  constructor(deps: ServiceDependencies & { readonly store: HostStore }) {
    this.#deps = deps;
    this.#store = deps.store;
    this.#state = deps.state;
    this.#logger = deps.logger;
    this.#powerOffs = new PowerOffNotes(deps.store);
    this.#revisionFence = new RevisionFence(deps.store);
  }

  /** Notes an intent; durable when it resolves. */
  async note(server: shoal.v1.Server, intent: LocalIntent): Promise<void> {
    markIntentNoted();
    const next = foldIntent(this.#pending(server.id), server, intent);
    // Whatever the guest did before, this is asked for now.
    await this.#store.write([{ key: intentKey(server.id), value: next }, this.#powerOffs.dropping(server.id)]);
    this.#logger.warn(
      { serverId: server.id, intent: intent.kind },
      'accepted without quorum; it will be recorded later',
    );
  }

  /** The record with its intent laid over. */
  overlay(server: shoal.v1.Server): shoal.v1.Server {
    return this.#powerOffs.overlay(withIntent(server, this.#pending(server.id)));
  }

  get isEmpty(): boolean {
    return this.#store.entries('intent/').length === 0 && this.#powerOffs.serverIds.length === 0;
  }

  /** Commits what is pending. Without quorum it stays; the caller tries again. */
  async flush(signal: AbortSignal): Promise<void> {
    if (this.#flushing || this.isEmpty || !this.#state.status().hasQuorum || buggifyFlushLater()) return;
    this.#flushing = true;
    try {
      for (const [key, value] of this.#store.entries('intent/')) {
        const pending = value as PendingIntent;
        await this.#unlessUnreadable(pending.serverId, async () => {
          await this.#commit(pending, signal);
          failpointIntentsRecordedNotDropped();
          // Only what was committed goes: an intent noted meanwhile has another content.
          if (JSON.stringify(this.#store.get(key)) === JSON.stringify(pending)) {
            await this.#store.write([
              { key, value: undefined },
              ...this.#revisionFence.writes(this.#state.local.revision),
            ]);
          }
        });
      }
      for (const serverId of this.#powerOffs.serverIds) {
        await this.#unlessUnreadable(serverId, async () => {
          const request = this.#powerOffs.notedRequestOf(serverId);
          await this.#commitPowerOff(serverId, signal);
          // The guest may have been started, and have gone off again, meanwhile.
          await this.#revisionFence.note(this.#state.local.revision);
          await this.#powerOffs.drop(serverId, request);
        });
      }
    } catch (caught) {
      if (!ShoalError.of(caught, isTransient)) throw caught;
      markIntentsStay();
      this.#logger.info({ err: caught }, 'intents cannot be recorded yet; they are kept');
    } finally {
      this.#flushing = false;
    }
  }

  /** A server whose record cannot be read keeps what is noted of it, and keeps nothing of the others. */
  async #unlessUnreadable(serverId: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (caught) {
      if (!ShoalError.is(caught, 'RECORD_UNREADABLE')) throw caught;
      this.#logger.warn({ serverId, err: caught }, 'an intent is kept: its record cannot be read');
    }
  }

  async #commit(pending: PendingIntent, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = serverTable.get(reader, pending.serverId);
      const next = row === undefined ? undefined : withIntent(row.record, pending);
      if (row !== undefined && next !== undefined && next !== row.record) serverTable.update(change, row, next);
    });
    markIntentRecorded();
    this.#logger.info({ serverId: pending.serverId }, 'an intent accepted without quorum is recorded now');
  }

  async #commitPowerOff(serverId: string, signal: AbortSignal): Promise<void> {
    await transact(this.#deps, { signal }, ({ reader, change }) => {
      const row = serverTable.get(reader, serverId);
      const next = row === undefined ? undefined : this.#powerOffs.overlay(row.record);
      if (row !== undefined && next !== undefined && next !== row.record) serverTable.update(change, row, next);
    });
  }

  #pending(serverId: string): PendingIntent | undefined {
    return this.#store.get(intentKey(serverId)) as PendingIntent | undefined;
  }
}

function intentKey(serverId: string): string {
  return `intent/${serverId}`;
}
