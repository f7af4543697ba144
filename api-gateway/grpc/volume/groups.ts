import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import type { StateReader } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { pageById } from '../kit/page.ts';

type GroupMethods =
  | 'listVolumeGroups'
  | 'getVolumeGroup'
  | 'createVolumeGroup'
  | 'updateVolumeGroup'
  | 'deleteVolumeGroup';

/** The part of `shoal.v1.VolumeService` that is about groups of volumes. */
export function groupHandlers(
  callers: Callers,
  { groups }: Pick<VolumeService, 'groups'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, GroupMethods> {
  const viewOf = (reader: StateReader, group: shoal.v1.VolumeGroup): shoal.v1.VolumeGroupView =>
    groupView(group, groups.members(reader, group));
  return {
    listVolumeGroups: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const { page, nextPageToken } = pageById(groups.list(context, reader, { allProjects }), request);
        return { groups: page.map((group) => viewOf(reader, group)), nextPageToken, stale };
      }),
    getVolumeGroup: ({ groupId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { group: viewOf(reader, groups.show(context, reader, groupId)), stale };
      }),
    createVolumeGroup: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        mustHaveProject(context, '');
        const { name, description, groupType, volumeTypes, zone, sourceGroupId, groupSnapshotId } = request;
        const isCopy = sourceGroupId !== '' || groupSnapshotId !== '';
        const made = isCopy
          ? await groups.createFrom(context, { name, description, sourceGroupId, groupSnapshotId })
          : await groups.create(context, { name, description, groupType, volumeTypes, zone });
        return { group: viewOf((await read()).reader, made) };
      }),
    updateVolumeGroup: (request, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { groupId, name, description, addVolumeIds, removeVolumeIds } = request;
        const updated = await groups.update(context, groupId, {
          ...(name === null ? {} : { name }),
          ...(description === null ? {} : { description }),
          ...(addVolumeIds.length === 0 ? {} : { addVolumeIds }),
          ...(removeVolumeIds.length === 0 ? {} : { removeVolumeIds }),
        });
        return { group: viewOf((await read()).reader, updated) };
      }),
    deleteVolumeGroup: ({ groupId, deleteVolumes }, call) =>
      callers.serve(call, async ({ context }) => {
        await groups.remove(context, groupId, { deleteVolumes });
        return {};
      }),
  };
}

function groupView(group: shoal.v1.VolumeGroup, members: readonly shoal.v1.Volume[]): shoal.v1.VolumeGroupView {
  const { id, name, description, projectId, groupTypeId, typeIds, status, zone, createdMs } = group;
  return new shoal.v1.VolumeGroupView({
    id,
    name,
    description,
    projectId,
    groupTypeId,
    volumeTypeIds: typeIds,
    status,
    zone,
    volumeIds: members.map((volume) => volume.id),
    createdMs,
  });
}
