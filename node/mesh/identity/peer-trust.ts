import { createHash, X509Certificate } from 'node:crypto';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import { hostTable, meshTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';

/** A certificate as TLS shows it. */
interface ShownCertificate {
  /** DER. */
  readonly raw: Uint8Array;
  /** SHA-256 of it, as TLS prints it: names what was looked at before. */
  readonly fingerprint256: string;
}

/** What says which certificates of hosts are to be believed. */
export interface PeerTrust {
  /** Roots that TLS takes, PEM; the present authority first. */
  authorities(): readonly string[];
  /** Those of the records alone, without what `adopt` was given. */
  recorded(): readonly string[];
  /** Whether the records want certificates of the present authority shown and no others. */
  readonly isOnlyPresentShown: boolean;
  /** The authority before the present one, PEM, while clients of the API may trust that one still; else undefined. */
  readonly rotatedFrom: string | undefined;
  /** Takes authorities that members have named (join/renew.ts), the present one first, until the records name it. */
  adopt(authorities: readonly string[]): void;
  /** Whether a certificate that TLS took, and that names `hostId`, is that host's. */
  isGenuine(hostId: HostId, shown: ShownCertificate): boolean;
}

/** What the record of the mesh says of its authorities, and the bytes that it was read from. */
interface SeenMesh {
  readonly value: Uint8Array;
  /** The present one first. */
  readonly authorities: readonly string[];
  readonly isOnlyPresentShown: boolean;
  readonly isBeingRotated: boolean;
}

/** Certificates that have been looked at; more than the hosts of the largest mesh, about 200 bytes each. */
const certificatesMax = 8192;

/**
 * Trust by the records: a host whose record names its TLS key has that key and no other, no matter who signed the
 * certificate; any other (it has just joined, and this replica does not know it yet; or its record is from a version
 * that kept no key) needs a certificate of the present authority. So a key of a former authority vouches for nobody.
 */
export class StatePeerTrust implements PeerTrust {
  readonly #reader: () => StateReader | undefined;
  readonly #own: readonly string[];
  #adopted: readonly string[] = [];
  #seen: SeenMesh | undefined;
  readonly #looked = new Map<string, { readonly keySha256: Buffer; readonly certificate: X509Certificate }>();

  /**
   * @param reader undefined as long as there is no replica yet.
   * @param ownAuthorityPem the authority that this host joined under: all there is before the replica has a record.
   */
  constructor(reader: () => StateReader | undefined, ownAuthorityPem: string) {
    this.#reader = reader;
    this.#own = [ownAuthorityPem];
  }

  authorities(): readonly string[] {
    const recorded = this.recorded();
    const [adopted] = this.#adopted;
    if (adopted === undefined || recorded.includes(adopted)) return recorded;
    return [...new Set([...this.#adopted, ...recorded])];
  }

  adopt(authorities: readonly string[]): void {
    this.#adopted = authorities;
  }

  recorded(): readonly string[] {
    return this.#mesh()?.authorities ?? this.#own;
  }

  get isOnlyPresentShown(): boolean {
    return this.#mesh()?.isOnlyPresentShown ?? false;
  }

  get rotatedFrom(): string | undefined {
    const mesh = this.#mesh();
    return mesh?.isBeingRotated === true ? mesh.authorities[1] : undefined;
  }

  #mesh(): SeenMesh | undefined {
    const value = this.#reader()?.get(meshTable.key('mesh'))?.value;
    if (value === undefined) return undefined;
    if (this.#seen?.value !== value) {
      const mesh = meshTable.decode(value);
      this.#seen = {
        value,
        authorities: [mesh.authorityCertificatePem, ...mesh.formerAuthorityCertificates],
        isOnlyPresentShown: mesh.onlyPresentAuthorityShown,
        isBeingRotated: mesh.crossCertificatePem !== '',
      };
    }
    return this.#seen;
  }

  isGenuine(hostId: HostId, shown: ShownCertificate): boolean {
    const { keySha256, certificate } = this.#look(shown);
    const reader = this.#reader();
    const pinned = reader === undefined ? undefined : hostTable.get(reader, hostId)?.record.tlsKeySha256;
    if (pinned !== undefined && pinned.length > 0) return keySha256.equals(pinned);
    const [present] = this.authorities();
    return present !== undefined && certificate.verify(new X509Certificate(present).publicKey);
  }

  #look(shown: ShownCertificate): { readonly keySha256: Buffer; readonly certificate: X509Certificate } {
    const known = this.#looked.get(shown.fingerprint256);
    if (known !== undefined) return known;
    const certificate = new X509Certificate(shown.raw);
    const made = {
      keySha256: tlsKeySha256(certificate.publicKey.export({ format: 'der', type: 'spki' })),
      certificate,
    };
    const oldest = this.#looked.size >= certificatesMax ? this.#looked.keys().next() : undefined;
    if (oldest?.done === false) this.#looked.delete(oldest.value);
    this.#looked.set(shown.fingerprint256, made);
    return made;
  }
}

/** What a host's record keeps of its TLS key. */
export function tlsKeySha256(publicKeySpki: Uint8Array): Buffer {
  return createHash('sha256').update(publicKeySpki).digest();
}

/** What a connection is refused with when the certificate is not the host's. */
export function notGenuine(hostId: HostId): ShoalError {
  return new ShoalError('IDENTITY_MISMATCH', `The certificate shown for host ${hostId} is not the one on its record.`, {
    facts: { hostId },
  });
}
