/** Servers that are made with volumes: all in one transaction, or nothing. */
import t from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import { quotaUsage } from '../../../../node/services/kit/quota.ts';
import type { BlockDeviceDraft } from '../../../../node/services/volume/servers/block-devices.ts';
import { serverTable, volumeTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { serveDisks } from '../compute-world.ts';
import { beforeCommit } from '../world.ts';
import { addServer, makeVolumeWorld, type VolumeWorld, volumeHostsAct } from './volume-world.ts';

const { ServerStatus } = shoal.v1;

async function refusalText(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (caught) {
    return caught instanceof ShoalError ? `${caught.code}: ${caught.message}` : String(caught);
  }
  return 'no refusal';
}

function boot(
  world: VolumeWorld,
  blockDevices: readonly BlockDeviceDraft[],
  more: {
    readonly imageId?: string;
    readonly flavorId?: string;
    readonly maxCount?: number;
    readonly minCount?: number;
  } = {},
) {
  const { imageId = '', flavorId = '1', ...count } = more;
  return world.compute.servers.create(world.alice, {
    name: 'guest',
    flavorId,
    imageId,
    networks: 'none',
    blockDevices,
    ...count,
  });
}

const fromImage: BlockDeviceDraft = {
  sourceType: 'image',
  destinationType: 'volume',
  uuid: 'image-1',
  bootIndex: 0,
  volumeSizeGib: 2,
  deleteOnTermination: true,
};

t.test('a server boots from a volume that is made of an image with it', async (t) => {
  for (const pool of ['rbd', 'local'] as const) {
    const world = await makeVolumeWorld('local');
    const extraSpecs = { volume_backend_name: pool };
    await world.volume.types.create(world.admin, { name: 'of-pool', extraSpecs });
    const volumeType = 'of-pool';
    const { servers } = await boot(world, [
      { ...fromImage, volumeType },
      { sourceType: 'blank', destinationType: 'volume', volumeSizeGib: 1, volumeType },
    ]);
    const show = () => world.compute.servers.show(world.alice, world.state.local, servers[0]?.id ?? '');
    const made = show();
    t.match(made, { imageId: '', taskState: 'block_device_mapping', storage: 'local' });
    t.match(made.disks, [
      { kind: 'volume', device: 'vda', bootIndex: 0, deleteOnTermination: true, sizeGib: 2, attached: false },
      { kind: 'volume', device: 'vdb', bootIndex: -1, deleteOnTermination: false, sizeGib: 1 },
    ]);
    t.equal(made.rootVolumeId, made.disks[0]?.volumeId);
    const volumes = () => volumeTable.list(world.state.local).map(({ record }) => record);
    t.equal(volumes().length, 2);
    for (const volume of volumes()) {
      t.match(volume, { status: 'creating', hostId: made.hostId, generation: 1 });
      t.match(volume.attachments, [{ serverId: made.id, status: 'attaching' }]);
    }
    t.equal(world.placer.requests[0]?.hasRootVolume, true);
    t.match(world.placer.requests[0]?.volumePools, [{ name: pool, gib: 3 }], 'one pool with the room of both');
    for (const volume of volumes()) await world.volumeReports(volume.hostId).made(volume, volume.sizeGib);
    t.equal(show().taskState, 'spawning', 'its volumes are there');
    await volumeHostsAct(world);
    t.match(show().disks, [{ attached: true }, { attached: true }]);
    t.same(
      volumes().map(({ status }) => status),
      ['in-use', 'in-use'],
    );
    await world.compute.servers.delete(world.alice, made.id);
    await volumeHostsAct(world);
    await volumeHostsAct(world);
    t.match(
      volumes(),
      [{ sizeGib: 1, status: 'available', attachments: [] }],
      'the root went with it, the other stayed',
    );
    t.equal(quotaUsage(world.state.local, world.alice.projectId, 'gigabytes'), 1);
  }
});

t.test('a volume that cannot be made ends its server, with the reason', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { servers } = await boot(world, [fromImage]);
  const [volume] = volumeTable.list(world.state.local);
  if (volume === undefined) throw new Error('no volume was made');
  await world.volumeReports(volume.record.hostId).failed(volume.record, { message: 'the pool is full', details: 'd' });
  const server = world.compute.servers.show(world.alice, world.state.local, servers[0]?.id ?? '');
  t.equal(server.status, ServerStatus.SERVER_STATUS_ERROR);
  t.match(server.fault, { code: 500, message: /the pool is full/ });
  await world.compute.servers.delete(world.alice, server.id);
  await volumeHostsAct(world);
  await volumeHostsAct(world);
  t.same(volumeTable.list(world.state.local), []);
});

