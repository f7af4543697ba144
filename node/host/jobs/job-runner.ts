/**
 * Carries out jobs: reads the world, has the kind decide, does what it decides, and looks again. A job is carried out by the
 * host that its record names, else by whichever leads; when that changes, the next one goes on from the record. Two that
 * both believe it is theirs do each other no harm: what they write compares the record, and every action is safe to do twice.
 *
 * Decisions are pure (node/host/plan), actions go through the services like anybody's requests, and no job keeps another, or
 * the host loop, from going on.
 */
import { shoal } from '../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { isTransient, ShoalError } from '../../base/errors.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { ended, hasEnded, saying, withFailure } from '../../services/jobs/job-record.ts';
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';
import { transact } from '../../services/kit/transact.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { JobDecision, JobProgress } from '../plan/job-plan.ts';
import type { AnyJobKind } from './job-kind.ts';

const markJobPutOff = coverageMark('job-put-off', 'a job waits, for what it does cannot be done now');
const markJobRollsBack = coverageMark('job-rolls-back', 'a job is taken back');
const failpointJobNotedNotDone = failpoint(
  'job.noted-not-done',
  'the record of a job says what comes next, and nothing of it is done',
);
const failpointJobDoneNotNoted = failpoint(
  'job.done-not-noted',
  'an action of a job is done, and its record does not say so',
);
const markJobActionCutOff = coverageMark('job-action-cut-off', 'a job is taken back in the middle of an action');
const markJobActionFailed = coverageMark('job-action-failed', 'an action of a job was refused');

const { JobStatus } = shoal.v1;

/** How often all jobs of this host are looked at. */
const periodMs = 1_000;
/** After an action that failed for a reason that may pass. */
const retryMs = 2_000;
/** How often the progress of one action is recorded, at most. */
const progressMs = 2_000;
/** Decisions of one job without a pause; a kind that goes in circles is found by it. */
const decisionsAtOnceMax = 1_000;

/** What it works with. */
interface JobRunnerDeps extends ServiceDependencies {
  /** Whether this host takes the next step of a job. */
  readonly isOwn: (job: shoal.v1.Job) => boolean;
  readonly kinds: readonly AnyJobKind[];
}

