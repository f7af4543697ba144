/** What proves a checker: traces that keep an invariant, and traces that break it. */
import type { Report } from '../../../sim/checkers/invariants.ts';

export type Trace = (report: Report) => void;

export interface Proof {
  readonly keeps: readonly [Trace, Trace, Trace, ...Trace[]];
  readonly breaks: readonly [Trace, Trace, Trace, ...Trace[]];
}

/** Traces of one checker. */
export function on<C>(make: (report: Report) => C): (run: (checker: C) => void) => Trace {
  return (run) => (report) => run(make(report));
}
