import type { Clock } from '../../node/base/clock.ts';
import type { Handlers } from '../../node/rpc/server.ts';
import type { VolumeService } from '../../node/services/volume/index.ts';
import { sourceVolumeIdOf } from '../../node/services/volume/records/volume-record.ts';
import { volumeTable } from '../../node/state/tables/index.ts';
import type { StateClient } from '../../node/state/types.ts';
import { shoal } from '../../proto/messages.ts';
import { type Caller, type Callers, mustHaveProject } from './kit/caller.ts';
import { tokenOf } from './kit/client-token.ts';
import { isOr, pageById } from './kit/page.ts';
import { RecordWatch, type Watched } from './kit/record-watch.ts';
import type { WatchStreams } from './kit/watch-streams.ts';
import { backupHandlers } from './volume/backups.ts';
import { groupSnapshotHandlers } from './volume/group-snapshots.ts';
import { groupHandlers } from './volume/groups.ts';
import { qosSpecsHandlers } from './volume/qos-specs.ts';
import { snapshotHandlers } from './volume/snapshots.ts';
import { transferHandlers } from './volume/transfers.ts';
import { typeHandlers } from './volume/types.ts';

/** `shoal.v1.VolumeService`: the same volumes as the block storage API's, natively. */
export function volumeHandlers(
  callers: Callers,
  volume: VolumeService,
  watching: { readonly state: StateClient; readonly clock: Clock; readonly watchStreams: WatchStreams },
): Handlers<shoal.v1.VolumeService, Caller> {
  const { volumes, attachments } = volume;
  return {
    listVolumes: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects, status } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const all = volumes.list(context, reader, { allProjects }).filter((one) => isOr(status, one.status));
        const { page, nextPageToken } = pageById(all, request);
        return { volumes: page.map(volumeView), nextPageToken, stale, revision: reader.revision };
      }),
    getVolume: ({ volumeId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { volume: volumeView(volumes.show(context, reader, volumeId)), stale };
      }),
    createVolume: (request, call) =>
      callers.serve(call, async ({ context }) => {
        mustHaveProject(context, '');
        // Named one by one: what a message does not carry is no property of its own.
        const { sizeGib, name, description, type, zone, metadata, clientToken } = request;
        const { imageId, snapshotId, sourceVolumeId, backupId } = request;
        const made = await volumes.create(context, {
          ...{ name, description, type, zone, metadata, imageId, snapshotId, sourceVolumeId, backupId },
          ...(sizeGib === 0 ? {} : { sizeGib }),
          ...tokenOf(clientToken),
        });
        return { volume: volumeView(made) };
      }),
    updateVolume: (request, call) =>
      callers.serve(call, async ({ context }) => {
        const { volumeId, name, description, setMetadata } = request;
        const patch = { ...(name === null ? {} : { name }), ...(description === null ? {} : { description }) };
        if (Object.keys(setMetadata).length > 0) {
          await volumes.setMetadata(context, volumeId, setMetadata, { replace: false });
        }
        return { volume: volumeView(await volumes.update(context, volumeId, patch)) };
      }),
    deleteVolume: ({ volumeId, cascade, force }, call) =>
      callers.serve(call, async ({ context, enforce }) => {
        if (force) enforce('volume_extension:volume_admin_actions:force_delete');
        await volumes.remove(context, volumeId, { cascade, force });
        return {};
      }),
    extendVolume: ({ volumeId, sizeGib }, call) =>
      callers.serve(call, async ({ context }) => {
        await volumes.extend(context, volumeId, sizeGib);
        return {};
      }),
    revertVolume: ({ volumeId, snapshotId }, call) =>
      callers.serve(call, async ({ context }) => {
        await volumes.revert(context, volumeId, snapshotId);
        return {};
      }),
    reimageVolume: ({ volumeId, imageId, reserved }, call) =>
      callers.serve(call, async ({ context }) => {
        await volume.reimages.begin(context, volumeId, { imageId, reserved });
        return {};
      }),
    attachVolume: ({ serverId, volumeId, device, tag, deleteOnTermination }, call) =>
      callers.serve(call, async ({ context }) => {
        const draft = { volumeId, device, tag, deleteOnTermination };
        const disk = await attachments.plug(context, serverId, draft);
        return { attachmentId: disk.attachmentId, device: `/dev/${disk.device}` };
      }),
    detachVolume: ({ serverId, volumeId }, call) =>
      callers.serve(call, async ({ context }) => {
        await attachments.unplug(context, serverId, volumeId);
        return {};
      }),
    async *watchVolumes({ fromRevision }, call) {
      const { context, recheck } = callers.open(call);
      const { state, clock, watchStreams } = watching;
      const watch = new RecordWatch(watchedVolumes, state, { context, clock, recheck }, fromRevision);
      yield* watchStreams.counted(context.userId, () => watch.events());
    },
    ...snapshotHandlers(callers, volume.snapshots),
    ...transferHandlers(callers, volume),
    ...groupHandlers(callers, volume),
    ...groupSnapshotHandlers(callers, volume),
    ...typeHandlers(callers, volume),
    ...qosSpecsHandlers(callers, volume),
    ...backupHandlers(callers, volume),
  };
}

/** A volume as its owner may see it: its key and its host are not his to know. */
function volumeView(volume: shoal.v1.Volume): shoal.v1.VolumeView {
  return new shoal.v1.VolumeView({
    id: volume.id,
    name: volume.name,
    description: volume.description,
    projectId: volume.projectId,
    userId: volume.userId,
    sizeGib: volume.sizeGib,
    typeId: volume.typeId,
    zone: volume.zone,
    pool: volume.pool,
    status: volume.status,
    bootable: volume.bootable,
    readOnly: volume.readOnly,
    multiattach: volume.multiattach,
    encrypted: volume.encryption !== null,
    metadata: volume.metadata,
    imageId: volume.imageId,
    sourceSnapshotId: volume.sourceSnapshotId,
    sourceVolumeId: sourceVolumeIdOf(volume),
    sourceBackupId: volume.sourceBackupId,
    uses: volume.attachments.map(({ id, serverId, device, status }) => ({
      attachmentId: id,
      serverId,
      device,
      status,
    })),
    createdMs: volume.createdMs,
    updatedMs: volume.updatedMs,
  });
}

/** What is told of each change of a volume. */
const watchedVolumes: Watched<shoal.v1.Volume, shoal.v1.WatchVolumesResponse> = {
  table: volumeTable,
  ruleOfAll: 'volume:get_all:all_projects',
  event: (_context, revision, volumeId, volume) =>
    new shoal.v1.WatchVolumesResponse({
      revision,
      volumeId,
      ...(volume === undefined ? {} : { volume: volumeView(volume) }),
    }),
};
