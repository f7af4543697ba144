/**
 * Backups: written by the host that has the volume. What is read is a snapshot that bears the backup's id, so that the volume goes
 * on meanwhile; it stays until the next backup, which reads only what differs from it.
 */
import type { BackupStore } from '../../../../drivers/backup/store.ts';
import type { DiskExport } from '../../../../drivers/types.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import type { VolumeJobReports } from '../../../services/kit/reporting/volume-job-reporting.ts';
import { volumeBackupTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { type BackupPlace, readManifest, removeBackup, writeBackup } from '../../backup/backup.ts';
import { forgetSource, keepSource } from '../../kinds/volume/kit/kept-source.ts';
import { makeUnlessMade } from '../../kinds/volume/kit/make-volume.ts';
import { poolOf, type VolumeTools } from '../../kinds/volume/kit/tools.ts';
import { diskEncryption } from '../../kinds/volume/kit/volume-spec.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';

const failpointBackupSourceKept = failpoint('backup.source-kept', 'a volume is kept at an instant, to be backed up');
const failpointBackupNotReported = failpoint('backup.not-reported', 'a backup is written, and recorded as creating');
const failpointBackupTakenBack = failpoint('backup.taken-back', 'a backup is removed, and recorded as creating');
const failpointBackupDeleted = failpoint('backup-delete.deleted', 'a backup has no object left, and a record');
const markBackupReadsDifference = coverageMark('backup-reads-difference', 'a backup reads only what differs');

const words = { working: 'Writing the backup.', done: doneWords['volume-backup'] };
const deletionWords = { working: 'Removing the objects of the backup.', done: doneWords['volume-backup-delete'] };

/** What jobs about backups work with, for one action. */
export interface BackupTools extends VolumeTools {
  readonly jobReports: VolumeJobReports;
  /** The store of that URL. Throws `UNAVAILABLE` for one that this host is not configured for. */
  readonly backupStore: (url: string) => BackupStore;
}

/** Gives them. */
export type BackupToolsOf = (signal: AbortSignal) => BackupTools;

/** See above. */
export function volumeBackupJob(toolsOf: BackupToolsOf): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-backup',
    world: (job, reader) => backupWorld(job.volumeBackup?.backupId, reader, { done: 'available', failed: 'error' }),
    next: (job, world) => nextOfVolumeJob(job, world, words),
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const backup = volumeBackupTable.must(tools.reader, job.volumeBackup?.backupId ?? '').record;
      if (action === 'work') {
        await write(backup, tools, (percent) => tell({ done: percent, total: 100 }));
        return;
      }
      await removeBackup(tools.backupStore(backup.storeUrl), backup.id, signal);
      await forgetBackupSource(backup.volumeId, backup.id, tools);
      failpointBackupTakenBack();
      await tools.jobReports.backupFailed(backup.id, faultOfVolumeJob(job));
    },
  };
}

/** Removes the objects of a backup that nobody adds to. */
export function volumeBackupDeleteJob(toolsOf: BackupToolsOf): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-backup-delete',
    world: (job, reader) => {
      const id = job.volumeBackupDelete?.backupId;
      const world = backupWorld(id, reader, { done: '', failed: 'error_deleting' });
      // Its record goes with it.
      return world.subject === 'gone' ? { subject: 'done' } : world;
    },
    next: (job, world) => nextOfVolumeJob(job, world, deletionWords),
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal) {
      const tools = toolsOf(signal);
      const backup = volumeBackupTable.must(tools.reader, job.volumeBackupDelete?.backupId ?? '').record;
      if (action === 'give-up') return tools.jobReports.backupFailed(backup.id, faultOfVolumeJob(job));
      await removeBackup(tools.backupStore(backup.storeUrl), backup.id, signal);
      const isForgotten = await forgetBackupSource(backup.volumeId, backup.id, tools);
      failpointBackupDeleted();
      return tools.jobReports.backupRemoved(backup.id, { isKept: !isForgotten });
    },
  };
}

