/** Bytes behind their CRC-32C. LevelDB has checksums too, but does not look at them on every read. */
import { crc32c } from '../base/crc32c.ts';

/** Length of the checksum. Unit: bytes. */
export const sealBytes = 4;

/** Puts the checksum into the first four bytes. `key` is summed too, so that a record found elsewhere is not believed. */
export function seal(record: Uint8Array, key: string): void {
  const sum = crc32c(record.subarray(sealBytes), crc32c(asciiBytes(key)));
  new DataView(record.buffer, record.byteOffset).setUint32(0, sum);
}

/** Whether the checksum holds. */
export function isSealed(record: Uint8Array, key: string): boolean {
  if (record.length < sealBytes) return false;
  const sum = new DataView(record.buffer, record.byteOffset).getUint32(0);
  return crc32c(record.subarray(sealBytes), crc32c(asciiBytes(key))) === sum;
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

function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
