/** The disks of a server on its host: made where they are its own, opened for its guest, and closed again. */
import type { DiskSource, DiskSpec, GuestDisk } from '../../../../../drivers/types.ts';
import type { shoal } from '../../../../../proto/messages.ts';
import { assert } from '../../../../base/assert.ts';
import { failpoint } from '../../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../../base/errors.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { flavorDiskLimits } from '../../../../services/compute/hardware/disk-quota.ts';
import { ownDiskBus } from '../../../../services/compute/hardware/guest-hardware.ts';
import {
  disksOf,
  guestDisksOf,
  heldDisksOf,
  isOwnDisk,
  rescueDiskOf,
} from '../../../../services/volume/kit/disks-of-server.ts';
import { poolOf } from '../../volume/kit/tools.ts';
import { diskGeneration, diskSpec, ensureDiskImage, isReadOnly, volumeLimits } from './disk-specs.ts';
import { servedSource, volumeElsewhere, whyDiskIsNotThere } from './served-volumes.ts';
import type { ServerTools } from './tools.ts';

const failpointStartDiskMade = failpoint('start.disk-made', 'a disk is made and not opened');
const failpointStartDiskOpened = failpoint('start.disk-opened', 'a disk is locked for a guest that does not run');

/** Makes what is the server's own and not there yet, and opens all that are not on their way out. */
export async function openDisks(server: shoal.v1.Server, tools: ServerTools): Promise<readonly GuestDisk[]> {
  const open: GuestDisk[] = [];
  for (const disk of guestDisksOf(server)) if (!disk.detaching) open.push(await openDisk(server, disk, tools));
  return open;
}

/** Makes what is the server's own and not there yet; opens nothing. */
export async function makeDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  for (const disk of disksOf(server)) {
    if (!isOwnDisk(disk)) continue;
    const spec = await diskSpec(server, disk, tools);
    await ensureDiskImage(disk, spec, tools);
    await poolOf(disk, tools).ensureDisk(spec, tools.signal);
  }
}

/** Removes the disks that others have taken the place of. Nobody has them open. */
export async function removeReplacedDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  const current = new Set(disksOf(server).map(({ volumeId }) => volumeId));
  for (const disk of server.replacedDisks) {
    const { volumeId = '', pool = '' } = disk;
    if (current.has(volumeId ?? '')) continue;
    await poolOf({ pool: pool ?? '' }, tools).removeDisk(volumeId as VolumeId, tools.signal);
  }
}

/** Removes the disk that a server in rescue has booted from. Nobody has it open. */
export async function removeRescueDisk(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  const disk = rescueDiskOf(server);
  if (disk !== undefined) await poolOf(disk, tools).removeDisk(disk.volumeId as VolumeId, tools.signal);
}

/** Opens one, locked for this host: at the server's generation if it is its own, else at the volume's. */
export async function openDisk(
  server: shoal.v1.Server,
  disk: shoal.v1.ServerDisk,
  tools: ServerTools,
): Promise<GuestDisk> {
  const spec = await diskSpec(server, disk, tools);
  const source = await openSource(disk, spec, tools);
  failpointStartDiskOpened();
  const { volumeId, encryption, shared } = spec;
  const limits = isOwnDisk(disk) ? flavorDiskLimits(server.flavor?.extraSpecs ?? {}) : volumeLimits(disk, tools);
  return {
    volumeId,
    source,
    ...(disk.bootIndex >= 0 ? { bootIndex: disk.bootIndex } : {}),
    ...busOf(server, disk),
    ...(isReadOnly(disk, tools) ? { readOnly: true } : {}),
    ...(shared === undefined ? {} : { shared }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(limits === undefined ? {} : { limits }),
  };
}

/** The server's own disks are where its image says; that of a rescue and volumes as their own records say. */
function busOf({ imageProperties }: shoal.v1.Server, disk: shoal.v1.ServerDisk): Pick<GuestDisk, 'bus'> {
  const isByImage = isOwnDisk(disk) && disk.kind !== 'rescue';
  const bus = isByImage ? ownDiskBus(imageProperties) : disk.bus;
  return bus === 'scsi' || bus === 'sata' || bus === 'ide' ? { bus } : {};
}

async function openSource(disk: shoal.v1.ServerDisk, spec: DiskSpec, tools: ServerTools): Promise<DiskSource> {
  const elsewhere = volumeElsewhere(disk, tools);
  if (elsewhere !== undefined) return servedSource(elsewhere, disk, tools);
  const why = whyDiskIsNotThere(disk, tools);
  if (why !== undefined) throw new ShoalError('UNAVAILABLE', why, { facts: { volumeId: disk.volumeId } });
  const storage = poolOf(disk, tools);
  if (isOwnDisk(disk)) {
    await ensureDiskImage(disk, spec, tools);
    await storage.ensureDisk(spec, tools.signal);
    failpointStartDiskMade();
  }
  return storage.openDisk(spec, tools.hostId, tools.signal);
}

/** Gives back what this host holds of one. What it does not hold is no error. */
export async function closeDisk(server: shoal.v1.Server, disk: shoal.v1.ServerDisk, tools: ServerTools): Promise<void> {
  await giveBack(disk, diskGeneration(server, disk), tools);
}

/** What is served to this host is not locked by it. */
async function giveBack(disk: shoal.v1.ServerDisk, generation: number, tools: ServerTools): Promise<void> {
  if (volumeElsewhere(disk, tools) !== undefined) return;
  await poolOf(disk, tools).closeDisk(disk.volumeId as VolumeId, tools.hostId, generation, tools.signal);
}

/** Gives back what this host holds of all of them. What it does not hold is no error. */
export async function closeDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  for (const disk of heldDisksOf(server)) await closeDisk(server, disk, tools);
}

/** The same as of when the server was of this generation: each of its moves has put the generation of each disk up by one. */
export async function releaseDisks(server: shoal.v1.Server, generation: number, tools: ServerTools): Promise<void> {
  const moves = server.generation - generation;
  for (const disk of disksOf(server)) await giveBack(disk, diskGeneration(server, disk) - moves, tools);
}

/**
 * Removes those of the server's own that lie on this host's own storage: only for a server that has another host for good. What is
 * on storage that its new host reaches is the server's.
 */
export async function removeKeptDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  assert(server.hostId !== tools.hostId, 'the disks of a server are removed as if it had moved on');
  for (const disk of disksOf(server)) {
    const storage = poolOf(disk, tools);
    if (isOwnDisk(disk) && !storage.capabilities.shared) {
      await storage.removeDisk(disk.volumeId as VolumeId, tools.signal);
    }
  }
}

/**
 * Closes them, and removes those of the server's own with what they hold: only for a server whose deletion is committed.
 * What becomes of volumes is their records' to say.
 */
export async function removeDisks(server: shoal.v1.Server, tools: ServerTools): Promise<void> {
  await closeDisks(server, tools);
  for (const disk of heldDisksOf(server)) {
    if (isOwnDisk(disk)) await poolOf(disk, tools).removeDisk(disk.volumeId as VolumeId, tools.signal);
  }
}
