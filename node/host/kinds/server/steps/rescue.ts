import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { closeDisks, removeRescueDisk } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointStopped = failpoint('rescue.stopped', 'a guest is off to be rescued, and its disks are open');
const failpointClosed = failpoint('rescue.closed', 'a guest is off to be rescued, and its disks are closed');

const failpointUnrescueStopped = failpoint('unrescue.stopped', 'a guest in rescue is off, and its disks are open');
const failpointUnrescueClosed = failpoint(
  'unrescue.closed',
  'a guest in rescue is off, and the disk of the rescue is there',
);
const failpointUnrescueRemoved = failpoint('unrescue.removed', 'the disk of a rescue is gone, and recorded');
const failpointUnrescueReported = failpoint('unrescue.reported', 'a rescue is over, and the server does not run yet');

/** Powers the guest off: the next start is from the disk of the rescue. */
export const rescue: ServerStepDefinition<'rescue'> = {
  mode: 'acts',
  words: 'rescuing the server',
  async do({ graceMs }, server, tools) {
    await tools.compute.stopGuest(server.id as ServerId, { graceMs }, tools.signal);
    failpointStopped();
    await closeDisks(server, tools);
    failpointClosed();
  },
};

/** Powers the guest off and removes the disk of the rescue: the next start is from the server's own. */
export const unrescue: ServerStepDefinition<'unrescue'> = {
  mode: 'acts',
  words: 'ending the rescue of the server',
  async do({ graceMs }, server, tools) {
    await tools.compute.stopGuest(server.id as ServerId, { graceMs }, tools.signal);
    failpointUnrescueStopped();
    await closeDisks(server, tools);
    failpointUnrescueClosed();
    await removeRescueDisk(server, tools);
    failpointUnrescueRemoved();
    await tools.reports.unrescued(server);
    failpointUnrescueReported();
  },
};
