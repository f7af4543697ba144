/** Snapshots as rows. */
import { shoal } from '../../../../proto/messages.ts';
import type { Row } from '../../../state/table.ts';
import { volumeSnapshotTable } from '../../../state/tables/index.ts';
import type { Change } from '../../kit/transact.ts';
import { amountsOfSnapshot, refund } from '../kit/charges.ts';

type Snapshot = shoal.v1.VolumeSnapshot;

/** Writes the record with other fields. Returns it as it is now. */
export function writeSnapshot(
  change: Change,
  row: Row<Snapshot>,
  fields: Partial<shoal.v1.VolumeSnapshot.$Properties>,
  nowMs: number,
): Snapshot {
  const next = new shoal.v1.VolumeSnapshot({ ...row.record, ...fields, updatedMs: nowMs });
  volumeSnapshotTable.update(change, row, next);
  return next;
}

/** Asks the host to remove it; one that no host has anything of goes at once. The caller has checked that it may. */
export function deleteSnapshot(change: Change, row: Row<Snapshot>, nowMs: number): void {
  const { hostId, status, askedRevision } = row.record;
  if (hostId === '') removeSnapshotRow(change, row);
  else if (status !== 'deleting') {
    writeSnapshot(change, row, { status: 'deleting', askedRevision: askedRevision + 1 }, nowMs);
  }
}

/** Removes a snapshot and gives its quota back. */
export function removeSnapshotRow(change: Change, row: Row<Snapshot>): void {
  const { projectId, sizeGib, typeId } = row.record;
  refund(change, projectId, amountsOfSnapshot(sizeGib, typeId));
  volumeSnapshotTable.remove(change, row);
}
