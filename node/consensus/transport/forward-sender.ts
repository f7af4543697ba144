/**
 * Requests to a leader, for callers of this agent: many at a time on one stream, those of one turn in one message.
 *
 * Nothing is lost in silence: what was not sent when the stream breaks fails with the reason, as it may go elsewhere; what
 * was sent and not answered fails with `OUTCOME_UNKNOWN`.
 */
import { setImmediate } from 'node:timers/promises';
import type { shoal } from '../../../proto/messages.ts';
import { must } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { type ErrorCode, ShoalError } from '../../base/errors.ts';
import { mibBytes } from '../../base/units.ts';
import type { StreamOptions } from '../../rpc/client.ts';

/** Requests in one message, at most; the receiver refuses more. */
export const forwardedAtOnceMax = 1024;
/** Longest time for a request, which the receiver keeps to as well. Unit: milliseconds. */
export const forwardedMsMax = 30_000;
/** Bytes of commands in one message, at most; a larger command goes alone, and still fits into a peer message. */
const messageBytesMax = mibBytes;
/** Requests without an answer, at most: as many as the leader's own loop takes. */
const waitingMax = 8192;
/** And the bytes of their commands. */
const waitingBytesMax = 64 * mibBytes;
/** How often it is looked for requests whose time has run out; callers who need it sooner abort. Unit: milliseconds. */
const sweepMs = 1000;

/** What is asked of the leader. */
export type ForwardBody = Pick<shoal.v1.ForwardRequest.$Properties, 'command' | 'readIndex'>;

/** One stream to one peer, as it can be reached at that moment. */
export interface ForwardRoute {
  /** Connects unless connected. Throws when nothing could be sent. */
  connect(): Promise<void>;
  open(
    requests: AsyncIterable<shoal.v1.ForwardRequests.$Properties>,
    options: StreamOptions,
  ): AsyncIterable<shoal.v1.ForwardAnswers>;
}

/** How long a request may take, and who may end it. */
interface ForwardOptions {
  /** At most `forwardedMsMax`, and noticed up to a second late. Unit: milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Waiting {
  readonly id: number;
  readonly body: ForwardBody;
  readonly deadlineMs: number;
  /** Handed to the transport: it may have arrived. */
  isSent: boolean;
  readonly resolve: (answer: shoal.v1.ForwardAnswer) => void;
  readonly reject: (error: ShoalError) => void;
  readonly detach: () => void;
}

/** Codes with which a peer turns a stream away before it has read anything. */
const refusals: readonly ErrorCode[] = ['NOT_IMPLEMENTED', 'UNAUTHENTICATED', 'FORBIDDEN', 'IDENTITY_MISMATCH'];

/**
 * Requests of this agent to one peer. At most 8192 without an answer, with 64 MiB of commands; more are refused. Opens
 * a stream when there is something to send, and a new one after a break.
 */
export class ForwardSender {
  readonly #clock: Clock;
  readonly #route: () => ForwardRoute;
  readonly #stopping = new AbortController();
  /** Not answered yet, by id, in the order in which they came. */
  readonly #waiting = new Map<number, Waiting>();
  /** Of them those not sent; some may have been given up meanwhile. */
  #queued: Waiting[] = [];
  #bytes = 0;
  #lastId = 0;
  #run: Run | undefined;

  /** @param route called for each new stream; may throw. */
  constructor(clock: Clock, route: () => ForwardRoute) {
    this.#clock = clock;
    this.#route = route;
  }

