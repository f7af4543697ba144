/**
 * This host's certificate for its peers, and the authority's, kept from ending. Both are renewed out of this host's own
 * replica: the authority with the same key, so that old and new certificates verify each other's hosts while the new one
 * spreads; the host's own under whatever authority the records have.
 *
 * When the mesh was re-keyed there is another authority. Peers are shown the certificate of before as long as it lasts, since
 * those that were switched off know its authority and no other; newcomers are shown one of the new authority.
 */
import { X509Certificate } from 'node:crypto';
import { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';
import { certificateFingerprint, hostLeftMs, isDue, type MeshAuthority } from '../mesh/identity/authority.ts';
import type { TlsKey } from '../mesh/identity/identity.ts';
import type { PeerTrust } from '../mesh/identity/peer-trust.ts';
import type { Renewed } from '../mesh/join/renew.ts';
import type { PeerCertificateSource, PeerCertificates } from '../mesh/peers/peer-credentials.ts';
import type { ServiceDependencies } from '../services/kit/dependencies.ts';
import { transact } from '../services/kit/transact.ts';
import { meshTable } from '../state/tables/index.ts';
import { Changes } from './changes.ts';

interface PeerCertificateOptions {
  readonly meshId: string;
  readonly hostId: HostId;
  readonly tlsKey: TlsKey;
  /** As kept since the last run. */
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly trust: PeerTrust;
  /** Keeps them for the next. `clientRoots`: what clients of the API on this machine are to trust, PEM. */
  readonly save: (certificates: {
    readonly certificatePem: string;
    readonly authorityPem: string;
    readonly clientRoots: string;
  }) => Promise<void>;
}

/** See above. */
export class PeerCertificate implements PeerCertificateSource {
  readonly #options: PeerCertificateOptions;
  readonly #changes = new Changes();
  #current: PeerCertificates;
  #adoptedAuthority: string | undefined;

  constructor(options: PeerCertificateOptions) {
    this.#options = options;
    const { meshId, certificatePem, authorityPem, tlsKey, trust } = options;
    const roots = trust.authorities();
    this.#current = { meshId, certificatePem, authorityPem, privateKeyPem: tlsKey.privateKeyPem, roots, trust };
  }

  current(): PeerCertificates {
    return this.#current;
  }

  subscribe(changed: () => void): () => void {
    return this.#changes.subscribe(changed);
  }

  /** Which authority this host knows as the present one, and which has signed what it shows its peers: SHA-256 of each. */
  get authorities(): { readonly known: Uint8Array; readonly shown: Uint8Array } {
    const { authorityPem, certificatePem, roots = [] } = this.#current;
    const signer = [authorityPem, ...roots].find((root) => isSigned(certificatePem, [root]));
    return {
      known: certificateFingerprint(authorityPem),
      shown: signer === undefined ? new Uint8Array(0) : certificateFingerprint(signer),
    };
  }

  /** Goes on with what members have given this host by its host key (mesh/join/renew.ts), until the records have come that far. */
  async adopt({ certificatePem, authorityPem, formerAuthorities }: Renewed): Promise<void> {
    const { trust, save } = this.#options;
    await save({ certificatePem, authorityPem, clientRoots: authorityPem });
    trust.adopt([authorityPem, ...formerAuthorities]);
    this.#adoptedAuthority = authorityPem;
    const { meshId, privateKeyPem } = this.#current;
    this.#current = { meshId, privateKeyPem, certificatePem, authorityPem, roots: trust.authorities(), trust };
    this.#changes.announce();
  }

  /**
   * Renews what is due. `authority` is the records' own; with a quorum a due one is renewed there, too.
   * Throws what the state throws; the certificates in use are as good as before then.
   */
  async check(services: ServiceDependencies, authority: MeshAuthority, signal: AbortSignal): Promise<void> {
    // The records here are those of a former authority: nobody takes what it signs.
    if (this.#adoptedAuthority !== undefined && !this.#options.trust.recorded().includes(this.#adoptedAuthority))
      return;
    this.#adoptedAuthority = undefined;
    const nowMs = services.clock.nowMs();
    const valid = await this.#renewAuthority(services, authority, signal);
    const { hostId, tlsKey, trust } = this.#options;
    const { certificatePem, authorityPem, roots = [], forNewcomers } = this.#current;
    const nextRoots = trust.authorities();
    const signers = trust.isOnlyPresentShown ? [] : nextRoots;
    const isGood =
      isSigned(certificatePem, [valid.certificatePem, ...signers]) && !isDue(certificatePem, nowMs, hostLeftMs(hostId));
    const isPresent = isGood && isSigned(certificatePem, [valid.certificatePem]);
    const hasRoots = roots.length === nextRoots.length && roots.every((root, i) => root === nextRoots[i]);
    const hasNewcomers = isPresent || forNewcomers?.authorityPem === valid.certificatePem;
    if (authorityPem === valid.certificatePem && isGood && hasRoots && hasNewcomers) return;
    const issued = isPresent ? certificatePem : valid.issueHost(hostId, tlsKey.publicKeySpki, nowMs);
    const next = { authorityPem: valid.certificatePem, certificatePem: isGood ? certificatePem : issued };
    // Also when only the roots differ: clients trust the authority before for as long as it is rotated from.
    const clientRoots = next.authorityPem + (trust.rotatedFrom ?? '');
    await this.#options.save({ ...next, clientRoots });
    const { meshId, privateKeyPem } = this.#current;
    this.#current = {
      meshId,
      privateKeyPem,
      ...next,
      roots: nextRoots,
      trust,
      ...(next.certificatePem === issued
        ? {}
        : { forNewcomers: { certificatePem: issued, authorityPem: next.authorityPem } }),
    };
    services.logger.info(
      { validTo: new X509Certificate(next.certificatePem).validTo, authorities: nextRoots.length },
      'the certificates between agents were renewed',
    );
    this.#changes.announce();
  }

  /** The authority with a certificate that has time left, or as much as can be had now. */
  async #renewAuthority(
    services: ServiceDependencies,
    authority: MeshAuthority,
    signal: AbortSignal,
  ): Promise<MeshAuthority> {
    const nowMs = services.clock.nowMs();
    if (!authority.isDue(nowMs)) return authority;
    const renewed = authority.renewed(nowMs);
    if (!services.state.status().hasQuorum) {
      // Only one that has ended is replaced before the others know: they renew it likewise, and one key signs for all.
      return isDue(authority.certificatePem, nowMs, 0) ? renewed : authority;
    }
    return transact(services, { signal }, ({ reader, change }) => {
      const row = meshTable.must(reader, 'mesh');
      // Another host was faster: its certificate counts, and arrives here with the record.
      if (row.record.authorityCertificatePem !== authority.certificatePem) return authority;
      meshTable.update(
        change,
        row,
        new shoal.v1.Mesh({ ...row.record, authorityCertificatePem: renewed.certificatePem }),
      );
      return renewed;
    });
  }
}

/** Whether one of the authorities signed a certificate. */
function isSigned(certificatePem: string, authorities: readonly string[]): boolean {
  const certificate = new X509Certificate(certificatePem);
  return authorities.some((authority) => certificate.verify(new X509Certificate(authority).publicKey));
}
