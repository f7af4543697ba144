/** Images of the pool that are not Shoal's and may become disks, and disks that become such images. */
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeId } from '../../node/base/ids.ts';
import { checkDiskId, checkUnmanagedName, isUnmanagedName } from '../disk-spec.ts';
import type { UnmanagedDisk } from '../types.ts';
import { exitStatus } from './exit-status.ts';
import { readImages } from './rbd.ts';
import type { RbdImages } from './rbd-images.ts';

/** Disks that are being made are none. */
const ownNames = /^incoming-/;

export async function listUnmanaged(images: RbdImages, signal: AbortSignal): Promise<readonly UnmanagedDisk[]> {
  const listed = readImages(await images.client.rbdJson(['ls', '-l', images.pool], { signal }));
  const withSnapshots = new Set(listed.filter(({ isSnapshot }) => isSnapshot).map(({ image }) => image));
  return listed
    .filter(({ image, isSnapshot }) => !isSnapshot && isUnmanagedName(image) && !ownNames.test(image))
    .map(({ image, sizeBytes }) => ({
      name: image,
      sizeBytes,
      ...(withSnapshots.has(image) ? { unfit: 'it has snapshots that are not known' } : {}),
    }));
}

/** Renames the image. */
export async function adoptDisk(
  images: RbdImages,
  name: string,
  volumeId: VolumeId,
  signal: AbortSignal,
): Promise<void> {
  checkUnmanagedName(name);
  checkDiskId(volumeId);
  const there = await images.find(volumeId, signal);
  if (there !== undefined) {
    if (there.notes.adoptedFrom === name) return;
    throw new ShoalError('CONFLICT', `disk ${volumeId} exists already, and was not '${name}'`);
  }
  if (ownNames.test(name) || (await images.info(images.name(name), signal)) === undefined) {
    throw new ShoalError('NOT_FOUND', `there is no image '${name}' in pool ${images.pool}`);
  }
  if ((await images.snapshots(name, signal)).length > 0) {
    throw new ShoalError('CONFLICT', `the image '${name}' has snapshots that are not known`);
  }
  await images.refuseOpen(name, signal);
  // Noted while it has its old name: a rename that was answered by nobody is known as done.
  await images.note(name, { adoptedFrom: name }, signal);
  await images.client.rbd(['rename', images.name(name), images.name(volumeId)], { signal });
}

/** Renames the disk, made independent of what it was cloned from. */
export async function releaseDisk(
  images: RbdImages,
  volumeId: VolumeId,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  checkUnmanagedName(name);
  checkDiskId(volumeId);
  const disk = await images.find(volumeId, signal);
  const target = await images.info(images.name(name), signal);
  if (disk === undefined) {
    if (target !== undefined) return;
    throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
  }
  if (target !== undefined) throw new ShoalError('CONFLICT', `an image '${name}' is there already`);
  if (disk.notes.luksHeaderBytes !== undefined) {
    throw new ShoalError('CONFLICT', `disk ${volumeId} is encrypted, and its key would go with its record`);
  }
  if ((await images.snapshots(volumeId, signal)).length > 0) {
    throw new ShoalError('CONFLICT', `disk ${volumeId} has snapshots`);
  }
  await images.refuseOpen(volumeId, signal);
  // What is no clone is told as an argument that makes no sense.
  const okStatus = [exitStatus.ok, exitStatus.invalid];
  await images.client.rbd(['flatten', images.name(volumeId), '--no-progress'], { signal, okStatus, isLong: true });
  await images.client.rbd(['rename', images.name(volumeId), images.name(name)], { signal });
}
