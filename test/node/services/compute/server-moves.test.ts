/** Resize and cold migration: one story each, with the claims, the quota and the migration that go with it. */
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import type { HostId, ServerId } from '../../../../node/base/ids.ts';
import { ClaimBook } from '../../../../node/host/claims/claim-book.ts';
import { planServer } from '../../../../node/host/plan/server-plan.ts';
import { confirmOldResizes } from '../../../../node/host/tasks/confirm-old-resizes.ts';
import { shownStatus, vmState } from '../../../../node/services/compute/machine/vm-state.ts';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { hostTable, migrationTable, portTable, serverTable } from '../../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, hostsAct, makeComputeWorld } from '../compute-world.ts';
import { addNetwork } from '../world.ts';

const { ServerStatus } = shoal.v1;
const RESIZE = ServerStatus.SERVER_STATUS_RESIZE;
const VERIFY = ServerStatus.SERVER_STATUS_VERIFY_RESIZE;
const REVERT = ServerStatus.SERVER_STATUS_REVERT_RESIZE;

const read = (world: ComputeWorld, id: string): shoal.v1.Server => serverTable.must(world.state.local, id).record;
const migrations = (world: ComputeWorld): readonly shoal.v1.Migration[] =>
  migrationTable
    .list(world.state.local)
    .map(({ record }) => record)
    .toSorted((a, b) => a.number - b.number);

/** A server that runs, on storage of the given name. */
async function running(world: ComputeWorld, storage: 'local' | 'rbd' = 'rbd'): Promise<shoal.v1.Server> {
  const { network } = await addNetwork(world);
  const draft = { name: 'web', flavorId: '1', imageId: 'image-1', networks: [{ networkId: network.id }] };
  const [made] = (await world.compute.servers.create(world.alice, draft)).servers;
  if (made === undefined) throw new Error('no server was made');
  await hostsAct(world);
  const record = new shoal.v1.Server({ ...read(world, made.id), storage });
  const key = serverTable.key(made.id);
  const value = shoal.v1.Server.encode(record).finish();
  await world.state.commit({ compares: [], thenOps: [{ kind: 'put', key, value }], elseOps: [] });
  return record;
}

async function largeFlavor(world: ComputeWorld, id = 'large', diskGib = 100): Promise<shoal.v1.Flavor> {
  return world.compute.flavors.create(world.admin, { name: id, id, vcpus: 4, memoryMib: 4096, diskGib });
}

/** What a host has given away by the records. */
async function roomAt(world: ComputeWorld, hostId: string): Promise<{ vcpus: number; memoryMib: number }> {
  const pool = { total: 1_000_000, reserved: 0, allocationRatio: 1 };
  const capacity = { vcpus: pool, memoryMib: pool, diskGib: pool, pciPools: [], numaCells: [] };
  const deps = { store: memoryHostStore(), clock: systemClock, onChange: () => {}, isApart: () => false };
  const book = new ClaimBook(deps, capacity);
  const rows = serverTable.by(world.state.local, 'host', hostId).map(({ record }) => record);
  await book.follow(
    rows,
    hostId,
    1,
    () => false,
    () => false,
  );
  const { vcpus, memoryMib } = book.usage();
  return { vcpus: vcpus.used, memoryMib: memoryMib.used };
}

