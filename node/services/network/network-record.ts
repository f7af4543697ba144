import { shoal } from '../../../proto/messages.ts';
import type { Row } from '../../state/table.ts';
import { networkTable } from '../../state/tables/index.ts';
import type { Attempt } from '../kit/transact.ts';

/**
 * Rewrites a network's row unchanged but for its time, so that two changes to what lies within it cannot both commit
 * from the same view.
 */
export function touchNetwork(attempt: Attempt, row: Row<shoal.v1.Network>, nowMs: number): void {
  attempt.change.once(`touch-network/${row.record.id}`, () => {
    networkTable.update(attempt.change, row, new shoal.v1.Network({ ...row.record, updatedMs: nowMs }));
  });
}
