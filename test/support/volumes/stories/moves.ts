/** Volumes that move between files and Ceph, and give way to others, while a guest writes: every block that it was told is written is there. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import type { RestClient } from '../../../../node/dev/rest-client.ts';
import type { VolumeClient } from '../../../../node/dev/volume-client.ts';
import { deviceOf, sumOf, writing } from '../../guests/volumes-in-guest.ts';
import type { VolumeStoryWorld } from './world.ts';

/** Blocks that the guest numbers. */
const blocks = 60;

/** To Ceph and back under writes; the agent is killed on the way back. */
export async function movesUnderWrites(t: Test, { cloud, near }: VolumeStoryWorld): Promise<void> {
  const { volumes, client } = cloud;
  const id = await volumes.make({ name: 'moving', size: 1, volume_type: 'files' });
  await volumes.attach(near.serverId, id);
  const device = await deviceOf(near.run, id);
  await near.run(writing(device, 'beginning'), 60_000);
  const load = near.run(numbering(device), 300_000);
  await retype(client, id, 'ceph');
  await moved(volumes, id, 'ceph');
  t.equal((await volumes.show(id))['status'], 'in-use');
  await retype(client, id, 'files');
  await cloud.cloud.killAgent(near.host, 'SIGKILL');
  await cloud.startAll();
  await moved(volumes, id, 'files');
  t.match(await load, new RegExp(`writes=${blocks} failed=0`));
  t.match(await near.run(counting(device), 120_000), new RegExp(`there=${blocks}\\b`), 'every block is there');
  await volumes.detach(near.serverId, id);
  await volumes.attach(near.serverId, id);
  const again = await deviceOf(near.run, id);
  t.match(await near.run(counting(again), 120_000), new RegExp(`there=${blocks}\\b`), 'and where the record says');
  await volumes.detach(near.serverId, id);
  await volumes.remove(id);
}

/** A server goes over to another, larger volume with what it wrote. */
export async function swapped(t: Test, { cloud, near }: VolumeStoryWorld): Promise<void> {
  const { volumes, client } = cloud;
  const id = await volumes.make({ name: 'first', size: 1, volume_type: 'files' });
  const other = await volumes.make({ name: 'second', size: 2, volume_type: 'ceph' });
  await volumes.attach(near.serverId, id);
  const device = await deviceOf(near.run, id);
  await near.run(writing(device, 'kept'), 60_000);
  const sum = await sumOf(near.run, device);
  await client.json(`/compute/v2.1/servers/${near.serverId}/os-volume_attachments/${id}`, {
    method: 'PUT',
    body: { volumeAttachment: { volumeId: other } },
  });
  await volumes.waitFor(other, 'in-use');
  await volumes.waitFor(id, 'available');
  t.equal(await sumOf(near.run, device), sum, 'the guest has the same device with the same content');
  await freed(volumes, other);
  await volumes.detach(near.serverId, other);
  await volumes.attach(near.serverId, other);
  t.equal(await sumOf(near.run, await deviceOf(near.run, other)), sum);
  await volumes.detach(near.serverId, other);
  for (const one of [id, other]) await volumes.remove(one);
}

/** Accepted at once: a volume that has moved has nothing left of the move before. */
async function retype(client: RestClient, id: string, type: string): Promise<void> {
  const body = { 'os-retype': { new_type: type, migration_policy: 'on-demand' } };
  await client.json(`/volume/v3/volumes/${id}/action`, { method: 'POST', body });
}

/** Waits until it has moved to the pool of a type. */
async function moved(volumes: VolumeClient, id: string, type: string): Promise<void> {
  for (let look = 0; look < 600; look += 1) {
    const { migration_status: status, volume_type: now } = await volumes.show(id);
    if (status === 'success' && now === type) return;
    if (status === 'error') throw new Error(`the move of ${id} failed: ${JSON.stringify(await volumes.show(id))}`);
    await delay(200);
  }
  throw new Error(`volume ${id} has not moved to ${type}`);
}

/** Waits until nothing is done to it any more: a volume that was swapped in is in use before its job is done. */
async function freed(volumes: VolumeClient, id: string): Promise<void> {
  for (let look = 0; look < 300; look += 1) {
    if ((await volumes.show(id))['migration_status'] === null) return;
    await delay(100);
  }
  throw new Error(`volume ${id} is not free after a swap`);
}

/** Numbered blocks behind the first 16 MiB, each on the disk before the next. */
function numbering(device: string): string {
  const write = `printf '%04d' $n | dd of=${device} bs=4096 seek=$((4096+n)) conv=fsync,sync 2>/dev/null || f=$((f+1))`;
  return `f=0; for n in $(seq ${blocks}); do ${write}; sleep 0.2; done; echo writes=${blocks} failed=$f`;
}

/** How many of them say their number. */
function counting(device: string): string {
  const read = `dd if=${device} bs=4096 skip=$((4096+n)) count=1 iflag=direct 2>/dev/null | head -c 4`;
  return `c=0; for n in $(seq ${blocks}); do [ "$(${read})" = "$(printf '%04d' $n)" ] && c=$((c+1)); done; echo there=$c`;
}
