/**
 * Ed25519 over node:crypto, with key objects kept: importing a key costs several times what verifying with it does
 * (libp2p's own signing, which imports each time, takes 159/201 us to sign/verify against 71/130 us here).
 */
import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto';
import type { HostId } from '../../base/ids.ts';

/** Length of a raw Ed25519 public key, bytes. */
export const publicKeyBytes = 32;
/** Length of an Ed25519 signature, bytes. */
const signatureBytes = 64;
/**
 * Key objects kept. Hosts of the largest mesh foreseen for one cell, with room; about 1 KiB each. Beyond it the oldest
 * goes, so that a flood of made-up keys costs a bounded amount of memory.
 */
const keysMax = 8192;

const keyObjects = new Map<string, KeyObject>();

/** The identity that belongs to a raw Ed25519 public key: the first 32 hex digits of its SHA-256. */
export function hostIdOf(publicKey: Uint8Array): HostId {
  return hash('sha256', publicKey, 'hex').slice(0, 32) as HostId;
}

/** Whether `text` has the form of a host id. */
export function isHostId(text: string): text is HostId {
  return /^[0-9a-f]{32}$/.test(text);
}

/**
 * What is signed: a purpose and the content. The purpose keeps a signature made for one kind of message from being
 * shown as another kind.
 */
export function signedBytes(purpose: string, content: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`shoal/${purpose}\0`, 'latin1'), content]);
}

/** Whether `signature` was made over `content` for `purpose` by the holder of `publicKey`. Malformed input is just false. */
export function verifySignature(
  publicKey: Uint8Array,
  purpose: string,
  content: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false;
  const key = keyObjectOf(publicKey);
  return key !== undefined && verify(null, signedBytes(purpose, content), key, signature);
}

function keyObjectOf(publicKey: Uint8Array): KeyObject | undefined {
  const x = Buffer.from(publicKey.buffer, publicKey.byteOffset, publicKey.byteLength).toString('base64url');
  const known = keyObjects.get(x);
  if (known !== undefined) return known;
  let made: KeyObject;
  try {
    made = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  } catch {
    return undefined; // Not a point on the curve: nothing verifies against it.
  }
  if (keyObjects.size >= keysMax) {
    const oldest = keyObjects.keys().next();
    if (!oldest.done) keyObjects.delete(oldest.value);
  }
  keyObjects.set(x, made);
  return made;
}
