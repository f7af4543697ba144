import type { ServerId } from '../../../../base/ids.ts';
import { releaseDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from './definition.ts';

/** The server has moved on: guest, ports, locks and notes go; the disks stay for the next host; the record is told. */
export const release: ServerStepDefinition<'release'> = {
  mode: 'tears-down',
  words: 'releasing the server',
  async do(_step, server, tools) {
    const serverId = server.id as ServerId;
    await tools.compute.stopGuest(serverId, { graceMs: 0 }, tools.signal);
    await tools.compute.removeGuest(serverId, tools.signal);
    await releaseDisks(server, tools);
    // Before the record forgets this host: nothing would have them removed afterwards.
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    await tools.reports.released(server);
  },
};
