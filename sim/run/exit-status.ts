/** What the command says by its exit status, so that scripts can tell crash, safety and liveness apart. */
import type { Verdict } from './outcome.ts';

const statuses = { passed: 0, safety: 1, liveness: 2, crash: 70 } as const satisfies Readonly<Record<Verdict, number>>;
/** With several failures the worst counts. */
const worstFirst = ['safety', 'crash', 'liveness'] as const;
/** Ended from the keyboard, as a shell says it. */
const interrupted = 130;

/** @param isEarly it was ended before all seeds had run: with nothing found, nothing was shown. */
export function exitStatus(verdicts: readonly Verdict[], isEarly: boolean): number {
  const worst = worstFirst.find((verdict) => verdicts.includes(verdict));
  if (worst !== undefined) return statuses[worst];
  return isEarly ? interrupted : statuses.passed;
}
