/** Whether volumes of a type are encrypted, and how. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { VolumeService } from '../../../../node/services/volume/index.ts';
import type { shoal } from '../../../../proto/messages.ts';
import type { Gateway } from '../../kit/module.ts';
import { parse } from '../../kit/validation.ts';
import * as schemas from '../../schemas/volume.ts';
import { type ById, type ByKey, maybeTime, type View, viewingOf } from '../kit/common.ts';
import { setField } from '../kit/set-fields.ts';

/** Adds `/types/:id/encryption`. */
export function addTypeEncryption(app: FastifyInstance, gateway: Gateway, { types }: VolumeService): void {
  const path = '/v3/types/:id/encryption';
  /** Empty for a type without, as in Cinder. */
  const show = async (request: FastifyRequest<ById>): Promise<View> => {
    const { context, reader } = await viewingOf(gateway, request);
    const type = types.show(context, reader, request.params.id);
    if (type.encryption == null) return {};
    return {
      ...fieldsOf(type.encryption),
      volume_type_id: type.id,
      encryption_id: type.encryption.id ?? '',
      created_at: maybeTime(type.encryption.createdMs ?? 0),
      updated_at: maybeTime(type.encryption.updatedMs ?? 0),
      deleted: false,
      deleted_at: null,
    };
  };
  app.get<ById>(path, show);
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { key } = request.params;
    const value = new Map(Object.entries(await show(request))).get(key);
    if (value === undefined) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    return { [key]: value };
  });
  app.post<ById>(path, { config: { body: schemas.newEncryptionBody } }, async (request) => {
    const { encryption: body } = parse(schemas.newEncryptionBody, request.body);
    const { id } = request.params;
    const made = await types.setEncryption(gateway.context(request), id, draftOf(body), { mustBeNew: true });
    const { context, reader } = await viewingOf(gateway, request);
    const typeId = types.show(context, reader, id).id;
    return { encryption: { ...fieldsOf(made), volume_type_id: typeId, encryption_id: made.id } };
  });
  // A type has one encryption, so that whatever its id is said to be, it is meant.
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.encryptionBody } }, async (request) => {
    const { encryption: body } = parse(schemas.encryptionBody, request.body);
    const draft = draftOf(body);
    await types.setEncryption(gateway.context(request), request.params.id, draft, { mustBeNew: false });
    return { encryption: body };
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await types.removeEncryption(gateway.context(request), request.params.id);
    return reply.code(202).send();
  });
}

function fieldsOf(encryption: shoal.v1.IVolumeTypeEncryption): View {
  return {
    provider: encryption.provider ?? '',
    control_location: encryption.controlLocation ?? '',
    cipher: encryption.cipher ?? null,
    key_size: encryption.keyBits ?? null,
  };
}

function draftOf(
  body: Static<typeof schemas.encryptionBody>['encryption'],
): Parameters<VolumeService['types']['setEncryption']>[2] {
  return {
    ...setField('provider', body.provider),
    ...setField('controlLocation', body.control_location),
    ...setField('cipher', body.cipher),
    ...setField('keyBits', body.key_size),
  };
}
