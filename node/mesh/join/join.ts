import { createHash, X509Certificate } from 'node:crypto';
import { connect as connectTls, type DetailedPeerCertificate, type PeerCertificate } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import { shoal } from '../../../proto/messages.ts';
import { parseAddress } from '../../base/address.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { GrpcClient } from '../../rpc/client.ts';
import { certifiedHost, verifyHost } from '../identity/authority.ts';
import { pem } from '../identity/der.ts';
import type { HostIdentity, TlsKey } from '../identity/identity.ts';
import { MeshKey } from '../identity/mesh-key.ts';
import { peerClientLimits } from '../peers/peer-limits.ts';
import { isToldToWait } from './join-door.ts';
import { joinContent, joinPurpose } from './join-proof.ts';
import type { JoinTicket } from './tickets.ts';

/** Time for one agent to answer, connecting included, ms: a consensus write and some races lost to other newcomers. */
const attemptMsMax = 15_000;
/** Pause after all addresses have been tried without success, ms. */
const pauseMs = 500;
/** How long a mesh may have a newcomer wait for others to come in first, ms: a rack. Patience begins again each time that it is told so. */
const waitMsMax = 1_800_000;
/** Certificates looked at in the chain that a server shows: its own and the authority's, with room. */
const chainLengthMax = 4;

/** What a new member gets. */
export interface Joined {
  readonly meshId: string;
  /** This host as recorded, with its Raft id and transit index. */
  readonly host: shoal.v1.Host;
  /** All hosts of the mesh, this one included. */
  readonly hosts: readonly shoal.v1.Host[];
  readonly certificatePem: string;
  readonly authorityPem: string;
  readonly meshKey: MeshKey;
}

/** What joining takes. */
interface JoinOptions {
  readonly ticket: JoinTicket;
  readonly identity: HostIdentity;
  readonly tlsKey: TlsKey;
  /** The host as it wants to be recorded; id and public key are filled in. */
  readonly host: shoal.v1.IHost;
  /** Further members to ask, `host:port`; asked for again with each round. Absent: those that the ticket names. */
  readonly discover?: () => Promise<readonly string[]>;
  /** How long agents that do not answer, or have no quorum yet, are asked again, ms. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

/**
 * Joins a mesh. The agents that the ticket names are asked one after another. Nothing secret is sent before the other side
 * has proved, by a certificate under the authority that the ticket pins, that it belongs to the mesh.
 *
 * Throws `TICKET_INVALID`, `TICKET_USED`, `TICKET_EXPIRED`, `CONFLICT` and `INVALID_ARGUMENT` as the mesh says them,
 * `IDENTITY_MISMATCH` when only strangers answer, `CANCELLED`, and the last failure when patience has run out. Safe to
 * repeat with the same keys: a ticket spent by this very host still works for it.
 */
export async function joinMesh(
  deps: { readonly clock: Clock; readonly logger: Logger },
  options: JoinOptions,
): Promise<Joined> {
  // The clock's timers do not keep the process alive, and while all agents are away nothing else would: it would end in the
  // middle of waiting for them, and look as if it had succeeded.
  const alive = setInterval(() => {}, 2 ** 30);
  try {
    return await askAround(deps, options);
  } finally {
    clearInterval(alive);
  }
}

async function askAround(
  deps: { readonly clock: Clock; readonly logger: Logger },
  options: JoinOptions,
): Promise<Joined> {
  const beganMs = deps.clock.monotonicMs();
  let endsMs = beganMs + options.patienceMs;
  for (;;) {
    const failures = new Map<string, ShoalError>();
    for (const address of await addressesOf(deps, options, failures)) {
      if (options.signal.aborted) throw new ShoalError('CANCELLED', 'Joining was cancelled.');
      try {
        return await joinAt(address, options);
      } catch (caught) {
        const error = ShoalError.from(caught, 'UNAVAILABLE', `asking ${address}`);
        if (isFinal(error)) throw error;
        if (isToldToWait(error)) {
          // All members would say so.
          deps.logger.info({ address, said: error.message }, 'the mesh has this host wait for others that join');
          endsMs = Math.max(endsMs, Math.min(deps.clock.monotonicMs() + options.patienceMs, beganMs + waitMsMax));
          failures.set(address, error);
          break;
        }
        deps.logger.warn({ error, address }, 'this agent refused the join; trying the next');
        failures.set(address, error);
      }
    }
    if (deps.clock.monotonicMs() + pauseMs >= endsMs) {
      throw nobodyLetIn(failures);
    }
    await sleep(deps.clock, pauseMs, options.signal).catch(() => {}); // The next round sees the abort.
  }
}

/** The ticket's own addresses, then those found. That nothing is found is told with the rest, and keeps nobody from asking. */
async function addressesOf(
  { logger }: { readonly logger: Logger },
  { ticket, discover }: JoinOptions,
  failures: Map<string, ShoalError>,
): Promise<readonly string[]> {
  if (discover === undefined) return ticket.addresses;
  try {
    return [...new Set([...ticket.addresses, ...(await discover())])];
  } catch (caught) {
    const error = ShoalError.from(caught, 'UNAVAILABLE', 'looking for members');
    logger.warn({ error }, 'no further members are found');
    failures.set('discovery', error);
    return ticket.addresses;
  }
}

/** One error for all that were asked. Its code is that of what somebody said; that nobody answered is worth less. */
function nobodyLetIn(failures: ReadonlyMap<string, ShoalError>): ShoalError {
  const errors = [...failures.values()];
  const telling = errors.find(({ code }) => code !== 'UNAVAILABLE') ?? errors[0];
  if (telling === undefined) return new ShoalError('UNAVAILABLE', 'The ticket names no agent.');
  const each = [...failures].map(([address, { message }]) => `${address}: ${message}`);
  return new ShoalError(telling.code, `Nobody let this host in. ${each.join(' ')}`, {
    facts: { asked: [...failures.keys()] },
    cause: telling,
  });
}

/** Whether asking another agent, or later, cannot change the answer. */
function isFinal(error: ShoalError): boolean {
  return ShoalError.is(error, 'TICKET_INVALID', 'TICKET_USED', 'TICKET_EXPIRED', 'CONFLICT', 'INVALID_ARGUMENT');
}

async function joinAt(address: string, options: JoinOptions): Promise<Joined> {
  const { ticket, identity, tlsKey } = options;
  const authorityPem = await fetchAuthority(address, ticket.fingerprint, options.signal);
  const client = new GrpcClient(
    `dns:${address}`,
    ChannelCredentials.createSsl(Buffer.from(authorityPem), null, null, {
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        certifiedHost(certificate.subjectaltname)?.meshId === ticket.meshId ? undefined : stranger(address),
    }),
    peerClientLimits,
    ticket.meshId, // The name asked for in TLS; no server looks at it, and an address would not be allowed.
  );
  try {
    const response = await client.calls(shoal.v1.JoinService).join(
      {
        meshId: ticket.meshId,
        ticketId: ticket.ticketId,
        secret: ticket.secret.reveal(),
        host: { ...options.host, id: identity.hostId, publicKey: identity.publicKey },
        tlsPublicKey: tlsKey.publicKeySpki,
        proof: identity.sign(
          joinPurpose,
          joinContent({ meshId: ticket.meshId, ticketId: ticket.ticketId, tlsPublicKey: tlsKey.publicKeySpki }),
        ),
      },
      { timeoutMs: attemptMsMax, signal: options.signal },
    );
    return checkedResponse(response, authorityPem, options);
  } finally {
    client.close();
  }
}

/** Takes the mesh at its word only where it fits what this host knows. */
function checkedResponse(response: shoal.v1.JoinResponse, authorityPem: string, options: JoinOptions): Joined {
  const { ticket, identity, tlsKey } = options;
  const hostId = verifyHost(response.certificatePem, authorityPem, ticket.meshId);
  const certified = new X509Certificate(response.certificatePem).publicKey.export({ format: 'der', type: 'spki' });
  const { host } = response;
  if (
    hostId !== identity.hostId ||
    !certified.equals(Buffer.from(tlsKey.publicKeySpki)) ||
    host === undefined ||
    host === null ||
    host.id !== identity.hostId ||
    host.raftId < 1
  ) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The certificate that the mesh sent is not for this host.');
  }
  return {
    meshId: ticket.meshId,
    host,
    hosts: response.hosts,
    certificatePem: response.certificatePem,
    authorityPem,
    meshKey: new MeshKey(response.meshKey),
  };
}

