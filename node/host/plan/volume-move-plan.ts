/**
 * What a job that moves a volume, or swaps it for another, does next. The records say when it is switched over: before, all of it can
 * be taken back; afterwards it only goes on. Pure.
 */
import { shoal } from '../../../proto/messages.ts';
import type { JobDecision, JobProgress } from './job-plan.ts';

/** What the records say of what the job is about. */
export interface VolumeMoveWorld {
  /** They name the new place. */
  readonly isSwitched: boolean;
  /** They wait for it. */
  readonly isAwaited: boolean;
}

export type VolumeMoveAction =
  /** Fill the new place, and switch over when it is full. */
  | 'copy'
  /** The guest that has it goes over, if it has not yet. */
  | 'finish'
  /** Remove the old bytes, at the host that has them. */
  | 'remove-old'
  /** Remove what is half done, and tell the owner. */
  | 'take-back';

/** The job's words for: nothing of it is left to do, either way. */
const movedPhase = 'moved';
/** For: the guest has gone over, and the old bytes are there. */
export const guestOverPhase = 'guest-over';
const takenBackPhase = 'taken-back';

/** How often what ends a job is tried when it is refused. */
const triesMax = 5;

/** See above. */
export function nextOfVolumeMove(
  job: shoal.v1.Job,
  { isSwitched, isAwaited }: VolumeMoveWorld,
  words: { readonly working: string; readonly done: string },
): JobDecision<VolumeMoveAction> {
  const isTakenBack = job.status === shoal.v1.JobStatus.JOB_STATUS_ROLLING_BACK;
  const failureOf = (subject: VolumeMoveAction): shoal.v1.IJobFailure | undefined =>
    job.failures.find((one) => one.subject === subject);
  if (job.phase === movedPhase) return { kind: 'end', status: 'succeeded', message: words.done };
  if (job.phase === takenBackPhase) {
    const message = failureOf('copy')?.message;
    if (isTakenBack || message === undefined || message === null) {
      return { kind: 'end', status: 'cancelled', message: 'It was taken back.' };
    }
    return { kind: 'end', status: 'failed', message };
  }
  const action = actionOf();
  const failure = failureOf(action);
  if ((failure?.attempts ?? 0) >= triesMax) {
    const what = isSwitched ? `${words.done} What was left of it could not be removed` : 'It could not be taken back';
    return { kind: 'end', status: 'failed', message: `${what}: ${failure?.message}` };
  }
  const messages = {
    copy: words.working,
    finish: 'The guest goes over.',
    'remove-old': 'Removing what is old.',
    'take-back': 'Removing what is half done.',
  };
  return { kind: 'do', action, about: action, message: messages[action] };

  function actionOf(): VolumeMoveAction {
    if (isSwitched) return job.phase === guestOverPhase ? 'remove-old' : 'finish';
    return isAwaited && !isTakenBack && failureOf('copy') === undefined ? 'copy' : 'take-back';
  }
}

/** What was told last; of one that has ended well, all of it. */
export function progressOfVolumeMove(job: shoal.v1.Job, { isSwitched }: VolumeMoveWorld): JobProgress {
  if (isSwitched) return { done: 100, total: 100 };
  return { done: job.progressDone, total: job.progressTotal };
}

/** What the record says once the action is done. @param oldHostId the host that has the old bytes, whose the rest is then. */
export function afterVolumeMove(
  job: shoal.v1.Job,
  action: VolumeMoveAction,
  oldHostId: string,
): shoal.v1.Job | undefined {
  switch (action) {
    case 'copy':
      return undefined;
    case 'finish':
      return new shoal.v1.Job({
        ...job,
        phase: guestOverPhase,
        ownerHostId: oldHostId === '' ? job.ownerHostId : oldHostId,
      });
    case 'remove-old':
      return new shoal.v1.Job({ ...job, phase: movedPhase });
    case 'take-back':
      return new shoal.v1.Job({ ...job, phase: takenBackPhase });
  }
}

/** Why the job failed or was taken back, for the owner of the volume. */
export function faultOfVolumeMove(job: shoal.v1.Job): { readonly message: string; readonly details: string } {
  const message = job.failures.find((one) => one.subject === 'copy')?.message;
  if (message !== undefined && message !== null) return { message, details: '' };
  return { message: job.cancelRequested ? 'It was cancelled.' : 'It was not done in time.', details: '' };
}
