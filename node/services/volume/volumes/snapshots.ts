/** Snapshots: a volume as it was at one instant. */
import { shoal } from '../../../../proto/messages.ts';
import { ownValue } from '../../../base/own-value.ts';
import type { Row } from '../../../state/table.ts';
import { volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { idFromToken } from '../../kit/id-from-token.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { amountsOfSnapshot, charge } from '../kit/charges.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { listOf, ownVolume, seeSnapshot } from '../kit/find.ts';
import { invalidInput, invalidSnapshot, invalidVolume, metadataNotFound } from '../kit/refusals.ts';
import { checkMetadata, checkText } from '../kit/texts.ts';
import { deleteSnapshot, writeSnapshot } from '../records/snapshot-record.ts';
import { bindVolume } from '../records/volume-binding.ts';
import { checkBytesAtRest, isMigrating, isSnapshotBeingCopied, writeVolume } from '../records/volume-record.ts';

type Snapshot = shoal.v1.VolumeSnapshot;
type Fields = Partial<shoal.v1.VolumeSnapshot.$Properties>;

/** Statuses that an administrator may set. */
const resettable: readonly string[] = ['available', 'creating', 'deleting', 'error', 'error_deleting'];
/** What a caller may say that became of one which is being made or deleted (Cinder's `os-update_snapshot_status`). */
const outcomes: ReadonlyMap<string, readonly string[]> = new Map([
  ['creating', ['creating', 'available', 'error']],
  ['deleting', ['deleting', 'error_deleting']],
]);
/** Statuses in which one may be deleted. */
const deletable: readonly string[] = ['available', 'error', 'error_deleting'];

/** What a caller asks for. */
interface SnapshotDraft {
  readonly volumeId: string;
  readonly name?: string;
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Also of a volume that a guest has open. From API version 3.66 on it always is. */
  readonly force?: boolean;
  readonly clientToken?: string;
}

/** A snapshot in the making. */
interface PlannedSnapshot {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly metadata: Record<string, string>;
  readonly groupSnapshotId: string;
  readonly userId: string;
}

/**
 * Adds a snapshot of a volume to the change: its record, its quota, and the volume's record written, so that a deletion of the
 * volume from a view without the snapshot loses the race.
 */
export function planSnapshot(
  deps: VolumeDependencies,
  attempt: Attempt,
  row: Row<shoal.v1.Volume>,
  planned: PlannedSnapshot,
): Snapshot {
  const { reader, change } = attempt;
  const nowMs = deps.clock.nowMs();
  const { record: volume } = row;
  checkBytesAtRest(volume);
  const bound = bindVolume(deps, attempt, volume);
  charge(change, reader, volume.projectId, amountsOfSnapshot(volume.sizeGib, volume.typeId));
  writeVolume(change, row, bound, nowMs);
  const snapshot = new shoal.v1.VolumeSnapshot({
    ...planned,
    projectId: volume.projectId,
    volumeId: volume.id,
    sizeGib: volume.sizeGib,
    typeId: volume.typeId,
    status: 'creating',
    pool: volume.pool,
    hostId: bound.hostId ?? volume.hostId,
    createdMs: nowMs,
    updatedMs: nowMs,
    ofAttached: volume.attachments.some(({ status }) => status === 'attached'),
    askedRevision: 1,
  });
  volumeSnapshotTable.insert(change, snapshot);
  return snapshot;
}

/** Cinder's snapshots. One of another project is `NOT_FOUND` but for administrators. */
export class VolumeSnapshots {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /** Newest first. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly Snapshot[] {
    return listOf(volumeSnapshotTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): Snapshot {
    return seeSnapshot(context, reader, id).record;
  }

  /** Asks the volume's host for one. Throws `QUOTA_EXCEEDED`; `INVALID_ARGUMENT` for a volume in another state. */
  create(context: RequestContext, draft: SnapshotDraft): Promise<Snapshot> {
    const { clientToken } = draft;
    const id =
      clientToken === undefined ? this.#deps.newId() : idFromToken(`snapshot/${context.projectId}/${clientToken}`);
    const planned = {
      id,
      name: checkText('name', draft.name ?? ''),
      description: checkText('description', draft.description ?? ''),
      metadata: checkMetadata('metadata', draft.metadata ?? {}),
      groupSnapshotId: '',
      userId: context.userId,
    };
    return transact(this.#deps, context, (attempt) => {
      const before = clientToken === undefined ? undefined : volumeSnapshotTable.get(attempt.reader, id)?.record;
      if (before !== undefined) return before;
      const row = ownVolume(context, attempt.reader, draft.volumeId);
      checkSnapshotable(row.record, draft.force === true);
      return planSnapshot(this.#deps, attempt, row, planned);
    });
  }

  /** Renames it, or replaces its metadata. */
  update(
    context: RequestContext,
    id: string,
    patch: { readonly name?: string; readonly description?: string },
  ): Promise<Snapshot> {
    const fields = {
      ...(patch.name === undefined ? {} : { name: checkText('name', patch.name) }),
      ...(patch.description === undefined ? {} : { description: checkText('description', patch.description) }),
    };
    return this.#edit(context, id, () => fields);
  }

  /** Asks for its deletion. Asked twice, it is asked once. @param options.force whatever its status is. */
  async remove(context: RequestContext, id: string, options: { readonly force?: boolean } = {}): Promise<void> {
    await transact(this.#deps, context, ({ reader, change }) => {
      const row = seeSnapshot(context, reader, id);
      const { status, groupSnapshotId } = row.record;
      if (status === 'deleting' && options.force !== true) return;
      if ((options.force !== true && !deletable.includes(status)) || groupSnapshotId !== '') {
        throw invalidSnapshot(
          'Volume Snapshot status must be available or error and must not be part of a group snapshot.',
        );
      }
      const origin = volumeTable.get(reader, row.record.volumeId)?.record;
      if (origin?.status === 'reverting' && origin.revertSnapshotId === id) {
        throw invalidSnapshot(`Snapshot ${id} is busy: its volume is being reverted to it.`);
      }
      if (isSnapshotBeingCopied(reader, id)) {
        throw invalidSnapshot(`Snapshot ${id} is busy: a volume is being made of it.`);
      }
      deleteSnapshot(change, row, this.#deps.clock.nowMs());
    });
  }

  /** An administrator's word on what it is. */
  async resetStatus(context: RequestContext, id: string, status: string): Promise<void> {
    if (!resettable.includes(status))
      throw invalidInput(`Must specify a valid status: one of ${resettable.join(', ')}.`);
    await this.#edit(context, id, () => ({ status }));
  }

  /**
   * What became of one that is being made or deleted, as somebody beside its host says. That there is a snapshot, its host alone
   * says: `INVALID_ARGUMENT` for "available" before that, and for what cannot come of its status.
   */
  async setOutcome(context: RequestContext, id: string, status: string): Promise<void> {
    await this.#edit(context, id, (snapshot) => {
      const possible = outcomes.get(snapshot.status);
      if (possible === undefined) {
        throw invalidInput(`Snapshot status ${snapshot.status} not allowed for update_snapshot_status`);
      }
      if (!possible.includes(status)) {
        throw invalidInput(
          `Provided snapshot status ${status.slice(0, 64)} not allowed for snapshot with status ${snapshot.status}.`,
        );
      }
      if (status === 'available' && snapshot.observedRevision < snapshot.askedRevision) {
        throw invalidInput(`Snapshot ${id} is not made: its host says so by itself when it is.`);
      }
      return { status };
    });
  }

  /** Makes the metadata exactly this (`replace`), or adds this to it. Returns all of it. */
  async setMetadata(
    context: RequestContext,
    id: string,
    metadata: Readonly<Record<string, string>>,
    options: { readonly replace: boolean },
  ): Promise<Readonly<Record<string, string>>> {
    const snapshot = await this.#edit(context, id, (before) => ({
      metadata: checkMetadata('metadata', options.replace ? metadata : { ...before.metadata, ...metadata }),
    }));
    return snapshot.metadata;
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeMetadata(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, ({ metadata }) => {
      if (ownValue(metadata, key) === undefined) throw metadataNotFound('Snapshot', id, key);
      return { metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== key)) };
    });
  }

  #edit(context: RequestContext, id: string, edit: (snapshot: Snapshot) => Fields): Promise<Snapshot> {
    return transact(this.#deps, context, ({ reader, change }) => {
      const row = seeSnapshot(context, reader, id);
      return writeSnapshot(change, row, edit(row.record), this.#deps.clock.nowMs());
    });
  }
}

/** Refuses a volume of which no snapshot can be made now. @param isForced one that is in use is taken as well. */
export function checkSnapshotable(volume: shoal.v1.Volume, isForced: boolean): void {
  if (isMigrating(volume)) {
    throw invalidVolume(`Snapshot cannot be created while volume ${volume.id} is migrating.`);
  }
  const isRight = volume.status === 'available' || (isForced && volume.status === 'in-use');
  if (isRight) return;
  throw invalidVolume(
    `Volume ${volume.id} status must be ${isForced ? "'available' or 'in-use'" : "'available'"}, but current status is: ${volume.status}.`,
  );
}
