/** One living QEMU with the agent attached: what it says about itself, and who hears when it changes by itself. */
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { isAlive, type ProcessIdentity, waitGone } from '../../process.ts';
import type { GuestPower } from '../../types.ts';
import { QmpClient, type QmpEvent } from './qmp.ts';

/** Events after which the state may be another. All others are the guest's own business. */
const stateEvents = new Set(['SHUTDOWN', 'STOP', 'RESUME', 'GUEST_PANICKED', 'WATCHDOG', 'SUSPEND', 'WAKEUP', 'RESET']);
/** A QEMU that closed its monitor dies within milliseconds, unless it only dropped the connection. */
const dyingMs = 2_000;
/** Waits before attaching again to a QEMU that lives but does not answer: first, and at most. */
const reattachMsMin = 200;
const reattachMsMax = 5_000;
/** How long a reset's answer is waited for at a time, and how late it is still known for that reset's. */
const resetTimeoutMs = 10_000;
const lateResetMs = 3_600_000;
/** query-status takes no lock worth naming; longer means that the monitor is stuck. */
const statusTimeoutMs = 3_000;

/** What a guest is doing. */
export interface GuestState {
  readonly power: GuestPower;
  /** QEMU's own word, or why there is none. */
  readonly detail: string;
}

const gone: GuestState = { power: 'crashed', detail: 'the QEMU process is gone' };

/** What the driver gives each guest. */
interface GuestContext {
  readonly log: Logger;
  /** Called for changes that nobody asked for. */
  readonly report: (serverId: ServerId, state: GuestState) => void;
}

/** One QEMU process that was started or adopted. It outlives this object. */
export class QemuGuest {
  readonly serverId: ServerId;
  readonly generation: number;
  readonly identity: ProcessIdentity;
  readonly qmpSocket: string;
  readonly #context: GuestContext;
  readonly #detached = new AbortController();
  #qmp: QmpClient | undefined;
  /** While it is above zero an operation is changing the guest, and what changes was asked for. */
  #asked = 0;
  /** As last seen, by whatever way; a change against it is reported once. */
  #last: GuestState | undefined;
  #attaching: Promise<void> | undefined;
  readonly #waiting = new Map<string, Set<() => void>>();
  /** The reset that was sent, until a caller has had its answer. */
  #reset: Promise<unknown> | undefined;
  /** Observations run one after another, so that reports keep their order. */
  #observing: Promise<void> = Promise.resolve();

  constructor(
    context: GuestContext,
    known: {
      readonly serverId: ServerId;
      readonly generation: number;
      readonly identity: ProcessIdentity;
      readonly qmpSocket: string;
    },
  ) {
    this.#context = context;
    this.serverId = known.serverId;
    this.generation = known.generation;
    this.identity = known.identity;
    this.qmpSocket = known.qmpSocket;
  }

