/**
 * Mutual TLS between agents. One listener serves members and newcomers: the server asks for a certificate and does not
 * insist (`rejectUnauthorized: false`), so that a host with nothing but a ticket can reach JoinService. Who may call what
 * is decided per call (peer-server.ts), from the certificate that TLS verified; one that the authority did not sign counts
 * as none.
 */
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { certifiedHost } from './authority.ts';
import type { ListenerTls } from './listener/listener.ts';

/** What an agent shows its peers, and whom it trusts. */
export interface PeerCertificates {
  readonly meshId: string;
  /** This host's certificate. */
  readonly certificatePem: string;
  /** Its private key. Secret. */
  readonly privateKeyPem: string;
  /** The mesh authority's certificate: the only root. */
  readonly authorityPem: string;
}

/** Where the certificates come from: they are renewed while the agent runs. */
export interface PeerCertificateSource {
  current(): PeerCertificates;
  /** Calls `changed` after each renewal; returns what ends that. */
  subscribe(changed: () => void): () => void;
}

/** Certificates that stay as they are: for tests, and for commands that end soon. */
export function fixedCertificates(certificates: PeerCertificates): PeerCertificateSource {
  return { current: () => certificates, subscribe: () => () => {} };
}

/** Nothing in a mesh is older than TLS 1.3. */
const minVersion = 'TLSv1.3';

/** TLS of the peer listener. `subscribe` as in `TlsSource`: other certificates count for connections made from then on. */
export function peerListenerTls(source: PeerCertificateSource): ListenerTls {
  return {
    protocol: 'h2',
    minVersion,
    asksForCertificate: true,
    source: {
      current: () => {
        const { authorityPem, certificatePem, privateKeyPem } = source.current();
        // The authority goes along: a newcomer knows its fingerprint only.
        return { ca: authorityPem, cert: certificatePem + authorityPem, key: privateKeyPem };
      },
      subscribe: (changed) => source.subscribe(changed),
    },
  };
}

/**
 * Credentials of a connection to one host: only the holder of a certificate for `expected` is talked to, whatever the
 * address says. `onMismatch` hears of anybody else who answers there.
 */
export function peerChannelCredentials(
  certificates: PeerCertificates,
  expected: HostId,
  onMismatch: (error: ShoalError) => void,
): ChannelCredentials {
  const context = createSecureContext({
    ca: certificates.authorityPem,
    cert: certificates.certificatePem,
    key: certificates.privateKeyPem,
    minVersion,
  });
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
      const found = certifiedHost(certificate.subjectaltname);
      if (found?.meshId === certificates.meshId && found.hostId === expected) return undefined;
      const error = new ShoalError('IDENTITY_MISMATCH', `Another host than ${expected} answers at its address.`, {
        facts: { expected, found: found?.hostId ?? 'none' },
      });
      onMismatch(error);
      return error;
    },
  });
}
