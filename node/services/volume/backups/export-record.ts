/**
 * A backup's record as text that leaves the cloud, and is imported into this one or another. The text holds the key of the
 * backup's objects itself, since Cinder's request has no passphrase to seal it with, and a key that only this mesh opens would be
 * lost with it. Who has the text and reaches the store reads the content. (Cinder's own text needs no key, for
 * its backups are not encrypted.)
 */
import { createHash } from 'node:crypto';
import { shoal } from '../../../../proto/messages.ts';
import { invalidInput } from '../kit/refusals.ts';
import { withoutKey } from '../records/backup-record.ts';

/** Longest text that is read, characters: a record with all the metadata that it may have takes some 750,000. */
const exportTextCharactersMax = 1_000_000;
const sumBytes = 8;
const keyBytes = 32;
const formatNow = 1;

/** What a text says. */
interface ExportedBackup {
  readonly backup: shoal.v1.VolumeBackup;
  /** Opens its objects. Undefined for a text of an earlier version: the record has it, sealed by the mesh that it is of. */
  readonly key: Uint8Array | undefined;
}

/** The text. @param key opens the backup's objects. */
export function backupText(record: shoal.v1.VolumeBackup, key: Uint8Array): string {
  const backup = new shoal.v1.VolumeBackup({
    ...record,
    sealedKey: new Uint8Array(),
    keyEpoch: 0,
    volumeEncryption: withoutKey(record.volumeEncryption),
  });
  return textOf(shoal.v1.BackupExport.encode({ format: formatNow, backup, key }).finish());
}

/** Throws `INVALID_ARGUMENT` for what is no such text. */
export function backupFromText(text: string): ExportedBackup {
  const wrong = (): Error => invalidInput("Can't parse backup record: it is no text that an export has given.");
  if (text.length > exportTextCharactersMax || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw wrong();
  const all = Buffer.from(text, 'base64');
  const bytes = all.subarray(sumBytes);
  if (bytes.length === 0 || !all.subarray(0, sumBytes).equals(sumOf(bytes))) throw wrong();
  const said = decoded(bytes);
  if (said === undefined) throw wrong();
  const { backup, key } = said;
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(backup.id);
  if (!isId || backup.sizeGib < 1) throw wrong();
  return { backup, key };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.concat([sumOf(bytes), bytes]).toString('base64');
}

/** Undefined: bytes that are no message, or of a later format. */
function decoded(bytes: Uint8Array): ExportedBackup | undefined {
  // A number in field 1; the record itself has text there.
  const isExport = bytes[0] === 0x08;
  try {
    if (!isExport) return { backup: shoal.v1.VolumeBackup.decode(bytes), key: undefined };
    const { format, backup, key } = shoal.v1.BackupExport.decode(bytes);
    if (format !== formatNow || backup === null || key.length !== keyBytes) return undefined;
    return { backup: new shoal.v1.VolumeBackup(backup), key };
  } catch {
    // Whatever is wrong with them.
    return undefined;
  }
}

function sumOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, sumBytes);
}
