/** The volumes of servers: `/servers/{id}/os-volume_attachments`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { idFromToken } from '../../../node/services/kit/id-from-token.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { volumeTable } from '../../../node/state/tables/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
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

/** From then on `PUT` changes an attachment; before, it exchanges its volume and nothing else. */
const updatableFrom = 85;

/** Of `PUT`: what describes the attachment, and what may be changed of it. */
const updateVersions: AttributeVersions = {
  id: { from: 85, to: 88 },
  serverId: { from: 85 },
  device: { from: 85 },
  tag: { from: 85 },
  delete_on_termination: { from: 85 },
};
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
    view: (disk, { request, parameters, reader }) =>
      diskView(reader, disk, parameters['id'] ?? '', microversionOf(request)),
  });
  app.get<ByKey>(`${path}/:key`, async (request) => {
    const { id } = request.params;
    const { disk, reader } = await findDisk(request);
    return { volumeAttachment: diskView(reader, disk, id, microversionOf(request)) };
  });
  app.post<ById>(path, { config: { body: schemas.volumeAttachmentBody } }, async (request, reply) => {
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
    // From then on the answer waits for nothing, and says nothing of the device.
    if (microversionOf(request) >= 101) return reply.code(202).send();
    const reader = await gateway.readState(request);
    return { volumeAttachment: diskView(reader, disk, request.params.id, microversionOf(request)) };
  });
  app.put<ByKey>(`${path}/:key`, { config: { body: schemas.volumeSwapBody } }, async (request, reply) => {
    const { volumeAttachment: body } = parse(schemas.volumeSwapBody, request.body);
    checkAttributes('volumeAttachment', body, updateVersions, microversionOf(request));
    const { id, key } = request.params;
    const { disk } = await findDisk(request);
    if (body.volumeId !== key) {
      // As Nova, which leaves the exchange of volumes to the volume service's administrators.
      await swaps.begin(gateway.context(request), id, key, body.volumeId);
      return reply.code(202).send();
    }
    if (microversionOf(request) < updatableFrom) {
      await swaps.begin(gateway.context(request), id, key, body.volumeId);
      return reply.code(202).send();
    }
    mustStay(disk, id, body);
    if (body.delete_on_termination === undefined) return reply.code(202).send();
    const deleteOnTermination = readFlag(String(body.delete_on_termination)) === true;
    await attachments.setDeleteOnTermination(gateway.context(request), id, key, deleteOnTermination);
    return reply.code(202).send();
  });
  app.delete<ByKey>(`${path}/:key`, async (request, reply) => {
    await attachments.unplug(gateway.context(request), request.params.id, request.params.key);
    return reply.code(202).send();
  });

  async function findDisk(
    request: FastifyRequest<ByKey>,
  ): Promise<{ readonly disk: Disk; readonly reader: StateReader }> {
    const { context, reader } = await viewingOf(gateway, request);
    const { id, key } = request.params;
    const found = attachments.ofServer(context, reader, id).find(({ volumeId }) => volumeId === key);
    if (found !== undefined) return { disk: found, reader };
    throw new ShoalError('NOT_FOUND', `Instance ${id} is not attached to volume ${key.slice(0, 64)}.`);
  }
}

/** Refuses to change what Nova's body may name and not change. */
function mustStay(
  disk: Disk,
  serverId: string,
  body: {
    readonly id?: string;
    readonly serverId?: string;
    readonly device?: string | null;
    readonly tag?: string | null;
  },
): void {
  const device = disk.device == null || disk.device === '' ? 'none' : `/dev/${disk.device}`;
  const named: readonly (readonly [name: string, value: string | null | undefined, is: string])[] = [
    ['id', body.id, disk.volumeId ?? ''],
    ['serverId', body.serverId, serverId],
    ['device', body.device, device],
    ['tag', body.tag, disk.tag ?? ''],
  ];
  for (const [name, value, is] of named) {
    if (value === undefined || value === is || (value === null && (is === '' || is === 'none'))) continue;
    throw new ShoalError('INVALID_ARGUMENT', `The ${name} property is not updateable: it is ${is}.`);
  }
}

function diskView(reader: StateReader, disk: Disk, serverId: string, microversion: Microversion): View {
  const { volumeId: id, device = '', tag = '' } = disk;
  const volumeId = id ?? '';
  const uses = microversion >= 89 ? (volumeTable.find(reader, volumeId)?.record.attachments ?? []) : [];
  return {
    ...(microversion >= 89
      ? {
          attachment_id: uses.find((use) => use.serverId === serverId)?.id ?? null,
          // Nova's row has an id of its own; here the disk is the server's, and its id made of both.
          bdm_uuid: idFromToken(`block-device/${serverId}/${volumeId}`),
        }
      : { id: volumeId }),
    volumeId,
    serverId,
    device: device === '' ? null : `/dev/${device}`,
    ...(microversion >= 70 ? { tag: tag === '' ? null : tag } : {}),
    ...(microversion >= 79 ? { delete_on_termination: disk.deleteOnTermination === true } : {}),
  };
}
