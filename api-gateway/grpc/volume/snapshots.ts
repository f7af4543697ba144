import type { Handlers } from '../../../node/rpc/server.ts';
import type { VolumeService } from '../../../node/services/volume/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { type Caller, type Callers, mustHaveProject } from '../kit/caller.ts';
import { tokenOf } from '../kit/client-token.ts';
import { isOr, pageById } from '../kit/page.ts';

type SnapshotMethods = 'listVolumeSnapshots' | 'getVolumeSnapshot' | 'createVolumeSnapshot' | 'deleteVolumeSnapshot';

/** The part of `shoal.v1.VolumeService` that is about snapshots. */
export function snapshotHandlers(
  callers: Callers,
  snapshots: VolumeService['snapshots'],
): Pick<Handlers<shoal.v1.VolumeService, Caller>, SnapshotMethods> {
  return {
    listVolumeSnapshots: (request, call) =>
      callers.serve(call, async ({ context, read, enforce }) => {
        const { allProjects, volumeId } = request;
        if (allProjects) enforce('volume:get_all:all_projects');
        const { reader, stale } = await read();
        const all = snapshots.list(context, reader, { allProjects }).filter((one) => isOr(volumeId, one.volumeId));
        const { page, nextPageToken } = pageById(all, request);
        return { snapshots: page.map(snapshotView), nextPageToken, stale, revision: reader.revision };
      }),
    getVolumeSnapshot: ({ snapshotId }, call) =>
      callers.serve(call, async ({ context, read }) => {
        const { reader, stale } = await read();
        return { snapshot: snapshotView(snapshots.show(context, reader, snapshotId)), stale };
      }),
    createVolumeSnapshot: (request, call) =>
      callers.serve(call, async ({ context }) => {
        mustHaveProject(context, '');
        // Named one by one: what a message does not carry is no property of its own.
        const { volumeId, name, description, metadata, clientToken } = request;
        const draft = { volumeId, name, description, metadata, ...tokenOf(clientToken), force: true };
        const made = await snapshots.create(context, draft);
        return { snapshot: snapshotView(made) };
      }),
    deleteVolumeSnapshot: ({ snapshotId }, call) =>
      callers.serve(call, async ({ context }) => {
        await snapshots.remove(context, snapshotId);
        return {};
      }),
  };
}

function snapshotView(snapshot: shoal.v1.VolumeSnapshot): shoal.v1.VolumeSnapshotView {
  const { id, name, description, projectId, volumeId, sizeGib, status, metadata, ofAttached, frozen, createdMs } =
    snapshot;
  return new shoal.v1.VolumeSnapshotView({
    id,
    name,
    description,
    projectId,
    volumeId,
    sizeGib,
    status,
    metadata,
    ofAttached,
    frozen,
    createdMs,
  });
}
