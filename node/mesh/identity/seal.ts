/**
 * Secrets at rest in the replicated state: AES-256-GCM under a key derived from the mesh key. A copy of the state, a
 * snapshot or a backup shows nothing without a member's mesh key file.
 *
 * Sealed bytes: format (1 byte, 1) | nonce (12) | ciphertext | tag (16). The label is authenticated and not stored, so a
 * sealed value moved to another record does not open there.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';
import type { MeshKey } from './mesh-key.ts';

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

/** Seals `secret` under `label`, which names what it is and whose ("authority-key/<mesh id>"). */
export function seal(meshKey: MeshKey, label: string, secret: Uint8Array): Uint8Array {
  // Random nonces: one key seals far fewer than the 2^32 values beyond which NIST SP 800-38D asks for another key.
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, meshKey.derive('seal').reveal(), nonce);
  sealing.setAAD(Buffer.from(label, 'utf8'));
  const body = Buffer.concat([sealing.update(secret), sealing.final()]);
  return Buffer.concat([Uint8Array.of(format), nonce, body, sealing.getAuthTag()]);
}

/** Opens what `seal` made. Throws `IDENTITY_MISMATCH`: another mesh key, another label, or bytes that were changed. */
export function unseal(meshKey: MeshKey, label: string, sealed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (bytes.length < 1 + nonceBytes + tagBytes || bytes[0] !== format) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The sealed value has a format that this version cannot open.');
  }
  const opening = createDecipheriv(cipher, meshKey.derive('seal').reveal(), bytes.subarray(1, 1 + nonceBytes), {
    authTagLength: tagBytes,
  });
  opening.setAAD(Buffer.from(label, 'utf8'));
  opening.setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    return Buffer.concat([opening.update(bytes.subarray(1 + nonceBytes, bytes.length - tagBytes)), opening.final()]);
  } catch (caught) {
    throw new ShoalError('IDENTITY_MISMATCH', `The sealed ${label} does not open with this host's mesh key.`, {
      cause: caught,
    });
  }
}