  /** Attaches to the monitor unless attached. Throws as `QmpClient.connect` does. */
  async attach(signal?: AbortSignal): Promise<void> {
    if (this.#qmp?.isOpen === true) return;
    // One at a time: QEMU would let the second of two wait for a greeting that never comes.
    this.#attaching ??= this.#connect(signal).finally(() => {
      this.#attaching = undefined;
    });
    await this.#attaching;
  }

  /** Lets go; QEMU runs on. */
  detach(): void {
    this.#detached.abort();
    this.#qmp?.close();
  }

  alive(): Promise<boolean> {
    return isAlive(this.identity);
  }

  /**
   * What QEMU says now. A process that lives but does not answer is reported as it was last known, with the reason as
   * detail: it may be running, and nobody may conclude that it is not.
   */
  async state(signal?: AbortSignal): Promise<GuestState> {
    try {
      if (!(await this.alive())) return this.#saw(gone);
      await this.attach(signal);
      return this.#saw(await this.#queryState(signal));
    } catch (caught) {
      if (signal?.aborted === true) throw caught;
      if (!(await this.alive())) return this.#saw(gone);
      const reason = ShoalError.from(caught, 'CANNOT_TELL').message;
      return { power: this.#last?.power ?? 'running', detail: `monitor does not answer: ${reason}` };
    }
  }

  /** Sends a monitor command; see `QmpClient.execute`. */
  async execute(command: string, args?: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<unknown> {
    await this.attach(signal);
    const qmp = this.#qmp;
    if (qmp === undefined) throw new ShoalError('UNAVAILABLE', `${command}: not attached to QEMU`);
    return qmp.execute(command, args, signal === undefined ? {} : { signal });
  }

  /**
   * Resets the guest; throws as `execute` does. QEMU that is slow does a reset whose answer nobody waits for any more, so it
   * is not sent again: the next call waits for that answer. Only where the connection has ended is the outcome not known.
   */
  async reset(signal: AbortSignal): Promise<void> {
    await this.attach(signal);
    const qmp = this.#qmp;
    if (qmp === undefined) throw new ShoalError('UNAVAILABLE', 'system_reset: not attached to QEMU');
    this.#reset ??= qmp.execute('system_reset', undefined, { timeoutMs: lateResetMs }).catch((caught: unknown) => {
      this.#reset = undefined;
      throw caught;
    });
    const sent = this.#reset;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      late.reject(new ShoalError('DEADLINE_EXCEEDED', `QEMU did not answer system_reset in ${resetTimeoutMs} ms`));
    }, resetTimeoutMs);
    const onAbort = (): void => late.reject(new ShoalError('CANCELLED', 'system_reset: cancelled'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await Promise.race([sent, late.promise]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
    if (this.#reset === sent) this.#reset = undefined;
  }

  /**
   * Resolves when QEMU tells of `event` next, and after `waitMs` in any case: an event that came while nobody was attached is
   * lost, so its listener looks for itself.
   */
  async eventOrPause(event: string, waitMs: number): Promise<void> {
    const waiting = this.#waiting.get(event) ?? new Set();
    this.#waiting.set(event, waiting);
    const heard = Promise.withResolvers<void>();
    const timer = setTimeout(heard.resolve, waitMs);
    waiting.add(heard.resolve);
    try {
      await heard.promise;
    } finally {
      clearTimeout(timer);
      waiting.delete(heard.resolve);
      if (waiting.size === 0) this.#waiting.delete(event);
    }
  }

  /** Runs an operation whose changes are asked for, and thus not reported. */
  async asked<T>(work: () => Promise<T>): Promise<T> {
    this.#asked += 1;
    try {
      return await work();
    } finally {
      await this.#observing;
      // What the operation left behind is the state from which later changes are told.
      if (this.#qmp?.isOpen === true) await this.#queryState().then((state) => this.#saw(state), this.#unanswered);
      this.#asked -= 1;
    }
  }

  async #connect(signal?: AbortSignal): Promise<void> {
    const client = await QmpClient.connect(this.qmpSocket, {
      ...(signal === undefined ? {} : { signal }),
      onEvent: (event) => this.#heard(event),
      onClose: () => this.#lost(),
    });
    if (this.#detached.signal.aborted) client.close();
    this.#qmp = client;
  }

  async #queryState(signal?: AbortSignal): Promise<GuestState> {
    const qmp = this.#qmp;
    if (qmp === undefined) throw new ShoalError('UNAVAILABLE', 'not attached to QEMU');
    const reply = await qmp.execute('query-status', undefined, {
      timeoutMs: statusTimeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
    const status = isRecord(reply) ? reply['status'] : undefined;
    if (typeof status !== 'string')
      throw new ShoalError('DRIVER_FAILED', 'QEMU answered query-status without a status');
    return { power: powerOfStatus(status), detail: status };
  }

  readonly #unanswered = (caught: unknown): void => {
    this.#context.log.debug({ serverId: this.serverId, err: caught }, 'QEMU did not answer a query of its state');
  };

  #heard(event: QmpEvent): void {
    for (const resolve of [...(this.#waiting.get(event.name) ?? [])]) resolve();
    if (!stateEvents.has(event.name)) return;
    this.#observe(() => this.#queryState());
  }

  #observe(look: () => Promise<GuestState | undefined>): void {
    this.#observing = this.#observing.then(look).then((state) => {
      if (state !== undefined) this.#saw(state);
    }, this.#unanswered);
  }

  /** Takes note of a state, and reports it when it is new and nobody asked for it. */
  #saw(state: GuestState): GuestState {
    const before = this.#last;
    this.#last = state;
    const isNew = before !== undefined && (before.power !== state.power || before.detail !== state.detail);
    if (isNew && this.#asked === 0 && !this.#detached.signal.aborted) this.#context.report(this.serverId, state);
    return state;
  }

  /** The connection ended: QEMU died, or it dropped us and lives. */
  #lost(): void {
    if (this.#detached.signal.aborted) return;
    this.#observe(async () => {
      if (await waitGone(this.identity, dyingMs)) return gone;
      void this.#reattach();
      return undefined;
    });
  }

  /** Tries again until it is attached, QEMU is gone, or the agent lets go. Never throws. */
  async #reattach(): Promise<void> {
    const { signal } = this.#detached;
    for (let waitMs = reattachMsMin; !signal.aborted; waitMs = Math.min(waitMs * 2, reattachMsMax)) {
      try {
        await delay(waitMs, undefined, { signal, ref: false });
        const { power } = await this.state(signal);
        if (power === 'crashed' || this.#qmp?.isOpen === true) return;
      } catch (caught) {
        this.#unanswered(caught);
      }
    }
  }
}

/** QEMU's run states (qapi/run-state.json) as Shoal's four. */
export function powerOfStatus(status: string): GuestPower {
  if (status === 'running') return 'running';
  if (status === 'shutdown') return 'shutdown';
  return 'paused';
}
