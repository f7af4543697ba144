import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import { volumeTable } from '../../../../state/tables/index.ts';
import { whereItIs } from '../../volume/kit/open-guest.ts';
import { poolOf } from '../../volume/kit/tools.ts';
import type { VolumeSnapshotStepDefinition } from './definition.ts';

const failpointSnapshotRemoved = failpoint('snapshot-delete.removed', 'a snapshot is gone, and recorded');

/** A committed deletion: the snapshot goes from the guest's disk or the storage, then its record. */
export const remove: VolumeSnapshotStepDefinition<'remove'> = {
  mode: 'tears-down',
  words: 'deleting the snapshot',
  async do(_step, snapshot, tools) {
    const { compute, reader, signal } = tools;
    const volumeId = snapshot.volumeId as VolumeId;
    const snapshotId = snapshot.id as VolumeSnapshotId;
    const volume = volumeTable.get(reader, volumeId)?.record ?? { id: volumeId, attachments: [] };
    if (!snapshot.unmanage) {
      await whereItIs(volume, tools, {
        open: (serverId) => compute.removeDiskSnapshot(serverId, { volumeId, snapshotId }, signal),
        closed: () => poolOf(snapshot, tools).removeSnapshot(volumeId, snapshotId, signal),
      });
    }
    failpointSnapshotRemoved();
    await tools.volumeReports.snapshotRemoved(snapshot);
  },
};
