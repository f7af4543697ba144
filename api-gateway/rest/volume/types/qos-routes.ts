/** QoS specs, and the types that are bound to them. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { Query } from '../../kit/lists/query.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { type ById, flagOf, linksOf, type View, viewingOf } from '../kit/common.ts';
import { addCinderList } from '../kit/lists.ts';
import { setField } from '../kit/set-fields.ts';

type QosSpecs = shoal.v1.QosSpecs;

/** Adds `/qos-specs`. To bind and unbind a type is a GET in Cinder, too. */
export function addQosSpecs(app: FastifyInstance, gateway: Gateway, { qos, types }: VolumeService): void {
  const path = '/v3/qos-specs';
  const answer = (request: FastifyRequest, specs: QosSpecs): View => ({
    qos_specs: qosView(specs),
    links: linksOf(gateway, request, `/qos-specs/${specs.id}`),
  });
  addCinderList<QosSpecs>(app, gateway, {
    path,
    key: 'qos_specs',
    items: ({ reader }) => qos.list(reader),
    sortValues: { id: ({ id }) => id, name: ({ name }) => name, created_at: ({ createdMs }) => createdMs },
    idOf: ({ id }) => id,
    view: qosView,
  });
  app.post(path, { config: { body: schemas.newQosBody } }, async (request) => {
    const { name, consumer, ...specs } = parse(schemas.newQosBody, request.body).qos_specs;
    const draft = { name, ...setField('consumer', consumer), specs: textsOf(specs) };
    return answer(request, await qos.create(gateway.context(request), draft));
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    return answer(request, qos.show(reader, request.params.id));
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.qosBody } }, async (request) => {
    const body = parse(schemas.qosBody, request.body).qos_specs;
    const { consumer, ...specs } = body;
    await qos.update(gateway.context(request), request.params.id, {
      ...setField('consumer', consumer),
      specs: textsOf(specs),
    });
    return { qos_specs: body };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    const force = Query.of(request).one('force');
    await qos.remove(gateway.context(request), request.params.id, force !== undefined && flagOf('force', force));
    return reply.code(202).send();
  });
  app.put<ById>(`${path}/:id/delete_keys`, { config: { body: schemas.qosKeysBody } }, async (request, reply) => {
    const { keys } = parse(schemas.qosKeysBody, request.body);
    await qos.removeKeys(gateway.context(request), request.params.id, keys);
    return reply.code(202).send();
  });
  app.get<ById>(`${path}/:id/associations`, async (request) => {
    const { reader } = await viewingOf(gateway, request);
    const bound = qos.associations(reader, request.params.id);
    return { qos_associations: bound.map(({ id, name }) => ({ association_type: 'volume_type', id, name })) };
  });
  app.get<ById>(`${path}/:id/associate`, async (request, reply) => {
    const { reader } = await viewingOf(gateway, request);
    const { id } = qos.show(reader, request.params.id);
    await types.setQos(gateway.context(request), typeIdOf(request), id);
    return reply.code(202).send();
  });
  app.get<ById>(`${path}/:id/disassociate`, async (request, reply) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id } = qos.show(reader, request.params.id);
    const type = types.show(context, reader, typeIdOf(request));
    if (type.qosSpecsId === id) await types.setQos(context, type.id, '');
    return reply.code(202).send();
  });
  app.get<ById>(`${path}/:id/disassociate_all`, async (request, reply) => {
    await qos.disassociateAll(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
}

function typeIdOf(request: FastifyRequest): string {
  const id = Query.of(request).one('vol_type_id');
  if (id === undefined || id === '') throw new ShoalError('INVALID_ARGUMENT', 'Volume Type id must not be None.');
  return id;
}

/** What stands beside name and consumer: its schema has checked that they are texts. */
function textsOf(specs: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(specs).map(([key, value]) => [key, String(value)]));
}

function qosView({ id, name, consumer, specs }: QosSpecs): View {
  return { id, name, consumer, specs };
}
