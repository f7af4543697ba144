/**
 * The REST gateway: one base URL, all services below it. This file owns what is the same for each of them: listeners,
 * bounds, request ids, tokens, faults, stale marks. What a service adds is a `RestModule` (rest/kit/module.ts).
 *
 * A request's way: listener -> rate limit -> token -> policy -> body (bounded, parsed) -> the module's handler -> a service
 * in node/services -> the answer, or a fault in the shape of that service.
 */

import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AssertionError, assert } from '../node/base/assert.ts';
import type { Clock } from '../node/base/clock.ts';
import { ShoalError } from '../node/base/errors.ts';
import type { Service } from '../node/base/lifecycle.ts';
import { ownValue } from '../node/base/own-value.ts';
import type { Logger } from '../node/base/telemetry/logger.ts';
import { RepeatedLog } from '../node/base/telemetry/repeated-log.ts';
import type { RelayOrigin, RestAnswer, RestHead } from '../node/mesh/relay/relayed.ts';
import { addressGroup } from '../node/rpc/listener/address-group.ts';
import type { TlsSource } from '../node/rpc/listener/listener.ts';
import type { ConsoleDoor } from '../node/services/kit/dependencies.ts';
import type { StateClient } from '../node/state/types.ts';
import { ConsoleSessions } from './console/console-sessions.ts';
import type { ApiRelay } from './kit/api-relay.ts';
import { type Authenticator, policyCredentials, tokenCharactersMax } from './kit/auth.ts';
import { isHostAndPort, type Origin, TrustedProxies } from './kit/forwarding.ts';
import { defaultLimits, type GatewayLimits } from './kit/limits.ts';
import { TokenBuckets } from './kit/token-bucket.ts';
import { AccessPolicy, type PolicyOverrides } from './policies/access-policy.ts';
import { nativePolicies } from './policies/native.ts';
import { FreshReads } from './rest/kit/fresh-reads.ts';
import { acceptJson } from './rest/kit/json-body.ts';
import type { Gateway, RestModule } from './rest/kit/module.ts';
import { answerByReplica } from './rest/kit/relayed-answers.ts';
import { RelayedRequests } from './rest/kit/relayed-requests.ts';
import { findRequest, openRequest, requestState } from './rest/kit/request.ts';
import { checkRequestLine } from './rest/kit/request-line.ts';
import { KnownRoutes, type Route } from './rest/kit/routes-known.ts';
import { FaultAnswers } from './rest/server/fault-answers.ts';
import { HttpListeners } from './rest/server/http-listeners.ts';
import { refuseUpgrade } from './rest/server/http-refusals.ts';
import { ModulePaths } from './rest/server/module-paths.ts';
import { authorize, authorizeAction, contextFor, guardOf, guardRoute, principalOf } from './rest/server/route-guard.ts';

/** How long a handler has to heed its signal before the gateway answers in its stead, milliseconds. */
const timeoutGraceMs = 1000;

/** What the gateway stands on. */
interface RestServerDependencies {
  readonly state: StateClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly authenticator: Authenticator;
  /** A fresh UUID. */
  readonly newId: () => string;
  /** Called when a handler breaks an invariant, after the answer: the agent stops itself. */
  readonly onInvariantBroken?: (error: unknown) => void;
  /** Hears of each answered request; for metrics. */
  readonly onAnswered?: (sample: AnsweredRequest) => void;
}

