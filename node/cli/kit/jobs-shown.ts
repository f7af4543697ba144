/** Jobs as commands show them and wait for them. */
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import { shoal } from '../../../proto/messages.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Calls, UnaryOptions } from '../../rpc/client.ts';
import type { ConfigFlags } from './config-options.ts';
import { dataDirOf } from './data-dir.ts';
import { jsonText } from './json-text.ts';

const { JobStatus } = shoal.v1;

/** How often a job that is waited for is looked at. Unit: ms. */
const lookMs = 1_000;

/** What each of these commands can be told. */
export type JobFlags = ConfigFlags & { readonly json?: boolean };

/** Waits until the job has ended and shows it; sets the exit status to 1 unless it has succeeded. */
export async function waitForJob(id: string, flags: JobFlags): Promise<void> {
  let told = '';
  for (;;) {
    const { job } = await withJobs(flags, (calls, options) => calls.getJob({ id }, options));
    if (job === null) throw new ShoalError('NOT_FOUND', `There is no job ${id}.`);
    const line = `${statusText(job)} ${progressText(job)} ${job.message}`;
    if (line !== told && !flags.json) console.error(line);
    told = line;
    if (job.endedMs !== 0) {
      showJob({ job }, flags);
      if (job.status !== JobStatus.JOB_STATUS_SUCCEEDED) process.exitCode = 1;
      return;
    }
    await delay(lookMs);
  }
}

/** Prints one job. */
export function showJob({ job }: { readonly job: shoal.v1.Job.$Properties | null | undefined }, flags: JobFlags): void {
  if (job === null || job === undefined) throw new ShoalError('NOT_FOUND', 'The job has gone meanwhile.');
  if (flags.json) {
    console.log(jsonText(job));
    return;
  }
  const table = new Table({ style: { head: [], border: [] }, colWidths: [null, 90], wordWrap: true });
  const known = new shoal.v1.Job(job);
  table.push(
    { id: known.id },
    { kind: known.kind },
    { about: known.subject },
    { status: statusText(known) },
    { progress: progressText(known) },
    { message: known.message },
    { since: timeText(known.createdMs) },
    { ended: known.endedMs === 0 ? '' : timeText(known.endedMs) },
    { 'taken back at': timeText(known.deadlineMs) },
    ...known.failures.map(({ subject, message, attempts }) => ({ [subject]: `${message} (${attempts} times)` })),
  );
  console.log(table.toString());
}

/** Asks the agent here about jobs. */
export async function withJobs<T>(
  flags: ConfigFlags,
  run: (calls: Calls<shoal.v1.JobService>, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const { callOptions, withLocalAgent } = await import('./local-client.ts');
  return withLocalAgent(dataDirOf(flags), (client) => run(client.calls(shoal.v1.JobService), callOptions));
}

/** How a job stands, for people. */
export function statusText({ status, cancelRequested, paused }: shoal.v1.Job.$Properties): string {
  const words: Readonly<Record<number, string>> = {
    [JobStatus.JOB_STATUS_RUNNING]: 'running',
    [JobStatus.JOB_STATUS_ROLLING_BACK]: 'rolling back',
    [JobStatus.JOB_STATUS_SUCCEEDED]: 'succeeded',
    [JobStatus.JOB_STATUS_FAILED]: 'failed',
    [JobStatus.JOB_STATUS_CANCELLED]: 'cancelled',
  };
  const word = words[status ?? 0] ?? 'unknown';
  if (status !== JobStatus.JOB_STATUS_RUNNING) return word;
  return cancelRequested === true ? 'cancel requested' : paused === true ? 'resting' : word;
}

/** Parts done of all; empty: not known yet. */
export function progressText({ progressDone = 0, progressTotal = 0 }: shoal.v1.Job.$Properties): string {
  return progressTotal === 0 ? '' : `${progressDone}/${progressTotal}`;
}

/** A time of the record; empty: none. */
export function timeText(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
