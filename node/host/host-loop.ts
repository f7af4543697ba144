/**
 * The loop that keeps one host as the records want it: each kind looks at what is wanted and what is found, then each acts,
 * then all look again.
 *
 * It runs on this host's own replica of the state, so it goes on without quorum and from the first moment after a
 * restart; what it cannot tell the records then, it tells at a later pass.
 */
import { buggify, coverageMark } from '../base/buggify/buggify.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import type { StateClient } from '../state/types.ts';
import type { Kind, KindObserver, Pass, Passes } from './engine/kind.ts';

const markLookFailed = coverageMark('look-failed', 'a host could not look at itself');
const markReplicaBehindHost = coverageMark('replica-behind-host', 'a host waits, for its replica has gone back');
const buggifyLookAgain = buggify('host-loop.look-again', 'a pass is followed by another at once');

/** Changes within this time are looked at together. */
const coalesceMs = 10;
/** The host is looked at this often even when nothing seems to have changed: drift has no events. */
const periodMs = 10_000;
/** Pause after a pass that failed; it grows with each. */
const defaultRetryMs = 1_000;

/** What the loop works with. */
interface HostLoopDeps {
  readonly state: StateClient;
  /** Makes the kinds, given how they ask for a pass. They observe, and then act, in this order. */
  readonly kinds: (passes: Passes) => readonly Kind[];
  /** Has `changed` called when something has happened on the host that a pass should see; returns how to end that. */
  readonly onHostEvent: (changed: () => void) => () => void;
  /** Called once each period, before the host is looked at. */
  readonly onPeriod?: (() => void) | undefined;
  /**
   * Whether this host has acted on newer records than those of `revision`. While its replica is behind, nothing is done:
   * a server that it still lists may be deleted, or run elsewhere. Default: never.
   */
  readonly isBehind?: ((revision: number) => boolean) | undefined;
  readonly observer?: KindObserver | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** See above. */
export class HostLoop implements Service {
  readonly #deps: HostLoopDeps;
  readonly #kinds: readonly Kind[];
  readonly #repeated: RepeatedLog;
  readonly #retryMs: number;
  readonly #abort = new AbortController();
  readonly #closers: (() => void)[] = [];
  #timer: Timer | undefined;
  #period: Timer | undefined;
  #retry: { readonly timer: Timer; readonly dueMs: number } | undefined;
  #pass: Promise<void> | undefined;
  #again = false;
  #failuresInRow = 0;

  /** @param options.retryMs pause after a pass has failed; it grows with the tries. */
  constructor(deps: HostLoopDeps, options: { readonly retryMs?: number } = {}) {
    this.#deps = deps;
    this.#repeated = new RepeatedLog(deps);
    this.#retryMs = options.retryMs ?? defaultRetryMs;
    this.#kinds = deps.kinds({ wake: () => this.wake(), wakeLater: (delayMs) => this.#wakeLater(delayMs) });
  }

  async start(): Promise<void> {
    const { state, clock, onHostEvent, onPeriod } = this.#deps;
    const watch = state.watch({ prefix: '' }, (events) => {
      const keys = events.map(({ key }) => key);
      // Each kind hears of each change.
      const concerned = this.#kinds.filter((kind) => kind.concerns(keys));
      if (concerned.length > 0 || this.#pass !== undefined) this.wake();
    });
    this.#closers.push(() => watch.close());
    this.#closers.push(onHostEvent(() => this.wake()));
    this.#period = clock.setInterval(() => {
      onPeriod?.();
      this.wake();
    }, periodMs);
    this.wake();
  }

  /** Ends the loop. Steps under way are cancelled; guests and networks are left as they are. */
  async stop(): Promise<void> {
    for (const close of this.#closers.splice(0)) close();
    this.#period?.cancel();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#retry?.timer.cancel();
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#pass;
    await Promise.allSettled(this.#busy());
  }

  /** Steps under way. */
  get busySteps(): number {
    return this.#busy().length;
  }

  /** Has the loop look soon. */
  wake(delayMs = coalesceMs): void {
    if (this.#abort.signal.aborted) return;
    if (this.#pass !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#pass = this.#run().finally(() => {
        this.#pass = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
    }, delayMs);
  }

  /** Resolves once a pass found nothing to do and no step is under way; for tests. */
  async idle(): Promise<void> {
    while (this.#pass !== undefined || this.#timer !== undefined || this.#busy().length > 0) {
      await Promise.allSettled([this.#pass, ...this.#busy()]);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #busy(): Promise<void>[] {
    return this.#kinds.flatMap((kind) => [...kind.busy.values()]);
  }

  async #run(): Promise<void> {
    const { observer } = this.#deps;
    try {
      await this.#look();
      this.#failuresInRow = 0;
      observer?.health?.('host', undefined);
    } catch (caught) {
      if (this.#abort.signal.aborted) return;
      // What it misses has been asked for, and a watcher hears of it.
      if (ShoalError.is(caught, 'NOT_IN_SLICE')) {
        this.#wakeLater(this.#retryMs);
        return;
      }
      this.#failuresInRow++;
      const error = ShoalError.from(caught, 'DRIVER_FAILED');
      markLookFailed();
      observer?.health?.('host', error);
      this.#repeated.error(
        `look ${error.code}`,
        { code: error.code, facts: error.facts, err: error },
        'inspecting this host failed',
      );
      this.#wakeLater(Math.min(this.#retryMs * 2 ** this.#failuresInRow, periodMs));
    }
  }

  async #look(): Promise<void> {
    const reader = this.#deps.state.local;
    const { revision } = reader;
    const pass: Pass = { reader, revision, signal: this.#abort.signal };
    for (const kind of this.#kinds) await kind.observe(pass);
    if (this.#deps.isBehind?.(revision) === true) {
      markReplicaBehindHost();
      this.#repeated.warn(
        'behind',
        { revision },
        'the local replica is older than the revision fence of this host; waiting for newer records',
      );
      this.#wakeLater(this.#retryMs);
      return;
    }
    if (buggifyLookAgain()) this.#again = true;
    for (const kind of this.#kinds) await kind.act(pass);
  }

  /** Has the loop look again after `delayMs`, or earlier where that was asked for already. */
  #wakeLater(delayMs: number): void {
    if (this.#abort.signal.aborted) return;
    const dueMs = this.#deps.clock.monotonicMs() + delayMs;
    if (this.#retry !== undefined && this.#retry.dueMs <= dueMs) return;
    this.#retry?.timer.cancel();
    const timer = this.#deps.clock.setTimeout(() => {
      this.#retry = undefined;
      this.wake();
    }, delayMs);
    this.#retry = { timer, dueMs };
  }
}
