/** Backwards clean-up for work of several steps: each step registers its undo, a failure runs them in reverse. */
import { ShoalError } from '../node/base/errors.ts';

/** Registered undo steps of one piece of work. */
export class Undo {
  readonly #steps: { readonly what: string; readonly run: () => Promise<void> }[] = [];

  /** Registers how to take back what was just done. */
  add(what: string, run: () => Promise<void>): void {
    this.#steps.push({ what, run });
  }

  /** Runs `work`; when it throws, runs the undo steps backwards and rethrows. A failing undo is added to the error's facts. */
  static async run<T>(work: (undo: Undo) => Promise<T>): Promise<T> {
    const undo = new Undo();
    try {
      return await work(undo);
    } catch (caught) {
      const failures = await undo.#runAll();
      if (failures.length === 0) throw caught;
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      throw new ShoalError(error.code, error.message, {
        facts: { ...error.facts, undoFailed: failures },
        cause: caught,
      });
    }
  }

  async #runAll(): Promise<string[]> {
    const failures: string[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step.run();
      } catch (caught) {
        failures.push(`${step.what}: ${caught instanceof Error ? caught.message : String(caught)}`);
      }
    }
    return failures;
  }
}
