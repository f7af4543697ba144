import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { endToEnd, headerList, isRelayable } from '../../../node/mesh/relay/heads.ts';
import { isUnreached } from '../../../node/mesh/relay/relay-client.ts';
import type { RelayOrigin, RestAnswer, RestHead } from '../../../node/mesh/relay/relayed.ts';
import type { HeaderList } from '../../../node/rpc/answer-part.ts';
import { type ApiRelay, PartialAnswer } from '../../kit/api-relay.ts';

/** How a request is answered: `done` a replica has answered it; else here, from the slice or from the whole state. */
type Outcome = { readonly kind: 'done' } | { readonly kind: 'here'; readonly partial: PartialAnswer | undefined };

/**
 * Has a replica answer a request, or says how it is to be answered here. The request's body is untouched unless it is done.
 * Throws what the client is to be told: `OUTCOME_UNKNOWN`, `RATE_LIMITED`, `INVALID_ARGUMENT`, what `signal` says.
 * @param drain reads the rest of a request that was answered before its end.
 */
export async function answerByReplica(
  relay: ApiRelay,
  request: FastifyRequest,
  reply: FastifyReply,
  way: {
    readonly origin: RelayOrigin;
    readonly signal: AbortSignal;
    readonly drain: () => void;
    readonly isStopping: () => boolean;
  },
): Promise<Outcome> {
  const route = relay.route();
  if (route.kind === 'here') return { kind: 'here', partial: undefined };
  const here: Outcome = { kind: 'here', partial: new PartialAnswer(route.slice) };
  if (route.kind === 'nowhere') return here;
  const { raw } = request;
  const head = headOf(raw, request.originalUrl, way.origin);
  if (!isRelayable(head.method, head.target)) return here;
  let answer: RestAnswer;
  try {
    answer = await relay.client.rest(route.replicas, head, way.origin, (signal) => bodyOf(raw, signal), way.signal);
  } catch (caught) {
    way.signal.throwIfAborted();
    if (isUnreached(caught)) return here;
    throw caught;
  }
  // The request has timed out and was told so.
  if (reply.sent) return { kind: 'done' };
  reply.hijack();
  await write(reply.raw, answer, { isHead: head.method === 'HEAD', signal: way.signal, isLast: way.isStopping() });
  way.drain();
  return { kind: 'done' };
}

function headOf(raw: IncomingMessage, target: string, { baseUrl }: RelayOrigin): RestHead {
  const headers = endToEnd(headerList(raw.rawHeaders));
  const hosts = headers.filter(([name]) => name === 'host');
  const [host] = hosts.length > 0 ? hosts : [['host', new URL(baseUrl).host] as const];
  const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers;
  return {
    method: raw.method ?? '',
    target,
    // The first, as the router takes it.
    headers: [...(host === undefined ? [] : [host]), ...headers.filter(([name]) => name !== 'host')],
    body: encoding !== undefined ? 'unknown' : length === undefined ? 'none' : Number(length),
  };
}

/** The body as it comes. Leaves the request open when it is not read to the end, so that its sender can be answered. */
async function* bodyOf(raw: IncomingMessage, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    signal.throwIfAborted();
    const chunk: unknown = raw.read();
    if (chunk instanceof Uint8Array) {
      yield chunk;
      continue;
    }
    if (raw.readableEnded && raw.complete) return;
    if (raw.destroyed) throw new ShoalError('CANCELLED', 'The caller has gone away.');
    await changeOf(raw, signal);
  }
}

/** Waits until there is something to read, the end has come, or the signal aborts. */
function changeOf(raw: IncomingMessage, signal: AbortSignal): Promise<void> {
  const events = ['readable', 'end', 'close', 'error'] as const;
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of events) raw.off(event, done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    for (const event of events) raw.on(event, done);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Writes the answer as it comes, no faster than the client reads. One that breaks off breaks the connection. */
async function write(
  response: ServerResponse,
  answer: RestAnswer,
  { isHead, signal, isLast }: { readonly isHead: boolean; readonly signal: AbortSignal; readonly isLast: boolean },
): Promise<void> {
  const { status, bodyBytes } = answer;
  const headers: [string, string][] = rawHeaders(answer.headers);
  if (bodyBytes !== undefined) headers.push(['content-length', String(bodyBytes)]);
  if (isLast) headers.push(['connection', 'close']);
  let left = isHead || status === 204 || status === 304 ? 0 : (bodyBytes ?? Number.POSITIVE_INFINITY);
  try {
    response.writeHead(status, headers.flat());
    for await (const bytes of answer.body) {
      left -= bytes.length;
      // What is beyond the length that was said would be read as another answer.
      if (left < 0) throw new ShoalError('UNAVAILABLE', 'The replica’s answer is longer than its length says.');
      if (!response.write(bytes)) await roomIn(response, signal);
    }
    if (Number.isFinite(left) && left > 0) throw new ShoalError('UNAVAILABLE', 'The replica’s answer is cut short.');
    response.end();
  } catch (caught) {
    // The head has been sent: only a broken connection tells the client that this is not all.
    response.destroy(caught instanceof Error ? caught : undefined);
  }
}

function rawHeaders(headers: HeaderList): [string, string][] {
  return headers.map(([name, value]) => [name, value]);
}

function roomIn(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      response.off('drain', done).off('close', done);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason);
      else resolve();
    };
    response.on('drain', done).on('close', done);
    signal.addEventListener('abort', done, { once: true });
  });
}
