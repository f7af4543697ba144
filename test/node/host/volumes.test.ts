import t, { type Test } from 'tap';
import { declaredPoints } from '../../../node/base/buggify/declared-points.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../node/base/ids.ts';
import { gibBytes } from '../../../node/base/units.ts';
import { shoal } from '../../../proto/messages.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

const { PowerWanted } = shoal.v1;

/** The guest writes: its volume has another content. */
function write(host: VolumeHost, volumeId: string): string | undefined {
  const generation = host.server?.disks.find((disk) => disk.volumeId === volumeId)?.generation ?? 0;
  host.world.storage.write(volumeId as VolumeId, self, generation);
  return content(host, volumeId);
}

function content(host: VolumeHost, volumeId: string): string | undefined {
  return host.world.storage.disks.get(volumeId as VolumeId)?.content;
}

/** Everything that an owner does with a volume, one after the other; what each leaves behind is checked as it goes. */
async function wholeLife(t: Test, host: VolumeHost, restarts: () => boolean): Promise<void> {
  const { service, context, world } = host;
  const until = (what: string, holds: () => boolean): Promise<void> => host.until(what, holds, restarts);
  const status = (id: string, wanted: string): Promise<void> =>
    until(`volume ${id} is ${wanted}`, () => host.volume(id)?.status === wanted);
  const disk = (id: string) => world.storage.disks.get(id as VolumeId);

  const { id } = await service.volumes.create(context, { sizeGib: 2, name: 'data' });
  t.equal(disk(id), undefined, 'an empty volume has no bytes before it is used');
  await service.attachments.plug(context, serverId, { volumeId: id });
  await status(id, 'in-use');
  await until('the attachment is recorded', () => host.server?.disks.every(({ attached }) => attached) === true);
  t.ok(host.plugged.includes(id as VolumeId), 'the guest has it');
  t.equal(disk(id)?.lock?.owner, self, 'and it is locked');

  await service.volumes.extend(context, id, 5);
  await until('it is larger', () => host.volume(id)?.madeGib === 5);
  t.equal(disk(id)?.sizeBytes, 5 * gibBytes);

  const kept = write(host, id);
  const snapshot = await service.snapshots.create(context, { volumeId: id, force: true });
  await until('there is a snapshot', () => host.snapshot(snapshot.id)?.status === 'available');
  write(host, id);
  t.equal(disk(id)?.snapshots.get(snapshot.id as VolumeSnapshotId), kept, 'of what was written before it');

  const copy = await service.volumes.create(context, { snapshotId: snapshot.id });
  await status(copy.id, 'available');
  t.equal(content(host, copy.id), kept, 'a copy of the snapshot');
  const now = content(host, id);
  const twin = await service.volumes.create(context, { sourceVolumeId: id });
  await status(twin.id, 'available');
  t.equal(content(host, twin.id), now, 'a copy of the volume, which goes on');

  await service.attachments.unplug(context, serverId, id);
  await status(id, 'available');
  t.notOk(host.plugged.includes(id as VolumeId), 'the guest has it no more');
  t.equal(disk(id)?.lock, undefined);
  t.equal(host.server?.disks.length, 0);

  await service.volumes.revert(context, id, snapshot.id);
  await status(id, 'available');
  t.equal(content(host, id), kept, 'what was written after the snapshot is gone');

  await service.snapshots.remove(context, snapshot.id);
  await until('the snapshot is gone', () => host.snapshot(snapshot.id) === undefined);
  t.equal(disk(id)?.snapshots.size, 0, 'and nothing that was kept for copies is left');
  for (const one of [id, copy.id, twin.id]) {
    await service.volumes.remove(context, one);
    await until(`volume ${one} is gone`, () => host.volume(one) === undefined);
  }
  t.same([...world.storage.disks.keys()], ['v1'], 'nothing but the disk of the server is left');
  t.equal(world.compute.starts.length, 1, 'the guest has run all the time');
}

t.test('a volume is made, attached, extended, kept, copied, detached, reverted and deleted', async (t) => {
  await wholeLife(t, await volumeHost(t), () => false);
});

/** Points of a volume's life, without those that a life as above does not come to. */
const elsewhere = new Set([
  'snapshot.guests-paused',
  'snapshot.some-made',
  'volume-copy.taken-back',
  'volume-create.image-ready',
]);
const points = declaredPoints('failpoint')
  .map(({ name }) => name)
  .filter((name) => /^(attach|detach|extend|revert|snapshot|snapshot-delete|volume-.*)\./.test(name))
  .filter((name) => !elsewhere.has(name));

t.test('killed at any point, records, storage and guest come to the same', async (t) => {
  t.ok(points.length >= 18, `${points.length} points`);
  for (const point of points) {
    await t.test(point, async (t) => {
      const host = await volumeHost(t);
      const { hits } = host.killAt(point);
      await wholeLife(t, host, () => hits() > 0);
      t.ok(hits() > 0, 'it was killed there');
    });
  }
});

