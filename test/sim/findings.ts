/** Collects what a checker finds. */
import type { Invariant, Report } from '../../sim/checkers/invariants.ts';

export type Finding = Invariant;

export function findings(): { readonly report: Report; readonly list: Finding[] } {
  const list: Finding[] = [];
  return { list, report: (invariant) => void list.push(invariant) };
}
