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
  /** Tell the owner that the old bytes could not be removed. */
  | 'leave-old'
  /** Remove what is half done, and tell the owner. */
  | 'take-back'
  /** Tell the owner that what is half done could not be removed. */
  | 'give-up';

/** The job's words for: nothing of it is left to do, either way. Only earlier versions write them: now the job ends instead. */
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
  const messages = {
    copy: words.working,
    finish: 'The guest goes over.',
    'remove-old': 'Removing what is old.',
    'leave-old': 'What is old stays.',
    'take-back': 'Removing what is half done.',
    'give-up': 'What is half done stays.',
  };
  return { kind: 'do', action, about: action, message: messages[action] };

  function actionOf(): VolumeMoveAction {
    // The guest must go over, however long it takes: the records name the new place.
    if (isSwitched) return job.phase === guestOverPhase ? whileTried('remove-old', 'leave-old') : 'finish';
    if (isAwaited && !isTakenBack && failureOf('copy') === undefined) return 'copy';
    return whileTried('take-back', 'give-up');
  }

  function whileTried(action: VolumeMoveAction, otherwise: VolumeMoveAction): VolumeMoveAction {
    return (failureOf(action)?.attempts ?? 0) < triesMax ? action : otherwise;
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
    case 'remove-old':
    case 'leave-old':
    case 'take-back':
    case 'give-up':
      return undefined;
    case 'finish':
      return new shoal.v1.Job({
        ...job,
        phase: guestOverPhase,
        ownerHostId: oldHostId === '' ? job.ownerHostId : oldHostId,
      });
  }
}

/** The same with what could not be removed. @param action that was tried. */
export function faultOfLeftover(
  job: shoal.v1.Job,
  action: 'remove-old' | 'take-back',
): { readonly message: string; readonly details: string } {
  const why = job.failures.find((one) => one.subject === action)?.message ?? '';
  const what =
    action === 'remove-old' ? 'The old bytes could not be removed' : 'What is half done could not be removed';
  const before = action === 'remove-old' ? 'It is moved.' : faultOfVolumeMove(job).message;
  return { message: `${before} ${what}: ${why}`, details: '' };
}

/** Why the job failed or was taken back, for the owner of the volume. */
export function faultOfVolumeMove(job: shoal.v1.Job): { readonly message: string; readonly details: string } {
  const message = job.failures.find((one) => one.subject === 'copy')?.message;
  if (message !== undefined && message !== null) return { message, details: '' };
  return { message: job.cancelRequested ? 'It was cancelled.' : 'It was not done in time.', details: '' };
}
