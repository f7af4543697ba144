import { type EventEmitter, once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import {
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Metadata,
  ResponderBuilder,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  ServerListenerBuilder,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { type Address, parseListenAddress } from '../base/address.ts';
import { AssertionError, assert, must } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import type { GrpcAnswerPart, HeaderList } from './answer-part.ts';
import type { CallerCertificate, CallHead, GrpcCall } from './call.ts';
import { type DispatchedCall, dispatch, noSuchMethod, type ServedMethod } from './dispatch.ts';
import { checkRequest, incoming, type RequestCheck } from './incoming.ts';
import type { ListenerLimits } from './listener/limits.ts';
import { Listener, type ListenerOptions, type ListenerTls } from './listener/listener.ts';
import { withoutThrowing } from './malformed-request.ts';
import { bytesOfEach, keepingBytes, RelayedFailure, rawAnswer, rawAnswers } from './raw-messages.ts';
import type { ByStreaming, MethodNames, MethodSpec, Request, ResponseFields, ServiceClass } from './service.ts';
import { methodsOf } from './service.ts';
import { type ErrorView, isServiceError, toStatus } from './status.ts';
import { metadataFrom, textsOf, trailersOf, trailersSet } from './trailers.ts';
import { Waiting } from './waiting.ts';

export type { CallHead, GrpcCall } from './call.ts';

/** Bounds of a gRPC server. Every one is needed: what is not bounded here a caller decides. */
export interface GrpcLimits {
  /** Largest message in either direction, bytes. */
  readonly messageBytesMax: number;
  /** Longest that a call with one answer may take, ms, however late the caller's own deadline is. */
  readonly unaryMsMax: number;
  /** Longest that a stream waits for a caller that does not read, ms. */
  readonly stalledMsMax: number;
  /** Calls at a time on one connection. */
  readonly callsPerConnectionMax: number;
  /** Silence on a connection after which it is pinged, ms. */
  readonly keepaliveMs: number;
  /** How long the answer to such a ping may take, ms, before the connection is given up. */
  readonly keepaliveTimeoutMs: number;
  /** A connection without a call is closed after so long, ms. Default: never. */
  readonly idleMsMax?: number | undefined;
  readonly listener: ListenerLimits;
}

/** Answers a call elsewhere. Resolves with undefined where it is to be answered here after all. */
type Relay<C> = (
  call: GrpcCall<C>,
  method: MethodSpec,
  content: {
    /** Texts alone. */
    readonly metadata: HeaderList;
    /** Their bytes. May be asked for again for a method that has one request. */
    requests(): AsyncIterable<Uint8Array>;
  },
) => Promise<AsyncIterable<GrpcAnswerPart> | undefined>;

/** How a method is served. */
type Handler<M, C> = ByStreaming<
  M,
  (request: Request<M>, call: GrpcCall<C>) => Promise<ResponseFields<M>>,
  (request: Request<M>, call: GrpcCall<C>) => AsyncIterable<ResponseFields<M>>,
  (requests: AsyncIterable<Request<M>>, call: GrpcCall<C>) => Promise<ResponseFields<M>>,
  (requests: AsyncIterable<Request<M>>, call: GrpcCall<C>) => AsyncIterable<ResponseFields<M>>
>;

/** A handler for each method of a generated service. */
export type Handlers<S, C> = { readonly [K in MethodNames<S>]: Handler<S[K], C> };

/** How a service is put on a server. */
interface ServiceOptions<S extends object, C> {
  readonly service: ServiceClass<S>;
  /**
   * Says who calls, or throws: `UNAUTHENTICATED`, `FORBIDDEN`, `RATE_LIMITED`. Runs before any content is read, so that a
   * stranger cannot make the server take in messages.
   */
  admit(head: CallHead, method: string): C;
  /**
   * Decides on what `admit`, which must not wait, could not. Runs before the handler; throws to refuse. `request`: not yet
   * checked; undefined where requests come as a stream.
   */
  authorize?(call: GrpcCall<C>, request: unknown): Promise<void>;
  /** Throws `INVALID_ARGUMENT` for a request that no handler is to see. Default: takes every one. */
  check?(request: unknown): void;
  /** Asked after `admit`. It passes on bytes, so it needs nothing for a new method. Default: all is answered here. */
  readonly relay?: Relay<C>;
  /** What is told of a failure of `authorize` or a handler. Default: the failure itself. */
  explain?(caught: unknown, call: GrpcCall<C>): unknown;
  readonly handlers: Handlers<S, C>;
}

/** What a server is made with. */
interface GrpcServerOptions extends Pick<ListenerOptions, 'isMember' | 'isExempt'> {
  readonly limits: GrpcLimits;
  readonly errorView: ErrorView;
}

/** A gRPC server whose handlers take typed requests, return or yield typed responses, and throw `ShoalError`. */
export class GrpcServer {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #limits: GrpcLimits;
  readonly #errorView: ErrorView;
  readonly #stopping = new AbortController();
  readonly #methods = new Map<string, ServedMethod>();
  /** What `admit` found out, by the one object that goes with a call from its head to its handler. */
  readonly #callers = new WeakMap<Metadata, { readonly caller: unknown }>();
  readonly #listenerOptions: Pick<ListenerOptions, 'isMember' | 'isExempt'>;
  readonly #listeners: Listener[] = [];

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }, options: GrpcServerOptions) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#limits = options.limits;
    this.#errorView = options.errorView;
    const { isMember, isExempt } = options;
    this.#listenerOptions = {
      ...(isMember === undefined ? {} : { isMember }),
      ...(isExempt === undefined ? {} : { isExempt }),
    };
    this.#server = new Server({
      'grpc.max_receive_message_length': options.limits.messageBytesMax,
      'grpc.max_send_message_length': options.limits.messageBytesMax,
      'grpc.max_concurrent_streams': options.limits.callsPerConnectionMax,
      'grpc.keepalive_time_ms': options.limits.keepaliveMs,
      'grpc.keepalive_timeout_ms': options.limits.keepaliveTimeoutMs,
      ...(options.limits.idleMsMax === undefined ? {} : { 'grpc.max_connection_idle_ms': options.limits.idleMsMax }),
      // Statistics of every call for a service that is not offered.
      'grpc.enable_channelz': 0,
      interceptors: [(method, call) => this.#intercept(method.path, call)],
    });
  }

  /** The port bound first; 0 before `listen`, and for a Unix socket. */
  get port(): number {
    return this.#listeners[0]?.address?.port ?? 0;
  }

  /** Connections that count towards the bounds now, and how many were cut to keep within them. */
  get connections(): { readonly counted: number; readonly cut: number } {
    const each = this.#listeners.map((listener) => listener.connections);
    return {
      counted: each.reduce((sum, { counted }) => sum + counted, 0),
      cut: each.reduce((sum, { cut }) => sum + cut, 0),
    };
  }

  /** Whether the connection from `ip:port`, as `CallHead.remoteAddress` says it, is open. */
  isConnectedFrom(remoteAddress: string): boolean {
    return this.#listeners.some((listener) => listener.isConnectedFrom(remoteAddress));
  }

  /** Cuts connections with TLS, and with them all calls that are under way there. Returns how many. */
  cut(isToGo: (socket: TLSSocket) => boolean): number {
    return this.#listeners.reduce((sum, listener) => sum + listener.cut(isToGo), 0);
  }

  /** Adds a service. Before `listen`. */
  add<S extends object, C>(options: ServiceOptions<S, C>): void {
    const { relay } = options;
    const plain = methodsOf(options.service).map(withoutThrowing);
    const methods = relay === undefined ? plain : plain.map(keepingBytes);
    const implementation: UntypedServiceImplementation = {};
    for (const method of methods) {
      const handler: unknown = Reflect.get(options.handlers, method.name);
      assert(typeof handler === 'function', `there is a handler for ${method.path}`);
      const serve = servedBy(options, method, handler);
      const served: ServedMethod = {
        spec: method,
        check: options,
        admit: (head) => options.admit(head, method.name),
        serve,
      };
      this.#methods.set(method.path, served);
      const invoke = relay === undefined ? serve : relayedBy(relay, method, serve);
      implementation[method.name] = this.#adapter(method, invoke, options);
    }
    this.#server.addService(Object.fromEntries(methods.map((method) => [method.name, method])), implementation);
  }

  /** Listens on `address` (`host:port`, port 0: any free one; or `unix:/path`). Returns the port. Throws `UNAVAILABLE`. */
  async listen(address: string, tls?: ListenerTls): Promise<number> {
    // The listener has accepted the connection, bounded it and done its TLS; what is injected is only spoken on.
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const listener = new Listener(
      { clock: this.#clock, logger: this.#logger },
      {
        ...this.#listenerOptions,
        limits: this.#limits.listener,
        ...(tls === undefined ? {} : { tls }),
        onConnection: (socket) => injector.injectConnection(socket),
      },
    );
    await listener.listen(whereOf(address));
    this.#listeners.push(listener);
    return listener.address?.port ?? 0;
  }

  /**
   * Runs a call that another agent relays: it is admitted, authorised and bounded as one that came over a connection, and is
   * never relayed on. Failures are parts of the answer.
   */
  dispatch(call: DispatchedCall): AsyncIterable<GrpcAnswerPart> {
    return dispatch(this.#methods.get(call.path), call, {
      clock: this.#clock,
      unaryMsMax: this.#limits.unaryMsMax,
      stopping: this.#stopping.signal,
      statusOf: (caught) => {
        const { code, details, metadata } = this.#failure(caught, call.path, call.signal.aborted);
        return { code, details, trailers: textsOf(metadata) };
      },
    });
  }

  /** Refuses new calls, ends running streams, lets short calls finish for `graceMs`, then cuts. Safe to call twice. */
  async stop(graceMs = 500): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'The agent is stopping.'));
    for (const listener of this.#listeners) listener.close();
    await new Promise<void>((resolve) => {
      // Not the clock's timer, which does not keep the process alive: a connection that was given up for dead leaves
      // nothing else that does, and the process would end in the middle of stopping.
      const timer = setTimeout(() => {
        this.#server.forceShutdown();
        resolve();
      }, graceMs);
      this.#server.tryShutdown(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    // A connection in the middle of its handshake is nobody's yet.
    for (const listener of this.#listeners) listener.cutAll();
  }

  /** Decides on a call by its head. A refused one is answered without reading on. */
  #intercept(path: string, call: ServerInterceptingCallInterface): ServerInterceptingCall {
    const method = this.#methods.get(path);
    const responder = new ResponderBuilder().withStart((next) => {
      next(
        new ServerListenerBuilder()
          .withOnReceiveMetadata((metadata, proceed) => {
            try {
              if (method === undefined) throw noSuchMethod(path);
              this.#callers.set(metadata, { caller: method.admit(new Head(call, metadata)) });
            } catch (caught) {
              call.sendStatus(this.#failure(caught, path));
              return;
            }
            proceed(metadata);
          })
          .build(),
      );
    });
    return new ServerInterceptingCall(call, responder.build());
  }

  #adapter(
    method: MethodSpec,
    invoke: (input: unknown, call: GrpcCall<unknown>) => Promise<unknown>,
    check: RequestCheck,
  ): UntypedServiceImplementation[string] {
    if (!method.requestStream && !method.responseStream) {
      const unary: handleUnaryCall<object, object> = (call, callback) => {
        this.#answer(call, callback, (made) => invoke(call.request, made), true);
      };
      return unary;
    }
    if (method.requestStream && !method.responseStream) {
      const clientStream: handleClientStreamingCall<object, object> = (call, callback) => {
        this.#answer(call, callback, (made) => invoke(incoming(call, made.signal, check), made), false);
      };
      return clientStream;
    }
    if (!method.requestStream) {
      const serverStream: handleServerStreamingCall<object, object> = (call) => {
        this.#stream(call, (made) => invoke(call.request, made));
      };
      return serverStream;
    }
    const bidi: handleBidiStreamingCall<object, object> = (call) => {
      this.#stream(call, (made) => invoke(incoming(call, made.signal, check), made));
    };
    return bidi;
  }

  #answer(
    surface: SurfaceCall,
    callback: (error: ReturnType<typeof toStatus> | null, value?: object, trailers?: Metadata) => void,
    run: (call: GrpcCall<unknown>) => Promise<unknown>,
    bounded: boolean,
  ): void {
    const { call, end } = this.#open(surface, bounded);
    // The caller is answered in time even when a handler does not listen to its signal.
    new Waiting(call.signal)
      .for(run(call))
      .then(
        (answer) => callback(null, isMessage(answer) ? answer : {}, trailersSet(call)),
        (caught: unknown) => callback(this.#failed(caught, surface, call)),
      )
      .finally(end);
  }

  #stream(surface: WritingCall, run: (call: GrpcCall<unknown>) => Promise<unknown>): void {
    const { call, end } = this.#open(surface, false);
    // Cancelling destroys the stream; without a listener its error would be nobody's and end the process.
    surface.on('error', (error: unknown) => this.#logger.debug({ error }, 'a call ended early'));
    this.#pump(surface, call, run)
      .then(
        () => surface.end(trailersSet(call)),
        (caught: unknown) => {
          surface.emit('error', this.#failed(caught, surface, call));
        },
      )
      .finally(end);
  }

  async #pump(
    surface: WritingCall,
    call: GrpcCall<unknown>,
    run: (call: GrpcCall<unknown>) => Promise<unknown>,
  ): Promise<void> {
    const answers = await run(call);
    assert(isAsyncIterable(answers), 'a streaming handler yields its answers');
    const iterator = answers[Symbol.asyncIterator]();
    const waiting = new Waiting(call.signal);
    try {
      for (;;) {
        const next: IteratorResult<unknown, unknown> = await waiting.for(iterator.next());
        if (next.done === true) return;
        assert(isMessage(next.value), 'a streaming handler yields messages');
        if (!surface.write(next.value)) await this.#drained(surface, waiting);
      }
    } finally {
      // Not awaited: a generator that is stuck in its own await would keep the call from ending.
      iterator
        .return?.()
        ?.then(undefined, (error: unknown) => this.#logger.debug({ error }, 'closing an answer failed'));
    }
  }

  async #drained(surface: WritingCall, waiting: Waiting): Promise<void> {
    const stalled = new AbortController();
    const timer = this.#clock.setTimeout(() => {
      stalled.abort(new ShoalError('DEADLINE_EXCEEDED', 'The caller has stopped reading.'));
    }, this.#limits.stalledMsMax);
    try {
      await waiting.for(once(surface, 'drain', { signal: stalled.signal }));
    } catch (caught) {
      throw stalled.signal.aborted ? stalled.signal.reason : caught;
    } finally {
      timer.cancel();
      stalled.abort(); // Takes the listener off when it was the call that ended.
    }
  }

  #open(surface: SurfaceCall, bounded: boolean): { readonly call: GrpcCall<unknown>; readonly end: () => void } {
    const ended = new AbortController();
    let timer: Timer | undefined;
    if (bounded) {
      timer = this.#clock.setTimeout(() => {
        ended.abort(new ShoalError('DEADLINE_EXCEEDED', `The call took longer than ${this.#limits.unaryMsMax} ms.`));
      }, this.#limits.unaryMsMax);
    }
    const stop = (): void => ended.abort(this.#stopping.signal.reason);
    if (this.#stopping.signal.aborted) stop();
    else this.#stopping.signal.addEventListener('abort', stop, { once: true });
    surface.on('cancelled', () => ended.abort(new ShoalError('CANCELLED', 'The caller went away.')));
    const admitted = must(this.#callers.get(surface.metadata), 'what admitted this call');
    return {
      call: new ServedCall(surface, admitted.caller, ended.signal),
      end: () => {
        timer?.cancel();
        this.#stopping.signal.removeEventListener('abort', stop);
      },
    };
  }

  #failed(caught: unknown, surface: SurfaceCall, call: GrpcCall<unknown>): ReturnType<typeof toStatus> & Error {
    const failure = this.#failure(caught, surface.getPath(), surface.cancelled);
    for (const [name, value] of trailersOf(call)) failure.metadata.set(name, value);
    return failure;
  }

  #failure(caught: unknown, path: string, cancelled = false): ReturnType<typeof toStatus> & Error {
    if (caught instanceof RelayedFailure) {
      const { code, details, trailers } = caught.status;
      return Object.assign(caught, { code, details, metadata: metadataFrom(trailers) });
    }
    if (caught instanceof AssertionError) {
      // A broken invariant ends the process wherever it shows; answering the caller must not swallow it.
      queueMicrotask(() => {
        throw caught;
      });
    }
    const error = caught instanceof ShoalError ? caught : undefined;
    if (error === undefined && !isServiceError(caught) && !cancelled) {
      this.#logger.error({ error: caught, path }, 'a call failed with an unexpected error');
    }
    const made =
      error === undefined
        ? { ...toStatus(unnamed, this.#errorView), code: status.INTERNAL }
        : toStatus(error, this.#errorView);
    return Object.assign(new Error(made.details), made);
  }
}

/** Authorises a call, checks its request and runs the handler. */
function servedBy<S extends object, C>(
  options: ServiceOptions<S, C>,
  method: MethodSpec,
  handler: object,
): ServedMethod['serve'] {
  const run = async (input: unknown, call: GrpcCall<C>): Promise<unknown> => {
    if (options.authorize !== undefined) await options.authorize(call, method.requestStream ? undefined : input);
    if (!method.requestStream) checkRequest(input, options);
    const answer: unknown = Reflect.apply(handler as () => unknown, options.handlers, [input, call]);
    return answer;
  };
  // The one place where what `admit` found out meets its type again.
  return async (input, call) => {
    const typed = call as GrpcCall<C>;
    try {
      return await run(input, typed);
    } catch (caught) {
      throw options.explain?.(caught, typed) ?? caught;
    }
  };
}

/** Answers a call elsewhere where `relay` does so. */
function relayedBy<C>(relay: Relay<C>, method: MethodSpec, serve: ServedMethod['serve']): ServedMethod['serve'] {
  return async (input, call) => {
    const requests = (): AsyncIterable<Uint8Array> => bytesOfEach(method.requestStream ? input : [input]);
    assert(call instanceof ServedCall, 'what is relayed came over a connection');
    const parts = await relay(call as GrpcCall<C>, method, { metadata: call.metadata, requests });
    if (parts === undefined) return serve(input, call);
    const trailers = trailersOf(call);
    return method.responseStream ? rawAnswers(parts, trailers) : rawAnswer(parts, trailers);
  };
}

function whereOf(address: string): Address | { readonly path: string } {
  return address.startsWith('unix:') ? { path: address.slice('unix:'.length) } : parseListenAddress(address);
}

/** Callers are told that something broke, not what: the cause is in this agent's log. */
const unnamed = new ShoalError('OUTCOME_UNKNOWN', 'The agent failed unexpectedly; its log says how.');

/** What says where a call comes from. */
interface CallOrigin {
  getPeer(): string;
  getAuthContext(): { readonly sslPeerCertificate?: CallerCertificate | undefined };
}

/** What every kind of call has in common. */
interface SurfaceCall extends CallOrigin {
  readonly cancelled: boolean;
  readonly metadata: Metadata;
  getPath(): string;
  on(event: string, listener: (error: unknown) => void): unknown;
}

type WritingCall = SurfaceCall &
  EventEmitter & {
    write(message: object): boolean;
    end(trailers?: Metadata): unknown;
  };

class Head implements CallHead {
  readonly #origin: CallOrigin;
  readonly #metadata: Metadata;

  constructor(origin: CallOrigin, metadata: Metadata) {
    this.#origin = origin;
    this.#metadata = metadata;
  }

  get remoteAddress(): string {
    return this.#origin.getPeer();
  }

  /** Taken from the TLS session when asked for, which costs some tens of microseconds. */
  get certificate(): CallerCertificate | undefined {
    return this.#origin.getAuthContext().sslPeerCertificate;
  }

  header(name: string): string | undefined {
    return this.#metadata.get(name)[0]?.toString();
  }
}

class ServedCall extends Head implements GrpcCall<unknown> {
  readonly #metadata: Metadata;
  readonly caller: unknown;
  readonly signal: AbortSignal;

  constructor(surface: SurfaceCall, caller: unknown, signal: AbortSignal) {
    super(surface, surface.metadata);
    this.#metadata = surface.metadata;
    this.caller = caller;
    this.signal = signal;
  }

  /** Its texts. */
  get metadata(): HeaderList {
    return textsOf(this.#metadata);
  }
}

function isMessage(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return isMessage(value) && Symbol.asyncIterator in value;
}
