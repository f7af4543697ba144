import { coverageMark } from '../../../../base/buggify/buggify.ts';
import { diskOf, plugIn } from '../kit/plugging.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const markVolumePluggedAgain = coverageMark('volume-plugged-again', 'a guest had lost a volume that is its own');

/** A volume has gone from the guest by itself, or by a request to let go that was withdrawn: it is plugged in again. */
export const replug: ServerStepDefinition<'replug'> = {
  mode: 'restores',
  words: 'attaching the volume again',
  async do({ volumeId }, server, tools) {
    await plugIn(server, diskOf(server, volumeId), tools);
    markVolumePluggedAgain();
  },
};
