/**
 * Objects of a backup: compressed, then sealed with AES-256-GCM under the backup's key. The nonce comes from key and content,
 * so that a backup that is begun again writes the same objects: the same content under the same key gives the same bytes, and two
 * contents never share a nonce but by a collision of HMAC-SHA-256.
 *
 * Bytes: format (1 byte, 1) | nonce (12) | ciphertext | tag (16). The label is authenticated and not stored.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { ShoalError } from '../../base/errors.ts';

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';
/** The longest object of content of this length, which cannot be made smaller: zlib adds 5 bytes to 16 KiB of it. */
export function objectBytesMax(plainBytes: number): number {
  return plainBytes + Math.ceil(plainBytes / 2_048) + 1_024;
}

const compress = promisify<Uint8Array, { readonly level: number }, Buffer>(deflate);
const expand = promisify<Uint8Array, { readonly maxOutputLength: number }, Buffer>(inflate);

/** @param key 32 bytes. @param label names the backup, and what it is of it. */
export async function sealObject(key: Uint8Array, label: string, plain: Uint8Array): Promise<Buffer> {
  const nonce = createHmac('sha256', key).update(label).update('\0').update(plain).digest().subarray(0, nonceBytes);
  const sealing = createCipheriv(cipher, key, nonce);
  sealing.setAAD(Buffer.from(label, 'utf8'));
  const body = Buffer.concat([sealing.update(await compress(plain, { level: 1 })), sealing.final()]);
  return Buffer.concat([Uint8Array.of(format), nonce, body, sealing.getAuthTag()]);
}

/** Opens what `sealObject` made. Throws `IDENTITY_MISMATCH` for another key or label, or bytes that were changed. */
export async function openObject(
  key: Uint8Array,
  label: string,
  sealed: Uint8Array,
  plainBytesMax: number,
): Promise<Buffer> {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== format) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The object has a format that this version cannot open.');
  }
  const opening = createDecipheriv(cipher, key, bytes.subarray(1, 1 + nonceBytes), { authTagLength: tagBytes });
  opening.setAAD(Buffer.from(label, 'utf8'));
  opening.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    const body = bytes.subarray(1 + nonceBytes, bytes.length - tagBytes);
    const packed = Buffer.concat([opening.update(body), opening.final()]);
    return await expand(packed, { maxOutputLength: plainBytesMax });
  } catch (caught) {
    throw new ShoalError('IDENTITY_MISMATCH', `The object "${label}" of the backup is damaged, or is another's.`, {
      cause: caught,
    });
  }
}
