/** What is given in confidence must not be told: not in a log, not in an error, not in a trace. */
import type { Report } from './invariants.ts';

/** Follows every line that anybody writes. */
export class SecretChecker {
  readonly #report: Report;
  readonly #secrets = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** From now on nobody may write `secret`, nor its base64. */
  keeps(secret: string): void {
    this.#secrets.add(secret);
    this.#secrets.add(Buffer.from(secret).toString('base64').replace(/=+$/, ''));
  }

  line(line: string): void {
    for (const secret of this.#secrets) {
      if (!line.includes(secret)) continue;
      this.#report(
        'no-secret-told',
        `a secret of ${secret.length} characters is in the line "${line.slice(0, 40)}..."`,
      );
      return;
    }
  }
}
