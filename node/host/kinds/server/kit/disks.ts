/** The disks of a server on its host: which it has, how each is made, opened for its guest and closed again. */
import type { DiskSource, DiskSpec, StorageDriver } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ImageSha256, VolumeId } from '../../../../base/ids.ts';
import { gibBytes } from '../../../../base/units.ts';
import { imageTable } from '../../../../state/tables/index.ts';
import { noteStorageImage } from './storage-images.ts';
import type { ServerTools } from './tools.ts';

const failpointStartDiskMade = failpoint('start.disk-made', 'a disk is made and not opened');
const failpointStartDiskOpened = failpoint('start.disk-opened', 'a disk is locked for a guest that does not run');

/** One disk as the record says it. */
interface ServerDisk {
  readonly volumeId: VolumeId;
  /** Name of the storage that it is on. */
  readonly storage: string;
  /** 0 boots first. */
  readonly bootIndex: number;
}

/** A disk that is open for the guest. */
interface OpenDisk {
  readonly volumeId: VolumeId;
  readonly source: DiskSource;
  readonly bootIndex: number;
}

/** All disks of a server, that which boots first being the first. None: it has not been placed yet. */
function disksOf(server: shoal.v1.Server): readonly ServerDisk[] {
  if (server.rootVolumeId === '') return [];
  return [{ volumeId: server.rootVolumeId as VolumeId, storage: server.storage, bootIndex: 0 }];
}

/** Makes what is not there yet, and opens all, locked for this host at the server's generation. */
export async function openDisks(server: shoal.v1.Server, tools: ServerTools): Promise<readonly OpenDisk[]> {
  const open: OpenDisk[] = [];
  for (const disk of disksOf(server)) {
    const storage = storageOf(disk, tools);
    const spec = await diskSpec(server, disk, tools);
    await ensureImage(server, spec, storage, tools);
    await storage.ensureDisk(spec, tools.signal);
    failpointStartDiskMade();
    open.push({
      volumeId: disk.volumeId,
      source: await storage.openDisk(spec, tools.hostId, tools.signal),
      bootIndex: disk.bootIndex,
    });
    failpointStartDiskOpened();
  }
  return open;
}

/** Gives back what this host holds of them at `generation`. What it does not hold is no error. */
export async function closeDisks(server: shoal.v1.Server, generation: number, tools: ServerTools): Promise<void> {
  for (const disk of disksOf(server)) {
    await storageOf(disk, tools).closeDisk(disk.volumeId, tools.hostId, generation, tools.signal);
  }
}

/** Closes them, and removes them with what they hold: only for a server whose deletion is committed. */
export async function removeDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  await closeDisks(server, server.generation, tools);
  for (const disk of disksOf(server)) await storageOf(disk, tools).removeDisk(disk.volumeId, tools.signal);
}

function storageOf({ storage }: ServerDisk, tools: ServerTools): StorageDriver {
  const driver = tools.storage.get(storage);
  if (driver === undefined) {
    throw new ShoalError('DRIVER_FAILED', `this host has no ${storage} storage`, { facts: { storage } });
  }
  return driver;
}

/** A flavor without a disk size means the image's own. */
async function diskSpec(server: shoal.v1.Server, wanted: ServerDisk, tools: ServerTools): Promise<DiskSpec> {
  const { volumeId } = wanted;
  const flavorBytes = (server.flavor?.diskGib ?? 0) * gibBytes;
  const image = imageTable.get(tools.reader, server.imageId)?.record;
  const imageBytes = image?.virtualSizeBytes ?? 0;
  // The image may have been deleted since: then the disk that was made of it knows.
  const disk = image === undefined ? await storageOf(wanted, tools).findDisk(volumeId, tools.signal) : undefined;
  if (image === undefined && disk === undefined && server.imageId !== '') {
    throw new ShoalError('NOT_FOUND', `image ${server.imageId} was deleted before a disk was made of it`);
  }
  const imageSha256 = image === undefined ? disk?.imageSha256 : (image.sha256 as ImageSha256);
  return {
    volumeId,
    sizeBytes: Math.max(flavorBytes, imageBytes, disk?.sizeBytes ?? 0),
    generation: server.generation,
    ...(imageSha256 === undefined ? {} : { imageSha256 }),
  };
}

/** A disk made earlier has its own copy of what it needs; only a new one needs the image. */
async function ensureImage(
  server: shoal.v1.Server,
  { imageSha256 }: DiskSpec,
  storage: StorageDriver,
  tools: ServerTools,
): Promise<void> {
  const image = imageTable.get(tools.reader, server.imageId)?.record;
  if (imageSha256 === undefined || image === undefined || (await storage.hasImage(imageSha256, tools.signal))) return;
  const file = await tools.imageFile(image, tools.signal);
  // Noted before it is made: what is not noted is never removed.
  await noteStorageImage(tools.store, server.storage, file.sha256);
  await storage.ensureImage(file, tools.signal);
}
