import { shoal } from '../../../../../../proto/messages.ts';
import { coverageMark, failpoint } from '../../../../../base/buggify/buggify.ts';
import type { ServerId } from '../../../../../base/ids.ts';
import { guestSpec } from '../../kit/arriving.ts';
import type { ServerStepDefinition } from '../../kit/step-definition.ts';

const failpointLocked = failpoint('arrive.locked', 'the disks of a guest that has come are taken, and it stands still');
const failpointNotReported = failpoint('arrive.not-reported', 'a guest goes on at its new host, and no record says so');
const markArrived = coverageMark('guest-arrived', 'a guest has come from another host while it ran');

/** Takes the disks, lets the guest go on as it is wanted, and tells the record. */
export const arrive: ServerStepDefinition<'arrive'> = {
  mode: 'acts',
  words: 'letting the server go on',
  async do(_step, server, tools) {
    const { compute, events, signal } = tools;
    const serverId = server.id as ServerId;
    const { disks } = await events.during('compute_open_disks', () => guestSpec(server, 'going-on', tools));
    failpointLocked();
    for (const { volumeId, limits } of disks) tools.appliedLimits.note(server.id, volumeId, limits);
    const isPaused = server.powerWanted === shoal.v1.PowerWanted.POWER_WANTED_PAUSED;
    const found = await compute.find(serverId, signal);
    if (!isPaused && found?.power !== 'running') {
      await events.during('compute_resume_guest', () => compute.resumeGuest(serverId, signal));
    }
    failpointNotReported();
    markArrived();
    await tools.reports.power(server, isPaused ? 'paused' : 'running', server.rebootsDone, undefined, events.done());
  },
};
