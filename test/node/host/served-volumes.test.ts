/** A volume on its host's own storage, and a server on another host: who does what, in which order, and after any crash. */
import t, { type Test } from 'tap';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import { declaredPoints } from '../../../node/base/buggify/declared-points.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { gibBytes } from '../../../node/base/units.ts';
import { servedVolumeName } from '../../../node/services/volume/records/served-volume.ts';
import { serverTable } from '../../../node/state/tables/index.ts';
import type { shoal } from '../../../proto/messages.ts';
import { testSealing } from '../services/test-sealing.ts';
import { self, serverId } from './host-world.ts';
import { otherHost, type VolumeHost, volumeHost } from './volume-host.ts';

const { signal } = new AbortController();

/** The life of a volume of this host that a server of another one has. */
async function servedLife(t: Test, host: VolumeHost, restarts: () => boolean): Promise<void> {
  const { service, context, world } = host;
  const until = (what: string, holds: () => boolean): Promise<void> => host.until(what, holds, restarts);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const disk = () => world.storage.disks.get(id as VolumeId);
  // It gets its host, and its bytes, with its first server.
  await service.attachments.plug(context, serverId, { volumeId: id });
  await until('it is in use here', () => host.volume(id)?.status === 'in-use');
  await service.attachments.unplug(context, serverId, id);
  await until('it is free', () => host.volume(id)?.status === 'available');

  const far = await host.createServerElsewhere();
  await service.attachments.plug(context, far, { volumeId: id });
  await until('its host says where it serves it', () => (host.volume(id)?.served?.port ?? 0) > 0);
  const volume = host.volume(id);
  t.equal(volume?.hostId, self, 'it stays where it is');
  t.match(disk()?.served, { generation: volume?.generation, port: volume?.served?.port });
  t.equal(disk()?.lock?.generation, volume?.generation);

  const other = host.reportsOf(otherHost);
  const farServer = (): shoal.v1.Server => serverTable.must(world.state.local, far).record;
  await other.attached(farServer(), id);
  await until('it is in use there', () => host.volume(id)?.status === 'in-use');
  await t.rejects(service.volumes.extend(context, id, 2), { code: 'CONFLICT' }, 'its guest would not see it');

  await service.attachments.unplug(context, far, id);
  await host.quiet();
  t.ok(disk()?.served, 'it is served until the host there has let go of it');
  await other.detached(farServer(), id);
  await until('it is free', () => host.volume(id)?.status === 'available');
  t.equal(disk()?.served, undefined);
  t.equal(disk()?.lock, undefined);
  t.equal(host.volume(id)?.served, null);

  await service.attachments.plug(context, serverId, { volumeId: id });
  await until('a server here has it', () => host.volume(id)?.status === 'in-use');
  t.equal(disk()?.lock?.owner, self);
  await service.attachments.unplug(context, serverId, id);
  await until('it is free again', () => host.volume(id)?.status === 'available');
}

t.test('a volume is served to the host of its server, and free when that is over', async (t) => {
  await servedLife(t, await volumeHost(t), () => false);
});

const points = declaredPoints('failpoint')
  .map(({ name }) => name)
  .filter((name) => /^(serve|unserve)\./.test(name));

t.test('killed at any point of it, records and storage come to the same', async (t) => {
  t.ok(points.length >= 5, `${points.length} points`);
  for (const point of points) {
    await t.test(point, async (t) => {
      const host = await volumeHost(t);
      const { hits } = host.killAt(point);
      await servedLife(t, host, () => hits() > 0);
      t.ok(hits() > 0, 'it was killed there');
    });
  }
});

t.test('what serves a volume is gone with a power cut, and comes back at the same place', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is in use', () => host.volume(id)?.status === 'in-use');
  await service.attachments.unplug(context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  await service.attachments.plug(context, await host.createServerElsewhere(), { volumeId: id });
  await host.until('it is served', () => (host.volume(id)?.served?.port ?? 0) > 0);
  const before = host.volume(id)?.served;
  await host.stop();
  world.storage.reboot(self);
  await host.start();
  await host.until('it is served again', () => world.storage.disks.get(id as VolumeId)?.served !== undefined);
  await host.quiet();
  t.strictSame(host.volume(id)?.served, before);
});

