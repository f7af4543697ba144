/** How often the guests of this host crashed lately: one that crashes again and again is not started for ever. */
import type { Clock } from '../../../base/clock.ts';

/** Crashes of one guest within the window after which it is not started again by itself. */
export const crashesMax = 5;
/** Unit: ms. */
export const crashWindowMs = 10 * 60_000;

/** In memory: after a start of the agent every guest gets its tries again. */
export class Crashes {
  readonly #clock: Clock;
  readonly #atMs = new Map<string, number[]>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts a crash; true while starting the guest again is still sensible. */
  note(serverId: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const recent = (this.#atMs.get(serverId) ?? []).filter((atMs) => atMs > nowMs - crashWindowMs);
    recent.push(nowMs);
    this.#atMs.set(serverId, recent);
    return recent.length <= crashesMax;
  }

  /** Forgets all but these. */
  keep(serverIds: ReadonlySet<string>): void {
    for (const serverId of this.#atMs.keys()) if (!serverIds.has(serverId)) this.#atMs.delete(serverId);
  }
}
