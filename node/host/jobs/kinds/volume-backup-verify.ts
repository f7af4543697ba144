/** All that a backup consists of, read and compared with its manifest: by a host that reaches the store, which needs no volume. */
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import { readManifest, verifyBackup } from '../../backup/backup.ts';
import {
  type BackupVerifyAction,
  type BackupVerifyWorld,
  nextOfBackupVerify,
  toldPhase,
} from '../../plan/backup-verify-plan.ts';
import { faultOfFailure } from '../../plan/volume-job-plan.ts';
import type { JobKind } from '../job-kind.ts';
import { type BackupTools, type BackupToolsOf, placeOf } from './volume-backup.ts';

const failpointBackupVerifyRead = failpoint('backup-verify.read', 'a backup was read whole, and nothing says so');

/** See above. */
export function volumeBackupVerifyJob(toolsOf: BackupToolsOf): JobKind<BackupVerifyWorld, BackupVerifyAction> {
  return {
    name: 'volume-backup-verify',
    world: (job, reader) => ({ backup: volumeBackupTable.get(reader, backupIdOf(job))?.record }),
    next: nextOfBackupVerify,
    progress: (job, { backup }) =>
      backup?.verifyJobId === job.id ? { done: 100, total: 100 } : { done: job.progressDone, total: job.progressTotal },
    noteAfter: (job, action) => (action === 'tell' ? new shoal.v1.Job({ ...job, phase: toldPhase }) : undefined),
    async carryOut(job, action, signal, tell) {
      const tools = toolsOf(signal);
      const id = backupIdOf(job);
      if (action === 'tell') {
        await tools.jobReports.backupNotVerified(id, job.id, faultOfFailure(job, 'read'));
        return;
      }
      const backup = volumeBackupTable.must(tools.reader, id).record;
      const damage = await damageOf(backup, tools, (percent) => tell({ done: percent, total: 100 }));
      failpointBackupVerifyRead();
      await tools.jobReports.backupVerified(id, job.id, damage);
    },
  };
}

/** What is wrong with it; undefined: nothing. Throws where it could not be read, which says nothing of it. */
async function damageOf(
  backup: shoal.v1.VolumeBackup,
  tools: BackupTools,
  progress: (percent: number) => void,
): Promise<{ readonly message: string; readonly details: string } | undefined> {
  const place = placeOf(backup, tools);
  try {
    const manifest = await readManifest(place, backup.manifestSha256, tools.signal);
    await verifyBackup(place.store, manifest, progress, tools.signal);
    return undefined;
  } catch (caught) {
    // A store that was asked and has it not, or has something else: all other errors are the store's or this host's.
    if (!ShoalError.is(caught, 'NOT_FOUND', 'IDENTITY_MISMATCH', 'TOO_LARGE')) throw caught;
    return { message: caught.message, details: caught.code };
  }
}

function backupIdOf(job: shoal.v1.Job): string {
  return job.volumeBackupVerify?.backupId ?? '';
}
