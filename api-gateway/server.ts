/**
 * The REST gateway: one base URL, all services below it. This file owns what is the same for each of them: listeners,
 * bounds, request ids, tokens, faults, stale marks. What a service adds is a `RestModule` (rest/kit/module.ts).
 *
 * A request's way: listener -> rate limit -> token -> policy -> body (bounded, parsed) -> the module's handler -> a service
 * in node/services -> the answer, or a fault in the shape of that service.
 */

import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type RouteOptions } from 'fastify';
import { assert } from '../node/base/assert.ts';
import type { Clock } from '../node/base/clock.ts';
import { type ErrorCode, ShoalError } from '../node/base/errors.ts';
import type { Service } from '../node/base/lifecycle.ts';
import { ownValue } from '../node/base/own-value.ts';
import type { Logger } from '../node/base/telemetry/logger.ts';
import { RepeatedLog } from '../node/base/telemetry/repeated-log.ts';
import type { RelayOrigin, RestAnswer, RestHead } from '../node/mesh/relay/relayed.ts';
import { addressGroup } from '../node/rpc/listener/address-group.ts';
import { Listener, type TlsSource } from '../node/rpc/listener/listener.ts';
import type { RequestContext } from '../node/services/kit/context.ts';
import type { StateClient } from '../node/state/types.ts';
import type { ApiRelay } from './kit/api-relay.ts';
import { type Authenticator, policyCredentials, requestContext, tokenCharactersMax } from './kit/auth.ts';
import { failureOf, isRepeatable } from './kit/errors.ts';
import { isHostAndPort, type Origin, TrustedProxies } from './kit/forwarding.ts';
import { defaultLimits, type GatewayLimits, listenerLimits } from './kit/limits.ts';
import { TokenBuckets } from './kit/token-bucket.ts';
import { AccessPolicy, type PolicyOverrides } from './policies/access-policy.ts';
import { nativePolicies } from './policies/native.ts';
import { type FaultStyle, keystoneFaults, phrase } from './rest/kit/faults.ts';
import { FreshReads } from './rest/kit/fresh-reads.ts';
import { acceptJson } from './rest/kit/json-body.ts';
import type { Gateway, RestModule } from './rest/kit/module.ts';
import { projectOfPath } from './rest/kit/project-path.ts';
import { answerByReplica } from './rest/kit/relayed-answers.ts';
import { RelayedRequests } from './rest/kit/relayed-requests.ts';
import { findRequest, openRequest, requestState } from './rest/kit/request.ts';
import { checkRequestLine } from './rest/kit/request-line.ts';
import { targetOf } from './rest/kit/request-target.ts';
import { KnownRoutes, type Route } from './rest/kit/routes-known.ts';
import { type UnservedPart, unservedPart } from './rest/kit/unserved.ts';

