/** Volumes: what their owners see of them and ask of them. Attaching them: attachments.ts. */
import type { shoal } from '../../../../proto/messages.ts';
import { ownValue } from '../../../base/own-value.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeSnapshotTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { idFromToken } from '../../kit/id-from-token.ts';
import { isSharedPool } from '../../kit/storage-pools.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { transactInPieces, unfinished } from '../../kit/transact-in-pieces.ts';
import { amountsOfGrowth, charge, checkVolumeSize } from '../kit/charges.ts';
import type { VolumeDependencies, VolumeOptions } from '../kit/dependencies.ts';
import { listOf, seeVolume } from '../kit/find.ts';
import { hostAttribute } from '../kit/pools.ts';
import { conflict, invalidInput, invalidSnapshot, invalidVolume, metadataNotFound, notFound } from '../kit/refusals.ts';
import { checkImageMetadata, checkMetadata, checkSize, checkText } from '../kit/texts.ts';
import { deleteSnapshot } from '../records/snapshot-record.ts';
import {
  checkBytesAtRest,
  checkDeletable,
  checkNotMigrating,
  deleteVolume,
  isUnbound,
  nextVolumeRequest,
  writeVolume,
} from '../records/volume-record.ts';
import { checkVolumeDraft, type VolumeDraft } from './volume-draft.ts';
import { planVolume } from './volume-plan.ts';
import { resetFields, type VolumeReset } from './volume-reset.ts';

type Volume = shoal.v1.Volume;
type Fields = Partial<shoal.v1.Volume.$Properties>;

/** What an owner changes without a host. */
interface VolumePatch {
  readonly name?: string;
  readonly description?: string;
  /** Replaces all. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Cinder's volumes. One of another project is `NOT_FOUND` but for administrators. What a volume's state forbids is
 * `INVALID_ARGUMENT` in Cinder's words; all throw what `transact` throws.
 */
export class Volumes {
  readonly #deps: VolumeDependencies;
  readonly #options: VolumeOptions;

  constructor(deps: VolumeDependencies, options: VolumeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** The project's volumes, or everybody's, which is the caller's to ask for. Newest first. */
  list(context: RequestContext, reader: StateReader, options: { readonly allProjects: boolean }): readonly Volume[] {
    return listOf(volumeTable, { context, reader, ...options });
  }

  /** Throws `NOT_FOUND`. */
  show(context: RequestContext, reader: StateReader, id: string): Volume {
    return seeVolume(context, reader, id).record;
  }

  /** Makes a volume: one transaction, with its quota. Throws `QUOTA_EXCEEDED`, `NOT_FOUND` for what it names. */
  create(context: RequestContext, draft: VolumeDraft): Promise<Volume> {
    const { clientToken } = draft;
    const id =
      clientToken === undefined ? this.#deps.newId() : idFromToken(`volume/${context.projectId}/${clientToken}`);
    const planning = { deps: this.#deps, options: this.#options, context };
    return transact(this.#deps, context, (attempt) => {
      const before = clientToken === undefined ? undefined : volumeTable.get(attempt.reader, id)?.record;
      if (before !== undefined) return before;
      const volume = planVolume(planning, attempt, checkVolumeDraft(context, attempt.reader, draft), { id });
      volumeTable.insert(attempt.change, volume);
      return volume;
    });
  }

  /** Renames it, or replaces its metadata. */
  update(context: RequestContext, id: string, patch: VolumePatch): Promise<Volume> {
    const fields: Fields = {
      ...(patch.name === undefined ? {} : { name: checkText('name', patch.name) }),
      ...(patch.description === undefined ? {} : { description: checkText('description', patch.description) }),
      ...(patch.metadata === undefined ? {} : { metadata: checkMetadata('metadata', patch.metadata) }),
    };
    return this.#edit(context, id, () => fields);
  }

  /**
   * Asks for its deletion. Asked twice, it is asked once. @param options.cascade its snapshots go with it. @param options.force
   * whatever its status is; what a server has attached is never deleted.
   */
  async remove(
    context: RequestContext,
    id: string,
    options: { readonly cascade?: boolean; readonly force?: boolean } = {},
  ): Promise<void> {
    const { cascade = false, force = false } = options;
    await transactInPieces(this.#deps, context, (attempt) => {
      const row = seeVolume(context, attempt.reader, id);
      if (row.record.status === 'deleting' && !force) return undefined;
      checkDeletable(attempt.reader, row.record, { force, cascade });
      const nowMs = this.#deps.clock.nowMs();
      for (const snapshot of volumeSnapshotTable.by(attempt.reader, 'volume', indexKey(id))) {
        if (snapshot.record.status === 'deleting') continue;
        if (!attempt.change.hasRoom) return unfinished;
        deleteSnapshot(attempt.change, snapshot, nowMs);
      }
      deleteVolume(attempt, row, { cascade, nowMs });
      return undefined;
    });
  }

