/**
 * Reads all rows of the state again, a few each tick, and compares their digest with the one that was kept while they
 * changed. What differs was changed behind the state machine's back: memory that has rotted, or a fault of the code.
 */
import type { DigestValue } from '../../state/digest.ts';
import { isSameDigest } from '../../state/digest.ts';
import type { StateView } from '../../state/state-machine.ts';

/** Rows read in one tick: well below a millisecond of work. */
const rowsPerTick = 512;

/** What was found: the digest that was kept, and that of the rows. */
interface ScrubFinding {
  readonly revision: number;
  readonly kept: DigestValue;
  readonly found: DigestValue;
}

/** One reading of all rows after another, spread over ticks. Works on a view, so that writes go on meanwhile. */
export class Scrub {
  readonly #take: () => StateView;
  readonly #everyTicks: number;
  #ticks = 0;
  #pass: { readonly view: StateView; readonly sums: Generator<void, DigestValue, undefined> } | undefined;

  /** @param everyTicks from the end of one pass to the beginning of the next. */
  constructor(take: () => StateView, everyTicks: number) {
    this.#take = take;
    this.#everyTicks = everyTicks;
  }

  /** Call once a tick. Undefined: nothing was found so far. */
  tick(): ScrubFinding | undefined {
    if (this.#pass === undefined) {
      this.#ticks += 1;
      if (this.#ticks < this.#everyTicks) return undefined;
      this.#ticks = 0;
      const view = this.#take();
      this.#pass = { view, sums: view.sums(rowsPerTick) };
    }
    const { view, sums } = this.#pass;
    const step = sums.next();
    if (step.done !== true) return undefined;
    this.#pass = undefined;
    if (isSameDigest(step.value, view.digest)) return undefined;
    return { revision: view.appliedIndex, kept: view.digest, found: step.value };
  }
}
