/** The doors of the REST gateway: HTTP over the product's bounded listeners. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../node/base/clock.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { Listener, type TlsSource } from '../../../node/rpc/listener/listener.ts';
import { type GatewayLimits, listenerLimits } from '../../kit/limits.ts';
import { refuseBrokenHttp } from './http-refusals.ts';

interface HttpListenersDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: GatewayLimits;
  /** Certificates. Absent: plain HTTP. */
  readonly tls: TlsSource | undefined;
  /** Whether an address is free of the bounds that hold for one client. */
  readonly isExempt: (address: string) => boolean;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** Which requests become another protocol, and what speaks it. Absent: none does. */
  readonly upgrades?: Upgrades | undefined;
}

/** What takes connections over. */
interface Upgrades {
  /** False: a request like any other. */
  readonly takes: (request: IncomingMessage) => boolean;
  readonly serve: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** Listens on any number of addresses. */
export class HttpListeners {
  readonly #deps: HttpListenersDeps;
  readonly #listening: { readonly http: Server; readonly listener: Listener }[] = [];

  constructor(deps: HttpListenersDeps) {
    this.#deps = deps;
  }

  /** Addresses listened on. */
  get addresses(): readonly AddressInfo[] {
    return this.#listening.map(({ listener }) => listener.address).filter((address) => address !== null);
  }

  /** Port 0: any free one. Throws what the system says when the address cannot be had. */
  async listen(host: string, port: number): Promise<void> {
    const { limits, tls, upgrades } = this.#deps;
    const http = createServer(
      {
        maxHeaderSize: limits.headerBytesMax,
        headersTimeout: limits.headersTimeoutMs,
        // A whole upload may take long; silence is what `timeout` bounds, and other requests have their own timer.
        requestTimeout: 0,
        keepAliveTimeout: limits.keepAliveMs,
        connectionsCheckingInterval: 5000,
        shouldUpgradeCallback: (request) => upgrades?.takes(request) === true,
      },
      (request, response) => {
        // Idle is a connection without a request: only such a one is cut to make room.
        const { socket } = request;
        listener.request(socket, 1);
        response.once('close', () => listener.request(socket, -1));
        this.#deps.onRequest(request, response);
      },
    );
    http.timeout = limits.idleTimeoutMs;
    // It never listens itself; this starts its watch over slow headers and idle connections.
    http.emit('listening');
    http.on('upgrade', (request, socket, head) => {
      // What has become something else is under way until it ends.
      if (socket instanceof Socket) {
        listener.request(socket, 1);
        socket.once('close', () => listener.request(socket, -1));
      }
      upgrades?.serve(request, socket, head);
    });
    http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseBrokenHttp(error, socket));
    const listener = new Listener(this.#deps, {
      limits: listenerLimits(limits),
      ...(tls === undefined ? {} : { tls: { source: tls, protocol: 'http/1.1', minVersion: 'TLSv1.2' } }),
      isExempt: this.#deps.isExempt,
      onConnection: (socket) => http.emit('connection', socket),
    });
    await listener.listen({ host, port });
    this.#listening.push({ http, listener });
  }

  /** Takes no new connections, and cuts those there are once their requests have ended or `stopGraceMs` has passed. */
  async close(): Promise<void> {
    const { limits } = this.#deps;
    await Promise.all(
      this.#listening.map(async ({ http, listener }) => {
        listener.close();
        if (listener.isConnected) await sleepAwake(limits.lingerMs);
        http.closeIdleConnections();
        await listener.drained(limits.stopGraceMs);
        listener.cutAll();
        // It never listened itself: closing it ends its watch over idle connections.
        http.close();
      }),
    );
  }
}

/** Not by the clock, whose timers do not keep the process alive: nothing else may be left that does. */
function sleepAwake(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
