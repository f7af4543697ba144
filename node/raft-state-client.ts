/** The state as services use it, on top of the Raft loop: writes go to the leader wherever it is, reads are local. */

import type { Clock, Timer } from './base/clock.ts';
import { ShoalError } from './base/errors.ts';
import { maybe, reached } from './base/maybe.ts';
import type { RaftLoop } from './raft-loop.ts';
import type { RaftTransport } from './raft-transport.ts';
import { encodeCommand } from './state/command.ts';
import type {
  StateClient,
  StateEvent,
  StateReader,
  StateStanding,
  Transaction,
  TransactionOutcome,
} from './state/types.ts';
import { mustBeProposable } from './state/validate.ts';

/** Pause before asking again when the leader is changing. Unit: milliseconds. */
const retryMs = 20;
/** How long the local replica may take to catch up with a read point or a write of its own. Unit: milliseconds. */
const catchUpMs = 5000;
/** Times a write whose fate is unknown is sent again, under its token. */
const resendsMax = 3;

export interface RaftStateClientDeps {
  readonly loop: RaftLoop;
  readonly transport: RaftTransport;
  readonly clock: Clock;
}

/** A write that is with a leader elsewhere. */
interface Forwarded {
  readonly leader: number;
  /** When it is given up, by the monotonic clock. */
  readonly endMs: number;
  readonly stop: AbortController;
}

export class RaftStateClient implements StateClient {
  readonly #loop: RaftLoop;
  readonly #transport: RaftTransport;
  readonly #clock: Clock;
  /** Tokens of writes that came without one and go over the wire. */
  readonly #tokenPrefix: string;
  #tokenCount = 0;
  /** Writes that are with a leader elsewhere; one timer looks after all of them. */
  readonly #forwarded = new Set<Forwarded>();
  #forwardedCheck: Timer | undefined;
  /** The read point that is being asked for, and the one that those who come meanwhile wait for. */
  #asking: Promise<number> | undefined;
  /** Somebody has been asked and has not answered. */
  #isQuestionOut = false;
  #next: Promise<number> | undefined;

  /** @param deps.uniqueName differs between any two runs of any two agents: a random UUID. */
  constructor(deps: RaftStateClientDeps & { readonly uniqueName: string }) {
    this.#loop = deps.loop;
    this.#transport = deps.transport;
    this.#clock = deps.clock;
    this.#tokenPrefix = `~${deps.uniqueName}/`;
  }

  get local(): StateReader {
    return this.#loop.reader;
  }

  standing(): StateStanding {
    return this.#loop.standing();
  }

  watch(
    options: { readonly prefix: string; readonly afterRevision?: number },
    listener: (events: readonly StateEvent[]) => void,
  ): { close(): void } {
    return this.#loop.watches.watch(options, listener);
  }

