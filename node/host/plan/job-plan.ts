/** What a job does next: what every kind of job's `next` answers. Pure: same job, same world, same answer. */

/** One decision about a job. `Action` is what the kind can do; each is safe to do twice. */
export type JobDecision<Action> =
  /** Do this; then look again. `about` names what it concerns, for the record when it fails. */
  | { readonly kind: 'do'; readonly action: Action; readonly about: string; readonly message: string }
  /** Others must act first. */
  | { readonly kind: 'wait'; readonly message: string }
  /** Go on with another phase. */
  | { readonly kind: 'turn'; readonly phase: string; readonly message: string }
  | { readonly kind: 'end'; readonly status: 'succeeded' | 'failed' | 'cancelled'; readonly message: string };

/** How far a job is. `total` 0: not known yet. */
export interface JobProgress {
  readonly done: number;
  readonly total: number;
}
