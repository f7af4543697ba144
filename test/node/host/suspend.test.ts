/** A host is killed while it suspends or stops a server: the next agent closes its disks, and says what the server is. */
import t from 'tap';
import type { VolumeId } from '../../../node/base/ids.ts';
import { shoal } from '../../../proto/messages.ts';
import { serverId } from './host-world.ts';
import { volumeHost } from './volume-host.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

for (const point of ['suspend.saved', 'suspend.not-reported']) {
  t.test(`killed at ${point}`, async (t) => {
    const host = await volumeHost(t);
    const { world } = host;
    const before = world.compute.guests.get(serverId);
    const starts = world.compute.starts.length;
    const { hits } = host.killAt(point);
    await world.change((server) => {
      server.powerWanted = PowerWanted.POWER_WANTED_SUSPENDED;
      server.taskState = 'suspending';
    });
    const isSuspended = (): boolean => host.server?.status === ServerStatus.SERVER_STATUS_SUSPENDED;
    await host.until('the server is suspended', isSuspended, () => hits() > 0);
    t.equal(hits() > 0, true, 'it was killed there');
    t.equal(world.compute.guests.get(serverId)?.power, 'suspended');
    t.notOk(world.storage.disks.get('v1' as VolumeId)?.lock, 'its disk is closed');
    await world.change((server) => {
      server.powerWanted = PowerWanted.POWER_WANTED_RUNNING;
      server.taskState = 'resuming';
    });
    await host.until('it runs again', () => host.server?.status === ServerStatus.SERVER_STATUS_ACTIVE);
    t.equal(world.compute.guests.get(serverId), before, 'from its memory');
    t.equal(world.compute.starts.length, starts + 1, 'once');
  });
}

t.test('killed at stop.guest-stopped', async (t) => {
  const host = await volumeHost(t);
  const { world } = host;
  const { hits } = host.killAt('stop.guest-stopped');
  t.ok(world.storage.disks.get('v1' as VolumeId)?.lock, 'its disk is open while it runs');
  await world.change((server) => {
    server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
    server.taskState = 'powering-off';
  });
  const isStopped = (): boolean => host.server?.status === ServerStatus.SERVER_STATUS_SHUTOFF;
  await host.until('the server is stopped', isStopped, () => hits() > 0);
  t.equal(hits() > 0, true, 'it was killed there');
  t.equal(world.compute.guests.get(serverId)?.power, 'stopped');
  t.notOk(world.storage.disks.get('v1' as VolumeId)?.lock, 'its disk is closed');
});
