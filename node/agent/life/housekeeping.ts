/** The small work that an agent repeats each second. */
import type { Clock, Timer } from '../../base/clock.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Health } from '../../base/telemetry/health.ts';
import type { RepeatedLog } from '../../base/telemetry/repeated-log.ts';

/** How often. Unit: milliseconds. */
const periodMs = 1_000;

interface HousekeepingDeps {
  readonly clock: Clock;
  readonly health: Health;
  readonly repeated: RepeatedLog;
  /** Aborts when the agent stops: what fails then says nothing. */
  readonly signal: AbortSignal;
}

/** Runs `work` each second, never twice at once. A failure shows in the health and is tried again. */
export class Housekeeping implements Service {
  readonly #deps: HousekeepingDeps;
  readonly #work: () => Promise<void>;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  /** @param work resolves when all of it was done, as far as it can be done now. */
  constructor(deps: HousekeepingDeps, work: () => Promise<void>) {
    this.#deps = deps;
    this.#work = work;
  }

  async start(): Promise<void> {
    this.#timer = this.#deps.clock.setInterval(() => {
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    }, periodMs);
  }

  /** Waits for what is under way. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { health, repeated, signal } = this.#deps;
    try {
      await this.#work();
      health.works('housekeeping');
    } catch (caught) {
      if (signal.aborted) return;
      health.failed('housekeeping', caught);
      repeated.warn('housekeeping', { err: caught }, 'housekeeping failed; it is retried');
    }
  }
}
