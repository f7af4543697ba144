import { hasEnded } from '../../services/jobs/job-record.ts';
import { transact } from '../../services/kit/transact.ts';
import { jobTable } from '../../state/tables/index.ts';
import type { LeaderTask } from './task.ts';

/** How long a job that has ended is kept, ms. */
const keptMs = 7 * 86_400_000;
/** How many that have ended are kept at most: the latest. */
const keptMax = 1_000;
/** Removed in one run. */
const removedAtOnceMax = 100;

/** Removes the records of jobs that ended long ago, or beyond the latest thousand. */
export const forgetEndedJobs: LeaderTask = {
  name: 'forget-ended-jobs',
  periodMs: 60_000,
  async run(deps, signal) {
    const oldestMs = deps.clock.nowMs() - keptMs;
    await transact(deps, { signal }, ({ reader, change }) => {
      const ended = jobTable
        .list(reader)
        .filter(({ record }) => hasEnded(record))
        .sort((a, b) => b.record.endedMs - a.record.endedMs);
      const old = ended.filter(({ record }, at) => at >= keptMax || record.endedMs < oldestMs);
      for (const row of old.slice(-removedAtOnceMax)) jobTable.remove(change, row);
    });
  },
};
