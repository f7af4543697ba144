/**
 * What a job about a volume does next: one long piece of work, which is safe to do again from the beginning, and what is to be
 * put right when it fails or is taken back. The same for copies, backups, restores, uploads and moves. Pure.
 */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

/** What the records say of what the job is about. */
export interface VolumeJobWorld {
  /** `gone`: nothing is recorded of it any more. `failed`: its owner has been told that it failed. */
  readonly subject: 'under-way' | 'done' | 'failed' | 'gone';
}

export type VolumeJobAction =
  /** Do it, from wherever it is. */
  | 'work'
  /** Remove what is half done, and tell the owner. */
  | 'give-up';

/** In words for people. */
interface VolumeJobWords {
  readonly working: string;
  readonly done: string;
}

/** See above. */
export function nextOfVolumeJob(
  job: shoal.v1.Job,
  { subject }: VolumeJobWorld,
  words: VolumeJobWords,
): JobDecision<VolumeJobAction> {
  const isTakenBack = job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK;
  const failure = job.failures.find((one) => one.subject === 'work');
  switch (subject) {
    case 'gone':
      return { kind: 'end', status: 'cancelled', message: 'It is not recorded any more.' };
    case 'done':
      return { kind: 'end', status: 'succeeded', message: words.done };
    case 'failed':
      return isTakenBack
        ? { kind: 'end', status: 'cancelled', message: 'It was taken back.' }
        : { kind: 'end', status: 'failed', message: failure?.message ?? 'It failed.' };
    case 'under-way':
      if (isTakenBack || failure !== undefined) {
        return { kind: 'do', action: 'give-up', about: 'give-up', message: 'Removing what is half done.' };
      }
      return { kind: 'do', action: 'work', about: 'work', message: words.working };
  }
}

/** What was told last; of one that has ended well, all of it. */
export function progressOfVolumeJob(job: shoal.v1.Job, { subject }: VolumeJobWorld): JobProgress {
  if (subject === 'done') return { done: 100, total: 100 };
  return { done: job.progressDone, total: job.progressTotal };
}

/** Why the job failed or was taken back, for the owner of what it is about. */
export function faultOfVolumeJob(job: shoal.v1.Job): { readonly message: string; readonly details: string } {
  return faultOfFailure(job, 'work');
}

/** The same for a job whose work is called otherwise. */
export function faultOfFailure(
  job: shoal.v1.Job,
  subject: string,
): { readonly message: string; readonly details: string } {
  const failure = job.failures.find((one) => one.subject === subject);
  if (failure !== undefined) return { message: failure.message, details: '' };
  return { message: job.cancelRequested ? 'It was cancelled.' : 'It was not done in time.', details: '' };
}
