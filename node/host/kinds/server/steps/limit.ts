import { coverageMark } from '../../../../base/buggify/buggify.ts';
import type { ServerId, VolumeId } from '../../../../base/ids.ts';
import { volumeLimits } from '../kit/disk-specs.ts';
import { diskOf } from '../kit/plugging.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const markLimitsChangedLive = coverageMark(
  'limits-changed-live',
  'a guest is told other limits of a volume while it runs',
);

/** The type of a plugged volume, or its QoS specs, say other limits than the guest has: it gets them while it runs. */
export const limit: ServerStepDefinition<'limit'> = {
  mode: 'restores',
  words: 'limiting the volume',
  async do({ volumeId }, server, tools) {
    const limits = volumeLimits(diskOf(server, volumeId), tools);
    await tools.compute.setDiskLimits(server.id as ServerId, volumeId as VolumeId, limits ?? {}, tools.signal);
    tools.appliedLimits.note(server.id, volumeId, limits);
    markLimitsChangedLive();
  },
};
