import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  connectivityState,
  Metadata,
  status,
} from '@grpc/grpc-js';
import { must } from '../base/assert.ts';
import { ShoalError } from '../base/errors.ts';
import {
  type ByStreaming,
  type MethodNames,
  type MethodSpec,
  methodsOf,
  type RequestFields,
  type Response,
  type ServiceClass,
} from './service.ts';
import { fromServiceError, isServiceError } from './status.ts';

/** How long a call may take, and who may end it. */
export interface UnaryOptions {
  /** From now to the answer, connecting included, ms. There is no call without one. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Streams live until one side ends them; keepalive notices a dead one. */
export interface StreamOptions {
  /** Ends the stream, ms from now. Absent: it lives as long as both sides want it. */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The writing end of a stream of requests. */
export interface RequestStream<Q, A> {
  /** False: the transport's buffer is full, wait for `drained` before the next one. */
  write(message: Q): boolean;
  /** Resolves when the buffer has room; rejects when the stream is over. */
  drained(): Promise<void>;
  /** No more requests. */
  end(): void;
  /** Gives the call up. */
  cancel(): void;
  /** The one answer, or the error that ended the stream. Always handled inside, so it may be left alone. */
  readonly answer: Promise<A>;
}

/** How a method is called. */
type Call<M> = ByStreaming<
  M,
  (request: RequestFields<M>, options: UnaryOptions) => Promise<Response<M>>,
  (request: RequestFields<M>, options: StreamOptions) => AsyncIterable<Response<M>>,
  (options: StreamOptions) => RequestStream<RequestFields<M>, Response<M>>,
  (requests: AsyncIterable<RequestFields<M>>, options: StreamOptions) => AsyncIterable<Response<M>>
>;

/** A call for each method of a generated service. Every failure is a `ShoalError`. */
export type Calls<S> = { readonly [K in MethodNames<S>]: Call<S[K]> };

/** Bounds of a client's connection. */
export interface ClientLimits {
  readonly messageBytesMax: number;
  /** See `GrpcLimits`; only while calls are under way. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** A connection without a call is closed after so long, ms, and made again by the next one. Default: grpc-js's 30 minutes. */
  readonly idleMsMax?: number;
  /** First and longest pause between attempts to connect, ms; grpc-js doubles it and adds jitter. */
  readonly reconnectMsMin: number;
  readonly reconnectMsMax: number;
}

/** One connection to one address, made when first used and remade when lost. */
export class GrpcClient {
  readonly #client: Client;
  readonly #headers: Readonly<Record<string, string>>;
  /** Calls under way. */
  readonly #calls = new Set<CallUnderWay>();
  #closesWhenIdle = false;

  /**
   * @param serverName what the server is called in TLS (SNI), where its address is not a name.
   * @param headers what goes along with every call.
   */
  constructor(
    address: string,
    credentials: ChannelCredentials,
    limits: ClientLimits,
    serverName?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.#headers = headers;
    this.#client = new Client(address, credentials, {
      ...(serverName === undefined ? {} : { 'grpc.ssl_target_name_override': serverName }),
      'grpc.max_receive_message_length': limits.messageBytesMax,
      'grpc.max_send_message_length': limits.messageBytesMax,
      'grpc.keepalive_time_ms': limits.keepaliveMs,
      'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
      'grpc.keepalive_permit_without_calls': 0,
      ...(limits.idleMsMax === undefined ? {} : { 'grpc.client_idle_timeout_ms': limits.idleMsMax }),
      'grpc.initial_reconnect_backoff_ms': limits.reconnectMsMin,
      'grpc.max_reconnect_backoff_ms': limits.reconnectMsMax,
      // A retry is a decision of the caller, who knows whether the call may be repeated.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      'grpc.enable_http_proxy': 0,
      'grpc.use_local_subchannel_pool': 1,
      // Statistics of every call for a service that is not offered.
      'grpc.enable_channelz': 0,
    });
  }

