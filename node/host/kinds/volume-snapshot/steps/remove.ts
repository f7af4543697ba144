import { failpoint } from '../../../../base/buggify/buggify.ts';
import { removeSnapshot } from '../kit/remove-snapshot.ts';
import type { VolumeSnapshotStepDefinition } from './definition.ts';

const failpointSnapshotRemoved = failpoint('snapshot-delete.removed', 'a snapshot is gone, and recorded');

/** A committed deletion: the snapshot goes from the guest's disk or the storage, then its record. */
export const remove: VolumeSnapshotStepDefinition<'remove'> = {
  mode: 'tears-down',
  words: 'deleting the snapshot',
  async do(_step, snapshot, tools) {
    if (!snapshot.unmanage) await removeSnapshot(snapshot, tools);
    failpointSnapshotRemoved();
    await tools.volumeReports.snapshotRemoved(snapshot);
  },
};
