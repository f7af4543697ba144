/** `/floatingips/:id/port_forwardings`: ports of a floating IP that lead to ports of guests. */
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { definedOf } from '../../../node/base/defined-of.ts';
import type { NetworkService } from '../../../node/services/network/index.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/network.ts';
import { readResources } from './attributes.ts';
import { onlyOne, viewingOf } from './collection.ts';
import { portForwardingKeys } from './filters.ts';
import { addNetworkList, showAnswer } from './listing.ts';
import { resourceBody } from './resource-body.ts';
import { portForwardingView } from './views.ts';

type OfFloatingIp = { Params: { id: string } };
type ById = { Params: { id: string; forwarding: string } };
const path = '/v2.0/floatingips/:id/port_forwardings';
const key = 'port_forwarding';

/** Adds the forwardings of each floating IP. One in one request. */
export function addPortForwardings(app: FastifyInstance, gateway: Gateway, { portForwardings }: NetworkService): void {
  addNetworkList(app, gateway, {
    path,
    key: 'port_forwardings',
    known: portForwardingKeys,
    views: ({ context, reader, parameters }) =>
      portForwardings.list(context, reader, parameters['id'] ?? '').map(portForwardingView),
  });
  app.get<ById>(`${path}/:forwarding`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, forwarding } = request.params;
    return showAnswer(request, key, portForwardingView(portForwardings.show(context, reader, id, forwarding)));
  });
  app.post<OfFloatingIp>(
    path,
    { config: { body: resourceBody(key, schemas.portForwardingNew) } },
    async (request, reply) => {
      const schema = schemas.portForwardingNew;
      const { items } = readResources(request.body, {
        key,
        schema,
        verb: 'POST',
        readOnly: schemas.readOnly.port_forwarding,
      });
      const body = onlyOne(items, 'port forwardings');
      const made = await portForwardings.create(gateway.context(request), request.params.id, {
        protocol: body.protocol,
        externalPort: body.external_port,
        internalPort: body.internal_port,
        internalPortId: body.internal_port_id,
        ...patchOf(body),
      });
      return reply.code(201).send({ [key]: portForwardingView(made) });
    },
  );
  app.put<ById>(
    `${path}/:forwarding`,
    { config: { body: resourceBody(key, schemas.portForwardingPatch) } },
    async (request) => {
      const schema = schemas.portForwardingPatch;
      const { items } = readResources(request.body, {
        key,
        schema,
        verb: 'PUT',
        readOnly: schemas.readOnly.port_forwarding,
      });
      const { id, forwarding } = request.params;
      const changed = await portForwardings.update(gateway.context(request), id, forwarding, patchOf(items[0] ?? {}));
      return { [key]: portForwardingView(changed) };
    },
  );
  app.delete<ById>(`${path}/:forwarding`, async (request, reply) => {
    await portForwardings.delete(gateway.context(request), request.params.id, request.params.forwarding);
    return reply.code(204).send();
  });
}

function patchOf(body: Static<typeof schemas.portForwardingPatch>) {
  return definedOf({
    protocol: body.protocol,
    externalPort: body.external_port,
    internalPort: body.internal_port,
    internalPortId: body.internal_port_id,
    internalIp: body.internal_ip_address,
    description: body.description,
  });
}
