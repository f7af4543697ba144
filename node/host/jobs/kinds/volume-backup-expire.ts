/** Old backups go, each by a job of its own (volume-backup.ts); this one says which, and waits for them. The leader's. */
import { shoal } from '../../../../proto/messages.ts';
import { failpoint } from '../../../base/buggify/buggify.ts';
import type { VolumeBackups } from '../../../services/volume/backups/backups.ts';
import { expiredBackups } from '../../../services/volume/backups/expirable.ts';
import { indexKey } from '../../../state/table.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import { type BackupExpireAction, type BackupExpireWorld, nextOfBackupExpire } from '../../plan/backup-expire-plan.ts';
import type { JobKind } from '../job-kind.ts';
import { operatorContext } from '../operator-context.ts';

const failpointBackupExpireAsked = failpoint(
  'backup-expire.asked',
  'an old backup is to go, and its job has not noted it',
);

/** See above. */
export function volumeBackupExpireJob(
  backups: Pick<VolumeBackups, 'remove'>,
): JobKind<BackupExpireWorld, BackupExpireAction> {
  return {
    name: 'volume-backup-expire',
    world: worldOf,
    next: nextOfBackupExpire,
    progress: (_job, { asked, leaves, later, underWay, failed }) => ({
      done: Math.max(0, asked - underWay - failed),
      total: asked + leaves.length + later,
    }),
    // Noted before: one that nobody counted would be told of as none.
    noteBefore: (job) =>
      new shoal.v1.Job({
        ...job,
        volumeBackupExpire: new shoal.v1.VolumeBackupExpireJob({
          ...job.volumeBackupExpire,
          asked: (job.volumeBackupExpire?.asked ?? 0) + 1,
        }),
      }),
    async carryOut(job, { backupId }, signal) {
      await backups.remove(operatorContext(job, signal), backupId);
      failpointBackupExpireAsked();
    },
  };
}

function worldOf(job: shoal.v1.Job, reader: StateReader): BackupExpireWorld {
  const { projectId, volumeId, keepNewest, beforeMs, asked } = new shoal.v1.VolumeBackupExpireJob(
    job.volumeBackupExpire ?? {},
  );
  const rows =
    volumeId === '' ? volumeBackupTable.list(reader) : volumeBackupTable.by(reader, 'volume', indexKey(volumeId));
  const all = rows.map(({ record }) => record);
  const isInScope = (one: shoal.v1.VolumeBackup): boolean =>
    (projectId === '' || one.projectId === projectId) && one.createdMs <= job.createdMs;
  const underWay = all.filter((one) => isInScope(one) && one.status === 'deleting').length;
  const failed = all.filter(
    (one) => isInScope(one) && one.status === 'error_deleting' && one.updatedMs >= job.createdMs,
  ).length;
  return { ...expiredBackups(all, { keepNewest, beforeMs }, isInScope), underWay, asked, failed };
}
