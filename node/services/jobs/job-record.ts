/** Records of jobs: how one begins, what it may say, and how it ends. */
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import { beginningOf } from '../../base/text.ts';
import { indexKey } from '../../state/table.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { Attempt } from '../kit/transact.ts';

const { JobStatus } = shoal.v1;

/** Longest message kept, characters. */
const messageCharactersMax = 2_000;
/** Failures kept with a job: the latest. */
const failuresMax = 200;

/** What a new job is. */
export interface JobDraft {
  readonly id: string;
  readonly kind: string;
  /** "host/<id>". */
  readonly subject: string;
  readonly projectId: string;
  readonly userId: string;
  readonly deadlineMs: number;
  /** The host whose agent carries it out; absent: whichever leads. */
  readonly ownerHostId?: string;
  readonly detail: JobDetail;
}

/** What the kind of job remembers: one field of the record. */
type JobDetail = Pick<
  shoal.v1.Job.$Properties,
  | 'drain'
  | 'rotateAuthority'
  | 'volumeCopy'
  | 'volumeBackup'
  | 'volumeRestore'
  | 'volumeBackupDelete'
  | 'volumeUpload'
  | 'volumeMigrate'
  | 'volumeSwap'
  | 'volumeBackupVerify'
  | 'volumeBackupExpire'
  | 'serverImage'
  | 'volumeReimage'
  | 'liveMigration'
  | 'takeover'
>;

/** Adds a job to a transaction. Throws `CONFLICT`, naming the other, while a job about the same subject is under way. */
export function beginJob(attempt: Attempt, draft: JobDraft, nowMs: number): shoal.v1.Job {
  const other = jobTable.one(attempt.reader, 'subject', indexKey(draft.subject))?.record;
  if (other !== undefined) {
    throw new ShoalError(
      'CONFLICT',
      `The ${other.kind} job ${other.id} is under way for it: wait for its end, or cancel it.`,
      { facts: { jobId: other.id } },
    );
  }
  const { id, kind, subject, projectId, userId, deadlineMs, ownerHostId = '', detail } = draft;
  const job = new shoal.v1.Job({
    id,
    kind,
    subject,
    projectId,
    userId,
    ownerHostId,
    status: JobStatus.JOB_STATUS_RUNNING,
    createdMs: nowMs,
    updatedMs: nowMs,
    deadlineMs,
    message: 'It begins.',
    ...detail,
  });
  jobTable.insert(attempt.change, job);
  return job;
}

/** The job with another message; the same object when it says that already. */
export function saying(job: shoal.v1.Job, message: string): shoal.v1.Job {
  const text = beginningOf(message, messageCharactersMax);
  return text === job.message ? job : new shoal.v1.Job({ ...job, message: text });
}

/** The job with one more failure of what it was doing to `subject`. @param code of the error. */
export function withFailure(job: shoal.v1.Job, subject: string, message: string, code = ''): shoal.v1.Job {
  const before = job.failures.find((failure) => failure.subject === subject);
  const failure = new shoal.v1.JobFailure({
    subject,
    message: beginningOf(message, messageCharactersMax),
    attempts: (before?.attempts ?? 0) + 1,
    code,
  });
  const others = job.failures.filter((known) => known.subject !== subject);
  return new shoal.v1.Job({ ...job, failures: [...others, failure].slice(-failuresMax) });
}

/** The job as it has ended. */
export function ended(
  job: shoal.v1.Job,
  status: 'succeeded' | 'failed' | 'cancelled',
  message: string,
  nowMs: number,
): shoal.v1.Job {
  const statuses = {
    succeeded: JobStatus.JOB_STATUS_SUCCEEDED,
    failed: JobStatus.JOB_STATUS_FAILED,
    cancelled: JobStatus.JOB_STATUS_CANCELLED,
  } as const;
  return new shoal.v1.Job({ ...saying(job, message), status: statuses[status], endedMs: nowMs });
}

/** Whether it has ended, however. */
export function hasEnded({ endedMs }: shoal.v1.Job): boolean {
  return endedMs !== 0;
}
