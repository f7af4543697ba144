/** Groups as rows: one that is made of another, or of its snapshot, is there when its volumes are. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey } from '../../../state/table.ts';
import { volumeGroupTable, volumeTable } from '../../../state/tables/index.ts';
import type { Attempt } from '../../kit/transact.ts';

/**
 * A volume of a group has been made, or never will be. The last one makes the group available; one that fails makes it `error`.
 * @param volume as it is from now on.
 */
export function noteMemberOfGroup({ reader, change }: Attempt, volume: shoal.v1.Volume, nowMs: number): void {
  const row = volumeGroupTable.get(reader, volume.groupId);
  if (row?.record.status !== 'creating') return;
  const members = volumeTable.by(reader, 'group', indexKey(row.record.id)).map(({ record }) => record);
  const isMade = ({ id, status }: shoal.v1.Volume): boolean => id === volume.id || !isBeingMade(status);
  const status = volume.status.startsWith('error') ? 'error' : members.every(isMade) ? 'available' : 'creating';
  // Written in any case: two volumes may become ready at once, each in a view without the other.
  volumeGroupTable.update(change, row, new shoal.v1.VolumeGroup({ ...row.record, status, updatedMs: nowMs }));
}

/** Whether its host is still to give it its bytes. */
export function isBeingMade(status: string): boolean {
  return status === 'creating' || status === 'downloading';
}
