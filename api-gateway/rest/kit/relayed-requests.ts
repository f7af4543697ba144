import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type Duplex, duplexPair } from 'node:stream';
import { ShoalError } from '../../../node/base/errors.ts';
import { endToEnd, headerList } from '../../../node/mesh/relay/heads.ts';
import type { RelayOrigin, RestAnswer, RestHead } from '../../../node/mesh/relay/relayed.ts';
import type { GatewayLimits } from '../../kit/limits.ts';

/**
 * Requests that other agents relay, given to the router over HTTP within this process: so they meet the same parser, bounds and
 * hooks as those that come over the network. Each has a connection of its own, on which one request fits.
 */
export class RelayedRequests {
  readonly #http: Server;
  readonly #origins = new WeakMap<object, RelayOrigin>();
  readonly #open = new Set<Duplex>();
  #onIdle = (): void => {};

  constructor(limits: GatewayLimits, route: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#http = createServer({ maxHeaderSize: 2 * limits.headerBytesMax, requestTimeout: 0 }, route);
  }

  /** Where a request comes from, by its connection; undefined: it was not relayed. */
  originOf(socket: object): RelayOrigin | undefined {
    return this.#origins.get(socket);
  }

  /** Runs a request (see `RelayedApi.rest`). */
  async run(
    head: RestHead,
    origin: RelayOrigin,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<RestAnswer> {
    signal.throwIfAborted();
    const [near, far] = duplexPair();
    this.#origins.set(far, origin);
    this.#open.add(far);
    const request = httpRequest({
      method: head.method,
      path: head.target,
      headers: headersFor(head),
      setHost: false,
      createConnection: () => near,
    });
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    const abort = (): void => {
      request.destroy(ShoalError.from(signal.reason, 'CANCELLED'));
      cut();
    };
    signal.addEventListener('abort', abort, { once: true });
    far.on('error', cut);
    far.once('close', () => {
      this.#open.delete(far);
      if (this.#open.size === 0) this.#onIdle();
      signal.removeEventListener('abort', abort);
      // Cut by this side: what has not been read by then is lost, and the reader must hear of it.
      if (!near.readableEnded) near.destroy(new ShoalError('UNAVAILABLE', 'The gateway has cut the request.'));
    });
    this.#http.emit('connection', far);
    const response = await answered(request, () => void send(request, head, body));
    const { statusCode = 0, rawHeaders, headers } = response;
    const length = headers['content-length'];
    return {
      status: statusCode,
      headers: endToEnd(headerList(rawHeaders)),
      bodyBytes: length === undefined ? undefined : Number(length),
      body: bodyOf(response, cut),
    };
  }

  /** Lets requests under way finish for `graceMs`, then cuts them. */
  async stop(graceMs: number): Promise<void> {
    if (this.#open.size > 0) {
      await new Promise<void>((resolve) => {
        // Not by the clock, whose timers do not keep the process alive.
        const timer = setTimeout(resolve, graceMs);
        this.#onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    for (const socket of this.#open) socket.destroy();
    this.#http.close();
  }
}

/** Resolves with the head of the answer. Errors that come later reach the reader of the body. */
function answered(request: ReturnType<typeof httpRequest>, start: () => void): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => reject(ShoalError.from(error, 'UNAVAILABLE')));
    start();
  });
}

async function send(
  request: ReturnType<typeof httpRequest>,
  head: RestHead,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  if (head.body === 'none') {
    request.end();
    return;
  }
  let left = typeof head.body === 'number' ? head.body : Number.POSITIVE_INFINITY;
  try {
    for await (const bytes of body) {
      left -= bytes.length;
      // What is beyond the length that was said would be read as another request.
      if (left < 0) throw new ShoalError('INVALID_ARGUMENT', 'The body is longer than its length says.');
      if (request.destroyed) return;
      if (!request.write(bytes)) await roomIn(request);
    }
    if (Number.isFinite(left) && left > 0)
      throw new ShoalError('CANCELLED', 'The body is shorter than its length says.');
    request.end();
  } catch (caught) {
    request.destroy(ShoalError.from(caught, 'CANCELLED'));
  }
}

function roomIn(request: ReturnType<typeof httpRequest>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      request.off('drain', done).off('close', done);
      resolve();
    };
    request.on('drain', done).on('close', done);
  });
}

async function* bodyOf(response: IncomingMessage, cut: () => void): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) yield chunk;
    if (!response.complete) throw new ShoalError('UNAVAILABLE', 'The answer broke off.');
  } catch (caught) {
    throw ShoalError.from(caught, 'UNAVAILABLE', 'The answer broke off');
  } finally {
    cut();
  }
}

/** Node's flat list. The length of the body is said by this side, which counts it. */
function headersFor({ method, headers, body }: RestHead): string[] {
  const flat: string[] = headers.flat();
  if (body === 'unknown') flat.push('transfer-encoding', 'chunked');
  else if (typeof body === 'number') flat.push('content-length', String(body));
  // Node would announce a body in chunks, and an empty body is one that has a type.
  else if (method === 'POST' || method === 'PUT' || method === 'PATCH') flat.push('content-length', '0');
  return flat;
}
