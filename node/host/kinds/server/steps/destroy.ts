import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { indexKey } from '../../../../state/table.ts';
import { jobTable } from '../../../../state/tables/index.ts';
import { removeDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointDestroyGuestRemoved = failpoint('destroy.guest-removed', 'a guest is removed, its disk is there');
const failpointDestroyDiskRemoved = failpoint('destroy.disk-removed', 'a disk is removed, the notes are there');
const failpointDestroyNotReported = failpoint('destroy.not-reported', 'all of a server is removed but its record');

/** A committed deletion: guest, disks, notes and record go, in this order. */
export const destroy: ServerStepDefinition<'destroy'> = {
  mode: 'tears-down',
  words: 'deleting the server',
  // What the job keeps of the disk is its own to remove; it ends once the server is being deleted.
  wait: (_step, server, tools) => {
    const job = jobTable.one(tools.reader, 'subject', indexKey(`server/${server.id}`))?.record;
    return job?.kind === 'server-image' ? 'an image of the server is being made, and is given up first' : undefined;
  },
  async do(_step, server, tools) {
    const serverId = server.id as ServerId;
    await tools.compute.stopGuest(serverId, { graceMs: 0 }, tools.signal);
    await tools.compute.removeGuest(serverId, tools.signal);
    failpointDestroyGuestRemoved();
    await removeDisks(server, tools);
    failpointDestroyDiskRemoved();
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    failpointDestroyNotReported();
    await tools.reports.deleted(server);
  },
};
