/**
 * This host's certificate for its peers, and the authority's, kept from ending. Both are renewed out of this host's own
 * replica: the authority with the same key, so that old and new certificates verify each other's hosts while the new one
 * spreads; the host's own under whatever authority the records have.
 */
import { X509Certificate } from 'node:crypto';
import { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';
import { hostLifeMs, isDue, type MeshAuthority } from '../mesh/authority.ts';
import type { TlsKey } from '../mesh/identity.ts';
import type { PeerCertificateSource, PeerCertificates } from '../mesh/peer-credentials.ts';
import type { ServiceDependencies } from '../services/dependencies.ts';
import { transact } from '../services/transact.ts';
import { meshTable } from '../state/tables/index.ts';
import { Changes } from './changes.ts';

/** Renewed with so much of its life left, milliseconds. */
const hostLeftMs = hostLifeMs / 3;

export interface PeerCertificateOptions {
  readonly meshId: string;
  readonly hostId: HostId;
  readonly tlsKey: TlsKey;
  /** As kept since the last run. */
  readonly certificatePem: string;
  readonly authorityPem: string;
  /** Keeps them for the next. */
  readonly save: (certificates: { readonly certificatePem: string; readonly authorityPem: string }) => Promise<void>;
}

/** See above. */
export class PeerCertificate implements PeerCertificateSource {
  readonly #options: PeerCertificateOptions;
  readonly #changes = new Changes();
  #current: PeerCertificates;

  constructor(options: PeerCertificateOptions) {
    this.#options = options;
    const { meshId, certificatePem, authorityPem, tlsKey } = options;
    this.#current = { meshId, certificatePem, authorityPem, privateKeyPem: tlsKey.privateKeyPem };
  }

  current(): PeerCertificates {
    return this.#current;
  }

  subscribe(changed: () => void): () => void {
    return this.#changes.subscribe(changed);
  }

  /**
   * Renews what is due. `authority` is the records' own; with a quorum a due one is renewed there, too.
   * Throws what the state throws; the certificates in use are as good as before then.
   */
  async check(services: ServiceDependencies, authority: MeshAuthority, signal: AbortSignal): Promise<void> {
    const nowMs = services.clock.nowMs();
    const valid = await this.#renewAuthority(services, authority, signal);
    const { certificatePem, authorityPem } = this.#current;
    const isOurs = new X509Certificate(certificatePem).verify(new X509Certificate(valid.certificatePem).publicKey);
    if (authorityPem === valid.certificatePem && isOurs && !isDue(certificatePem, nowMs, hostLeftMs)) return;
    const next = {
      authorityPem: valid.certificatePem,
      certificatePem:
        isOurs && !isDue(certificatePem, nowMs, hostLeftMs)
          ? certificatePem
          : valid.issueHost(this.#options.hostId, this.#options.tlsKey.publicKeySpki, nowMs),
    };
    await this.#options.save(next);
    this.#current = { ...this.#current, ...next };
    services.logger.info(
      { validTo: new X509Certificate(next.certificatePem).validTo },
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
    if (!services.state.standing().hasQuorum) {
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
