import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { releaseDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointReleaseGuestStopped = failpoint(
  'release.guest-stopped',
  'a server that moves is off, its disks are open',
);
const failpointReleaseNotReported = failpoint(
  'release.not-reported',
  'a host has let go of a server, and its record does not say so',
);

/** The server has moved on: guest, ports, locks and notes go; the disks stay; the record is told. */
export const release: ServerStepDefinition<'release'> = {
  mode: 'tears-down',
  words: 'releasing the server',
  async do({ generation, graceMs }, server, tools) {
    const serverId = server.id as ServerId;
    const { compute, events, signal } = tools;
    await events.during('compute_stop_guest', () => compute.stopGuest(serverId, { graceMs }, signal));
    failpointReleaseGuestStopped();
    await compute.removeGuest(serverId, signal);
    await events.during('compute_close_disks', () => releaseDisks(server, generation, tools));
    // Before the record forgets this host: nothing would have them removed afterwards.
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    failpointReleaseNotReported();
    await tools.reports.released(server, events.done());
  },
};
