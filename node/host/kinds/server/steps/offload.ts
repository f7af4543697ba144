import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { removeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointGuestRemoved = failpoint(
  'offload.guest-removed',
  'the guest of a shelved server is gone, its disks are there',
);
const failpointDisksRemoved = failpoint(
  'offload.disks-removed',
  'the disks of a shelved server are gone, its notes are there',
);
const failpointNotReported = failpoint(
  'offload.not-reported',
  'nothing of a shelved server is here, and its record says so',
);
const failpointReported = failpoint('offload.reported', 'a shelved server has no host since a moment ago');

/** A shelved server leaves its host: guest, disks of its own and notes go, volumes are closed, and the record has no host then. */
export const offload: ServerStepDefinition<'offload'> = {
  mode: 'tears-down',
  words: 'offloading the server',
  async do(_step, server, tools) {
    const serverId = server.id as ServerId;
    await tools.compute.stopGuest(serverId, { graceMs: 0 }, tools.signal);
    await tools.compute.removeGuest(serverId, tools.signal);
    failpointGuestRemoved();
    await removeDisks(server, tools);
    failpointDisksRemoved();
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    failpointNotReported();
    await tools.reports.offloaded(server);
    failpointReported();
  },
};
