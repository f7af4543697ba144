/**
 * A listening socket with its bounds and, unless it is plain, its TLS. What speaks on it (HTTP/1.1, gRPC) is handed each
 * connection once it may be spoken on. Every listener of an agent is one of these, so that none has fewer bounds.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { type SecureContext, type SecureContextOptions, type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { ConnectionGuard } from './connection-guard.ts';
import type { ListenerLimits } from './limits.ts';

/** Longest queue of connections that the kernel keeps until they are accepted. */
const backlog = 512;
/** First byte of a TLS record that holds a handshake (RFC 8446, section 5.1). */
const tlsHandshakeByte = 0x16;

/** Where a listener gets its certificate, and hears that there is another. */
export interface TlsSource {
  /** Certificate chain, key and, where members are asked for theirs, the authority; undefined while there is none. */
  current(): SecureContextOptions | undefined;
  /** Calls `changed` after each change; returns what ends that. */
  subscribe(changed: () => void): () => void;
}

/** The TLS of a listener. */
export interface ListenerTls {
  readonly source: TlsSource;
  /** What is spoken inside: `h2` or `http/1.1`. */
  readonly protocol: 'h2' | 'http/1.1';
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** What is shown to a client that asks for this name (SNI) instead of the source's; undefined: the source's. */
  readonly contextFor?: (serverName: string) => SecureContext | undefined;
  /** Ask for a certificate without insisting on one. */
  readonly asksForCertificate?: boolean;
}

/** What a listener is given: its bounds, its TLS, and who takes the connections. */
export interface ListenerOptions {
  readonly limits: ListenerLimits;
  /** Absent: plain text. */
  readonly tls?: ListenerTls;
  /** Called with each connection that may be spoken on: a `TLSSocket` with `tls`. */
  readonly onConnection: (socket: Socket) => void;
  /** Whether TLS has proved a connection to be a member's: such a one is not counted. Default: none is. */
  readonly isMember?: (socket: TLSSocket) => boolean;
  /** Addresses to which the bound for one address does not apply. Default: none. */
  readonly isExempt?: (address: string) => boolean;
}

/**
 * One port (or Unix socket) and its connections. The handler comes with the options; `listen` opens the port, `address`
 * tells which one it is. What speaks on it says by `request` when one begins, so that a stop can wait for its end.
 */
