/** `shoal job list|show|wait|cancel`: long work of the mesh, and how far it is. */
import { setTimeout as delay } from 'node:timers/promises';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { shoal } from '../../../proto/messages.ts';

import { ShoalError } from '../../base/errors.ts';
import type { Calls, UnaryOptions } from '../../rpc/client.ts';
import { type ConfigFlags, withConfigOptions } from '../kit/config-options.ts';
import { dataDirOf } from '../kit/data-dir.ts';
import { jsonText } from '../kit/json-text.ts';

const { JobStatus } = shoal.v1;

/** How often a job that is waited for is looked at. Unit: ms. */
const lookMs = 1_000;

type JobFlags = ConfigFlags & { readonly json?: boolean };

/** Adds the commands. */
export function registerJobs(program: Command): void {
  const job = program.command('job').description('long work: hosts that are emptied, an authority that is rotated');
  withConfigOptions(job.command('list'))
    .description('list the jobs that are under way, newest first')
    .option('--all', 'also those that have ended')
    .option('--json', 'print one JSON object')
    .action(async (flags: JobFlags & { readonly all?: boolean }) => {
      const { jobs, stale } = await withJobs(flags, (calls, options) =>
        calls.listJobs({ ended: flags.all ?? false }, options),
      );
      if (flags.json) {
        console.log(jsonText({ jobs, stale }));
        return;
      }
      const table = new Table({
        head: ['id', 'kind', 'about', 'status', 'progress', 'since', 'message'],
        style: { head: [], border: [] },
        colWidths: [null, null, null, null, null, null, 60],
        wordWrap: true,
      });
      for (const found of jobs) {
        const { id, kind, subject, createdMs, message } = found;
        table.push([id, kind, subject, statusText(found), progressText(found), timeText(createdMs), message]);
      }
      console.log(table.toString());
      if (stale) console.error('shoal: no quorum; this list may be old');
    });
  withConfigOptions(job.command('show'))
    .description('show one job with what could not be done')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: JobFlags) => {
      showJob(await withJobs(flags, (calls, options) => calls.getJob({ id }, options)), flags);
    });
  withConfigOptions(job.command('wait'))
    .description('wait for the end of a job, saying how far it is; exit status 1 when it did not succeed')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object at its end')
    .action(async (id: string, flags: JobFlags) => waitForJob(id, flags));
  withConfigOptions(job.command('cancel'))
    .description('have a job taken back: what it did is undone as far as it can be')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: JobFlags) => {
      showJob(await withJobs(flags, (calls, options) => calls.cancelJob({ id }, options)), flags);
    });
}

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

async function withJobs<T>(
  flags: ConfigFlags,
  run: (calls: Calls<shoal.v1.JobService>, options: UnaryOptions) => Promise<T>,
): Promise<T> {
  const { callOptions, withLocalAgent } = await import('../kit/local-client.ts');
  return withLocalAgent(dataDirOf(flags), (client) => run(client.calls(shoal.v1.JobService), callOptions));
}

function statusText({ status, cancelRequested }: shoal.v1.Job.$Properties): string {
  const words: Readonly<Record<number, string>> = {
    [JobStatus.JOB_STATUS_RUNNING]: 'running',
    [JobStatus.JOB_STATUS_ROLLING_BACK]: 'rolling back',
    [JobStatus.JOB_STATUS_SUCCEEDED]: 'succeeded',
    [JobStatus.JOB_STATUS_FAILED]: 'failed',
    [JobStatus.JOB_STATUS_CANCELLED]: 'cancelled',
  };
  const word = words[status ?? 0] ?? 'unknown';
  return status === JobStatus.JOB_STATUS_RUNNING && cancelRequested === true ? 'cancel requested' : word;
}

function progressText({ progressDone = 0, progressTotal = 0 }: shoal.v1.Job.$Properties): string {
  return progressTotal === 0 ? '' : `${progressDone}/${progressTotal}`;
}

function timeText(ms: number): string {
  return ms === 0 ? '' : new Date(ms).toISOString();
}
