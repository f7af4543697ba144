/** Steps that failed, by the thing that they were for: when they may be tried again, and when that ends. */

/** What failed for one request of an owner. */
interface Attempt<Step> {
  /** The request, as `requestOf` names it. */
  readonly request: string;
  /** Failures that count. */
  readonly count: number;
  /** When the first of them was. Monotonic, ms. */
  readonly sinceMs: number;
  /** Left alone until its owner asks for something again. */
  readonly isGivenUp: boolean;
  /** The step that failed last. */
  readonly step: Step;
  /** When it may be tried again. Monotonic, ms. */
  readonly notBeforeMs: number;
}

/** Numbers of the pauses. */
interface AttemptOptions {
  /** Pause after the first failure; it grows with each. Unit: ms. */
  readonly retryMs: number;
  /** The longest pause. Unit: ms. */
  readonly retryMsMax: number;
}

/** In memory: after a start everything is tried once more. */
export class Attempts<Step extends string> {
  readonly #options: AttemptOptions;
  readonly #byId = new Map<string, Attempt<Step>>();

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /**
   * A step failed.
   * @param isCounted false for a failure that never becomes a fault, however often it happens.
   * @returns how long to wait, how often it has failed, and for how long it has been failing once that pause is over.
   */
  failed(
    id: string,
    failure: { readonly request: string; readonly step: Step; readonly isCounted: boolean; readonly nowMs: number },
  ): { readonly pauseMs: number; readonly count: number; readonly lastedMs: number } {
    const { request, step, isCounted, nowMs } = failure;
    const known = this.#byId.get(id);
    const before = known?.request === request ? known : undefined;
    const count = (before?.count ?? 0) + (isCounted ? 1 : 0);
    const sinceMs = before?.sinceMs ?? nowMs;
    const pauseMs = Math.min(this.#options.retryMs * Math.max(1, count), this.#options.retryMsMax);
    this.#byId.set(id, { request, count, sinceMs, isGivenUp: false, step, notBeforeMs: nowMs + pauseMs });
    return { pauseMs, count, lastedMs: nowMs + pauseMs - sinceMs };
  }

  done(id: string): void {
    this.#byId.delete(id);
  }

  /** The step is not tried again until the thing's owner asks for something else. */
  giveUp(id: string, request: string, step: Step): void {
    this.#byId.set(id, { request, count: 0, sinceMs: 0, isGivenUp: true, step, notBeforeMs: 0 });
  }

  /** The step that was given up for this request; undefined: none. */
  givenUp(id: string, request: string): Step | undefined {
    const attempt = this.#byId.get(id);
    return attempt?.isGivenUp === true && attempt.request === request ? attempt.step : undefined;
  }

  /** How long until the step may be tried again, ms; 0: now. Another request is never waited with. */
  waitMs(id: string, now: { readonly request: string; readonly step: Step; readonly nowMs: number }): number {
    const attempt = this.#byId.get(id);
    if (attempt === undefined || attempt.step !== now.step || attempt.request !== now.request) return 0;
    return Math.max(0, attempt.notBeforeMs - now.nowMs);
  }

  /** Forgets all but these. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#byId.keys()) if (!ids.has(id)) this.#byId.delete(id);
  }
}
