/** Backups as rows. */
import { shoal } from '../../../../proto/messages.ts';
import type { Row } from '../../../state/table.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner } from '../../kit/permissions.ts';
import type { Change } from '../../kit/transact.ts';
import { notFound } from '../kit/refusals.ts';

type Backup = shoal.v1.VolumeBackup;

/** A backup that a request names beside what it is about. Throws `NOT_FOUND`. */
export function findBackup(context: RequestContext, reader: StateReader, id: string): Row<Backup> {
  const row = volumeBackupTable.get(reader, id);
  if (row === undefined || !isOwner(context, row.record)) throw notFound('backup', id);
  return row;
}

/** Writes the record with other fields. Returns it as it is now. */
export function writeBackup(
  change: Change,
  row: Row<Backup>,
  fields: Partial<shoal.v1.VolumeBackup.$Properties>,
  nowMs: number,
): Backup {
  const next = new shoal.v1.VolumeBackup({ ...row.record, ...fields, updatedMs: nowMs });
  volumeBackupTable.update(change, row, next);
  return next;
}
