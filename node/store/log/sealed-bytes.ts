/** Bytes behind their CRC-32C. LevelDB has checksums too, but does not look at them on every read. */
import { crc32c, crc32cOfAscii } from '../../base/crc32c.ts';

/** Length of the checksum. Unit: bytes. */
export const sealBytes = 4;

/**
 * Puts the checksum into the first four bytes, and returns it. `key` is summed too, so that a record found elsewhere is not
 * believed.
 */
export function seal(record: Uint8Array, key: string): number {
  const sum = sumOf(record, key);
  record[0] = sum >>> 24;
  record[1] = sum >>> 16;
  record[2] = sum >>> 8;
  record[3] = sum;
  return sum;
}

/** The checksum that a sealed record carries. */
export function sealOf(record: Uint8Array): number {
  return new DataView(record.buffer, record.byteOffset).getUint32(0);
}

/** Whether the checksum holds. */
export function isSealed(record: Uint8Array, key: string): boolean {
  if (record.length < sealBytes) return false;
  return sealOf(record) === sumOf(record, key);
}

/** Copies `content` behind a checksum. */
export function sealed(content: Uint8Array, key: string): Uint8Array {
  const record = new Uint8Array(sealBytes + content.length);
  record.set(content, sealBytes);
  seal(record, key);
  return record;
}

/** The content of a sealed record, or undefined when the checksum does not hold. */
export function unsealed(record: Uint8Array, key: string): Uint8Array | undefined {
  return isSealed(record, key) ? record.subarray(sealBytes) : undefined;
}

function sumOf(record: Uint8Array, key: string): number {
  return crc32c(record, crc32cOfAscii(key), sealBytes);
}
