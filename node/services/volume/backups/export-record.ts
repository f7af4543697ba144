/** A backup's record as text that leaves the cloud: base64 of its encoding, with a sum that shows a text cut short. */
import { createHash } from 'node:crypto';
import { shoal } from '../../../../proto/messages.ts';
import { invalidInput } from '../kit/refusals.ts';

/** Longest text that is read, characters. */
const textCharactersMax = 65_536;
const sumBytes = 8;

/** The text. */
export function backupText(backup: shoal.v1.VolumeBackup): string {
  const bytes = shoal.v1.VolumeBackup.encode(backup).finish();
  return Buffer.concat([sumOf(bytes), bytes]).toString('base64');
}

/** Throws `INVALID_ARGUMENT` for what is no such text. */
export function backupFromText(text: string): shoal.v1.VolumeBackup {
  const wrong = (): Error => invalidInput("Can't parse backup record: it is no text that an export has given.");
  if (text.length > textCharactersMax || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw wrong();
  const all = Buffer.from(text, 'base64');
  const bytes = all.subarray(sumBytes);
  if (bytes.length === 0 || !all.subarray(0, sumBytes).equals(sumOf(bytes))) throw wrong();
  const backup = decoded(bytes);
  const isId = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(backup?.id ?? '');
  if (backup === undefined || !isId || backup.sizeGib < 1) throw wrong();
  return backup;
}

function decoded(bytes: Uint8Array): shoal.v1.VolumeBackup | undefined {
  try {
    return shoal.v1.VolumeBackup.decode(bytes);
  } catch {
    // Bytes that are no message, whatever is wrong with them.
    return undefined;
  }
}

function sumOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest().subarray(0, sumBytes);
}