/** One answered request. */
interface AnsweredRequest {
  readonly service: string;
  readonly method: string;
  /** The route's pattern, never the path itself: metrics must not grow with ids. Empty: no route. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** How it is set up. */
interface RestServerOptions {
  /** Where to listen. Port 0: any free one. */
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  readonly modules: readonly RestModule[];
  readonly limits?: Partial<GatewayLimits>;
  /** Certificates. Absent: plain HTTP. */
  readonly tls?: TlsSource;
  /** Base URL to put in links, whatever address the caller used. Default: what the caller used. */
  readonly publicUrl?: string;
  /** Proxies that are believed about whom they speak for. Default: none. */
  readonly trustedProxies?: TrustedProxies;
  /** Rules that the operator has set. Default: none. */
  readonly policy?: PolicyOverrides;
  /** Where requests are answered. Default: here. */
  readonly relay?: ApiRelay;
  /** Opens consoles, for WebSockets. Absent: there are none. */
  readonly consoles?: Pick<ConsoleDoor, 'open'>;
}

/** Serves the modules. `start` returns once every listener listens. */
export class RestServer implements Service {
  /** The router, for tests (`inject`). */
  readonly app: FastifyInstance;
  readonly limits: GatewayLimits;
  readonly #deps: RestServerDependencies;
  readonly #options: RestServerOptions;
  readonly #reads: FreshReads;
  readonly #repeated: RepeatedLog;
  readonly #requests: TokenBuckets;
  readonly #known = new KnownRoutes();
  readonly #unguarded: string[] = [];
  readonly #proxies: TrustedProxies;
  readonly #relayed: RelayedRequests;
  readonly #stopping = new AbortController();
  #isStarted = false;
  readonly #modules: ModulePaths;
  readonly #faults: FaultAnswers;
  readonly #listeners: HttpListeners;
  readonly #sessions: ConsoleSessions | undefined;
  #stopped: Promise<void> | undefined;

