/** A watcher hears each revision's changes once, in order, and is never told of what did not happen. */
import type { StateEvent } from '../../node/state/types.ts';
import type { Report } from './invariants.ts';

/** Follows one watch of one life of one member. */
export class WatchChecker {
  readonly #report: Report;
  readonly #name: string;
  readonly #keysOf: (revision: number) => readonly string[] | undefined;
  #lastRevision: number;
  #events = 0;

  /** @param keysOf what each revision changed, under the watched prefix. */
  constructor(
    report: Report,
    options: { name: string; afterRevision: number; keysOf: (revision: number) => readonly string[] | undefined },
  ) {
    this.#report = report;
    this.#name = options.name;
    this.#lastRevision = options.afterRevision;
    this.#keysOf = options.keysOf;
  }

  get events(): number {
    return this.#events;
  }

  /** One delivery. `bySnapshot`: it stands for everything since the last one. */
  heard(events: readonly StateEvent[], bySnapshot = false): void {
    this.#events += events.length;
    const revision = events[0]?.revision;
    if (revision === undefined) return;
    if (revision <= this.#lastRevision) {
      this.#report('watch-ordered-and-complete', `${this.#name}: revision ${revision} after ${this.#lastRevision}`);
    }
    if (!bySnapshot) {
      const expected = this.#keysOf(revision);
      const keys = events.map((event) => event.key);
      if (expected !== undefined && expected.join('\n') !== keys.join('\n')) {
        this.#report(
          'watch-ordered-and-complete',
          `${this.#name}: revision ${revision} told ${keys.join()} instead of ${expected.join()}`,
        );
      }
      this.#missing(revision - 1);
    }
    this.#lastRevision = events.at(-1)?.revision ?? revision;
  }

  /** Everything up to `revision` must have been heard by now. */
  upTo(revision: number): void {
    this.#missing(revision);
    this.#lastRevision = Math.max(this.#lastRevision, revision);
  }

  /** The state is empty, and nobody is told: what comes next is as after a start without one. */
  beginsAgain(): void {
    this.#lastRevision = 0;
  }

  /** A snapshot has replaced the state; its changes come in one delivery or none. */
  skippedTo(revision: number): void {
    this.#lastRevision = Math.max(this.#lastRevision, revision);
  }

  #missing(upTo: number): void {
    for (let revision = this.#lastRevision + 1; revision <= upTo; revision += 1) {
      const keys = this.#keysOf(revision);
      if (keys === undefined || keys.length === 0) continue;
      this.#report('watch-ordered-and-complete', `${this.#name}: revision ${revision} (${keys.join()}) was left out`);
      return;
    }
  }
}
