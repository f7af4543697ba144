/** The volume service: what is made, changed, attached and removed, each in one transaction. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { chooseHost } from '../../../../node/services/volume/kit/pools.ts';
import { hostTable, imageTable, serverTable, volumeMessageTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { beforeCommit } from '../world.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from './volume-world.ts';

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (caught) {
    return caught instanceof ShoalError ? `${caught.code}: ${caught.message}` : String(caught);
  }
  return 'no refusal';
}

const used = (world: VolumeWorld, resource: 'volumes' | 'gigabytes' | 'snapshots'): number =>
  quotaUsage(world.state.local, world.alice.projectId, resource);

t.test('a volume on shared storage is made by a host, grows, and goes with its quota', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { volumes } = world.volume;
  const made = await volumes.create(world.alice, { sizeGib: 2, name: ' data ' });
  t.match(made, { status: 'creating', name: 'data', pool: 'rbd', sizeGib: 2, madeGib: 0, askedRevision: 1 });
  t.not(made.hostId, '');
  t.equal(world.volume.types.find(world.state.local, made.typeId)?.name, '__DEFAULT__');
  await volumeHostsAct(world);
  const show = () => volumes.show(world.alice, world.state.local, made.id);
  t.match(show(), { status: 'available', madeGib: 2, observedRevision: 1 });
  t.match(
    await codeOf(volumes.extend(world.alice, made.id, 2)),
    /INVALID_ARGUMENT: .*must be greater than current size/,
  );
  await volumes.extend(world.alice, made.id, 5);
  t.match(show(), { status: 'extending', sizeGib: 5, madeGib: 2 });
  t.equal(used(world, 'gigabytes'), 5);
  await volumeHostsAct(world);
  t.match(show(), { status: 'available', sizeGib: 5, madeGib: 5 });
  t.match(await codeOf(volumes.remove(world.bob, made.id)), 'NOT_FOUND');
  await volumes.remove(world.alice, made.id);
  t.equal(show().status, 'deleting');
  await volumeHostsAct(world);
  t.match(await codeOf(Promise.resolve().then(show)), 'NOT_FOUND');
  t.same([used(world, 'volumes'), used(world, 'gigabytes')], [0, 0]);
});

t.test('a growth that its host cannot do gives the quota back, and its owner is told why', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  await world.volume.volumes.extend(world.alice, made.id, 9);
  const asked = world.volume.volumes.show(world.alice, world.state.local, made.id);
  const reports = world.volumeReports(asked.hostId);
  await reports.failed(asked, { message: 'the pool is full', details: '' });
  await reports.failed(asked, { message: 'the pool is full', details: '' });
  const after = world.volume.volumes.show(world.alice, world.state.local, made.id);
  t.match(after, { status: 'error_extending', sizeGib: 1, madeGib: 1 });
  t.equal(used(world, 'gigabytes'), 1);
  const messages = world.volume.messages.list(world.alice, world.state.local);
  t.equal(messages.length, 1, 'said twice, told once');
  t.match(messages[0], { userMessage: 'extend volume:the pool is full', resourceId: made.id });
  t.same(world.volume.messages.list(world.bob, world.state.local), []);
});

t.test("an empty volume on hosts' own storage has no host until it is attached", async (t) => {
  const world = await makeVolumeWorld('local');
  const server = await addServer(world);
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  t.match(made, { status: 'available', hostId: '', madeGib: 0, askedRevision: 0 });
  await world.volume.volumes.extend(world.alice, made.id, 3);
  const disk = await world.volume.attachments.plug(world.alice, server.id, { volumeId: made.id });
  t.match(disk, { device: 'vdb', kind: 'volume', pool: 'local', sizeGib: 3, generation: 1, attached: false });
  const show = () => world.volume.volumes.show(world.alice, world.state.local, made.id);
  t.match(show(), { status: 'attaching', hostId: server.hostId, askedRevision: 1, generation: 1 });
  await volumeHostsAct(world);
  t.match(show(), { status: 'in-use', madeGib: 3 });
  t.match(show().attachments, [{ serverId: server.id, status: 'attached', device: '/dev/vdb', hostId: server.hostId }]);
  t.match(
    await codeOf(world.volume.volumes.remove(world.alice, made.id)),
    /INVALID_ARGUMENT: Invalid volume: Volume status/,
  );
  await world.volume.attachments.unplug(world.alice, server.id, made.id);
  t.equal(show().status, 'detaching');
  await volumeHostsAct(world);
  t.match(show(), { status: 'available', attachments: [], hostId: server.hostId });
  t.same(world.compute.servers.show(world.alice, world.state.local, server.id).disks, []);
});

t.test("a volume on a host's own storage is not attached to a server of another host", async (t) => {
  const world = await makeVolumeWorld('local');
  const here = await addServer(world, 'host-1');
  const there = await addServer(world, 'host-2');
  const made = await world.volume.volumes.create(world.admin, { sizeGib: 1 });
  await world.volume.attachments.plug(world.admin, here.id, { volumeId: made.id });
  await volumeHostsAct(world);
  await world.volume.attachments.unplug(world.admin, here.id, made.id);
  await volumeHostsAct(world);
  const refusal = await codeOf(world.volume.attachments.plug(world.admin, there.id, { volumeId: made.id }));
  t.match(refusal, /CONFLICT: .*own storage of host host-1/);
  t.equal(world.volume.volumes.show(world.admin, world.state.local, made.id).status, 'available');
});

t.test('a volume that could not be made is not attached, also not to a server that is off', async (t) => {
  const world = await makeVolumeWorld('local');
  const server = await addServer(world);
  const { id } = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: id });
  const show = () => world.volume.volumes.show(world.alice, world.state.local, id);
  const reports = world.volumeReports(server.hostId);
  await reports.failed(show(), { message: 'There is no room.', details: '' });
  t.match(show(), { status: 'error', madeGib: 0 });
  await reports.attached(serverTable.must(world.state.local, server.id).record, id);
  t.same(show().attachments, []);
  t.not(show().status, 'in-use');
  t.same(serverTable.must(world.state.local, server.id).record.disks, []);
  const told = volumeMessageTable.list(world.state.local).map(({ record }) => record.userMessage);
  t.ok(
    told.some((text) => text.includes('could not be made')),
    told.join(' | '),
  );
});

t.test('of two requests for one volume exactly one wins', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const [first, second] = [await addServer(world), await addServer(world)];
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  const raced = beforeCommit(
    world.state,
    () => true,
    () => world.volume.attachments.plug(world.alice, second.id, { volumeId: made.id }),
  );
  const refusal = await codeOf(world.volume.attachments.plug(world.alice, first.id, { volumeId: made.id }));
  t.ok(raced());
  t.match(
    refusal,
    /INVALID_ARGUMENT: .*must be available or downloading to reserve, but the current status is attaching/,
  );
  t.same(world.compute.servers.show(world.alice, world.state.local, first.id).disks, []);
  t.equal(world.compute.servers.show(world.alice, world.state.local, second.id).disks.length, 1);
});

t.test('a deletion and a snapshot of one volume do not both come to be', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  beforeCommit(
    world.state,
    () => true,
    () => world.volume.snapshots.create(world.alice, { volumeId: made.id }),
  );
  t.match(await codeOf(world.volume.volumes.remove(world.alice, made.id)), /INVALID_ARGUMENT: .*have snapshots/);
  t.same([used(world, 'snapshots'), used(world, 'gigabytes')], [1, 2]);
  await volumeHostsAct(world);
  await world.volume.volumes.remove(world.alice, made.id, { cascade: true });
  t.equal(world.volume.volumes.show(world.alice, world.state.local, made.id).cascade, true);
  await volumeHostsAct(world);
  t.same([used(world, 'snapshots'), used(world, 'gigabytes'), used(world, 'volumes')], [0, 0, 0]);
});

t.test('a repeat of a creation makes nothing more', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const first = await world.volume.volumes.create(world.alice, { sizeGib: 1, clientToken: 'once' });
  const again = await world.volume.volumes.create(world.alice, { sizeGib: 1, clientToken: 'once' });
  t.equal(again.id, first.id);
  t.equal(used(world, 'volumes'), 1);
  const other = await world.volume.volumes.create(world.bob, { sizeGib: 1, clientToken: 'once' });
  t.not(other.id, first.id);
});

t.test('what Cinder refuses is refused, and leaves nothing', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { volumes } = world.volume;
  const refused = async (draft: Parameters<typeof volumes.create>[1]): Promise<string> =>
    codeOf(volumes.create(world.alice, draft));
  t.match(await refused({ sizeGib: 0 }), /INVALID_ARGUMENT: .*must be an integer and greater than 0/);
  t.match(await refused({}), /INVALID_ARGUMENT: .*must be an integer and greater than 0/);
  t.match(await refused({ sizeGib: 1, type: 'none' }), 'NOT_FOUND: Volume type none could not be found.');
  t.match(await refused({ sizeGib: 1, zone: 'mars' }), /INVALID_ARGUMENT: .*'mars' is invalid/);
  t.match(await refused({ sizeGib: 1, snapshotId: 'gone' }), 'NOT_FOUND: Snapshot gone could not be found.');
  t.match(await refused({ sizeGib: 1, sourceVolumeId: 'gone' }), 'NOT_FOUND: Volume gone could not be found.');
  t.match(await refused({ sizeGib: 1, imageId: 'gone' }), /INVALID_ARGUMENT: .*Invalid image identifier/);
  t.match(
    await refused({ sizeGib: 1, imageId: 'image-1', snapshotId: 'x' }),
    /INVALID_ARGUMENT: .*May specify only one/,
  );
  t.match(await refused({ sizeGib: 1, name: 'x'.repeat(256) }), /INVALID_ARGUMENT: .*more than 255/);
  t.match(await refused({ sizeGib: 1, metadata: { '': 'x' } }), /INVALID_ARGUMENT: .*key blank/);
  t.match(
    await refused({ sizeGib: 1_001 }),
    /QUOTA_EXCEEDED: Requested volume or snapshot exceeds allowed gigabytes quota/,
  );
  t.same([used(world, 'volumes'), used(world, 'gigabytes')], [0, 0]);
  for (let n = 0; n < 10; n++) await volumes.create(world.alice, { sizeGib: 1 });
  t.match(
    await refused({ sizeGib: 1 }),
    "QUOTA_EXCEEDED: Maximum number of volumes allowed (10) exceeded for quota 'volumes'.",
  );
});

t.test('a volume for which there is no host is in error, with a message', async (t) => {
  const world = await makeVolumeWorld('rbd');
  await world.volume.types.create(world.admin, { name: 'far', extraSpecs: { volume_backend_name: 'elsewhere' } });
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1, type: 'far' });
  t.match(made, { status: 'error', hostId: '' });
  const [message] = volumeMessageTable.list(world.state.local);
  t.match(message?.record, {
    eventId: 'VOLUME_VOLUME_001_003',
    userMessage: /no host has a storage pool called elsewhere/,
  });
  await world.volume.volumes.remove(world.alice, made.id);
  t.equal(used(world, 'volumes'), 0, 'nobody has anything of it: it goes at once');
});

t.test('a type that asks for another kind of pool finds none, and its owner is told which spec it was', async (t) => {
  const world = await makeVolumeWorld('local');
  const statusOf = async (name: string, extraSpecs: Record<string, string>): Promise<string> => {
    await world.volume.types.create(world.admin, { name, extraSpecs });
    return (await world.volume.volumes.create(world.alice, { sizeGib: 1, type: name })).status;
  };
  t.equal(await statusOf('iscsi', { storage_protocol: 'iSCSI' }), 'error');
  const [message] = volumeMessageTable.list(world.state.local);
  t.match(message?.record.userMessage, /not what the volume type asks for: storage_protocol iSCSI/);
  t.equal(await statusOf('vendor', { 'capabilities:vendor_name': '<in> Net' }), 'error');
  t.equal(await statusOf('either', { storage_protocol: '<or> ceph <or> iSCSI' }), 'error');
  t.equal(await statusOf('file', { storage_protocol: '<or> ceph <or> file' }), 'available');
  t.equal(await statusOf('ours', { vendor_name: 's== Shoal', 'capabilities:storage_protocol': 'file' }), 'available');
  t.equal(await statusOf('other', { colour: 'red', 'quality:bronze': 'yes' }), 'available', 'not about pools');
});

t.test('an image may name the type of what is made of it', async (t) => {
  const world = await makeVolumeWorld('rbd');
  await world.volume.types.create(world.admin, { name: 'gold' });
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, 'image-1');
    const properties = { cinder_img_volume_type: 'gold' };
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties }));
  });
  const typeOf = async (draft: { type?: string }) => {
    const { typeId } = await world.volume.volumes.create(world.alice, { sizeGib: 1, imageId: 'image-1', ...draft });
    return world.volume.types.show(world.admin, world.state.local, typeId).name;
  };
  t.equal(await typeOf({}), 'gold');
  t.equal(await typeOf({ type: '__DEFAULT__' }), '__DEFAULT__', 'but its maker goes before');
});

t.test('the server that goes takes or frees its volumes in the same transaction', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const server = await addServer(world);
  const [kept, going] = [
    await world.volume.volumes.create(world.alice, { sizeGib: 1 }),
    await world.volume.volumes.create(world.alice, { sizeGib: 1 }),
  ];
  await volumeHostsAct(world);
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: kept.id });
  await world.volume.attachments.plug(world.alice, server.id, { volumeId: going.id, deleteOnTermination: true });
  await volumeHostsAct(world);
  await world.compute.servers.delete(world.alice, server.id);
  await volumeHostsAct(world);
  const list = world.volume.volumes.list(world.alice, world.state.local, { allProjects: false });
  t.match(
    list.find(({ id }) => id === kept.id),
    { status: 'available', attachments: [] },
  );
  await volumeHostsAct(world);
  t.same(
    world.volume.volumes.list(world.alice, world.state.local, { allProjects: false }).map(({ id }) => id),
    [kept.id],
  );
});

t.test('a pool that is nearly full gets nothing new, and keeps what it has', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const [host] = hostTable.list(world.state.local);
  const at = { hostId: host?.record.id ?? '', hostName: 'host-1', enabled: true, freeGib: 100 };
  const choose = (isTroubled: boolean, hostId?: string) => {
    const pool = { name: 'rbd', shared: true, hosts: [{ ...at, isTroubled }] };
    return chooseHost(world.state.local, pool, { zone: '', sizeGib: 1, hostId }, new Prng(1));
  };
  t.equal(choose(false), at.hostId);
  t.equal(choose(true), undefined);
  t.equal(choose(true, at.hostId), at.hostId, 'what is asked of one that is there has its host');
});
