/**
 * A server moves to another host while it runs: both agents killed at each point of it, the guest runs on one host at most at any
 * time, its disk has one writer, its port is where it is, and nothing is left at the other host.
 */

import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { VolumeId } from '../../../../node/base/ids.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { serverTable, volumeTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type LiveWorld, liveWorld, serverId } from './live-world.ts';

const { ServerStatus } = shoal.v1;

const forward = [
  'live-migration.described',
  'receive.made',
  'receive.told',
  'live-migration.copying',
  'live-migration.sent',
  'live-migration.switched',
  'release.guest-stopped',
  'release.not-reported',
  'arrive.locked',
  'arrive.not-reported',
];
const backward = ['live-migration.cancelled', 'live-migration.withdrawn', 'discard.stopped', 'discard.not-told'];

/** The server is whole on one host, and nothing of it on the other. */
function checkAt(t: Test, world: LiveWorld, at: 'here' | 'there'): void {
  const [host, other] = at === 'here' ? [world.here, world.there] : [world.there, world.here];
  t.match(world.server, { hostId: host.id, previousHostId: '', discardHostId: '', move: null, taskState: '' });
  t.equal(world.server?.status, ServerStatus.SERVER_STATUS_ACTIVE);
  t.match(host.guest, { power: 'running', spec: { generation: world.server?.generation } });
  t.equal(other.guest, undefined, 'nothing is left at the other host');
  t.equal(world.port?.hostId, host.id, 'its port is where it is');
  const disk = world.storage.disks.get(world.server?.rootVolumeId as VolumeId);
  t.match(disk?.lock, { owner: host.id, generation: world.server?.generation });
  t.strictSame([...(disk?.watchers ?? [])], [host.id], 'its disk is open once');
  t.equal(disk?.waiting.size, 0);
  t.strictSame(world.doubles, [], 'it never ran twice');
}

const isOver = (world: LiveWorld) => (): boolean => world.isAtRest;

t.test('a server goes to another host while it runs', async (t) => {
  const world = await liveWorld(t);
  const { services, here, there } = world;
  const began = here.guest?.pid;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  t.equal(world.server?.taskState, 'migrating');
  await world.until('it is there', isOver(world));
  checkAt(t, world, 'there');
  t.match(world.migration, { kind: 'live-migration', status: 'completed', generation: 2 });
  t.equal(world.migration?.targetHostId, there.id);
  t.equal(there.compute.starts.length, 1);
  t.ok(began !== undefined);
  await world.until('its port is gone here', () => here.network.ports.size === 0);
  t.equal([...there.network.ports.values()][0]?.isComing, undefined, 'its frames come here');
  const action = world.server?.actions.find((one) => one.action === 'live-migration');
  t.ok((action?.events ?? []).some(({ event }) => event === 'compute_post_live_migration'));
  // And back.
  await services.compute.liveMigrations.begin(services.admin, serverId, { hostName: 'host-1' });
  await world.until('it is back', isOver(world));
  checkAt(t, world, 'here');
});

t.test('a server stays while one of its volumes is being moved or swapped', async (t) => {
  const world = await liveWorld(t);
  const { services } = world;
  const disk = { kind: 'volume', volumeId: 'v-1', pool: 'rbd', device: '/dev/vdb', attached: true };
  await transact(services.deps, services.admin, ({ change, reader }) => {
    volumeTable.insert(change, new shoal.v1.Volume({ id: 'v-1', pool: 'rbd', migrationStatus: 'migrating' }));
    const row = serverTable.must(reader, serverId);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, disks: [disk] }));
  });
  const begun = services.compute.liveMigrations.begin(services.admin, serverId);
  await t.rejects(begun, { code: 'CONFLICT', message: /its volume v-1 is just being moved or swapped/ });
  t.match(world.server, { move: null, taskState: '' });
});

for (const point of forward) {
  t.test(`killed at ${point}, it arrives all the same`, async (t) => {
    const world = await liveWorld(t);
    const { services } = world;
    const { hits } = world.killAt(point);
    await services.compute.liveMigrations.begin(services.admin, serverId);
    await world.until('it is there', isOver(world), () => hits() > 0);
    t.ok(hits() > 0, 'it was killed there');
    checkAt(t, world, 'there');
    t.match(world.migration, { status: 'completed' });
  });
}