t.test("a server with a volume on a host's own storage goes to that host, or nowhere", async (t) => {
  const world = await makeVolumeWorld('local');
  const { volumes } = world.volume;
  const made = await volumes.create(world.alice, { sizeGib: 1, imageId: 'image-1' });
  await volumeHostsAct(world);
  const device: BlockDeviceDraft = { sourceType: 'volume', uuid: made.id, bootIndex: 0 };
  const { servers } = await boot(world, [device]);
  t.equal(servers[0]?.hostId, made.hostId);
  t.equal(servers[0]?.taskState, 'spawning', 'it waits for nothing');
  await volumeHostsAct(world);
  t.match(await refusalText(boot(world, [device])), /INVALID_ARGUMENT: Invalid volume: .*in-use/);
  await world.compute.servers.delete(world.alice, servers[0]?.id ?? '');
  await volumeHostsAct(world);
  world.placer.isFull = true;
  const refused = await boot(world, [device]);
  t.match(refused.servers[0]?.fault?.message, /own storage of host host-\d: only that host can have it/);
  t.match(volumes.show(world.alice, world.state.local, made.id), { status: 'available', attachments: [] });
});

t.test('two servers that are made with one volume: exactly one is', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const made = await world.volume.volumes.create(world.alice, { sizeGib: 1, imageId: 'image-1' });
  await volumeHostsAct(world);
  const device: BlockDeviceDraft = { sourceType: 'volume', uuid: made.id, bootIndex: 0 };
  const raced = beforeCommit(
    world.state,
    () => true,
    () => boot(world, [device]),
  );
  t.match(await refusalText(boot(world, [device])), /INVALID_ARGUMENT: Invalid volume/);
  t.ok(raced());
  t.equal(serverTable.list(world.state.local).length, 1);
  t.equal(world.placer.released.length, 1, 'the room of the other was given back');
});

t.test('a quota that volumes are too many for leaves neither server nor volume', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const big = { ...fromImage, volumeSizeGib: 400 };
  t.match(
    await refusalText(boot(world, [big, { ...big, bootIndex: -1 }, { ...big, bootIndex: -1 }])),
    /QUOTA_EXCEEDED: .*gigabytes/,
  );
  const { servers } = await boot(world, [big], { minCount: 1, maxCount: 5 });
  t.equal(servers.length, 2, 'as many as there is quota for');
  t.equal(volumeTable.list(world.state.local).length, 2);
  t.same(
    (['instances', 'gigabytes', 'volumes'] as const).map((name) =>
      quotaUsage(world.state.local, world.alice.projectId, name),
    ),
    [2, 800, 2],
  );
});