t.test('a server here has a volume of another host when that serves it, at its present generation', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const away = new FakeStorage({ shared: false, address: '10.0.0.2' });
  world.storagesElsewhere.set(away.address, away);
  const driver = new FakeStorageDriver(away);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await host.changeVolume(id, (volume) => {
    volume.hostId = otherHost;
    volume.madeGib = 1;
    volume.observedRevision = volume.askedRevision;
  });
  const spec = { volumeId: id as VolumeId, sizeBytes: gibBytes, generation: 0 };
  await driver.ensureDisk(spec, signal);
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.quiet();
  t.notOk(host.plugged.includes(id as VolumeId), 'nobody serves it');
  t.equal(host.volume(id)?.status, 'attaching');

  const volume = host.volume(id);
  const { served, generation = 0 } = volume ?? {};
  const secret = { sealed: served?.sealedKey ?? new Uint8Array(), keyEpoch: served?.keyEpoch ?? 0 };
  const bytes = testSealing.open(world.state.local, servedVolumeName(id, generation), secret);
  const key = { user: 'shoal', keyHex: Buffer.from(bytes).toString('hex') };
  const owner = otherHost as HostId;
  const at = await driver.serveDisk({ ...spec, generation }, owner, { key }, signal);
  const reports = host.reportsOf(otherHost);
  if (volume === undefined) throw new Error('the volume is gone');
  await reports.served(volume, { ...at, generation: generation - 1 });
  t.equal(host.volume(id)?.served?.port, 0, 'what is said of another generation counts for nothing');
  await reports.served(volume, at);
  await host.until('it is in use', () => host.volume(id)?.status === 'in-use');
  const guest = world.compute.guests.get(serverId);
  t.match(
    guest?.spec.disks.find(({ volumeId }) => volumeId === id)?.source,
    { kind: 'nbd', host: away.address, port: at.port, key },
    'over the network',
  );
  t.equal(world.storage.disks.get(id as VolumeId), undefined, 'and nothing of it is made here');

  await service.attachments.unplug(context, serverId, id);
  await host.until('it is let go of', () => host.volume(id)?.attachments.length === 0);
  t.match(host.volume(id), { status: 'detaching', served: { ending: true } }, 'its host has to end what serves it');
  await t.rejects(service.attachments.plug(context, serverId, { volumeId: id }), { code: 'INVALID_ARGUMENT' });
  await driver.unserveDisk(id as VolumeId, owner, signal);
  const ending = host.volume(id);
  if (ending !== undefined) await reports.unserved(ending);
  t.match(host.volume(id), { status: 'available', served: null });
});

t.test('a server that moves takes its volume along, at a generation and with a key of its own', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is in use', () => host.volume(id)?.status === 'in-use');
  await service.attachments.unplug(context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  const far = await host.createServerElsewhere();
  await service.attachments.plug(context, far, { volumeId: id });
  await host.until('it is served', () => (host.volume(id)?.served?.port ?? 0) > 0);
  await host.reportsOf(otherHost).attached(serverTable.must(world.state.local, far).record, id);
  const before = host.volume(id);
  const disk = () => world.storage.disks.get(id as VolumeId);

  await host.moveServer(far, self);
  t.match(host.volume(id), { hostId: self, generation: (before?.generation ?? 0) + 1, served: { ending: true } });
  await host.until('it is served to nobody', () => host.volume(id)?.served === null);
  t.match([disk()?.served, host.volume(id)?.status], [undefined, 'in-use'], 'its own host opens it from now on');

  await host.moveServer(far, otherHost);
  await host.until('it is served again', () => (host.volume(id)?.served?.port ?? 0) > 0);
  const after = host.volume(id);
  t.match(after, { hostId: self, generation: (before?.generation ?? 0) + 2 });
  t.equal(disk()?.served?.generation, after?.generation);
  t.notSame(after?.served?.sealedKey, before?.served?.sealedKey, 'who had the key before has it in vain');
});

t.test('what cannot be done to a volume that is served is refused in words, and nothing is half made', async (t) => {
  const host = await volumeHost(t);
  const { service, context } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is in use', () => host.volume(id)?.status === 'in-use');
  await service.attachments.unplug(context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  const far = await host.createServerElsewhere();
  await service.attachments.plug(context, far, { volumeId: id });
  await host.reportsOf(otherHost).attached(serverTable.must(host.world.state.local, far).record, id);
  await host.until('it is served', () => (host.volume(id)?.served?.port ?? 0) > 0);
  const before = host.volume(id);
  const refused = { code: 'CONFLICT', message: /served over the network/ };
  await t.rejects(service.volumes.extend(context, id, 2), refused);
  await t.rejects(service.moves.migrate(context, id, 'host-2@local#local'), refused);
  t.strictSame(host.volume(id), before);
  const snapshot = await service.snapshots.create(context, { volumeId: id, force: true });
  await host.until('a snapshot is made', () => host.snapshot(snapshot.id)?.status === 'available');
  t.equal(host.snapshot(snapshot.id)?.ofAttached, true);
});

t.test('a host that does not serve, or is dead, refuses at once and says why', async (t) => {
  const host = await volumeHost(t);
  const { service, context } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await host.changeVolume(id, (volume) => {
    volume.hostId = otherHost;
    volume.madeGib = 1;
    volume.observedRevision = volume.askedRevision;
  });
  host.other.serves = false;
  await t.rejects(service.attachments.plug(context, serverId, { volumeId: id }), {
    code: 'CONFLICT',
    message: /does not serve disks of its pool/,
  });
  host.other.serves = true;
  host.other.condition = 'dead';
  await t.rejects(service.attachments.plug(context, serverId, { volumeId: id }), {
    code: 'CONFLICT',
    message: /does not answer/,
  });
  t.match(host.volume(id), { status: 'available', served: null, attachments: { length: 0 } }, 'nothing is half made');
});
