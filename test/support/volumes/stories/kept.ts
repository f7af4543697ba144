/** Volumes that are kept, put back, cloned and grown; wanted twice; booted from. */
import type { Test } from 'tap';
import { waitUntilReady } from '../../../../node/dev/demo.ts';
import { deviceOf, grownTo, sumOf, writing } from '../../guests/volumes-in-guest.ts';
import type { VolumeGuest, VolumeTypeName } from '../volume-cloud.ts';
import type { VolumeStoryWorld } from './world.ts';

/** What was written before a snapshot is there after a revert, and in a clone; the guest sees the volume grow. */
export async function keptAndGrown(t: Test, { cloud, near }: VolumeStoryWorld, type: VolumeTypeName): Promise<void> {
  const { volumes } = cloud;
  const id = await volumes.make({ name: `data-${type}`, size: 1, volume_type: type });
  if (type === 'files') {
    t.equal((await volumes.show(id))['os-vol-host-attr:host'], null, 'it has no host before it is needed');
  }
  await volumes.attach(near.serverId, id);
  const device = await deviceOf(near.run, id);
  await near.run(writing(device, 'first'), 60_000);
  const first = await sumOf(near.run, device);

  const snapshotId = await volumes.snapshot(id);
  await near.run(writing(device, 'second'), 60_000);
  t.not(await sumOf(near.run, device), first, 'it was overwritten');
  await volumes.detach(near.serverId, id);
  t.match(await near.run(`ls ${device} 2>&1; true`), /No such file/, 'the guest has it no more');

  await volumes.revert(id, snapshotId);
  await volumes.attach(near.serverId, id);
  const again = await deviceOf(near.run, id);
  t.equal(await sumOf(near.run, again), first, 'what the snapshot saw is back');

  const cloneId = await volumes.make({ name: 'clone', size: 1, volume_type: type, snapshot_id: snapshotId });
  await volumes.attach(near.serverId, cloneId);
  t.equal(
    await sumOf(near.run, await deviceOf(near.run, cloneId)),
    first,
    'a volume made of the snapshot has the same',
  );
  await volumes.detach(near.serverId, cloneId);
  await volumes.remove(cloneId);

  await volumes.extend(id, 2);
  t.equal(await grownTo(near.run, again, 2 * 1024 ** 3), 2 * 1024 ** 3, 'the guest sees it grow');
  t.equal(await sumOf(near.run, again), first, 'and what it holds stays');
  await volumes.detach(near.serverId, id);
  await volumes.removeSnapshot(snapshotId);
  await volumes.remove(id);
  t.same(await cloud.leftOf(type, id), [], 'nothing is left of it');
}

/** Of two requests for one volume exactly one wins. */
export async function wantedTwice(t: Test, { cloud, near, far }: VolumeStoryWorld): Promise<void> {
  const { volumes } = cloud;
  const id = await volumes.make({ name: 'wanted-twice', size: 1, volume_type: 'ceph' });
  const answers = await Promise.all([near, far].map(({ serverId }) => volumes.tryToAttach(serverId, id)));
  t.same(answers.map(({ status }) => status).sort(), [200, 400]);
  const winner = answers[0]?.status === 200 ? near.serverId : far.serverId;
  await volumes.waitFor(id, 'in-use');
  const attachments = (await volumes.show(id))['attachments'] as { server_id: string }[];
  t.same(
    attachments.map((one) => one.server_id),
    [winner],
    'the record names the winner alone',
  );
  await volumes.detach(winner, id);
  await volumes.remove(id);
}

/** A server that boots from a volume in Ceph, and has volumes of two hosts' own files, lets go of all when it is deleted. */
export async function bootedFrom(t: Test, { cloud, near, far }: VolumeStoryWorld): Promise<void> {
  const { client, volumes } = cloud;
  const held = async (by: VolumeGuest, size: number): Promise<string> => {
    const id = await volumes.make({ name: `of-${by.host}`, size, volume_type: 'files' });
    await volumes.attach(by.serverId, id);
    await volumes.detach(by.serverId, id);
    return id;
  };
  const data = await held(near, 1);
  const more = await held(far, 2);
  const root = await volumes.make({ name: 'root', size: 1, volume_type: 'ceph', imageRef: cloud.imageId });
  t.equal((await volumes.show(root))['bootable'], 'true');
  const server = await client.create('/compute/v2.1/servers', 'server', {
    name: 'from-volume',
    flavorRef: '42',
    networks: [{ uuid: cloud.networkId }],
    block_device_mapping_v2: [root, data, more].map((uuid, at) => ({
      boot_index: at === 0 ? 0 : -1,
      uuid,
      source_type: 'volume',
      destination_type: 'volume',
      delete_on_termination: false,
    })),
  });
  await client.waitForServer(server.id, 'ACTIVE', 60_000);
  await waitUntilReady(client, server.id);
  t.equal((await client.server(server.id))['OS-EXT-SRV-ATTR:host'], far.host, 'it is where most of its files are');
  t.equal((await cloud.servingDaemons(data)).length, 1, 'and has the others over the network');
  await client.json(`/compute/v2.1/servers/${server.id}`, { method: 'DELETE' });
  for (const id of [root, data, more]) await volumes.waitFor(id, 'available');
  t.same(await cloud.servingDaemons(data), [], 'nobody serves what nobody has');
  for (const id of [root, data, more]) await volumes.remove(id);
}
