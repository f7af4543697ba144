/** Who may be fenced: checked on words, so that hand-made ones prove the check. */
import type { Report } from './invariants.ts';

/** A host that has told storage so lately that it is there is not gone, and its guests run. Unit: ms. */
const lateMs = 5_000;

/** Follows what hosts tell storage of themselves. */
export class FenceChecker {
  readonly #report: Report;
  readonly #saidMs = new Map<string, number>();
  readonly #fenced = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** A host tells storage that it is there. */
  says(host: string, nowMs: number): void {
    this.#saidMs.set(host, nowMs);
  }

  /** Whether storage has fenced the host, as it is seen now. */
  seen(host: string, isFenced: boolean, nowMs: number): void {
    if (!isFenced) this.#fenced.delete(host);
    if (!isFenced || this.#fenced.has(host)) return;
    this.#fenced.add(host);
    const saidMs = this.#saidMs.get(host);
    if (saidMs === undefined || nowMs - saidMs >= lateMs) return;
    this.#report(
      'isolation-keeps-guests',
      `${host} is fenced ${Math.round(nowMs - saidMs)} ms after it has told storage that it is there`,
    );
  }
}
