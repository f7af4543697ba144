/**
 * Mutual TLS between agents. One listener serves members and newcomers: the server asks for a certificate and does not
 * insist (`rejectUnauthorized: false`), so that a host with nothing but a ticket can reach JoinService. Who may call what
 * is decided per call (peer-server.ts), from the certificate that TLS verified; one that the authority did not sign counts
 * as none. grpc-js's own `ServerCredentials.createSsl` knows only "insist" and "do not ask".
 */
import { createSecureContext, type PeerCertificate } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { certifiedHost } from './authority.ts';

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

/** Nothing in a mesh is older than TLS 1.3. */
const minVersion = 'TLSv1.3';

/** Credentials of the peer listener. */
export function peerServerCredentials(certificates: PeerCertificates): ServerCredentials {
  return new AskingServerCredentials(certificates);
}

class AskingServerCredentials extends ServerCredentials {
  constructor(certificates: PeerCertificates) {
    super(
      { requestCert: true, rejectUnauthorized: false },
      {
        ca: certificates.authorityPem,
        // The authority goes along: a newcomer knows its fingerprint only.
        cert: certificates.certificatePem + certificates.authorityPem,
        key: certificates.privateKeyPem,
        minVersion,
      },
    );
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
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
