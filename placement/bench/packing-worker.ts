/** Packs for `packing-jobs.ts` in a thread: the trace is read once, then jobs come by message until the port closes. */
import { parentPort, workerData } from 'node:worker_threads';
import { benchPacking } from './packing.ts';
import type { PackingJob, PackingJobs } from './packing-jobs.ts';
import { fittingPart, readTrace } from './trace.ts';

const { path, traceName, each } = workerData as PackingJobs;
const trace = readTrace(path);
parentPort?.on('message', ({ host, name, stalenessS }: PackingJob) => {
  if (trace === undefined) throw new Error(`there is no trace at ${path}`);
  const part = fittingPart(trace, host, each);
  parentPort?.postMessage(benchPacking({ trace: part, traceName, host, name, stalenessS, seed: 1 }));
});
