import { randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { type ErrorCode, ShoalError } from '../../../../node/base/errors.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { anyJobKind, type JobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { forgetEndedJobs } from '../../../../node/host/tasks/forget-ended-jobs.ts';
import { beginJob, ended, type JobDraft } from '../../../../node/services/jobs/job-record.ts';
import type { ServiceDependencies } from '../../../../node/services/kit/dependencies.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { MemoryStateClient } from '../../../../node/state/client/memory-state-client.ts';
import { jobTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { until } from '../../../support/raft/raft-group.ts';

const { JobStatus } = shoal.v1;
const signal = new AbortController().signal;

/** A kind that counts to three, one file... one action at a time; what it has done is outside of its record. */
class Counting implements JobKind<number, 'count' | 'uncount'> {
  readonly name = 'count';
  done = 0;
  /** Of the next actions, in turn. */
  readonly failures: ErrorCode[] = [];
  isWaiting = false;

  world(): number {
    return this.done;
  }

  next(job: shoal.v1.Job, done: number): ReturnType<JobKind<number, 'count' | 'uncount'>['next']> {
    if (job.status === JobStatus.JOB_STATUS_ROLLING_BACK) {
      if (done > 0) return { kind: 'do', action: 'uncount', about: 'it', message: 'uncounting' };
      return { kind: 'end', status: 'cancelled', message: 'taken back' };
    }
    if ((job.failures[0]?.attempts ?? 0) >= 2) return { kind: 'end', status: 'failed', message: 'twice is enough' };
    if (this.isWaiting) return { kind: 'wait', message: 'for somebody' };
    if (job.phase === '') return { kind: 'turn', phase: 'counting', message: 'counting' };
    if (done < 3) return { kind: 'do', action: 'count', about: 'it', message: `to ${done + 1}` };
    return { kind: 'end', status: 'succeeded', message: 'three' };
  }

  progress(_job: shoal.v1.Job, done: number): { readonly done: number; readonly total: number } {
    return { done, total: 3 };
  }

  async carryOut(_job: shoal.v1.Job, action: 'count' | 'uncount'): Promise<void> {
    const code = this.failures.shift();
    if (code !== undefined) throw new ShoalError(code, 'as planned');
    this.done += action === 'count' ? 1 : -1;
  }
}

function makeWorld(t: Test) {
  const state = new MemoryStateClient();
  const deps: ServiceDependencies = { state, clock: systemClock, logger: silentLogger, newId: randomUUID };
  const kind = new Counting();
  let isOwn = true;
  const begin = async (over: Partial<JobDraft> = {}): Promise<string> => {
    const id = randomUUID();
    const draft = { id, kind: 'count', subject: `it/${id}`, projectId: '', userId: 'u', deadlineMs: 0, detail: {} };
    await transact(deps, { signal }, (attempt) => beginJob(attempt, { ...draft, ...over }, Date.now()));
    return id;
  };
  const job = (id: string): shoal.v1.Job => jobTable.must(state.local, id).record;
  const edit = (id: string, fields: object): Promise<void> =>
    transact(deps, { signal }, ({ reader, change }) => {
      const row = jobTable.must(reader, id);
      jobTable.update(change, row, new shoal.v1.Job({ ...row.record, ...fields }));
    });
  const run = async (): Promise<JobRunner> => {
    const runner = new JobRunner({ ...deps, isOwn: () => isOwn, kinds: [anyJobKind(kind)] });
    await runner.start();
    t.teardown(() => runner.stop());
    return runner;
  };
  const own = (is: boolean): void => {
    isOwn = is;
  };
  return { state, deps, kind, begin, job, edit, run, own };
}

t.test('a job goes from decision to decision to its end, and its record says how far it is', async (t) => {
  const { kind, begin, job, run } = makeWorld(t);
  const id = await begin();
  await run();
  await until(() => job(id).endedMs > 0, 'it ends');
  t.match(job(id), { status: JobStatus.JOB_STATUS_SUCCEEDED, phase: 'counting', message: 'three' });
  t.match(job(id), { progressDone: 3, progressTotal: 3 });
  t.equal(kind.done, 3);
});

t.test('another agent goes on where the record is, whatever was done of the last action', async (t) => {
  const { kind, begin, job, run } = makeWorld(t);
  const id = await begin();
  kind.isWaiting = true;
  const first = await run();
  await until(() => job(id).message === 'for somebody', 'it waits');
  await first.stop();
  // Done by the one that is gone, which could not say so any more.
  kind.done = 2;
  kind.isWaiting = false;
  await run();
  await until(() => job(id).endedMs > 0, 'it ends');
  t.equal(kind.done, 3);
});

t.test('a job of another host is left alone', async (t) => {
  const { kind, begin, job, run, own } = makeWorld(t);
  own(false);
  const id = await begin();
  const unknown = await begin({ kind: 'of-a-newer-agent' });
  const runner = await run();
  t.equal(runner.busyJobs, 0);
  t.equal(job(id).message, 'It begins.');
  own(true);
  await until(() => job(id).endedMs > 0, 'it ends once it is this one’s');
  t.equal(kind.done, 3);
  t.equal(job(unknown).endedMs, 0, 'a kind that is not known is left for an agent that knows it');
});

t.test('an answer is noted with the job, and the kind decides; what may pass is tried again', async (t) => {
  const { kind, begin, job, run } = makeWorld(t);
  kind.failures.push('CONFLICT', 'UNAVAILABLE', 'CONFLICT');
  const id = await begin();
  await run();
  await until(() => job(id).endedMs > 0, 'it ends', 10_000);
  t.match(job(id), { status: JobStatus.JOB_STATUS_FAILED, failures: [{ subject: 'it', attempts: 2 }] });
  t.equal(kind.done, 0);
});

t.test('a job that is cancelled or out of time is undone', async (t) => {
  for (const how of ['cancelled', 'late'] as const) {
    const { kind, begin, job, edit, run } = makeWorld(t);
    const id = await begin();
    kind.isWaiting = true;
    kind.done = 2;
    await run();
    await until(() => job(id).message === 'for somebody', `${how}: it waits`);
    await edit(id, how === 'late' ? { deadlineMs: 1 } : { cancelRequested: true });
    await until(() => job(id).endedMs > 0, `${how}: it ends`);
    t.equal(kind.done, 0, how);
    t.equal(job(id).status, JobStatus.JOB_STATUS_CANCELLED, how);
  }
});

t.test('two jobs are never about one thing', async (t) => {
  const { begin, edit } = makeWorld(t);
  const first = await begin({ subject: 'host/h' });
  await t.rejects(begin({ subject: 'host/h' }), { code: 'CONFLICT', message: new RegExp(first) });
  await edit(first, { endedMs: 1 });
  await begin({ subject: 'host/h' });
});

t.test('jobs that ended long ago are forgotten, and none that has not', async (t) => {
  const { state, deps, begin, edit } = makeWorld(t);
  const [old, late, open] = [await begin(), await begin(), await begin()];
  const week = 7 * 86_400_000;
  await edit(old, ended(new shoal.v1.Job(), 'failed', '', Date.now() - week - 1000));
  await edit(late, { endedMs: Date.now() });
  await forgetEndedJobs.run(deps, signal);
  t.same(
    jobTable
      .list(state.local)
      .map(({ record }) => record.id)
      .sort(),
    [late, open].sort(),
  );
});
