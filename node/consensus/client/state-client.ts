/** The state as services use it, on top of the Raft loop: writes go to the leader wherever it is, reads are local. */

import { buggify, coverageMark } from '../../base/buggify/buggify.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import { encodeCommand } from '../../state/command.ts';
import type {
  ClusterStatus,
  CommitOptions,
  StateClient,
  StateEvent,
  StateReader,
  Transaction,
  TransactionOutcome,
} from '../../state/types.ts';
import { mustBeProposable } from '../../state/validate.ts';
import type { Route } from '../quorum/quorum.ts';
import type { RaftTransport } from '../transport/transport.ts';
import type { StateSource } from './state-source.ts';

const markWriteOfUnknownFate = coverageMark(
  'write-of-unknown-fate',
  'the fate of a write is not known, and it is sent again where it may',
);
const markWriteForwarded = coverageMark('write-forwarded', 'a write goes to the leader over the network');
const markLeaderLostUnderAWrite = coverageMark(
  'leader-lost-under-a-write',
  'a leader loses its office or its life with a write in its hands',
);
const markReadPointShared = coverageMark('read-point-shared', 'readers that wait for a leader share one question');
const buggifyAskAgain = buggify('state-client.ask-again', 'a read point that was given is asked for again');
const markReadPointAskedAgain = coverageMark('read-point-asked-again', 'a read point is asked for again');

/** Pause before asking again when the leader is changing: the first, then doubled up to the last. Unit: milliseconds. */
const retryMsMin = 20;
const retryMsMax = 320;
/**
 * A write whose fate is unknown is sent again, under its token, and waited for as long as a new one; all in all for so many
 * times the patience with one.
 */
const patiencesMax = 2;

interface RaftStateClientDeps {
  readonly loop: StateSource;
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

/**
 * `StateClient` over a Raft loop, or over a slice. A write that cannot be committed throws `NO_QUORUM`; one whose answer is lost is sent
 * again under its token, and throws `OUTCOME_UNKNOWN` when that does not help either. `fresh` gives linearizable reads.
 */
export class RaftStateClient implements StateClient {
  readonly #loop: StateSource;
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

  status(): ClusterStatus {
    return this.#loop.status();
  }

  watch(
    options: { readonly prefix: string; readonly afterRevision?: number },
    listener: (events: readonly StateEvent[]) => void,
  ): { close(): void } {
    return this.#loop.watches.watch(options, listener);
  }

