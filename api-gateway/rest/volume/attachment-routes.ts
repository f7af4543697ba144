/** The attachments API: uses of volumes that somebody other than Nova keeps; Nova's own are shown as well. */
import type { FastifyInstance } from 'fastify';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { anyOf } from '../kit/lists/filter.ts';
import type { Gateway } from '../kit/module.ts';
import { parse } from '../kit/validation.ts';
import * as schemas from '../schemas/volume.ts';
import { action, addActions } from './kit/actions.ts';
import { type ById, known, maybeTime, type View, viewingOf } from './kit/common.ts';
import { addBothLists, scopeOf } from './kit/lists.ts';
import { requireMicroversion } from './kit/microversion.ts';
import { setField } from './kit/set-fields.ts';

type VolumeUse = ReturnType<VolumeService['attachments']['show']>;

/** The first microversion with attachments, with their completion, and with modes. */
const from = 27;
const completionFrom = 44;

const idOf = ({ attachment }: VolumeUse): string => attachment.id ?? '';

/** Adds `/attachments`. */
export function addAttachments(app: FastifyInstance, gateway: Gateway, { attachments }: VolumeService): void {
  const path = '/v3/attachments';
  addBothLists<VolumeUse>(app, gateway, {
    path,
    key: 'attachments',
    from,
    items: (listing) => attachments.list(listing.context, listing.reader, scopeOf(listing)),
    filters: ({ allows }) => ({
      volume_id: anyOf(
        (value) =>
          ({ volume }) =>
            volume.id === value,
      ),
      instance_id: anyOf(
        (value) =>
          ({ attachment }) =>
            attachment.serverId === value,
      ),
      instance_uuid: anyOf(
        (value) =>
          ({ attachment }) =>
            attachment.serverId === value,
      ),
      status: anyOf(
        (value) =>
          ({ attachment }) =>
            attachment.status === value,
      ),
      attach_status: anyOf(
        (value) =>
          ({ attachment }) =>
            attachment.status === value,
      ),
      project_id: allows('volume_extension:volume_host_attribute')
        ? anyOf(
            (value) =>
              ({ volume }) =>
                volume.projectId === value,
          )
        : () => undefined,
    }),
    sortValues: {
      id: idOf,
      volume_id: ({ volume }) => volume.id,
      status: ({ attachment }) => attachment.status ?? '',
      created_at: ({ volume }) => volume.createdMs,
    },
    idOf,
    brief: briefView,
    whole: attachmentView,
  });
  app.get<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    return { attachment: attachmentView(attachments.show(context, reader, request.params.id)) };
  });
  app.post(path, { config: { body: schemas.newAttachmentBody } }, async (request) => {
    requireMicroversion(request, { from });
    const { attachment: body } = parse(schemas.newAttachmentBody, request.body);
    const made = await attachments.create(gateway.context(request), {
      volumeId: body.volume_uuid,
      ...setField('serverId', body.instance_uuid),
      ...setField('connector', body.connector),
      ...setField('mode', body.mode),
    });
    return { attachment: attachmentView(made) };
  });
  app.put<ById>(`${path}/:id`, { config: { body: schemas.attachmentBody } }, async (request) => {
    requireMicroversion(request, { from });
    const { connector } = parse(schemas.attachmentBody, request.body).attachment;
    const changed = await attachments.update(gateway.context(request), request.params.id, connector);
    return { attachment: attachmentView(changed) };
  });
  app.delete<ById>(`${path}/:id`, async (request) => {
    requireMicroversion(request, { from });
    const { context, reader } = await viewingOf(gateway, request);
    const { volume } = attachments.show(context, reader, request.params.id);
    const left = await attachments.remove(context, request.params.id);
    return { attachments: left.map((attachment) => briefView({ volume, attachment })) };
  });
  addActions(app, gateway, `${path}/:id/action`, {
    'os-complete': action(schemas.completeBody, async (_argument, { request, context, id }) => {
      requireMicroversion(request, { from: completionFrom });
      await attachments.complete(context, id);
      return { status: 204 };
    }),
  });
}

function briefView({ volume, attachment }: VolumeUse): View {
  return {
    id: attachment.id ?? '',
    status: attachment.status ?? '',
    instance: known(attachment.serverId ?? ''),
    volume_id: volume.id,
  };
}

/** How it is connected: hosts of the mesh open it themselves, so that all there is to say is which and how. */
function attachmentView(use: VolumeUse): View {
  const { volume, attachment } = use;
  const mode = attachment.readOnly === true ? 'ro' : 'rw';
  const isConnected = attachment.status === 'attached' || Object.keys(attachment.connector ?? {}).length > 0;
  return {
    ...briefView(use),
    attach_mode: mode,
    attached_at: maybeTime(attachment.attachedMs ?? 0) ?? '',
    detached_at: '',
    connection_info: isConnected
      ? {
          driver_volume_type: 'shoal',
          volume_id: volume.id,
          attachment_id: attachment.id ?? '',
          access_mode: mode,
          encrypted: volume.encryption != null,
        }
      : {},
  };
}
