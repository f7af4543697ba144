import { failpoint } from '../../../../base/buggify/buggify.ts';
import { diskOf, pullOut } from '../kit/plugging.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointDetachReported = failpoint('detach.reported', 'a volume is free in the records since a moment ago');

/** Has the guest let go of a volume, closes it, and tells the record. */
export const unplug: ServerStepDefinition<'unplug'> = {
  mode: 'acts',
  words: 'detaching the volume',
  async do({ volumeId }, server, tools) {
    await pullOut(server, diskOf(server, volumeId), tools);
    await tools.volumeReports.detached(server, volumeId);
    failpointDetachReported();
  },
};
