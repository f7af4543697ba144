import t, { type Test } from 'tap';
import { ShoalError } from '../../../node/base/errors.ts';
import type { VolumeId } from '../../../node/base/ids.ts';
import { gibBytes } from '../../../node/base/units.ts';
import { imageTable, jobTable } from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { volumeHost } from './volume-host.ts';

const { ImageStatus } = shoal.v1;

async function upload(t: Test, point?: string, diskFormat = 'raw'): Promise<void> {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  const { hits } = host.killAt(point ?? '');
  const { image } = await service.moves.uploadToImage(context, id, { imageName: 'of-volume', diskFormat });
  await host.until(
    'the image is made',
    () =>
      imageTable.get(world.state.local, image.id)?.record.status === ImageStatus.IMAGE_STATUS_ACTIVE && host.isAtRest,
    () => hits() > 0,
  );
  t.equal(hits() > 0, point !== undefined);
  t.equal(host.volume(id)?.status, 'available');
  const { sizeBytes, chargedMib, hostIds } = imageTable.must(world.state.local, image.id).record;
  if (diskFormat === 'raw') t.same({ sizeBytes, chargedMib }, { sizeBytes: gibBytes, chargedMib: 1024 });
  else t.ok(sizeBytes < gibBytes / 100, 'an empty volume is a small image');
  t.equal(imageTable.must(world.state.local, image.id).record.diskFormat, diskFormat);
  t.equal(hostIds.length, 1);
  t.equal(world.storage.disks.get(id as VolumeId)?.snapshots.size, 0, 'what was kept for it is gone');
  t.equal(jobTable.by(world.state.local, 'under-way', 'yes').length, 0);
}

t.test('an image is made of a volume, whole, and once, wherever its host is killed', async (t) => {
  await upload(t);
  for (const point of ['upload.kept', 'upload.stored']) await t.test(point, (t) => upload(t, point));
  for (const format of ['qcow2', 'vmdk', 'vdi']) await t.test(format, (t) => upload(t, undefined, format));
});

t.test('one that cannot be made is given up: the volume is what it was, and its owner is told', async (t) => {
  const host = await volumeHost(t);
  const { service, context, world } = host;
  const { id } = await service.volumes.create(context, { sizeGib: 1 });
  host.images.failNext = new ShoalError('TOO_LARGE', 'there is no room for images');
  const { image } = await service.moves.uploadToImage(context, id, { imageName: 'of-volume' });
  await host.until('it has failed', () => host.volume(id)?.status === 'available' && host.isAtRest);
  t.equal(imageTable.must(world.state.local, image.id).record.status, ImageStatus.IMAGE_STATUS_KILLED);
  t.match(service.messages.list(context, world.state.local)[0]?.userMessage, /copy volume to image/);
});
