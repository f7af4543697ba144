import type { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { GrpcAnswerPart } from '../../rpc/answer-part.ts';
import type { PeerClients } from '../peers/peer-client.ts';
import { answerHeadOf, endToEnd, grpcRequest, relayedHeadOf, restRequest } from './heads.ts';
import { answerPartsOf, bodyOf, piecesOf } from './pieces.ts';
import { type RelayLimits, relayLimits } from './relay-limits.ts';
import type { GrpcHead, RelayOrigin, RestAnswer, RestHead } from './relayed.ts';
import type { ReplicaChoice, ReplicaPlace } from './replica-choice.ts';

/** What came of a call: `unreached` no replica took it; `broken` one did, and was lost before the answer had ended. */
export type RelayOutcome = 'answered' | 'unreached' | 'broken' | 'given-up' | 'refused';

/** Hears of each relayed call when it is over. */
export interface RelayObserver {
  relayed(call: {
    readonly api: 'rest' | 'grpc';
    readonly outcome: RelayOutcome;
    /** From the client's head to the end of the answer. */
    readonly seconds: number;
    /** Of bodies and messages. */
    readonly bytesSent: number;
    readonly bytesReceived: number;
  }): void;
}

/** The body of a call: made for each sending, ends by throwing when `signal` aborts. */
type RelayBody = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/**
 * Whether a call may be sent to a second replica after a first one took it and was lost: it may have run there. Only what
 * reads is: GET and HEAD, and gRPC's unary reads. A DELETE or PUT that is repeated would change nothing more, but tell the client that
 * the thing is gone (404) or in the way (409), which is not what came of its request. A POST with a client token is repeated
 * by the client, who has the body; none is kept here. What no replica has taken goes to the next one whatever it is.
 */
type MayRepeat = boolean;

interface RelayClientDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peers: Pick<PeerClients, 'to'>;
  readonly choice: ReplicaChoice;
  readonly observer?: RelayObserver;
}

type Piece = shoal.v1.IRelayPiece;

/** One attempt to send a call. */
interface Opened {
  readonly request: shoal.v1.IRelayRequest;
  readonly mayRepeat: MayRepeat;
  readonly signal: AbortSignal;
  /** Whether the replica takes it, once that is known. */
  readonly accepted: PromiseWithResolvers<boolean>;
  /** Counts bytes of the body. */
  readonly sent: (bytes: number) => void;
}

/** Sends calls of the public API to a replica: the asking side of `PeerService.Relay`. */
export class RelayClient {
  readonly #deps: RelayClientDeps;
  readonly #limits: RelayLimits;
  readonly #repeated: RepeatedLog;
  #calls = 0;

  constructor(deps: RelayClientDeps, limits: Partial<RelayLimits> = {}) {
    this.#deps = deps;
    this.#limits = { ...relayLimits, ...limits };
    this.#repeated = new RepeatedLog(deps);
  }

  /** Calls under way. */
  get calls(): number {
    return this.#calls;
  }

  /**
   * Resolves with the head of the answer; its body has to be read to the end, or `signal` aborted. Throws `UNAVAILABLE`
   * (see `isUnreached`) when no replica took it, and the body is untouched then; `OUTCOME_UNKNOWN` when one took it and was
   * lost; `RATE_LIMITED` when this agent relays too much; `INVALID_ARGUMENT`; what `signal` says.
   */
  async rest(
    replicas: readonly ReplicaPlace[],
    head: RestHead,
    origin: RelayOrigin,
    body: RelayBody,
    signal: AbortSignal,
  ): Promise<RestAnswer> {
    const request = restRequest({ ...head, headers: endToEnd(head.headers) }, origin);
    const mayRepeat = (head.method === 'GET' || head.method === 'HEAD') && head.body === 'none';
    const call = this.#begin('rest', request, mayRepeat, signal);
    return call.run(async () => {
      const { attempt, first } = await this.#first(call, replicas, body);
      const answer = headOf(first);
      return { ...answer, headers: endToEnd(answer.headers), body: call.toTheEnd(bodyOf(attempt)) };
    });
  }

