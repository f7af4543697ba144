/** What a run has found and reached so far. The first failure counts, and ends the run. */
import { ShoalError } from '../../node/base/errors.ts';
import { type Invariant, invariants, type Promised } from '../checkers/invariants.ts';
import { factsText } from '../trace/trace.ts';

/** How a run ended. */
export type Verdict = 'passed' | 'crash' | 'safety' | 'liveness';

/** A verdict with its reason. */
export interface Finding {
  readonly verdict: Verdict;
  /** Name of what does not hold; undefined when all does. */
  readonly violated: Invariant | Promised | 'crash' | undefined;
  /** In words. */
  readonly detail: string;
}

/** Takes what checkers report. */
export class Outcome {
  readonly #reached: Record<string, number> = {};
  readonly #onFailure: (finding: Finding) => void;
  #failure: Finding | undefined;
  #isOver = false;

  /** @param onFailure hears of the first failure. */
  constructor(onFailure: (finding: Finding) => void) {
    this.#onFailure = onFailure;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  get finding(): Finding {
    return this.#failure ?? { verdict: 'passed', violated: undefined, detail: '' };
  }

  /** What was reached how often, by name. */
  get reached(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#reached).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  reach(name: string, count = 1): void {
    this.#reached[name] = (this.#reached[name] ?? 0) + count;
  }

  /** An invariant does not hold. */
  violated(invariant: Invariant, detail: string): void {
    this.fail('safety', invariant, `${invariants[invariant]}: not so. ${detail}`);
  }

  /** An unexpected error, which has no code. What fails once the run is over is of no interest. */
  crashed(error: unknown): void {
    if (this.#isOver) return;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const facts = error instanceof ShoalError ? ` ${error.code} ${factsText(error.facts)}` : '';
    this.fail('crash', 'crash', `${message}${facts}\n${stack ?? ''}`);
  }

  fail(verdict: Verdict, violated: Finding['violated'], detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = { verdict, violated, detail };
    this.#onFailure(this.#failure);
  }

  /** The run is over. */
  close(): void {
    this.#isOver = true;
  }
}
