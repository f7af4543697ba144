import t, { type Test } from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { shoal } from '../../../proto/messages.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

/** A volume with content that nobody has attached. */
async function written(host: VolumeHost): Promise<{ readonly id: VolumeId; readonly content: string | undefined }> {
  const { service, context, world } = host;
  const volume = await service.volumes.create(context, { sizeGib: 1 });
  const id = volume.id as VolumeId;
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  world.storage.write(id, self, host.volume(id)?.generation ?? 0);
  await service.attachments.unplug(context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  return { id, content: world.storage.disks.get(id)?.content };
}

async function move(t: Test, point?: string): Promise<void> {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  const { hits } = host.killAt(point ?? '');
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until(
    'it is moved',
    () => host.volume(id)?.pool === 'fast' && host.volume(id)?.status === 'available' && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.equal(host.fast.disks.get(id)?.content, content);
  t.notOk(host.world.storage.disks.has(id), 'the old bytes are gone');
}

t.test('a volume is moved to another pool, and killed at any point it is in one place in the end', async (t) => {
  await move(t);
  for (const point of ['migrate.copied', 'migrate.switched', 'migrate.cleaned']) {
    await t.test(point, (t) => move(t, point));
  }
});

t.test('a move that is refused leaves the volume where it is, and its owner is told', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  host.fast.totalBytes = 1;
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until('it failed', () => host.volume(id)?.migrationStatus === 'error' && host.isAtRest);
  t.match(host.volume(id), { status: 'available', pool: 'local' });
  t.equal(host.world.storage.disks.get(id)?.content, content);
  t.equal(host.fast.disks.size, 0);
  t.equal(host.service.messages.list(host.context, host.world.state.local).length, 1);
});

t.test('a volume that has moved moves on at once', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  for (const pool of ['fast', 'local', 'fast']) {
    await host.service.moves.migrate(host.context, id, `host-1@${pool}#${pool}`);
    await host.until(
      'it says that it is moved',
      () => host.volume(id)?.pool === pool && host.volume(id)?.status === 'available',
    );
  }
  t.equal(host.fast.disks.get(id)?.content, content);
  t.notOk(host.world.storage.disks.has(id));
});

t.test('a move whose old bytes cannot be removed is done, and its owner is told what stays', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  host.world.storage.faults.failNext('removeDisk', new ShoalError('DRIVER_FAILED', 'the disk is stuck'), 100);
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until('it is moved', () => host.volume(id)?.migrationStatus === 'success');
  t.match(host.volume(id), { status: 'available', pool: 'fast' });
  t.equal(host.isAtRest, true);
  t.equal(host.fast.disks.get(id)?.content, content);
  t.match(toldOf(host), [/old bytes could not be removed: the disk is stuck/]);
});

t.test('a move that can neither be done nor taken back ends, and the volume is usable where it was', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await written(host);
  host.fast.faults.failNext('importDisk', new ShoalError('DRIVER_FAILED', 'no room'));
  host.fast.faults.failNext('removeDisk', new ShoalError('DRIVER_FAILED', 'the disk is stuck'), 100);
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until('it failed', () => host.volume(id)?.migrationStatus === 'error');
  t.match(host.volume(id), { status: 'available', pool: 'local' });
  t.equal(host.isAtRest, true);
  t.match(toldOf(host), [/no room What is half done could not be removed: the disk is stuck/]);
  await host.service.attachments.plug(host.context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  t.equal(host.world.storage.disks.get(id)?.content, content);
});

function toldOf(host: VolumeHost): readonly string[] {
  return host.service.messages.list(host.context, host.world.state.local).map(({ userMessage }) => userMessage);
}

/** A volume with content that the server has. */
async function used(host: VolumeHost): Promise<{ readonly id: VolumeId; readonly content: string | undefined }> {
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('it is attached', () => host.volume(id)?.status === 'in-use');
  world.storage.write(id as VolumeId, self, host.volume(id)?.generation ?? 0);
  return { id: id as VolumeId, content: world.storage.disks.get(id as VolumeId)?.content };
}

const guestSource = (host: VolumeHost, id: string): unknown =>
  host.world.compute.guests.get(serverId)?.spec.disks.find(({ volumeId }) => volumeId === id)?.source;

