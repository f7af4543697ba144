/** What a job does next that removes old backups: those at the ends of chains first, a few at a time. Pure. */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision } from './job-plan.ts';

/** Removals at once: each is a job of a host. */
const removalsAtOnceMax = 8;

/** Which backup is to go. */
export interface BackupExpireAction {
  readonly backupId: string;
}

/** What the records say. */
export interface BackupExpireWorld {
  /** Expired, and nothing adds to them. */
  readonly leaves: readonly string[];
  /** Expired, and to go after others. */
  readonly later: number;
  /** Expired, and needed by backups that stay. */
  readonly needed: number;
  /** Removals that it has asked for. */
  readonly asked: number;
  /** Of those that it may remove: on their way, and not removable. */
  readonly underWay: number;
  readonly failed: number;
}

/** See above. */
export function nextOfBackupExpire(job: shoal.v1.Job, world: BackupExpireWorld): JobDecision<BackupExpireAction> {
  const { leaves, needed, underWay, asked, failed } = world;
  const refused = new Set(job.failures.map(({ subject }) => subject));
  const notRemoved = failed + refused.size;
  const gone = Math.max(0, asked - underWay - notRemoved);
  if (job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK) {
    return { kind: 'end', status: 'cancelled', message: `${gone} backups were removed; what is gone is gone.` };
  }
  const backupId = leaves.find((id) => !refused.has(aboutOf(id)));
  if (backupId !== undefined && underWay < removalsAtOnceMax) {
    return { kind: 'do', action: { backupId }, about: aboutOf(backupId), message: `Removing backup ${backupId}.` };
  }
  if (underWay > 0) return { kind: 'wait', message: `${underWay} backups are being removed.` };
  const kept = needed === 0 ? '' : ` ${needed} that have expired stay: backups that stay add to them.`;
  if (notRemoved > 0) {
    const message = `${gone} backups were removed, and ${notRemoved} could not be.${kept}`;
    return { kind: 'end', status: 'failed', message };
  }
  return { kind: 'end', status: 'succeeded', message: `${gone} backups were removed.${kept}` };
}

function aboutOf(backupId: string): string {
  return `backup/${backupId}`;
}
