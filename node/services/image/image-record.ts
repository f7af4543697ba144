/** Images as rows: how one goes with all that belongs to it. */
import { shoal } from '../../../proto/messages.ts';
import type { Row } from '../../state/table.ts';
import { deletedImageTable, imageTable } from '../../state/tables/index.ts';
import { refundQuota } from '../kit/quota.ts';
import type { Change } from '../kit/transact.ts';
import { chargesOf } from './charges.ts';

/** Removes an image's record; its id is never given out again. Hosts take its content away once no record names it. */
export function removeImageRow(change: Change, row: Row<shoal.v1.Image>, nowMs: number): void {
  refundQuota(change, row.record.projectId, chargesOf(row.record));
  imageTable.remove(change, row);
  deletedImageTable.insert(change, new shoal.v1.DeletedImage({ id: row.record.id, deletedMs: nowMs }));
}