  async fresh(signal?: AbortSignal): Promise<StateReader> {
    const index = await orAbort(this.#readPoint(), signal);
    if (!(await orAbort(this.#loop.waitApplied(index, this.#loop.options.patienceMs), signal))) {
      throw new ShoalError('STALE', `This agent has not caught up with revision ${index}.`, {
        facts: { revision: this.local.revision, wanted: index },
      });
    }
    return this.local;
  }

  async commit(transaction: Transaction, options: CommitOptions = {}): Promise<TransactionOutcome> {
    const { clientToken = '', signal } = options;
    mustBeProposable(transaction, clientToken);
    // A write that goes over the wire needs a token, so that it can be sent again when the answer is lost.
    let token = clientToken === '' && this.#loop.route()?.kind === 'leader' ? this.#newToken() : clientToken;
    // Every try says the same: an entry with this token that comes of an earlier one lies behind this revision.
    let tokenSinceRevision = Math.max(1, options.tokenSinceRevision ?? this.local.revision);
    // Too large is said here rather than by the leader.
    let encoded = encodeCommand({ clientToken: token, tokenSinceRevision, transaction });
    const patience = new Patience(this.#clock, this.#loop);
    /** Something was sent whose fate is not known. */
    let unknown: ShoalError | undefined;
    for (;;) {
      if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      const route = this.#loop.route();
      if (route === undefined) {
        if (patience.isOver) throw unknown ?? this.#loop.noQuorum();
        await orAbort(this.#loop.changed(patience.leftMs), signal);
        continue;
      }
      let outcome: TransactionOutcome;
      try {
        if (route.kind === 'leader' && token === '') {
          token = this.#newToken();
          encoded = encodeCommand({ clientToken: token, tokenSinceRevision, transaction });
        }
        outcome = await this.#send(route, encoded, signal);
      } catch (error) {
        if (ShoalError.is(error, 'OUTCOME_UNKNOWN')) {
          unknown = error;
          markWriteOfUnknownFate();
          if (token === '' || this.#loop.isLossKnown || !patience.renew()) throw error;
        } else if (!ShoalError.is(error, 'NOT_LEADER', 'PROPOSAL_DROPPED', 'NO_QUORUM', 'UNAVAILABLE')) {
          // What a later sending is refused for says nothing of an earlier one.
          throw unknown ?? error;
        } else {
          if (ShoalError.is(error, 'NO_QUORUM')) this.#loop.suspectQuorum();
          if (patience.isOver) {
            throw unknown ?? (ShoalError.is(error, 'PROPOSAL_DROPPED') ? error : this.#loop.noQuorum());
          }
        }
        await orAbort(this.#loop.changed(patience.pauseMs()), signal);
        continue;
      }
      if (outcome.refusal !== 'token-too-old') return outcome;
      const mayBeApplied = unknown !== undefined || options.tokenSinceRevision !== undefined;
      if (mayBeApplied || patience.isOver) throw tokenTooOld(outcome);
      // Nothing was committed under the token before the entry that was refused: only this agent's state is that old.
      tokenSinceRevision = outcome.revision;
      encoded = encodeCommand({ clientToken: token, tokenSinceRevision, transaction });
    }
  }

  #send(route: Route, command: Uint8Array, signal: AbortSignal | undefined): Promise<TransactionOutcome> {
    if (route.kind === 'here') return this.#loop.proposeEncoded(command, signal);
    markWriteForwarded();
    return this.#forward(route.raftId, command, signal);
  }

  async #forward(leader: number, command: Uint8Array, signal: AbortSignal | undefined): Promise<TransactionOutcome> {
    const stop = new AbortController();
    const forwarded = { leader, endMs: this.#clock.monotonicMs() + this.#loop.options.outcomeTimeoutMs, stop };
    this.#forwarded.add(forwarded);
    this.#forwardedCheck ??= this.#clock.setInterval(() => this.#checkForwarded(), this.#loop.options.tickMs);
    try {
      const both = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
      const outcome = await orAbort(this.#transport.forwardPropose(leader, command, both), both);
      const isHere = await orAbort(this.#loop.waitApplied(outcome.revision, this.#loop.options.patienceMs), signal);
      if (isHere) return outcome;
      throw new ShoalError('OUTCOME_UNKNOWN', 'The write is committed, but this agent has not caught up with it.', {
        facts: { revision: outcome.revision },
      });
    } catch (error) {
      if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
      if (stop.signal.aborted) {
        markLeaderLostUnderAWrite();
        throw new ShoalError('OUTCOME_UNKNOWN', 'The leader was lost before it answered.', { cause: error });
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

  /**
   * Stops waiting for an agent that leads no more or is lost, and for too long. One that is merely silent may be starved of
   * CPU: it has the write, and answers when it can.
   */
  #checkForwarded(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { leader, endMs, stop } of this.#forwarded) {
      if (nowMs >= endMs || this.#loop.leader !== leader || this.#loop.isLost(leader)) stop.abort();
    }
  }

  /** A read point asked for after this call. Those that come while one is being asked for share the next. */
  #readPoint(): Promise<number> {
    // While it waits for a leader nobody has been asked: what is asked then is asked after this call, and will do. A
    // question that is on its way will not: its answer may be from before this call.
    if (this.#asking !== undefined && !this.#isQuestionOut) {
      markReadPointShared();
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
    const patience = new Patience(this.#clock, this.#loop);
    for (;;) {
      const route = this.#loop.route();
      if (route === undefined) {
        if (patience.isOver) throw this.#loop.noQuorum();
        await this.#loop.changed(patience.leftMs);
        continue;
      }
      const stop = new AbortController();
      const timeout = this.#clock.setTimeout(() => stop.abort(), patience.leftMs);
      this.#isQuestionOut = true;
      try {
        const point = await orAbort(
          route.kind === 'here'
            ? this.#loop.readIndex(stop.signal)
            : this.#transport.forwardReadIndex(route.raftId, stop.signal),
          stop.signal,
        );
        if (buggifyAskAgain()) continue;
        return point;
      } catch (error) {
        this.#isQuestionOut = false;
        const canRetry =
          stop.signal.aborted || ShoalError.is(error, 'NOT_LEADER', 'NO_QUORUM', 'UNAVAILABLE', 'OUTCOME_UNKNOWN');
        if (!canRetry) throw error;
        if (ShoalError.is(error, 'NO_QUORUM')) this.#loop.suspectQuorum();
        if (patience.isOver) throw this.#loop.noQuorum();
        markReadPointAskedAgain();
        await this.#loop.changed(patience.pauseMs());
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

/** The time that a request may wait for a quorum: short while one is known to be lost, long while it may only be slow. */
class Patience {
  readonly #clock: Clock;
  readonly #loop: StateSource;
  readonly #startedMs: number;
  /** When it ends while no loss is known. */
  #endMs: number;
  #retryMs = retryMsMin;

  constructor(clock: Clock, loop: StateSource) {
    this.#clock = clock;
    this.#loop = loop;
    this.#startedMs = clock.monotonicMs();
    this.#endMs = this.#startedMs + loop.options.patienceMs;
  }

  get isOver(): boolean {
    if (!this.#loop.isRunning) return true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#endMs) return true;
    const isLost = this.#loop.isLossKnown || this.#loop.outlook === 'lost';
    return isLost && nowMs - this.#startedMs >= this.#loop.options.lossPatienceMs;
  }

  /** What is left while no loss is known. Unit: milliseconds. */
  get leftMs(): number {
    return Math.max(1, this.#endMs - this.#clock.monotonicMs());
  }

  /** How long to wait before the next try. Unit: milliseconds. */
  pauseMs(): number {
    const pauseMs = Math.min(this.#retryMs, this.leftMs);
    this.#retryMs = Math.min(retryMsMax, this.#retryMs * 2);
    return pauseMs;
  }

  /** Begins again, for what was sent. False when that was done for long enough. */
  renew(): boolean {
    const { patienceMs } = this.#loop.options;
    const lastMs = this.#startedMs + patiencesMax * patienceMs;
    this.#endMs = Math.min(lastMs, this.#clock.monotonicMs() + patienceMs);
    return this.#clock.monotonicMs() < lastMs;
  }
}

function tokenTooOld({ revision }: TransactionOutcome): ShoalError {
  return new ShoalError(
    'OUTCOME_UNKNOWN',
    'The write was sent, its fate is not known, and it came too late to be told from its own repeat. Read whether it was ' +
      'done before sending it again.',
    { facts: { revision } },
  );
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
