import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { closeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointSuspendSaved = failpoint('suspend.saved', 'a guest is suspended, and its disk is open');
const failpointSuspendNotReported = failpoint('suspend.not-reported', 'a guest is suspended, and no record says so');

/** Saves the guest's memory here and ends its process, closes its disks, and tells the record. */
export const suspend: ServerStepDefinition<'suspend'> = {
  mode: 'acts',
  words: 'suspending the server',
  async do(_step, server, tools) {
    const { events, compute, signal } = tools;
    await events.during('compute_save_memory', () => compute.suspendGuest(server.id as ServerId, signal));
    failpointSuspendSaved();
    await events.during('compute_close_disks', () => closeDisks(server, tools));
    failpointSuspendNotReported();
    await tools.reports.power(server, 'suspended', server.rebootsDone, undefined, events.done());
  },
};
