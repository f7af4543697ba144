/** `POST /volumes/:id/action`: what is asked of a volume beside its being made and deleted. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import * as schemas from '../schemas/volume.ts';
import { type Action, type Actions, action, addActions, type Call } from './kit/actions.ts';
import { flagOf, timeText } from './kit/common.ts';
import { microversionOf, requireMicroversion } from './kit/microversion.ts';
import { setField } from './kit/set-fields.ts';

/** From here on a volume that guests have open can be extended. */
const onlineExtendFrom = 42;
/** From here on the caller says who may see the image that a volume becomes, and that a volume gets another image. */
const visibilityFrom = 1;
const reimageFrom = 68;

/** Adds the actions of volumes. */
export function addVolumeActions(app: FastifyInstance, gateway: Gateway, service: VolumeService): void {
  addActions(app, gateway, '/v3/volumes/:id/action', {
    ...stateActions(service),
    ...contentActions(service, gateway),
    ...useActions(service, gateway),
    ...moveActions(gateway, service),
  });
}

/** An action without an argument. */
function plain(run: (call: Call) => Promise<void>): Action {
  return action(schemas.nothing, (_argument, call) => run(call));
}

/** As `plain`, with a body for 200. */
function plainAnswer(run: (call: Call) => Promise<object>): Action {
  return action(schemas.nothing, async (_argument, call) => ({ status: 200, body: await run(call) }));
}

function stateActions({ volumes }: VolumeService): Actions {
  return {
    'os-extend': action(schemas.extendBody, ({ new_size: size }, { context, id, request }) =>
      volumes.extend(context, id, Number(size), { online: microversionOf(request) >= onlineExtendFrom }),
    ),
    'os-reset_status': action(schemas.resetVolumeBody, (body, { context, id }) =>
      volumes.resetStatus(context, id, {
        ...(body.status == null ? {} : { status: body.status.toLowerCase() }),
        ...(body.attach_status == null ? {} : { attachStatus: body.attach_status.toLowerCase() }),
        ...(body.migration_status == null ? {} : { migrationStatus: body.migration_status.toLowerCase() }),
      }),
    ),
    'os-force_delete': plain(({ context, id }) => volumes.remove(context, id, { force: true })),
    'os-set_bootable': action(schemas.bootableBody, async ({ bootable }, { context, id }) => {
      await volumes.setBootable(context, id, flagOf('bootable', bootable));
      return { status: 200 };
    }),
    'os-update_readonly_flag': action(schemas.readOnlyBody, ({ readonly }, { context, id }) =>
      volumes.setReadOnly(context, id, flagOf('readonly', readonly)),
    ),
    // Hosts grow what guests have open by themselves, and wait for nobody's word that it is done.
    'os-extend_volume_completion': action(schemas.extendCompletionBody, async (_argument, { request }) => {
      requireMicroversion(request, { from: 71 });
      throw new ShoalError('INVALID_ARGUMENT', 'Invalid volume: no extension of it waits for a completion.');
    }),
  };
}

function contentActions({ volumes }: VolumeService, gateway: Gateway): Actions {
  return {
    'os-show_image_metadata': plainAnswer(async ({ request, context, id }) => ({
      metadata: volumes.show(context, await gateway.readState(request), id).imageMetadata,
    })),
    revert: action(schemas.revertBody, ({ snapshot_id: snapshotId }, { context, id, request }) => {
      requireMicroversion(request, { from: 40 });
      return volumes.revert(context, id, snapshotId);
    }),
    'os-set_image_metadata': action(schemas.setImageMetadataBody, async ({ metadata }, { context, id }) => ({
      status: 200,
      body: { metadata: await volumes.setImageMetadata(context, id, metadata) },
    })),
    'os-unset_image_metadata': action(schemas.unsetImageMetadataBody, async ({ key }, { context, id }) => {
      await volumes.removeImageMetadata(context, id, key);
      return { status: 200 };
    }),
  };
}

