/** Bytes that were there before become a volume. Which of them there are in a pool, no host tells: those lists answer 501. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import { manageVolumeBody } from '../schemas/volume.ts';
import { flagOf } from './kit/common.ts';
import { requireMicroversion } from './kit/microversion.ts';
import { setField } from './kit/set-fields.ts';
import { plainVolumeView } from './volume-view.ts';

/** The first microversion of the newer path. */
const from = 8;

/** Adds `POST /manageable_volumes` and its older name `POST /os-volume-manage`. */
export function addManaging(app: FastifyInstance, gateway: Gateway, { moves }: VolumeService): void {
  const manage = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { volume: body } = parse(manageVolumeBody, request.body);
    if (body.host === undefined) {
      throw new ShoalError('INVALID_ARGUMENT', 'The host is to be named, as pools are listed: HOST@POOL#POOL.');
    }
    const made = await moves.manage(gateway.context(request), {
      host: body.host,
      sourceName: nameOf(body.ref),
      ...setField('name', body.name),
      ...setField('description', body.description),
      ...setField('type', body.volume_type),
      ...setField('zone', body.availability_zone),
      ...setField('metadata', body.metadata),
      ...(body.bootable === undefined ? {} : { bootable: flagOf('bootable', body.bootable) }),
    });
    const reader = await gateway.readState(request);
    return reply.code(202).send({ volume: plainVolumeView(made, { gateway, request, reader }) });
  };
  app.post('/v3/manageable_volumes', { config: { body: manageVolumeBody } }, async (request, reply) => {
    requireMicroversion(request, { from });
    return manage(request, reply);
  });
  app.post('/v3/os-volume-manage', { config: { body: manageVolumeBody } }, manage);
}

/** `{"source-name": "volume-1"}`, as Cinder's drivers take it, or the name alone. */
function nameOf(ref: string | Readonly<Record<string, string>>): string {
  if (typeof ref === 'string') return ref;
  const name = new Map(Object.entries(ref)).get('source-name');
  if (name !== undefined) return name;
  throw new ShoalError('INVALID_ARGUMENT', "The reference is {'source-name': NAME}: the image or file in the pool.");
}