/** Where the backup is, with what opens it. Throws `DRIVER_FAILED` where no key can be opened. */
export function placeOf(backup: shoal.v1.VolumeBackup, tools: BackupTools): BackupPlace {
  const { id: backupId, storeUrl, sealedKey: sealed, keyEpoch } = backup;
  if (tools.openKey === undefined) throw new ShoalError('DRIVER_FAILED', 'this host opens no keys of backups');
  const key = tools.openKey({ kind: 'backup-key', id: backupId }, { sealed, keyEpoch });
  return { store: tools.backupStore(storeUrl), backupId, key };
}

async function write(
  backup: shoal.v1.VolumeBackup,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const { reader, signal } = tools;
  const volume = volumeTable.must(reader, backup.volumeId).record;
  const place = placeOf(backup, tools);
  if (backup.snapshotId === '') {
    await makeUnlessMade(volume, tools);
    await keepSource(volume, backup.id, tools);
    failpointBackupSourceKept();
  }
  const parentRecord = backup.parentId === '' ? undefined : volumeBackupTable.must(reader, backup.parentId).record;
  const parent =
    parentRecord === undefined
      ? undefined
      : await readManifest(placeOf(parentRecord, tools), parentRecord.manifestSha256, signal);
  const { content, isDelta } = await exported(volume, backup, tools);
  // The instant that it was asked for: the same when it is begun again.
  const dataTimestampMs = backup.createdMs;
  const of = { volumeId: volume.id, content, dataTimestampMs, isDelta, ...(parent === undefined ? {} : { parent }) };
  const written = await writeBackup(place, of, progress, signal);
  // The snapshot of this one is what the next compares with.
  if (backup.parentId !== '') await forgetBackupSource(volume.id, backup.parentId, tools);
  const { removedBackupIds } = volume;
  for (const id of removedBackupIds) await forgetBackupSource(volume.id, id, tools);
  if (removedBackupIds.length > 0) await tools.jobReports.keptForgotten(volume.id, removedBackupIds);
  failpointBackupNotReported();
  await tools.jobReports.backupMade(backup.id, { ...written, dataTimestampMs });
}

async function exported(
  volume: shoal.v1.Volume,
  backup: shoal.v1.VolumeBackup,
  tools: BackupTools,
): Promise<{ readonly content: DiskExport; readonly isDelta: boolean }> {
  const storage = poolOf(volume, tools);
  const volumeId = volume.id as VolumeId;
  const snapshotId = (backup.snapshotId === '' ? backup.id : backup.snapshotId) as VolumeSnapshotId;
  const encryption = diskEncryption(volume, tools);
  const from = { volumeId, snapshotId, ...(encryption === undefined ? {} : { encryption }) };
  const kept = await storage.listSnapshots(volumeId, tools.signal);
  const since = kept.find((id) => id === backup.parentId);
  if (since !== undefined) markBackupReadsDifference();
  return { content: await storage.exportDisk(from, since, tools.signal), isDelta: since !== undefined };
}

/**
 * The snapshot that a backup was read from goes. Absent is success, as is a volume that has gone. False: it is on another host's own
 * storage.
 */
async function forgetBackupSource(id: string, backupId: string, tools: BackupTools): Promise<boolean> {
  const volume = volumeTable.get(tools.reader, id)?.record;
  if (volume === undefined || volume.madeGib === 0) return true;
  if (volume.hostId === tools.hostId) {
    await forgetSource(volume, backupId, tools);
    return true;
  }
  const storage = tools.storage.get(volume.pool);
  if (storage?.capabilities.shared !== true) return false;
  await storage.removeSnapshot(volume.id as VolumeId, backupId as VolumeSnapshotId, tools.signal);
  return true;
}

function backupWorld(
  id: string | undefined,
  reader: StateReader,
  statuses: { readonly done: string; readonly failed: string },
): VolumeJobWorld {
  const status = volumeBackupTable.get(reader, id ?? '')?.record.status;
  if (status === undefined) return { subject: 'gone' };
  if (status === statuses.done) return { subject: 'done' };
  return { subject: status === statuses.failed ? 'failed' : 'under-way' };
}