/** Seconds a client is told to wait before it repeats what failed for want of a quorum: an election takes about one. */
const retryAfterSeconds = 2;
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
  #isStarted = false;
  readonly #listening: { readonly http: Server; readonly listener: Listener }[] = [];
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
    this.app = this.#build();
    this.#relayed = new RelayedRequests(this.limits, (request, response) => this.app.routing(request, response));
  }

  /** Every route there is, once the modules have been mounted (`start`, `app.ready`). */
  get routes(): readonly Route[] {
    return this.#known.all;
  }

  /** Addresses listened on, once started. */
  get addresses(): readonly AddressInfo[] {
    return this.#listening.map(({ listener }) => listener.address).filter((address) => address !== null);
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
      for (const { host, port } of this.#options.listen) await this.#listen(host, port);
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
    await Promise.all([
      this.#relayed.stop(this.limits.stopGraceMs),
      ...this.#listening.map(async ({ http, listener }) => {
        listener.close();
        if (listener.isConnected) await sleepAwake(this.limits.lingerMs);
        http.closeIdleConnections();
        await listener.drained(this.limits.stopGraceMs);
        listener.cutAll();
        // It never listened itself: closing it ends its watch over idle connections.
        http.close();
      }),
    ]);
    await this.app.close();
  }

  async #listen(host: string, port: number): Promise<void> {
    const { limits } = this;
    const { tls } = this.#options;
    const http = createServer(
      {
        maxHeaderSize: limits.headerBytesMax,
        headersTimeout: limits.headersTimeoutMs,
        // A whole upload may take long; silence is what `timeout` bounds, and other requests have their own timer.
        requestTimeout: 0,
        keepAliveTimeout: limits.keepAliveMs,
        connectionsCheckingInterval: 5000,
      },
      (request, response) => {
        // Idle is a connection without a request: only such a one is cut to make room.
        const { socket } = request;
        listener.request(socket, 1);
        response.once('close', () => listener.request(socket, -1));
        this.app.routing(request, response);
      },
    );
    http.timeout = limits.idleTimeoutMs;
    // It never listens itself; this starts its watch over slow headers and idle connections.
    http.emit('listening');
    http.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseBrokenHttp(error, socket));
    const listener = new Listener(this.#deps, {
      limits: listenerLimits(limits),
      ...(tls === undefined ? {} : { tls: { source: tls, protocol: 'http/1.1', minVersion: 'TLSv1.2' } }),
      isExempt: (address) => this.#proxies.trusts(address),
      onConnection: (socket) => http.emit('connection', socket),
    });
    await listener.listen({ host, port });
    this.#listening.push({ http, listener });
  }

  #build(): FastifyInstance {
    const { limits } = this;
    const app = fastify({
      logger: false,
      bodyLimit: limits.jsonBodyBytesMax,
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: limits.pathParameterCharactersMax },
      rewriteUrl: ({ url = '/' }) => this.#rewritten(url),
      genReqId: () => `req-${this.#deps.newId()}`,
      return503OnClosing: false,
      frameworkErrors: (error, request, reply) => {
        this.#fail(error, request, reply, this.#moduleOf(request.url));
      },
    });
    app.removeAllContentTypeParsers();
    acceptJson(app, ['application/json']);
    app.addHook('onRoute', (route) => this.#known.add(route.url, route.method));
    app.addHook('onRequest', async (request, reply) => this.#open(request, reply));
    app.addHook('onRequest', async (request, reply) => this.#route(request, reply));
    app.addHook('onSend', async (_request, reply) => {
      // Else an idle connection would hold up the stop for as long as it is kept alive.
      if (this.#stopped !== undefined) reply.header('connection', 'close');
    });
    app.addHook('onResponse', async (request, reply) => this.#answered(request, reply));
    app.setErrorHandler((error, request, reply) => this.#fail(error, request, reply, this.#moduleOf(request.url)));
    app.setNotFoundHandler((request, reply) => this.#notFound(request, reply, this.#moduleOf(request.url)));
    for (const module of this.#options.modules) {
      for (const prefix of module.prefixes) this.#mount(app, module, prefix);
    }
    return app;
  }

  /** The path that an older name stands for. */
  #rewritten(url: string): string {
    for (const { aliases = {}, projectPaths = [] } of this.#options.modules) {
      for (const path of projectPaths) {
        const project = projectOfPath(path, url);
        if (project !== undefined) return path + url.slice(path.length + 1 + project.length);
      }
      for (const [from, to] of Object.entries(aliases)) {
        const next = url.startsWith(from) ? url.charAt(from.length) : undefined;
        if (next === '' || next === '/' || next === '?') return to + url.slice(from.length);
      }
    }
    return url;
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
        scope.setErrorHandler((error, request, reply) => this.#fail(error, request, reply, module));
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
    const module = this.#moduleOf(request.url);
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
      drain: () => this.#drain(request),
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
      service: this.#moduleOf(request.url)?.name ?? 'none',
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

  #notFound(request: FastifyRequest, reply: FastifyReply, module: RestModule | undefined): void {
    const allowed = this.#known.methodsOf(request.url);
    const status = allowed.length > 0 ? 405 : 404;
    if (status === 405) reply.header('allow', allowed.join(', '));
    const message =
      status === 405
        ? `The method ${request.method} is not allowed for this resource.`
        : 'The resource could not be found.';
    const unserved = module === undefined ? undefined : this.#unservedPart(request.url, module);
    if (unserved !== undefined) {
      const text = `This version of Shoal does not serve ${unserved.what}.`;
      this.#fail(new ShoalError('NOT_IMPLEMENTED', text), request, reply, module);
      return;
    }
    this.#sendFault(request, reply, module, { status, code: undefined, message, facts: {} });
  }

  /** The part of the module's service that a path belongs to and that is known not to be here. */
  #unservedPart(url: string, module: RestModule): UnservedPart | undefined {
    const { unserved = [], prefixes } = module;
    // The longest first: the empty prefix fits every path.
    const prefix = [...prefixes].sort((a, b) => b.length - a.length).find((one) => url.startsWith(`${one}/`));
    return prefix === undefined ? undefined : unservedPart(unserved, url.slice(prefix.length));
  }

  #fail(thrown: unknown, request: FastifyRequest, reply: FastifyReply, module: RestModule | undefined): void {
    const error = findRequest(request)?.partial?.explain(thrown) ?? thrown;
    const refusal = httpRefusal(error, this.limits);
    const failure = failureOf(refusal ?? error);
    const style: FaultStyle = module?.faults ?? keystoneFaults;
    const status = unsupportedMediaType(error)
      ? 415
      : ((failure.code && style.statusOf[failure.code]) ?? failure.mapping.http);
    let { message } = failure;
    if (unsupportedMediaType(error)) message = 'The content type of the request body is not supported here.';
    if (failure.code === 'UNAUTHENTICATED') {
      reply.header('www-authenticate', `Keystone uri="${this.#baseUrl(request)}/identity"`);
    }
    const wait = failure.facts['retryAfterSeconds'];
    if (typeof wait === 'number') reply.header('retry-after', String(wait));
    else if (status === 503 && failure.code !== undefined && isRepeatable(failure.code))
      reply.header('retry-after', String(retryAfterSeconds));
    if (failure.code === undefined || status === 500) {
      this.#deps.logger.error({ err: error, requestId: request.id, url: request.url }, 'request failed');
    } else if (status >= 500) {
      this.#deps.logger.warn(
        { code: failure.code, requestId: request.id, url: request.url, message },
        'request failed',
      );
    }
    this.#sendFault(request, reply, module, { status, code: failure.code, message, facts: failure.facts });
    if (failure.invariantBroken) this.#deps.onInvariantBroken?.(error);
  }

  #sendFault(
    request: FastifyRequest,
    reply: FastifyReply,
    module: RestModule | undefined,
    fault: { status: number; code: ErrorCode | undefined; message: string; facts: Readonly<Record<string, unknown>> },
  ): void {
    const accept = request.headers.accept ?? '';
    const body = (module?.faults ?? keystoneFaults).body({ ...fault, requestId: request.id, accept });
    this.#drain(request);
    // The router would end the connection after a body that is too large. Here its rest is read instead and the connection
    // goes on, unless the caller asked for its end. The header says what happens: without it a caller would use it again.
    if (reply.hasHeader('connection') && this.#stopped === undefined && !asksForClose(request)) {
      reply.header('connection', 'keep-alive');
    }
    void reply.code(fault.status).header('content-type', body.contentType).send(body.payload);
  }

  /** Reads the rest of a refused body, so that its sender gets to see the answer; cuts the connection past a bound. */
  #drain(request: FastifyRequest): void {
    const { raw } = request;
    if (raw.complete || raw.destroyed) return;
    let left = this.limits.refusedBodyBytesMax;
    raw.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) raw.destroy();
    });
    raw.on('error', () => undefined);
    raw.resume();
  }

  async #readState(request: FastifyRequest) {
    const state = requestState(request);
    const { partial } = state;
    if (partial !== undefined) {
      state.stale = true;
      state.reply.header('x-shoal-stale', String(partial.stale));
      state.reply.header('x-shoal-partial', 'true');
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      return partial.read(isRead && this.#moduleOf(request.url)?.decidesRights !== true);
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
      const value = ownValue(request.headers, name);
      return Array.isArray(value) ? value.join(',') : value;
    });
  }

  #baseUrl(request: FastifyRequest): string {
    const relayed = this.#relayed.originOf(request.socket);
    if (relayed !== undefined) return relayed.baseUrl;
    if (this.#options.publicUrl !== undefined) return this.#options.publicUrl.replace(/\/+$/, '');
    const origin = this.#origin(request);
    const scheme = origin.scheme ?? (request.socket instanceof TLSSocket ? 'https' : 'http');
    const host = origin.host ?? request.headers.host ?? '';
    // A name or an address and a port; anything else would let a caller write what it likes into links and headers.
    if (isHostAndPort(host)) return `${scheme}://${host}`;
    const { localAddress, localPort } = request.socket;
    const address = localAddress ?? '127.0.0.1';
    return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${localPort ?? 80}`;
  }

  #moduleOf(url: string): RestModule | undefined {
    const { path } = targetOf(url);
    let best: RestModule | undefined;
    let bestLength = -1;
    for (const module of this.#options.modules) {
      for (const prefix of module.prefixes) {
        const inside = prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
        if (inside && prefix.length > bestLength) {
          best = module;
          bestLength = prefix.length;
        }
      }
    }
    return best;
  }
}

function asksForClose(request: FastifyRequest): boolean {
  return /(?:^|,)\s*close\s*(?:,|$)/i.test(request.headers.connection ?? '');
}

function principalOf(request: FastifyRequest) {
  const { principal } = requestState(request);
  assert(principal !== undefined, 'a public route asks who the caller is');
  return principal;
}

function contextFor(request: FastifyRequest): RequestContext {
  const { rule, abort } = requestState(request);
  assert(rule !== undefined, 'a handler runs that no policy has allowed');
  const { access } = guardOf(request);
  return requestContext(principalOf(request), {
    requestId: request.id,
    signal: abort.signal,
    access,
    operation: rule,
  });
}

/** Ties a route to the rules that guard it. Returns the operations that no rule names: the gateway does not start then. */
function guardRoute(route: RouteOptions, access: AccessPolicy, prefix: string): string[] {
  const config = route.config ?? {};
  if (config.public === true) return [];
  const path = route.url.slice(prefix.length);
  route.config = { ...config, guard: { access, path } };
  const suffixes = ['', ...(config.actions ?? []).map((action) => `#${action}`)];
  return [route.method]
    .flat()
    .flatMap((method) => suffixes.map((suffix) => `${method} ${path}${suffix}`))
    .filter((operation) => access.find(operation) === undefined);
}

