import { shoal } from '../../../proto/messages.ts';
import { parseAddress } from '../../base/address.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { type Calls, type ClientLimits, GrpcClient, type UnaryOptions } from '../../rpc/client.ts';
import { clockAdvice, isEndedCode } from './ended-certificate.ts';
import { formatInstance, type Instance, instanceHeader, listensAtHeader } from './instance.ts';
import { type PeerCertificateSource, type PeerCertificates, peerChannelCredentials } from './peer-credentials.ts';
import { peerClientLimits } from './peer-limits.ts';

/** Calls to one peer. The connection is made when first used, kept, and remade when lost. */
export class PeerClient {
  readonly hostId: HostId;
  readonly address: string;
  readonly #client: GrpcClient;
  #mismatch: ShoalError | undefined;
  /** Every method of PeerService, as it is. `call` and `propose` below know more about failures. */
  readonly calls: Calls<shoal.v1.PeerService>;

  constructor(
    deps: PeerClientDeps,
    options: {
      readonly hostId: HostId;
      readonly address: string;
      readonly certificates: PeerCertificates;
      readonly caller?: CallerRun;
      readonly limits?: ClientLimits;
    },
  ) {
    parseAddress(options.address);
    this.hostId = options.hostId;
    this.address = options.address;
    const credentials = peerChannelCredentials(options.certificates, options.hostId, (error) => {
      this.#mismatch = error;
      deps.logger.warn({ hostId: options.hostId, address: options.address, ...error.facts }, error.message);
    });
    // `dns:` needs no resolver for literal addresses, and forbids the other schemes that grpc-js would take from a name.
    this.#client = new GrpcClient(
      `dns:${options.address}`,
      credentials,
      options.limits ?? peerClientLimits,
      options.hostId, // Identity is the key, so that is the name; TLS allows no IP address there anyway.
      options.caller === undefined
        ? {}
        : {
            [instanceHeader]: formatInstance(options.caller.instance),
            [listensAtHeader]: options.caller.listensAt,
          },
    );
    this.calls = this.#client.calls(shoal.v1.PeerService);
  }

  /** Whether a connection is up at this moment. */
  get isConnected(): boolean {
    return this.#client.isConnected;
  }

  /** Whether calls are under way. */
  get isBusy(): boolean {
    return this.#client.isBusy;
  }

  /**
   * Runs one call, and says `IDENTITY_MISMATCH` rather than `UNAVAILABLE` when somebody else answers at the address.
   * For calls that may be repeated.
   */
  async call<A>(run: (calls: Calls<shoal.v1.PeerService>) => Promise<A>): Promise<A> {
    try {
      return await run(this.calls);
    } catch (caught) {
      throw this.#explained(caught);
    }
  }

  /** Connects unless connected. Throws `UNAVAILABLE` after `timeoutMs`, `IDENTITY_MISMATCH`; nothing has been sent then. */
  async connect(timeoutMs: number): Promise<void> {
    try {
      await this.#client.connect(timeoutMs);
    } catch (caught) {
      throw this.#explained(caught);
    }
  }

  /**
   * Forwards a command. Throws what the peer threw; `UNAVAILABLE`, `IDENTITY_MISMATCH` and `CANCELLED` only when nothing
   * was sent, and `OUTCOME_UNKNOWN` when the connection, the time or the patience was lost after it may have been.
   * @param options.connectTimeoutMs how long a connection may take where there is none, ms.
   */
  async propose(
    command: shoal.v1.ICommand,
    options: UnaryOptions & { readonly connectTimeoutMs: number },
  ): Promise<shoal.v1.ProposeResponse> {
    await this.connect(options.connectTimeoutMs);
    if (options.signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.');
    try {
      return await this.calls.propose({ command }, options);
    } catch (caught) {
      if (ShoalError.is(caught, 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED')) {
        throw new ShoalError('OUTCOME_UNKNOWN', `The command may have reached ${this.hostId}: ${caught.message}`, {
          facts: { hostId: this.hostId },
          cause: caught,
        });
      }
      throw caught;
    }
  }

  close(): void {
    this.#client.close();
  }

  /** Closes once no call is under way. */
  closeWhenIdle(): void {
    this.#client.closeWhenIdle();
  }

  /** Ends the connection with all calls under way: the host is no member any more. */
  cut(): void {
    this.#client.cut('The host is no member of this mesh any more.');
  }

  #explained(caught: unknown): unknown {
    if (!ShoalError.is(caught, 'UNAVAILABLE')) return caught;
    if (isEndedCode(`${caught.message} ${String(caught.cause)}`)) {
      return new ShoalError('IDENTITY_MISMATCH', `The certificate of host ${this.hostId} has ended: ${clockAdvice}.`, {
        facts: { hostId: this.hostId, address: this.address },
        cause: caught,
      });
    }
    if (this.#mismatch === undefined) return caught;
    const mismatch = this.#mismatch;
    this.#mismatch = undefined; // Said once; the next attempt finds out again.
    return mismatch;
  }
}

/** Which run of an agent calls, and where it listens for its peers. */
interface CallerRun {
  readonly instance: Instance;
  readonly listensAt: string;
}

/** What a peer client needs from outside. */
interface PeerClientDeps {
  readonly logger: Logger;
}

/** What `PeerClients` is made with. */
interface PeerClientsOptions {
  readonly certificates: PeerCertificateSource;
  /** host:port of a peer's RPC as the records have it now; undefined: there is no such host. */
  addressOf(hostId: HostId): string | undefined;
  /** Which run of this agent calls. Absent: not told. */
  readonly caller?: CallerRun;
  readonly limits?: ClientLimits;
}

/**
 * Clients for all peers, by host id. A peer whose address has changed gets a new client at its next use, and so does every
 * peer when this host's certificate was renewed; calls under way then go on, since TLS asks for a certificate only once.
 */
export class PeerClients {
  readonly #deps: PeerClientDeps;
  readonly #options: PeerClientsOptions;
  readonly #clients = new Map<HostId, { readonly client: PeerClient; readonly certificates: PeerCertificates }>();
  /** Clients with an earlier certificate or address on which calls are under way: closed when those have ended. */
  readonly #retired = new Set<PeerClient>();
  /** Peers that were asked for since the last `closeUnused`. */
  readonly #used = new Set<HostId>();
  #closed = false;

  constructor(deps: PeerClientDeps, options: PeerClientsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** host:port of a peer's RPC; undefined: there is no such host. */
  addressOf(hostId: HostId): string | undefined {
    return this.#options.addressOf(hostId);
  }

  /** The client for a peer. Throws `NOT_FOUND` for a host without a record, `CANCELLED` after `close`. */
  to(hostId: HostId): PeerClient {
    if (this.#closed) throw new ShoalError('CANCELLED', 'The agent is stopping.');
    this.#used.add(hostId);
    const address = this.#options.addressOf(hostId);
    const certificates = this.#options.certificates.current();
    const known = this.#clients.get(hostId);
    if (known !== undefined && known.client.address === address && known.certificates === certificates) {
      return known.client;
    }
    if (known !== undefined) {
      this.#retire(known.client);
    }
    this.#clients.delete(hostId);
    if (address === undefined) {
      throw new ShoalError('NOT_FOUND', `No host ${hostId} is in the records.`, { facts: { hostId } });
    }
    const client = this.at(hostId, address);
    this.#clients.set(hostId, { client, certificates });
    return client;
  }

  /**
   * A peer has not answered though its host is there: its connection may be dead without anybody knowing, as those without a call
   * are not pinged. The next call makes a new one; calls under way go on.
   */
  reconnect(hostId: HostId): void {
    const known = this.#clients.get(hostId);
    if (known === undefined) return;
    this.#clients.delete(hostId);
    this.#retire(known.client);
  }

  /** A client of its own for a host at an address that is not the recorded one. The caller closes it. */
  at(hostId: HostId, address: string): PeerClient {
    const { limits, caller, certificates } = this.#options;
    return new PeerClient(this.#deps, {
      hostId,
      address,
      certificates: certificates.current(),
      ...(caller === undefined ? {} : { caller }),
      ...(limits === undefined ? {} : { limits }),
    });
  }

  #retire(client: PeerClient): void {
    client.closeWhenIdle();
    for (const other of this.#retired) if (!other.isBusy) this.#retired.delete(other);
    if (client.isBusy) this.#retired.add(client);
  }

  /** Clients that were replaced and are kept for the calls under way on them. */
  get retired(): number {
    return this.#retired.size;
  }

  /** Peers that there are clients for. */
  get count(): number {
    return this.#clients.size;
  }

  /**
   * Closes the connections on which no call is under way to peers that nobody has asked for since the last time: whom a host
   * talks to changes with its guests, its observers and its replica, and each connection is pinged for as long as it is there.
   */
  closeUnused(): void {
    for (const { client } of this.#clients.values()) {
      if (client.isBusy || this.#used.has(client.hostId)) continue;
      this.#clients.delete(client.hostId);
      client.closeWhenIdle();
    }
    for (const client of this.#retired) if (!client.isBusy) this.#retired.delete(client);
    this.#used.clear();
  }

  /** Ends the connections to hosts that have no record any more, with all calls under way. */
  cutRemoved(): void {
    const isGone = (client: PeerClient): boolean => this.#options.addressOf(client.hostId) === undefined;
    for (const { client } of this.#clients.values()) {
      if (!isGone(client)) continue;
      this.#clients.delete(client.hostId);
      client.cut();
    }
    for (const client of this.#retired) {
      if (!isGone(client)) continue;
      this.#retired.delete(client);
      client.cut();
    }
  }

  /** Closes all. Safe to call twice. */
  close(): void {
    this.#closed = true;
    for (const { client } of this.#clients.values()) client.close();
    for (const client of this.#retired) client.close();
    this.#clients.clear();
    this.#retired.clear();
  }
}
