/**
 * Calls the key-value API of one member, ours or etcd's, over plain gRPC on loopback: HTTP/2 as Node has it, and no more
 * of gRPC than a call with one answer needs. grpc-js does the same and costs the load generator twice as much, which on a
 * small machine is taken from the system under test.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2';
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
/** In front of each message: 0 for "not compressed", then the length in four bytes. */
const prefixBytes = 5;

export class KvClient {
  readonly #connections: readonly Connection[];

  /** @param clients how many callers will share it. */
  constructor(address: string, clients: number) {
    this.#connections = Array.from({ length: Math.min(clients, connectionsMax) }, () => new Connection(address));
  }

  async put(caller: number, request: PutRequest, timeoutMs = callMsMax): Promise<void> {
    await this.#connection(caller).call(kvPaths.put, encodePut(request), timeoutMs);
  }

  async range(caller: number, request: RangeRequest, timeoutMs = callMsMax): Promise<RangeResponse> {
    return decodeRangeResponse(await this.#connection(caller).call(kvPaths.range, encodeRange(request), timeoutMs));
  }

  /** etcd only. */
  async status(timeoutMs: number): Promise<StatusResponse> {
    return decodeStatusResponse(await this.#connection(0).call(kvPaths.status, noMessage, timeoutMs));
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #connection(caller: number): Connection {
    const connection = this.#connections[caller % this.#connections.length];
    if (connection === undefined) throw new Error('the client has no connection');
    return connection;
  }
}

/** One HTTP/2 session, made when first used and again when lost: a member that was killed is found again at once. */
class Connection {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** Sends one message and resolves with the one that answers it. Rejects after `timeoutMs`, or with the call's status. */
  call(path: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const stream = this.#open().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: unknown;
    const timer = setTimeout(() => {
      reject(new Error(`no answer within ${timeoutMs} ms`));
      stream.close(constants.NGHTTP2_CANCEL);
    }, timeoutMs);
    // A call that fails at once has its status among the headers.
    stream.on('response', (headers) => {
      status = headers['grpc-status'];
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', reject);
    stream.on('close', () => {
      clearTimeout(timer);
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      if (status === '0' && whole.length >= prefixBytes) resolve(whole.subarray(prefixBytes));
      else reject(new Error(`the call ended with status ${String(status)}`));
    });
    const framed = Buffer.allocUnsafe(prefixBytes + message.length);
    framed[0] = 0;
    framed.writeUInt32BE(message.length, 1);
    message.copy(framed, prefixBytes);
    stream.end(framed);
    return promise;
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  #open(): ClientHttp2Session {
    const session = this.#session;
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    const made = connect(`http://${this.#address}`);
    // Each call on it hears of it by itself.
    made.on('error', () => {});
    this.#session = made;
    return made;
  }
}
