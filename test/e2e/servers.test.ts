/**
 * What its owner does with a server after it was made, on real QEMU: one cloud of two agents with disks in the hosts' own files, in
 * the order of a story whose chapters are in test/support/servers/stories. What a guest has is asked inside of the guest.
 */
import t from 'tap';
import { ServerVerbs } from '../support/servers/server-verbs.ts';
import { paused, shelved, suspended } from '../support/servers/stories/asleep.ts';
import { nothingLeft } from '../support/servers/stories/nothing-left.ts';
import { rescued } from '../support/servers/stories/rescue.ts';
import { backedUp, imaged, rebuilt } from '../support/servers/stories/saved.ts';
import { resized } from '../support/servers/stories/shapes.ts';
import { VolumeCloud, whyNoVolumeCloud } from '../support/volumes/volume-cloud.ts';

const why = whyNoVolumeCloud();

t.setTimeout(580_000);
if (why !== '') {
  t.test('servers on real QEMU', { skip: why }, (t) => t.end());
} else {
  const cloud = await VolumeCloud.open({ agents: 2, hasCeph: false });
  t.teardown(() => cloud.close());
  const verbs = new ServerVerbs(cloud.client);
  const whatIsLeft = await nothingLeft(cloud, verbs);
  const guest = await cloud.boot('story');
  const world = { cloud, guest, verbs };

  await t.test('an image of it boots on another host with what it wrote', (t) => imaged(t, world));
  await t.test('of a series of backups the oldest goes', (t) => backedUp(t, world));
  await t.test('it gets another flavor, goes back, and gets it for good', (t) => resized(t, world));
  await t.test('it is built again at its address', (t) => rebuilt(t, world));
  await t.test('it is rescued, and repaired', (t) => rescued(t, world));
  await t.test('it is shelved on one host and comes back on the other', (t) => shelved(t, world));
  await t.test('it is paused, and goes on', (t) => paused(t, world));
  await t.test('it is suspended, its agent killed, and its memory is as it was', (t) => suspended(t, world));
  await t.test('nothing is left of it', async (t) => {
    await verbs.remove(guest.serverId);
    t.same(await whatIsLeft(), []);
  });
}
