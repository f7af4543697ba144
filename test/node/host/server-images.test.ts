/** Images of servers: made whole and once wherever their host is killed, and given up with all that was kept for them. */
import t, { type Test } from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { ServerImages } from '../../../node/services/compute/saved/server-images.ts';
import { ImageService } from '../../../node/services/image/image.ts';
import { imageTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { self, serverId } from './host-world.ts';
import { type VolumeHost, volumeHost } from './volume-host.ts';

const { ImageStatus, PowerWanted, ServerStatus } = shoal.v1;
const root = 'v1' as VolumeId;
const points = ['kept', 'stored', 'forgotten', 'made'].map((name) => `server-image.${name}`);

function imagesOf(host: VolumeHost): ServerImages {
  return new ServerImages(host.deps);
}

/** Whose server has a disk of a few bytes, which is read in no time. */
async function hostWithServer(t: Test): Promise<VolumeHost> {
  const host = await volumeHost(t);
  const disk = host.world.storage.disks.get(root);
  if (disk === undefined) throw new Error('the server has no disk');
  disk.sizeBytes = 1024;
  return host;
}

const imageAt = ({ world }: VolumeHost, id: string) => imageTable.get(world.state.local, id)?.record;
const snapshotsOf = ({ world }: VolumeHost): number => world.storage.disks.get(root)?.snapshots.size ?? 0;

async function bringTo(host: VolumeHost, power: keyof typeof states): Promise<void> {
  const { wanted, status } = states[power];
  await host.world.change((server) => {
    server.powerWanted = wanted;
    server.taskState = 'asked';
  });
  await host.until(power, () => host.server?.status === status && host.server.taskState === '');
}

const states = {
  active: { wanted: PowerWanted.POWER_WANTED_RUNNING, status: ServerStatus.SERVER_STATUS_ACTIVE },
  paused: { wanted: PowerWanted.POWER_WANTED_PAUSED, status: ServerStatus.SERVER_STATUS_PAUSED },
  suspended: { wanted: PowerWanted.POWER_WANTED_SUSPENDED, status: ServerStatus.SERVER_STATUS_SUSPENDED },
  stopped: { wanted: PowerWanted.POWER_WANTED_STOPPED, status: ServerStatus.SERVER_STATUS_SHUTOFF },
} as const;

async function snapshot(t: Test, power: keyof typeof states, point?: string): Promise<void> {
  const host = await hostWithServer(t);
  if (power !== 'active') await bringTo(host, power);
  const starts = host.world.compute.starts.length;
  const { hits } = host.killAt(point ?? '');
  const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  t.equal(host.server?.taskState, 'image_snapshot');
  await host.until(
    'the image is made',
    () => imageAt(host, image.id)?.status === ImageStatus.IMAGE_STATUS_ACTIVE && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined, 'killed there');
  t.match(host.server, { status: states[power].status, taskState: '' });
  t.match(imageAt(host, image.id), { hostIds: [self], diskFormat: 'qcow2', sizeBytes: 6 * 65_536, chargedMib: 1 });
  t.equal(snapshotsOf(host), 0, 'what was kept for it is gone');
  t.equal(host.world.compute.starts.length, starts, 'the guest was left as it was');
}

for (const power of ['active', 'paused', 'suspended', 'stopped'] as const) {
  t.test(`of a server that is ${power}`, (t) => snapshot(t, power));
}
for (const point of points) t.test(`killed at ${point}`, (t) => snapshot(t, 'active', point));

t.test('an image that is deleted while it is made is given up, and the server goes on', async (t) => {
  for (const point of ['', 'server-image.taken-back']) {
    const host = await hostWithServer(t);
    const { hits } = host.killAt(point);
    host.images.hold();
    const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
    await host.until('it is read', () => host.server?.taskState === 'image_uploading');
    const service = new ImageService({ ...host.world.deps, content: host.images, hostId: self });
    await service.delete(host.context, image.id);
    host.images.letGo();
    await host.until(
      'it is given up',
      () => host.isAtRest && host.server?.taskState === '',
      () => hits() > 0,
    );
    t.equal(hits() > 0, point !== '');
    t.equal(imageAt(host, image.id), undefined);
    t.equal(snapshotsOf(host), 0);
    t.equal(host.server?.status, ServerStatus.SERVER_STATUS_ACTIVE);
    t.match(host.server?.actions.at(-1), { action: 'createImage', message: /deleted before/ });
  }
});

t.test('a server that is deleted while an image is made of it goes, and no image is left', async (t) => {
  const host = await hostWithServer(t);
  host.images.hold();
  const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it is read', () => host.server?.taskState === 'image_uploading');
  await host.world.change((server) => {
    server.deleting = true;
    server.taskState = 'deleting';
  });
  await host.quiet();
  t.ok(host.world.storage.disks.get(root), 'its disk is not pulled away');
  host.images.letGo();
  await host.until('the server is gone', () => host.world.storage.disks.get(root) === undefined && host.isAtRest);
  t.equal(imageAt(host, image.id), undefined);
});

t.test('one that cannot be made is given up, and the owner reads why', async (t) => {
  const host = await hostWithServer(t);
  host.images.failNext = new ShoalError('TOO_LARGE', 'there is no room for images');
  const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it has failed', () => host.isAtRest && host.server?.taskState === '');
  t.equal(imageAt(host, image.id), undefined);
  t.match(host.server?.actions.at(-1), { action: 'createImage', message: 'there is no room for images' });
});

t.test('of a server whose disk could not be made there is no image, and the owner reads why', async (t) => {
  const host = await hostWithServer(t);
  await bringTo(host, 'stopped');
  host.world.storage.disks.delete(root);
  const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it is given up', () => host.isAtRest && host.server?.taskState === '');
  t.equal(imageAt(host, image.id), undefined);
  t.match(host.server, { status: ServerStatus.SERVER_STATUS_SHUTOFF });
  t.match(host.server?.actions.at(-1), {
    action: 'createImage',
    message: 'The server has no disk: it could not be made.',
  });
});

t.test('a hard reboot in the middle is done, and the image is made', async (t) => {
  const host = await hostWithServer(t);
  host.images.hold();
  const image = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it is read', () => host.server?.taskState === 'image_uploading');
  await host.world.change((server) => {
    server.rebootsWanted += 1;
    server.rebootHard = true;
    server.taskState = 'rebooting_hard';
  });
  await host.until('it has rebooted', () => host.server?.taskState === '' && host.server.rebootsDone > 0);
  host.images.letGo();
  await host.until('the image is made', () => host.isAtRest);
  t.equal(imageAt(host, image.id)?.status, ImageStatus.IMAGE_STATUS_ACTIVE);
});

t.test('as many backups of a type are kept as were asked for', async (t) => {
  const host = await hostWithServer(t);
  const images = imagesOf(host);
  const backup = async (backupType: string, rotation: number): Promise<string> => {
    const { id } = await images.createBackup(host.context, serverId, { name: 'b', backupType, rotation });
    await host.until('it is made', () => host.isAtRest && host.server?.taskState === '');
    return id;
  };
  const weekly = await backup('weekly', 1);
  const ids: string[] = [];
  for (let at = 0; at < 4; at += 1) ids.push(await backup('daily', 2));
  t.same(
    ids.map((id) => imageAt(host, id) !== undefined),
    [false, false, true, true],
  );
  t.ok(imageAt(host, weekly), 'one of another type stays');
  const none = await backup('daily', 0);
  t.same(
    [...ids, none].map((id) => imageAt(host, id) !== undefined),
    [false, false, false, false, false],
    'asked to keep none, none is kept',
  );
});

t.test('a guest that must be quiesced, and whose agent does not answer, becomes no image', async (t) => {
  const host = await hostWithServer(t);
  const { world } = host;
  await host.changeImage('i1', (image) => {
    image.properties = { hw_qemu_guest_agent: 'yes', os_require_quiesce: 'yes' };
  });
  world.compute.behaviour.freezes = false;
  const refused = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it has failed', () => host.isAtRest && host.server?.taskState === '');
  t.equal(imageAt(host, refused.id), undefined);
  t.match(host.server?.actions.at(-1), { message: /os_require_quiesce/ });
  t.equal(snapshotsOf(host), 0);
  world.compute.behaviour.freezes = true;
  const made = await imagesOf(host).create(host.context, serverId, { name: 'kept' });
  await host.until('it is made', () => host.isAtRest && host.server?.taskState === '');
  t.equal(imageAt(host, made.id)?.status, ImageStatus.IMAGE_STATUS_ACTIVE);
});