/** Uses that somebody other than Nova keeps. What a server has, its host keeps: those are refused, and detached there. */
function useActions({ volumes, attachments }: VolumeService, gateway: Gateway): Actions {
  const detach = async ({ request, context, id }: Call, attachmentId: string | null | undefined): Promise<void> => {
    const volume = volumes.show(context, await gateway.readState(request), id);
    const uses = volume.attachments.filter((one) => attachmentId == null || one.id === attachmentId);
    const [use] = uses;
    // As with Cinder: what nobody has is detached already.
    if (volume.attachments.length === 0 && attachmentId == null) return;
    if (use === undefined) throw new ShoalError('INVALID_ARGUMENT', `Invalid volume: ${id} has no such attachment.`);
    if (uses.length > 1) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `Invalid volume: ${id} is attached several times; the attachment_id is to be named.`,
      );
    }
    await attachments.remove(context, use.id ?? '');
  };
  return {
    'os-reserve': plain(({ context, id }) => volumes.reserve(context, id)),
    'os-unreserve': plain(({ context, id }) => volumes.unreserve(context, id)),
    'os-begin_detaching': plain(({ context, id }) => volumes.beginDetaching(context, id)),
    'os-roll_detaching': plain(({ context, id }) => volumes.rollDetaching(context, id)),
    'os-attach': action(schemas.attachBody, async (body, { context, id }) => {
      await attachments.attach(context, {
        volumeId: id,
        ...setField('serverId', body.instance_uuid),
        ...setField('mode', body.mode),
        connector: { host: body.host_name ?? '', mountpoint: body.mountpoint ?? '' },
      });
    }),
    'os-detach': action(schemas.detachBody, (body, call) => detach(call, body?.attachment_id)),
    'os-force_detach': action(schemas.forceDetachBody, (body, call) => detach(call, body.attachment_id)),
    // Hosts of the mesh open volumes by themselves: there is no target to connect to, for any machine.
    'os-initialize_connection': action(schemas.connectionBody, async ({ connector }, { request, context, id }) => {
      volumes.show(context, await gateway.readState(request), id);
      const host = ownValue(connector, 'host');
      throw new ShoalError(
        'INVALID_ARGUMENT',
        `Invalid input received: connector of ${shown(typeof host === 'string' ? host : 'no host')} is rejected: a volume is opened by the host of the server that has it, and exported to no other machine. Attach it to a server.`,
      );
    }),
    'os-terminate_connection': action(schemas.connectionBody, async (_argument, { request, context, id }) => {
      volumes.show(context, await gateway.readState(request), id);
    }),
  };
}

/** Long work of a host: the answer says that it has begun. */
function moveActions(gateway: Gateway, { moves, reimages, types }: VolumeService): Actions {
  return {
    'os-retype': action(schemas.retypeBody, ({ new_type: type, migration_policy: policy }, { context, id }) =>
      moves.retype(context, id, type, policy ?? 'never'),
    ),
    'os-migrate_volume': action(schemas.migrateBody, ({ host }, { context, id }) => {
      if (host == null) throw new ShoalError('INVALID_ARGUMENT', 'The host is to be named: HOST@POOL#POOL.');
      return moves.migrate(context, id, host);
    }),
    'os-unmanage': plain(({ context, id }) => moves.unmanage(context, id)),
    'os-volume_upload_image': action(schemas.uploadImageBody, async (body, { request, context, id }) => {
      const isNewer = microversionOf(request) >= visibilityFrom;
      const { volume, image } = await moves.uploadToImage(context, id, {
        imageName: body.image_name,
        ...setField('diskFormat', body.disk_format),
        ...(body.force === undefined ? {} : { force: flagOf('force', body.force) }),
        ...(isNewer ? setField('visibility', body.visibility) : {}),
        ...(isNewer && body.protected !== undefined ? { protected: flagOf('protected', body.protected) } : {}),
      });
      const type = types.find(await gateway.readState(request), volume.typeId);
      return {
        status: 202,
        body: {
          'os-volume_upload_image': {
            id: volume.id,
            status: volume.status,
            size: volume.sizeGib,
            updated_at: timeText(volume.updatedMs),
            display_description: volume.description,
            volume_type: type === undefined ? null : { id: type.id, name: type.name },
            image_id: image.id,
            image_name: image.name,
            disk_format: image.diskFormat,
            container_format: image.containerFormat,
            ...(isNewer ? { visibility: image.visibility, protected: image.protected } : {}),
          },
        },
      };
    }),
    'os-reimage': action(schemas.reimageBody, (body, { request, context, id }) => {
      requireMicroversion(request, { from: reimageFrom });
      const reserved = body.reimage_reserved !== undefined && flagOf('reimage_reserved', body.reimage_reserved);
      return reimages.begin(context, id, { imageId: body.image_id, reserved });
    }),
  };
}