void t.test(
  'a resize stays on its host where it may: room and quota are the larger of both until it is confirmed',
  async (t) => {
    const world = await makeComputeWorld();
    const large = await largeFlavor(world);
    const server = await running(world, 'local');
    const small = server.flavor;
    const cores = () => quotaUsage(world.state.local, server.projectId, 'cores');
    const before = cores();
    await world.compute.moves.resize(world.alice, server.id, large.id);
    const resizing = read(world, server.id);
    t.match(resizing, {
      hostId: server.hostId,
      previousHostId: server.hostId,
      generation: 2,
      flavor: { id: large.id },
    });
    t.equal(shownStatus(resizing), RESIZE);
    // A server runs in one shape at a time: a host holds the larger of both.
    t.same(await roomAt(world, server.hostId), { vcpus: 4, memoryMib: 4096 });
    await hostsAct(world);
    await hostsAct(world);
    t.equal(shownStatus(read(world, server.id)), VERIFY);
    t.equal(vmState(read(world, server.id)), 'resized');
    t.equal(cores(), before + 4 - (small?.vcpus ?? 0));
    t.match(migrations(world), [{ kind: 'resize', status: 'finished', oldFlavorId: '1', newFlavorId: 'large' }]);
    await t.rejects(world.compute.servers.stop(world.alice, server.id), {
      code: 'CONFLICT',
      message: /vm_state resized/,
    });

    await world.compute.moves.confirm(world.alice, server.id);
    t.match(read(world, server.id), { move: null, previousHostId: '', status: ServerStatus.SERVER_STATUS_ACTIVE });
    t.equal((await roomAt(world, server.hostId)).vcpus, 4);
    t.match(migrations(world), [{ status: 'confirmed' }]);
    await t.rejects(world.compute.moves.confirm(world.alice, server.id), { code: 'CONFLICT' });

    // Down again: what is counted follows when it is confirmed. The disk stays as large.
    await largeFlavor(world, 'narrow', 100);
    await world.compute.flavors.delete(world.admin, 'narrow');
    await world.compute.flavors.create(world.admin, {
      name: 'narrow',
      id: 'narrow',
      vcpus: 1,
      memoryMib: 64,
      diskGib: 100,
    });
    await world.compute.moves.resize(world.alice, server.id, 'narrow');
    await hostsAct(world);
    await hostsAct(world);
    t.equal(cores(), before + 4 - (small?.vcpus ?? 0), 'it may be reverted');
    await world.compute.moves.confirm(world.alice, server.id);
    t.equal(cores(), before + 1 - (small?.vcpus ?? 0));
  },
);

void t.test(
  'a resize that is reverted brings back flavor, quota and host, and whatever was off stays off',
  async (t) => {
    const world = await makeComputeWorld();
    const large = await largeFlavor(world);
    const server = await running(world);
    const before = quotaUsage(world.state.local, server.projectId, 'ram');
    await world.compute.servers.stop(world.alice, server.id);
    await hostsAct(world);
    await world.compute.moves.resize(world.alice, server.id, large.id);
    await hostsAct(world);
    await hostsAct(world);
    t.match(read(world, server.id), { status: ServerStatus.SERVER_STATUS_SHUTOFF, taskState: '' });
    t.equal(shownStatus(read(world, server.id)), VERIFY);
    await world.compute.moves.cancel(world.alice, server.id);
    t.equal(shownStatus(read(world, server.id)), REVERT);
    t.equal(quotaUsage(world.state.local, server.projectId, 'ram'), before);
    await hostsAct(world);
    await hostsAct(world);
    t.match(read(world, server.id), {
      ...{ generation: 3, flavor: { id: '1' }, move: null, previousHostId: '', taskState: '' },
      status: ServerStatus.SERVER_STATUS_SHUTOFF,
    });
    t.match(migrations(world), [{ status: 'reverted' }]);
  },
);

