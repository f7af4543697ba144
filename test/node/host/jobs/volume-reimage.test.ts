/** An image is written over a volume: whole, with the snapshots kept, and nothing left beside it wherever its host is killed. */
import t, { type Test } from 'tap';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { ImageSha256, VolumeId } from '../../../../node/base/ids.ts';
import { gibBytes } from '../../../../node/base/units.ts';
import { TransactionBuilder } from '../../../../node/state/table.ts';
import { imageTable, jobTable } from '../../../../node/state/tables/index.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type VolumeHost, volumeHost } from '../volume-host.ts';

const imageId = '00000000-0000-4000-8000-0000000000a1';
const sha256 = 'ab'.repeat(32) as ImageSha256;

async function addImage({ world }: VolumeHost, fields: shoal.v1.Image.$Properties = {}): Promise<void> {
  const image = new shoal.v1.Image({
    ...{ id: imageId, name: 'debian', visibility: 'public', diskFormat: 'qcow2', containerFormat: 'bare', sha256 },
    ...{ status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE, sizeBytes: 1000, virtualSizeBytes: 1000, minDiskGib: 1 },
    properties: { os_distro: 'debian' },
    ...fields,
  });
  const builder = new TransactionBuilder();
  imageTable.insert(builder, image);
  await world.state.commit(builder.build());
  world.storage.images.set(sha256, { format: 'qcow2', virtualSizeBytes: 1000 });
}

async function reimage(t: Test, point?: string): Promise<void> {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  await addImage(host);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const snapshot = await service.snapshots.create(context, { volumeId: id });
  await host.until('there is a snapshot', () => host.snapshot(snapshot.id)?.status === 'available');
  const { hits } = host.killAt(point ?? '');
  await service.reimages.begin(context, id, { imageId, reserved: false });
  t.match(host.volume(id), { status: 'downloading', previousStatus: 'available' });
  await host.until(
    'the image is written',
    () => host.volume(id)?.status === 'available' && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.equal(world.storage.disks.get(id as VolumeId)?.content, `image ${sha256}`);
  t.equal(world.storage.disks.get(id as VolumeId)?.snapshots.size, 1, 'its snapshot stays');
  t.match(host.volume(id), { bootable: true, previousStatus: '' });
  t.match(host.volume(id)?.imageMetadata, { image_id: imageId, image_name: 'debian', os_distro: 'debian' });
  t.strictSame(
    [...world.storage.disks.keys()].filter((key) => jobTable.exists(world.state.local, key)),
    [],
  );
}

t.test('an image is written over a volume, whole, wherever its host is killed', async (t) => {
  await reimage(t);
  for (const point of ['reimage.beside', 'reimage.written']) await t.test(point, (t) => reimage(t, point));
});

t.test('one that nobody needed the bytes of gets them', async (t) => {
  const host = await volumeHost(t);
  await addImage(host);
  const { id } = await host.service.volumes.create(host.context, { sizeGib: 1 });
  t.match(host.volume(id), { hostId: '', madeGib: 0 });
  await host.service.reimages.begin(host.context, id, { imageId, reserved: false });
  await host.until('it is written', () => host.volume(id)?.status === 'available' && host.isAtRest);
  t.equal(host.world.storage.disks.get(id as VolumeId)?.content, `image ${sha256}`);
});

t.test('one that fails is in error, its owner is told, and another image makes it whole', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  await addImage(host);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  world.storage.faults.failNext('importDisk', new ShoalError('DRIVER_FAILED', 'the disk is broken'));
  await service.reimages.begin(context, id, { imageId, reserved: false });
  await host.until('it has failed', () => host.volume(id)?.status === 'error' && host.isAtRest);
  t.match(service.messages.list(context, world.state.local)[0]?.userMessage, /reimage volume.*the disk is broken/);
  t.equal(world.storage.disks.size, 2, 'of it and of the server: nothing lies beside it');
  await service.reimages.begin(context, id, { imageId, reserved: false });
  await host.until('it is whole', () => host.volume(id)?.status === 'available' && host.isAtRest);
});

t.test('a volume that is deleted by force meanwhile leaves nothing beside it', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  await addImage(host);
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const { hits } = host.killAt('reimage.beside');
  await service.reimages.begin(context, id, { imageId, reserved: false });
  await host.until('it is killed', () => hits() > 0);
  await host.stop();
  t.equal(world.storage.disks.size, 3);
  await service.volumes.remove(context, id, { force: true });
  await host.start();
  await host.until('it is gone', () => host.volume(id) === undefined && host.isAtRest);
  t.equal(world.storage.disks.size, 1, 'of the server alone');
});

t.test('what cannot be written over is refused, with nothing half made', async (t) => {
  const host = await volumeHost(t);
  const { service, context } = host;
  await addImage(host, { minDiskGib: 2 });
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const begin = (changes: { readonly imageId?: string; readonly reserved?: boolean } = {}) =>
    service.reimages.begin(context, id, { imageId, reserved: false, ...changes });
  await t.rejects(begin(), { code: 'INVALID_ARGUMENT', message: /minDisk size 2GB/ });
  await t.rejects(begin({ imageId: id }), { code: 'INVALID_ARGUMENT', message: /Invalid image identifier/ });
  await host.changeImage(imageId, (image) => {
    image.minDiskGib = 0;
    image.virtualSizeBytes = 2 * gibBytes;
  });
  await t.rejects(begin(), { code: 'INVALID_ARGUMENT', message: /larger than volume size/ });
  await host.changeImage(imageId, (image) => {
    image.virtualSizeBytes = gibBytes;
  });
  await service.volumes.reserve(context, id);
  await service.volumes.unreserve(context, id);
  await host.changeVolume(id, (volume) => {
    volume.status = 'reserved';
  });
  await t.rejects(begin(), { code: 'INVALID_ARGUMENT', message: /available or error to reimage/ });
  t.equal(host.isAtRest, true);
  await begin({ reserved: true });
  await host.until('it is reserved still', () => host.volume(id)?.status === 'reserved' && host.isAtRest);
});
