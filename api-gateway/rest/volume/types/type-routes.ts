/** Volume types, with extra specs, access and encryption. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import { anyOf, once } from '../../kit/lists/filter.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { action, addActions } from '../kit/actions.ts';
import { type ById, type ByKey, flagOf, known, type View, viewingOf } from '../kit/common.ts';
import { addCinderList, mapFilter } from '../kit/lists.ts';
import { microversionOf } from '../kit/microversion.ts';
import { namesOf, setField } from '../kit/set-fields.ts';
import { addTypeEncryption } from './type-encryption-routes.ts';

type VolumeType = shoal.v1.VolumeType;

/** Extra specs that tell users what they can do with a volume, and not where it lies. */
const specsForUsers: ReadonlySet<string> = new Set(['multiattach', 'RESKEY:availability_zones', 'replication_enabled']);

const sortValues = {
  id: ({ id }: VolumeType) => id,
  name: ({ name }: VolumeType) => name,
  is_public: ({ isPublic }: VolumeType) => String(isPublic),
  created_at: ({ createdMs }: VolumeType) => createdMs,
  updated_at: ({ updatedMs }: VolumeType) => updatedMs,
} as const;

/** Adds `/types`. */
export function addTypes(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  const { types } = service;
  const answer = (request: FastifyRequest, type: VolumeType): View => ({
    volume_type: typeView(type, { gateway, request }),
  });
  addCinderList<VolumeType>(app, gateway, {
    path: '/v3/types',
    key: 'volume_types',
    items: ({ context, reader }) => types.list(context, reader),
    filters: ({ request }) => ({
      // `None` stands for both, as Python writes nothing.
      is_public: once((value, key) => {
        if (value.toLowerCase() === 'none') return undefined;
        const wanted = flagOf(key, value);
        return ({ isPublic }) => isPublic === wanted;
      }),
      name: anyOf(
        (value) =>
          ({ name }) =>
            name === value,
      ),
      description: anyOf(
        (value) =>
          ({ description }) =>
            description === value,
      ),
      ...(microversionOf(request) >= 52 ? { extra_specs: mapFilter(({ extraSpecs }: VolumeType) => extraSpecs) } : {}),
    }),
    sortValues,
    idOf: ({ id }) => id,
    view: typeView,
  });
  app.post('/v3/types', { config: { body: schemas.newTypeBody } }, async (request) => {
    const { volume_type: body } = parse(schemas.newTypeBody, request.body);
    const isPublic = body['os-volume-type-access:is_public'];
    const made = await types.create(gateway.context(request), {
      name: body.name,
      ...setField('description', body.description),
      ...setField('extraSpecs', body.extra_specs),
      ...(isPublic === undefined ? {} : { isPublic: flagOf('is_public', isPublic) }),
    });
    // As in Cinder the answer to a new type has no QoS specs: it cannot have any yet.
    return { volume_type: plainTypeView(made, { gateway, request }) };
  });
  app.get<ById>('/v3/types/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id } = request.params;
    return answer(request, id === 'default' ? types.default(context, reader) : types.show(context, reader, id));
  });
  app.put<ById>('/v3/types/:id', { config: { body: schemas.typeBody } }, async (request) => {
    const { volume_type: body } = parse(schemas.typeBody, request.body);
    const isPublic = body.is_public ?? body['os-volume-type-access:is_public'];
    const patch = {
      ...namesOf(body),
      ...(isPublic === undefined ? {} : { isPublic: flagOf('is_public', isPublic) }),
    };
    if (Object.keys(patch).length === 0) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        'Specify volume type name, description, is_public or a combination thereof.',
      );
    }
    const changed = await types.update(gateway.context(request), request.params.id, patch);
    const { 'os-volume-type-access:is_public': _said, ...view } = plainTypeView(changed, { gateway, request });
    return { volume_type: view };
  });
  app.delete<ById>('/v3/types/:id', async (request, reply) => {
    await types.remove(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
  addExtraSpecs(app, gateway, service);
  addAccess(app, gateway, service);
  addTypeEncryption(app, gateway, service);
}

interface Asked {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
}

function typeView(type: VolumeType, asked: Asked): View {
  return {
    ...plainTypeView(type, asked),
    ...(asked.gateway.allows(asked.request, 'volume_extension:access_types_qos_specs_id')
      ? { qos_specs_id: known(type.qosSpecsId) }
      : {}),
  };
}

function plainTypeView(type: VolumeType, asked: Asked): View {
  return {
    id: type.id,
    name: type.name,
    is_public: type.isPublic,
    'os-volume-type-access:is_public': type.isPublic,
    description: known(type.description),
    extra_specs: specsFor(type, asked),
  };
}

function specsFor({ extraSpecs }: VolumeType, { gateway, request }: Asked): Readonly<Record<string, string>> {
  if (gateway.allows(request, 'volume_extension:access_types_extra_specs')) return extraSpecs;
  return Object.fromEntries(Object.entries(extraSpecs).filter(([key]) => specsForUsers.has(key)));
}

function addExtraSpecs(app: FastifyInstance, gateway: Gateway, { types }: VolumeService): void {
  const path = '/v3/types/:id/extra_specs';
  app.get<ById>(path, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { extra_specs: specsFor(types.show(context, reader, request.params.id), { gateway, request }) };
  });
  app.post<ById>(path, { config: { body: schemas.extraSpecsBody } }, async (request) => {
    const { extra_specs: specs } = parse(schemas.extraSpecsBody, request.body);
    await types.setExtraSpecs(gateway.context(request), request.params.id, specs);
    return { extra_specs: specs };
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const value = ownValue(specsFor(types.show(context, reader, id), { gateway, request }), key);
    if (value === undefined) {
      throw new ShoalError('NOT_FOUND', `Volume Type ${id} has no extra specs with key ${key.slice(0, 255)}.`);
    }
    return { [key]: value };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.extraSpecBody } }, async (request) => {
    const { id, key } = request.params;
    const body = parse(schemas.extraSpecBody, request.body);
    if (ownValue(body, key) === undefined) throw new ShoalError('INVALID_ARGUMENT', 'Request body and URI mismatch');
    await types.setExtraSpecs(gateway.context(request), id, body);
    return body;
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await types.removeExtraSpec(gateway.context(request), request.params.id, request.params.key);
    return reply.code(202).send();
  });
}

function addAccess(app: FastifyInstance, gateway: Gateway, { types }: VolumeService): void {
  app.get<ById>('/v3/types/:id/os-volume-type-access', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    const type = types.show(context, reader, request.params.id);
    if (type.isPublic) throw new ShoalError('NOT_FOUND', 'Access list not available for public volume types.');
    return {
      volume_type_access: type.accessProjectIds.map((project) => ({ volume_type_id: type.id, project_id: project })),
    };
  });
  addActions(app, gateway, '/v3/types/:id/action', {
    addProjectAccess: action(schemas.projectAccessBody, ({ project }, { context, id }) =>
      types.setAccess(context, id, project, true),
    ),
    removeProjectAccess: action(schemas.projectAccessBody, ({ project }, { context, id }) =>
      types.setAccess(context, id, project, false),
    ),
  });
}
