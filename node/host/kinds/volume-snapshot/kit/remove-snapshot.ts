/** A snapshot goes from where it is: from the disk that a guest has open, or from the storage. */
import type { shoal } from '../../../../../proto/messages.ts';
import type { VolumeId, VolumeSnapshotId } from '../../../../base/ids.ts';
import { volumeTable } from '../../../../state/tables/index.ts';
import { whereItIs } from '../../volume/kit/open-guest.ts';
import { poolOf, type VolumeTools } from '../../volume/kit/tools.ts';

/** Removes it. Absent is success. Throws as `whereItIs`. */
export async function removeSnapshot(snapshot: shoal.v1.VolumeSnapshot, tools: VolumeTools): Promise<void> {
  const { compute, reader, signal } = tools;
  const volumeId = snapshot.volumeId as VolumeId;
  const snapshotId = snapshot.id as VolumeSnapshotId;
  const volume = volumeTable.get(reader, volumeId)?.record ?? { id: volumeId, attachments: [] };
  await whereItIs(volume, tools, {
    open: (serverId) => compute.removeDiskSnapshot(serverId, { volumeId, snapshotId }, signal),
    closed: () => poolOf(snapshot, tools).removeSnapshot(volumeId, snapshotId, signal),
  });
}
