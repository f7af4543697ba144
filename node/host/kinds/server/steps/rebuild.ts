import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { closeDisks, makeDisks, removeReplacedDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointStopped = failpoint('rebuild.stopped', 'a guest is off to be rebuilt, and its disks are open');
const failpointClosed = failpoint('rebuild.closed', 'a guest is off to be rebuilt, and its new disks are not made');
const failpointMade = failpoint('rebuild.made', 'the new disks of a server are made, and its old ones are there');
const failpointRemoved = failpoint('rebuild.removed', 'the old disks of a server are gone, and recorded');
const failpointReported = failpoint('rebuild.reported', 'a server has its new disks alone, and does not run yet');

/** Powers the guest off and exchanges its disks: the old ones go once the new ones are there. */
export const rebuild: ServerStepDefinition<'rebuild'> = {
  mode: 'acts',
  words: 'rebuilding the server',
  async do(_step, server, tools) {
    await tools.compute.stopGuest(server.id as ServerId, { graceMs: 0 }, tools.signal);
    failpointStopped();
    await closeDisks(server, tools);
    failpointClosed();
    await makeDisks(server, tools);
    failpointMade();
    await removeReplacedDisks(server, tools);
    failpointRemoved();
    await tools.reports.rebuilt(server);
    failpointReported();
  },
};
