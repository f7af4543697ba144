/** The small duties of a host beside its loop: load, pending intents, copies of images. One run at a time, again and again. */
import type { Clock, Timer } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import type { HostLoad } from '../host/machine/inventory.ts';
import { type PoolRoom, poolTrouble } from '../host/pool-room.ts';
import type { HostObserver } from './host-observer.ts';

/** From one run to the next. */
const everyMs = 1_000;
/** Load is measured this often: adverts are hints, and measuring costs. */
const loadMs = 5_000;
/** Pools are asked for their room this often: of a shared one, every host asks it. */
const roomMs = 60_000;
/** Images and pools are looked after this often. */
const imagesMs = 10_000;

interface HostDutiesDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly observer: HostObserver;
  readonly hasQuorum: () => boolean;
  readonly load: () => Promise<HostLoad>;
  /** Load or room were measured: the own advert tells of them, if they have moved. */
  readonly onMeasured: () => void;
  /** Asks the storage pools how much room they have, by name. */
  readonly poolRooms: (signal: AbortSignal) => Promise<ReadonlyMap<string, PoolRoom>>;
  /** What is recorded here in pools that this host does not have; undefined: nothing. */
  readonly lacksPools: () => ShoalError | undefined;
  /** Commits what owners have asked of this host alone, where there is something and it can be. */
  readonly flushIntents: (signal: AbortSignal) => Promise<void>;
  /** Copies of images that should be here, and of those that should not. Called while there is a quorum. */
  readonly keepImages: (signal: AbortSignal) => Promise<void>;
}

/** A run that fails is told of, and the next one tries again. */
export class HostDuties implements Service {
  readonly #deps: HostDutiesDeps;
  readonly #repeated: RepeatedLog;
  readonly #abort = new AbortController();
  #load: HostLoad = { cpuPercent: 0, load1m: 0, memoryAvailableMib: 0 };
  #loadDueMs = 0;
  #imagesDueMs = 0;
  #poolRooms: ReadonlyMap<string, PoolRoom> = new Map();
  #roomDueMs = 0;
  #timer: Timer | undefined;
  #run: Promise<void> | undefined;

  constructor(deps: HostDutiesDeps) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
  }

  /** As it was measured last; nothing at first. */
  get load(): HostLoad {
    return this.#load;
  }

  /** Room in the storage pools as they told last, by name; nothing at first. */
  get poolRooms(): ReadonlyMap<string, PoolRoom> {
    return this.#poolRooms;
  }

  async start(): Promise<void> {
    this.#timer = this.#deps.clock.setInterval(() => {
      this.#run ??= this.#runOnce().finally(() => {
        this.#run = undefined;
      });
    }, everyMs);
  }

  /** Ends the run under way. Safe to call twice. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#run;
  }

  async #runOnce(): Promise<void> {
    const { signal } = this.#abort;
    const { observer } = this.#deps;
    try {
      await this.#doAll(signal);
      observer.health?.('host duties', undefined);
    } catch (caught) {
      if (signal.aborted) return;
      observer.health?.('host duties', caught);
      this.#repeated.warn('duties', { err: caught }, 'the duties of this host failed; they are retried');
    }
  }

  async #doAll(signal: AbortSignal): Promise<void> {
    const { clock, load, onMeasured, poolRooms, lacksPools, observer, flushIntents, keepImages, hasQuorum } =
      this.#deps;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#loadDueMs) {
      this.#loadDueMs = nowMs + loadMs;
      this.#load = await load();
      onMeasured();
    }
    await flushIntents(signal);
    if (nowMs >= this.#roomDueMs) {
      this.#roomDueMs = nowMs + roomMs;
      this.#poolRooms = await poolRooms(signal);
      onMeasured();
    }
    if (nowMs < this.#imagesDueMs || !hasQuorum()) return;
    this.#imagesDueMs = nowMs + imagesMs;
    observer.health?.('storage pools', lacksPools() ?? poolTrouble(this.#poolRooms));
    await keepImages(signal);
  }
}
