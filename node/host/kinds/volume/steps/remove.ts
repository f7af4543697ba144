import { failpoint } from '../../../../base/buggify/buggify.ts';
import type { VolumeId } from '../../../../base/ids.ts';
import { isStillAsked } from '../kit/still-asked.ts';
import { poolOf } from '../kit/tools.ts';
import type { VolumeStepDefinition } from './definition.ts';

const failpointDeleteBytesGone = failpoint('volume-delete.bytes-gone', 'a volume has no bytes, and a record');

/** A committed deletion: the bytes go, or are let go of under their own name; then the record. */
export const remove: VolumeStepDefinition<'remove'> = {
  mode: 'tears-down',
  words: 'deleting the volume',
  async do(_step, volume, tools) {
    if (!(await isStillAsked(volume, tools))) return;
    const storage = poolOf(volume, tools);
    const volumeId = volume.id as VolumeId;
    if (volume.unmanage) {
      await storage.releaseDisk(volumeId, unmanagedName(volume), tools.signal);
    } else {
      // None is recorded any more: what is left was made for copies and backups of it.
      for (const snapshotId of await storage.listSnapshots(volumeId, tools.signal)) {
        await storage.removeSnapshot(volumeId, snapshotId, tools.signal);
      }
      await storage.removeDisk(volumeId, tools.signal);
    }
    failpointDeleteBytesGone();
    await tools.volumeReports.removed(volume);
  },
};

/** The name that it had before it was managed, else Cinder's for one that never was anything else. */
function unmanagedName({ id, managedName }: { readonly id: string; readonly managedName: string }): string {
  return managedName === '' ? `volume-${id}` : managedName;
}
