import type { TLSSocket } from 'node:tls';
import { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { otherEnd } from '../../rpc/listener/listener.ts';
import { type CallHead, type GrpcCall, type GrpcLimits, GrpcServer, type Handlers } from '../../rpc/server.ts';
import { peerErrorView } from '../../rpc/status.ts';
import { certifiedHost } from '../identity/authority.ts';
import { notGenuine } from '../identity/peer-trust.ts';
import { clockAdvice, isEndedCode } from './ended-certificate.ts';
import {
  formatInstance,
  type Instance,
  instanceHeader,
  listensAtHeader,
  parseInstance,
  parseListensAt,
} from './instance.ts';
import { type PeerCertificateSource, peerListenerTls } from './peer-credentials.ts';
import { type KeyUsedTwice, PeerInstances, type SeenInstance, whereabouts } from './peer-instances.ts';
import { peerServerLimits } from './peer-limits.ts';

/** Said in the facts of the refusal, so that a host that was switched off meanwhile can tell it from others. */
export const hostRemoved = 'removed';

/** A call of PeerService: `call.caller` is the host that TLS proved to be the caller. */
export type PeerCall = GrpcCall<HostId>;

/** What an agent does for its peers. Each part of the agent brings its own methods; which run it is the server itself says. */
export type PeerHandlers = Omit<Handlers<shoal.v1.PeerService, HostId>, 'getInstance'>;

/** Admits newcomers. `remoteAddress` is ip:port, for counting failures. */
export interface JoinHandlers {
  /** Whether this caller may try at all; throws `RATE_LIMITED`. Before anything it sends is read. */
  admit(remoteAddress: string): void;
  join(request: shoal.v1.JoinRequest, remoteAddress: string, signal: AbortSignal): Promise<shoal.v1.IJoinResponse>;
  /** Gives a member that shows no good certificate another one. */
  renew(request: shoal.v1.RenewRequest, remoteAddress: string): Promise<shoal.v1.IRenewResponse>;
}

/** What a peer server is made with. */
interface PeerServerOptions {
  readonly certificates: PeerCertificateSource;
  /**
   * False for hosts that have been removed from the mesh: their certificates are good for days yet, so this is what
   * refuses them. Asked with each call; `cutRefused` asks again about connections that are open. A host that is not in the records *yet* (it has just joined elsewhere) must be let in.
   */
  admits(hostId: HostId): boolean;
  readonly handlers: PeerHandlers;
  readonly join: JoinHandlers;
  /** Which run of this agent answers. Absent: peers are not told. */
  readonly instance?: Instance;
  /** This host, and what is done when another process calls with its key. Such calls are answered. */
  readonly self?: { readonly hostId: HostId; met(caller: SeenInstance): void };
  readonly limits?: GrpcLimits;
}

/** The listener for peers and newcomers: PeerService for members, JoinService for holders of a ticket. */
export class PeerServer {
  readonly #server: GrpcServer;
  readonly #certificates: PeerCertificateSource;
  readonly #logger: Logger;
  readonly #repeated: RepeatedLog;
  readonly #options: PeerServerOptions;
  readonly #instances: PeerInstances;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }, options: PeerServerOptions) {
    this.#logger = deps.logger;
    this.#repeated = new RepeatedLog(deps);
    this.#options = options;
    this.#certificates = options.certificates;
    this.#server = new GrpcServer(deps, {
      limits: options.limits ?? peerServerLimits,
      errorView: peerErrorView,
      isMember: (socket) => {
        if (!socket.authorized) this.#tellEnded(socket);
        return socket.authorized && isMember(socket, options);
      },
    });
    this.#instances = new PeerInstances({
      clock: deps.clock,
      isConnected: (remoteAddress) => this.#server.isConnectedFrom(remoteAddress),
      cut: (remotes) => this.#server.cut((socket) => remotes.has(otherEnd(socket))),
      onTwice: (found) => this.#tellTwice(found),
    });
    this.#server.add<shoal.v1.PeerService, HostId>({
      service: shoal.v1.PeerService,
      admit: (head) => this.#admit(head),
      handlers: {
        ...options.handlers,
        getInstance: async () => ({ instance: options.instance === undefined ? '' : formatInstance(options.instance) }),
      },
    });
    this.#server.add<shoal.v1.JoinService, void>({
      service: shoal.v1.JoinService,
      admit: (head) => options.join.admit(head.remoteAddress),
      handlers: {
        join: (request, call) => options.join.join(request, call.remoteAddress, call.signal),
        renew: (request, call) => options.join.renew(request, call.remoteAddress),
      },
    });
  }

  /** Connections of strangers now, and how many were cut to keep within the bounds. */
  get connections(): { readonly counted: number; readonly cut: number } {
    return this.#server.connections;
  }

  /** Hosts whose key two agents have used of late. */
  get keysUsedTwice(): readonly KeyUsedTwice[] {
    return this.#instances.twice();
  }

  /** Where the second agent with a host's key was met of late; undefined: none was. */
  keyUsedTwiceAt(hostId: string): string | undefined {
    const found = this.keysUsedTwice.find((twice) => twice.hostId === hostId);
    return found === undefined ? undefined : whereabouts(found.refused);
  }

  /** The port bound; 0 before `listen`. */
  get port(): number {
    return this.#server.port;
  }

  /** Binds `host:port`. Throws `UNAVAILABLE`. */
  listen(address: string): Promise<number> {
    return this.#server.listen(address, peerListenerTls(this.#certificates));
  }

  /**
   * Cuts the connections of hosts that may not call any more, with all calls that are under way there: called when the
   * records of hosts have changed. Connections without a certificate of this mesh are newcomers' and stay.
   */
  cutRefused(): void {
    this.#instances.retain((hostId) => this.#options.admits(hostId));
    const { meshId } = this.#certificates.current();
    const cut = this.#server.cut((socket) => {
      if (!socket.authorized) return false;
      const host = certifiedHost(socket.getPeerCertificate().subjectaltname);
      return host?.meshId === meshId && !isMember(socket, this.#options);
    });
    if (cut > 0) this.#logger.warn({ connections: cut }, 'connections of hosts that are no members any more were cut');
  }

  /** Safe to call twice. */
  stop(graceMs?: number): Promise<void> {
    return this.#server.stop(graceMs);
  }

  /** A certificate that has ended says of its host, or of this one, that a clock is wrong by days: people have to see to it. */
  #tellEnded(socket: TLSSocket): void {
    if (!isEndedCode(String(socket.authorizationError))) return;
    const shown = socket.getPeerCertificate();
    const hostId = certifiedHost(shown.subjectaltname)?.hostId;
    this.#repeated.warn(
      `ended ${hostId}`,
      { hostId, remoteAddress: socket.remoteAddress, ended: shown.valid_to },
      `a host came with a certificate that has ended: ${clockAdvice}`,
    );
  }

  #tellTwice({ hostId, served, refused }: KeyUsedTwice): void {
    this.#repeated.warn(
      `key ${hostId}`,
      {
        hostId,
        served: whereabouts(served),
        refused: whereabouts(refused),
        refusedSince: new Date(refused.instance.epoch).toISOString(),
      },
      'two agents use the key of one host: the older is served, the newer refused; one of the two data folders is a copy',
    );
  }

  #admit(head: CallHead): HostId {
    const hostId = memberOf(head, this.#options);
    const instance = parseInstance(head.header(instanceHeader));
    if (instance === undefined) return hostId;
    const listensAt = parseListensAt(head.header(listensAtHeader));
    const caller = { instance, remoteAddress: head.remoteAddress, listensAt };
    const { self } = this.#options;
    if (self?.hostId === hostId) self.met(caller);
    else this.#instances.admit(hostId, caller);
    return hostId;
  }
}

