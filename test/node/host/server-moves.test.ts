/**
 * A host on which a server is resized, or which a server leaves: killed at each point of it, the guest runs in one shape, its disk is
 * open once, and the disk stays for the way back until the move is confirmed.
 */
import t from 'tap';
import type { VolumeId } from '../../../node/base/ids.ts';
import { planServer } from '../../../node/host/plan/server-plan.ts';
import { shoal } from '../../../proto/messages.ts';
import { self, serverId } from './host-world.ts';
import { volumeHost } from './volume-host.ts';

const { ServerStatus } = shoal.v1;
const flavor = (vcpus: number) => new shoal.v1.Flavor({ vcpus, memoryMib: 128 * vcpus, diskGib: 1 });
const move = (phase: string) =>
  new shoal.v1.ServerMove({ kind: 'resize', phase, oldFlavor: flavor(1), newFlavor: flavor(2) });

for (const point of ['release.guest-stopped', 'release.not-reported', 'start.disk-opened', 'start.guest-runs']) {
  t.test(`a resize on one host, killed at ${point}`, async (t) => {
    const host = await volumeHost(t);
    const { world } = host;
    await host.until('it runs', () => host.server?.status === ServerStatus.SERVER_STATUS_ACTIVE);
    const { hits } = host.killAt(point);
    await world.change((server) => {
      server.previousHostId = self;
      server.generation = 2;
      server.flavor = flavor(2);
      server.move = move('migrating');
      server.askedRevision += 1;
      server.taskState = 'resize_migrating';
      for (const disk of server.disks) if (disk.kind === 'volume') disk.generation = (disk.generation ?? 0) + 1;
    });
    const isDone = (): boolean => host.server?.taskState === '' && host.server.releasedGeneration === 1;
    await host.until('it runs in its new shape', isDone, () => hits() > 0);
    t.equal(hits() > 0, true, 'it was killed there');
    const guest = world.compute.guests.get(serverId);
    t.match(guest, { power: 'running', spec: { generation: 2, vcpus: 2 } });
    for (const disk of world.storage.disks.values()) t.ok(disk.watchers.size <= 1, 'open once at most');
  });
}

t.test('a server that has left keeps its disk here until its move is confirmed', async (t) => {
  const host = await volumeHost(t);
  const { world } = host;
  await host.until('it runs', () => host.server?.status === ServerStatus.SERVER_STATUS_ACTIVE);
  const disk = host.server?.rootVolumeId as VolumeId;
  t.ok(world.storage.disks.has(disk));
  await world.change((server) => {
    server.hostId = 'bb';
    server.previousHostId = self;
    server.generation = 2;
    server.disks = [];
    server.move = move('migrating');
  });
  await host.until('it is released', () => host.server?.releasedGeneration === 1);
  t.notOk(world.compute.guests.has(serverId));
  t.notOk(world.storage.disks.get(disk)?.lock);
  const memory = { rebootsDone: 0, failed: false, disksFailed: false, unmadeVolumeIds: new Set<string>() };
  for (const phase of ['migrating', 'finished', 'what a newer version may mean']) {
    const record = new shoal.v1.Server({ ...host.server, move: move(phase) });
    t.equal(planServer(record, undefined, memory, self, { stopGraceMs: 0 }), undefined, `${phase}: for the way back`);
  }
  t.ok(world.storage.disks.has(disk));
  const { hits } = host.killAt('clean.disks-removed');
  await world.change((server) => {
    server.move = move('cleaning');
  });
  await host.until(
    'nothing is left',
    () => host.server?.previousHostId === '',
    () => hits() > 0,
  );
  t.notOk(world.storage.disks.has(disk));
});
