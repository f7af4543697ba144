import { transact } from '../../services/kit/transact.ts';
import { deletedServerTable } from '../../state/tables/index.ts';
import type { LeaderTask } from './task.ts';

/** How long a server that has gone is told of. Unit: ms. */
const keptMs = 30 * 86_400_000;
/** Of one project, the latest. */
const keptPerProjectMax = 200;
/** Removed in one run. */
const removedAtOnceMax = 200;

/** Forgets servers that have gone a month ago, or before a project's latest two hundred. */
export const forgetDeletedServers: LeaderTask = {
  name: 'forget-deleted-servers',
  periodMs: 60_000,
  async run(deps, signal) {
    const oldestMs = deps.clock.nowMs() - keptMs;
    await transact(deps, { signal }, ({ reader, change }) => {
      const kept = new Map<string, number>();
      const newestFirst = [...deletedServerTable.list(reader)].sort((a, b) => b.record.deletedMs - a.record.deletedMs);
      const old = newestFirst.filter(({ record: { projectId, deletedMs } }) => {
        const count = (kept.get(projectId) ?? 0) + 1;
        kept.set(projectId, count);
        return count > keptPerProjectMax || deletedMs <= oldestMs;
      });
      for (const row of old.slice(-removedAtOnceMax)) deletedServerTable.remove(change, row);
    });
  },
};
