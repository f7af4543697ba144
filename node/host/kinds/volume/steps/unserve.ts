import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { poolOf } from '../kit/tools.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointUnserveEnded = failpoint(
  'unserve.ended',
  'what served a volume has ended, and its record says detaching',
);
const failpointUnserveReported = failpoint('unserve.reported', 'a volume that was served is free since a moment ago');

/** Ends what serves the volume, whose server's host has let go of it, and tells the record. */
export const unserve: VolumeStepDefinition<'unserve'> = {
  mode: 'tears-down',
  words: 'ending what serves the volume',
  async do(_step, volume, tools) {
    await poolOf(volume, tools).unserveDisk(volume.id as VolumeId, tools.hostId, tools.signal);
    failpointUnserveEnded();
    await tools.volumeReports.unserved(volume);
    failpointUnserveReported();
  },
};
