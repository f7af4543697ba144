/**
 * Storage that may be away: Ceph is not there when a whole data centre gets power again, and goes away later, too. Around
 * the driver, so that nothing else of a host waits for it or ends with it: the agent starts, votes and serves, and what needs
 * these disks is refused with the reason, until the storage answers.
 */
import type { StorageDriver, StorageWitness } from '../../drivers/types.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { isUnanswered, ShoalError } from '../base/errors.ts';
import type { Health } from '../base/telemetry/health.ts';
import type { Logger } from '../base/telemetry/logger.ts';

/** How long the start of an agent waits for storage that answers; then it goes on without. Unit: milliseconds. */
const startWaitMs = 3_000;
/** Pause between two tries to start: from the first, doubled up to the last. Unit: milliseconds. */
const retryMsMin = 1_000;
const retryMsMax = 15_000;

/** How often storage is asked whether it answers, so that its loss is known before somebody needs it. Unit: milliseconds. */
const checkMs = 60_000;

interface PatientStorageDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly health: Health;
}

/**
 * Wraps a storage driver. Until the driver has started, and while it does not answer, calls throw `UNAVAILABLE` or what
 * the driver throws; each outcome goes into the agent's health as `storage NAME`. Once a minute it asks for the
 * capacity.
 */
export class PatientStorage implements StorageDriver {
  readonly name: StorageDriver['name'];
  readonly capabilities: StorageDriver['capabilities'];
  readonly #deps: PatientStorageDeps;
  readonly #inner: StorageDriver;
  readonly #mayBeAway: boolean;
  readonly #pool: string;
  readonly #part: string;
  readonly #stopping = new AbortController();
  #isStarted = false;
  #lastError: ShoalError | undefined;
  #starting: Promise<void> | undefined;

  /**
   * @param mayBeAway whether the agent is to start without it; false for the disks in its data folder.
   * @param pool as records name it.
   */
  constructor(deps: PatientStorageDeps, inner: StorageDriver, mayBeAway: boolean, pool: string = inner.name) {
    this.#deps = deps;
    this.#inner = inner;
    this.#mayBeAway = mayBeAway;
    this.name = inner.name;
    this.capabilities = inner.capabilities;
    this.#pool = pool;
    this.#part = `storage ${pool}`;
  }

  /**
   * Starts the storage. One that may be away is tried again and again, and waited for a moment only; then this throws when
   * `signal` aborts, and never otherwise. The host's own throws what its start throws.
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#mayBeAway) {
      await this.#inner.start(signal);
      this.#isStarted = true;
      this.#starting = this.#keepChecking();
      return;
    }
    signal.addEventListener('abort', () => this.#stopping.abort(signal.reason), { once: true });
    const isUp = Promise.withResolvers<void>();
    this.#starting = this.#keepStarting(isUp.resolve);
    await Promise.race([isUp.promise, sleep(this.#deps.clock, startWaitMs, signal)]);
    if (this.#isStarted) return;
    this.#deps.health.failed(this.#part, this.#refusal());
    this.#deps.logger.warn(
      { storage: this.#pool, err: this.#lastError },
      'the storage does not answer; the agent starts without it and retries',
    );
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#starting;
    if (this.#isStarted) await this.#inner.stop();
  }

  capacity(signal: AbortSignal): ReturnType<StorageDriver['capacity']> {
    return this.#ask(() => this.#inner.capacity(signal));
  }

  ensureImage(...given: Parameters<StorageDriver['ensureImage']>): Promise<void> {
    return this.#ask(() => this.#inner.ensureImage(...given));
  }

  hasImage(...given: Parameters<StorageDriver['hasImage']>): Promise<boolean> {
    return this.#ask(() => this.#inner.hasImage(...given));
  }

  removeImage(...given: Parameters<StorageDriver['removeImage']>): Promise<void> {
    return this.#ask(() => this.#inner.removeImage(...given));
  }

  ensureDisk(...given: Parameters<StorageDriver['ensureDisk']>): Promise<void> {
    return this.#ask(() => this.#inner.ensureDisk(...given));
  }

  findDisk(...given: Parameters<StorageDriver['findDisk']>): ReturnType<StorageDriver['findDisk']> {
    return this.#ask(() => this.#inner.findDisk(...given));
  }

  listDisks(...given: Parameters<StorageDriver['listDisks']>): ReturnType<StorageDriver['listDisks']> {
    return this.#ask(() => this.#inner.listDisks(...given));
  }

  openDisk(...given: Parameters<StorageDriver['openDisk']>): ReturnType<StorageDriver['openDisk']> {
    return this.#ask(() => this.#inner.openDisk(...given));
  }

  closeDisk(...given: Parameters<StorageDriver['closeDisk']>): Promise<void> {
    return this.#ask(() => this.#inner.closeDisk(...given));
  }

  removeDisk(...given: Parameters<StorageDriver['removeDisk']>): Promise<void> {
    return this.#ask(() => this.#inner.removeDisk(...given));
  }

  serveDisk(...given: Parameters<StorageDriver['serveDisk']>): ReturnType<StorageDriver['serveDisk']> {
    return this.#ask(() => this.#inner.serveDisk(...given));
  }

  unserveDisk(...given: Parameters<StorageDriver['unserveDisk']>): Promise<void> {
    return this.#ask(() => this.#inner.unserveDisk(...given));
  }

  /** Asked whether or not the driver has started: a host that is fenced cannot start it. */
  get witness(): StorageWitness | undefined {
    return this.#inner.witness;
  }

