import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import { diskOf, giveBackUnplugged, plugIn } from '../kit/plugging.ts';
import { whyDiskIsNotThere } from '../kit/served-volumes.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointAttachReported = failpoint('attach.reported', 'a volume is recorded as attached a moment ago');
const markAttachTakenBack = coverageMark('attach-taken-back', 'a volume could not be plugged in, and is closed again');

/** Opens a volume and plugs it into the guest, or leaves it to the next start of one that is off; tells the record. */
export const plug: ServerStepDefinition<'plug'> = {
  mode: 'acts',
  words: 'attaching the volume',
  wait: ({ volumeId }, server, tools) => {
    const disk = server.disks.find((one) => one.volumeId === volumeId);
    return disk === undefined ? undefined : whyDiskIsNotThere(disk, tools);
  },
  async do({ volumeId }, server, tools) {
    await plugIn(server, diskOf(server, volumeId), tools);
    await tools.volumeReports.attached(server, volumeId);
    failpointAttachReported();
  },
  async undo({ volumeId }, server, tools) {
    if (await giveBackUnplugged(server, diskOf(server, volumeId), tools)) markAttachTakenBack();
  },
};
