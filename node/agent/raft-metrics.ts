/** Counts what consensus reports as it happens. What can be read at any time is set by the agent's housekeeping. */
import type { Metrics } from '../base/telemetry/metrics.ts';
import type { RaftObserver } from '../consensus/replica/observer.ts';
import { nobody } from '../raft/index.ts';

/** The observer of one Raft loop that keeps the counters `shoal_raft_*_total`. */
export function raftMetrics(metrics: Metrics): RaftObserver {
  let led = { leader: nobody, term: 0 };
  return {
    role: ({ leader, term }) => {
      if (leader === nobody || (leader === led.leader && term === led.term)) return;
      led = { leader, term };
      metrics.raftLeaderChanges.inc();
    },
    quarantined: ({ reason }) => metrics.raftQuarantines.inc({ reason }),
    installed: () => metrics.raftSnapshotsInstalled.inc(),
    compacting: () => metrics.raftCompactions.inc(),
  };
}
