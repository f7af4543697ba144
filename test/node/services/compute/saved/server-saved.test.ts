/** Rebuild, rescue, shelve and unshelve, as the records have them. */
import t from 'tap';
import { quotaUsage } from '../../../../../node/services/kit/quota.ts';
import { transact } from '../../../../../node/services/kit/transact.ts';
import { imageTable, serverTable } from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { addImage, hostsAct } from '../../compute-world.ts';
import { addServer, makeVolumeWorld, type VolumeWorld } from '../../volume/volume-world.ts';

const { ImageStatus, PowerWanted, ServerStatus } = shoal.v1;
const serverAt = (world: VolumeWorld, id: string) => serverTable.must(world.state.local, id).record;

void t.test('a rebuilt server has new disks and what was said; the rest of it stays', async (t) => {
  const world = await makeVolumeWorld();
  await addImage(world, 'image-2');
  const before = await addServer(world);
  const { id } = before;
  const draft = { imageId: 'image-2', name: 'new', metadata: { a: 'b' }, description: 'd', userData: 'YQ==' };
  const asked = await world.compute.rebuild.begin(world.alice, id, draft);
  t.match(asked, {
    name: 'new',
    description: 'd',
    imageId: 'image-2',
    metadata: { a: 'b' },
    taskState: 'rebuilding',
    hostId: before.hostId,
    generation: before.generation,
  });
  t.not(asked.rootVolumeId, before.rootVolumeId);
  t.same(
    asked.replacedDisks.map(({ volumeId, kind }) => ({ volumeId, kind })),
    [{ volumeId: before.rootVolumeId, kind: 'root' }],
  );
  t.same(asked.portIds, before.portIds);
  await t.rejects(world.compute.rebuild.begin(world.alice, id, draft), {
    code: 'CONFLICT',
    message: `Cannot 'rebuild' instance ${id} while it is in task_state rebuilding`,
  });
  await world.reports(before.hostId).rebuilt(serverAt(world, id));
  t.match(serverAt(world, id), { taskState: 'rebuild_spawning', replacedDisks: [] });
  await hostsAct(world);
  t.match(serverAt(world, id), { taskState: '', status: ServerStatus.SERVER_STATUS_ACTIVE });
  await t.rejects(world.compute.rebuild.begin(world.alice, id, { imageId: 'none' }), { code: 'INVALID_ARGUMENT' });
  t.equal(serverAt(world, id).taskState, '', 'nothing half made');
});

void t.test('one in ERROR is rebuilt, and started; a locked one is not', async (t) => {
  const world = await makeVolumeWorld();
  const { id, hostId } = await addServer(world);
  await world.reports(hostId).fault(serverAt(world, id), 'broken', '');
  await world.compute.servers.lock(world.alice, id);
  await t.rejects(world.compute.rebuild.begin(world.alice, id, { imageId: 'image-1' }), { message: /is locked/ });
  await world.compute.servers.unlock(world.alice, id);
  await world.compute.rebuild.begin(world.alice, id, { imageId: 'image-1' });
  t.match(serverAt(world, id), { powerWanted: PowerWanted.POWER_WANTED_RUNNING, taskState: 'rebuilding' });
});

void t.test('a server is rescued with any image, and has one state for it', async (t) => {
  const world = await makeVolumeWorld();
  const { id, rootVolumeId, hostId } = await addServer(world);
  await addImage(world, 'floppy');
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, 'floppy');
    const properties = { hw_rescue_device: 'floppy' };
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties }));
  });
  const begin = (imageId?: string) =>
    world.compute.rescue.begin(world.alice, id, {
      ...(imageId === undefined ? {} : { imageId }),
      mayHaveRootVolume: false,
    });
  await t.rejects(begin('floppy'), { message: "Requested rescue device 'floppy' is not supported" });
  await begin();
  t.match(serverAt(world, id), { taskState: 'rescuing', rootVolumeId, rescue: { imageId: 'image-1', stable: false } });
  await hostsAct(world);
  t.match(serverAt(world, id), { taskState: '', status: ServerStatus.SERVER_STATUS_RESCUE });
  await t.rejects(world.compute.servers.stop(world.alice, id), {
    message: `Cannot 'stop' instance ${id} while it is in vm_state rescued`,
  });
  await world.reports(hostId).shutdown(serverAt(world, id));
  t.equal(serverAt(world, id).status, ServerStatus.SERVER_STATUS_RESCUE, 'one that powers off in rescue is in rescue');
  await world.compute.rescue.end(world.alice, id);
  await world.reports(hostId).unrescued(serverAt(world, id));
  await hostsAct(world);
  t.match(serverAt(world, id), { taskState: '', status: ServerStatus.SERVER_STATUS_ACTIVE, rescue: null });
});

