/**
 * Secrets for one host alone, also one that is switched off: sealed to the key in its record (ECIES: X25519, HKDF-SHA256,
 * AES-256-GCM). A host has one key pair, Ed25519, for signing; its X25519 form is computed from it as libsodium and age do
 * (RFC 7748, section 4.1: u = (1 + y) / (1 - y)), so that no second public key has to be published first.
 *
 * Sealed bytes: format (1 byte, 1) | ephemeral public key (32) | nonce (12) | ciphertext | tag (16). The label is
 * authenticated and not stored.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';
import type { HostIdentity } from './identity.ts';
import { publicKeyBytes } from './signature.ts';

const format = 1;
const nonceBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';
/** The prime of Curve25519. */
const p = 2n ** 255n - 19n;

/** Seals `secret` to the holder of a raw Ed25519 public key. Throws `IDENTITY_MISMATCH` when that is no key. */
export function sealToHost(hostPublicKey: Uint8Array, label: string, secret: Uint8Array): Uint8Array {
  const recipient = montgomeryOf(hostPublicKey);
  const ephemeral = generateKeyPairSync('x25519');
  const shown = rawX25519(ephemeral.publicKey);
  const key = sharedKey(ephemeral.privateKey, recipient, shown, recipient);
  const nonce = randomBytes(nonceBytes);
  const sealing = createCipheriv(cipher, key, nonce);
  sealing.setAAD(Buffer.from(label, 'utf8'));
  const body = Buffer.concat([sealing.update(secret), sealing.final()]);
  return Buffer.concat([Uint8Array.of(format), shown, nonce, body, sealing.getAuthTag()]);
}

/** Opens what was sealed to this host. Throws `IDENTITY_MISMATCH`: another host's, another label, changed bytes. */
export function openForHost(identity: HostIdentity, label: string, sealed: Uint8Array): Uint8Array {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const headBytes = 1 + publicKeyBytes + nonceBytes;
  if (bytes.length < headBytes + tagBytes || bytes[0] !== format) {
    throw new ShoalError(
      'IDENTITY_MISMATCH',
      'The value sealed to this host has a format that this version cannot open.',
    );
  }
  const shown = bytes.subarray(1, 1 + publicKeyBytes);
  const own = x25519Private(identity.revealSeed());
  try {
    const key = sharedKey(own, shown, shown, rawX25519(createPublicKey(own)));
    const opening = createDecipheriv(cipher, key, bytes.subarray(1 + publicKeyBytes, headBytes), {
      authTagLength: tagBytes,
    });
    opening.setAAD(Buffer.from(label, 'utf8'));
    opening.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    return Buffer.concat([opening.update(bytes.subarray(headBytes, bytes.length - tagBytes)), opening.final()]);
  } catch (caught) {
    throw new ShoalError('IDENTITY_MISMATCH', `The sealed ${label} does not open with this host's key.`, {
      cause: caught,
    });
  }
}

/** Both public keys go into the derivation: a key serves one sealing to one recipient. */
function sharedKey(own: KeyObject, other: Uint8Array, shown: Uint8Array, recipient: Uint8Array): Uint8Array {
  const shared = diffieHellman({ privateKey: own, publicKey: x25519Public(other) });
  const salt = Buffer.concat([shown, recipient]);
  return new Uint8Array(hkdfSync('sha256', shared, salt, 'shoal/host-box/v1', 32));
}

function x25519Public(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
}

/** The scalar of an Ed25519 seed (RFC 8032, section 5.1.5); X25519 clamps it itself. */
function x25519Private(seed: Uint8Array): KeyObject {
  // The fixed head of a PKCS #8 X25519 key (RFC 8410, section 7); the scalar follows it.
  const head = Buffer.from('302e020100300506032b656e04220420', 'hex');
  const scalar = hash('sha512', seed, 'buffer').subarray(0, 32);
  return createPrivateKey({ key: Buffer.concat([head, scalar]), format: 'der', type: 'pkcs8' });
}

function rawX25519(key: KeyObject): Buffer {
  const { x } = key.export({ format: 'jwk' });
  if (x === undefined) throw new ShoalError('IDENTITY_MISMATCH', 'An X25519 key has no public half.');
  return Buffer.from(x, 'base64url');
}

/** The X25519 public key of a raw Ed25519 public key. */
function montgomeryOf(edwards: Uint8Array): Buffer {
  if (edwards.length !== publicKeyBytes) throw noKey();
  const bytes = Buffer.from(edwards);
  // The top bit is the sign of x, which u does not depend on.
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const y = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  if (y >= p || y === 1n) throw noKey();
  const u = ((1n + y) * inverse((p + 1n - y) % p)) % p;
  return Buffer.from(u.toString(16).padStart(64, '0'), 'hex').reverse();
}

/** By Fermat: a^(p-2). Of public values only, so its time tells nothing. */
function inverse(a: bigint): bigint {
  let result = 1n;
  let base = a;
  for (let exponent = p - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * base) % p;
    base = (base * base) % p;
  }
  return result;
}

function noKey(): ShoalError {
  return new ShoalError('IDENTITY_MISMATCH', 'The public key of the host is malformed.');
}