  /** Processes of this host, which it knows whether or not the storage answers. */
  listServed(...given: Parameters<StorageDriver['listServed']>): ReturnType<StorageDriver['listServed']> {
    return this.#inner.listServed(...given);
  }

  createSnapshot(...given: Parameters<StorageDriver['createSnapshot']>): ReturnType<StorageDriver['createSnapshot']> {
    return this.#ask(() => this.#inner.createSnapshot(...given));
  }

  removeSnapshot(...given: Parameters<StorageDriver['removeSnapshot']>): ReturnType<StorageDriver['removeSnapshot']> {
    return this.#ask(() => this.#inner.removeSnapshot(...given));
  }

  listSnapshots(...given: Parameters<StorageDriver['listSnapshots']>): ReturnType<StorageDriver['listSnapshots']> {
    return this.#ask(() => this.#inner.listSnapshots(...given));
  }

  revertDisk(...given: Parameters<StorageDriver['revertDisk']>): ReturnType<StorageDriver['revertDisk']> {
    return this.#ask(() => this.#inner.revertDisk(...given));
  }

  copyDisk(...given: Parameters<StorageDriver['copyDisk']>): ReturnType<StorageDriver['copyDisk']> {
    return this.#ask(() => this.#inner.copyDisk(...given));
  }

  exportDisk(...given: Parameters<StorageDriver['exportDisk']>): ReturnType<StorageDriver['exportDisk']> {
    return this.#ask(() => this.#inner.exportDisk(...given));
  }

  importDisk(...given: Parameters<StorageDriver['importDisk']>): ReturnType<StorageDriver['importDisk']> {
    return this.#ask(() => this.#inner.importDisk(...given));
  }

  listUnmanaged(...given: Parameters<StorageDriver['listUnmanaged']>): ReturnType<StorageDriver['listUnmanaged']> {
    return this.#ask(() => this.#inner.listUnmanaged(...given));
  }

  adoptDisk(...given: Parameters<StorageDriver['adoptDisk']>): ReturnType<StorageDriver['adoptDisk']> {
    return this.#ask(() => this.#inner.adoptDisk(...given));
  }

  releaseDisk(...given: Parameters<StorageDriver['releaseDisk']>): ReturnType<StorageDriver['releaseDisk']> {
    return this.#ask(() => this.#inner.releaseDisk(...given));
  }

  async #keepStarting(started: () => void): Promise<void> {
    const { signal } = this.#stopping;
    for (let pauseMs = retryMsMin; !signal.aborted; pauseMs = Math.min(retryMsMax, pauseMs * 2)) {
      try {
        await this.#inner.start(signal);
        this.#isStarted = true;
        this.#deps.health.works(this.#part);
        started();
        if (this.#lastError !== undefined) this.#deps.logger.info({ storage: this.#pool }, 'the storage answers now');
        return await this.#keepChecking();
      } catch (caught) {
        if (signal.aborted) return;
        this.#lastError = ShoalError.from(caught, 'UNAVAILABLE');
        this.#deps.health.failed(this.#part, this.#refusal());
        // Woken early by `stop`; the loop sees it.
        await sleep(this.#deps.clock, pauseMs, signal).catch(() => {});
      }
    }
  }

  async #keepChecking(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      // What the check finds is in the agent's health, and the stop wakes it early.
      await sleep(this.#deps.clock, checkMs, signal).catch(() => {});
      if (!signal.aborted) await this.capacity(signal).catch(() => {});
    }
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#isStarted) throw this.#refusal();
    try {
      const answer = await work();
      this.#deps.health.works(this.#part);
      return answer;
    } catch (caught) {
      if (saysOfStorage(caught)) this.#deps.health.failed(this.#part, caught);
      throw caught;
    }
  }

  #refusal(): ShoalError {
    const said =
      this.#lastError === undefined
        ? 'is being started and has not answered yet; try again in a few seconds.'
        : `has not answered since the agent started: ${this.#lastError.message}`;
    return new ShoalError('UNAVAILABLE', `The storage ${this.#pool} ${said}`, {
      facts: { storage: this.#pool },
      cause: this.#lastError,
    });
  }
}

/** Whether a failure says something of the storage, and not of what was asked of it. */
function saysOfStorage(caught: unknown): caught is ShoalError {
  return ShoalError.of(caught, isUnanswered) || ShoalError.is(caught, 'COMMAND_FAILED', 'DRIVER_FAILED');
}