  constructor(deps: RestServerDependencies, options: RestServerOptions) {
    this.limits = { ...defaultLimits, ...options.limits };
    assert(this.limits.idleTimeoutMs > this.limits.requestTimeoutMs, 'idleTimeoutMs must exceed requestTimeoutMs');
    this.#deps = deps;
    this.#options = options;
    this.#proxies = options.trustedProxies ?? new TrustedProxies('');
    this.#reads = new FreshReads(deps.state, deps.clock, this.limits);
    this.#repeated = new RepeatedLog(deps);
    this.#requests = new TokenBuckets(deps.clock, {
      perSecond: this.limits.requestsPerSecond,
      burst: this.limits.requestsBurst,
      keysMax: this.limits.limiterKeysMax,
    });
    this.#modules = new ModulePaths(options.modules);
    this.#faults = new FaultAnswers({
      logger: deps.logger,
      limits: this.limits,
      modules: this.#modules,
      routes: this.#known,
      baseUrl: (request) => this.#baseUrl(request),
      isStopping: () => this.#stopped !== undefined,
      onInvariantBroken: deps.onInvariantBroken,
    });
    const { consoles } = options;
    this.#sessions = consoles && new ConsoleSessions({ ...deps, consoles });
    this.#listeners = new HttpListeners({
      clock: deps.clock,
      logger: deps.logger,
      limits: this.limits,
      tls: options.tls,
      isExempt: (address) => this.#proxies.trusts(address),
      onRequest: (request, response) => this.app.routing(request, response),
      upgrades: this.#sessions && {
        takes: (request) => this.#sessions?.takes(request) === true,
        serve: (request, socket, head) => this.#upgrade(request, socket, head),
      },
    });
    this.app = this.#build();
    this.#relayed = new RelayedRequests(this.limits, (request, response) => this.app.routing(request, response));
  }

  /** Every route there is, once the modules have been mounted (`start`, `app.ready`). */
  get routes(): readonly Route[] {
    return this.#known.all;
  }

  /** Addresses listened on, once started. */
  get addresses(): readonly AddressInfo[] {
    return this.#listeners.addresses;
  }

  /** Runs a request that another agent relays (see `RelayedApi.rest`). */
  async relayed(
    head: RestHead,
    origin: RelayOrigin,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<RestAnswer> {
    if (!this.isOpen) throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping; ask another one.');
    return this.#relayed.run(head, origin, body, signal);
  }

  /** Whether requests are answered: started, and not stopping. */
  get isOpen(): boolean {
    return this.#isStarted && this.#stopped === undefined;
  }

  async start(): Promise<void> {
    await this.app.ready();
    // Not thrown where the route is added: the router would notice only when it gives up waiting for the module.
    const [unguarded] = this.#unguarded;
    if (unguarded !== undefined) throw AccessPolicy.missing(unguarded);
    try {
      for (const { host, port } of this.#options.listen) await this.#listeners.listen(host, port);
      this.#isStarted = true;
    } catch (error) {
      await this.stop();
      throw ShoalError.from(error, 'UNAVAILABLE', 'The REST gateway cannot listen');
    }
  }

  /**
   * Takes no new connections; answers on those there are, for a moment, and asks their clients to go elsewhere; waits a
   * bounded time for requests under way, then cuts what is left. An idle connection that is cut at once may have a request on
   * its way, and no client may send a POST again.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#close();
    return this.#stopped;
  }

  async #close(): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'The agent is stopping.'));
    this.#sessions?.stop();
    await Promise.all([this.#relayed.stop(this.limits.stopGraceMs), this.#listeners.close()]);
    await this.app.close();
  }

  #build(): FastifyInstance {
    const { limits } = this;
    const app = fastify({
      logger: false,
      bodyLimit: limits.jsonBodyBytesMax,
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: limits.pathParameterCharactersMax },
      rewriteUrl: (request) => this.#modules.rewritten(request),
      genReqId: () => `req-${this.#deps.newId()}`,
      return503OnClosing: false,
      // Requests and answers have schemas of our own. Fastify loads its two compilers where none are given: 1.3 MB of programs.
      schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
      frameworkErrors: (error, request, reply) => {
        this.#faults.fail(error, request, reply, this.#modules.moduleOf(request.url));
      },
    });
    app.removeAllContentTypeParsers();
    acceptJson(app, ['application/json']);
    app.addHook('onRoute', (route) => this.#known.add(route.url, route.method, () => route.config));
    app.addHook('onRequest', async (request, reply) => this.#open(request, reply));
    app.addHook('onRequest', async (request, reply) => this.#route(request, reply));
    app.addHook('onSend', async (_request, reply) => {
      // Else an idle connection would hold up the stop for as long as it is kept alive.
      if (this.#stopped !== undefined) reply.header('connection', 'close');
    });
    app.addHook('onResponse', async (request, reply) => this.#answered(request, reply));
    app.setErrorHandler((error, request, reply) =>
      this.#faults.fail(error, request, reply, this.#modules.moduleOf(request.url)),
    );
    app.setNotFoundHandler((request, reply) =>
      this.#faults.notFound(request, reply, this.#modules.moduleOf(request.url)),
    );
    for (const module of this.#options.modules) {
      for (const prefix of module.prefixes) this.#mount(app, module, prefix);
    }
    return app;
  }

  /** A connection becomes a WebSocket. It has no request of Fastify's; the bound of requests holds for it all the same. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { remoteAddress = '' } = request.socket;
    const origin = this.#proxies.originOf(remoteAddress, (name) => headerOf(request, name));
    const waitSeconds = this.#requests.take(addressGroup(origin.address));
    if (waitSeconds > 0) {
      refuseUpgrade(socket, 429, 'This address sends too many requests.');
      return;
    }
    const baseUrl = this.#baseUrlOf(request.socket, origin, request.headers.host ?? '');
    void this.#sessions?.serve(request, socket, head, { address: origin.address, baseUrl });
  }

  #mount(app: FastifyInstance, module: RestModule, prefix: string): void {
    const access = new AccessPolicy(module.policies, { asked: nativePolicies, overrides: this.#options.policy ?? {} });
    void app.register(
      (scope, _options, done) => {
        scope.addHook('onRoute', (route) => {
          this.#unguarded.push(...guardRoute(route, access, prefix));
        });
        scope.addHook('onRequest', async (request) => this.#authenticate(request));
        scope.addHook('onRequest', async (request) => authorize(request));
        scope.addHook('preHandler', async (request) => authorizeAction(request));
        scope.setErrorHandler((error, request, reply) => this.#faults.fail(error, request, reply, module));
        module.register(scope, this.#gateway);
        done();
      },
      { prefix },
    );
  }

  readonly #gateway: Gateway = this.#makeGateway();

  #makeGateway(): Gateway {
    const server = this;
    return {
      get clock() {
        return server.#deps.clock;
      },
      get logger() {
        return server.#deps.logger;
      },
      get limits() {
        return server.limits;
      },
      context: contextFor,
      principal: principalOf,
      credentials: (request) => policyCredentials(principalOf(request)),
      allows: (request, rule, target) =>
        guardOf(request).access.allows(rule, policyCredentials(principalOf(request)), target),
      enforce: (request, rule, target) =>
        guardOf(request).access.enforce(rule, policyCredentials(principalOf(request)), target),
      signal: (request) => requestState(request).abort.signal,
      baseUrl: (request) => this.#baseUrl(request),
      clientAddress: (request) => requestState(request).clientAddress,
      readState: (request) => this.#readState(request),
      partial: (request) => requestState(request).partial,
      recheck: async (request) => {
        await server.#authenticate(request);
        authorize(request);
      },
      get stopping() {
        return server.#stopping.signal;
      },
      routes: () => server.routes,
      isStale: (request) => requestState(request).stale,
    };
  }

  async #open(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { clock } = this.#deps;
    const abort = new AbortController();
    const state = {
      clientAddress: this.#origin(request).address,
      reply,
      abort,
      startedMs: clock.monotonicMs(),
      principal: undefined,
      rule: undefined,
      stale: false,
      partial: undefined,
      timer: undefined,
    };
    openRequest(request, state);
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) abort.abort(new ShoalError('CANCELLED', 'The caller has gone away.'));
    });
    const module = this.#modules.moduleOf(request.url);
    for (const header of module?.requestIdHeaders ?? ['x-openstack-request-id']) reply.header(header, request.id);
    const timeoutMs = request.routeOptions.config.timeoutMs ?? this.limits.requestTimeoutMs;
    if (timeoutMs > 0) requestState(request).timer = clock.setTimeout(() => this.#timeOut(request, reply), timeoutMs);
    const waitSeconds = this.#requests.take(addressGroup(state.clientAddress));
    if (waitSeconds > 0) {
      throw new ShoalError('RATE_LIMITED', 'This address sends too many requests.', {
        facts: { retryAfterSeconds: waitSeconds },
      });
    }
    if (this.#known.lacksId(request.url)) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
    checkRequestLine(request);
  }

  /** Has a replica answer, where this agent is none. */
  async #route(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { relay } = this.#options;
    const isLocal = request.routeOptions.config.local === true;
    if (this.#relayed.originOf(request.socket) !== undefined) {
      // What an agent says of itself is asked of itself; and the address that a relaying agent names proves nothing there.
      if (isLocal) throw new ShoalError('NOT_FOUND', 'The resource could not be found.');
      return;
    }
    if (relay === undefined || isLocal) return;
    const state = requestState(request);
    const outcome = await answerByReplica(relay, request, reply, {
      origin: { clientAddress: state.clientAddress, baseUrl: this.#baseUrl(request) },
      signal: state.abort.signal,
      isStopping: () => this.#stopped !== undefined,
      drain: () => this.#faults.drain(request),
    });
    if (outcome.kind === 'here') state.partial = outcome.partial;
  }

  #timeOut(request: FastifyRequest, reply: FastifyReply): void {
    const state = requestState(request);
    const error = new ShoalError('DEADLINE_EXCEEDED', 'The request took longer than it may.');
    state.abort.abort(error);
    state.timer = this.#deps.clock.setTimeout(() => {
      if (!reply.sent) reply.send(error);
    }, timeoutGraceMs);
  }

  async #authenticate(request: FastifyRequest): Promise<void> {
    if (request.is404 || request.routeOptions.config.public === true) return;
    const token = request.headers['x-auth-token'];
    if (typeof token !== 'string' || token === '') {
      throw new ShoalError('UNAUTHENTICATED', 'The request you have made requires authentication.');
    }
    if (token.length > tokenCharactersMax) {
      throw new ShoalError('UNAUTHENTICATED', 'The token is longer than any token of this mesh.');
    }
    const state = requestState(request);
    state.principal = await this.#deps.authenticator.authenticate(token, state.abort.signal);
  }

  #answered(request: FastifyRequest, reply: FastifyReply): void {
    const state = findRequest(request);
    if (state === undefined) return;
    state.timer?.cancel();
    const sample: AnsweredRequest = {
      service: this.#modules.moduleOf(request.url)?.name ?? 'none',
      method: request.method,
      route: request.is404 ? '' : (request.routeOptions.url ?? ''),
      status: reply.statusCode,
      seconds: (this.#deps.clock.monotonicMs() - state.startedMs) / 1000,
    };
    this.#deps.onAnswered?.(sample);
    this.#deps.logger.debug(
      {
        ...sample,
        requestId: request.id,
        ip: state.clientAddress,
        userId: state.principal?.userId,
        stale: state.stale,
      },
      'request answered',
    );
  }

  async #readState(request: FastifyRequest) {
    const state = requestState(request);
    const { partial } = state;
    if (partial !== undefined) {
      state.stale = true;
      state.reply.header('x-shoal-stale', String(partial.stale));
      state.reply.header('x-shoal-partial', 'true');
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      return partial.read(isRead && this.#modules.moduleOf(request.url)?.decidesRights !== true);
    }
    const view = await this.#reads.read(state.abort.signal);
    if (view.stale !== undefined) {
      state.stale = true;
      state.reply.header('x-shoal-stale', String(view.stale));
      this.#repeated.warn(
        'stale',
        {
          requestId: request.id,
          url: request.url,
          staleSeconds: view.stale,
          missingVoters: this.#deps.state.status().missingVoters,
        },
        'answered from a stale view',
      );
    }
    return view.reader;
  }

  #origin(request: FastifyRequest): Origin {
    const relayed = this.#relayed.originOf(request.socket);
    if (relayed !== undefined) return { address: relayed.clientAddress, scheme: undefined, host: undefined };
    return this.#proxies.originOf(request.socket.remoteAddress ?? '', (name) => {
      return headerOf(request.raw, name);
    });
  }

  #baseUrl(request: FastifyRequest): string {
    const relayed = this.#relayed.originOf(request.socket);
    if (relayed !== undefined) return relayed.baseUrl;
    return this.#baseUrlOf(request.socket, this.#origin(request), request.headers.host ?? '');
  }

  #baseUrlOf(socket: Socket, origin: Origin, asked: string): string {
    if (this.#options.publicUrl !== undefined) return this.#options.publicUrl.replace(/\/+$/, '');
    const scheme = origin.scheme ?? (socket instanceof TLSSocket ? 'https' : 'http');
    const host = origin.host ?? asked;
    // A name or an address and a port; anything else would let a caller write what it likes into links and headers.
    if (isHostAndPort(host)) return `${scheme}://${host}`;
    const { localAddress, localPort } = socket;
    const address = localAddress ?? '127.0.0.1';
    return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${localPort ?? 80}`;
  }
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = ownValue(headers, name);
  return Array.isArray(value) ? value.join(',') : value;
}

/** Throws: a route was given a schema of Fastify's. */
function noCompiler(): never {
  throw new AssertionError("routes have no schemas of Fastify's; see rest/kit/validation.ts");
}
