import { failpoint } from '../../../../base/buggify/buggify.ts';
import { volumeSnapshotTable } from '../../../../state/tables/index.ts';
import { snapshotAtOnce } from '../kit/snapshot-at-once.ts';
import type { VolumeSnapshotStepDefinition } from './definition.ts';

const failpointSnapshotMade = failpoint('snapshot.made', 'a snapshot is on the storage, and recorded as creating');
const failpointSnapshotReported = failpoint('snapshot.reported', 'a snapshot is recorded as made a moment ago');

/** Keeps the content of the volumes at one instant, and tells the records of all of them in one transaction. */
export const make: VolumeSnapshotStepDefinition<'make'> = {
  mode: 'acts',
  words: 'creating the snapshot',
  async do({ snapshotIds }, _snapshot, tools) {
    const snapshots = snapshotIds.map((id) => volumeSnapshotTable.must(tools.reader, id).record);
    const made = await snapshotAtOnce(snapshots, tools);
    failpointSnapshotMade();
    await tools.volumeReports.snapshotsMade(snapshots, made);
    failpointSnapshotReported();
  },
};