/** See above. */
export class JobRunner implements Service {
  readonly #deps: JobRunnerDeps;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #repeated: RepeatedLog;
  readonly #kinds: ReadonlyMap<string, AnyJobKind>;
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** What is being done for jobs, by job: ends an action of one that is to be taken back. */
  readonly #actions = new Map<string, AbortController>();
  /** When a job may be looked at again; monotonic, ms. */
  readonly #notBeforeMs = new Map<string, number>();
  #timer: Timer | undefined;
  #watch: { close(): void } | undefined;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#repeated = new RepeatedLog(deps);
    this.#kinds = new Map(deps.kinds.map((kind) => [kind.name, kind]));
  }

  async start(): Promise<void> {
    this.#timer = this.#clock.setInterval(() => this.#look(), periodMs);
    this.#watch = this.#deps.state.watch({ prefix: jobTable.prefix }, () => this.#look());
    this.#look();
  }

  /** Actions under way are cancelled; the jobs stay as their records say. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#watch?.close();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await Promise.allSettled(this.#running.values());
  }

  /** Jobs that this host is carrying out at this moment. */
  get busyJobs(): number {
    return this.#running.size;
  }

  #look(): void {
    if (this.#abort.signal.aborted) return;
    const nowMs = this.#clock.monotonicMs();
    const jobs = jobTable.by(this.#deps.state.local, 'under-way', 'yes').map(({ record }) => record);
    for (const id of this.#notBeforeMs.keys()) if (!jobs.some((job) => job.id === id)) this.#notBeforeMs.delete(id);
    for (const job of jobs) {
      const action = this.#actions.get(job.id);
      if (action !== undefined && this.#mustRollBack(job)) {
        action.abort(new ShoalError('CANCELLED', 'the job is taken back'));
      }
      if (this.#running.has(job.id) || !this.#deps.isOwn(job) || (this.#notBeforeMs.get(job.id) ?? 0) > nowMs) continue;
      const running = this.#carryOn(job.id).finally(() => this.#running.delete(job.id));
      this.#running.set(job.id, running);
    }
  }

  /** Takes decision after decision until the job must wait, has ended, or is another's. Never rejects. */
  async #carryOn(jobId: string): Promise<void> {
    try {
      for (let decisions = 0; decisions < decisionsAtOnceMax; decisions += 1) {
        if (!(await this.#step(jobId))) return;
      }
      throw new ShoalError('DRIVER_FAILED', `the job made ${decisionsAtOnceMax} decisions without progress`);
    } catch (caught) {
      if (this.#abort.signal.aborted) return;
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      markJobPutOff();
      this.#notBeforeMs.set(jobId, this.#clock.monotonicMs() + retryMs);
      this.#repeated.warn(`job ${jobId} ${error.code}`, { jobId, code: error.code, err: error }, 'a job waits');
    }
  }

  /** One decision. False: nothing more to do for it now. */
  async #step(jobId: string): Promise<boolean> {
    const { signal } = this.#abort;
    // What was decided last has been written: the next decision must have seen it.
    const reader = await this.#deps.state.fresh(signal);
    const job = jobTable.get(reader, jobId)?.record;
    if (job !== undefined && hasEnded(job)) {
      const { kind, subject, status, message } = job;
      this.#logger.info({ jobId, kind, subject, status, message }, 'job ended');
      return false;
    }
    if (job === undefined || !this.#deps.isOwn(job)) return false;
    const kind = this.#kinds.get(job.kind);
    // A newer agent's: it goes on when one leads again.
    if (kind === undefined) return false;
    if (this.#mustRollBack(job)) {
      await this.#write(job, (now) => new shoal.v1.Job({ ...now, status: JobStatus.JOB_STATUS_ROLLING_BACK }));
      markJobRollsBack();
      return true;
    }
    const world = kind.world(job, reader);
    const decision = kind.next(job, world);
    const { done, total } = kind.progress(job, world);
    await this.#write(job, (now) => {
      const next = noted(kind, now, decision, this.#clock.nowMs());
      if (next.progressDone === done && next.progressTotal === total) return next;
      return new shoal.v1.Job({ ...next, progressDone: done, progressTotal: total });
    });
    switch (decision.kind) {
      case 'wait':
        return false;
      case 'turn':
        return true;
      case 'end':
        // The next look says so.
        return true;
      case 'do':
        failpointJobNotedNotDone();
        await this.#do(kind, job, decision);
        return true;
    }
  }

  #mustRollBack(job: shoal.v1.Job): boolean {
    if (job.status !== JobStatus.JOB_STATUS_RUNNING) return false;
    return job.cancelRequested || (job.deadlineMs !== 0 && this.#clock.nowMs() > job.deadlineMs);
  }

  async #do(
    kind: AnyJobKind,
    job: shoal.v1.Job,
    decision: Extract<JobDecision<unknown>, { readonly kind: 'do' }>,
  ): Promise<void> {
    const action = new AbortController();
    this.#actions.set(job.id, action);
    const progress = new ProgressNotes(this.#clock, (told) => this.#noteProgress(job, told));
    try {
      const signal = AbortSignal.any([this.#abort.signal, action.signal]);
      await kind.carryOut(job, decision.action, signal, (told) => progress.tell(told));
      await progress.written();
      failpointJobDoneNotNoted();
      await this.#write(job, (now) => kind.noteAfter?.(now, decision.action) ?? now);
    } catch (caught) {
      await progress.written();
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      if (this.#abort.signal.aborted) throw error;
      if (action.signal.aborted) {
        // The next decision finds that the job is to be taken back.
        markJobActionCutOff();
        return;
      }
      if (isTransient(error.code)) throw error;
      // An answer: the kind decides what it means for the rest.
      markJobActionFailed();
      this.#logger.warn(
        { jobId: job.id, kind: job.kind, about: decision.about, code: error.code, err: error },
        'an action of a job failed',
      );
      await this.#write(job, (now) => withFailure(now, decision.about, error.message, error.code));
    } finally {
      this.#actions.delete(job.id);
    }
  }

  /** A hint for people: the work goes on without it. */
  async #noteProgress(job: shoal.v1.Job, { done, total }: JobProgress): Promise<void> {
    try {
      await this.#write(job, (now) => {
        if (now.progressDone === done && now.progressTotal === total) return now;
        return new shoal.v1.Job({ ...now, progressDone: done, progressTotal: total });
      });
    } catch (caught) {
      this.#logger.debug({ jobId: job.id, err: caught }, 'the progress of a job could not be recorded');
    }
  }

  /** Changes the record, unless it has ended or is another's by now. Writes nothing when nothing changes. */
  async #write(job: shoal.v1.Job, edit: (now: shoal.v1.Job) => shoal.v1.Job): Promise<void> {
    await transact(this.#deps, { signal: this.#abort.signal, hasReadFresh: true }, ({ reader, change }) => {
      const row = jobTable.get(reader, job.id);
      if (row === undefined || hasEnded(row.record) || !this.#deps.isOwn(row.record)) return;
      const next = edit(row.record);
      if (next === row.record) return;
      jobTable.update(change, row, new shoal.v1.Job({ ...next, updatedMs: this.#clock.nowMs() }));
    });
  }
}

/** Passes on what is told of progress, the first at once and then one in a while, one after the other. */
class ProgressNotes {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #note: (progress: JobProgress) => Promise<void>;
  #lastMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> | undefined;

  /** @param note never rejects. */
  constructor(clock: Pick<Clock, 'monotonicMs'>, note: (progress: JobProgress) => Promise<void>) {
    this.#clock = clock;
    this.#note = note;
  }

  tell(progress: JobProgress): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#writing !== undefined || nowMs - this.#lastMs < progressMs) return;
    this.#lastMs = nowMs;
    this.#writing = this.#note(progress).finally(() => {
      this.#writing = undefined;
    });
  }

  /** Resolves when nothing is being written any more. */
  async written(): Promise<void> {
    await this.#writing;
  }
}

/** The record once it says what was decided; the same object when it does already. */
function noted(kind: AnyJobKind, job: shoal.v1.Job, decision: JobDecision<unknown>, nowMs: number): shoal.v1.Job {
  switch (decision.kind) {
    case 'wait':
      return saying(job, decision.message);
    case 'turn':
      return new shoal.v1.Job({ ...saying(job, decision.message), phase: decision.phase });
    case 'end':
      return ended(job, decision.status, decision.message, nowMs);
    case 'do':
      return saying(kind.noteBefore?.(job, decision.action) ?? job, decision.message);
  }
}