void t.test(
  'a server that runs migrates, waits, and either stays or goes back; ports and room go with it',
  async (t) => {
    const world = await makeComputeWorld();
    const server = await running(world);
    const [home, portId] = [server.hostId, server.portIds[0] ?? ''];
    const portHost = () => portTable.must(world.state.local, portId).record.hostId;
    const { vcpus } = await roomAt(world, home);
    await world.compute.moves.migrate(world.admin, server.id);
    const away = read(world, server.id).hostId;
    t.not(away, home);
    t.equal(portHost(), away);
    await world.reports(home).released(read(world, server.id));
    t.match(read(world, server.id), { previousHostId: home, releasedGeneration: 1, taskState: 'resize_finish' });
    await hostsAct(world);
    t.equal(shownStatus(read(world, server.id)), VERIFY);
    t.equal((await roomAt(world, home)).vcpus, vcpus, 'it may come back');
    t.equal((await roomAt(world, away)).vcpus, vcpus);

    await world.compute.moves.cancel(world.alice, server.id);
    t.equal(portHost(), home);
    await hostsAct(world);
    await hostsAct(world);
    await hostsAct(world);
    t.match(read(world, server.id), { hostId: home, previousHostId: '', move: null, generation: 3 });
    t.equal((await roomAt(world, away)).vcpus, 0);

    await world.compute.moves.migrate(world.admin, server.id);
    await hostsAct(world);
    await hostsAct(world);
    await world.compute.moves.confirm(world.alice, server.id);
    t.match(read(world, server.id), { previousHostId: home, move: { phase: 'cleaning' } });
    t.equal((await roomAt(world, home)).vcpus, 0, 'nothing comes back any more');
    await world.compute.servers.stop(world.alice, server.id);
    await t.rejects(
      world.compute.moves.migrate(world.admin, server.id),
      { code: 'CONFLICT' },
      'its former host has not removed what it keeps',
    );
    await hostsAct(world);
    t.match(read(world, server.id), { previousHostId: '', move: null, status: ServerStatus.SERVER_STATUS_SHUTOFF });
    t.match(
      migrations(world).map(({ status }) => status),
      ['reverted', 'confirmed'],
    );
  },
);

void t.test(
  'one that is deleted while a resize to less waits to be confirmed gives all of its quota back',
  async (t) => {
    const world = await makeComputeWorld();
    const large = await largeFlavor(world);
    const server = await running(world);
    const cores = () => quotaUsage(world.state.local, server.projectId, 'cores');
    await world.compute.moves.resize(world.alice, server.id, large.id);
    for (let n = 0; n < 3; n += 1) await hostsAct(world);
    await world.compute.moves.confirm(world.alice, server.id);
    for (let n = 0; n < 3; n += 1) await hostsAct(world);
    t.equal(cores(), large.vcpus);
    const home = read(world, server.id).hostId;
    await transact(world.deps, { signal: new AbortController().signal }, ({ reader, change }) => {
      const row = serverTable.must(reader, server.id);
      // As a move to another host, of a large server that becomes small, stands when it waits to be confirmed.
      const flavor = new shoal.v1.Flavor({ ...large, id: 'less', vcpus: 1 });
      const move = new shoal.v1.ServerMove({ kind: 'resize', phase: 'finished', oldFlavor: large, newFlavor: flavor });
      const previousHostId = hostTable.list(reader).find(({ record }) => record.id !== home)?.record.id ?? '';
      const moved = { flavor, move, previousHostId, releasedGeneration: row.record.generation };
      serverTable.update(change, row, new shoal.v1.Server({ ...row.record, ...moved }));
    });
    await world.compute.servers.delete(world.alice, server.id);
    const deleting = read(world, server.id);
    await world.reports(deleting.previousHostId).cleaned(deleting);
    t.equal(cores(), 1, 'the shape that it had counts no more');
    await world.reports(home).deleted(read(world, server.id));
    t.equal(cores(), 0);
  },
);

void t.test('what cannot be had is refused before anything is changed', async (t) => {
  const world = await makeComputeWorld();
  const server = await running(world);
  await largeFlavor(world, 'thin', 0);
  await largeFlavor(world, 'huge');
  const resize = (flavorId: string) => world.compute.moves.resize(world.alice, server.id, flavorId);
  const before = read(world, server.id);
  await t.rejects(resize('1'), { code: 'INVALID_ARGUMENT', message: /must change flavor/ });
  await t.rejects(resize('none'), { code: 'INVALID_ARGUMENT', message: /could not be found/ });
  if ((server.flavor?.diskGib ?? 0) > 0) {
    await t.rejects(resize('thin'), { code: 'INVALID_ARGUMENT', message: /Resize to zero disk/ });
  }
  await world.compute.servers.pause(world.alice, server.id);
  await hostsAct(world);
  await t.rejects(resize('huge'), { code: 'CONFLICT', message: /vm_state paused/ });
  await world.compute.servers.unpause(world.alice, server.id);
  await hostsAct(world);
  t.match(read(world, server.id), { generation: before.generation, hostId: before.hostId, move: null });
  t.same(migrations(world), []);
});

