/** Group snapshots as rows: one is what its snapshots are. */
import { shoal } from '../../../../proto/messages.ts';
import { indexKey, type Row } from '../../../state/table.ts';
import { volumeGroupSnapshotTable, volumeSnapshotTable } from '../../../state/tables/index.ts';
import type { Attempt } from '../../kit/transact.ts';

type GroupSnapshot = shoal.v1.VolumeGroupSnapshot;

/** What has come to its end of a group snapshot's snapshots. */
interface SnapshotsEnd {
  /** Ids of them: the view does not show it yet. */
  readonly done: ReadonlySet<string>;
  readonly end: 'available' | 'error' | 'gone';
  readonly nowMs: number;
}

/** Writes the group snapshot's own status when the last of its snapshots has come to its end; it goes with the last one. */
export function endGroupSnapshot(
  { reader, change }: Attempt,
  row: Row<GroupSnapshot>,
  { done, end, nowMs }: SnapshotsEnd,
): void {
  const others = volumeSnapshotTable
    .by(reader, 'group-snapshot', indexKey(row.record.id))
    .filter(({ record }) => !done.has(record.id));
  if (end === 'gone' && others.length === 0) {
    volumeGroupSnapshotTable.remove(change, row);
    return;
  }
  // Always written, so that two reports at once do not each miss the other.
  const status =
    end === 'error'
      ? 'error'
      : statusOf(
          row.record.status,
          others.map(({ record }) => record.status),
          end,
        );
  volumeGroupSnapshotTable.update(
    change,
    row,
    new shoal.v1.VolumeGroupSnapshot({ ...row.record, status, updatedMs: nowMs }),
  );
}

function statusOf(before: string, others: readonly string[], end: 'available' | 'gone'): string {
  if (end === 'gone' || before !== 'creating') return before;
  return others.every((status) => status === 'available') ? 'available' : before;
}