async function moveUsed(t: Test, point?: string): Promise<void> {
  const host = await volumeHost(t);
  const { id, content } = await used(host);
  const before = host.volume(id)?.generation ?? 0;
  const { hits } = host.killAt(point ?? '');
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until(
    'it is moved',
    () => host.volume(id)?.migrationStatus === 'success' && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.match(host.volume(id), { status: 'in-use', pool: 'fast', generation: before + 1, hostId: self });
  t.match(
    host.server?.disks.find(({ volumeId }) => volumeId === id),
    { pool: 'fast', generation: before + 1 },
  );
  t.strictSame(host.fast.disks.get(id)?.content, content);
  t.strictSame(host.fast.disks.get(id)?.lock, { owner: self, generation: before + 1 });
  t.strictSame(guestSource(host, id), host.fast.sourceOf(id), 'the guest works with what the record names');
  t.notOk(host.world.storage.disks.has(id), 'the old bytes are gone');
  host.fast.write(id, self, before + 1);
  await host.service.attachments.unplug(host.context, serverId, id);
  await host.until('it is free', () => host.volume(id)?.status === 'available');
  t.equal(host.fast.disks.get(id)?.lock, undefined);
}

t.test(
  'a volume moves while its server works with it, and killed at any point it is in one place in the end',
  async (t) => {
    await moveUsed(t);
    const points = ['target-made', 'target-opened', 'writes-wait', 'switched', 'gone-over'].map(
      (name) => `move.${name}`,
    );
    for (const point of [...points, 'migrate.cleaned', 'job.done-not-noted']) {
      await t.test(point, (t) => moveUsed(t, point));
    }
  },
);

t.test('a move that is cancelled leaves the guest where it was, and nothing of it is done meanwhile', async (t) => {
  for (const point of [undefined, 'migrate.taken-back']) {
    const host = await volumeHost(t);
    const { id, content } = await used(host);
    host.world.compute.behaviour.mirrorDelayMs = 60_000;
    await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
    await host.until('it is copied', () => host.world.compute.guests.get(serverId)?.mirrors.has(id) === true);
    t.match(host.volume(id), { status: 'in-use', migrationStatus: 'migrating', pool: 'local' });
    const { attachments, volumes, snapshots, moves } = host.service;
    const refused = { code: 'INVALID_ARGUMENT' };
    await t.rejects(attachments.unplug(host.context, serverId, id), refused);
    await t.rejects(volumes.extend(host.context, id, 2), refused);
    await t.rejects(snapshots.create(host.context, { volumeId: id, force: true }), refused);
    await t.rejects(moves.migrate(host.context, id, 'host-1@fast#fast'), refused);
    const { hits } = host.killAt(point ?? '');
    await host.cancelJob();
    await host.until(
      'it is taken back',
      () => host.volume(id)?.migrationStatus === 'error' && host.isAtRest,
      () => hits() > 0,
    );
    t.match(host.volume(id), { status: 'in-use', pool: 'local' });
    t.strictSame(guestSource(host, id), host.world.storage.sourceOf(id));
    t.equal(host.world.storage.disks.get(id)?.content, content);
    t.equal(host.fast.disks.size, 0, 'nothing of the new place is left');
    t.equal(host.world.compute.guests.get(serverId)?.mirrors.size, 0);
  }
});

t.test('a guest that dies while its volume moves starts with the whole content', async (t) => {
  const host = await volumeHost(t);
  const { id, content } = await used(host);
  host.world.compute.behaviour.mirrorDelayMs = 60_000;
  await host.service.moves.migrate(host.context, id, 'host-1@fast#fast');
  await host.until('it is copied', () => host.world.compute.guests.get(serverId)?.mirrors.has(id) === true);
  host.world.compute.crash(serverId);
  await host.cancelJob();
  await host.until('it is taken back', () => host.volume(id)?.migrationStatus === 'error' && host.isAtRest);
  t.equal(host.volume(id)?.pool, 'local');
  t.equal(host.world.storage.disks.get(id)?.content, content);
  t.equal(host.fast.disks.size, 0);
});

async function swap(t: Test, point?: string): Promise<void> {
  const host = await volumeHost(t);
  const { id, content } = await used(host);
  const { service, context } = host;
  const admin = { ...context, permissions: { operation: '', allows: () => true } };
  const other = (await service.volumes.create(context, { sizeGib: 2 })).id as VolumeId;
  const { hits } = host.killAt(point ?? '');
  await service.swaps.begin(admin, serverId, id, other);
  await t.rejects(service.attachments.plug(context, serverId, { volumeId: other }), { code: 'INVALID_ARGUMENT' });
  await t.rejects(service.attachments.unplug(context, serverId, id), { code: 'INVALID_ARGUMENT' });
  await host.until(
    'it is swapped',
    () => host.isAtRest && host.plugged.includes(other),
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.match(host.volume(id), { status: 'available', migrationStatus: '', attachments: [] });
  t.match(host.volume(other), { status: 'in-use', migrationStatus: '', hostId: self });
  t.strictSame(
    host.server?.disks.filter(({ kind }) => kind === 'volume').map(({ volumeId, sizeGib }) => [volumeId, sizeGib]),
    [[other, 2]],
  );
  t.notOk(host.plugged.includes(id));
  t.equal(host.world.storage.disks.get(other)?.content, content);
  t.equal(host.world.storage.disks.get(id)?.content, content, 'the first keeps what it held');
  t.equal(host.world.storage.disks.get(id)?.lock, undefined);
  await service.attachments.plug(context, serverId, { volumeId: id });
  await host.until('the first is attached again', () => host.volume(id)?.status === 'in-use');
}

t.test('a server gets another volume with the content of one that it has, killed at any point', async (t) => {
  await swap(t);
  for (const point of ['move.target-opened', 'move.writes-wait', 'move.switched', 'move.gone-over', 'swap.closed']) {
    await t.test(point, (t) => swap(t, point));
  }
});

t.test('a root volume that was swapped for another is a volume like any, and stays when its server goes', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id, content } = await used(host);
  await world.change((server) => {
    server.rootVolumeId = id;
    server.disks = server.disks.map((disk) => ({ ...disk, bootIndex: 0 }));
  });
  const admin = { ...context, permissions: { operation: '', allows: () => true } };
  const other = (await service.volumes.create(context, { sizeGib: 1 })).id as VolumeId;
  await service.swaps.begin(admin, serverId, id, other);
  await host.until('it is swapped', () => host.isAtRest && host.plugged.includes(other));
  t.equal(host.server?.rootVolumeId, other);
  await world.change((server) => {
    server.deleting = true;
  });
  await host.until('the server is gone', () => !world.compute.guests.has(serverId) && host.server === undefined);
  t.equal(world.storage.disks.get(id)?.content, content, 'its bytes are there');
});