function guardOf(request: FastifyRequest) {
  const { guard } = request.routeOptions.config;
  assert(guard !== undefined, 'a public route asks its policy');
  return guard;
}

/** Before the body is read: a caller who is refused cannot make the agent read it. */
function authorize(request: FastifyRequest): void {
  if (request.is404 || request.routeOptions.config.public === true) return;
  const { access, path } = guardOf(request);
  const parameters = request.params as Readonly<Record<string, string>>;
  requestState(request).rule = access.enforceOperation(
    `${request.method} ${path}`,
    policyCredentials(principalOf(request)),
    parameters,
  );
}

/** What the body asks for is known only now. */
function authorizeAction(request: FastifyRequest): void {
  const { actions, guard } = request.routeOptions.config;
  const { body } = request;
  if (actions === undefined || guard === undefined || typeof body !== 'object' || body === null) return;
  const parameters = request.params as Readonly<Record<string, string>>;
  const credentials = policyCredentials(principalOf(request));
  for (const action of Object.keys(body)) {
    if (!actions.includes(action)) continue;
    requestState(request).rule = guard.access.enforceOperation(
      `${request.method} ${guard.path}#${action}`,
      credentials,
      parameters,
    );
  }
}

function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function unsupportedMediaType(error: unknown): boolean {
  return errorCodeOf(error) === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
}

