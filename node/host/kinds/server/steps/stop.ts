import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { closeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointStopGuestStopped = failpoint('stop.guest-stopped', 'a guest is off, and its disk is open');

/** Powers the guest off, closes its disks, and tells the record. */
export const stop: ServerStepDefinition<'stop'> = {
  mode: 'acts',
  words: 'stopping the server',
  async do(step, server, tools) {
    const { events, compute, signal, reports } = tools;
    await events.during('compute_stop_guest', () =>
      compute.stopGuest(server.id as ServerId, { graceMs: step.graceMs }, signal),
    );
    failpointStopGuestStopped();
    await events.during('compute_close_disks', () => closeDisks(server, tools));
    const reboots = Math.max(server.rebootsDone, server.rebootsWanted);
    await reports.power(server, 'stopped', reboots, undefined, events.done());
  },
};
