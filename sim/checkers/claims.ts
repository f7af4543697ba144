import type { Report } from './invariants.ts';

/**
 * Judges why hosts refuse claims: that one has ended is said only to an asker whose own claim has, or when the server was
 * recorded on the host before. A placement that tries again is another asker; told the same, its server ends in ERROR on a
 * host that has room (users of other clouds met it with servers of one strict group that are made at the same time).
 *
 * A key is a server and a generation. What is known outlives the host's agent.
 */
export class ClaimChecker {
  readonly #report: Report;
  /** By host and key: askers that were answered or gave back. */
  readonly #askers = new Map<string, Set<string>>();
  /** Host and key of servers that were recorded there. */
  readonly #recorded = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** The host has answered `asker`. @param isGone it refused, for the claim has ended. */
  answered(host: string, key: string, asker: string, isGone: boolean): void {
    const at = `${host} ${key}`;
    const isFirst = !this.#askersAt(at).has(asker);
    this.#askersAt(at).add(asker);
    if (isGone && isFirst && !this.#recorded.has(at)) {
      this.#report('retries-admitted', `${host} refuses ${asker} the claim of ${key}, which has ended for others`);
    }
  }

  /** The asker does not want its claim any more, whether it has arrived or not. */
  givesBack(host: string, key: string, asker: string): void {
    this.#askersAt(`${host} ${key}`).add(asker);
  }

  /** The records put the server there. */
  recorded(host: string, key: string): void {
    this.#recorded.add(`${host} ${key}`);
  }

  #askersAt(at: string): Set<string> {
    const known = this.#askers.get(at);
    if (known !== undefined) return known;
    const made = new Set<string>();
    this.#askers.set(at, made);
    return made;
  }
}
