/** `/os-server-external-events`: what other services tell Nova of servers. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import { serverTable } from '../../../../node/state/tables/index.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/compute.ts';
import type { View } from '../kit/common.ts';
import { viewingOf } from '../kit/common.ts';
import { type Microversion, microversionOf } from '../kit/microversion.ts';

/** Names of events, each with the first microversion that has it. */
const eventsFrom: Readonly<Record<string, Microversion>> = {
  'network-changed': 1,
  'network-vif-plugged': 1,
  'network-vif-unplugged': 1,
  'network-vif-deleted': 1,
  'volume-extended': 51,
  'power-update': 76,
  'accelerator-request-bound': 82,
  'volume-reimaged': 93,
};
/** Those that mean nothing without a tag. */
const tagged = new Set(['volume-extended', 'power-update', 'accelerator-request-bound', 'volume-reimaged']);

/**
 * Adds it. Ports and volumes are records of the same state as servers, and hosts follow them: an event about a server that is
 * on a host is acknowledged, and nothing more is to be done. 207 when one of them is refused.
 */
export function addExternalEvents(app: FastifyInstance, gateway: Gateway): void {
  app.post(
    '/v2.1/os-server-external-events',
    { config: { body: schemas.externalEventsBody } },
    async (request, reply) => {
      const { events } = parse(schemas.externalEventsBody, request.body);
      for (const { name } of events) {
        if (microversionOf(request) >= (ownValue(eventsFrom, name) ?? Number.POSITIVE_INFINITY)) continue;
        throw new ShoalError('INVALID_ARGUMENT', `Invalid body: events has the unknown name ${shown(name)}.`);
      }
      const { reader } = await viewingOf(gateway, request);
      const views = events.map((event) => ({ ...event, ...outcomeOf(reader, event) }));
      return reply.code(views.every(({ code }) => code === 200) ? 200 : 207).send({ events: views satisfies View[] });
    },
  );
}

/** What becomes of one event, as Nova's answer has it. */
function outcomeOf(
  reader: StateReader,
  event: { readonly server_uuid: string; readonly name: string; readonly tag?: string },
): { readonly status: 'completed' | 'failed'; readonly code: 200 | 400 | 404 | 422 } {
  const server = serverTable.get(reader, event.server_uuid)?.record;
  if (server === undefined) return { status: 'failed', code: 404 };
  if (tagged.has(event.name) && event.tag === undefined) return { status: 'failed', code: 400 };
  if (server.hostId === '') return { status: 'failed', code: 422 };
  return { status: 'completed', code: 200 };
}
