/** What is said of images of servers, and servers that are made of them. */
import t from 'tap';
import { ImageService } from '../../../../../node/services/image/image.ts';
import { quotaUsage } from '../../../../../node/services/kit/quota.ts';
import { transact } from '../../../../../node/services/kit/transact.ts';
import { indexKey } from '../../../../../node/state/table.ts';
import {
  imageTable,
  jobTable,
  serverTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../../../node/state/tables/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from '../../volume/volume-world.ts';

const { ImageStatus, ServerStatus } = shoal.v1;

async function setProperties(world: VolumeWorld, id: string, properties: Record<string, string>): Promise<void> {
  await transact(world.deps, world.admin, ({ reader, change }) => {
    const row = imageTable.must(reader, id);
    imageTable.update(change, row, new shoal.v1.Image({ ...row.record, properties }));
  });
}

const serverAt = (world: VolumeWorld, id: string) => serverTable.must(world.state.local, id).record;

/** One that boots from a volume and has another one and an ephemeral disk besides. */
async function volumeBacked(world: VolumeWorld): Promise<string> {
  const { servers } = await world.compute.servers.create(world.alice, {
    name: 'backed',
    flavorId: '1',
    imageId: '',
    networks: 'none',
    blockDevices: [
      { sourceType: 'image', destinationType: 'volume', uuid: 'image-1', volumeSizeGib: 2, bootIndex: 0, tag: 'boot' },
      { sourceType: 'blank', destinationType: 'volume', volumeSizeGib: 1, deleteOnTermination: true },
    ],
  });
  await volumeHostsAct(world);
  await volumeHostsAct(world);
  return servers[0]?.id ?? '';
}

void t.test('an image has what the image of the server said, and whose it is', async (t) => {
  const world = await makeVolumeWorld();
  const server = await addServer(world);
  await setProperties(world, 'image-1', { os_type: 'linux', hw_qemu_guest_agent: 'yes', img_signature: 'abc' });
  const image = await world.compute.images.create(world.alice, server.id, { name: 'kept', metadata: { role: 'web' } });
  t.match(image, {
    name: 'kept',
    projectId: 'alice-project',
    visibility: 'private',
    status: ImageStatus.IMAGE_STATUS_SAVING,
    minDiskGib: 1,
    hostIds: [server.hostId],
  });
  t.same(image.properties, {
    os_type: 'linux',
    hw_qemu_guest_agent: 'yes',
    role: 'web',
    base_image_ref: 'image-1',
    image_type: 'snapshot',
    instance_uuid: server.id,
    user_id: world.alice.userId,
    owner_id: 'alice-project',
    image_state: 'available',
    image_location: 'snapshot',
  });
  t.equal(quotaUsage(world.state.local, 'alice-project', 'image_count_total'), 1);
  t.match(serverAt(world, server.id), { taskState: 'image_snapshot', status: ServerStatus.SERVER_STATUS_ACTIVE });
  const job = jobTable.one(world.state.local, 'subject', indexKey(`server/${server.id}`))?.record;
  t.match(job, { ownerHostId: server.hostId, serverImage: { imageId: image.id, quiesce: true, mustQuiesce: false } });
  await t.rejects(world.compute.images.create(world.alice, server.id, { name: 'second' }), {
    code: 'CONFLICT',
    message: `Cannot 'createImage' instance ${server.id} while it is in task_state image_snapshot`,
  });
  await t.rejects(world.compute.servers.stop(world.alice, server.id), { code: 'CONFLICT' });
  await volumeHostsAct(world);
  t.equal(serverAt(world, server.id).taskState, 'image_snapshot', 'a report of its host ends no task of a job');
});

void t.test('a lock keeps nobody from making an image; a quota does', async (t) => {
  const world = await makeVolumeWorld();
  const server = await addServer(world);
  await world.compute.servers.lock(world.alice, server.id);
  const many = Object.fromEntries(Array.from({ length: 129 }, (_, at) => [`key${at}`, 'x']));
  await t.rejects(world.compute.images.create(world.alice, server.id, { name: 'kept', metadata: many }), {
    code: 'QUOTA_EXCEEDED',
  });
  t.equal(serverAt(world, server.id).taskState, '', 'nothing half made');
  await world.compute.images.create(world.alice, server.id, { name: 'kept' });
  await t.rejects(world.compute.images.create(world.bob, server.id, { name: 'theirs' }), { code: 'NOT_FOUND' });
});

void t.test(
  'of a server that boots from a volume, snapshots are made, and servers can be made of the image',
  async (t) => {
    const world = await makeVolumeWorld();
    const id = await volumeBacked(world);
    t.equal(serverAt(world, id).status, ServerStatus.SERVER_STATUS_ACTIVE);
    const image = await world.compute.images.create(world.alice, id, { name: 'whole' });
    t.match(image, { status: ImageStatus.IMAGE_STATUS_ACTIVE, sha256: '', diskFormat: '' });
    t.equal(serverAt(world, id).taskState, '');
    await volumeHostsAct(world);
    const snapshots = volumeSnapshotTable.list(world.state.local).map(({ record }) => record);
    t.same(
      snapshots.map(({ name, status }) => ({ name, status })),
      [
        { name: 'snapshot for whole', status: 'available' },
        { name: 'snapshot for whole', status: 'available' },
      ],
    );
    t.match(JSON.parse(image.properties['block_device_mapping'] ?? ''), [
      { source_type: 'snapshot', destination_type: 'volume', boot_index: 0, volume_size: 2, tag: 'boot' },
      { source_type: 'snapshot', boot_index: -1, volume_size: 1, delete_on_termination: true },
    ]);
    const draft = { name: 'again', flavorId: '1', imageId: image.id, networks: 'none' } as const;
    const { servers } = await world.compute.servers.create(world.alice, draft);
    const made = serverAt(world, servers[0]?.id ?? '');
    t.equal(made.imageId, '', 'it is made of volumes');
    t.same(
      made.disks.map(({ kind, bootIndex, sizeGib }) => ({ kind, bootIndex, sizeGib })),
      [
        { kind: 'volume', bootIndex: 0, sizeGib: 2 },
        { kind: 'volume', bootIndex: -1, sizeGib: 1 },
      ],
    );
    for (const { volumeId } of made.disks) {
      const { sourceSnapshotId } = volumeTable.must(world.state.local, volumeId ?? '').record;
      t.ok(snapshots.some((snapshot) => snapshot.id === sourceSnapshotId));
    }
    await t.rejects(
      world.compute.images.createBackup(world.alice, id, { name: 'b', backupType: 'daily', rotation: 1 }),
      { code: 'INVALID_ARGUMENT', message: 'Backup is not supported for volume-backed instances.' },
    );
  },
);

void t.test('what anybody writes as a mapping is a disk, or refused', async (t) => {
  const world = await makeVolumeWorld();
  const content = { store: () => Promise.reject(new Error('no')), open: () => Promise.reject(new Error('no')) };
  const service = new ImageService({ ...world.deps, content, hostId: world.hostControl.hostId });
  const draft = { name: 'odd', flavorId: '1', networks: 'none' } as const;
  for (const mapping of [
    '{',
    '7',
    '[7]',
    '[{}]',
    '[{"source_type":"file"}]',
    '[{"source_type":"snapshot","snapshot_id":[]}]',
  ]) {
    const { id } = await service.create(world.alice, { name: 'odd', properties: { block_device_mapping: mapping } });
    await transact(world.deps, world.admin, ({ reader, change }) => {
      const row = imageTable.must(reader, id);
      imageTable.update(change, row, new shoal.v1.Image({ ...row.record, status: ImageStatus.IMAGE_STATUS_ACTIVE }));
    });
    await t.rejects(world.compute.servers.create(world.alice, { ...draft, imageId: id }), {
      code: 'INVALID_ARGUMENT',
      message: /Block Device Mapping is Invalid/,
    });
  }
  t.equal(serverTable.list(world.state.local).length, 0);
});
