/** Where backups are kept: outside of every storage that has volumes. */
import { ShoalError } from '../../node/base/errors.ts';

/**
 * Objects by key. Keys are chosen by content, so an object is written once and never changed. Rules as for drivers: each call is
 * safe to do again, absence is an answer only of a store that was asked, and every call has a bound of its own.
 */
export interface BackupStore {
  /** As records name it: `file:///...`, `s3://...`. Without secrets. */
  readonly url: string;
  /** Durable when it resolves. There already: nothing changes. */
  put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  has(key: string, signal: AbortSignal): Promise<boolean>;
  /** Throws `NOT_FOUND`; `TOO_LARGE` for an object of more than `bytesMax`. */
  get(key: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array>;
  /** All keys that begin with `prefix`, which ends with a slash, in no order. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<string>;
  /** Absent is success. */
  remove(key: string, signal: AbortSignal): Promise<void>;
}

const partPattern = /^[a-z0-9][a-z0-9-]{0,99}$/;

/** Refuses a key that is not one to four plain parts: it becomes a path. Throws `INVALID_ARGUMENT`. */
export function checkBackupKey(key: string): void {
  const parts = key.split('/');
  if (parts.length <= 4 && parts.every((part) => partPattern.test(part))) return;
  throw new ShoalError('INVALID_ARGUMENT', `"${key}" is no key of a backup's object`);
}

/** The same for the beginning of keys. */
export function checkBackupPrefix(prefix: string): void {
  if (!prefix.endsWith('/')) {
    throw new ShoalError('INVALID_ARGUMENT', `"${prefix}" is no beginning of keys of a backup's objects`);
  }
  checkBackupKey(prefix.slice(0, -1));
}