void t.test(
  'a server is evacuated from a host that is forced down and silent, and the host that comes back ends its own',
  async (t) => {
    const world = await makeComputeWorld();
    const server = await running(world);
    const home = server.hostId as HostId;
    const name = hostTable.must(world.state.local, home).record.name;
    const evacuate = () => world.compute.moves.evacuate(world.admin, server.id, { landsStopped: true });
    await t.rejects(evacuate(), { code: 'INVALID_ARGUMENT', message: /still in use/ });
    await world.compute.hosts.update(world.admin, name, { forcedDown: true });
    await t.rejects(
      evacuate(),
      { code: 'INVALID_ARGUMENT', message: /still in use/ },
      'it answers: it may run the guest',
    );
    world.hostProbe.silent.add(home);
    await evacuate();
    const moved = read(world, server.id);
    t.match(moved, { generation: 2, previousHostId: home, releasedGeneration: 1, taskState: 'rebuilding' });
    await world.reports(moved.hostId).power(moved, 'stopped', 0);
    t.match(read(world, server.id), {
      status: ServerStatus.SERVER_STATUS_SHUTOFF,
      taskState: '',
      move: { phase: 'cleaning' },
    });
    t.match(migrations(world), [{ kind: 'evacuation', status: 'done' }]);
    t.not((await roomAt(world, home)).vcpus, 0, 'the host may still have the guest');
    await t.rejects(world.compute.moves.cancel(world.admin, server.id), { code: 'CONFLICT' });

    // It is back, with the guest of before.
    const guest = { serverId: server.id as ServerId, generation: 1, power: 'running', detail: 'running' } as const;
    const memory = { rebootsDone: 0, failed: false, disksFailed: false, unmadeVolumeIds: new Set<string>() };
    const plan = (found: typeof guest | undefined) =>
      planServer(read(world, server.id), found, memory, home, { stopGraceMs: 60_000 });
    t.same(plan(guest), { kind: 'release', generation: 1, graceMs: 0 });
    t.same(plan(undefined), { kind: 'clean' });
    await world.reports(home).cleaned(read(world, server.id));
    t.match(read(world, server.id), { previousHostId: '', move: null });
    t.equal((await roomAt(world, home)).vcpus, 0);
  },
);

void t.test('resizes that nobody confirms are confirmed by themselves after the window', async (t) => {
  const world = await makeComputeWorld();
  const large = await largeFlavor(world);
  const server = await running(world);
  await world.compute.moves.resize(world.alice, server.id, large.id);
  await hostsAct(world);
  await hostsAct(world);
  const { signal } = new AbortController();
  const nowMs = read(world, server.id).move?.finishedMs ?? 0;
  const deps = (atMs: number) => ({ ...world.deps, clock: { ...systemClock, nowMs: () => atMs } });
  await confirmOldResizes(world.compute.moves, 0).run(deps(nowMs + 10_000_000), signal);
  await confirmOldResizes(world.compute.moves, 60).run(deps(nowMs + 59_000), signal);
  t.equal(shownStatus(read(world, server.id)), VERIFY);
  await confirmOldResizes(world.compute.moves, 60).run(deps(nowMs + 60_000), signal);
  t.equal(shownStatus(read(world, server.id)), ServerStatus.SERVER_STATUS_ACTIVE);
});

void t.test('a server whose former host is lost for good has nothing to wait for', async (t) => {
  const world = await makeComputeWorld();
  const large = await largeFlavor(world);
  const server = await running(world);
  const name = hostTable.must(world.state.local, server.hostId).record.name;
  await world.compute.hosts.update(world.admin, name, { enabled: false });
  await world.compute.moves.resize(world.alice, server.id, large.id);
  t.not(read(world, server.id).hostId, server.hostId, 'a host that takes no servers keeps none for a resize');
  await hostsAct(world);
  await hostsAct(world);
  await world.compute.servers.delete(world.alice, server.id);
  await hostsAct(world);
  await hostsAct(world);
  t.equal(serverTable.get(world.state.local, server.id), undefined);
  t.same(migrations(world), [], 'they go with their server');
  t.equal(quotaUsage(world.state.local, server.projectId, 'cores'), 0);
});
