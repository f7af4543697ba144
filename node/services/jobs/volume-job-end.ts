/**
 * How jobs about volumes and backups end: in the transaction that says what has come of them. A volume that is free by its record
 * has no job that would refuse the next request about it.
 */
import { shoal } from '../../../proto/messages.ts';
import { indexKey, type Row } from '../../state/table.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { Attempt } from '../kit/transact.ts';
import { ended, hasEnded } from './job-record.ts';

type Job = shoal.v1.Job;

/** In words for people: what has come of a job of each kind that came to its end. */
export const doneWords = {
  'volume-copy': 'The volume is copied.',
  'volume-backup': 'The backup is written.',
  'volume-backup-delete': 'The backup is removed.',
  'volume-restore': 'The backup is restored.',
  'volume-upload': 'The image is made.',
  'volume-reimage': 'The image is written over the volume.',
  'volume-migrate': 'The volume is moved.',
  'volume-swap': 'The server has the other volume.',
  'server-image': 'The image is made.',
  'live-migration': 'The server has its other host.',
} as const;

export type VolumeJobKind = keyof typeof doneWords;

/** Ends the job about a subject if it is of one of the kinds. @param fault why it failed; absent: it is done. */
export function endJobAbout(
  attempt: Attempt,
  about: { readonly subject: string; readonly kinds: readonly VolumeJobKind[]; readonly nowMs: number },
  fault?: { readonly message: string },
): void {
  const row = jobTable.one(attempt.reader, 'subject', indexKey(about.subject));
  if (row !== undefined && about.kinds.some((kind) => kind === row.record.kind)) {
    endJob(attempt, row, about.nowMs, fault);
  }
}

/** Ends it. Ended already: the same. */
export function endJob(
  { change }: Pick<Attempt, 'change'>,
  row: Row<Job>,
  nowMs: number,
  fault?: { readonly message: string },
): void {
  if (hasEnded(row.record)) return;
  const job = new shoal.v1.Job({ ...row.record, updatedMs: nowMs });
  jobTable.update(change, row, endOf(job, nowMs, fault));
}

function endOf(job: Job, nowMs: number, fault?: { readonly message: string }): Job {
  if (fault === undefined) {
    const message = isVolumeJobKind(job.kind) ? doneWords[job.kind] : 'It is done.';
    return ended(new shoal.v1.Job({ ...job, progressDone: 100, progressTotal: 100 }), 'succeeded', message, nowMs);
  }
  if (job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK) {
    return ended(job, 'cancelled', 'It was taken back.', nowMs);
  }
  return ended(job, 'failed', fault.message, nowMs);
}

function isVolumeJobKind(kind: string): kind is VolumeJobKind {
  return Object.hasOwn(doneWords, kind);
}
