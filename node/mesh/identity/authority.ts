import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from 'node:crypto';
import { systemClock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { type CertificateContent, signCertificate } from './certificate.ts';
import type { MeshKey } from './mesh-key.ts';
import { seal, unseal } from './seal.ts';
import { isHostId } from './signature.ts';

const dayMs = 86_400_000;
/**
 * Certificates between agents are valid from here on, however recently they were issued: a host whose clock was reset by a
 * power cut must still be able to join the others, and its clock is set by them or by NTP only afterwards. 2020-01-01.
 */
const notBeforeMs = Date.UTC(2020, 0, 1);
/**
 * Life of the authority's certificate, ms: 20 years. It is renewed with the same key after ten (`renewed`), so a
 * client that keeps a copy (users as `cacert`) has ten more to fetch the new one, and both verify all hosts in between.
 */
export const authorityLifeMs = 20 * 365 * dayMs;
/**
 * Life of a host's certificate for its peers, ms: a week. Its own agent renews it when about half of that is left
 * (`hostLeftMs`), out of what it holds of the state and so also without quorum; one that was off for longer renews it when it
 * starts. What refuses a removed host at once is the removal of its record, which every peer checks.
 */
export const hostLifeMs = 7 * dayMs;
/** The least and the most that is left of a host's certificate when it is renewed, ms: hosts that joined together renew apart. */
export const hostLeftMsMin = 3 * dayMs;
const hostLeftMsMax = 4 * dayMs;
/** Life of a certificate for the API, ms: as public authorities have it, and below the 825 days that some clients bear. */
export const apiLifeMs = 90 * dayMs;
/** Clients' clocks may be so far behind, ms. */
const clientSkewMs = dayMs;
/** Certificates that end later than this are of the time when they had no end, and are due at once. */
const endlessMs = Date.UTC(9000, 0, 1);

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
  static create(meshId: string, nowMs: number = systemClock.nowMs()): MeshAuthority {
    if (!isMeshId(meshId)) throw new ShoalError('INVALID_ARGUMENT', `"${meshId.slice(0, 80)}" is not a mesh id.`);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return new MeshAuthority(meshId, selfSigned(meshId, privateKey, nowMs), privateKey);
  }

  /** The same authority with a certificate that begins its life now: same name, same key. */
  renewed(nowMs: number): MeshAuthority {
    return new MeshAuthority(this.meshId, selfSigned(this.meshId, this.#privateKey, nowMs), this.#privateKey);
  }

  /** Whether its certificate has less than half its life left. */
  isDue(nowMs: number): boolean {
    return isDue(this.certificatePem, nowMs, authorityLifeMs / 2);
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
   * Another authority's key signed by this one, under the name that both have (RFC 5280, section 3.2: a self-issued certificate):
   * who trusts this authority verifies by it what the other signs. PEM.
   */
  crossSign(next: MeshAuthority): string {
    return signCertificate(
      {
        subjectName: authorityName(this.meshId),
        issuerName: authorityName(this.meshId),
        alternativeNames: { uris: [`shoal://${this.meshId}/authority`] },
        subjectPublicKey: createPublicKey(next.#privateKey).export({ format: 'der', type: 'spki' }),
        issuerPublicKey: createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' }),
        notBeforeMs,
        notAfterMs: parseCertificate(this.certificatePem).validToDate.getTime(),
        use: 'authority',
      },
      this.#privateKey,
    );
  }

  /**
   * A certificate that binds a TLS key to a host id, for a week. PEM, the host's certificate alone.
   * Throws `INVALID_ARGUMENT` unless `tlsPublicKeySpki` is a P-256 public key.
   */
  issueHost(hostId: HostId, tlsPublicKeySpki: Uint8Array, nowMs: number = systemClock.nowMs()): string {
    return this.#issue(hostId, tlsPublicKeySpki, {
      alternativeNames: { uris: [hostUri(this.meshId, hostId)] },
      notBeforeMs,
      notAfterMs: nowMs + hostLifeMs,
      use: 'peer',
    });
  }

  /**
   * A certificate for the API of a host under the names and addresses by which clients reach it, for 90 days. It names no
   * host of the mesh, so nobody can pass for a peer with it. PEM, alone. Throws as `issueHost`.
   */
  issueApi(name: string, tlsPublicKeySpki: Uint8Array, names: ApiNames, nowMs: number): string {
    return this.#issue(name, tlsPublicKeySpki, {
      alternativeNames: names,
      notBeforeMs: nowMs - clientSkewMs,
      notAfterMs: nowMs + apiLifeMs,
      use: 'server',
    });
  }

  #issue(
    subjectName: string,
    tlsPublicKeySpki: Uint8Array,
    content: Pick<CertificateContent, 'alternativeNames' | 'notBeforeMs' | 'notAfterMs' | 'use'>,
  ): string {
    return signCertificate(
      {
        ...content,
        subjectName,
        issuerName: authorityName(this.meshId),
        subjectPublicKey: checkedTlsKey(tlsPublicKeySpki),
        issuerPublicKey: createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' }),
      },
      this.#privateKey,
    );
  }
}

/**
 * With how much of its life left a host renews its certificate, ms: for each host another time, and always the same. Since it is
 * three days at least, a clock that is wrong by a day or two, on either side of a connection, shows nobody an ended certificate.
 */
export function hostLeftMs(hostId: HostId): number {
  const share = Number.parseInt(hostId.slice(0, 8), 16) / 2 ** 32;
  return hostLeftMsMin + share * (hostLeftMsMax - hostLeftMsMin);
}

/** By what clients reach an API: DNS names and addresses, one at least. */
export interface ApiNames {
  readonly dnsNames: readonly string[];
  readonly addresses: readonly string[];
}

/** Whether a certificate ends within `leftMs`, is not valid yet, or never ends. */
export function isDue(certificatePem: string, nowMs: number, leftMs: number): boolean {
  const certificate = parseCertificate(certificatePem);
  const endsMs = certificate.validToDate.getTime();
  return endsMs - nowMs < leftMs || endsMs > endlessMs || certificate.validFromDate.getTime() > nowMs;
}

/** SHA-256 of a certificate as people compare it: `SHA256:AB:CD:...`. */
export function shownFingerprint(certificatePem: string): string {
  return `SHA256:${parseCertificate(certificatePem).fingerprint256}`;
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

function authorityName(meshId: string): string {
  return `shoal mesh ${meshId}`;
}

function selfSigned(meshId: string, privateKey: KeyObject, nowMs: number): string {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return signCertificate(
    {
      subjectName: authorityName(meshId),
      issuerName: authorityName(meshId),
      alternativeNames: { uris: [`shoal://${meshId}/authority`] },
      subjectPublicKey: spki,
      issuerPublicKey: spki,
      notBeforeMs,
      notAfterMs: nowMs + authorityLifeMs,
      use: 'authority',
    },
    privateKey,
  );
}

function parseCertificate(certificatePem: string): X509Certificate {
  try {
    return new X509Certificate(certificatePem);
  } catch (caught) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The certificate cannot be read.', { cause: caught });
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
