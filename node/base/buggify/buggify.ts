/**
 * What a simulator may do to the code from inside, and what it may learn from it, after FoundationDB's BUGGIFY and code
 * probes. Each point is declared once, at module level of the file that hits it:
 *
 *     const buggifySmallPieces = buggify('snapshot-cache.small-pieces', 'a snapshot travels in pieces of a few rows');
 *     const chunkBytes = buggifySmallPieces() ? smallPieceBytes : snapshotChunkBytes;
 *
 * Outside of a simulator all points are constant: no branch is taken, no process ends, nothing is counted. A hit costs a
 * call and the test of one variable. Pure code declares none: what rests on chance is handed to it, as its random numbers
 * are.
 */
import { declarePoint } from './declared-points.ts';

/** The simulator's side of the points: what is called at each hit. */
export interface FaultInjector {
  /** Whether to take the branch this time. */
  buggify(name: string): boolean;
  /** The process that is running may end here; what it does afterwards never happens. */
  failpoint(name: string): void;
  /** The branch of this coverage mark was taken. */
  mark(name: string): void;
}

let injector: FaultInjector | undefined;

/** For simulators alone: connects every point of this process to `next`, until `undefined` is given. */
export function setFaultInjector(next: FaultInjector | undefined): void {
  injector = next;
}

/**
 * Declares a branch that is legal and rare, and that a simulator may force: the smallest batch, the early flush, the second
 * try. What is returned says whether to take it: false outside of a simulator.
 */
export function buggify(name: string, text: string): () => boolean {
  declarePoint('buggify', name, text);
  return () => injector?.buggify(name) === true;
}

/** Declares a moment at which a simulator may kill the process: between two steps, around a sync. */
export function failpoint(name: string, text: string): () => void {
  declarePoint('failpoint', name, text);
  return () => injector?.failpoint(name);
}

/**
 * Declares a rare branch that is counted, so that a set of runs that never took it is known to prove nothing about it. What
 * is returned is called in the branch.
 */
export function coverageMark(name: string, text: string): () => void {
  declarePoint('mark', name, text);
  return () => injector?.mark(name);
}
