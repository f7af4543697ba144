/** Volumes one by one: made, shown, changed, deleted. Lists: `volume-lists.ts`; actions: `volume-actions.ts`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { clientTokenOf } from '../kit/client-token.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/volume.ts';
import { type ById, type ByKey, flagOf, type View, viewingOf } from './kit/common.ts';
import { microversionOf } from './kit/microversion.ts';
import { namesOf, setField } from './kit/set-fields.ts';
import { addMetadata } from './metadata-routes.ts';
import { metadataOf, plainVolumeView, volumeView } from './volume-view.ts';

/** Adds volumes one by one, with their metadata and what is known of their encryption. */
export function addVolumes(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  const { volumes } = service;
  const answer = async (request: FastifyRequest, volume: shoal.v1.Volume): Promise<View> => ({
    volume: plainVolumeView(volume, { gateway, request, reader: await gateway.readState(request) }),
  });
  app.post('/v3/volumes', { config: { body: schemas.newVolumeBody } }, async (request, reply) => {
    const made = await volumes.create(gateway.context(request), draftOf(request));
    return reply.code(202).send(await answer(request, made));
  });
  app.get<ById>('/v3/volumes/:id', async (request) => {
    const { context, reader } = await viewingOf(gateway, request);
    return { volume: volumeView(volumes.show(context, reader, request.params.id), { gateway, request, reader }) };
  });
  app.put<ById>('/v3/volumes/:id', { config: { body: schemas.volumeBody } }, async (request) => {
    const { volume } = parse(schemas.volumeBody, request.body);
    const patch = { ...namesOf(volume), ...(volume.metadata == null ? {} : { metadata: volume.metadata }) };
    return answer(request, await volumes.update(gateway.context(request), request.params.id, patch));
  });
  app.delete<ById>('/v3/volumes/:id', async (request, reply) => {
    const query = Query.of(request);
    const flag = (key: string): boolean => query.one(key) !== undefined && flagOf(key, query.one(key));
    const force = microversionOf(request) >= 23 && flag('force');
    if (force) gateway.enforce(request, 'volume:force_delete');
    await volumes.remove(gateway.context(request), request.params.id, { cascade: flag('cascade'), force });
    return reply.code(202).send();
  });
  addEncryption(app, gateway, service);
  addMetadata(app, gateway, {
    path: '/v3/volumes',
    name: 'Volume',
    show: (context, reader, id) => metadataOf(volumes.show(context, reader, id)),
    set: (context, id, metadata, options) => volumes.setMetadata(context, id, metadata, options),
    remove: (context, id, key) => volumes.removeMetadata(context, id, key),
  });
}

/** What a volume's body says, in the microversion's words. */
function draftOf(request: FastifyRequest): Parameters<VolumeService['volumes']['create']>[1] {
  const { volume } = parse(schemas.newVolumeBody, request.body);
  const microversion = microversionOf(request);
  const source = volume.snapshot_id ?? volume.source_volid ?? (microversion >= 47 ? volume.backup_id : undefined);
  if (volume.size == null && source == null) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'Invalid input received: Invalid volume size provided for create request: None (size argument must be an integer (or string representation of an integer) and greater than zero).',
    );
  }
  if (volume.multiattach != null && microversion < 50 && flagOf('multiattach', volume.multiattach)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      'multiattach parameter has been removed. The default behavior is to use multiattach enabled volume types. Contact your administrator to create a multiattach enabled volume type and use it to create multiattach volumes.',
    );
  }
  return {
    ...clientTokenOf(request),
    ...setField('sizeGib', volume.size == null ? undefined : Number(volume.size)),
    ...setField('name', volume.name ?? volume.display_name),
    ...setField('description', volume.description ?? volume.display_description),
    ...setField('type', volume.volume_type),
    ...setField('zone', volume.availability_zone),
    ...setField('metadata', volume.metadata),
    ...setField('imageId', volume.imageRef ?? volume.image_id),
    ...setField('snapshotId', volume.snapshot_id),
    ...setField('sourceVolumeId', volume.source_volid),
    ...(microversion >= 47 ? setField('backupId', volume.backup_id) : {}),
    ...(microversion >= 13 ? setField('groupId', volume.group_id) : {}),
  };
}

/** `GET /volumes/:id/encryption` and one of its values: what a client that opens it by itself has to know. */
function addEncryption(app: FastifyInstance, gateway: Gateway, { volumes, types }: VolumeService): void {
  const show = async (request: FastifyRequest<ById>): Promise<View> => {
    const { context, reader } = await viewingOf(gateway, request);
    const { encryption, typeId } = volumes.show(context, reader, request.params.id);
    if (encryption == null) return { encryption_key_id: null };
    const type = types.find(reader, typeId)?.encryption;
    return {
      encryption_key_id: encryption.keyId,
      provider: encryption.format,
      cipher: encryption.cipher,
      key_size: encryption.keyBits,
      control_location: type?.controlLocation ?? 'front-end',
    };
  };
  app.get<ById>('/v3/volumes/:id/encryption', show);
  app.get<ByKey>('/v3/volumes/:id/encryption/:key', async (request, reply) => {
    const found = new Map(Object.entries(await show(request))).get(request.params.key);
    if (found === undefined) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    return reply.type('text/plain').send(found === null ? '' : String(found));
  });
}
