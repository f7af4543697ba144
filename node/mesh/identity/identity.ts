import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { loadOrCreateSecretFile } from './secret-file.ts';
import { hostIdOf, signedBytes } from './signature.ts';

/** The host key's file in the agent's data folder. */
export const hostKeyFileName = 'host.key';
/** The TLS key's file beside it. */
export const tlsKeyFileName = 'tls.key';

/**
 * Who this host is: an Ed25519 key pair, drawn once and kept for the life of the host. The host id follows from the
 * public key, and so does the libp2p peer id (libp2p-keys.ts), so that there is one identity and not three.
 */
export class HostIdentity {
  readonly hostId: HostId;
  /** Raw, 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  /** Throws `CONFIG_INVALID` unless `privateKey` is an Ed25519 private key. */
  constructor(privateKey: KeyObject) {
    if (privateKey.asymmetricKeyType !== 'ed25519' || privateKey.type !== 'private') {
      throw new ShoalError('CONFIG_INVALID', 'The host key is not an Ed25519 private key.');
    }
    this.#privateKey = privateKey;
    this.publicKey = rawPublicKey(createPublicKey(privateKey));
    this.hostId = hostIdOf(this.publicKey);
  }

  /** A new identity that nobody has. */
  static create(): HostIdentity {
    return new HostIdentity(generateKeyPairSync('ed25519').privateKey);
  }

  /** From a 32-byte seed: for the simulator and for tests, where the same run must give the same ids. */
  static fromSeed(seed: Uint8Array): HostIdentity {
    // The fixed head of a PKCS #8 Ed25519 key (RFC 8410, section 7); the seed follows it.
    const head = Buffer.from('302e020100300506032b657004220420', 'hex');
    return new HostIdentity(createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' }));
  }

  /** Signature over `content` for `purpose` (signature.ts), 64 bytes. */
  sign(purpose: string, content: Uint8Array): Uint8Array {
    return sign(null, signedBytes(purpose, content), this.#privateKey);
  }

  /** The 32-byte seed, for the one other place that needs it: libp2p's own key. Secret. */
  revealSeed(): Uint8Array {
    const { d } = this.#privateKey.export({ format: 'jwk' });
    if (d === undefined) throw new ShoalError('CONFIG_INVALID', 'The host key cannot be exported.');
    return Buffer.from(d, 'base64url');
  }

  /** PKCS #8, PEM. Secret. */
  revealPem(): string {
    return this.#privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  }

  toString(): string {
    return `host ${this.hostId}`;
  }

  toJSON(): { readonly hostId: HostId } {
    return { hostId: this.hostId };
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** The TLS key pair: P-256, because TLS stacks do that fast everywhere. Bound to the host id by the mesh's certificate. */
export interface TlsKey {
  /** PKCS #8, PEM. Secret. */
  readonly privateKeyPem: string;
  /** SPKI, DER. */
  readonly publicKeySpki: Uint8Array;
}

/** Loads the host's keys from `folder`, drawing those that are not there. The folder must exist and be the agent's own. */
export async function loadOrCreateKeys(
  folder: string,
): Promise<{ readonly identity: HostIdentity; readonly tlsKey: TlsKey }> {
  const hostPem = await loadOrCreateSecretFile(join(folder, hostKeyFileName), () => HostIdentity.create().revealPem());
  const tlsPem = await loadOrCreateSecretFile(join(folder, tlsKeyFileName), () => createTlsKey().privateKeyPem);
  return {
    identity: new HostIdentity(parsePrivateKey(hostPem, hostKeyFileName)),
    tlsKey: tlsKeyOf(parsePrivateKey(tlsPem, tlsKeyFileName)),
  };
}

/** A new TLS key pair. */
export function createTlsKey(): TlsKey {
  return tlsKeyOf(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey);
}

function tlsKeyOf(privateKey: KeyObject): TlsKey {
  if (privateKey.asymmetricKeyType !== 'ec') {
    throw new ShoalError('CONFIG_INVALID', 'The TLS key is not an elliptic-curve key.');
  }
  return {
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKeySpki: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
  };
}

function parsePrivateKey(pem: Buffer, name: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (caught) {
    // The cause may quote what it could not parse, so it is not kept.
    throw new ShoalError('CONFIG_INVALID', `${name} does not hold a private key that can be read.`, {
      facts: { reason: caught instanceof Error && 'code' in caught ? caught.code : 'unknown' },
    });
  }
}

function rawPublicKey(publicKey: KeyObject): Uint8Array {
  const { x } = publicKey.export({ format: 'jwk' });
  if (x === undefined) throw new ShoalError('CONFIG_INVALID', 'The host key has no public half.');
  return Buffer.from(x, 'base64url');
}
