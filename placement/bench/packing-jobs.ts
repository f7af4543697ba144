/** Packing is a few dozen runs that know nothing of each other: threads take them in turn. Ratios do not hang on speed. */
import { Worker } from 'node:worker_threads';
import type { PackingOptions } from './packing.ts';
import type { BenchRow } from './report/report.ts';

/** What all runs have in common. */
export interface PackingJobs {
  readonly path: string;
  readonly traceName: string;
  /** Every so-manieth guest; 1: all. */
  readonly each: number;
}

export type PackingJob = Pick<PackingOptions, 'host' | 'name' | 'stalenessS'>;

/** Runs all jobs on so many threads. Rows are in the order of the jobs; `onRow` hears each as it is done. */
export async function runPackingJobs(
  common: PackingJobs,
  jobs: readonly PackingJob[],
  threads: number,
  onRow: (row: BenchRow) => void,
): Promise<readonly BenchRow[]> {
  const rows: BenchRow[] = [];
  let next = 0;
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('packing-worker.ts', import.meta.url), { workerData: common });
      let at = -1;
      const give = (): void => {
        at = next++;
        const job = jobs[at];
        if (job !== undefined) worker.postMessage(job);
        else worker.terminate().then(() => resolve(), reject);
      };
      worker.on('error', reject);
      worker.on('message', (row: BenchRow) => {
        rows[at] = row;
        onRow(row);
        give();
      });
      give();
    });
  await Promise.all(Array.from({ length: Math.max(1, Math.min(threads, jobs.length)) }, thread));
  return rows;
}
