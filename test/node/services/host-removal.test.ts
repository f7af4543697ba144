/** Taking a host out of the mesh: what is refused, what is moved off first, what is left. */
import t from 'tap';
import type { HostId } from '../../../node/base/ids.ts';
import { type Removal, removeHost } from '../../../node/services/compute/host-removal.ts';
import { quotaUsage } from '../../../node/services/kit/quota.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import {
  hostTable,
  imageTable,
  portTable,
  removedHostTable,
  routerTable,
  serverTable,
  volumeMessageTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../node/state/tables/index.ts';
import type { Transaction } from '../../../node/state/types.ts';
import { shoal } from '../../../proto/messages.ts';
import { type ComputeWorld, fakeHostViews, hostsAct, makeComputeWorld } from './compute-world.ts';
import { addExternal, addHost, addNetwork, beforeCommit } from './world.ts';

const never = new AbortController().signal;
const idOf = (number: number): HostId => `${number}`.repeat(32) as HostId;

interface Mesh extends ComputeWorld {
  remove(host: string, force?: boolean): Promise<Removal>;
  hostNames(): readonly string[];
}

/** Three hosts, all voters, all answering; the first leads and holds the image. */
async function makeMesh(): Promise<Mesh> {
  const world = await makeComputeWorld();
  await addHost(world, 3);
  world.state.voters = [1, 2, 3];
  await holdImage(world, [idOf(1)]);
  const deps = { ...world.deps, hostProbe: world.hostProbe, hostViews: fakeHostViews(world), rekey: world.rekey };
  return {
    ...world,
    remove: (host, force = false) => removeHost(deps, { host, force, signal: never }),
    hostNames: () => hostTable.list(world.state.local).map(({ record }) => record.name),
  };
}

async function holdImage(world: ComputeWorld, hostIds: readonly string[]): Promise<void> {
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, 'image-1');
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, hostIds: [...hostIds] }));
  });
}

const guest = { name: 'guest', flavorId: '1', imageId: 'image-1' };

async function serverOn(world: ComputeWorld, hostName: string): Promise<shoal.v1.Server> {
  const { network } = await addNetwork(world, '10.0.0.0/24', world.admin);
  const draft = { ...guest, networks: [{ networkId: network.id }] };
  const { servers } = await world.compute.servers.create(world.admin, { ...draft, zone: `nova:${hostName}` });
  const [server] = servers;
  if (server === undefined) throw new Error('no server was made');
  return server;
}

/** A stopped server on shared storage. */
async function stoppedServer(world: ComputeWorld, hostName: string): Promise<shoal.v1.Server> {
  const server = await serverOn(world, hostName);
  await hostsAct(world);
  await world.compute.servers.stop(world.admin, server.id);
  await hostsAct(world);
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = serverTable.must(reader, server.id);
    serverTable.update(change, row, new shoal.v1.Server({ ...row.record, storage: 'rbd' }));
  });
  return server;
}

void t.test('while the voters are being changed nobody is removed: two majorities decide then', async (t) => {
  const mesh = await makeMesh();
  mesh.state.isJoint = true;
  await t.rejects(mesh.remove('host-2', true), { code: 'PRECONDITION_CHANGED', message: /try again/ });
  mesh.state.isJoint = false;
  await mesh.remove('host-2', true);
});

void t.test('a voter that is alive is refused unless forced, and nothing has changed then', async (t) => {
  const mesh = await makeMesh();
  const before = mesh.state.local.revision;
  await t.rejects(mesh.remove('host-2'), { code: 'CONFLICT', message: /alive and votes/ });
  t.equal(mesh.state.local.revision, before);
  await mesh.remove('host-2', true);
  t.same(mesh.hostNames(), ['host-1', 'host-3']);
  t.match(removedHostTable.must(mesh.state.local, idOf(2)).record, { name: 'host-2', raftId: 2 });
});

