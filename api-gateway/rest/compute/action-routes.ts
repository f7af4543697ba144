/** `/servers/{id}/os-instance-actions`: what was asked of a server and what its host did on its own. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { hostEventOf } from '../../../node/services/compute/history/action-history.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import { shown } from '../../kit/input.ts';
import type { Filter, Filters } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import type { Gateway } from '../kit/module.ts';
import { plainTimeText, type View, viewingOf } from './kit/common.ts';
import { addNovaList, single } from './kit/lists.ts';
import { type Microversion, microversionOf } from './kit/microversion.ts';
import { hostIdText } from './server-view.ts';

const path = '/v2.1/servers/:id/os-instance-actions';
/** From then on those of servers that have gone are told, too. */
const deletedFrom: Microversion = 21;
/** From then on events are everybody's, and their hosts are told. */
const eventsForAllFrom: Microversion = 51;
const updatedFrom: Microversion = 58;
const hostsOfEventsFrom: Microversion = 62;
const changesBeforeFrom: Microversion = 66;
const detailsFrom: Microversion = 84;

/** An action, and the server whose it is. */
interface Shown {
  readonly server: Pick<shoal.v1.Server, 'id' | 'projectId' | 'actions'>;
  readonly action: shoal.v1.ServerAction;
}

/**
 * Adds the list (newest first) and one action by its request id. Events are for everybody from 2.51 on, before for
 * administrators only.
 */
export function addServerActions(app: FastifyInstance, gateway: Gateway, { servers }: ComputeService): void {
  addNovaList<Shown>(app, gateway, {
    path,
    key: 'instanceActions',
    paging: 'marker with links',
    pagedFrom: updatedFrom,
    items: ({ context, reader, parameters, request }) => {
      const server = servers.actionsOf(context, reader, parameters['id'] ?? '', of(request));
      // Newest first, as Nova lists them.
      return server.actions.toReversed().map((action) => ({ server, action }));
    },
    idOf: ({ action }) => action.requestId,
    filters: ({ request }) => actionFilters(microversionOf(request)),
    view: (shownAction, { request }) => actionView(request, shownAction),
  });
  app.get<{ Params: { id: string; key: string } }>(`${path}/:key`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const server = servers.actionsOf(context, reader, id, of(request));
    const action = server.actions.findLast(({ requestId }) => requestId === key);
    if (action === undefined) {
      throw new ShoalError('NOT_FOUND', `Action for request_id ${key} on instance ${id} not found`);
    }
    const may = {
      events: gateway.allows(request, 'os_compute_api:os-instance-actions:events'),
      details: gateway.allows(request, 'os_compute_api:os-instance-actions:events:details'),
    };
    const hasEvents = may.events || microversionOf(request) >= eventsForAllFrom;
    const events = hasEvents ? eventsOf(request, reader, { server, action }, may) : undefined;
    const view = actionView(request, { server, action });
    return { instanceAction: { ...view, ...(events === undefined ? {} : { events }) } };
  });
}

function of(request: FastifyRequest): { readonly alsoDeleted: boolean } {
  return { alsoDeleted: microversionOf(request) >= deletedFrom };
}

function actionFilters(microversion: Microversion): Filters<Shown> {
  return {
    ...(microversion >= updatedFrom ? { 'changes-since': changed((changedMs, ms) => changedMs >= ms) } : {}),
    ...(microversion >= changesBeforeFrom ? { 'changes-before': changed((changedMs, ms) => changedMs <= ms) } : {}),
  };
}

function changed(holds: (changedMs: number, ms: number) => boolean): Filter<Shown> {
  return single((value, key) => {
    const ms = readInstant(value);
    if (ms === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key} value: ${shown(value)}`);
    return ({ action }) => holds(changedMsOf(action), ms);
  });
}

function changedMsOf({ startMs, updatedMs }: shoal.v1.ServerAction): number {
  return Math.max(startMs, updatedMs);
}

function actionView(request: FastifyRequest, { server, action }: Shown): View {
  return {
    action: action.action,
    instance_uuid: server.id,
    request_id: action.requestId,
    user_id: action.userId === '' ? null : action.userId,
    project_id: action.projectId === '' ? null : action.projectId,
    start_time: plainTimeText(action.startMs),
    message: messageOf(action),
    ...(microversionOf(request) >= updatedFrom ? { updated_at: plainTimeText(changedMsOf(action)) } : {}),
  };
}

/** Nova's "Error" where a part of it failed. */
function messageOf({ message, events }: shoal.v1.ServerAction): string | null {
  if (message !== '') return message;
  return events.at(-1)?.result === 'Error' ? 'Error' : null;
}

/** In the order in which they ended. */
function eventsOf(
  request: FastifyRequest,
  reader: StateReader,
  { server, action }: Shown,
  may: { readonly events: boolean; readonly details: boolean },
): readonly View[] {
  const microversion = microversionOf(request);
  return recordedEvents(action).map((event) => ({
    event: event.event,
    start_time: plainTimeText(event.startMs),
    finish_time: event.finishMs === 0 ? null : plainTimeText(event.finishMs),
    result: event.result === '' ? null : event.result,
    // Nothing here has one.
    ...(may.events || microversion < eventsForAllFrom ? { traceback: null } : {}),
    ...(microversion >= hostsOfEventsFrom ? { hostId: hostIdText(server.projectId, event.hostId) } : {}),
    ...(microversion >= hostsOfEventsFrom && may.details
      ? { host: hostTable.find(reader, event.hostId)?.record.name ?? null }
      : {}),
    ...(microversion >= detailsFrom ? { details: event.details === '' ? null : event.details } : {}),
  }));
}

/** What a host did on its own is one event. */
function recordedEvents({
  action,
  hostId,
  startMs,
  events,
}: shoal.v1.ServerAction): readonly shoal.v1.ServerActionEvent[] {
  if (events.length > 0 || hostId === '') return events;
  const times = { startMs, finishMs: startMs };
  return [new shoal.v1.ServerActionEvent({ event: hostEventOf(action), hostId, ...times, result: 'Success' })];
}
