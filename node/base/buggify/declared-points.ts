/** The registry of the points at which a simulator reaches into this process. Each is declared where it is hit. */
import { assert } from '../assert.ts';

/** `buggify`: a branch that may be forced. `failpoint`: a moment to die at. `mark`: a branch that is counted. */
export type PointKind = 'buggify' | 'failpoint' | 'mark';

/** A point as it was declared. */
interface DeclaredPoint {
  /** Unique among its kind: lower case with hyphens, behind the name of its part and a dot where there are several. */
  readonly name: string;
  /** What happens there, for people. */
  readonly text: string;
}

const points: Readonly<Record<PointKind, Map<string, DeclaredPoint>>> = {
  buggify: new Map(),
  failpoint: new Map(),
  mark: new Map(),
};

/** Registers a point. A name that its kind has already is a broken invariant: the process does not start. */
export function declarePoint(kind: PointKind, name: string, text: string): void {
  assert(!points[kind].has(name), `the ${kind} ${name} is declared twice`);
  points[kind].set(name, { name, text });
}

/** The points of `kind` in all modules that are loaded, by name: the order in which modules load does not show. */
export function declaredPoints(kind: PointKind): readonly DeclaredPoint[] {
  return [...points[kind].values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