void t.test('a voter that does not answer goes without force, if those left can commit', async (t) => {
  const mesh = await makeMesh();
  mesh.hostProbe.silent.add(idOf(2));
  mesh.hostProbe.silent.add(idOf(3));
  await t.rejects(mesh.remove('host-2', true), { code: 'CONFLICT', message: /too few voters/ });
  mesh.hostProbe.silent.delete(idOf(3));
  await mesh.remove('host-2');
  t.same(mesh.hostNames(), ['host-1', 'host-3']);
});

void t.test(
  'a learner goes by id as well as by name; an unknown host is not found, also the second time',
  async (t) => {
    const mesh = await makeMesh();
    mesh.state.voters = [1];
    mesh.state.learners = [2, 3];
    await mesh.remove(idOf(3));
    await mesh.remove('host-2');
    await t.rejects(mesh.remove('host-2'), { code: 'NOT_FOUND' });
    await t.rejects(mesh.remove('host-1', true), { code: 'CONFLICT', message: /only voter/ });
    t.same(mesh.hostNames(), ['host-1']);
  },
);

void t.test('servers keep their host; those on their way out are forgotten when that is forced', async (t) => {
  const mesh = await makeMesh();
  mesh.hostProbe.silent.add(idOf(2));
  const kept = await serverOn(mesh, 'host-2');
  await hostsAct(mesh);
  await t.rejects(mesh.remove('host-2', true), { code: 'CONFLICT', message: new RegExp(`guest \\(${kept.id}\\)`) });
  await mesh.compute.servers.delete(mesh.admin, kept.id);
  await t.rejects(mesh.remove('host-2'), { code: 'CONFLICT', message: /force/ });
  t.match(await mesh.remove('host-2', true), {
    host: { name: 'host-2' },
    forgottenServerIds: [kept.id],
    lostImageIds: [],
  });
  t.equal(serverTable.get(mesh.state.local, kept.id), undefined);
  t.equal(portTable.get(mesh.state.local, kept.portIds[0] ?? ''), undefined);
  t.equal(quotaUsage(mesh.state.local, 'admin-project', 'instances'), 0);
});

void t.test('a server that moves away from a host lost for good is not held by it, nor is its deletion', async (t) => {
  const mesh = await makeMesh();
  const [moved, dropped] = [await stoppedServer(mesh, 'host-2'), await stoppedServer(mesh, 'host-2')];
  for (const { id } of [moved, dropped]) await mesh.compute.moves.migrate(mesh.admin, id, 'host-3');
  await mesh.compute.servers.delete(mesh.admin, dropped.id);
  mesh.hostProbe.silent.add(idOf(2));
  await t.rejects(mesh.remove('host-2'), { code: 'CONFLICT', message: /release what moves away, force/ });
  t.same(serverTable.must(mesh.state.local, moved.id).record.previousHostId, idOf(2), 'nothing has changed');
  const removal = await mesh.remove('host-2', true);
  t.same([...removal.releasedServerIds].sort(), [moved.id, dropped.id].sort());
  t.same(removal.forgottenServerIds, [], 'their new host has them');
  t.match(serverTable.must(mesh.state.local, moved.id).record, { hostId: idOf(3), previousHostId: '', generation: 2 });
  await hostsAct(mesh);
  t.equal(serverTable.get(mesh.state.local, dropped.id), undefined, 'the new host ends the deletion');
  t.ok(serverTable.get(mesh.state.local, moved.id));
});

void t.test('source NAT and images move off before the host goes', async (t) => {
  const mesh = await makeMesh();
  const external = await addExternal(mesh);
  const { id } = await mesh.network.routers.create(mesh.admin, { gateway: { networkId: external.network.id } });
  const snatHost = (): string => routerTable.must(mesh.state.local, id).record.snatHostId;
  await transact(mesh.deps, mesh.admin, ({ reader, change }) => {
    const row = routerTable.must(reader, id);
    routerTable.update(change, row, new shoal.v1.Router({ ...row.record, snatHostId: idOf(3) }));
  });
  await holdImage(mesh, [idOf(3), idOf(1)]);
  await mesh.remove('host-3', true);
  t.ok([idOf(1), idOf(2)].includes(snatHost() as HostId), 'another host does it');
  t.same(imageTable.must(mesh.state.local, 'image-1').record.hostIds, [idOf(1)]);
});