/** The member that calls. Throws `UNAUTHENTICATED`, `IDENTITY_MISMATCH`. */
function memberOf(head: CallHead, options: PeerServerOptions): HostId {
  const shown = head.certificate;
  if (shown === undefined) {
    throw new ShoalError(
      'UNAUTHENTICATED',
      'Peer calls need a certificate of this mesh that has not ended. Is a clock wrong? See `shoal hosts`.',
    );
  }
  const host = certifiedHost(shown.subjectaltname);
  const { meshId, trust } = options.certificates.current();
  if (host === undefined || host.meshId !== meshId) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The certificate names no host of this mesh.');
  }
  if (!options.admits(host.hostId)) {
    throw new ShoalError('IDENTITY_MISMATCH', 'The host has been removed from this mesh.', {
      facts: { hostId: host.hostId, reason: hostRemoved },
    });
  }
  if (trust !== undefined && !trust.isGenuine(host.hostId, shown)) throw notGenuine(host.hostId);
  return host.hostId;
}

function isMember(socket: TLSSocket, options: PeerServerOptions): boolean {
  const shown = socket.getPeerCertificate();
  const host = certifiedHost(shown.subjectaltname);
  const { meshId, trust } = options.certificates.current();
  if (host === undefined || host.meshId !== meshId || !options.admits(host.hostId)) return false;
  return trust === undefined || trust.isGenuine(host.hostId, shown);
}
