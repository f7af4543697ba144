/** Backups that are verified, and old ones that go. Both are jobs, which this begins. */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { indexKey } from '../../../state/table.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import { beginJob } from '../../jobs/job-record.ts';
import { backupSubject } from '../../jobs/volume-jobs.ts';
import type { RequestContext } from '../../kit/context.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { transact } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { see, seeVolume } from '../kit/find.ts';
import { invalid, invalidInput } from '../kit/refusals.ts';
import { writeBackup } from '../records/backup-record.ts';
import { beginVolumeJob, volumeJobMsMax } from '../records/volume-job.ts';
import { hostForBackup } from './backup-host.ts';

/** Most that may be asked for. */
const keepNewestMax = 100_000;
const olderThanSecondsMax = 100 * 366 * 86_400;

/** Which backups go. At least one of `keepNewest` and `olderThanSeconds` is given. */
interface ExpiryDraft {
  /** Of every project: for administrators. */
  readonly allProjects: boolean;
  /** Of this volume alone; empty: of all. Its record may be gone. */
  readonly volumeId: string;
  /** So many of the newest of each volume stay. Default: 1, so that age alone leaves no volume without a backup. */
  readonly keepNewest?: number | null;
  /** Younger ones stay. Unit: seconds. Default: 0. */
  readonly olderThanSeconds?: number | null;
}

/** See above. */
export class BackupUpkeep {
  readonly #deps: VolumeDependencies;

  constructor(deps: VolumeDependencies) {
    this.#deps = deps;
  }

  /**
   * Begins to read all that a backup consists of. What was wrong is in its record when the job has ended. Throws `NOT_FOUND`,
   * `INVALID_ARGUMENT` unless it is available, `CONFLICT` while another job is about it.
   */
  verify(context: RequestContext, id: string): Promise<shoal.v1.Job> {
    const jobId = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      const { reader, change, random } = attempt;
      const row = see(volumeBackupTable, 'backup', { context, reader, id });
      if (row.record.status !== 'available') throw invalid('backup', 'Backup status must be available');
      const nowMs = this.#deps.clock.nowMs();
      const hostId = hostForBackup(this.#deps, reader, row.record, random);
      putOnHost(change, hostId);
      writeBackup(change, row, { hostId }, nowMs);
      return beginVolumeJob(attempt, context, {
        id: jobId,
        kind: 'volume-backup-verify',
        subject: backupSubject(id),
        ownerHostId: hostId,
        detail: { volumeBackupVerify: new shoal.v1.VolumeBackupVerifyJob({ backupId: id }) },
        nowMs,
      });
    });
  }

  /**
   * Begins to remove what has expired. A backup that one which stays adds to, stays. Throws `INVALID_ARGUMENT`, `CONFLICT` while the
   * same project's are expired already.
   */
  async expire(context: RequestContext, draft: ExpiryDraft): Promise<shoal.v1.Job> {
    const { volumeId, allProjects } = draft;
    const keepNewest = draft.keepNewest ?? 1;
    const olderThanSeconds = draft.olderThanSeconds ?? 0;
    if (typeof draft.keepNewest !== 'number' && typeof draft.olderThanSeconds !== 'number') {
      throw invalidInput('keep_newest or older_than_seconds must say which backups stay.');
    }
    if (keepNewest > keepNewestMax) throw invalidInput(`keep_newest must be ${keepNewestMax} at most.`);
    if (olderThanSeconds > olderThanSecondsMax) {
      throw invalidInput(`older_than_seconds must be ${olderThanSecondsMax} at most.`);
    }
    const projectId = allProjects ? '' : context.projectId;
    if (projectId === '' && !allProjects) {
      throw new ShoalError('INVALID_ARGUMENT', 'The token is of no project: ask for all projects, or use one that is.');
    }
    const id = this.#deps.newId();
    return transact(this.#deps, context, (attempt) => {
      if (volumeId !== '' && volumeBackupTable.count(attempt.reader, 'volume', indexKey(volumeId)) === 0) {
        // A volume that nobody has, or that is another's.
        seeVolume(context, attempt.reader, volumeId);
      }
      const nowMs = this.#deps.clock.nowMs();
      const expiry = { projectId, volumeId, keepNewest, beforeMs: nowMs - olderThanSeconds * 1_000 };
      return beginJob(
        attempt,
        {
          id,
          kind: 'volume-backup-expire',
          subject: `backups/${projectId === '' ? 'all' : projectId}`,
          projectId: context.projectId,
          userId: context.userId,
          deadlineMs: nowMs + volumeJobMsMax,
          detail: { volumeBackupExpire: new shoal.v1.VolumeBackupExpireJob(expiry) },
        },
        nowMs,
      );
    });
  }
}
