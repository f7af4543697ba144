/** One kind of job: what it reads, what it decides, what it does. How one is added: README.md in this folder. */
import type { shoal } from '../../../proto/messages.ts';
import type { StateReader } from '../../state/types.ts';
import type { JobDecision, JobProgress } from '../plan/job-plan.ts';

/**
 * The whole of a kind. Nothing of a job is kept but its record: after any crash, here or of the host that had it, the next
 * agent reads the world again and goes on.
 * @typeParam World what is read for one decision.
 * @typeParam Action what can be done.
 */
export interface JobKind<World, Action> {
  /** As in the record: "drain". */
  readonly name: string;
  /** What the records say now, as far as the decision needs it. Pure. */
  world(job: shoal.v1.Job, reader: StateReader): World;
  /** What is next. Pure. */
  next(job: shoal.v1.Job, world: World): JobDecision<Action>;
  /** How far it is. Pure. */
  progress(job: shoal.v1.Job, world: World): JobProgress;
  /**
   * What the record is to say before the action begins, for a job that must remember what it did; undefined: nothing. Pure.
   */
  noteBefore?(job: shoal.v1.Job, action: Action): shoal.v1.Job | undefined;
  /** What the record is to say once the action is done; undefined: nothing. Pure. */
  noteAfter?(job: shoal.v1.Job, action: Action): shoal.v1.Job | undefined;
  /**
   * Does it; safe to do twice, and by two agents at once. Throws what the services throw.
   * @param signal ends when the agent stops, and when the job is to be taken back.
   * @param tell says how far it is, for an action that takes long; what is told often is recorded now and then.
   */
  carryOut(
    job: shoal.v1.Job,
    action: Action,
    signal: AbortSignal,
    tell: (progress: JobProgress) => void,
  ): Promise<void>;
}

/** A kind with its types forgotten: what the runner sees. */
export type AnyJobKind = JobKind<unknown, unknown>;

/** Hides what a kind's world and actions are. */
export function anyJobKind<World, Action>(kind: JobKind<World, Action>): AnyJobKind {
  return {
    name: kind.name,
    world: (job, reader) => kind.world(job, reader),
    next: (job, world) => kind.next(job, world as World),
    progress: (job, world) => kind.progress(job, world as World),
    noteBefore: (job, action) => kind.noteBefore?.(job, action as Action),
    noteAfter: (job, action) => kind.noteAfter?.(job, action as Action),
    carryOut: (job, action, signal, tell) => kind.carryOut(job, action as Action, signal, tell),
  };
}
