import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { removeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from './definition.ts';

/** A committed deletion: guest, disks, notes and record go, in this order. */
export const destroy: ServerStepDefinition<'destroy'> = {
  mode: 'tears-down',
  words: 'deleting the server',
  async do(_step, server, tools) {
    const serverId = server.id as ServerId;
    await tools.compute.stopGuest(serverId, { graceMs: 0 }, tools.signal);
    await tools.compute.removeGuest(serverId, tools.signal);
    failpoint('destroy.guest-removed');
    await removeDisks(server, tools);
    failpoint('destroy.disk-removed');
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    failpoint('destroy.not-reported');
    await tools.reports.deleted(server);
  },
};