  /**
   * Makes it larger; one that is attached grows under its guests. It is charged at once.
   * @param options.online whether one in use may be extended (from API version 3.42 on).
   */
  async extend(
    context: RequestContext,
    id: string,
    sizeGib: number,
    options: { readonly online?: boolean } = {},
  ): Promise<void> {
    checkSize(sizeGib);
    await this.#edit(context, id, (volume, { reader, change }) => {
      const isOnline = volume.status === 'in-use' && options.online !== false;
      if (volume.status !== 'available' && !isOnline) {
        throw invalidVolume(
          `Volume ${id} status must be '${options.online === false ? 'available' : "available' or 'in-use"}' to extend, currently ${volume.status}.`,
        );
      }
      checkNotMigrating(volume, 'extend');
      checkBytesAtRest(volume);
      if (volume.served !== null) {
        throw conflict(
          `Volume ${id} is served over the network to the host of its server, which would not see it grow: detach it first.`,
        );
      }
      if (sizeGib <= volume.sizeGib) {
        throw invalidInput(
          `New size for extend must be greater than current size. (current: ${volume.sizeGib}, extended: ${sizeGib}).`,
        );
      }
      checkVolumeSize(reader, volume.projectId, sizeGib);
      charge(change, reader, volume.projectId, amountsOfGrowth(sizeGib - volume.sizeGib, volume.typeId));
      if (isUnbound(volume)) return { sizeGib };
      return { sizeGib, ...nextVolumeRequest(volume), ...(isOnline ? {} : { status: 'extending' }) };
    });
  }

  /** Puts its content back to its newest snapshot. */
  async revert(context: RequestContext, id: string, snapshotId: string): Promise<void> {
    await this.#edit(context, id, (volume, { reader }) => {
      const snapshot = volumeSnapshotTable.get(reader, snapshotId)?.record;
      if (snapshot === undefined || snapshot.volumeId !== id) throw notFound('snapshot', snapshotId);
      const newest = volumeSnapshotTable
        .by(reader, 'volume', indexKey(id))
        .map(({ record }) => record)
        .reduce((a, b) => (b.createdMs > a.createdMs ? b : a));
      if (newest.createdMs > snapshot.createdMs) {
        throw invalidInput(
          `Specified snapshot ${snapshotId} is not the latest one of volume ${id}, which is ${newest.id}.`,
        );
      }
      // A guest's own caches would not know: only what is not open is reverted.
      if (volume.status !== 'available' || volume.attachments.length > 0) {
        throw conflict(`Volume ${id} must be available to be reverted; it is ${volume.status}.`);
      }
      if (snapshot.status !== 'available') {
        throw invalidSnapshot(`Snapshot ${snapshotId} must be available to revert to; it is ${snapshot.status}.`);
      }
      if (volume.sizeGib !== snapshot.sizeGib) {
        throw invalidInput(
          `Can not revert volume to a snapshot of another size: the volume has ${volume.sizeGib} GiB, the snapshot ${snapshot.sizeGib} GiB.`,
        );
      }
      checkBytesAtRest(volume);
      return { status: 'reverting', revertSnapshotId: snapshotId, ...nextVolumeRequest(volume) };
    });
  }

  /** An administrator's word on what it is. */
  async resetStatus(context: RequestContext, id: string, reset: VolumeReset): Promise<void> {
    await this.#edit(context, id, (volume) => resetFields(volume, reset));
  }

  /** Whether guests may only read it: of those that it is attached to from now on. */
  async setReadOnly(context: RequestContext, id: string, readOnly: boolean): Promise<void> {
    await this.#edit(context, id, (volume) => {
      if (volume.status !== 'available') {
        throw invalidVolume(
          `Volume ${id} status must be available to update readonly flag, but current status is: ${volume.status}.`,
        );
      }
      return { readOnly, readOnlySet: true };
    });
  }

  /** Whether a server may boot from it. */
  async setBootable(context: RequestContext, id: string, bootable: boolean): Promise<void> {
    await this.#edit(context, id, () => ({ bootable }));
  }

  /** Makes the metadata exactly this (`replace`), or adds this to it. Returns all of it. */
  async setMetadata(
    context: RequestContext,
    id: string,
    metadata: Readonly<Record<string, string>>,
    options: { readonly replace: boolean },
  ): Promise<Readonly<Record<string, string>>> {
    const volume = await this.#edit(context, id, (before) => ({
      metadata: checkMetadata('metadata', options.replace ? metadata : { ...before.metadata, ...metadata }),
    }));
    return volume.metadata;
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeMetadata(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, (volume) => ({ metadata: without(volume.id, volume.metadata, key) }));
  }

  /** Adds to what it is known to have come from (`volume_image_metadata`). Returns all of it. */
  async setImageMetadata(
    context: RequestContext,
    id: string,
    metadata: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, string>>> {
    const volume = await this.#edit(context, id, (before) => ({
      imageMetadata: checkImageMetadata({ ...before.imageMetadata, ...metadata }),
    }));
    return volume.imageMetadata;
  }

  /** Throws `NOT_FOUND` for a key that it has not. */
  async removeImageMetadata(context: RequestContext, id: string, key: string): Promise<void> {
    await this.#edit(context, id, (volume) => ({ imageMetadata: without(volume.id, volume.imageMetadata, key) }));
  }

  /** Keeps it for somebody who is about to attach it: of two, one is refused. */
  async reserve(context: RequestContext, id: string): Promise<void> {
    await this.#move(context, id, { from: ['available'], to: 'attaching', what: 'reserve' });
  }

  /** Ends a reservation. */
  async unreserve(context: RequestContext, id: string): Promise<void> {
    await this.#edit(context, id, (volume) => {
      if (volume.status !== 'attaching' || hasServer(volume)) return {};
      return { status: isInUse(volume) ? 'in-use' : 'available' };
    });
  }

  /** Says that it is about to be detached. */
  async beginDetaching(context: RequestContext, id: string): Promise<void> {
    await this.#edit(context, id, (volume) => {
      if (volume.status !== 'in-use') {
        throw invalidVolume(
          `Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.`,
        );
      }
      return { status: 'detaching' };
    });
  }

  /** Takes that back. */
  async rollDetaching(context: RequestContext, id: string): Promise<void> {
    await this.#edit(context, id, (volume) =>
      volume.status === 'detaching' && !isBeingUnplugged(volume) ? { status: 'in-use' } : {},
    );
  }

  /** Whether disks of its pool are reached from all hosts; undefined: no host tells. */
  isShared(volume: Volume): boolean | undefined {
    return isSharedPool(this.#deps.hostViews.adverts(), volume.pool, volume.hostId);
  }

  /** Cinder's name of where it is: `HOST@POOL#POOL`; empty while it has no host. */
  hostAttribute(reader: StateReader, volume: Volume): string {
    return hostAttribute(reader, volume);
  }

  async #move(
    context: RequestContext,
    id: string,
    step: { readonly from: readonly string[]; readonly to: string; readonly what: string },
  ): Promise<void> {
    await this.#edit(context, id, (volume) => {
      if (!step.from.includes(volume.status)) {
        throw invalidVolume(
          `Volume status must be ${step.from.join(' or ')} to ${step.what}, but the current status is ${volume.status}.`,
        );
      }
      checkBytesAtRest(volume);
      return { status: step.to };
    });
  }

  /** Writes what `edit` says into the record. An edit that says nothing changes nothing. */
  #edit(
    context: RequestContext,
    id: string,
    edit: (volume: Volume, attempt: Attempt, row: Row<Volume>) => Fields,
  ): Promise<Volume> {
    return transact(this.#deps, context, (attempt) => {
      const row = seeVolume(context, attempt.reader, id);
      const fields = edit(row.record, attempt, row);
      if (Object.keys(fields).length === 0) return row.record;
      return writeVolume(attempt.change, row, fields, this.#deps.clock.nowMs());
    });
  }
}

function without(id: string, metadata: Readonly<Record<string, string>>, key: string): Record<string, string> {
  if (ownValue(metadata, key) === undefined) throw metadataNotFound('Volume', id, key);
  return Object.fromEntries(Object.entries(metadata).filter(([name]) => name !== key));
}

/** Whether a server is about to have it, of which its host has the last word. */
function hasServer({ attachments }: Volume): boolean {
  return attachments.some(({ serverId, status }) => serverId !== '' && status === 'attaching');
}

function isInUse({ attachments }: Volume): boolean {
  return attachments.some(({ status }) => status === 'attached');
}

function isBeingUnplugged({ attachments }: Volume): boolean {
  return attachments.some(({ serverId, status }) => serverId !== '' && status === 'detaching');
}