export class Listener {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #tls: TlsServer | undefined;
  readonly #guard: ConnectionGuard;
  /** Every connection, counted or not, by its other end, which no two have in common: what a stop has to cut. */
  readonly #sockets = new Map<string, Socket>();
  /** The connection below each one that was handed on. */
  readonly #below = new WeakMap<Socket, Socket>();
  /** Those of them whose TLS is made. */
  readonly #securedSockets = new Set<TLSSocket>();
  /** Connections on which a request has begun: they are silent no more, whenever its bytes came. */
  readonly #spoken = new WeakSet<Socket>();
  #accepted = 0;
  #requests = 0;
  /** Who waits until no request is under way. */
  readonly #onDrained = new Set<() => void>();
  #unsubscribe: (() => void) | undefined;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }, options: ListenerOptions) {
    this.#clock = deps.clock;
    this.#logger = deps.logger;
    this.#options = options;
    this.#guard = new ConnectionGuard(deps.clock, options.limits, options.isExempt ?? (() => false));
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
    if (options.tls !== undefined) this.#tls = this.#makeTls(options.tls);
  }

  /** Where it listens; null before, and for a Unix socket. */
  get address(): AddressInfo | null {
    const address = this.#server.address();
    return typeof address === 'object' ? address : null;
  }

  /** Connections that count towards the bounds now, and how many were cut or refused to keep within them. */
  get connections(): { readonly counted: number; readonly cut: number } {
    return { counted: this.#guard.size, cut: this.#guard.cut };
  }

  /** Whether any connection is open. */
  get isConnected(): boolean {
    return this.#sockets.size > 0;
  }

  /** Waits until no request is under way, for `graceMs` at most. For what tells by `request`; any number may wait. */
  drained(graceMs: number): Promise<void> {
    if (this.#requests === 0) return Promise.resolve();
    return new Promise((resolve) => {
      // Not the clock's timer, which does not keep the process alive: nothing else may be left that does.
      const over = (): void => {
        clearTimeout(timer);
        this.#onDrained.delete(over);
        resolve();
      };
      const timer = setTimeout(over, graceMs);
      this.#onDrained.add(over);
    });
  }

  /** Listens on `host` and `port` (0: any free one) or on a Unix socket. Throws `UNAVAILABLE`. */
  async listen(where: { readonly host: string; readonly port: number } | { readonly path: string }): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void =>
        reject(ShoalError.from(error, 'UNAVAILABLE', `listening on ${told(where)}`));
      this.#server.once('error', failed);
      this.#server.listen({ ...where, backlog }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#logger.error({ err: error }, 'a listener failed'));
        resolve();
      });
    });
  }

  /** A request begins or has ended on a connection that was handed on: it is not idle in between. */
  request(socket: Socket, change: 1 | -1): void {
    const below = this.#below.get(socket) ?? socket;
    this.#guard.request(below, change);
    this.#spoken.add(below);
    this.#requests += change;
    if (this.#requests === 0) for (const over of this.#onDrained) over();
  }

  /** Takes no new connections; those there are go on. Safe to call twice. */
  close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    if (this.#server.listening) this.#server.close();
  }

  /** Whether the connection from `ip:port` (an IPv6 address without brackets) is open. */
  isConnectedFrom(remoteAddress: string): boolean {
    return this.#sockets.has(remoteAddress);
  }

  /** Cuts connections whose TLS is made, and with them all that is under way there. Returns how many. */
  cut(isToGo: (socket: TLSSocket) => boolean): number {
    const going = [...this.#securedSockets].filter((socket) => isToGo(socket));
    for (const socket of going) socket.destroy();
    return going.length;
  }

  /** Cuts what is left. */
  cutAll(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#guard.stop();
  }

  #makeTls(tls: ListenerTls): TlsServer {
    const { source, protocol, minVersion, contextFor, asksForCertificate = false } = tls;
    const server = new TlsServer({
      ...source.current(),
      ALPNProtocols: [protocol],
      minVersion,
      handshakeTimeout: this.#options.limits.handshakeMsMax,
      requestCert: asksForCertificate,
      rejectUnauthorized: false,
      ...(contextFor === undefined
        ? {}
        : {
            SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) => {
              try {
                done(null, contextFor(name));
              } catch (caught) {
                done(ShoalError.from(caught, 'UNAVAILABLE', 'choosing a certificate'));
              }
            },
          }),
    });
    server.on('secureConnection', (socket) => this.#secured(socket));
    server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
      this.#logger.debug({ err: error, ip: socket.remoteAddress }, 'a TLS handshake failed');
      socket.destroy();
    });
    this.#unsubscribe = source.subscribe(() => {
      const context = source.current();
      if (context !== undefined) server.setSecureContext({ ...context, minVersion });
    });
    return server;
  }

  #accept(socket: Socket): void {
    // A connection that breaks has nobody to tell.
    socket.on('error', () => socket.destroy());
    const isLocal = socket.remoteAddress === undefined;
    if (!isLocal && !this.#guard.admit(socket)) {
      socket.destroy();
      return;
    }
    this.#accepted += 1;
    const key = isLocal ? `local ${this.#accepted}` : otherEnd(socket);
    this.#sockets.set(key, socket);
    socket.once('close', () => this.#sockets.delete(key));
    if (this.#tls === undefined) {
      if (!isLocal) this.#expectBytes(socket);
      this.#options.onConnection(socket);
      return;
    }
    this.#expectBytes(socket);
    this.#handshake(socket, this.#tls);
  }

  /** TLS when the first byte is TLS's; who speaks HTTP in the clear is told so and not left with a broken connection. */
  #handshake(socket: Socket, tls: TlsServer): void {
    socket.once('data', (first: Buffer) => {
      socket.pause();
      if (first[0] !== tlsHandshakeByte) {
        socket.end(plainTextRefusal);
        return;
      }
      socket.unshift(first);
      tls.emit('connection', socket);
    });
  }

  #secured(socket: TLSSocket): void {
    socket.on('error', () => socket.destroy());
    this.#securedSockets.add(socket);
    socket.once('close', () => this.#securedSockets.delete(socket));
    const below = this.#sockets.get(otherEnd(socket));
    if (below !== undefined) {
      this.#below.set(socket, below);
      if (this.#options.isMember?.(socket) === true) this.#guard.release(below);
      else this.#expectBytes(below);
    }
    this.#options.onConnection(socket);
  }

  /**
   * Cuts a connection on which nothing more arrives in the time for a first byte, and no request has: the first one may come
   * in one piece with the end of the handshake.
   */
  #expectBytes(socket: Socket): void {
    const { firstByteMsMax } = this.#options.limits;
    const before = socket.bytesRead;
    const timer = this.#clock.setTimeout(() => {
      // Timers run before what has come from the network: an agent that got no CPU reads first, and judges then.
      setImmediate(() => {
        if (socket.bytesRead === before && !this.#spoken.has(socket)) socket.destroy();
      });
    }, firstByteMsMax);
    socket.once('close', () => timer.cancel());
  }
}

/** The other end of a connection as gRPC writes it. */
export function otherEnd(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

const plainTextRefusal = ((): string => {
  const text = 'This port speaks HTTPS: use https:// and the certificate of the mesh (shoal ca).\n';
  return (
    'HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n' +
    `content-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`
  );
})();

function told(where: { readonly host: string; readonly port: number } | { readonly path: string }): string {
  return 'path' in where ? where.path : `${where.host}:${where.port}`;
}
