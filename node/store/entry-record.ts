/** A log entry on disk: checksum (4 bytes), term (8, big endian), type (1), data. Its index is in its key, and summed. */
import { assert } from '../base/assert.ts';
import type { Entry, EntryType } from '../raft/index.ts';
import { entryKey, indexOfEntryKey } from './keys.ts';
import { isSealed, seal, sealBytes } from './sealed-bytes.ts';

const typeNumbers: Readonly<Record<EntryType, number>> = { normal: 0, confChange: 1, confChangeV2: 2 };
const types: readonly EntryType[] = ['normal', 'confChange', 'confChangeV2'];
const headerBytes = sealBytes + 9;

/** What an entry takes on disk, without its key. Unit: bytes. */
export function entryRecordBytes(entry: Entry): number {
  return headerBytes + entry.data.length;
}

export function encodeEntry(generation: number, entry: Entry): { key: string; value: Uint8Array } {
  assert(entry.index > 0 && entry.term > 0, 'an entry without a place in the log is stored');
  const key = entryKey(generation, entry.index);
  const value = new Uint8Array(headerBytes + entry.data.length);
  const view = new DataView(value.buffer);
  view.setUint32(sealBytes, Math.floor(entry.term / 2 ** 32));
  view.setUint32(sealBytes + 4, entry.term % 2 ** 32);
  view.setUint8(sealBytes + 8, typeNumbers[entry.type]);
  value.set(entry.data, headerBytes);
  seal(value, key);
  return { key, value };
}

/** The entry, or undefined when it is not what was written. */
export function decodeEntry(key: string, value: Uint8Array): Entry | undefined {
  if (value.length < headerBytes || !isSealed(value, key)) return undefined;
  const view = new DataView(value.buffer, value.byteOffset);
  const type = types[view.getUint8(sealBytes + 8)];
  if (type === undefined) return undefined;
  return {
    index: indexOfEntryKey(key),
    term: view.getUint32(sealBytes) * 2 ** 32 + view.getUint32(sealBytes + 4),
    type,
    data: value.subarray(headerBytes),
  };
}
