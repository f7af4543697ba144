/**
 * What the job that moves a server while it runs does next: the target is told of the guest's hardware and makes ready, the memory is
 * sent, the record is switched over. Until then all of it can be taken back, and what is left of it is the target's to discard. Pure.
 */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

/** What the records say of the move. */
export interface LiveMigrationWorld {
  /** Which host the server has: `here`: the one that it leaves, which carries out the job; `there`: the target. */
  readonly server: 'here' | 'there' | 'elsewhere';
  /** `over`: the record speaks of it no more. */
  readonly move: 'preparing' | 'copying' | 'over';
  readonly isDeleting: boolean;
  /** The target knows the guest's hardware. */
  readonly isDescribed: boolean;
  /** It takes the memory. */
  readonly isReceiving: boolean;
  /** Why it cannot; empty: it can, or has not said. */
  readonly refusal: string;
  /** It has said nothing for so long that nobody waits any more. */
  readonly isLate: boolean;
}

export type LiveMigrationAction =
  /** Write down what the target must know. */
  | 'describe'
  /** Send the memory, and switch the records over. */
  | 'send'
  /** End the copy, and leave the server where it is. */
  | 'take-back';

/** See above. */
export function nextOfLiveMigration(job: shoal.v1.Job, world: LiveMigrationWorld): JobDecision<LiveMigrationAction> {
  if (world.move === 'over') {
    return world.server === 'there'
      ? { kind: 'end', status: 'succeeded', message: 'The server has its other host.' }
      : { kind: 'end', status: 'failed', message: 'The server was moved otherwise, or deleted.' };
  }
  if (whyTakenBack(job, world) !== undefined) {
    return { kind: 'do', action: 'take-back', about: 'take-back', message: 'The server stays where it is.' };
  }
  if (!world.isDescribed) {
    return { kind: 'do', action: 'describe', about: 'describe', message: 'Describing the guest to its new host.' };
  }
  if (!world.isReceiving) return { kind: 'wait', message: 'Its new host makes ready.' };
  return { kind: 'do', action: 'send', about: 'send', message: "Sending the guest's memory." };
}

/** Why it comes to nothing; undefined: it goes on. */
export function whyTakenBack(
  job: shoal.v1.Job,
  { server, isDeleting, isReceiving, refusal, isLate }: LiveMigrationWorld,
): { readonly isCancelled: boolean; readonly why: string } | undefined {
  const failure = job.failures.find(({ subject }) => subject === 'send' || subject === 'describe');
  if (failure !== undefined) return { isCancelled: false, why: failure.message ?? '' };
  if (refusal !== '') return { isCancelled: false, why: refusal };
  if (job.cancelRequested) return { isCancelled: true, why: 'It was aborted.' };
  if (job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK)
    return { isCancelled: false, why: 'It took too long.' };
  if (isDeleting) return { isCancelled: false, why: 'The server is being deleted.' };
  if (server !== 'here')
    return { isCancelled: false, why: 'The host of the server is not a member of the mesh any more.' };
  if (isLate && !isReceiving)
    return { isCancelled: false, why: 'The new host of the server did not make ready in time.' };
  return undefined;
}

/** What was told last; of one that has ended well, all of it. */
export function progressOfLiveMigration(job: shoal.v1.Job, { move, server }: LiveMigrationWorld): JobProgress {
  if (move === 'over' && server === 'there') return { done: 100, total: 100 };
  return { done: job.progressDone, total: job.progressTotal };
}
