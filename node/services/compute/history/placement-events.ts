/** What was done for a server before its host had it: a host chosen, the claim admitted, the server bound to it. */

import type { Placed } from '../../kit/dependencies.ts';
import type { ActionEvent } from '../../kit/reporting/action-event.ts';

/** As events of the action that asked for it. @param nowMs when the transaction was planned that binds it; wall clock. */
export function placementEvents({ hostId, times }: Placed, nowMs: number): readonly ActionEvent[] {
  const bound = { event: 'conductor_bind_instance', hostId, startMs: times?.admittedMs ?? nowMs, finishMs: nowMs };
  if (times === undefined) return [bound];
  const { beganMs, chosenMs, admittedMs } = times;
  return [
    { event: 'scheduler_select_destinations', hostId: '', startMs: beganMs, finishMs: chosenMs },
    { event: 'compute_claim_resources', hostId, startMs: chosenMs, finishMs: admittedMs },
    bound,
  ];
}
