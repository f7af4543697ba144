/** Jobs about volumes and backups, as they begin. The work is done by node/host/jobs, on the host that owns the job. */
import type { shoal } from '../../../../proto/messages.ts';
import { beginJob, type JobDraft } from '../../jobs/job-record.ts';
import type { RequestContext } from '../../kit/context.ts';
import type { Attempt } from '../../kit/transact.ts';

/** How long a job about volumes or backups may take before it is taken back. Unit: ms. */
export const volumeJobMsMax = 7 * 86_400_000;

/** What a job about a volume or a backup is. */
interface VolumeJobDraft {
  readonly id: string;
  readonly kind:
    | 'volume-backup'
    | 'volume-restore'
    | 'volume-backup-delete'
    | 'volume-backup-verify'
    | 'volume-upload'
    | 'volume-reimage'
    | 'volume-migrate'
    | 'volume-swap';
  /** "volume/<id>" or "backup/<id>": one job at a time is about each. */
  readonly subject: string;
  readonly ownerHostId: string;
  readonly detail: JobDraft['detail'];
  readonly nowMs: number;
}

/** Adds the job to the change. Throws `CONFLICT` while another job about the same is under way. */
export function beginVolumeJob(attempt: Attempt, context: RequestContext, draft: VolumeJobDraft): shoal.v1.Job {
  const { nowMs, ...rest } = draft;
  const { projectId, userId } = context;
  return beginJob(attempt, { ...rest, projectId, userId, deadlineMs: nowMs + volumeJobMsMax }, nowMs);
}