  /** Requests without an answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Resolves with what the leader answered, which may be its error. Throws `PROPOSAL_DROPPED` (a command) or `RATE_LIMITED`
   * (a read point) when too many wait, `CANCELLED` when it was given up before it was sent, `OUTCOME_UNKNOWN` when it may
   * have arrived, and otherwise why it was not sent.
   */
  send(body: ForwardBody, { timeoutMs, signal }: ForwardOptions): Promise<shoal.v1.ForwardAnswer> {
    if (signal.aborted || this.#stopping.signal.aborted) return Promise.reject(givenUp());
    const bytes = body.command?.length ?? 0;
    if (this.#waiting.size >= waitingMax || this.#bytes + bytes > waitingBytesMax) {
      const code = body.command == null ? 'RATE_LIMITED' : 'PROPOSAL_DROPPED';
      const facts = { waiting: this.#waiting.size };
      return Promise.reject(new ShoalError(code, 'Too many requests wait for the leader already.', { facts }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<shoal.v1.ForwardAnswer>();
    this.#lastId += 1;
    const id = this.#lastId;
    const onAbort = (): void => this.#fail(waiting, givenUp());
    const waiting: Waiting = {
      id,
      body,
      deadlineMs: this.#clock.monotonicMs() + timeoutMs,
      isSent: false,
      resolve,
      reject,
      detach: () => {
        signal.removeEventListener('abort', onAbort);
        this.#waiting.delete(id);
        this.#bytes -= bytes;
      },
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.set(id, waiting);
    this.#queued.push(waiting);
    this.#bytes += bytes;
    this.#run ??= this.#begin();
    this.#run.wake();
    return promise;
  }

  /** Fails what waits and ends the stream. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'The agent is stopping.'));
    this.#failAll(new ShoalError('CANCELLED', 'The agent is stopping.'));
    this.#run?.end();
    await this.#run?.done;
  }

  #begin(): Run {
    const run = new Run();
    run.done = this.#stream(run);
    return run;
  }

  /** One life of the stream. Ends when it breaks, and takes what waits with it; the next request begins another. */
  async #stream(run: Run): Promise<void> {
    let broken: ShoalError;
    let sweep: Timer | undefined;
    try {
      const route = this.#route();
      await route.connect();
      sweep = this.#clock.setInterval(() => this.#sweep(), sweepMs);
      for await (const { answers } of route.open(this.#messages(run), { signal: this.#stopping.signal })) {
        for (const answer of answers) this.#answered(answer);
      }
      broken = new ShoalError('UNAVAILABLE', 'The peer ended the stream.');
    } catch (caught) {
      broken = ShoalError.from(caught, 'UNAVAILABLE');
    }
    sweep?.cancel();
    run.end();
    this.#run = undefined;
    this.#failAll(broken);
  }

  /** What is queued, as fast as the transport takes it. */
  async *#messages(run: Run): AsyncGenerator<shoal.v1.ForwardRequests.$Properties> {
    for (;;) {
      if (this.#queued.length === 0) await run.woken();
      // Those that come in the same turn go along.
      await setImmediate();
      if (run.isOver) return;
      const requests = this.#take();
      if (requests.length === 0) continue;
      const nowMs = this.#clock.monotonicMs();
      const leftMs = requests.reduce((most, { deadlineMs }) => Math.max(most, deadlineMs - nowMs), 1);
      yield {
        requests: requests.map(({ id, body }) => ({ id, ...body })),
        timeoutMs: Math.min(Math.ceil(leftMs), forwardedMsMax),
      };
    }
  }

  /** The next message's requests; none when all that were queued have been given up. */
  #take(): readonly Waiting[] {
    const taken: Waiting[] = [];
    let bytes = 0;
    let at = 0;
    for (; at < this.#queued.length && taken.length < forwardedAtOnceMax; at += 1) {
      const next = must(this.#queued[at], 'a queued request');
      if (!this.#waiting.has(next.id)) continue;
      bytes += next.body.command?.length ?? 0;
      if (bytes > messageBytesMax && taken.length > 0) break;
      next.isSent = true;
      taken.push(next);
    }
    this.#queued = this.#queued.slice(at);
    return taken;
  }

  #answered(answer: shoal.v1.ForwardAnswer): void {
    // Unknown: given up meanwhile.
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    waiting.detach();
    waiting.resolve(answer);
  }

  #sweep(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const waiting of this.#waiting.values()) {
      if (waiting.deadlineMs <= nowMs) this.#fail(waiting, new ShoalError('UNAVAILABLE', 'The time has run out.'));
    }
  }

  #failAll(reason: ShoalError): void {
    this.#queued = [];
    for (const waiting of this.#waiting.values()) this.#fail(waiting, reason);
  }

  #fail(waiting: Waiting, reason: ShoalError): void {
    waiting.detach();
    if (!waiting.isSent || refusals.includes(reason.code)) waiting.reject(reason);
    else {
      const message = `The request may have reached the leader: ${reason.message}`;
      waiting.reject(new ShoalError('OUTCOME_UNKNOWN', message, { cause: reason }));
    }
  }
}

/** One life of the stream, as its two halves share it. */
class Run {
  isOver = false;
  done: Promise<void> = Promise.resolve();
  #wake: (() => void) | undefined;

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  /** Resolves when there may be something to send, or when it is over. */
  woken(): Promise<void> {
    if (this.isOver) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  end(): void {
    this.isOver = true;
    this.wake();
  }
}

function givenUp(): ShoalError {
  return new ShoalError('CANCELLED', 'The caller gave up.');
}
