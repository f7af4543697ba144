/** Volumes as rows: how one is written, what its status says, and how it goes with all that belongs to it. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeSnapshotTable, volumeTable, volumeTransferTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { Attempt, Change } from '../../kit/transact.ts';
import { amountsOfVolume, refund } from '../kit/charges.ts';
import { invalidVolume } from '../kit/refusals.ts';

type Volume = shoal.v1.Volume;

/** Statuses in which a volume may be deleted, as Cinder has them. */
const deletable: readonly string[] = [
  'available',
  'error',
  'error_restoring',
  'error_extending',
  'error_deleting',
  'error_managing',
];

/** Cinder's own words for a volume that cannot be deleted. */
const notDeletable =
  'Volume status must be available or error or error_restoring or error_extending or error_managing and must not be ' +
  'migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after ' +
  'volume transfer.';

/** Writes the record with other fields. Returns it as it is now. */
export function writeVolume(
  change: Change,
  row: Row<Volume>,
  fields: Partial<shoal.v1.Volume.$Properties>,
  nowMs: number,
): Volume {
  const next = new shoal.v1.Volume({ ...row.record, ...fields, updatedMs: nowMs });
  volumeTable.update(change, row, next);
  return next;
}

/** The number of the next request to its host. */
export function nextVolumeRequest({ askedRevision }: Volume): { readonly askedRevision: number } {
  return { askedRevision: askedRevision + 1 };
}

/** The volume that it was made as a copy of, whether there were bytes to copy or none yet; empty: it is no copy. */
export function sourceVolumeIdOf({ sourceVolumeId, emptySourceVolumeId }: Volume): string {
  return sourceVolumeId === '' ? emptySourceVolumeId : sourceVolumeId;
}

/** What the volume is when nothing is being done to it. */
export function restingStatus(attachments: readonly shoal.v1.IVolumeAttachment[]): string {
  const statuses = attachments.map(({ status }) => status);
  if (statuses.some((status) => status === 'attached' || status === 'error_detaching')) return 'in-use';
  if (statuses.includes('attaching')) return 'attaching';
  if (statuses.includes('detaching')) return 'detaching';
  if (statuses.includes('reserved')) return 'reserved';
  return 'available';
}

/** Whether it was to have content from the start, and has no bytes: until they are made, nobody can use it. */
export function waitsForContent(volume: Volume): boolean {
  const { madeGib, sourceBackupId, sourceSnapshotId, sourceVolumeId, imageId } = volume;
  return madeGib === 0 && [sourceBackupId, sourceSnapshotId, sourceVolumeId, imageId].some((id) => id !== '');
}

/** Whether its bytes are moved to another place, or swapped for another volume's. */
export function isMigrating({ migrationStatus }: Volume): boolean {
  return ['starting', 'migrating', 'completing'].includes(migrationStatus);
}

/** Refuses what cannot be done to a volume while its bytes move. */
export function checkNotMigrating(volume: Volume, what: string): void {
  if (!isMigrating(volume)) return;
  throw invalidVolume(
    `Volume ${volume.id} must not be migrating to ${what}, and its migration status is ${volume.migrationStatus}.`,
  );
}

/** What a deletion leaves behind of a volume. */
type Deletion = 'gone' | 'asked';

/**
 * Refuses what Cinder refuses to delete. @param options.force whatever its status is; what a guest has open, and what has
 * snapshots, stays.
 */
export function checkDeletable(
  reader: StateReader,
  volume: Volume,
  options: { readonly force: boolean; readonly cascade: boolean },
): void {
  const { id, status } = volume;
  const isInUse = volume.attachments.length > 0 || isMigrating(volume) || volume.groupId !== '';
  const isRight = options.force || deletable.includes(status);
  const snapshots = options.cascade ? 0 : volumeSnapshotTable.count(reader, 'volume', indexKey(id));
  if (isInUse || !isRight || snapshots > 0 || isBeingCopied(reader, id)) throw invalidVolume(notDeletable);
}

/** Whether another volume is being made of it right now. */
export function isBeingCopied(reader: StateReader, id: string): boolean {
  return volumeTable.by(reader, 'source-volume', indexKey(id)).some(({ record }) => record.status === 'creating');
}

/** Whether a volume is being made of the snapshot right now. */
export function isSnapshotBeingCopied(reader: StateReader, id: string): boolean {
  return volumeTable.by(reader, 'source-snapshot', indexKey(id)).some(({ record }) => record.status === 'creating');
}

/** Whether it has no host yet, which the first use of its bytes chooses: nobody has anything of it. */
export function isUnbound({ hostId, madeGib }: Volume): boolean {
  return hostId === '' && madeGib === 0;
}

/** Whether its bytes went with a host that was removed. It can only be deleted. */
function isLost({ hostId, madeGib }: Volume): boolean {
  return hostId === '' && madeGib > 0;
}

/** Refuses what needs the bytes of a volume that is lost, or whose bytes are on their way to another place. */
export function checkBytesAtRest(volume: Volume): void {
  if (isMigrating(volume)) {
    throw invalidVolume(
      `Volume ${volume.id} is migrating (its migration status is ${volume.migrationStatus}): wait until it has, or cancel that.`,
    );
  }
  if (!isLost(volume)) return;
  throw invalidVolume(
    `Volume ${volume.id} was on the own storage of a host that was removed from the mesh: its content is lost. ` +
      'Delete it, or restore a backup of it.',
  );
}

/** Asks the volume's host to remove it; what no host has anything of goes at once. The caller has checked that it may. */
export function deleteVolume(
  { reader, change }: Pick<Attempt, 'reader' | 'change'>,
  row: Row<Volume>,
  options: {
    readonly cascade: boolean;
    readonly unmanage?: boolean;
    readonly nowMs: number;
    /** What else changes with it. */
    readonly fields?: Partial<shoal.v1.Volume.$Properties>;
  },
): Deletion {
  const { record } = row;
  if (record.hostId === '') {
    removeVolumeRow(change, reader, row);
    return 'gone';
  }
  const fields = {
    ...options.fields,
    status: 'deleting',
    cascade: options.cascade,
    unmanage: options.unmanage ?? false,
  };
  writeVolume(change, row, { ...fields, previousStatus: record.status, ...nextVolumeRequest(record) }, options.nowMs);
  return 'asked';
}

/** Removes a volume with its offer to another project and its quota. Its snapshots have gone before. */
export function removeVolumeRow(change: Change, reader: StateReader, row: Row<Volume>): void {
  const transfer = volumeTransferTable.one(reader, 'volume', indexKey(row.record.id));
  if (transfer !== undefined) volumeTransferTable.remove(change, transfer);
  refund(change, row.record.projectId, amountsOfVolume(row.record));
  volumeTable.remove(change, row);
}
