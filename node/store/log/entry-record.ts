/** A log entry on disk: checksum (4 bytes), term (8, big endian), type (1), data. Its index is in its key, and summed. */
import { assert } from '../../base/assert.ts';
import type { Entry, EntryType } from '../../raft/index.ts';
import type { DiskOp } from './disk.ts';
import { entryKey, indexOfEntryKey } from './keys.ts';
import { isSealed, seal, sealBytes } from './sealed-bytes.ts';
import { Slab } from './slab.ts';

const typeNumbers: Readonly<Record<EntryType, number>> = { normal: 0, confChange: 1, confChangeV2: 2 };
const types: readonly EntryType[] = ['normal', 'confChange', 'confChangeV2'];
const headerBytes = sealBytes + 9;

/** What an entry takes on disk, without its key. Unit: bytes. */
export function entryRecordBytes(entry: Entry): number {
  return headerBytes + entry.data.length;
}

/** Adds what stores `entries` to `ops`. Returns their checksums. */
export function encodeEntries(generation: number, entries: readonly Entry[], ops: DiskOp[]): readonly number[] {
  const sums: number[] = [];
  let bytes = 0;
  for (const entry of entries) bytes += entryRecordBytes(entry);
  const slab = new Slab(bytes);
  for (const entry of entries) {
    assert(entry.index > 0 && entry.term > 0, 'an entry without a place in the log is stored');
    const key = entryKey(generation, entry.index);
    const value = slab.take(entryRecordBytes(entry));
    setUint32(value, sealBytes, Math.floor(entry.term / 2 ** 32));
    setUint32(value, sealBytes + 4, entry.term % 2 ** 32);
    value[sealBytes + 8] = typeNumbers[entry.type];
    value.set(entry.data, headerBytes);
    sums.push(seal(value, key));
    ops.push({ key, value });
  }
  return sums;
}

function setUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The entry, or undefined when it is not what was written. */
export function decodeEntry(key: string, value: Uint8Array): Entry | undefined {
  if (value.length < headerBytes || !isSealed(value, key)) return undefined;
  const view = new DataView(value.buffer, value.byteOffset);
  const type = types[view.getUint8(sealBytes + 8)];
  if (type === undefined) return undefined;
  return {
    index: indexOfEntryKey(key),
    term: termOf(view),
    type,
    data: value.subarray(headerBytes),
  };
}

/** Where an entry stands, without a look at its checksum or its data; undefined for what is too short to be one. */
export function entryPlace(
  key: string,
  value: Uint8Array,
): { readonly index: number; readonly term: number } | undefined {
  if (value.length < headerBytes) return undefined;
  return { index: indexOfEntryKey(key), term: termOf(new DataView(value.buffer, value.byteOffset)) };
}

function termOf(record: DataView): number {
  return record.getUint32(sealBytes) * 2 ** 32 + record.getUint32(sealBytes + 4);
}
