/** The volumes of servers: `/servers/{id}/os-volume_attachments`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/compute.ts';
import { readFlag, type View, viewingOf } from './kit/common.ts';
import { addNovaList } from './kit/lists.ts';
import { type AttributeVersions, checkAttributes, type Microversion, microversionOf } from './kit/microversion.ts';

type ById = { Params: { id: string } };
type ByKey = { Params: { id: string; key: string } };
type Disk = shoal.v1.IServerDisk;

const versions: AttributeVersions = { tag: { from: 49 }, delete_on_termination: { from: 79 } };

/** Adds the volumes of servers. */
export function addVolumeAttachments(
  app: FastifyInstance,
  gateway: Gateway,
  { attachments, swaps }: Pick<VolumeService, 'attachments' | 'swaps'>,
): void {
  const path = '/v2.1/servers/:id/os-volume_attachments';
  addNovaList<Disk>(app, gateway, {
    path,
    key: 'volumeAttachments',
    paging: 'offset',
    items: ({ context, reader, parameters }) => attachments.ofServer(context, reader, parameters['id'] ?? ''),
    idOf: ({ volumeId }) => volumeId ?? '',
    view: (disk, { request, parameters }) => diskView(disk, parameters['id'] ?? '', microversionOf(request)),
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { id } = request.params;
    return { volumeAttachment: diskView(await findDisk(request), id, microversionOf(request)) };
  });
  app.post<ById>(path, async (request) => {
    const { volumeAttachment: body } = parse(schemas.volumeAttachmentBody, request.body);
    checkAttributes('volumeAttachment', body, versions, microversionOf(request));
    const disk = await attachments.plug(gateway.context(request), request.params.id, {
      volumeId: body.volumeId,
      ...(body.device == null ? {} : { device: body.device }),
      ...(body.tag === undefined ? {} : { tag: body.tag }),
      ...(body.delete_on_termination === undefined
        ? {}
        : { deleteOnTermination: readFlag(String(body.delete_on_termination)) === true }),
    });
    return { volumeAttachment: diskView(disk, request.params.id, microversionOf(request)) };
  });
  app.put<ByKey>(`${path}/:key`, async (request, reply) => {
    const { volumeAttachment: body } = parse(schemas.volumeSwapBody, request.body);
    const { id, key } = request.params;
    await findDisk(request);
    await swaps.begin(gateway.context(request), id, key, body.volumeId);
    return reply.code(202).send();
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await attachments.unplug(gateway.context(request), request.params.id, request.params.key);
    return reply.code(202).send();
  });

  async function findDisk(request: FastifyRequest<ByKey>): Promise<Disk> {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const found = attachments.ofServer(context, reader, id).find(({ volumeId }) => volumeId === key);
    if (found !== undefined) return found;
    throw new ShoalError('NOT_FOUND', `Instance ${id} is not attached to volume ${key.slice(0, 64)}.`);
  }
}

function diskView(disk: Disk, serverId: string, microversion: Microversion): View {
  const { volumeId = '', device = '', tag = '' } = disk;
  return {
    id: volumeId,
    volumeId,
    serverId,
    device: device === '' ? null : `/dev/${device}`,
    ...(microversion >= 70 ? { tag: tag === '' ? null : tag } : {}),
    ...(microversion >= 79 ? { delete_on_termination: disk.deleteOnTermination === true } : {}),
  };
}
