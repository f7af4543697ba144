/** A part of what was done for an action of a server, done or failed. */
export interface ActionEvent {
  /** Nova's word where there is one: `compute_stop_instance`. */
  readonly event: string;
  /** Where; empty: at the agent that got the request. */
  readonly hostId: string;
  /** Wall clock, ms. */
  readonly startMs: number;
  readonly finishMs: number;
  /** Why it failed, for the owner; absent: it did not. */
  readonly error?: string;
}