void t.test('it leaves its aggregates', async (t) => {
  const mesh = await makeMesh();
  const { aggregates } = mesh.compute;
  const made = await aggregates.create(mesh.admin, { name: 'fast' });
  await aggregates.addHost(mesh.admin, made.id, 'host-2');
  await aggregates.addHost(mesh.admin, made.id, 'host-3');
  await mesh.remove('host-3', true);
  t.same(aggregates.show(mesh.state.local, made.id).hostIds, [idOf(2)]);
});

void t.test('an image that nobody else holds keeps its host, unless its loss is forced', async (t) => {
  const mesh = await makeMesh();
  mesh.hostProbe.silent.add(idOf(2));
  await holdImage(mesh, [idOf(2)]);
  await t.rejects(mesh.remove('host-2'), { code: 'CONFLICT', message: /alone holds image/ });
  t.ok(hostTable.must(mesh.state.local, idOf(2)).record.disabled, 'it takes no new servers meanwhile');
  t.same((await mesh.remove('host-2', true)).lostImageIds, ['image-1']);
});

void t.test('an answer that was lost on the way changes nothing about the outcome', async (t) => {
  const mesh = await makeMesh();
  mesh.hostProbe.silent.add(idOf(2));
  mesh.state.loseNextOutcome = true;
  await mesh.remove('host-2');
  t.same(mesh.hostNames(), ['host-1', 'host-3']);
});

void t.test('no quorum: refused, nothing done', async (t) => {
  const mesh = await makeMesh();
  mesh.state.available = false;
  await t.rejects(mesh.remove('host-2'), { code: 'NO_QUORUM' });
});

const writes = (prefix: string) => (transaction: Transaction) =>
  transaction.thenOps.some((op) => op.kind === 'put' && op.key.startsWith(prefix));
const removes = (key: string) => (transaction: Transaction) =>
  transaction.thenOps.some((op) => op.kind === 'delete' && op.key === key);

void t.test('what was to be put on a host finds another one when the host goes before the commit', async (t) => {
  const mesh = await makeMesh();
  await holdImage(mesh, [idOf(1), idOf(2), idOf(3)]);
  const server = await stoppedServer(mesh, 'host-1');

  const movedLate = beforeCommit(mesh.state, writes(serverTable.prefix), () => mesh.remove('host-3', true));
  await t.rejects(mesh.compute.moves.migrate(mesh.admin, server.id, 'host-3'), {
    code: 'PRECONDITION_CHANGED',
    message: /host-3 has left the mesh/,
  });
  t.ok(movedLate());
  t.match(serverTable.must(mesh.state.local, server.id).record, { hostId: idOf(1), previousHostId: '' });
  t.same(mesh.placer.released, [server.id]);

  await addHost(mesh, 4);
  const boundLate = beforeCommit(mesh.state, writes(serverTable.prefix), async () => {
    const claimed = mesh.placer.chosen.at(-1) ?? '';
    t.ok(hostTable.get(mesh.state.local, claimed), 'the host was there when it admitted');
    await mesh.remove(claimed, true);
  });
  const made = await mesh.compute.servers.create(mesh.admin, { ...guest, networks: 'none' });
  t.ok(boundLate());
  t.ok(hostTable.get(mesh.state.local, made.servers[0]?.hostId ?? ''), 'the server is on a host that is there');

  const other = await makeMesh();
  const external = await addExternal(other);
  const routedLate = beforeCommit(other.state, writes(routerTable.prefix), () => other.remove('host-2', true));
  const gateway = { gateway: { networkId: external.network.id } };
  // Each router draws its own order of hosts, so that some of these would have gone to the host that goes.
  const routers = await Promise.all(
    Array.from({ length: 8 }, () => other.network.routers.create(other.admin, gateway)),
  );
  t.ok(routedLate());
  for (const { id } of routers) {
    const { snatHostId } = routerTable.must(other.state.local, id).record;
    t.ok(hostTable.get(other.state.local, snatHostId), 'source NAT is on a host that is there');
  }
});