t.test('a volume that cannot be plugged in is free again, its owner is told, and the server runs', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  world.compute.faults.failNext('attachDisk', new ShoalError('CONFLICT', 'the guest has no place left'));
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  t.same(host.server?.disks, []);
  t.equal(host.server?.status, 2, 'the server is ACTIVE');
  t.equal(world.storage.disks.get(id as VolumeId)?.lock, undefined);
  t.match(service.messages.list(context, world.state.local), [{ resourceId: id }]);
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('the next time it works', () => host.volume(id)?.status === 'in-use');
});

t.test('a guest that is off has a volume attached and detached at once, and finds it when it starts', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const want = (power: shoal.v1.PowerWanted): Promise<void> =>
    world.change((server) => {
      server.powerWanted = power;
    });
  await want(PowerWanted.POWER_WANTED_STOPPED);
  await host.until('it is off', () => world.compute.guests.get(serverId)?.power === 'stopped');
  const first = await service.volumes.create(context, { sizeGib: 1 });
  const second = await service.volumes.create(context, { sizeGib: 1 });
  for (const { id } of [first, second]) {
    await service.attachments.plug(context, serverId, { volumeId: id });
    await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
    t.equal(world.storage.disks.get(id as VolumeId)?.lock, undefined, 'nobody has it open');
  }
  await service.attachments.unplug(context, serverId, first.id);
  await host.until('it is free', () => host.volume(first.id)?.status === 'available');
  await want(PowerWanted.POWER_WANTED_RUNNING);
  await host.until('it runs', () => world.compute.guests.get(serverId)?.power === 'running');
  t.same(host.plugged, ['v1', second.id]);
});

t.test('a volume that a guest has let go of by itself is plugged in again', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  await host.stop();
  const guest = world.compute.guests.get(serverId);
  t.ok(guest);
  if (guest === undefined) return;
  const disks = guest.spec.disks.filter(({ volumeId }) => volumeId !== id);
  world.compute.guests.set(serverId, { ...guest, spec: { ...guest.spec, disks } });
  await host.start();
  await host.until('the guest has it', () => host.plugged.includes(id as VolumeId));
});

t.test('storage that does not answer is waited for, and what stays is told', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const away = new ShoalError('CANNOT_TELL', 'the storage does not answer');
  world.storage.faults.failNext('ensureDisk', away, 3);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  world.compute.faults.failNext('resizeDisk', new ShoalError('DRIVER_FAILED', 'full', { facts: { reason: 'full' } }));
  await service.volumes.extend(context, id, 9);
  await host.until('it is as before', () => host.volume(id)?.sizeGib === 1);
  t.equal(host.volume(id)?.status, 'in-use', 'its guest goes on');
});

t.test(
  'limits of a volume change under a guest that runs: by its QoS specs, by another type, and over a restart of the agent',
  async (t) => {
    const host = await volumeHost(t);
    const { service, context, world } = host;
    const qos = await service.qos.create(context, { name: 'slow', specs: { total_iops_sec: '100' } });
    const slow = await service.types.create(context, { name: 'slow' });
    await service.types.setQos(context, slow.id, qos.id);
    await service.types.create(context, { name: 'free' });
    const volume = await service.volumes.create(context, { sizeGib: 1, type: 'slow' });
    await service.attachments.plug(context, serverId, { volumeId: volume.id });
    await host.until('it is attached', () => host.volume(volume.id)?.status === 'in-use');
    const limits = () =>
      world.compute.guests.get(serverId)?.spec.disks.find(({ volumeId }) => volumeId === volume.id)?.limits;
    t.same(limits(), { iops: 100 });

    await service.qos.update(context, qos.id, { specs: { total_iops_sec: '50', total_bytes_sec_per_gb: '1000' } });
    await host.until('the new limits are there', () => limits()?.iops === 50 && limits()?.bytesPerS === 1_000);
    await service.moves.retype(context, volume.id, 'free', 'never');
    await host.until('no limits are left', () => limits()?.iops === undefined);
    t.same(limits(), {});
    await host.stop();
    await service.moves.retype(context, volume.id, 'slow', 'never');
    t.same(limits(), {}, 'nobody is there to change them');
    await host.start();
    await host.until('what changed meanwhile is made up for', () => limits()?.iops === 50);
    t.equal(host.volume(volume.id)?.status, 'in-use');
    const wrong = { total_iops_sec: '1', read_iops_sec: '1' };
    await t.rejects(service.qos.create(context, { name: 'wrong', specs: wrong }), { code: 'INVALID_ARGUMENT' });
    await t.rejects(service.qos.update(context, qos.id, { specs: { read_iops_sec: '1' } }), {
      code: 'INVALID_ARGUMENT',
    });
  },
);
