import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { GrpcAnswerPart, GrpcStatus, HeaderList } from './answer-part.ts';
import type { CallHead, GrpcCall } from './call.ts';
import { incoming, type RequestCheck } from './incoming.ts';

import type { MethodSpec } from './service.ts';
import { trailersOf } from './trailers.ts';
import { Waiting } from './waiting.ts';

/** A call that did not come over a connection of the server which answers it: another agent relays it, or it came by HTTP. */
export interface DispatchedCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** ip:port of the client. */
  readonly remoteAddress: string;
  readonly metadata: HeaderList;
  /** Messages. Throws where the client's broke off. */
  readonly requests: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
  /** For `admit`: what the gateway knows of it beside its head. */
  readonly handed?: object | undefined;
}

/** A method as a server has it. */
export interface ServedMethod {
  readonly spec: MethodSpec;
  readonly check: RequestCheck;
  admit(head: CallHead): unknown;
  /** Authorises, checks, and runs the handler. */
  serve(input: unknown, call: GrpcCall<unknown>): Promise<unknown>;
}

interface DispatchDeps {
  readonly clock: Clock;
  /** Longest that a call with one answer may take, ms. */
  readonly unaryMsMax: number;
  /** Ends all calls. */
  readonly stopping: AbortSignal;
  /** What the client is told of a failure. */
  statusOf(caught: unknown): GrpcStatus;
}

/** What is said of a method that there is none of. */
export function noSuchMethod(path: string): ShoalError {
  return new ShoalError('NOT_IMPLEMENTED', `There is no ${path}.`);
}

/** Runs a call as the server runs its own: admitted by its head, then authorised, checked, bounded. Failures are parts, too. */
export async function* dispatch(
  method: ServedMethod | undefined,
  call: DispatchedCall,
  deps: DispatchDeps,
): AsyncGenerator<GrpcAnswerPart, void, undefined> {
  const ended = new AbortController();
  const end = (): void => ended.abort(call.signal.reason);
  const stop = (): void => ended.abort(deps.stopping.reason);
  call.signal.addEventListener('abort', end, { once: true });
  deps.stopping.addEventListener('abort', stop, { once: true });
  if (call.signal.aborted) end();
  if (deps.stopping.aborted) stop();
  const isUnary = method !== undefined && !method.spec.requestStream && !method.spec.responseStream;
  const timer = isUnary
    ? deps.clock.setTimeout(() => {
        ended.abort(new ShoalError('DEADLINE_EXCEEDED', `The call took longer than ${deps.unaryMsMax} ms.`));
      }, deps.unaryMsMax)
    : undefined;
  let made: GrpcCall<unknown> | undefined;
  const trailers = (): HeaderList => (made === undefined ? [] : [...trailersOf(made)]);
  try {
    if (method === undefined) throw noSuchMethod(call.path);
    const head = new DispatchedHead(call);
    made = new DispatchedGrpcCall(call, method.admit(head), ended.signal);
    yield* answers(method, call.requests, made);
    yield { kind: 'end', status: { code: 0, details: '', trailers: trailers() } };
  } catch (caught) {
    const status = deps.statusOf(caught);
    yield { kind: 'end', status: { ...status, trailers: [...trailers(), ...status.trailers] } };
  } finally {
    timer?.cancel();
    call.signal.removeEventListener('abort', end);
    deps.stopping.removeEventListener('abort', stop);
    // What the handler may still wait for ends with the call.
    ended.abort(new ShoalError('CANCELLED', 'The call is over.'));
  }
}

async function* answers(
  { spec, check, serve }: ServedMethod,
  requests: AsyncIterable<Uint8Array>,
  call: GrpcCall<unknown>,
): AsyncGenerator<GrpcAnswerPart, void, undefined> {
  const waiting = new Waiting(call.signal);
  const input = spec.requestStream
    ? incoming(decoded(requests, spec), call.signal, check)
    : spec.requestDeserialize(Buffer.from(await waiting.for(single(requests))));
  const answer = await waiting.for(serve(input, call));
  if (!spec.responseStream) {
    yield { kind: 'message', bytes: spec.responseSerialize(isObject(answer) ? answer : {}) };
    return;
  }
  assert(isObject(answer) && Symbol.asyncIterator in answer, 'a streaming handler yields its answers');
  const iterator = (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await waiting.for(iterator.next());
      if (next.done === true) return;
      assert(isObject(next.value), 'a streaming handler yields messages');
      yield { kind: 'message', bytes: spec.responseSerialize(next.value) };
    }
  } finally {
    // Not awaited: a generator that is stuck in its own await would keep the call from ending.
    iterator.return?.()?.then(undefined, () => {});
  }
}

class DispatchedHead implements CallHead {
  readonly remoteAddress: string;
  /** TLS proved the relaying agent to be itself, and nothing of the client. */
  readonly certificate = undefined;
  readonly handed: object | undefined;
  readonly #metadata: HeaderList;

  constructor({ remoteAddress, metadata, handed }: DispatchedCall) {
    this.remoteAddress = remoteAddress;
    this.handed = handed;
    this.#metadata = metadata;
  }

  header(name: string): string | undefined {
    return this.#metadata.find(([key]) => key === name)?.[1];
  }
}

class DispatchedGrpcCall extends DispatchedHead implements GrpcCall<unknown> {
  readonly caller: unknown;
  readonly signal: AbortSignal;

  constructor(call: DispatchedCall, caller: unknown, signal: AbortSignal) {
    super(call);
    this.caller = caller;
    this.signal = signal;
  }
}

async function* decoded(
  requests: AsyncIterable<Uint8Array>,
  spec: MethodSpec,
): AsyncGenerator<object, void, undefined> {
  for await (const bytes of requests) yield spec.requestDeserialize(Buffer.from(bytes));
}

/** The one request of a call that has one. Throws `INVALID_ARGUMENT` when there are none or more. */
async function single(requests: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  let found: Uint8Array | undefined;
  for await (const request of requests) {
    if (found !== undefined) throw new ShoalError('INVALID_ARGUMENT', 'The call has more than one request.');
    found = request;
  }
  if (found === undefined) throw new ShoalError('INVALID_ARGUMENT', 'The call has no request.');
  return found;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
