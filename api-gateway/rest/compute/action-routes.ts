/** `/servers/{id}/os-instance-actions`: what was asked of a server and what its host did on its own. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ComputeService } from '../../../node/services/compute/index.ts';
import { hostTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { plainTimeText, type View, viewingOf } from './kit/common.ts';
import { type Microversion, microversionOf } from './kit/microversion.ts';
import { hostIdText } from './server-view.ts';

const path = '/v2.1/servers/:id/os-instance-actions';
/** From then on events are everybody's, and their hosts are told. */
const eventsForAllFrom: Microversion = 51;
const updatedFrom: Microversion = 58;
const hostsOfEventsFrom: Microversion = 62;

/**
 * Adds the list (newest first) and one action by its request id. Events are for everybody from 2.51 on, before for
 * administrators only.
 */
export function addServerActions(app: FastifyInstance, gateway: Gateway, { servers }: ComputeService): void {
  app.get<{ Params: { id: string } }>(path, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const server = servers.show(context, reader, request.params.id);
    // Newest first, as Nova lists them.
    return { instanceActions: server.actions.toReversed().map((action) => actionView(request, server, action)) };
  });
  app.get<{ Params: { id: string; key: string } }>(`${path}/:key`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const server = servers.show(context, reader, id);
    const action = server.actions.findLast(({ requestId }) => requestId === key);
    if (action === undefined) {
      throw new ShoalError('NOT_FOUND', `Action for request_id ${key} on instance ${id} not found`);
    }
    const may = {
      events: gateway.allows(request, 'os_compute_api:os-instance-actions:events'),
      details: gateway.allows(request, 'os_compute_api:os-instance-actions:events:details'),
    };
    const hasEvents = may.events || microversionOf(request) >= eventsForAllFrom;
    const events = hasEvents ? eventsOf(request, reader, server, action, may) : undefined;
    return { instanceAction: { ...actionView(request, server, action), ...(events === undefined ? {} : { events }) } };
  });
}

function actionView(request: FastifyRequest, server: shoal.v1.Server, action: shoal.v1.ServerAction): View {
  return {
    action: action.action,
    instance_uuid: server.id,
    request_id: action.requestId,
    user_id: action.userId === '' ? null : action.userId,
    project_id: action.projectId === '' ? null : action.projectId,
    start_time: plainTimeText(action.startMs),
    message: action.message === '' ? null : action.message,
    ...(microversionOf(request) >= updatedFrom ? { updated_at: plainTimeText(action.startMs) } : {}),
  };
}

/** What hosts do for an action that was asked for is not kept; what a host did on its own is one event. */
function eventsOf(
  request: FastifyRequest,
  reader: StateReader,
  server: shoal.v1.Server,
  { action, hostId, startMs }: shoal.v1.ServerAction,
  may: { readonly events: boolean; readonly details: boolean },
): readonly View[] {
  if (hostId === '') return [];
  const microversion = microversionOf(request);
  const time = plainTimeText(startMs);
  return [
    {
      event: `compute_${action}_instance`,
      start_time: time,
      finish_time: time,
      result: 'Success',
      ...(may.events || microversion < eventsForAllFrom ? { traceback: null } : {}),
      ...(microversion >= hostsOfEventsFrom ? { hostId: hostIdText(server.projectId, hostId) } : {}),
      ...(microversion >= hostsOfEventsFrom && may.details
        ? { host: hostTable.find(reader, hostId)?.record.name ?? null }
        : {}),
    },
  ];
}