  async fresh(signal?: AbortSignal): Promise<StateReader> {
    const index = await orAbort(this.#readPoint(), signal);
    if (!(await orAbort(this.#loop.waitApplied(index, catchUpMs), signal))) {
      throw new ShoalError('STALE', `This agent has not caught up with revision ${index}.`, {
        facts: { revision: this.local.revision, wanted: index },
      });
    }
    return this.local;
  }

  async commit(
    transaction: Transaction,
    options: { readonly clientToken?: string; readonly signal?: AbortSignal } = {},
  ): Promise<TransactionOutcome> {
    const { clientToken = '', signal } = options;
    mustBeProposable(transaction, clientToken);
    // A write that goes over the wire needs a token, so that it can be sent again when the answer is lost.
    let token = clientToken === '' && this.#loop.route()?.kind === 'leader' ? this.#newToken() : clientToken;
    // Too large is said here rather than by the leader.
    let encoded = encodeCommand({ clientToken: token, transaction });
    let refusal = new Retries(this.#clock, this.#loop.patienceMs);
    /** Something was sent whose fate is not known. */
    let unknown: ShoalError | undefined;
    let resends = 0;
    for (;;) {
      if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      const route = this.#loop.route();
      if (route === undefined) {
        if (refusal.isOver || !this.#loop.isRunning) throw unknown ?? this.#loop.noQuorum();
        await orAbort(this.#loop.changed(refusal.pauseMs(Number.POSITIVE_INFINITY)), signal);
        continue;
      }
      try {
        if (route.kind === 'here') return await this.#loop.proposeEncoded(encoded, signal);
        if (token === '') {
          token = this.#newToken();
          encoded = encodeCommand({ clientToken: token, transaction });
        }
        reached('write-forwarded');
        return await this.#forward(route.raftId, encoded, signal);
      } catch (error) {
        if (ShoalError.is(error, 'OUTCOME_UNKNOWN')) {
          unknown = error;
          reached('write-of-unknown-fate');
          resends += 1;
          if (token === '' || resends > resendsMax) throw error;
          refusal = new Retries(this.#clock, this.#loop.patienceMs);
        } else if (!ShoalError.is(error, 'NOT_LEADER', 'PROPOSAL_DROPPED', 'NO_QUORUM', 'UNAVAILABLE')) {
          throw error;
        } else if (refusal.isOver) {
          throw unknown ?? (ShoalError.is(error, 'PROPOSAL_DROPPED') ? error : this.#loop.noQuorum());
        }
        await orAbort(this.#loop.changed(refusal.pauseMs(retryMs)), signal);
      }
    }
  }

  async #forward(leader: number, command: Uint8Array, signal: AbortSignal | undefined): Promise<TransactionOutcome> {
    const stop = new AbortController();
    const forwarded = { leader, endMs: this.#clock.monotonicMs() + this.#loop.options.outcomeTimeoutMs, stop };
    this.#forwarded.add(forwarded);
    this.#forwardedCheck ??= this.#clock.setInterval(() => this.#checkForwarded(), this.#loop.options.tickMs);
    try {
      const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      const outcome = await orAbort(this.#transport.forwardPropose(leader, command, both), both);
      if (await orAbort(this.#loop.waitApplied(outcome.revision, catchUpMs), signal)) return outcome;
      throw new ShoalError('OUTCOME_UNKNOWN', 'The write is committed, but this agent has not caught up with it.', {
        facts: { revision: outcome.revision },
      });
    } catch (error) {
      if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      if (stop.signal.aborted) {
        reached('leader-fell-silent-under-a-write');
        throw new ShoalError('OUTCOME_UNKNOWN', 'The leader fell silent before it answered.', { cause: error });
      }
      throw error;
    } finally {
      this.#forwarded.delete(forwarded);
      if (this.#forwarded.size === 0) {
        this.#forwardedCheck?.cancel();
        this.#forwardedCheck = undefined;
      }
    }
  }

  /** Stops waiting for a leader that fell silent, or for too long: that would only hide it from the caller. */
  #checkForwarded(): void {
    const route = this.#loop.route();
    const nowMs = this.#clock.monotonicMs();
    for (const { leader, endMs, stop } of this.#forwarded) {
      if (nowMs >= endMs || route?.kind !== 'leader' || route.raftId !== leader) stop.abort();
    }
  }

  /** A read point asked for after this call. Those that come while one is being asked for share the next. */
  #readPoint(): Promise<number> {
    // While it waits for a leader nobody has been asked: what is asked then is asked after this call, and will do. A
    // question that is on its way will not: its answer may be from before this call.
    if (this.#asking !== undefined && !this.#isQuestionOut) {
      reached('read-point-shared');
      return this.#asking;
    }
    if (this.#asking === undefined) {
      this.#asking = this.#askReadPoint().finally(() => {
        // Both at once: a caller in between must not get an answer from before its call.
        this.#asking = undefined;
        this.#isQuestionOut = false;
      });
      return this.#asking;
    }
    this.#next ??= this.#asking
      .then(
        () => undefined,
        () => undefined,
      )
      .then(() => {
        this.#next = undefined;
        return this.#readPoint();
      });
    return this.#next;
  }

  async #askReadPoint(): Promise<number> {
    const retries = new Retries(this.#clock, this.#loop.patienceMs);
    for (;;) {
      const route = this.#loop.route();
      if (route === undefined) {
        if (retries.isOver || !this.#loop.isRunning) throw this.#loop.noQuorum();
        await this.#loop.changed(retries.pauseMs(Number.POSITIVE_INFINITY));
        continue;
      }
      const stop = new AbortController();
      const timeout = this.#clock.setTimeout(() => stop.abort(), retries.pauseMs(Number.POSITIVE_INFINITY));
      this.#isQuestionOut = true;
      try {
        const point = await orAbort(
          route.kind === 'here'
            ? this.#loop.readIndex(stop.signal)
            : this.#transport.forwardReadIndex(route.raftId, stop.signal),
          stop.signal,
        );
        if (maybe('state-client.ask-again')) continue;
        return point;
      } catch (error) {
        this.#isQuestionOut = false;
        const canRetry =
          stop.signal.aborted || ShoalError.is(error, 'NOT_LEADER', 'NO_QUORUM', 'UNAVAILABLE', 'OUTCOME_UNKNOWN');
        if (!canRetry) throw error;
        if (retries.isOver) throw this.#loop.noQuorum();
        reached('read-point-asked-again');
        await this.#loop.changed(retries.pauseMs(retryMs));
      } finally {
        timeout.cancel();
      }
    }
  }

  #newToken(): string {
    this.#tokenCount += 1;
    return `${this.#tokenPrefix}${this.#tokenCount}`;
  }
}

/** The time that a request may wait for a leader. */
class Retries {
  readonly #clock: Clock;
  readonly #endMs: number;

  constructor(clock: Clock, patienceMs: number) {
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + patienceMs;
  }

  get isOver(): boolean {
    return this.#clock.monotonicMs() >= this.#endMs;
  }

  /** What is left, at most `msMax`. Unit: milliseconds. */
  pauseMs(msMax: number): number {
    return Math.max(1, Math.min(msMax, this.#endMs - this.#clock.monotonicMs()));
  }
}

/** The promise's outcome, or `CANCELLED` as soon as the signal aborts. What the promise does then is nobody's concern. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason }));
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
