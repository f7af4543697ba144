/**
 * What this host says to storage that it shares with others: that it is there, again and again. Others read it when they hear
 * nothing from this host any more: one that still says it is cut off from them, and not gone.
 *
 * Storage that refuses it has fenced this host: others have taken its servers over. Then the guests that have a disk there are
 * ended (plan/server-plan.ts), and once none is left, by fresh records and by what runs here, the host lifts its fence itself.
 */
import type { ComputeDriver, StorageDriver, StorageWitness } from '../../../drivers/types.ts';
import { coverageMark, failpoint } from '../../base/buggify/buggify.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Service } from '../../base/lifecycle.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { serverTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import { planLetIn } from '../plan/let-in-plan.ts';

const markHostFenced = coverageMark('host-fenced', 'a host finds that storage has fenced it');
const markHostLetIn = coverageMark('host-let-in', 'a host has ended its old guests, and lifts its fence');
const failpointBeforeLetIn = failpoint('fence.before-let-in', 'a host has proved that its fence may be lifted');

/** From one sign of life to the next. Unit: ms. */
const signPeriodMs = 3_000;
/** The same while the host is fenced: guests wait for it. Unit: ms. */
const fencedPeriodMs = 1_000;

interface StorageSignsDeps {
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly compute: Pick<ComputeDriver, 'list'>;
  readonly state: StateClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See above. */
export class StorageSigns implements Service {
  readonly #deps: StorageSignsDeps;
  readonly #hostId: HostId;
  readonly #repeated: RepeatedLog;
  readonly #fenced = new Set<string>();
  readonly #abort = new AbortController();
  readonly #timers = new Map<string, Timer>();
  readonly #runs = new Map<string, Promise<void>>();
  #onFenced: () => void = () => {};
  #signs = 0;

  constructor(deps: StorageSignsDeps, hostId: HostId) {
    this.#deps = deps;
    this.#hostId = hostId;
    this.#repeated = new RepeatedLog(deps);
  }

  /** Pools whose storage has fenced this host, as it was told last. */
  get fencedPools(): ReadonlySet<string> {
    return this.#fenced;
  }

  /** Hears when storage has fenced this host, or has let it in. */
  onChange(heard: () => void): void {
    this.#onFenced = heard;
  }

  async start(): Promise<void> {
    for (const [pool, { witness }] of this.#deps.storage) if (witness !== undefined) this.#run(pool, witness);
  }

  async stop(): Promise<void> {
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    for (const timer of this.#timers.values()) timer.cancel();
    await Promise.allSettled(this.#runs.values());
  }

  #run(pool: string, witness: StorageWitness): void {
    const run = this.#say(pool, witness).finally(() => {
      this.#runs.delete(pool);
      if (this.#abort.signal.aborted) return;
      const pauseMs = this.#fenced.has(pool) ? fencedPeriodMs : signPeriodMs;
      this.#timers.set(
        pool,
        this.#deps.clock.setTimeout(() => this.#run(pool, witness), pauseMs),
      );
    });
    this.#runs.set(pool, run);
  }

  /** Never rejects. */
  async #say(pool: string, witness: StorageWitness): Promise<void> {
    const { signal } = this.#abort;
    try {
      if (this.#fenced.has(pool)) await this.#letIn(pool, witness);
      this.#signs += 1;
      const text = `${Math.floor(this.#deps.clock.nowMs())}-${this.#signs}`;
      await witness.beat(this.#hostId, text, signal);
      this.#note(pool, false);
    } catch (caught) {
      if (signal.aborted) return;
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      if (error.code === 'FENCE_UNPROVEN') this.#note(pool, true);
      this.#repeated.warn(
        `sign ${pool} ${error.code}`,
        { pool, code: error.code, err: error },
        'storage was not told that this host is there',
      );
    }
  }

  #note(pool: string, isFenced: boolean): void {
    if (this.#fenced.has(pool) === isFenced) return;
    if (isFenced) {
      this.#fenced.add(pool);
      markHostFenced();
      this.#deps.logger.warn({ pool }, 'storage has fenced this host; its guests with disks there are ended');
    } else {
      this.#fenced.delete(pool);
      this.#deps.logger.info({ pool }, 'storage has let this host in');
    }
    this.#onFenced();
  }

  /** Throws `UNAVAILABLE` while it must not be, with the reason. */
  async #letIn(pool: string, witness: StorageWitness): Promise<void> {
    const { state, compute } = this.#deps;
    const { signal } = this.#abort;
    if (!(await witness.isFenced(this.#hostId, signal))) return;
    const reader = await state.fresh(signal);
    const guests = await compute.list(signal);
    const decision = planLetIn(pool, guests, (serverId) => serverTable.find(reader, serverId)?.record);
    if (decision.kind === 'wait') {
      throw new ShoalError('UNAVAILABLE', `the fence of this host is not lifted: ${decision.reason}`);
    }
    failpointBeforeLetIn();
    await witness.unfence(this.#hostId, signal);
    markHostLetIn();
  }
}
