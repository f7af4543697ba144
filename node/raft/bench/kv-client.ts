/** Calls the key-value API of one member, ours or etcd's, over plain gRPC on loopback. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import {
  decodeRangeResponse,
  decodeStatusResponse,
  encodePut,
  encodeRange,
  kvPaths,
  noMessage,
  type PutRequest,
  type RangeRequest,
  type RangeResponse,
  type StatusResponse,
} from './kv-messages.ts';

/** Connections to one member: several, as several machines would have; more only cost. */
const connectionsMax = 4;
/** Longest that a call of the load may take. Unit: milliseconds. */
const callMsMax = 10_000;

export class KvClient {
  readonly #connections: readonly Client[];

  /** @param clients how many callers will share it. */
  constructor(address: string, clients: number) {
    this.#connections = Array.from({ length: Math.min(clients, connectionsMax) }, () => {
      return new Client(address, credentials.createInsecure(), {
        'grpc.use_local_subchannel_pool': 1,
        'grpc.enable_retries': 0,
        'grpc.service_config_disable_resolution': 1,
        // A member that was killed and is back must be found again at once.
        'grpc.initial_reconnect_backoff_ms': 50,
        'grpc.max_reconnect_backoff_ms': 100,
      });
    });
  }

  put(caller: number, request: PutRequest, timeoutMs = callMsMax): Promise<void> {
    return this.#call(caller, { path: kvPaths.put, encode: encodePut, decode: () => undefined }, request, timeoutMs);
  }

  range(caller: number, request: RangeRequest, timeoutMs = callMsMax): Promise<RangeResponse> {
    return this.#call(
      caller,
      { path: kvPaths.range, encode: encodeRange, decode: decodeRangeResponse },
      request,
      timeoutMs,
    );
  }

  /** etcd only. */
  status(timeoutMs: number): Promise<StatusResponse> {
    const method = { path: kvPaths.status, encode: () => noMessage, decode: decodeStatusResponse };
    return this.#call(0, method, undefined, timeoutMs);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #call<Q, A>(
    caller: number,
    method: {
      readonly path: string;
      readonly encode: (request: Q) => Buffer;
      readonly decode: (bytes: Buffer) => A;
    },
    request: Q,
    timeoutMs: number,
  ): Promise<A> {
    const connection = this.#connections[caller % this.#connections.length];
    if (connection === undefined) return Promise.reject(new Error('the client has no connection'));
    const options = { deadline: Date.now() + timeoutMs };
    return new Promise((resolve, reject) => {
      connection.makeUnaryRequest(
        method.path,
        method.encode,
        method.decode,
        request,
        options,
        (error: ServiceError | null, answer?: A) => {
          if (error !== null) reject(error);
          else resolve(answer as A);
        },
      );
    });
  }
}
