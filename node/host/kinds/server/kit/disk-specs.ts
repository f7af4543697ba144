/** What a server's disks are to be like, as storage is told: its own by flavor and image, volumes by their records. */
import type { DiskLimits, DiskSpec } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { ImageSha256, VolumeId } from '../../../../base/ids.ts';
import { gibBytes, mibBytes } from '../../../../base/units.ts';
import { diskLimits } from '../../../../services/volume/kit/disk-limits.ts';
import { isOwnDisk } from '../../../../services/volume/kit/disks-of-server.ts';
import { imageTable, volumeTable } from '../../../../state/tables/index.ts';
import { noteStorageImage } from '../../../images/storage-images.ts';
import { poolOf } from '../../volume/kit/tools.ts';
import { volumeSpec } from '../../volume/kit/volume-spec.ts';
import type { ServerTools } from './tools.ts';

const contentFormats = ['swap', 'ext4', 'vfat'] as const;

/** What the storage lock of the disk carries while `server` has it open. */
export function diskGeneration(server: shoal.v1.Server, disk: shoal.v1.ServerDisk): number {
  return isOwnDisk(disk) ? server.generation : disk.generation;
}

/**
 * How the disk is opened for the guest. Throws `UNAVAILABLE` for a volume whose host has not made it yet, `NOT_FOUND` for a
 * disk of an image that is gone before the disk was made of it.
 */
export async function diskSpec(
  server: shoal.v1.Server,
  disk: shoal.v1.ServerDisk,
  tools: ServerTools,
): Promise<DiskSpec> {
  return isOwnDisk(disk) ? ownSpec(server, disk, tools) : attachedSpec(disk, tools);
}

/** Has the content that a disk of the server's own is made of ready on its storage. Only a new disk needs it. */
export async function ensureDiskImage(
  disk: shoal.v1.ServerDisk,
  { imageSha256 }: DiskSpec,
  tools: ServerTools,
): Promise<void> {
  const image = imageTable.get(tools.reader, disk.imageId)?.record;
  if (imageSha256 === undefined || image === undefined) return;
  const storage = poolOf(disk, tools);
  if (await storage.hasImage(imageSha256, tools.signal)) return;
  const file = await tools.imageFile(image, tools.signal);
  // Noted before it is made: what is not noted is never removed.
  await noteStorageImage(tools.store, disk.pool, file.sha256);
  await storage.ensureImage(file, tools.signal);
}

async function ownSpec(server: shoal.v1.Server, wanted: shoal.v1.ServerDisk, tools: ServerTools): Promise<DiskSpec> {
  const volumeId = wanted.volumeId as VolumeId;
  const image = imageTable.get(tools.reader, wanted.imageId)?.record;
  // The image may have been deleted since: then the disk that was made of it knows.
  const disk = image === undefined ? await poolOf(wanted, tools).findDisk(volumeId, tools.signal) : undefined;
  if (image === undefined && disk === undefined && wanted.imageId !== '') {
    throw new ShoalError('NOT_FOUND', `image ${wanted.imageId} was deleted before a disk was made of it`);
  }
  const imageSha256 = image === undefined ? disk?.imageSha256 : (image.sha256 as ImageSha256);
  return {
    volumeId,
    sizeBytes: Math.max(ownBytes(server, wanted), image?.virtualSizeBytes ?? 0, disk?.sizeBytes ?? 0),
    generation: server.generation,
    ...(imageSha256 === undefined ? {} : { imageSha256 }),
    ...contentsOf(wanted),
  };
}

/** What a blank disk is made with: a file system, swap space, or nothing. */
function contentsOf({ kind, guestFormat, imageId }: shoal.v1.ServerDisk): Pick<DiskSpec, 'contents'> {
  if (imageId !== '') return {};
  const format = kind === 'swap' ? 'swap' : contentFormats.find((known) => known === guestFormat);
  return format === undefined ? {} : { contents: { format } };
}

/** Bytes that record and flavor give. A flavor without a disk size means the image's own. */
function ownBytes({ flavor }: shoal.v1.Server, { kind, sizeGib, sizeMib }: shoal.v1.ServerDisk): number {
  if (sizeMib > 0) return sizeMib * mibBytes;
  if (sizeGib > 0 || kind !== 'root') return sizeGib * gibBytes;
  return (flavor?.diskGib ?? 0) * gibBytes;
}

/** An attached volume: its host has made it, and only opens it here. */
function attachedSpec(disk: shoal.v1.ServerDisk, tools: ServerTools): DiskSpec {
  const volume = volumeTable.must(tools.reader, disk.volumeId).record;
  if (volume.madeGib === 0 && volume.status === 'error') {
    throw new ShoalError('DRIVER_FAILED', `volume ${volume.id} could not be made`, { facts: { volumeId: volume.id } });
  }
  if (volume.madeGib === 0) {
    throw new ShoalError('UNAVAILABLE', `volume ${volume.id} has not been made yet`, {
      facts: { volumeId: volume.id },
    });
  }
  return {
    ...volumeSpec(volume, tools),
    sizeBytes: volume.madeGib * gibBytes,
    generation: disk.generation,
    ...(disk.multiattach ? { shared: true } : {}),
  };
}

/** Whether its guest may only read the disk. */
export function isReadOnly(disk: shoal.v1.ServerDisk, { reader }: ServerTools): boolean {
  return disk.readOnly || (!isOwnDisk(disk) && volumeTable.must(reader, disk.volumeId).record.readOnly);
}

/** What its guest may do with a volume in a second, by the volume's type; undefined: as much as it can. */
export function volumeLimits(disk: shoal.v1.ServerDisk, { reader }: ServerTools): DiskLimits | undefined {
  return diskLimits(reader, volumeTable.must(reader, disk.volumeId).record);
}
