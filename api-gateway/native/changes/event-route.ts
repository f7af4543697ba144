/** `GET /shoal/v1/events`: changes as Server-Sent Events. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { StateClient } from '../../../node/state/types.ts';
import { WatchStreams } from '../../grpc/kit/watch-streams.ts';
import { failureOf } from '../../kit/errors.ts';
import { shown } from '../../kit/input.ts';
import { Query } from '../../rest/kit/lists/query.ts';
import type { Gateway } from '../../rest/kit/module.ts';
import { wholeNumber } from '../../rest/kit/whole-number.ts';
import { type Change, ChangeFeed } from './change-feed.ts';
import { changeStream, type StreamItem } from './change-stream.ts';
import { changedKinds } from './kinds.ts';

/** Longest that a stream waits for a reader that does not read, milliseconds. */
const stalledMsMax = 30_000;
/** How long browsers wait before they come again, milliseconds. */
const retryMs = 2_000;

const kindNames: ReadonlySet<string> = new Set(changedKinds.map(({ name }) => name));

/** Rules asked here beside the route's own. */
const seeAll = 'shoal:events:watch_all';

/**
 * Adds the route. Query: `kinds` (names with commas between; default: all that the caller may see), `all_projects=true` (for
 * administrators). A reader that comes again with `Last-Event-ID` misses nothing.
 */
export function addEventRoute(app: FastifyInstance, gateway: Gateway, state: StateClient): void {
  const feed = new ChangeFeed(state);
  const { watchStreamsMax: max, watchStreamsPerUserMax: perUserMax } = gateway.limits;
  const streams = new WatchStreams({ max, perUserMax });
  app.get('/events', { config: { timeoutMs: 0 } }, async (request, reply) => {
    if (gateway.partial(request) !== undefined) {
      throw new ShoalError('NOT_IN_SLICE', 'A stream of changes needs all of the records.');
    }
    const signal = AbortSignal.any([gateway.signal(request), gateway.stopping]);
    const options = {
      clock: gateway.clock,
      signal,
      afterRevision: lastSeen(request),
      ...filterOf(gateway, request),
    };
    const { userId } = gateway.context(request);
    const items = streams.counted(userId, () => changeStream(feed, options));
    // Refusals are answers like any other: nothing has been sent yet.
    const first = await items.next();
    await send(gateway, reply, first.value, items, signal);
  });
}

/** What the caller may see, and has asked for. Throws `INVALID_ARGUMENT` and `FORBIDDEN`. */
function filterOf(gateway: Gateway, request: FastifyRequest) {
  const query = Query.of(request);
  const unknownKey = query.keys.find((key) => key !== 'kinds' && key !== 'all_projects');
  if (unknownKey !== undefined) throw bad(`there is no ${shown(unknownKey)}`);
  const everywhere = query.one('all_projects') ?? 'false';
  if (everywhere !== 'true' && everywhere !== 'false') throw bad('all_projects is true or false');
  const kinds = query.one('kinds');
  const wanted: ReadonlySet<string> = kinds === undefined ? kindNames : new Set(kinds.split(','));
  if ([...wanted].some((name) => !kindNames.has(name))) throw bad(`kinds are among ${[...kindNames].join(', ')}`);
  const asksForMesh = kinds !== undefined && changedKinds.some(({ name, isMesh }) => isMesh && wanted.has(name));
  if (everywhere === 'true' || asksForMesh) gateway.enforce(request, seeAll);
  const isOperator = gateway.allows(request, seeAll);
  const { projectId: own } = gateway.context(request);
  return {
    sees: ({ kind, isMesh, projectId }: Change): boolean => {
      if (!wanted.has(kind)) return false;
      if (isMesh) return isOperator;
      // Deleted before anybody here knew whose it was: to whom it does not concern it is a random id.
      return everywhere === 'true' || projectId === undefined || (own !== '' && projectId === own);
    },
    /** Throws when the caller may see less than in the beginning. */
    recheck: async (): Promise<void> => {
      await gateway.recheck(request);
      if (isOperator) gateway.enforce(request, seeAll);
    },
  };
}

function bad(what: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `Invalid query: ${what}.`);
}

/** The id of the last event that the reader has seen. Throws `INVALID_ARGUMENT`. */
function lastSeen({ headers }: FastifyRequest): number | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  return wholeNumber('Last-Event-ID', String(id));
}

async function send(
  gateway: Gateway,
  reply: FastifyReply,
  first: StreamItem,
  items: AsyncGenerator<StreamItem>,
  signal: AbortSignal,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  // `x-accel-buffering`: nginx would keep the events back.
  raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  try {
    await write(gateway, raw, `retry: ${retryMs}\n${textOf(first)}`, signal);
    for await (const item of items) await write(gateway, raw, textOf(item), signal);
  } catch (caught) {
    const { code, message } = failureOf(caught);
    if (!gateway.stopping.aborted && code !== 'CANCELLED') raw.write(eventOf('end', { reason: code ?? '', message }));
  } finally {
    await items.return(undefined);
    raw.end();
  }
}

function textOf(item: StreamItem): string {
  switch (item.kind) {
    case 'alive':
      return ':\n\n';
    case 'begin':
      return eventOf(item.isReset ? 'reset' : 'begin', { revision: item.revision }, item.revision);
    case 'changes': {
      const changes = item.changes.map(({ kind, id, isDeleted }) => ({ kind, id, deleted: isDeleted }));
      return eventOf('changes', { revision: item.revision, changes }, item.revision);
    }
  }
}

/** One event as the wire has it. JSON has no line feed. */
function eventOf(event: string, data: object, id?: number): string {
  return `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** No faster than it is read. Throws `DEADLINE_EXCEEDED` for a reader that has stopped. */
async function write(gateway: Gateway, raw: ServerResponse, text: string, signal: AbortSignal): Promise<void> {
  if (raw.write(text)) return;
  const stalled = new AbortController();
  const timer = gateway.clock.setTimeout(() => {
    stalled.abort(new ShoalError('DEADLINE_EXCEEDED', 'The reader has stopped reading.'));
  }, stalledMsMax);
  try {
    await once(raw, 'drain', { signal: AbortSignal.any([stalled.signal, signal]) });
  } catch (caught) {
    if (stalled.signal.aborted) {
      raw.destroy();
      throw stalled.signal.reason;
    }
    throw caught;
  } finally {
    timer.cancel();
  }
}
