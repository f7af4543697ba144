/** What a job does next that verifies a backup. Pure. */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision } from './job-plan.ts';

/** The phase of a job whose owner knows that nothing could be found out. */
export const toldPhase = 'told';

export type BackupVerifyAction =
  /** Read all of it, and record what was found. */
  | 'read'
  /** Tell its owner that it could not be read. */
  | 'tell';

/** What the record says of the backup. */
export interface BackupVerifyWorld {
  /** Undefined: it is gone. */
  readonly backup: Pick<shoal.v1.VolumeBackup, 'verifyJobId' | 'verifyFault'> | undefined;
}

/** See above. */
export function nextOfBackupVerify(job: shoal.v1.Job, { backup }: BackupVerifyWorld): JobDecision<BackupVerifyAction> {
  if (backup === undefined) return { kind: 'end', status: 'cancelled', message: 'The backup is gone.' };
  if (backup.verifyJobId === job.id) {
    return backup.verifyFault === ''
      ? { kind: 'end', status: 'succeeded', message: 'All of the backup is there, and as its manifest says.' }
      : { kind: 'end', status: 'failed', message: backup.verifyFault };
  }
  if (job.cancelRequested) return { kind: 'end', status: 'cancelled', message: 'It was cancelled.' };
  const isLate = job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK;
  const failure = job.failures.find(({ subject }) => subject === 'read');
  if (failure === undefined && !isLate) {
    return { kind: 'do', action: 'read', about: 'read', message: 'Reading the backup.' };
  }
  const isTold = job.phase === toldPhase || job.failures.some(({ subject }) => subject === 'tell');
  if (!isTold) return { kind: 'do', action: 'tell', about: 'tell', message: 'The backup could not be read.' };
  return { kind: 'end', status: 'failed', message: failure?.message ?? 'It was not read in time.' };
}
