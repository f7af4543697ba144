import { coverageMark, failpoint } from '../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../base/ids.ts';
import { removeKeptDisks } from '../kit/disks.ts';
import type { ServerStepDefinition } from '../kit/step-definition.ts';

const failpointCleanDisksRemoved = failpoint(
  'clean.disks-removed',
  'a host has removed what it kept of a server, and its record does not say so',
);
const markFormerHostCleaned = coverageMark('former-host-cleaned', 'a server has moved for good, and nothing is left');

/** The server has moved on for good: its disks on this host's own storage go; the record is told. */
export const clean: ServerStepDefinition<'clean'> = {
  mode: 'tears-down',
  words: 'removing what is left of the server that has moved',
  async do(_step, server, tools) {
    // One that was off when its host was given up has been released by nobody: what there is of its guest, and the notes, go here.
    await tools.compute.removeGuest(server.id as ServerId, tools.signal);
    await tools.store.write([tools.reboots.dropping(server.id), tools.powerOffs.dropping(server.id)]);
    await removeKeptDisks(server, tools);
    failpointCleanDisksRemoved();
    markFormerHostCleaned();
    await tools.reports.cleaned(server);
  },
};
