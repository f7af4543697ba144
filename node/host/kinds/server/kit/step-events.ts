/** What a step does for a server, as parts with their times: the history of the server's actions shows them. */
import type { Clock } from '../../../../base/clock.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ActionEvent } from '../../../../services/kit/reporting/action-event.ts';
import type { DoneFor } from '../../../../services/kit/reporting/host-reporting.ts';

/** Of one step, from when it begins. */
export class StepEvents {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #hostId: string;
  readonly #startMs: number;
  readonly #events: ActionEvent[] = [];

  constructor(clock: Pick<Clock, 'nowMs'>, hostId: string) {
    this.#clock = clock;
    this.#hostId = hostId;
    this.#startMs = clock.nowMs();
  }

  /** Runs `work`, and notes it as a part by the name `event`. Throws what it throws. */
  async during<T>(event: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.nowMs();
    const note = (error?: string): void => {
      const finishMs = this.#clock.nowMs();
      this.#events.push({ event, hostId: this.#hostId, startMs, finishMs, ...(error === undefined ? {} : { error }) });
    };
    try {
      const result = await work();
      note();
      return result;
    } catch (caught) {
      note(ShoalError.from(caught, 'DRIVER_FAILED').message);
      throw caught;
    }
  }

  /** All of it until now. */
  done(): DoneFor {
    return { startMs: this.#startMs, events: [...this.#events] };
  }
}
