/** The bytes of a new volume: empty, above an image, of another volume, or those that lie there already. */
import type { DiskOrigin, Progress, StorageDriver } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ImageSha256, VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import { gibBytes } from '../../../../base/units.ts';
import { imageTable, volumeSnapshotTable, volumeTable } from '../../../../state/tables/index.ts';
import { noteStorageImage } from '../../../images/storage-images.ts';
import { forgetSource, keepSource } from './kept-source.ts';
import { poolOf, type VolumeTools } from './tools.ts';
import { diskEncryption, volumeSpec } from './volume-spec.ts';

const failpointCreateImageReady = failpoint(
  'volume-create.image-ready',
  'an image is on the storage, for a new volume',
);
const failpointCreateSourceKept = failpoint(
  'volume-create.source-kept',
  'a volume is kept at an instant, to be copied',
);
const failpointCreateCopied = failpoint(
  'volume-create.copied',
  'a volume is copied, and what was kept for it is there',
);

/** Makes them; safe to do twice. Returns their size in GiB, rounded up. */
export async function makeVolume(volume: shoal.v1.Volume, tools: VolumeTools, progress: Progress): Promise<number> {
  const storage = poolOf(volume, tools);
  if (volume.managedName !== '') return adopt(volume, storage, tools);
  if (volume.sourceSnapshotId !== '') await copySnapshot(volume, storage, tools, progress);
  else if (volume.sourceVolumeId !== '') await copyVolume(volume, storage, tools, progress);
  else if (volume.imageId !== '') await aboveImage(volume, storage, tools);
  else await storage.ensureDisk(volumeSpec(volume, tools), tools.signal);
  return volume.sizeGib;
}

/** Gives bytes to an empty volume of which nobody has needed them before, and tells the record. */
export async function makeUnlessMade(volume: shoal.v1.Volume, tools: VolumeTools): Promise<void> {
  if (volume.madeGib === 0) await tools.volumeReports.made(volume, await makeVolume(volume, tools, () => {}));
}

async function adopt(volume: shoal.v1.Volume, storage: StorageDriver, tools: VolumeTools): Promise<number> {
  const volumeId = volume.id as VolumeId;
  await storage.adoptDisk(volume.managedName, volumeId, tools.signal);
  const disk = await storage.findDisk(volumeId, tools.signal);
  if (disk === undefined) throw new ShoalError('CANNOT_TELL', `volume ${volumeId} was adopted and is not found`);
  return Math.ceil(disk.sizeBytes / gibBytes);
}

async function aboveImage(volume: shoal.v1.Volume, storage: StorageDriver, tools: VolumeTools): Promise<void> {
  const { signal } = tools;
  const image = imageTable.get(tools.reader, volume.imageId)?.record;
  if (image === undefined) {
    // Made before the image was deleted, or not at all.
    if ((await storage.findDisk(volume.id as VolumeId, signal)) !== undefined) return;
    throw new ShoalError('NOT_FOUND', `image ${volume.imageId} was deleted before a volume was made of it`);
  }
  await ensureImageFor(image, { pool: volume.pool, storage }, tools);
  failpointCreateImageReady();
  await storage.ensureDisk({ ...volumeSpec(volume, tools), imageSha256: image.sha256 as ImageSha256 }, signal);
}

/** The image's content is on the storage, for disks above it. */
export async function ensureImageFor(
  image: shoal.v1.Image,
  { pool, storage }: { readonly pool: string; readonly storage: StorageDriver },
  { store, imageFile, signal }: Pick<VolumeTools, 'store' | 'imageFile' | 'signal'>,
): Promise<void> {
  if (await storage.hasImage(image.sha256 as ImageSha256, signal)) return;
  const file = await imageFile(image, signal);
  // Noted before it is made: what is not noted is never removed.
  await noteStorageImage(store, pool, file.sha256);
  await storage.ensureImage(file, signal);
}

async function copySnapshot(
  volume: shoal.v1.Volume,
  storage: StorageDriver,
  tools: VolumeTools,
  progress: Progress,
): Promise<void> {
  const snapshot = volumeSnapshotTable.get(tools.reader, volume.sourceSnapshotId)?.record;
  if (snapshot === undefined) return mustBeThere(volume, storage, tools, `snapshot ${volume.sourceSnapshotId}`);
  const source = volumeTable.must(tools.reader, snapshot.volumeId).record;
  const snapshotId = snapshot.id as VolumeSnapshotId;
  await storage.copyDisk(origin(source, snapshotId, tools), volumeSpec(volume, tools), progress, tools.signal);
}

/** What is copied is the source as it is kept for the new volume: it goes on meanwhile. */
async function copyVolume(
  volume: shoal.v1.Volume,
  storage: StorageDriver,
  tools: VolumeTools,
  progress: Progress,
): Promise<void> {
  const { signal } = tools;
  const source = volumeTable.get(tools.reader, volume.sourceVolumeId)?.record;
  if (source === undefined) return mustBeThere(volume, storage, tools, `volume ${volume.sourceVolumeId}`);
  const snapshotId = volume.id as VolumeSnapshotId;
  if ((await storage.findDisk(volume.id as VolumeId, signal)) === undefined) {
    await keepSource(source, volume.id, tools);
    failpointCreateSourceKept();
  }
  await storage.copyDisk(origin(source, snapshotId, tools), volumeSpec(volume, tools), progress, signal);
  failpointCreateCopied();
  await forgetSource(source, volume.id, tools);
}

/** Removes what was kept of the source for this copy. Absent is success. */
export async function forgetCopySource(volume: shoal.v1.Volume, tools: VolumeTools): Promise<void> {
  const source = volumeTable.get(tools.reader, volume.sourceVolumeId)?.record;
  if (source !== undefined) await forgetSource(source, volume.id, tools);
}

function origin(source: shoal.v1.Volume, snapshotId: VolumeSnapshotId, tools: VolumeTools): DiskOrigin {
  const encryption = diskEncryption(source, tools);
  return { volumeId: source.id as VolumeId, snapshotId, ...(encryption === undefined ? {} : { encryption }) };
}

/** The source is deleted: the copy was made before, or never will be. */
async function mustBeThere(
  volume: shoal.v1.Volume,
  storage: StorageDriver,
  tools: VolumeTools,
  source: string,
): Promise<void> {
  if ((await storage.findDisk(volume.id as VolumeId, tools.signal)) !== undefined) return;
  throw new ShoalError('NOT_FOUND', `${source} was deleted before a volume was made of it`);
}
