import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { signCertificate } from './certificate.ts';
import type { MeshKey } from './mesh-key.ts';
import { seal, unseal } from './seal.ts';
import { isHostId } from './signature.ts';

/**
 * Certificates are valid from here on, however recently they were issued: a host whose clock was reset by a power cut
 * must still be able to join the others, and its clock is set by them or by NTP only afterwards. 2020-01-01.
 */
const notBeforeMs = Date.UTC(2020, 0, 1);
/**
 * And never run out (RFC 5280's value for "no end"): a mesh that was forgotten for years must not take itself apart on a
 * date. A host is shut out by removing its record, which every peer checks, not by waiting for a date.
 */
const notAfterMs = Date.UTC(9999, 11, 31, 23, 59, 59);

const meshIdForm = /^[a-z0-9][a-z0-9-]{0,63}$/;
const hostUriForm = /^shoal:\/\/([a-z0-9-]{1,64})\/host\/([0-9a-f]{32})$/;

/** Whether `text` can be a mesh's id: lower-case letters, digits and dashes, 1 to 64 of them. */
export function isMeshId(text: string): boolean {
  return meshIdForm.test(text);
}

/** Who a certificate of a host speaks for. */
export interface CertifiedHost {
  readonly meshId: string;
  readonly hostId: HostId;
}

/**
 * The mesh's own certificate authority. Its certificate is public; its key lies in the state, sealed with the mesh key,
 * so that any member can admit a new one and no member is special.
 */
export class MeshAuthority {
  readonly meshId: string;
  readonly certificatePem: string;
  readonly #privateKey: KeyObject;

  private constructor(meshId: string, certificatePem: string, privateKey: KeyObject) {
    this.meshId = meshId;
    this.certificatePem = certificatePem;
    this.#privateKey = privateKey;
  }

  /** A new authority for a new mesh. */
  static create(meshId: string): MeshAuthority {
    if (!isMeshId(meshId)) throw new ShoalError('INVALID_ARGUMENT', `"${meshId.slice(0, 80)}" is not a mesh id.`);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const certificatePem = signCertificate(
      {
        subjectName: `shoal mesh ${meshId}`,
        issuerName: `shoal mesh ${meshId}`,
        uri: `shoal://${meshId}/authority`,
        subjectPublicKey: spki,
        issuerPublicKey: spki,
        notBeforeMs,
        notAfterMs,
        isAuthority: true,
      },
      privateKey,
    );
    return new MeshAuthority(meshId, certificatePem, privateKey);
  }

  /** The authority as it lies in the state. Throws `IDENTITY_MISMATCH` when key and certificate do not belong together. */
  static open(
    sealed: { readonly meshId: string; readonly certificatePem: string; readonly sealedKey: Uint8Array },
    meshKey: MeshKey,
  ): MeshAuthority {
    const pkcs8 = unseal(meshKey, sealLabel(sealed.meshId), sealed.sealedKey);
    const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
    if (!new X509Certificate(sealed.certificatePem).checkPrivateKey(privateKey)) {
      throw new ShoalError('IDENTITY_MISMATCH', 'The authority key does not belong to the authority certificate.');
    }
    return new MeshAuthority(sealed.meshId, sealed.certificatePem, privateKey);
  }

  /** The private key sealed with the mesh key, as it goes into the state. */
  sealKey(meshKey: MeshKey): Uint8Array {
    return seal(meshKey, sealLabel(this.meshId), this.#privateKey.export({ format: 'der', type: 'pkcs8' }));
  }

  /**
   * A certificate that binds a TLS key to a host id. PEM, the host's certificate alone.
   * Throws `INVALID_ARGUMENT` unless `tlsPublicKeySpki` is a P-256 public key.
   */
  issueHost(hostId: HostId, tlsPublicKeySpki: Uint8Array): string {
    return signCertificate(
      {
        subjectName: hostId,
        issuerName: `shoal mesh ${this.meshId}`,
        uri: hostUri(this.meshId, hostId),
        subjectPublicKey: checkedTlsKey(tlsPublicKeySpki),
        issuerPublicKey: createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' }),
        notBeforeMs,
        notAfterMs,
        isAuthority: false,
      },
      this.#privateKey,
    );
  }
}

/** The identity that a host's certificate carries. */
export function hostUri(meshId: string, hostId: HostId): string {
  return `shoal://${meshId}/host/${hostId}`;
}

/** SHA-256 of a certificate's DER, 32 bytes: what a ticket pins. */
export function certificateFingerprint(certificatePem: string): Uint8Array {
  return createHash('sha256').update(parseCertificate(certificatePem).raw).digest();
}

/**
 * The host that the subject alternative name of a certificate names; undefined when it names none, or more than one
 * thing. `subjectAltName` is as Node prints it. Says nothing about who signed it: that is TLS's or `verifyHost`'s.
 */
export function certifiedHost(subjectAltName: string | undefined): CertifiedHost | undefined {
  if (subjectAltName === undefined || !subjectAltName.startsWith('URI:')) return undefined;
  const parts = hostUriForm.exec(subjectAltName.slice('URI:'.length));
  const meshId = parts?.[1];
  const hostId = parts?.[2];
  return meshId === undefined || hostId === undefined || !isHostId(hostId) ? undefined : { meshId, hostId };
}

/** The host that `certificatePem` belongs to, if `authorityPem` signed it. Throws `IDENTITY_MISMATCH`. */
export function verifyHost(certificatePem: string, authorityPem: string, meshId: string): HostId {
  const certificate = parseCertificate(certificatePem);
  const authority = parseCertificate(authorityPem);
  const host = certifiedHost(certificate.subjectAltName);
  if (!certificate.checkIssued(authority) || !certificate.verify(authority.publicKey) || certificate.ca) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The certificate is not a host certificate of this mesh.');
  }
  if (host === undefined || host.meshId !== meshId) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The certificate names no host of this mesh.', { facts: { meshId } });
  }
  return host.hostId;
}

function parseCertificate(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (caught) {
    throw new ShoalError('IDENTITY_MISMATCH', 'What should be a certificate cannot be read as one.', { cause: caught });
  }
}

function checkedTlsKey(spki: Uint8Array): Uint8Array {
  try {
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') {
      // Written out again, so that nothing but the key gets into the certificate.
      return key.export({ format: 'der', type: 'spki' });
    }
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'The TLS public key cannot be read.', { cause: caught });
  }
  throw new ShoalError('INVALID_ARGUMENT', 'The TLS public key is not a P-256 key.');
}

function sealLabel(meshId: string): string {
  return `authority-key/${meshId}`;
}
