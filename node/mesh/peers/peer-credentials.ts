/**
 * Mutual TLS between agents. One listener serves members and newcomers: the server asks for a certificate and does not
 * insist (`rejectUnauthorized: false`), so that a host with nothing but a ticket can reach JoinService. Who may call what
 * is decided per call (peer-server.ts), from the certificate that TLS verified; one that the authority did not sign counts
 * as none.
 */
import { createSecureContext, type PeerCertificate, type SecureContext, type SecureContextOptions } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { ListenerTls } from '../../rpc/listener/listener.ts';
import { certifiedHost } from '../identity/authority.ts';
import { notGenuine, type PeerTrust } from '../identity/peer-trust.ts';
import { isHostId } from '../identity/signature.ts';

/** What an agent shows its peers, and whom it trusts. */
export interface PeerCertificates {
  readonly meshId: string;
  /** This host's certificate. */
  readonly certificatePem: string;
  /** Its private key. Secret. */
  readonly privateKeyPem: string;
  /** The mesh authority's certificate: the only root, unless `roots` names others. */
  readonly authorityPem: string;
  /** Whose signature under a certificate TLS takes, PEM: the authority and those before it. */
  readonly roots?: readonly string[];
  /** Which of these certificates count. Absent: all. */
  readonly trust?: PeerTrust;
  /**
   * What newcomers are shown, who know the present authority's fingerprint and nothing else, where peers are still shown a
   * certificate of a former one; peers are told apart by asking for a host's id in TLS. Absent: the same as peers.
   */
  readonly forNewcomers?: { readonly certificatePem: string; readonly authorityPem: string };
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
      // For a client that asks for no host: the first connection of a newcomer names nobody, the second the mesh.
      current: () => {
        const certificates = source.current();
        const shown = certificates.forNewcomers;
        const context = contextOf(certificates);
        return shown === undefined ? context : { ...context, cert: shown.certificatePem + shown.authorityPem };
      },
      subscribe: (changed) => source.subscribe(changed),
    },
    contextFor: peerContexts(source),
  };
}

function contextOf(certificates: PeerCertificates): SecureContextOptions {
  const { authorityPem, certificatePem, privateKeyPem } = certificates;
  // The authority goes along: a newcomer knows its fingerprint only.
  return { ca: rootsOf(certificates), cert: certificatePem + authorityPem, key: privateKeyPem };
}

/** Contexts for those who ask for a host, made once for each change of the certificates. */
function peerContexts(source: PeerCertificateSource): (serverName: string) => SecureContext | undefined {
  let made: { readonly of: PeerCertificates; readonly context: SecureContext } | undefined;
  return (serverName) => {
    if (!isHostId(serverName)) return undefined;
    const certificates = source.current();
    if (made?.of !== certificates) {
      made = { of: certificates, context: createSecureContext({ ...contextOf(certificates), minVersion }) };
    }
    return made.context;
  };
}

function rootsOf({ authorityPem, roots = [] }: PeerCertificates): string[] {
  return [...new Set([authorityPem, ...roots])];
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
    ca: rootsOf(certificates),
    cert: certificates.certificatePem,
    key: certificates.privateKeyPem,
    minVersion,
  });
  return ChannelCredentials.createFromSecureContext(context, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) => {
      const found = certifiedHost(certificate.subjectaltname);
      const isExpected = found?.meshId === certificates.meshId && found.hostId === expected;
      if (isExpected && (certificates.trust?.isGenuine(expected, certificate) ?? true)) return undefined;
      const error = isExpected
        ? notGenuine(expected)
        : new ShoalError('IDENTITY_MISMATCH', `Another host than ${expected} answers at its address.`, {
            facts: { expected, found: found?.hostId ?? 'none' },
          });
      onMismatch(error);
      return error;
    },
  });
}
