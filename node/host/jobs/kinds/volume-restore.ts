/** The content of a backup, written into a volume by the volume's host: a new one, or one that is there. */
import type { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../base/ids.ts';
import { doneWords } from '../../../services/jobs/volume-job-end.ts';
import { volumeBackupTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { contentOf, readManifest } from '../../backup/backup.ts';
import { poolOf } from '../../kinds/volume/kit/tools.ts';
import { volumeSpec } from '../../kinds/volume/kit/volume-spec.ts';
import {
  faultOfVolumeJob,
  nextOfVolumeJob,
  progressOfVolumeJob,
  type VolumeJobAction,
  type VolumeJobWorld,
} from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';
import { type BackupTools, type BackupToolsOf, placeOf } from './volume-backup.ts';

const failpointRestoreDiskMade = failpoint('restore.disk-made', 'a volume is there to be restored to, and empty');
const failpointRestoreWritten = failpoint('restore.written', 'a backup is restored, and recorded as restoring');

const words = { working: 'Restoring the backup.', done: doneWords['volume-restore'] };

/** See above. */
export function volumeRestoreJob(toolsOf: BackupToolsOf): JobKind<VolumeJobWorld, VolumeJobAction> {
  return {
    name: 'volume-restore',
    world: worldOf,
    next: (job, world) => nextOfVolumeJob(job, world, words),
    progress: progressOfVolumeJob,
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const { volume, backup } = rowsOf(job, tools.reader);
      if (volume === undefined) return;
      const isNew = volume.madeGib === 0 && volume.sourceBackupId !== '';
      if (action === 'give-up') {
        const fault = faultOfVolumeJob(job);
        if (!isNew) return tools.jobReports.restoreFailed(backup?.id ?? '', fault);
        await poolOf(volume, tools).removeDisk(volume.id as VolumeId, signal);
        return tools.volumeReports.failed(volume, fault);
      }
      const from = volumeBackupTable.must(tools.reader, job.volumeRestore?.backupId ?? '').record;
      await restore(volume, from, tools, (percent) => tell({ done: Math.floor(percent), total: 100 }));
      failpointRestoreWritten();
      // One that was empty, of which nobody needed the bytes before, has them now.
      if (volume.madeGib === 0) await tools.volumeReports.made(volume, volume.sizeGib);
      if (!isNew) await tools.jobReports.restored(from.id);
    },
  };
}

async function restore(
  volume: shoal.v1.Volume,
  backup: shoal.v1.VolumeBackup,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<void> {
  const { signal } = tools;
  const storage = poolOf(volume, tools);
  const place = placeOf(backup, tools);
  const manifest = await readManifest(place, backup.manifestSha256, signal);
  const found = await storage.findDisk(volume.id as VolumeId, signal);
  const spec = { ...volumeSpec(volume, tools), ...(found?.imageSha256 && { imageSha256: found.imageSha256 }) };
  await storage.ensureDisk(spec, signal);
  failpointRestoreDiskMade();
  await storage.importDisk(spec, contentOf(place.store, manifest, spec.sizeBytes, signal), progress, signal);
}

function rowsOf(
  job: shoal.v1.Job,
  reader: StateReader,
): { readonly volume?: shoal.v1.Volume | undefined; readonly backup?: shoal.v1.VolumeBackup | undefined } {
  return {
    volume: volumeTable.get(reader, job.volumeRestore?.volumeId ?? '')?.record,
    backup: volumeBackupTable.get(reader, job.volumeRestore?.backupId ?? '')?.record,
  };
}

function worldOf(job: shoal.v1.Job, reader: StateReader): VolumeJobWorld {
  const { volume, backup } = rowsOf(job, reader);
  if (volume === undefined || volume.status === 'deleting') return { subject: 'gone' };
  if (volume.status.startsWith('error')) return { subject: 'failed' };
  const isRestoring = backup?.status === 'restoring' && backup.restoreVolumeId === volume.id;
  if (isRestoring || volume.madeGib === 0) return { subject: 'under-way' };
  return { subject: 'done' };
}
