import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shoal } from '../../../proto/messages.ts';
import type { Caller, Callers } from '../kit/caller.ts';
import { isOr, pageById } from '../kit/page.ts';

type GroupSnapshotMethods =
  | 'listVolumeGroupSnapshots'
  | 'getVolumeGroupSnapshot'
  | 'createVolumeGroupSnapshot'
  | 'deleteVolumeGroupSnapshot';

/** The part of `shoal.v1.VolumeService` that is about snapshots of groups. */
export function groupSnapshotHandlers(
  callers: Callers,
  { groupSnapshots }: Pick<VolumeService, 'groupSnapshots'>,
): Pick<Handlers<shoal.v1.VolumeService, Caller>, GroupSnapshotMethods> {
  return {
    listVolumeGroupSnapshots: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects, groupId } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const all = groupSnapshots.list(context, reader, { allProjects }).filter((one) => isOr(groupId, one.groupId));
        const { page, nextPageToken } = pageById(all, request);
        return { groupSnapshots: page.map(groupSnapshotView), nextPageToken, stale };
      }),
    getVolumeGroupSnapshot: ({ groupSnapshotId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { groupSnapshot: groupSnapshotView(groupSnapshots.show(context, reader, groupSnapshotId)), stale };
      }),
    createVolumeGroupSnapshot: ({ groupId, name, description }, call) =>
      callers.serve(call, async ({ context }) => ({
        groupSnapshot: groupSnapshotView(await groupSnapshots.create(context, { groupId, name, description })),
      })),
    deleteVolumeGroupSnapshot: ({ groupSnapshotId }, call) =>
      callers.serve(call, async ({ context }) => {
        await groupSnapshots.remove(context, groupSnapshotId);
        return {};
      }),
  };
}

function groupSnapshotView(snapshot: shoal.v1.VolumeGroupSnapshot): shoal.v1.VolumeGroupSnapshotView {
  const { id, name, description, projectId, groupId, status, createdMs } = snapshot;
  return new shoal.v1.VolumeGroupSnapshotView({ id, name, description, projectId, groupId, status, createdMs });
}
