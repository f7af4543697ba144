/** What owners are told of what went wrong. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { type ById, linksOf, maybeTime, timeText, type View, viewingOf } from './kit/common.ts';
import { addCinderList, textFilters } from './kit/lists.ts';
import { requireMicroversion } from './kit/microversion.ts';

type Message = shoal.v1.VolumeMessage;

/** The first microversion with messages. */
const from = 3;

/** Adds `/messages`. */
export function addMessages(app: FastifyInstance, gateway: Gateway, { messages }: VolumeService): void {
  const viewOf = (message: Message, { request }: { readonly request: FastifyRequest }): View => ({
    id: message.id,
    event_id: message.eventId,
    user_message: message.userMessage,
    message_level: message.messageLevel,
    resource_type: message.resourceType,
    resource_uuid: message.resourceId,
    request_id: message.requestId,
    created_at: timeText(message.createdMs),
    guaranteed_until: maybeTime(message.expiresMs),
    links: linksOf(gateway, request, `/messages/${message.id}`),
  });
  addCinderList<Message>(app, gateway, {
    path: '/v3/messages',
    key: 'messages',
    from,
    items: ({ context, reader }) => messages.list(context, reader),
    filters: (listing) =>
      textFilters<Message>(listing, {
        resource_uuid: ({ resourceId }) => resourceId,
        resource_type: ({ resourceType }) => resourceType,
        event_id: ({ eventId }) => eventId,
        request_id: ({ requestId }) => requestId,
        message_level: ({ messageLevel }) => messageLevel,
      }),
    sortValues: {
      id: ({ id }) => id,
      event_id: ({ eventId }) => eventId,
      resource_type: ({ resourceType }) => resourceType,
      resource_uuid: ({ resourceId }) => resourceId,
      request_id: ({ requestId }) => requestId,
      message_level: ({ messageLevel }) => messageLevel,
      created_at: ({ createdMs }) => createdMs,
      guaranteed_until: ({ expiresMs }) => expiresMs,
    },
    idOf: ({ id }) => id,
    view: viewOf,
  });
  app.get<ById>('/v3/messages/:id', async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { message: viewOf(messages.show(context, reader, request.params.id), { request }) };
  });
  app.delete<ById>('/v3/messages/:id', async (request, reply) => {
    requireMicroversion(request, { from });
    await messages.remove(gateway.context(request), request.params.id);
    return reply.code(204).send();
  });
}
