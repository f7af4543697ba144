/** Types of groups, with their specs. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { anyOf, once } from '../../kit/lists/filter.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { type ById, type ByKey, flagOf, known, type View, viewingOf } from '../kit/common.ts';
import { addCinderList } from '../kit/lists.ts';
import { requireMicroversion } from '../kit/microversion.ts';
import { namesOf, setField } from '../kit/set-fields.ts';

type GroupType = shoal.v1.VolumeGroupType;

/** The first microversion with group types. */
const from = 11;

/** Adds `/group_types`. */
export function addGroupTypes(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  const { groupTypes } = service;
  const path = '/v3/group_types';
  const viewOf = (type: GroupType, { request }: { readonly request: FastifyRequest }): View => ({
    id: type.id,
    name: type.name,
    description: known(type.description),
    is_public: type.isPublic,
    ...(gateway.allows(request, 'group:access_group_types_specs') ? { group_specs: type.groupSpecs } : {}),
  });
  addCinderList<GroupType>(app, gateway, {
    path,
    key: 'group_types',
    from,
    items: ({ context, reader }) => groupTypes.list(context, reader),
    filters: () => ({
      name: anyOf(
        (value) =>
          ({ name }) =>
            name === value,
      ),
      is_public: once((value, key) => {
        if (value.toLowerCase() === 'none') return undefined;
        const wanted = flagOf(key, value);
        return ({ isPublic }) => isPublic === wanted;
      }),
    }),
    sortValues: { id: ({ id }) => id, name: ({ name }) => name, created_at: ({ createdMs }) => createdMs },
    idOf: ({ id }) => id,
    view: viewOf,
  });
  app.post(path, { config: { body: schemas.newGroupTypeBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { group_type: body } = parse(schemas.newGroupTypeBody, request.body);
    const made = await groupTypes.create(gateway.context(request), {
      name: body.name,
      ...setField('description', body.description),
      ...setField('groupSpecs', body.group_specs),
      ...(body.is_public === undefined ? {} : { isPublic: flagOf('is_public', body.is_public) }),
    });
    return reply.code(202).send({ group_type: viewOf(made, { request }) });
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { group_type: viewOf(groupTypes.show(context, reader, request.params.id), { request }) };
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.groupTypeBody } }, async (request) => {
    requireMicroversion(request, { from });
    const { group_type: body } = parse(schemas.groupTypeBody, request.body);
    const changed = await groupTypes.update(gateway.context(request), request.params.id, {
      ...namesOf(body),
      ...(body.is_public === undefined ? {} : { isPublic: flagOf('is_public', body.is_public) }),
    });
    return { group_type: viewOf(changed, { request }) };
  });
  app.delete<ById>(`${path}/:id`, async (request, reply) => {
    requireMicroversion(request, { from });
    await groupTypes.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
  addSpecs(app, gateway, service);
}

function addSpecs(app: FastifyInstance, gateway: Gateway, { groupTypes }: VolumeService): void {
  const path = '/v3/group_types/:id/group_specs';
  const specsOf = async (request: FastifyRequest<ById>): Promise<Readonly<Record<string, string>>> => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return groupTypes.show(context, reader, request.params.id).groupSpecs;
  };
  app.get<ById>(path, async (request) => ({ group_specs: await specsOf(request) }));
  app.post<ById>(path, { config: { body: schemas.groupSpecsBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    const { group_specs: specs } = parse(schemas.groupSpecsBody, request.body);
    await groupTypes.setSpecs(gateway.context(request), request.params.id, specs);
    return reply.code(202).send({ group_specs: specs });
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { id, key } = request.params;
    const value = ownValue(await specsOf(request), key);
    if (value === undefined) {
      throw new ShoalError('NOT_FOUND', `Group Type ${id} has no specs with key ${key.slice(0, 255)}.`);
    }
    return { [key]: value };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.extraSpecBody } }, async (request) => {
    requireMicroversion(request, { from });
    const { id, key } = request.params;
    const body = parse(schemas.extraSpecBody, request.body);
    if (ownValue(body, key) === undefined) throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    await groupTypes.setSpecs(gateway.context(request), id, body);
    return body;
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    requireMicroversion(request, { from });
    await groupTypes.removeSpec(gateway.context(request), request.params.id, request.params.key);
    return reply.code(202).send();
  });
}
