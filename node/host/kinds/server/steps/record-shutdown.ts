import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { closeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointShutdownNoted = failpoint('shutdown.noted', 'a guest that went off is noted, and still there');
const failpointShutdownGuestRemoved = failpoint(
  'shutdown.guest-removed',
  'a guest that went off is gone, and its disk is open',
);
const markGuestPoweredItselfOff = coverageMark('guest-powered-itself-off', 'a guest powered itself off');

/** The guest powered itself off: lets QEMU go, closes the disks, and records that it is wanted stopped. */
export const recordShutdown: ServerStepDefinition<'record-shutdown'> = {
  mode: 'acts',
  words: 'letting go of the server that powered off',
  async do(_step, server, tools) {
    // Noted before QEMU goes: should the report fail, nothing else would say that the guest is not to be started.
    await tools.powerOffs.note(server);
    failpointShutdownNoted();
    await tools.compute.stopGuest(server.id as ServerId, { graceMs: 0 }, tools.signal);
    failpointShutdownGuestRemoved();
    markGuestPoweredItselfOff();
    await closeDisks(server, tools);
    await tools.reports.shutdown(server);
    // The records say so now, as of this revision: the note goes, and no older one is believed any more.
    await tools.revisionFence.note(tools.reader.revision);
    await tools.powerOffs.drop(server.id);
  },
};
