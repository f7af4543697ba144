import type { HostViews } from '../../services/kit/dependencies.ts';
import { moveSharedVolumesOff } from '../../services/volume/records/down-host-volumes.ts';
import { hostTable } from '../../state/tables/index.ts';
import type { LeaderTask } from './task.ts';

/** How long a host has to be seen as dead all the time: an agent that restarts is back by then. Unit: ms. */
const graceMsDefault = 60_000;
/** Transactions about one host in one run. */
const piecesMax = 20;

/**
 * Gives to other hosts what is to be done about volumes of shared pools whose host is down: by the failure detector for the
 * grace time, or by an operator's word (`forced_down`). When another agent leads, the grace time begins again.
 */
export function moveVolumesOffDownHosts(hostViews: HostViews, graceMs = graceMsDefault): LeaderTask {
  /** Since when, monotonic, ms. */
  const deadSince = new Map<string, number>();
  return {
    name: 'move-volumes-off-down-hosts',
    periodMs: 10_000,
    async run(deps, signal) {
      const nowMs = deps.clock.monotonicMs();
      const hosts = hostTable.list(deps.state.local).map(({ record }) => record);
      const dead = hosts.filter(({ id }) => hostViews.condition(id) === 'dead').map(({ id }) => id);
      for (const id of deadSince.keys()) if (!dead.includes(id)) deadSince.delete(id);
      for (const id of dead) if (!deadSince.has(id)) deadSince.set(id, nowMs);
      for (const { id, forcedDown } of hosts) {
        const sinceMs = deadSince.get(id);
        if (!forcedDown && (sinceMs === undefined || nowMs - sinceMs < graceMs)) continue;
        for (let pieces = 0; pieces < piecesMax; pieces += 1) {
          if (!(await moveSharedVolumesOff({ ...deps, hostViews }, id, signal))) break;
        }
      }
    },
  };
}