t.test('a swap that cannot be is refused, and one that is cancelled leaves both volumes as they were', async (t) => {
  const host = await volumeHost(t);
  const { service, context } = host;
  const { id } = await used(host);
  const admin = { ...context, permissions: { operation: '', allows: () => true } };
  const other = (await service.volumes.create(context, { sizeGib: 1 })).id as VolumeId;
  const nobody = { ...context, permissions: { operation: '', allows: () => false } };
  await t.rejects(service.swaps.begin(nobody, serverId, id, other), { code: 'FORBIDDEN' });
  await t.rejects(service.swaps.begin(admin, serverId, other, id), { code: 'NOT_FOUND' });
  for (const wrong of [id, 'none']) {
    await t.rejects(service.swaps.begin(admin, serverId, id, wrong), { code: 'INVALID_ARGUMENT' });
  }
  host.world.compute.behaviour.mirrorDelayMs = 60_000;
  await service.swaps.begin(admin, serverId, id, other);
  await host.until('it is copied', () => host.world.compute.guests.get(serverId)?.mirrors.has(id) === true);
  await t.rejects(service.volumes.remove(context, other, {}), { code: 'INVALID_ARGUMENT' });
  const { hits } = host.killAt('swap.taken-back');
  await host.cancelJob();
  await host.until(
    'it is taken back',
    () => host.isAtRest,
    () => hits() > 0,
  );
  t.match([host.volume(id), host.volume(other)], [{ status: 'in-use', migrationStatus: '' }, { status: 'available' }]);
  t.ok(host.plugged.includes(id));
  t.equal(host.world.storage.disks.get(other)?.lock, undefined);
});

t.test('a swap that can neither be done nor taken back ends: one volume is used, the other in error', async (t) => {
  const host = await volumeHost(t);
  const { service, context } = host;
  const { id } = await used(host);
  const admin = { ...context, permissions: { operation: '', allows: () => true } };
  const other = (await service.volumes.create(context, { sizeGib: 1 })).id as VolumeId;
  host.world.compute.behaviour.mirrorDelayMs = 60_000;
  await service.swaps.begin(admin, serverId, id, other);
  await host.until('it is copied', () => host.world.compute.guests.get(serverId)?.mirrors.has(id) === true);
  host.world.storage.faults.failNext('closeDisk', new ShoalError('DRIVER_FAILED', 'the lock is stuck'), 100);
  await host.cancelJob();
  await host.until('it ends', () => host.volume(id)?.migrationStatus === 'error');
  t.match(host.volume(id), { status: 'in-use' });
  t.match(host.volume(other), { status: 'error', migrationStatus: 'error', attachments: [] });
  t.equal(host.isAtRest, true);
  t.match(toldOf(host), [/It was cancelled. .*the lock is stuck/, /It was cancelled. .*the lock is stuck/]);
  host.world.storage.faults.clear();
  await service.volumes.remove(context, other, {});
  await host.until('what is in error can be deleted', () => host.volume(other) === undefined);
});

t.test('a volume moves with no server that does not run', async (t) => {
  const host = await volumeHost(t);
  const { id } = await used(host);
  await host.world.change((server) => {
    server.status = shoal.v1.ServerStatus.SERVER_STATUS_SHUTOFF;
  });
  await t.rejects(host.service.moves.migrate(host.context, id, 'host-1@fast#fast'), /does not run/);
  t.equal(host.volume(id)?.migrationStatus, '');
});

t.test('a volume moves with no server that is in the middle of something else', async (t) => {
  const host = await volumeHost(t);
  const { id } = await used(host);
  await host.world.change((server) => {
    server.taskState = 'migrating';
  });
  await t.rejects(host.service.moves.migrate(host.context, id, 'host-1@fast#fast'), /\(migrating\): try again/);
  t.equal(host.volume(id)?.migrationStatus, '');
});
