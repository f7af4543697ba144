/** A host that is down and still a member: its work on shared storage goes on at another host, and what it alone holds waits. */
import t from 'tap';
import { moveVolumesOffDownHosts } from '../../../../node/host/tasks/move-volumes-off-down-hosts.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import {
  hostTable,
  jobTable,
  volumeBackupTable,
  volumeMessageTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { fakeHostViews } from '../../services/compute-world.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from '../../services/volume/volume-world.ts';

const { signal } = new AbortController();
const graceMs = 60_000;

async function started(storage: 'local' | 'rbd' = 'rbd') {
  const world = await makeVolumeWorld(storage);
  let nowMs = 0;
  const down = new Set<string>();
  const views = fakeHostViews(world);
  const task = moveVolumesOffDownHosts({ ...views, condition: (id) => (down.has(id) ? 'dead' : 'alive') });
  const deps = {
    ...world.deps,
    clock: { ...world.deps.clock, nowMs: () => world.deps.clock.nowMs(), monotonicMs: () => nowMs },
  };
  return {
    world,
    down,
    /** One run of the task, `ms` later. */
    run: async (ms: number): Promise<void> => {
      nowMs += ms;
      await task.run(deps, signal);
    },
  };
}

const volumeOf = (world: VolumeWorld, id: string): shoal.v1.Volume => volumeTable.must(world.state.local, id).record;
const otherOf = (world: VolumeWorld, hostId: string): string =>
  hostTable.list(world.state.local).find(({ record }) => record.id !== hostId)?.record.id ?? '';

t.test('what is asked of volumes on shared storage is another host’s after the grace time', async (t) => {
  const { world, down, run } = await started();
  const { volumes, snapshots } = world.volume;
  const idle = await volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  const { hostId } = volumeOf(world, idle.id);
  const snapshot = await snapshots.create(world.alice, { volumeId: idle.id });
  const others: string[] = [];
  while (!others.some((id) => volumeOf(world, id).hostId === hostId)) {
    others.push((await volumes.create(world.alice, { sizeGib: 1 })).id);
  }
  const creating = others.at(-1) ?? '';
  down.add(hostId);
  await run(0);
  await run(graceMs - 1);
  t.equal(volumeOf(world, creating).hostId, hostId, 'an agent that restarts is back by then');
  down.clear();
  await run(0);
  down.add(hostId);
  await run(1);
  await run(graceMs - 1);
  t.equal(volumeOf(world, creating).hostId, hostId, 'dead all the time');
  await run(1);
  const next = otherOf(world, hostId);
  t.match(volumeOf(world, creating), { hostId: next, status: 'creating' });
  t.equal(volumeOf(world, idle.id).hostId, next, 'one at rest too: what is asked of it next is done');
  t.match(volumeSnapshotTable.must(world.state.local, snapshot.id).record, { hostId: next, status: 'creating' });
  await volumeHostsAct(world);
  t.equal(volumeOf(world, creating).status, 'available');
  t.equal(volumeSnapshotTable.must(world.state.local, snapshot.id).record.status, 'available');

  // Back, and late: it is not its own any more.
  await world.volumeReports(hostId).failed(volumeOf(world, creating), { message: 'late', details: '' });
  t.equal(volumeOf(world, creating).status, 'available');
  const revision = world.state.local.revision;
  await run(graceMs);
  t.equal(world.state.local.revision, revision, 'nothing is left to do, and nothing is written');
});

t.test('by an operator’s word at once', async (t) => {
  const { world, run } = await started();
  const { id } = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  const { hostId } = volumeOf(world, id);
  await world.compute.hosts.update(world.admin, hostId, { forcedDown: true });
  await run(0);
  t.equal(volumeOf(world, id).hostId, otherOf(world, hostId));
});

t.test('a volume that a guest of the host has open stays there', async (t) => {
  const { world, down, run } = await started();
  const server = await addServer(world);
  const { id } = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: id });
  await volumeHostsAct(world);
  t.match(volumeOf(world, id), { status: 'in-use', hostId: server.hostId });
  down.add(server.hostId);
  await run(0);
  await run(graceMs);
  t.equal(volumeOf(world, id).hostId, server.hostId, 'the guest may well run on');
});

t.test('jobs go on at the other host, with their backups', async (t) => {
  const { world, down, run } = await started();
  const { volumes, backups } = world.volume;
  const { id } = await volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  const { hostId } = volumeOf(world, id);
  const backup = await backups.create(world.alice, { volumeId: id });
  const jobOf = () => jobTable.list(world.state.local).map(({ record }) => record)[0];
  t.match(jobOf(), { kind: 'volume-backup', ownerHostId: hostId });
  down.add(hostId);
  await run(0);
  await run(graceMs);
  const next = otherOf(world, hostId);
  t.match(jobOf(), { kind: 'volume-backup', ownerHostId: next, endedMs: 0 });
  t.equal(volumeOf(world, id).hostId, next);
  t.match(volumeBackupTable.must(world.state.local, backup.id).record, { hostId: next, status: 'creating' });
});

t.test('what the host alone holds waits, and its owner is told once', async (t) => {
  const { world, down, run } = await started('local');
  const { volumes, snapshots } = world.volume;
  const { id } = await volumes.create(world.alice, { sizeGib: 1 });
  const server = await addServer(world);
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: id });
  await volumeHostsAct(world);
  await world.volume.attachments.unplug(world.alice, server.id, id);
  await volumeHostsAct(world);
  const { hostId } = volumeOf(world, id);
  t.equal(hostId, server.hostId);
  await volumes.remove(world.alice, id);
  down.add(hostId);
  for (const ms of [0, graceMs, graceMs]) await run(ms);
  t.match(volumeOf(world, id), { hostId, status: 'deleting' });
  const told = volumeMessageTable.list(world.state.local).map(({ record }) => record);
  t.match(told, [{ resourceId: id, userMessage: /^delete volume:Host host-\d is down.*once that host is back\.$/ }]);
  t.equal(told.length, 1);
  t.same(snapshots.list(world.alice, world.state.local, { allProjects: false }), []);
});

t.test('what the host serves to a guest of another one stays its own', async (t) => {
  const { world, down, run } = await started('local');
  const { volumes } = world.volume;
  const { id } = await volumes.create(world.alice, { sizeGib: 1 });
  // Bound to a host by its first server, which goes.
  const first = await addServer(world);
  await world.volume.attachments.plug(world.alice, first.id, { volumeId: id });
  await volumeHostsAct(world);
  const { hostId } = volumeOf(world, id);
  const elsewhere = otherOf(world, hostId);
  await transact(world.deps, world.alice, ({ reader, change }) => {
    const row = volumeTable.must(reader, id);
    const attachments = row.record.attachments.map(
      (one) => new shoal.v1.VolumeAttachment({ ...one, hostId: elsewhere }),
    );
    volumeTable.update(change, row, new shoal.v1.Volume({ ...row.record, attachments }));
  });
  down.add(hostId);
  await run(0);
  await run(graceMs);
  t.equal(volumeOf(world, id).hostId, hostId, 'its bytes are there and nowhere else');
});
