/** Snapshots of disks in Ceph, and what lies on them. */
import { ShoalError } from '../../node/base/errors.ts';
import type { VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import { exitStatus } from './exit-status.ts';
import { readChildren } from './rbd.ts';
import type { RbdImages } from './rbd-images.ts';

/** There already: success. Also of a disk that a guest has open. */
export async function createSnapshot(
  images: RbdImages,
  volumeId: VolumeId,
  snapshotId: VolumeSnapshotId,
  signal: AbortSignal,
): Promise<void> {
  const okStatus = [exitStatus.ok, exitStatus.exists, exitStatus.notFound];
  const argv = ['snap', 'create', images.name(volumeId, snapshotId), '--no-progress'];
  const made = await images.client.rbd(argv, { signal, okStatus });
  if (made.status === exitStatus.notFound) throw new ShoalError('NOT_FOUND', `there is no disk ${volumeId}`);
}

/** What was cloned from it lives on it, out of sight, and no longer needs it to be named. */
export async function removeSnapshot(
  images: RbdImages,
  volumeId: VolumeId,
  snapshotId: VolumeSnapshotId,
  signal: AbortSignal,
): Promise<void> {
  const okStatus = [exitStatus.ok, exitStatus.notFound];
  const argv = ['snap', 'rm', images.name(volumeId, snapshotId), '--no-progress'];
  await images.client.rbd(argv, { signal, okStatus, isLong: true });
}

/** Puts the content back, and keeps the size. */
export async function revertDisk(
  images: RbdImages,
  volumeId: VolumeId,
  snapshotId: VolumeSnapshotId,
  signal: AbortSignal,
): Promise<void> {
  const name = images.name(volumeId);
  const { sizeBytes } = await images.mustFind(volumeId, signal);
  await images.refuseOpen(volumeId, signal);
  const okStatus = [exitStatus.ok, exitStatus.notFound];
  const argv = ['snap', 'rollback', images.name(volumeId, snapshotId), '--no-progress'];
  const done = await images.client.rbd(argv, { signal, okStatus, isLong: true });
  if (done.status === exitStatus.notFound) {
    throw new ShoalError('NOT_FOUND', `disk ${volumeId} has no snapshot ${snapshotId}`);
  }
  // The size goes back, too.
  const now = await images.mustFind(volumeId, signal);
  if (now.sizeBytes < sizeBytes) {
    await images.client.rbd(['resize', name, '--size', `${sizeBytes}B`, '--no-progress'], { signal });
  }
}

/** Makes everything independent that was cloned from the disk: the last of them takes the hidden snapshots with it. */
export async function flattenChildren(images: RbdImages, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
  const answer = await images.client.rbdJson(['children', '--all', images.name(volumeId)], { signal });
  for (const child of readChildren(answer)) {
    const okStatus = [exitStatus.ok, exitStatus.notFound];
    await images.client.rbd(['flatten', child, '--no-progress'], { signal, okStatus, isLong: true });
  }
}
