/** Servers that become images, and servers that are made of those, or of the first one again. */
import type { Test } from 'tap';
import { type ServerStoryWorld, witnessOf, writeWitness } from '../server-verbs.ts';

/** What the guest wrote before is in the image, and in another server that boots from it. */
export async function imaged(t: Test, { cloud, guest, verbs }: ServerStoryWorld): Promise<void> {
  await writeWitness(guest, 'in-the-image');
  const startedMs = performance.now();
  const imageId = await verbs.image(guest.serverId, 'createImage', { name: 'story', metadata: { purpose: 'story' } });
  t.comment(`an image in ${Math.round(performance.now() - startedMs)} ms`);
  t.match(await verbs.showImage(imageId), { instance_uuid: guest.serverId, image_type: 'snapshot', purpose: 'story' });
  await writeWitness(guest, 'after-the-image');
  const other = await cloud.boot('of-the-image', { different_host: [guest.serverId] }, imageId);
  t.not(other.host, guest.host, 'another host has fetched it');
  t.equal(await witnessOf(other), 'in-the-image');
  t.equal(await witnessOf(guest), 'after-the-image', 'the guest goes on');
  await verbs.remove(other.serverId);
  await verbs.removeImage(imageId);
}

/** Of a series the oldest goes. */
export async function backedUp(t: Test, { guest, verbs }: ServerStoryWorld): Promise<void> {
  const backup = { name: 'story-daily', backup_type: 'daily', rotation: 1 };
  const first = await verbs.image(guest.serverId, 'createBackup', backup);
  const second = await verbs.image(guest.serverId, 'createBackup', backup);
  t.not(second, first);
  t.same(await verbs.imagesNamed('story-daily'), [second], 'one is kept');
  await verbs.removeImage(second);
}

/** Its own disk is new, its addresses are as they were. */
export async function rebuilt(t: Test, { cloud, guest, verbs }: ServerStoryWorld): Promise<void> {
  const { serverId: id } = guest;
  await writeWitness(guest, 'before-rebuild');
  const { addresses } = await verbs.show(id);
  await verbs.act(id, 'rebuild', { imageRef: cloud.imageId, name: 'rebuilt' }, 'ACTIVE');
  t.equal(await witnessOf(guest), '', 'the file is gone');
  t.match(await guest.run('cat /mnt/state/boots'), /^1\s*$/, 'the disk has been booted from once');
  t.match(await verbs.show(id), { name: 'rebuilt', addresses });
}