  /** Whether a connection is up at this moment. */
  get isConnected(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Whether calls are under way. */
  get isBusy(): boolean {
    return this.#calls.size > 0;
  }

  /** Connects unless connected. Throws `UNAVAILABLE` after `timeoutMs`; nothing has been sent then. */
  connect(timeoutMs: number): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#client.waitForReady(Date.now() + timeoutMs, (error) => {
        if (error === undefined) resolve();
        else reject(new ShoalError('UNAVAILABLE', `no connection within ${timeoutMs} ms`, { cause: error }));
      });
    });
  }

  /** Typed calls of one service over this connection. */
  calls<S extends object>(service: ServiceClass<S>): Calls<S> {
    const calls: Record<string, unknown> = {};
    for (const method of methodsOf(service)) calls[method.name] = this.#call(method);
    // The one place where run time meets types: methodsOf gives exactly the methods that MethodNames names.
    return calls as Calls<S>;
  }

  /** No more calls. Those that have begun go on to their end; one that still waits for a connection fails. */
  close(): void {
    this.#client.close();
  }

  /** Closes once no call is under way: for a client that is replaced and gets no more. */
  closeWhenIdle(): void {
    this.#closesWhenIdle = true;
    if (!this.isBusy) this.close();
  }

  /** No more calls, and those under way fail now, with `UNAVAILABLE` and this reason. */
  cut(why: string): void {
    this.#client.close();
    for (const { call } of this.#calls) call?.cancelWithStatus(status.UNAVAILABLE, why);
  }

  #call(method: MethodSpec): unknown {
    if (!method.requestStream && !method.responseStream) {
      return (request: object, options: UnaryOptions) => this.#unary(method, request, options);
    }
    if (method.requestStream && !method.responseStream) {
      return (options: StreamOptions) => this.#requestStream(method, options);
    }
    if (!method.requestStream) {
      return (request: object, options: StreamOptions) => this.#answers(method, request, options);
    }
    return (requests: AsyncIterable<object>, options: StreamOptions) => this.#both(method, requests, options);
  }

  #unary(method: MethodSpec, request: object, options: UnaryOptions): Promise<object> {
    return new Promise((resolve, reject) => {
      if (options.signal?.aborted) {
        reject(cancelled());
        return;
      }
      const cancel = (): void => call.cancel();
      const call = this.#client.makeUnaryRequest<object, object>(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        this.#metadata(options.headers),
        deadlineIn(options.timeoutMs),
        (error, answer) => {
          options.signal?.removeEventListener('abort', cancel);
          this.#over(call);
          if (error !== null) reject(fromServiceError(error));
          else resolve(must(answer, 'the answer of a call that succeeded'));
        },
      );
      this.#calls.add(call);
      options.signal?.addEventListener('abort', cancel, { once: true });
    });
  }

  #requestStream(method: MethodSpec, options: StreamOptions): RequestStream<object, object> {
    let over = false;
    let wake: (() => void) | undefined;
    const { promise: answer, resolve, reject } = Promise.withResolvers<object>();
    answer.catch(() => {}); // Reported to the awaiting caller; a writer that only writes learns of it from `drained`.
    const stream = this.#client.makeClientStreamRequest<object, object>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.#metadata(options.headers),
      deadlineIn(options.timeoutMs),
      (error, value) => {
        over = true;
        this.#over(stream);
        if (error !== null) reject(fromServiceError(error));
        else resolve(must(value, 'the answer of a call that succeeded'));
        wake?.();
      },
    );
    this.#calls.add(stream);
    cancelOn(options.signal, stream);
    stream.on('drain', () => wake?.());
    return {
      write: (message) => stream.write(message),
      drained: async () => {
        if (!over && stream.writableNeedDrain) {
          const drained = Promise.withResolvers<void>();
          wake = drained.resolve;
          await drained.promise;
        }
        if (over) {
          await answer;
          throw new ShoalError('CANCELLED', 'The other side ended the stream.');
        }
      },
      end: () => stream.end(),
      cancel: () => stream.cancel(),
      answer,
    };
  }

  #answers(method: MethodSpec, request: object, options: StreamOptions): AsyncIterable<object> {
    const stream = this.#client.makeServerStreamRequest<object, object>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      this.#metadata(options.headers),
      deadlineIn(options.timeoutMs),
    );
    this.#underWay(stream);
    cancelOn(options.signal, stream);
    return incoming(stream);
  }

  #both(method: MethodSpec, requests: AsyncIterable<object>, options: StreamOptions): AsyncIterable<object> {
    const stream = this.#client.makeBidiStreamRequest<object, object>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      this.#metadata(options.headers),
      deadlineIn(options.timeoutMs),
    );
    this.#underWay(stream);
    cancelOn(options.signal, stream);
    outgoing(stream, requests).catch((error: unknown) => stream.destroy(ShoalError.from(error, 'CANCELLED')));
    return incoming(stream);
  }

  #metadata(headers: Readonly<Record<string, string>> | undefined): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries({ ...this.#headers, ...headers })) metadata.set(name, value);
    return metadata;
  }

  #over(call: CallUnderWay): void {
    this.#calls.delete(call);
    if (this.#closesWhenIdle && !this.isBusy) this.close();
  }

  #underWay(stream: ClientReadableStream<object> | ClientDuplexStream<object, object>): void {
    this.#calls.add(stream);
    // 'status' comes once for every call, whatever becomes of it.
    stream.once('status', () => this.#over(stream));
  }
}

/** A call of grpc-js; `call` is there once it has begun. */
interface CallUnderWay {
  readonly call?: { cancelWithStatus(code: status, details: string): void };
}

async function outgoing(stream: ClientDuplexStream<object, object>, requests: AsyncIterable<object>): Promise<void> {
  for await (const request of requests) {
    if (stream.destroyed) return;
    if (!stream.write(request)) await roomIn(stream);
  }
  stream.end();
}

/** Waits until the stream takes more, or is over. Leaves no listener behind: a long stream waits thousands of times. */
function roomIn(stream: ClientDuplexStream<object, object>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
    if (stream.destroyed) done();
  });
}

async function* incoming(
  stream: ClientReadableStream<object> | ClientDuplexStream<object, object>,
): AsyncGenerator<object> {
  let finished = false;
  try {
    for await (const message of stream as AsyncIterable<object>) yield message;
    finished = true;
  } catch (caught) {
    finished = true;
    throw isServiceError(caught) ? fromServiceError(caught) : ShoalError.from(caught, 'UNAVAILABLE');
  } finally {
    // The reader left early: the other side must hear of it, or it goes on sending into a void.
    if (!finished) stream.cancel();
  }
}

function cancelOn(
  signal: AbortSignal,
  stream: { cancel(): void; on(event: 'close' | 'error', listener: () => void): unknown },
): void {
  const cancel = (): void => stream.cancel();
  // Errors reach the reader or the answer; this listener keeps those that come after both from being nobody's.
  stream.on('error', () => {});
  if (signal.aborted) {
    cancel();
    return;
  }
  signal.addEventListener('abort', cancel, { once: true });
  stream.on('close', () => signal.removeEventListener('abort', cancel));
}

function cancelled(): ShoalError {
  return new ShoalError('CANCELLED', 'The caller gave up.');
}

function deadlineIn(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}