for (const point of backward) {
  t.test(`taken back and killed at ${point}, it stays`, async (t) => {
    const world = await liveWorld(t);
    const { services, here } = world;
    here.compute.behaviour.sendDelayMs = 60_000;
    await services.compute.liveMigrations.begin(services.admin, serverId);
    await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
    await delay(50);
    const { hits } = world.killAt(point);
    await services.compute.liveMigrations.abort(services.admin, serverId, String(world.migration?.number));
    await world.until('it stays', isOver(world), () => hits() > 0);
    t.ok(hits() > 0, 'it was killed there');
    await world.until('it runs', () => here.guest?.power === 'running');
    checkAt(t, world, 'here');
    t.match(world.migration, { status: 'cancelled' });
  });
}

t.test('one that does not come to its end is forced to', async (t) => {
  const world = await liveWorld(t);
  const { services, here } = world;
  here.compute.behaviour.sendDelayMs = Number.POSITIVE_INFINITY;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
  await world.until('its progress is told', () => (world.migration?.memoryTotalBytes ?? 0) > 0);
  await services.compute.liveMigrations.forceComplete(services.admin, serverId, String(world.migration?.number));
  await world.until('it is there', isOver(world));
  checkAt(t, world, 'there');
});

t.test('one that is rebooted hard on its way is there, and is rebooted there', async (t) => {
  const world = await liveWorld(t);
  const { services, here, there } = world;
  here.compute.behaviour.sendDelayMs = 300;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
  await services.compute.servers.reboot(services.admin, serverId, true);
  await world.until('it is there', () => world.isAtRest && world.server?.hostId === there.id);
  checkAt(t, world, 'there');
  t.match(world.server, { rebootsWanted: 1, rebootsDone: 1 });
});

t.test('a target whose guest dies before it has the memory, and one that cannot make it', async (t) => {
  const world = await liveWorld(t);
  const { services, here, there } = world;
  here.compute.behaviour.sendDelayMs = 300;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
  there.compute.crash(serverId);
  await world.until('it stays', isOver(world));
  await world.until('it runs', () => here.guest?.power === 'running');
  checkAt(t, world, 'here');
  t.match(world.migration, { status: 'error', error: /memory|takes/ });
  here.compute.behaviour.sendDelayMs = 0;
  there.compute.faults.failNext('receiveGuest', new ShoalError('DRIVER_FAILED', 'no machine of that kind'));
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('it stays', isOver(world));
  checkAt(t, world, 'here');
  t.match(world.migration, { status: 'error', error: /no machine of that kind/ });
});

t.test('a guest that dies on its way starts where it was', async (t) => {
  const world = await liveWorld(t);
  const { services, here } = world;
  here.compute.behaviour.sendDelayMs = 300;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
  here.compute.crash(serverId);
  await world.until('it stays', () => world.isAtRest && here.guest?.power === 'running');
  checkAt(t, world, 'here');
});

t.test('a host that dies once the server has switched is waited for; then it runs there', async (t) => {
  const world = await liveWorld(t);
  const { services, here, there } = world;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  const { hits } = world.killAt('live-migration.switched');
  await world.until('it has switched', () => hits() > 0);
  await there.stop();
  await there.start();
  await delay(300);
  t.match(there.guest, { power: 'paused' }, 'it does not go on while the other host may have it');
  here.compute.reboot();
  await here.stop();
  await here.start();
  await world.until('it is there', isOver(world));
  checkAt(t, world, 'there');
});

t.test('a server that is deleted on its way leaves nothing anywhere', async (t) => {
  const world = await liveWorld(t);
  const { services, here, there } = world;
  here.compute.behaviour.sendDelayMs = 60_000;
  await services.compute.liveMigrations.begin(services.admin, serverId);
  await world.until('its memory is sent', () => world.server?.move?.phase === 'copying');
  await services.compute.servers.delete(services.admin, serverId);
  await world.until('it is gone', () => world.server === undefined);
  t.equal(here.guest, undefined);
  t.equal(there.guest, undefined);
  t.equal(world.storage.disks.size, 0);
});