/**
 * The authority's certificate as the server at `address` shows it, if it is the one that the ticket pins. Only a
 * handshake: nothing is sent, and the connection that carries the secret verifies the server against this certificate.
 */
function fetchAuthority(address: string, fingerprint: Uint8Array, signal: AbortSignal): Promise<string> {
  const { host, port } = parseAddress(address);
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['h2'],
      timeout: attemptMsMax,
    });
    const fail = (error: ShoalError): void => {
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(new ShoalError('CANCELLED', 'Joining was cancelled.'));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', onAbort));
    socket.once('secureConnect', () => {
      const found = chainOf(socket.getPeerCertificate(true)).find((raw) =>
        createHash('sha256').update(raw).digest().equals(fingerprint),
      );
      socket.destroy();
      if (found === undefined) reject(stranger(address));
      else resolve(pem('CERTIFICATE', found));
    });
    socket.once('timeout', () => fail(new ShoalError('UNAVAILABLE', `${address} does not answer.`)));
    socket.once('error', (error) => fail(ShoalError.from(error, 'UNAVAILABLE', `connecting to ${address}`)));
  });
}

function chainOf(first: DetailedPeerCertificate): Buffer[] {
  const chain: Buffer[] = [];
  let next: DetailedPeerCertificate | undefined = first;
  while (next !== undefined && chain.length < chainLengthMax) {
    const { raw }: { readonly raw: Buffer | undefined } = next;
    // A self-signed certificate is its own issuer: the chain ends in a loop.
    if (raw === undefined || chain.some((known) => known.equals(raw))) break;
    chain.push(raw);
    next = next.issuerCertificate;
  }
  return chain;
}

function stranger(address: string): ShoalError {
  return new ShoalError('IDENTITY_MISMATCH', `The agent at ${address} does not belong to the ticket's mesh.`, {
    facts: { address },
  });
}