  /**
   * As `rest`, for gRPC: resolves once a replica has taken the call, and with `isUnary` once it has answered.
   * @param mayRepeat whether it only reads; for unary calls alone.
   */
  async grpc(
    replicas: readonly ReplicaPlace[],
    head: GrpcHead,
    origin: RelayOrigin,
    body: RelayBody,
    options: { readonly isUnary: boolean; readonly mayRepeat: MayRepeat; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<GrpcAnswerPart>> {
    const request = grpcRequest({ ...head, metadata: endToEnd(head.metadata) }, origin);
    const call = this.#begin('grpc', request, options.mayRepeat, options.signal);
    return call.run(async () => {
      if (!options.isUnary) {
        return call.toTheEnd(answerPartsOf(await this.#taken(call, replicas, body)));
      }
      const { attempt, first } = await this.#first(call, replicas, body);
      return call.toTheEnd(answerPartsOf(following(first, attempt)));
    });
  }

  #begin(api: 'rest' | 'grpc', request: shoal.v1.IRelayRequest, mayRepeat: MayRepeat, signal: AbortSignal): RelayCall {
    signal.throwIfAborted();
    // A client's mistake is no fault of the replica that would refuse it.
    relayedHeadOf(request);
    if (this.#calls >= this.#limits.callsMax) {
      this.#deps.observer?.relayed({ api, outcome: 'refused', seconds: 0, bytesSent: 0, bytesReceived: 0 });
      throw new ShoalError('RATE_LIMITED', 'This agent passes on as many calls as it can; try again, or ask another.', {
        facts: { retryAfterSeconds: 1 },
      });
    }
    this.#calls += 1;
    const release = (): void => {
      this.#calls -= 1;
    };
    return new RelayCall({ ...this.#deps, release }, { api, request, mayRepeat, signal });
  }

  /** A replica that has taken the call, and the first piece of its answer. */
  async #first(
    call: RelayCall,
    replicas: readonly ReplicaPlace[],
    body: RelayBody,
  ): Promise<{ readonly attempt: AsyncIterator<Piece>; readonly first: Piece }> {
    let left = replicas;
    for (;;) {
      const attempt = await this.#taken(call, left, body);
      try {
        const first = await attempt.next();
        if (first.done !== true) return { attempt, first: first.value };
        throw new ShoalError('UNAVAILABLE', 'The replica ended the call without an answer.');
      } catch (caught) {
        call.signal.throwIfAborted();
        this.#failed(call.hostId, caught);
        call.close();
        const tried = call.hostId;
        left = left.filter(({ hostId }) => hostId !== tried);
        if (!call.mayRepeat || left.length === 0) throw lost(caught);
      }
    }
  }

  /** The answers of the first replica that takes the call. Throws `UNAVAILABLE` when none does. */
  async #taken(call: RelayCall, replicas: readonly ReplicaPlace[], body: RelayBody): Promise<AsyncIterator<Piece>> {
    const { choice } = this.#deps;
    const reasons: string[] = [];
    for (const { hostId } of choice.order(replicas).slice(0, this.#limits.attemptsMax)) {
      try {
        return await this.#send(call, hostId, body);
      } catch (caught) {
        call.signal.throwIfAborted();
        this.#failed(hostId, caught);
        reasons.push(caught instanceof Error ? caught.message : 'failed');
      }
    }
    throw unreached(reasons);
  }

  async #send(call: RelayCall, hostId: HostId, body: RelayBody): Promise<AsyncIterator<Piece>> {
    const { clock, peers, choice } = this.#deps;
    const client = peers.to(hostId);
    await client.connect(this.#limits.connectMsMax);
    const startedMs = clock.monotonicMs();
    const opened = call.open(hostId);
    const { signal, accepted } = opened;
    try {
      const stream = client.calls.relay(
        outgoing(opened, () => body(signal)),
        { signal },
      );
      const answers = stream[Symbol.asyncIterator]();
      const timer = clock.setTimeout(() => call.close(), this.#limits.acceptMsMax);
      const first = await answers.next().finally(() => timer.cancel());
      if (first.done === true || !first.value.accepted) {
        throw new ShoalError('UNAVAILABLE', `${hostId} does not take the call.`);
      }
      choice.answered(hostId, clock.monotonicMs() - startedMs);
      accepted.resolve(true);
      return answers;
    } catch (caught) {
      accepted.resolve(false);
      call.close();
      throw caught;
    }
  }

  #failed(hostId: HostId, caught: unknown): void {
    this.#deps.choice.failed(hostId);
    this.#repeated.warn(`relay ${hostId}`, { hostId, err: caught }, 'a replica did not answer a relayed call');
  }
}

/** One call from its client's head to the end of the answer, over one attempt after another. */
class RelayCall {
  readonly signal: AbortSignal;
  readonly mayRepeat: MayRepeat;
  readonly #api: 'rest' | 'grpc';
  readonly #request: shoal.v1.IRelayRequest;
  readonly #deps: RelayCallDeps;
  readonly #startedMs: number;
  #attempt: AbortController | undefined;
  #hostId: HostId | undefined;
  #bytesSent = 0;
  #bytesReceived = 0;
  #isOver = false;

  constructor(
    deps: RelayCallDeps,
    call: {
      readonly api: 'rest' | 'grpc';
      readonly request: shoal.v1.IRelayRequest;
      readonly mayRepeat: MayRepeat;
      readonly signal: AbortSignal;
    },
  ) {
    this.#deps = deps;
    this.#api = call.api;
    this.#request = call.request;
    this.mayRepeat = call.mayRepeat;
    this.signal = call.signal;
    this.#startedMs = deps.clock.monotonicMs();
    this.signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Of the attempt under way, or the last one. Throws before any. */
  get hostId(): HostId {
    if (this.#hostId === undefined) throw new ShoalError('UNAVAILABLE', 'No replica was asked.');
    return this.#hostId;
  }

  /** Begins an attempt. */
  open(hostId: HostId): Opened {
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#hostId = hostId;
    return {
      request: this.#request,
      mayRepeat: this.mayRepeat,
      signal: attempt.signal,
      accepted: Promise.withResolvers<boolean>(),
      sent: (bytes: number): void => {
        this.#bytesSent += bytes;
      },
    };
  }

  /** Gives the attempt up. */
  close(): void {
    this.#attempt?.abort(this.signal.aborted ? this.signal.reason : new ShoalError('CANCELLED', 'The call is over.'));
  }

  /** Runs the beginning of the call, which is over when that throws. */
  async run<T>(begin: () => Promise<T>): Promise<T> {
    try {
      return await begin();
    } catch (caught) {
      this.#end(outcomeOf(caught, this.signal));
      throw caught;
    }
  }

  /** Passes the answer on; the call is over when it ends, breaks, or is left. */
  async *toTheEnd<T extends Uint8Array | GrpcAnswerPart>(parts: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    let outcome: RelayOutcome = 'given-up';
    try {
      for await (const part of parts) {
        this.#bytesReceived += sizeOf(part);
        yield part;
      }
      outcome = 'answered';
    } catch (caught) {
      outcome = this.signal.aborted ? 'given-up' : 'broken';
      if (outcome === 'broken' && this.#hostId !== undefined) this.#deps.choice.failed(this.#hostId);
      throw this.signal.aborted ? this.signal.reason : lost(caught);
    } finally {
      this.#end(outcome);
    }
  }

  readonly #onAbort = (): void => {
    this.#end('given-up');
  };

  #end(outcome: RelayOutcome): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.signal.removeEventListener('abort', this.#onAbort);
    this.close();
    this.#deps.release();
    this.#deps.observer?.relayed({
      api: this.#api,
      outcome,
      seconds: (this.#deps.clock.monotonicMs() - this.#startedMs) / 1000,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
    });
  }
}

/** What one call needs from outside. */
interface RelayCallDeps extends Pick<RelayClientDeps, 'clock' | 'choice' | 'observer'> {
  /** Called once, when the call is over. */
  readonly release: () => void;
}

/** The head of a REST answer. Throws `OUTCOME_UNKNOWN` for what is none: the client did nothing wrong. */
function headOf({ answer }: Piece): Omit<RestAnswer, 'body'> {
  if (!answer) throw lost(new ShoalError('INVALID_ARGUMENT', 'The replica’s answer has no head.'));
  try {
    return answerHeadOf(answer);
  } catch (caught) {
    throw lost(caught);
  }
}

/** Whether a call failed since no replica took it: nothing was done, and its body is untouched. */
export function isUnreached(caught: unknown): boolean {
  return caught instanceof ShoalError && caught.code === 'UNAVAILABLE' && caught.facts['unreached'] === true;
}

function unreached(reasons: readonly string[]): ShoalError {
  return new ShoalError(
    'UNAVAILABLE',
    'This agent holds a part of the records, and no replica of them can be reached now. Try again, or ask another agent.',
    { facts: { unreached: true, reasons } },
  );
}

/** A replica took the call and was lost. */
function lost(cause: unknown): ShoalError {
  const text = 'The replica that took the request was lost before it had answered; what came of it is not known.';
  return new ShoalError('OUTCOME_UNKNOWN', text, { cause });
}

function outcomeOf(caught: unknown, signal: AbortSignal): RelayOutcome {
  if (signal.aborted) return 'given-up';
  return isUnreached(caught) ? 'unreached' : 'broken';
}

function sizeOf(part: Uint8Array | GrpcAnswerPart): number {
  if (part instanceof Uint8Array) return part.length;
  return part.kind === 'message' ? part.bytes.length : 0;
}

/**
 * What goes to the replica. Nothing of the body before it has accepted the call, which it may still refuse; and it runs
 * nothing before something has come after the head. So a call whose acceptance was lost has not run, but for one that `mayRepeat`:
 * that does not wait.
 */
async function* outgoing(
  { request, accepted, mayRepeat, sent }: Opened,
  body: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Piece, void, undefined> {
  yield { request };
  if (!mayRepeat && !(await accepted.promise)) return;
  for await (const bytes of body()) {
    sent(bytes.length);
    yield* piecesOf(bytes);
  }
  yield { end: {} };
}

/** A piece, and those after it. */
async function* following(first: Piece, rest: AsyncIterator<Piece>): AsyncGenerator<Piece, void, undefined> {
  yield first;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}
