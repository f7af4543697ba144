/** Backups as rows. */
import { shoal } from '../../../../proto/messages.ts';
import type { Row } from '../../../state/table.ts';
import { volumeBackupTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { RequestContext } from '../../kit/context.ts';
import { isOwner } from '../../kit/permissions.ts';
import type { Amounts } from '../../kit/quota.ts';
import type { Change } from '../../kit/transact.ts';
import { refund } from '../kit/charges.ts';
import { notFound } from '../kit/refusals.ts';

type Backup = shoal.v1.VolumeBackup;

/** Of a backup: as in Cinder its volume's size, whatever its objects take. */
export function amountsOfBackup({ sizeGib }: Pick<Backup, 'sizeGib'>): Amounts {
  return { backups: 1, backup_gigabytes: sizeGib };
}

/** How the volume of a backup is encrypted, without its key: that goes with the volume, and what is restored has one of its own. */
export function withoutKey(encryption: Backup['volumeEncryption']): shoal.v1.VolumeEncryption | null {
  if (encryption === null || encryption === undefined) return null;
  return new shoal.v1.VolumeEncryption({ ...encryption, sealedKey: new Uint8Array(), keyEpoch: 0 });
}

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

/** Removes a backup with its place in the chain of those that it adds to, and gives its quota back. */
export function removeBackupRow(change: Change, reader: StateReader, row: Row<Backup>, nowMs: number): void {
  const parent = volumeBackupTable.get(reader, row.record.parentId);
  if (parent !== undefined) {
    writeBackup(change, parent, { children: Math.max(0, parent.record.children - 1) }, nowMs);
  }
  refund(change, row.record.projectId, amountsOfBackup(row.record));
  volumeBackupTable.remove(change, row);
}
