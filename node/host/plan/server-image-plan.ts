/**
 * What the job that makes an image of a server does next: one long piece of work, which is safe to do again from the beginning, and
 * the taking back of what is half done. It ends with the report of either. Pure.
 */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';
import { faultOfFailure } from './volume-job-plan.ts';

/** What the records say of what the job is about. */
export interface ServerImageWorld {
  /** `leaving`: it is being deleted, or another host has it. */
  readonly server: 'here' | 'leaving' | 'gone';
  readonly image: 'saving' | 'there' | 'gone';
  /** Its guest is still being powered off, for the image is to be of one that is off. */
  readonly isPoweringOff: boolean;
  /** It was to be shelved, and something else is asked of the server since: a hard reboot takes the task over. */
  readonly isTakenOver: boolean;
}

/** Why a server was not shelved. */
const takenOver = 'Something else was asked of the server before it was shelved.';

export type ServerImageAction =
  /** Keep the disk at an instant, read it, and record the image. */
  | 'work'
  /** Remove what is half done, and tell the owner. */
  | 'give-up';

/** See above. */
export function nextOfServerImage(
  job: shoal.v1.Job,
  { server, image, isPoweringOff, isTakenOver }: ServerImageWorld,
): JobDecision<ServerImageAction> {
  const isTakenBack = job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK;
  const failure = job.failures.find((one) => one.subject === 'work');
  if (image === 'there') return { kind: 'end', status: 'succeeded', message: 'The image is made.' };
  if (isTakenBack || failure !== undefined || server !== 'here' || image === 'gone' || isTakenOver) {
    return { kind: 'do', action: 'give-up', about: 'give-up', message: 'Removing what is half done.' };
  }
  if (isPoweringOff) return { kind: 'wait', message: 'Its guest is being powered off.' };
  return { kind: 'do', action: 'work', about: 'work', message: 'Making an image of the server.' };
}

/** What was told last; of one that has ended well, all of it. */
export function progressOfServerImage(job: shoal.v1.Job, { image }: ServerImageWorld): JobProgress {
  if (image === 'there') return { done: 100, total: 100 };
  return { done: job.progressDone, total: job.progressTotal };
}

/** Why no image was made, for the owner of the server. */
export function faultOfServerImage(
  job: shoal.v1.Job,
  { server, image, isTakenOver }: ServerImageWorld,
): { readonly message: string; readonly details: string } {
  if (image === 'gone') return { message: 'The image was deleted before it was made.', details: '' };
  if (server !== 'here')
    return { message: 'The server was deleted, or moved, before the image was made.', details: '' };
  if (isTakenOver) return { message: takenOver, details: '' };
  return faultOfFailure(job, 'work');
}