t.test('ephemeral and swap disks are as the flavor has them', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const flavor = { id: '2', name: 'large', vcpus: 1, memoryMib: 128, diskGib: 1, ephemeralGib: 4, swapMib: 1_024 };
  await world.compute.flavors.create(world.admin, flavor);
  const { servers } = await boot(world, [], { imageId: 'image-1', flavorId: '2' });
  t.match(servers[0]?.disks, [
    { kind: 'ephemeral', device: 'vdb', sizeGib: 4, pool: 'local' },
    { kind: 'swap', device: 'vdc', sizeMib: 1_024, guestFormat: 'swap' },
  ]);
  const local: BlockDeviceDraft = { sourceType: 'blank', destinationType: 'local', volumeSizeGib: 5 };
  const root: BlockDeviceDraft = { sourceType: 'image', destinationType: 'local', uuid: 'image-1', bootIndex: 0 };
  t.match(
    await refusalText(boot(world, [root, local], { imageId: 'image-1', flavorId: '2' })),
    /Ephemeral disks requested are larger/,
  );
  const two = [root, { ...local, volumeSizeGib: 1 }, { ...local, volumeSizeGib: 3 }];
  const second = await boot(world, two, { imageId: 'image-1', flavorId: '2' });
  t.match(
    second.servers[0]?.disks.map(({ kind, sizeGib }) => [kind, sizeGib]),
    [
      ['ephemeral', 1],
      ['ephemeral', 3],
      ['swap', 0],
    ],
  );
});

t.test(
  'a swap disk of its own size is as large as it says in MiB, and no larger than the flavor has one',
  async (t) => {
    const world = await makeVolumeWorld('rbd');
    const flavor = { id: '2', name: 'large', vcpus: 1, memoryMib: 128, diskGib: 1, ephemeralGib: 4, swapMib: 64 };
    await world.compute.flavors.create(world.admin, flavor);
    const root: BlockDeviceDraft = { sourceType: 'image', destinationType: 'local', uuid: 'image-1', bootIndex: 0 };
    const swap = { sourceType: 'blank', destinationType: 'local', guestFormat: 'swap' } as const;
    const swapOf = async (size: { swapMib?: number }) => {
      const { servers } = await boot(world, [root, { ...swap, ...size }], { imageId: 'image-1', flavorId: '2' });
      return servers[0]?.disks.filter(({ kind }) => kind === 'swap').map(({ sizeMib }) => sizeMib);
    };
    t.same(await swapOf({ swapMib: 32 }), [32]);
    t.same(await swapOf({}), [64]);
    t.match(await refusalText(swapOf({ swapMib: 65 })), /Swap drive requested is larger/);
  },
);

t.test('what Nova refuses of a mapping is refused', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const refused = async (devices: readonly BlockDeviceDraft[], imageId = '', maxCount = 1): Promise<string> =>
    refusalText(boot(world, devices, { imageId, maxCount }));
  t.match(await refused([]), /INVALID_ARGUMENT: imageRef is needed, or a volume/);
  t.match(await refused([{ ...fromImage, bootIndex: -1 }]), /Boot sequence for the instance/);
  t.match(await refused([fromImage, fromImage]), /Boot sequence for the instance/, 'two first ones');
  t.match(await refused([fromImage, { ...fromImage, bootIndex: 2 }]), /Boot sequence for the instance/, 'a gap');
  t.match(
    await refused([{ ...fromImage, volumeSizeGib: 0 }]),
    /Images with destination_type 'volume' need to have a non-zero size/,
  );
  t.match(
    await refused([fromImage, { sourceType: 'blank', destinationType: 'volume' }]),
    /Blank volumes .* non-zero size/,
  );
  t.match(await refused([{ sourceType: 'volume', uuid: 'gone', bootIndex: 0 }]), /Invalid: failed to get volume gone/);
  t.match(
    await refused([{ sourceType: 'snapshot', uuid: 'gone', bootIndex: 0 }]),
    /Invalid: failed to get snapshot gone/,
  );
  t.match(
    await refused([{ ...fromImage, volumeType: 'none' }]),
    /INVALID_ARGUMENT: Volume type none could not be found/,
  );
  const empty = await world.volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  t.match(await refused([{ sourceType: 'volume', uuid: empty.id, bootIndex: 0 }]), /is not bootable/);
  t.match(
    await refused([{ sourceType: 'volume', uuid: empty.id }], 'image-1', 2),
    /Cannot attach one or more volumes to multiple/,
  );
  const others = await world.volume.volumes.create(world.bob, { sizeGib: 1, imageId: 'image-1' });
  await volumeHostsAct(world);
  t.match(await refused([{ sourceType: 'volume', uuid: others.id, bootIndex: 0 }]), /Invalid: failed to get volume/);
  t.same(serverTable.list(world.state.local), []);
});

