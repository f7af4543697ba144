import { transact } from '../../services/kit/transact.ts';
import { volumeMessageTable } from '../../state/tables/index.ts';
import type { LeaderTask } from './task.ts';

/** Messages of one project that are kept at most: the latest. A host that fails at one thing again and again says so each time. */
const keptPerProjectMax = 1_000;
/** Removed in one run. */
const removedAtOnceMax = 100;

/** Removes what owners were told of their volumes, once it has expired, or beyond a project's latest thousand. */
export const forgetExpiredMessages: LeaderTask = {
  name: 'forget-expired-messages',
  periodMs: 60_000,
  async run(deps, signal) {
    const nowMs = deps.clock.nowMs();
    await transact(deps, { signal }, ({ reader, change }) => {
      const kept = new Map<string, number>();
      const newestFirst = [...volumeMessageTable.list(reader)].sort((a, b) => b.record.createdMs - a.record.createdMs);
      const old = newestFirst.filter(({ record: { projectId, expiresMs } }) => {
        const count = (kept.get(projectId) ?? 0) + 1;
        kept.set(projectId, count);
        return count > keptPerProjectMax || expiresMs <= nowMs;
      });
      for (const row of old.slice(-removedAtOnceMax)) volumeMessageTable.remove(change, row);
    });
  },
};