/** What the HTTP layer refused, in our codes; undefined for everything else. */
function httpRefusal(error: unknown, limits: GatewayLimits): ShoalError | undefined {
  if (error instanceof ShoalError || !(error instanceof Error)) return undefined;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 0;
  switch (errorCodeOf(error)) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ShoalError('TOO_LARGE', `The request body is larger than ${limits.jsonBodyBytesMax} bytes.`);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ShoalError('INVALID_ARGUMENT', error.message);
    case 'FST_ERR_BAD_URL':
      return new ShoalError('INVALID_ARGUMENT', 'The path is not valid percent-encoding.');
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ShoalError('NOT_FOUND', 'The resource could not be found.');
    case 'ECONNRESET':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return new ShoalError('CANCELLED', 'The caller has gone away.', { cause: error });
    default:
      break;
  }
  if (status >= 400 && status < 500) return new ShoalError('INVALID_ARGUMENT', error.message, { cause: error });
  return undefined;
}

/** Answers what is not HTTP at all, or too large in its headers, in the plainest form. */
function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  socket.end(
    `HTTP/1.1 ${status} ${phrase(status)}\r\ncontent-type: text/plain\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
  );
}

/** Not by the clock, whose timers do not keep the process alive: nothing else may be left that does. */
function sleepAwake(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
