/** `shoal job list|show|wait|pause|resume|cancel`: long work of the mesh, and how far it is. */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { withConfigOptions } from '../kit/config-options.ts';
import { type JobFlags, progressText, showJob, statusText, timeText, waitForJob, withJobs } from '../kit/jobs-shown.ts';
import { jsonText } from '../kit/json-text.ts';

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
  withConfigOptions(job.command('pause'))
    .description('have a job rest: what is under way is finished, and nothing else is begun; its time goes on')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: JobFlags) => {
      showJob(await withJobs(flags, (calls, options) => calls.pauseJob({ id }, options)), flags);
    });
  withConfigOptions(job.command('resume'))
    .description('have a job that rests go on')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: JobFlags) => {
      showJob(await withJobs(flags, (calls, options) => calls.resumeJob({ id }, options)), flags);
    });
  withConfigOptions(job.command('cancel'))
    .description('have a job taken back: what it did is undone as far as it can be')
    .argument('<id>', 'id of the job')
    .option('--json', 'print one JSON object')
    .action(async (id: string, flags: JobFlags) => {
      showJob(await withJobs(flags, (calls, options) => calls.cancelJob({ id }, options)), flags);
    });
}
