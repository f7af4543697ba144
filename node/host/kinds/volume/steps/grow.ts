import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { gibBytes } from '../../../../base/units.ts';
import { whereItIs } from '../kit/open-guest.ts';
import { poolOf } from '../kit/tools.ts';
import { volumeSpec } from '../kit/volume-spec.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointExtendBegins = failpoint('extend.begins', 'a larger volume is asked for, and nothing is done');
const failpointExtendGrown = failpoint('extend.grown', 'a volume is larger than its record says');
const failpointExtendReported = failpoint('extend.reported', 'a volume is recorded as larger a moment ago');

/** Gives the volume its size, in the guest that has it open or else on the storage, and tells the record. */
export const grow: VolumeStepDefinition<'grow'> = {
  mode: 'acts',
  words: 'extending the volume',
  async do(_step, volume, tools) {
    const { compute, signal } = tools;
    const volumeId = volume.id as VolumeId;
    failpointExtendBegins();
    await whereItIs(volume, tools, {
      open: (serverId) => compute.resizeDisk(serverId, volumeId, volume.sizeGib * gibBytes, signal),
      closed: async () => {
        const storage = poolOf(volume, tools);
        const imageSha256 = (await storage.findDisk(volumeId, signal))?.imageSha256;
        const spec = volumeSpec(volume, tools);
        await storage.ensureDisk({ ...spec, ...(imageSha256 === undefined ? {} : { imageSha256 }) }, signal);
      },
    });
    failpointExtendGrown();
    await tools.volumeReports.made(volume, volume.sizeGib);
    failpointExtendReported();
  },
};