void t.test('a removal that finds its host empty sees what is put there before its commit', async (t) => {
  const mesh = await makeMesh();
  await holdImage(mesh, [idOf(1)]);
  let late: shoal.v1.Server | undefined;
  const wasLate = beforeCommit(mesh.state, removes(hostTable.key(idOf(2))), async () => {
    late = await serverOn(mesh, 'host-2');
  });
  await t.rejects(mesh.remove('host-2', true), { code: 'CONFLICT', message: /Host host-2 has servers: guest/ });
  t.ok(wasLate());
  t.equal(serverTable.must(mesh.state.local, late?.id ?? '').record.hostId, idOf(2));
  t.ok(hostTable.get(mesh.state.local, idOf(2)), 'the host keeps its record');

  const external = await addExternal(mesh);
  const gateway = { gateway: { networkId: external.network.id } };
  // Like the one that goes: else it would come last.
  for (const name of ['host-1', 'host-2']) await mesh.compute.hosts.update(mesh.admin, name, { enabled: false });
  const routedLate = beforeCommit(mesh.state, removes(hostTable.key(idOf(3))), async () => {
    // As many as both may have: that none of twenty falls to one of two or three hosts happens once in 3,000 runs at most.
    for (const who of [mesh.admin, mesh.alice])
      for (let n = 0; n < 10; n++) await mesh.network.routers.create(who, gateway);
    t.ok(routerTable.by(mesh.state.local, 'snat-host', idOf(3)).length > 0, 'some are on the host that goes');
  });
  await mesh.remove('host-3', true);
  t.ok(routedLate());
  t.equal(routerTable.by(mesh.state.local, 'snat-host', idOf(3)).length, 0, 'they have moved off before it went');
});

/** A volume as it is after its host has made it. */
async function addVolume(
  world: ComputeWorld,
  fields: { readonly id: string; readonly pool: string; readonly hostId: string },
) {
  const volume = new shoal.v1.Volume({
    ...fields,
    projectId: 'alice-project',
    status: 'available',
    sizeGib: 1,
    madeGib: 1,
    askedRevision: 1,
    observedRevision: 1,
  });
  const snapshot = new shoal.v1.VolumeSnapshot({
    id: `snapshot-of-${fields.id}`,
    projectId: 'alice-project',
    volumeId: fields.id,
    pool: fields.pool,
    hostId: fields.hostId,
    status: 'available',
  });
  await transact(world.deps, world.admin, ({ change }) => {
    volumeTable.insert(change, volume);
    volumeSnapshotTable.insert(change, snapshot);
  });
}

t.test('volumes on shared storage go to another host; those on its own storage are lost by force alone', async (t) => {
  const mesh = await makeMesh();
  await addVolume(mesh, { id: 'shared', pool: 'rbd', hostId: idOf(3) });
  await addVolume(mesh, { id: 'own', pool: 'local', hostId: idOf(3) });
  mesh.hostProbe.silent.add(idOf(3));
  await t.rejects(mesh.remove('host-3'), { code: 'CONFLICT', message: /alone holds volume .*own/ });
  t.equal(volumeTable.get(mesh.state.local, 'own')?.record.status, 'available');
  const { lostVolumeIds } = await mesh.remove('host-3', true);
  t.same(lostVolumeIds, ['own']);
  const moved = volumeTable.get(mesh.state.local, 'shared')?.record;
  t.match(moved, { status: 'available' });
  t.ok([idOf(1), idOf(2)].includes(moved?.hostId as HostId));
  t.equal(volumeSnapshotTable.get(mesh.state.local, 'snapshot-of-shared')?.record.hostId, moved?.hostId);
  t.match(volumeTable.get(mesh.state.local, 'own')?.record, { status: 'error', hostId: '', madeGib: 1 });
  t.match(volumeSnapshotTable.get(mesh.state.local, 'snapshot-of-own')?.record, { status: 'error', hostId: '' });
  t.match(volumeMessageTable.list(mesh.state.local)[0]?.record, {
    resourceId: 'own',
    userMessage: /its content is lost/,
  });
  t.notOk(mesh.hostNames().includes('host-3'));
});