/** Shelved and offloaded, its image there. */
async function shelved(world: VolumeWorld): Promise<shoal.v1.Server> {
  const { id, hostId } = await addServer(world);
  await world.compute.shelve.begin(world.alice, id);
  await hostsAct(world);
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const [row] = imageTable.list(reader).filter(({ record }) => record.name === 'guest-shelved');
    if (row === undefined) throw new Error('there is no image');
    const content = { sha256: 'bb'.repeat(32), status: ImageStatus.IMAGE_STATUS_ACTIVE, diskFormat: 'raw' };
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, ...content }));
    const server = serverTable.must(reader, id);
    const fields = { shelvedImageId: row.record.id, offloading: true, taskState: 'shelving_offloading' };
    serverTable.update(change, server, new shoal.v1.Server({ ...server.record, ...fields }));
  });
  await world.reports(hostId).offloaded(serverAt(world, id));
  return serverAt(world, id);
}

void t.test('a shelved server has no host, keeps its quota, and goes to another one', async (t) => {
  const world = await makeVolumeWorld();
  const server = await shelved(world);
  const { id, shelvedImageId } = server;
  t.match(server, { hostId: '', status: ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED, taskState: '' });
  t.equal(quotaUsage(world.state.local, 'alice-project', 'instances'), 1);
  await t.rejects(world.compute.servers.start(world.alice, id), {
    message: `Cannot 'start' instance ${id} while it is in vm_state shelved_offloaded`,
  });
  await t.rejects(world.compute.shelve.end(world.alice, id, { zone: 'nowhere' }), {
    code: 'INVALID_ARGUMENT',
    message: 'The requested availability zone is not available',
  });
  await world.compute.shelve.end(world.alice, id, {});
  const unshelved = serverAt(world, id);
  t.ok(unshelved.hostId);
  t.equal(unshelved.generation, server.generation + 1);
  t.match(unshelved, { taskState: 'unshelving', imageId: 'image-1', zone: server.zone });
  t.match(unshelved.disks, [{ kind: 'root', volumeId: unshelved.rootVolumeId, imageId: shelvedImageId }]);
  await hostsAct(world);
  t.match(serverAt(world, id), { status: ServerStatus.SERVER_STATUS_ACTIVE, taskState: '', shelvedImageId: '' });
  t.equal(imageTable.get(world.state.local, shelvedImageId), undefined, 'the image has done its service');
  t.equal(quotaUsage(world.state.local, 'alice-project', 'image_count_total'), 0);
});

void t.test('what is claimed for an unshelving that comes to nothing is given back', async (t) => {
  const world = await makeVolumeWorld();
  const { id } = await shelved(world);
  world.placer.tooOld.push(true);
  await t.rejects(world.compute.shelve.end(world.alice, id, {}), { code: 'PRECONDITION_CHANGED' });
  t.same(world.placer.released, [id]);
  t.equal(serverAt(world, id).hostId, '');
});

void t.test('a shelved server that is deleted leaves no image', async (t) => {
  const world = await makeVolumeWorld();
  const { id, shelvedImageId } = await shelved(world);
  await world.compute.servers.delete(world.alice, id);
  t.equal(serverTable.get(world.state.local, id), undefined);
  t.equal(imageTable.get(world.state.local, shelvedImageId), undefined);
});
