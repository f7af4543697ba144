/** What of an agent runs, in the order in which it was started. */
import type { Logger } from '../../base/telemetry/logger.ts';

/** Stops in reverse order what was started. */
export class RunningParts {
  readonly #logger: Logger;
  readonly #parts: { readonly name: string; readonly stop: () => Promise<void> }[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A part has started. `name` is for people. */
  started(name: string, stop: () => Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Stops all, the last one first. One that fails to stop is logged and keeps no other from it. Safe to call twice. */
  async stop(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) {
      try {
        await part.stop();
      } catch (caught) {
        this.#logger.error({ part: part.name, err: caught }, 'component failed to stop');
      }
    }
  }
}
