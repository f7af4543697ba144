/** A host's own store, which outlives the agent: writes become durable some time after they were asked for, or are lost. */
import { ShoalError } from '../../node/base/errors.ts';
import type { Prng } from '../../node/base/prng.ts';
import type { HostStore, HostStoreWrite } from '../../node/store/host/host-store.ts';
import type { Life, Schedule } from './schedule.ts';

interface InFlight {
  readonly writes: readonly HostStoreWrite[];
  isOver: boolean;
}

export class SimHostStore {
  /** The next write fails, and what it held is lost. */
  failNext = false;
  /** Syncs take so much longer. */
  slowFactor = 1;
  readonly #schedule: Schedule;
  readonly #random: Prng;
  readonly #syncMs: number;
  /** Values as JSON: what is read is never what was written by reference. */
  readonly #map = new Map<string, string>();
  /** By prefix: what `peek` gave, until something changes. */
  readonly #peeked = new Map<string, readonly (readonly [string, unknown])[]>();
  #inFlight: InFlight[] = [];
  /** When the last write becomes durable: none overtakes another, as in production, where one is on its way at a time. */
  #lastMs = 0;

  constructor(deps: { readonly schedule: Schedule; readonly random: Prng }, options: { readonly syncMs: number }) {
    this.#schedule = deps.schedule;
    this.#random = deps.random;
    this.#syncMs = options.syncMs;
  }

  /** What a process holds of it; `onFailed` hears that it takes no more writes. */
  open(life: Life, onFailed: (error: ShoalError) => void): HostStore {
    let hasFailed = false;
    return {
      get: (key) => {
        const text = this.#map.get(key);
        return text === undefined ? undefined : JSON.parse(text);
      },
      entries: (prefix) => this.entries(prefix),
      write: (writes) => {
        if (!life.isAlive) return new Promise(() => {});
        const failed = (): ShoalError => new ShoalError('STORE_FAILED', 'The host store could not write.');
        if (hasFailed) return Promise.reject(failed());
        const batch: InFlight = { writes: [...writes], isOver: false };
        this.#inFlight.push(batch);
        return new Promise((resolve, reject) => {
          const { nowMs } = this.#schedule;
          const delayMs = this.#syncMs * this.slowFactor * (0.5 + this.#random.float());
          this.#lastMs = Math.max(this.#lastMs, nowMs + delayMs);
          this.#schedule.after(this.#lastMs - nowMs, () => {
            if (batch.isOver) return;
            batch.isOver = true;
            this.#inFlight = this.#inFlight.filter((other) => other !== batch);
            if (this.failNext) {
              this.failNext = false;
              hasFailed = true;
              this.#schedule.after(
                0,
                () => {
                  reject(failed());
                  onFailed(failed());
                },
                life,
              );
              return;
            }
            this.#apply(batch.writes);
            this.#schedule.after(0, resolve, life);
          });
        });
      },
      close: async () => {},
    };
  }

  /** Entries as a process reads them: values of its own. */
  entries(prefix: string): readonly (readonly [string, unknown])[] {
    return [...this.#map]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, text]) => [key, JSON.parse(text)] as const);
  }

  /** Entries for checkers, which change nothing: the same list until something is written. */
  peek(prefix: string): readonly (readonly [string, unknown])[] {
    let list = this.#peeked.get(prefix);
    if (list === undefined) {
      list = this.entries(prefix);
      this.#peeked.set(prefix, list);
    }
    return list;
  }

  /** The process or the power has gone. */
  crash(): void {
    for (const batch of this.#inFlight) {
      if (batch.isOver || this.#random.chance(0.5)) break;
      this.#apply(batch.writes);
    }
    for (const batch of this.#inFlight) batch.isOver = true;
    this.#inFlight = [];
  }

  #apply(writes: readonly HostStoreWrite[]): void {
    this.#peeked.clear();
    for (const { key, value } of writes) {
      if (value === undefined) this.#map.delete(key);
      else this.#map.set(key, JSON.stringify(value));
    }
  }
}
