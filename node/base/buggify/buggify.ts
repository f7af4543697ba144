/**
 * What a simulator may do to the code from inside, and what it may learn from it. Outside of one all three are constant:
 * no branch is taken, no process ends, nobody counts. They cost a test of one variable.
 *
 * `maybe` forces what is legal and rare: the smallest batch, the early flush, the second try. `failpoint` is a moment at
 * which a process may be killed: between two steps, around a sync. `reached` says that a rare branch was taken, so that a
 * set of runs that never got there is known to prove nothing about it.
 *
 * Pure code calls none of them: what rests on chance is handed to it, as its random numbers are.
 */
import type { Failpoint, Probe, UnlikelyBranch } from './names.ts';

/** A simulator's hand in the process: what `maybe`, `failpoint` and `reached` below pass on once `rule` has set one. */
export interface Fate {
  maybe(branch: UnlikelyBranch): boolean;
  /** The process that is running may end here; what it does afterwards never happens. */
  failpoint(point: Failpoint): void;
  reached(probe: Probe): void;
}

let fate: Fate | undefined;

/** For simulators alone. Until `undefined` is given, the whole process is in their hands. */
export function rule(next: Fate | undefined): void {
  fate = next;
}

/** Whether to take an unlikely branch. False outside of a simulator. */
export function maybe(branch: UnlikelyBranch): boolean {
  return fate?.maybe(branch) === true;
}

/** Where a simulator may kill this process. */
export function failpoint(point: Failpoint): void {
  fate?.failpoint(point);
}

/** A rare branch was taken. */
export function reached(probe: Probe): void {
  fate?.reached(probe);
}
