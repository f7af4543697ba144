import { failpoint } from '../../../../base/buggify/buggify.ts';
import { forgetCopySource, makeVolume } from '../kit/make-volume.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointCreateMade = failpoint('volume-create.made', 'a volume has bytes, and its record says creating');
const failpointCreateReported = failpoint('volume-create.reported', 'a volume is recorded as made a moment ago');

/** Makes the bytes of a volume, where that takes no time, and tells the record. */
export const make: VolumeStepDefinition<'make'> = {
  mode: 'acts',
  words: 'creating the volume',
  async do(_step, volume, tools) {
    const madeGib = await makeVolume(volume, tools, () => {});
    failpointCreateMade();
    await tools.volumeReports.made(volume, madeGib);
    failpointCreateReported();
  },
  async undo(_step, volume, tools) {
    if (volume.sourceVolumeId !== '' && volume.sourceSnapshotId === '') await forgetCopySource(volume, tools);
  },
};
