/**
 * What of this agent does not work now. Each part (a loop, a driver, a store) reports its failure when it has one, and that it
 * works when it does again; operators and their monitors see what is left.
 */
import type { Clock } from '../clock.ts';

/** Characters of a failure that are kept: it goes into an answer as a whole. */
const messageCharactersMax = 300;

/** The last failure of a part that has not worked since. */
interface Trouble {
  readonly message: string;
  /** When it first failed since it last worked. Unit: wall clock ms. */
  readonly sinceMs: number;
  /** Failures since then. */
  readonly failures: number;
}

/** Failures by part, the last of each. A part is named by code, never by a caller, so their number is bounded. */
export class Health {
  readonly #clock: Clock;
  readonly #onFailure: (part: string) => void;
  readonly #troubles = new Map<string, Trouble>();
  readonly #parts = new Set<string>();

  /** @param onFailure hears of each failure; for metrics. */
  constructor(clock: Clock, onFailure: (part: string) => void = () => {}) {
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** Every part that has ever reported. */
  get parts(): ReadonlySet<string> {
    return this.#parts;
  }

  /** By part; empty when all is well. */
  get troubles(): ReadonlyMap<string, Trouble> {
    return this.#troubles;
  }

  /** `part` has failed. */
  failed(part: string, error: unknown): void {
    const before = this.#troubles.get(part);
    this.#parts.add(part);
    this.#troubles.set(part, {
      message: messageOf(error).slice(0, messageCharactersMax),
      sinceMs: before?.sinceMs ?? this.#clock.nowMs(),
      failures: (before?.failures ?? 0) + 1,
    });
    this.#onFailure(part);
  }

  /** `part` has worked. */
  works(part: string): void {
    this.#parts.add(part);
    this.#troubles.delete(part);
  }

  /** In words, by part. */
  told(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.#troubles].map(([part, { message, sinceMs, failures }]) => [
        part,
        `${message} (since ${new Date(sinceMs).toISOString()}, ${failures} ${failures === 1 ? 'time' : 'times'})`,
      ]),
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
