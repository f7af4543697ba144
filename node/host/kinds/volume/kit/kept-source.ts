/** A volume kept at an instant, so that it can be read whole while it goes on: a snapshot that bears the id of what is made of it. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import { whereItIs } from './open-guest.ts';
import { poolOf, type VolumeTools } from './tools.ts';

/** Makes it, open or closed. Done already: success. @param id of the volume, backup or image that is made of it. */
export async function keepSource(volume: shoal.v1.Volume, id: string, tools: VolumeTools): Promise<void> {
  const { compute, signal } = tools;
  const volumeId = volume.id as VolumeId;
  const snapshotId = id as VolumeSnapshotId;
  await whereItIs(volume, tools, {
    open: async (serverId) => {
      await compute.snapshotDisks(serverId, [{ volumeId, snapshotId }], { freeze: true }, signal);
    },
    closed: () => poolOf(volume, tools).createSnapshot(volumeId, snapshotId, signal),
  });
}

/** Removes it. Absent is success. */
export async function forgetSource(volume: shoal.v1.Volume, id: string, tools: VolumeTools): Promise<void> {
  const { compute, signal } = tools;
  const snapshot = { volumeId: volume.id as VolumeId, snapshotId: id as VolumeSnapshotId };
  await whereItIs(volume, tools, {
    open: (serverId) => compute.removeDiskSnapshot(serverId, snapshot, signal),
    closed: () => poolOf(volume, tools).removeSnapshot(snapshot.volumeId, snapshot.snapshotId, signal),
  });
}
