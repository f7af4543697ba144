import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import { isStillAsked } from '../kit/still-asked.ts';
import { poolOf } from '../kit/tools.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointRevertDone = failpoint('revert.done', 'a volume has its old content, and its record says reverting');
const failpointRevertReported = failpoint('revert.reported', 'a volume is recorded as reverted a moment ago');

/** Puts the content back to what it was at the snapshot that the record names, and tells the record. */
export const revert: VolumeStepDefinition<'revert'> = {
  mode: 'acts',
  words: 'reverting the volume',
  async do(_step, volume, tools) {
    if (!(await isStillAsked(volume, tools))) return;
    const snapshotId = volume.revertSnapshotId as VolumeSnapshotId;
    await poolOf(volume, tools).revertDisk(volume.id as VolumeId, snapshotId, tools.signal);
    failpointRevertDone();
    await tools.volumeReports.made(volume, volume.madeGib);
    failpointRevertReported();
  },
};
