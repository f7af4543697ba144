/**
 * Consoles over WebSockets, at any agent: the token in the path names the guest's host, to which all is passed on. What lets a
 * session in is the token and nothing that a browser sends by itself; a page of another origin is refused all the same
 * (as Nova does since CVE-2015-0259).
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { mibBytes } from '../../node/base/units.ts';
import type { ConsoleDoor, ConsoleSession } from '../../node/services/kit/dependencies.ts';
import type { Authenticator } from '../kit/auth.ts';
import { failureOf } from '../kit/errors.ts';
import { refuseUpgrade } from '../rest/server/http-refusals.ts';

/** One message from a client, bytes: noVNC sends a clipboard at once, everything else is a few bytes. */
const messageBytesMax = mibBytes;
/** Sessions at once of one agent, each with some 200 KiB of buffers. */
const sessionsMax = 256;
/** How often a client is asked whether it is there; one that has not answered by the next time is gone. Unit: ms. */
const pingMs = 30_000;
/** How soon a session ends when its owner's right does. Unit: ms. */
const recheckMs = 5_000;
/** From the end of a session to the end of its connection: for the last bytes, and the close frame. Unit: ms. */
const closeMs = 2_000;
/** RFC 6455, section 7.4.1. */
const policyViolation = 1008;
const goingAway = 1001;
/** What noVNC speaks, and all that is spoken here. */
const subprotocol = 'binary';
const target = /^\/console\/(vnc|serial)\?(?:.*&)?token=([0-9a-f]{64})(?:&|$)/;

/** Where an upgrade comes from, as far as trusted proxies say. */
interface UpgradeOrigin {
  readonly address: string;
  /** Under which the client knows this agent: `https://host:port`. */
  readonly baseUrl: string;
}

interface ConsoleSessionsDeps {
  readonly consoles: Pick<ConsoleDoor, 'open'>;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Answers upgrades to WebSockets below `/console`. */
export class ConsoleSessions {
  readonly #deps: ConsoleSessionsDeps;
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: messageBytesMax,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
  });
  readonly #open = new Set<AbortController>();

  constructor(deps: ConsoleSessionsDeps) {
    this.#deps = deps;
  }

  /** Whether the request is an upgrade that is answered here; all others are requests like any. */
  takes(request: IncomingMessage): boolean {
    return request.headers.upgrade?.toLowerCase() === 'websocket' && request.url?.startsWith('/console/') === true;
  }

  /** Opens the console that the request names, or refuses in plain HTTP. Returns when the session is over. Never throws. */
  async serve(request: IncomingMessage, socket: Duplex, head: Buffer, origin: UpgradeOrigin): Promise<void> {
    const abort = new AbortController();
    socket.on('error', () => socket.destroy());
    socket.once('close', () => abort.abort());
    this.#open.add(abort);
    try {
      await this.#serve(request, socket, head, origin, abort.signal);
    } catch (caught) {
      const { mapping, message } = failureOf(caught);
      this.#deps.logger.debug({ err: caught, ip: origin.address }, 'a console was refused');
      refuseUpgrade(socket, mapping.http, message);
    } finally {
      this.#open.delete(abort);
    }
  }

  /** Ends all sessions: clients ask for another link, and another agent. */
  stop(): void {
    for (const abort of this.#open) abort.abort();
  }

  async #serve(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    { baseUrl }: UpgradeOrigin,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#open.size > sessionsMax) {
      throw new ShoalError('RATE_LIMITED', `${sessionsMax} consoles are open at this agent. Ask another one.`);
    }
    mustBeOwnOrigin(request.headers.origin, baseUrl);
    const [, kind, token] = target.exec(request.url ?? '') ?? [];
    if (token === undefined) throw new ShoalError('NOT_FOUND', 'The path names no console token.');
    // Ends the session at the guest's host.
    const end = new AbortController();
    signal.addEventListener('abort', () => end.abort(), { once: true });
    const stream = Promise.withResolvers<Duplex>();
    stream.promise.catch(() => {}); // Nobody types into a console that was refused.
    let session: ConsoleSession;
    try {
      session = await this.#deps.consoles.open(token, typedInto(stream.promise), end.signal);
    } catch (caught) {
      stream.reject(caught);
      throw caught;
    }
    const { granted, shown } = session;
    if (granted.kind !== kind) {
      const wrong = new ShoalError('NOT_FOUND', 'The token is of another kind of console.');
      stream.reject(wrong);
      end.abort();
      throw wrong;
    }
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      const sides = createWebSocketStream(opened, { decodeStrings: false });
      // A client that is cut off is no failure; both directions end with it.
      sides.on('error', () => sides.destroy());
      stream.resolve(sides);
      this.#watch(opened, sides, granted.sessionToken, signal);
    });
    try {
      const sides = await firstOf(stream.promise, signal);
      sides.once('close', () => end.abort());
      for await (const bytes of shown) {
        if (sides.destroyed) break;
        if (!sides.write(bytes)) await roomIn(sides);
      }
      sides.end();
    } catch (caught) {
      // The connection is a WebSocket by now, and its end is all that can be said.
      if (!signal.aborted) this.#deps.logger.debug({ err: caught }, 'a console broke off');
    } finally {
      stream.reject(new ShoalError('CANCELLED', 'the console is closed'));
      end.abort();
    }
  }

  /** Watches over an open session: is the client there, may it still be. */
  #watch(socket: WebSocket, sides: Duplex, sessionToken: string, signal: AbortSignal): void {
    const { clock } = this.#deps;
    let isThere = true;
    socket.on('pong', () => {
      isThere = true;
    });
    const pings = clock.setInterval(() => {
      if (!isThere) socket.terminate();
      isThere = false;
      socket.ping();
    }, pingMs);
    const rechecks = clock.setInterval(() => {
      void this.#mayStay(sessionToken, signal).then((may) => {
        if (!may) socket.close(policyViolation, 'Your right to this console has ended.');
      });
    }, recheckMs);
    // A WebSocket's stream that has ended waits for the other side's close frame, which may never come.
    sides.once('finish', () => void clock.setTimeout(() => socket.terminate(), closeMs));
    const end = (): void => {
      socket.close(goingAway);
      clock.setTimeout(() => socket.terminate(), closeMs);
    };
    signal.addEventListener('abort', end, { once: true });
    socket.once('close', () => {
      pings.cancel();
      rechecks.cancel();
      signal.removeEventListener('abort', end);
    });
  }

  /** An agent that cannot look (it holds a slice of the records, or no quorum answers) leaves a session as it is. */
  async #mayStay(sessionToken: string, signal: AbortSignal): Promise<boolean> {
    if (sessionToken === '') return true;
    try {
      await this.#deps.authenticator.authenticate(sessionToken, signal);
      return true;
    } catch (caught) {
      return !ShoalError.is(caught, 'UNAUTHENTICATED');
    }
  }
}

async function* typedInto(opened: Promise<Duplex>): AsyncGenerator<Uint8Array> {
  const stream = await opened;
  for await (const chunk of stream) yield chunk;
}

/** Programs send no `Origin`; a browser sends that of the page. */
function mustBeOwnOrigin(origin: string | undefined, baseUrl: string): void {
  if (origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).origin === new URL(baseUrl).origin) return;
  throw new ShoalError('FORBIDDEN', 'Origin header does not match this host.');
}

function firstOf(opened: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new ShoalError('CANCELLED', 'The caller has gone away.'));
    if (signal.aborted) gone();
    signal.addEventListener('abort', gone, { once: true });
    opened.then(resolve, reject);
  });
}

function roomIn(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
    if (stream.destroyed) done();
  });
}