t.test('volumes of two hosts: the server is where most of them is, and has the other over the network', async (t) => {
  const world = await makeVolumeWorld('local');
  const { volumes, attachments } = world.volume;
  const made = async (hostName: string, sizeGib: number): Promise<shoal.v1.Volume> => {
    const server = await addServer(world, hostName);
    const { id } = await volumes.create(world.admin, { sizeGib });
    await attachments.plug(world.admin, server.id, { volumeId: id });
    await volumeHostsAct(world);
    await attachments.unplug(world.admin, server.id, id);
    await volumeHostsAct(world);
    return volumes.show(world.admin, world.state.local, id);
  };
  const [small, large] = [await made('host-1', 1), await made('host-2', 3)];
  t.not(small.hostId, large.hostId);
  const create = () =>
    world.compute.servers.create(world.admin, {
      name: 'both',
      flavorId: '1',
      imageId: 'image-1',
      networks: 'none',
      blockDevices: [small, large].map(({ id }) => ({ sourceType: 'volume', destinationType: 'volume', uuid: id })),
    });
  t.match(await refusalText(create()), /INVALID_ARGUMENT: .*do not serve them to others/);
  t.match(volumeTable.must(world.state.local, small.id).record, { status: 'available', attachments: [] });
  serveDisks(world);
  const [server] = (await create()).servers;
  t.equal(server?.hostId, large.hostId);
  t.match(volumeTable.must(world.state.local, small.id).record, {
    hostId: small.hostId,
    served: { generation: small.generation + 1, ending: false },
    attachments: [{ serverId: server?.id }],
  });
  t.match(volumeTable.must(world.state.local, large.id).record, { hostId: large.hostId, served: null });
});

t.test('volumes of a server that is shelved are noted, and plugged in where it is unshelved', async (t) => {
  const world = await makeVolumeWorld('rbd');
  const { compute, volume } = world;
  const { id } = (await boot(world, [fromImage])).servers[0] ?? { id: '' };
  await volumeHostsAct(world);
  await volumeHostsAct(world);
  const server = () => compute.servers.show(world.alice, world.state.local, id);
  await compute.shelve.begin(world.alice, id);
  await world.reports(server().hostId).offloaded(server());
  t.match(server(), { hostId: '', status: ServerStatus.SERVER_STATUS_SHELVED_OFFLOADED });

  const data = await volume.volumes.create(world.alice, { sizeGib: 1 });
  await volumeHostsAct(world);
  const shown = () => volumeTable.must(world.state.local, data.id).record;
  const plug = () => volume.attachments.plug(world.alice, id, { volumeId: data.id });
  t.match(await plug(), { device: 'vdb', volumeId: data.id });
  t.match(shown(), { status: 'in-use', attachments: [{ serverId: id, hostId: '', status: 'attached' }] });
  t.match(await refusalText(plug()), /INVALID_ARGUMENT/, 'once');
  const other = await addServer(world);
  t.match(
    await refusalText(volume.attachments.plug(world.alice, other.id, { volumeId: data.id })),
    /current status is in-use/,
    'nor by another server',
  );
  await volume.attachments.unplug(world.alice, id, data.id);
  t.match(shown(), { status: 'available', attachments: [] });
  t.equal(server().disks.length, 1, 'it is free at once: no guest has it');

  await plug();
  await compute.shelve.end(world.alice, id, {});
  const { hostId } = server();
  t.not(hostId, '');
  t.match(shown(), { status: 'attaching', hostId, attachments: [{ serverId: id, hostId, status: 'attaching' }] });
  t.equal(server().disks[1]?.generation, shown().generation, 'its lock carries the number that the record says');
  await volumeHostsAct(world);
  await volumeHostsAct(world);
  t.match(shown(), { status: 'in-use', attachments: [{ status: 'attached' }] });
  t.match(server().disks[1], { attached: true });
});
