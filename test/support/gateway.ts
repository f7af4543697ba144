/** A REST gateway on a state in memory, with the first records written: what the gateway's tests stand on. */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { LightMyRequestResponse } from 'fastify';
import type { ApiRelay } from '../../api-gateway/kit/api-relay.ts';
import type { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { defaultLimits, type GatewayLimits } from '../../api-gateway/kit/limits.ts';
import type { PolicyOverrides } from '../../api-gateway/policies/access-policy.ts';
import { Catalog, catalogServices } from '../../api-gateway/rest/identity/catalog.ts';
import { identityModule } from '../../api-gateway/rest/identity/module.ts';
import { PasswordLimiter } from '../../api-gateway/rest/identity/password-limiter.ts';
import { imageModule } from '../../api-gateway/rest/image/module.ts';
import type { RestModule } from '../../api-gateway/rest/kit/module.ts';
import { RestServer } from '../../api-gateway/server.ts';
import { type Clock, systemClock } from '../../node/base/clock.ts';
import type { HostId } from '../../node/base/ids.ts';
import { type Logger, silentLogger } from '../../node/base/telemetry/logger.ts';
import type { TlsSource } from '../../node/rpc/listener/listener.ts';
import { bootstrap } from '../../node/services/cluster/bootstrap.ts';
import { IdentityDirectory } from '../../node/services/identity/directory.ts';
import { IdentityService } from '../../node/services/identity/identity.ts';
import type { PasswordRules } from '../../node/services/identity/password-log-in.ts';
import { fixedTokenKeys } from '../../node/services/identity/token-keys.ts';
import { ImageService } from '../../node/services/image/image.ts';
import type { ConsoleDoor, ServiceDependencies } from '../../node/services/kit/dependencies.ts';
import { QuotaService } from '../../node/services/kit/quota.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import { apiOf, startRelay } from '../node/mesh/relay/rig.ts';
import { MemoryImageContent } from './guests/memory-image-content.ts';

export const adminPassword = 'correct horse battery staple';
/** Any 32 bytes: every agent of a mesh derives the same ones. */
export const tokenKey = new Uint8Array(32).fill(7);

export interface TestGatewayOptions {
  readonly modules?: (deps: ServiceDependencies, images: ImageService) => readonly RestModule[];
  readonly limits?: Partial<GatewayLimits>;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly state?: MemoryStateClient;
  /** Listen on a free port of the loopback. Default: only `inject`. */
  readonly listen?: boolean;
  readonly onInvariantBroken?: (error: unknown) => void;
  readonly tls?: TlsSource;
  readonly publicUrl?: string;
  readonly passwordRules?: PasswordRules;
  readonly trustedProxies?: TrustedProxies;
  readonly policy?: PolicyOverrides;
  /** Where requests are answered. Default: here. */
  readonly relay?: ApiRelay;
  /** Opens consoles. Default: there are none. */
  readonly consoles?: Pick<ConsoleDoor, 'open'>;
}

/** A started gateway and short ways to use it. */
export interface TestGateway {
  readonly server: RestServer;
  readonly state: MemoryStateClient;
  readonly content: MemoryImageContent;
  readonly identity: IdentityService;
  readonly directory: IdentityDirectory;
  readonly images: ImageService;
  readonly limiter: PasswordLimiter;
  readonly adminProjectId: string;
  readonly adminUserId: string;
  /** A token of the administrator, scoped to their project. */
  readonly token: string;
  call(method: string, url: string, options?: CallOptions): Promise<LightMyRequestResponse>;
  stop(): Promise<void>;
}

export interface CallOptions {
  /** Bytes and text are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  /** null: none. Default: the administrator's. */
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const state = options.state ?? new MemoryStateClient();
  const clock = options.clock ?? systemClock;
  const deps: ServiceDependencies = { state, clock, logger: options.logger ?? silentLogger, newId: randomUUID };
  const signal = new AbortController().signal;
  const { adminProjectId, adminUserId } = await bootstrap(deps, { adminPassword, signal });
  const identity = new IdentityService(deps, {
    tokenKeys: fixedTokenKeys(tokenKey),
    ...(options.passwordRules === undefined ? {} : { passwordRules: options.passwordRules }),
  });
  const directory = new IdentityDirectory(deps, identity.logIn);
  const catalog = new Catalog(Object.values(catalogServices), 'RegionOne');
  const content = new MemoryImageContent();
  const limiter = new PasswordLimiter(clock, { ...defaultLimits, ...options.limits });
  const images = new ImageService({ ...deps, content, hostId: 'a'.repeat(32) as HostId });
  const serverDeps = {
    ...deps,
    authenticator: identity,
    ...(options.onInvariantBroken === undefined ? {} : { onInvariantBroken: options.onInvariantBroken }),
  };
  const modules = (): RestModule[] => [
    identityModule({ identity, directory, catalog, limiter }),
    imageModule({ images, quotas: new QuotaService(deps), storage: 'local' }),
    ...(options.modules?.(deps, images) ?? []),
  ];
  const server = new RestServer(serverDeps, {
    listen: options.listen === true ? [{ host: '127.0.0.1', port: 0 }] : [],
    modules: modules(),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...(options.trustedProxies === undefined ? {} : { trustedProxies: options.trustedProxies }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.relay === undefined ? {} : { relay: options.relay }),
    ...(options.consoles === undefined ? {} : { consoles: options.consoles }),
  });
  await server.start();
  const front = process.env['SHOAL_TEST_RELAY'] === '1' ? await startFront(serverDeps, server, modules()) : undefined;
  const { token } = await identity.issue(
    state.local,
    {
      password: { user: { id: adminUserId }, password: adminPassword },
      scope: { kind: 'project', project: { id: adminProjectId } },
    },
    signal,
  );
  return {
    server,
    state,
    content,
    identity,
    directory,
    images,
    limiter,
    adminProjectId,
    adminUserId,
    token,
    call: (method, url, call = {}) =>
      front === undefined ? inject(server, method, url, token, call) : front.call(method, url, token, call),
    stop: async () => {
      await front?.stop();
      await server.stop();
    },
  };
}

/** An agent without a replica before `server`: what is asked of it goes there over peer RPC. */
async function startFront(
  deps: ConstructorParameters<typeof RestServer>[0],
  server: RestServer,
  modules: readonly RestModule[],
) {
  const cleanups: (() => void | Promise<void>)[] = [];
  const { relay, outcomes } = await startRelay({ teardown: (run) => cleanups.push(run) }, [
    apiOf({ rest: (...call) => server.relayed(...call) }),
  ]);
  const front = new RestServer(deps, { listen: [{ host: '127.0.0.1', port: 0 }], modules, relay });
  await front.start();
  return {
    call: async (method: string, url: string, adminToken: string, call: CallOptions) => {
      const before = outcomes.length;
      const port = front.addresses[0]?.port ?? 0;
      const answer = await askOverHttp(port, method, url, headersOf(adminToken, call), payloadOf(call));
      // Others may have been asked for meanwhile.
      const since = outcomes.slice(before);
      if (since.length === 0 || since.some((outcome) => outcome !== 'answered')) {
        throw new Error(`${method} ${url} was not relayed: ${since.join(', ')}`);
      }
      return answer;
    },
    stop: async () => {
      await front.stop();
      for (const cleanup of cleanups) await cleanup();
    },
  };
}

/** As `inject`, over a connection. What tests look at is there. */
function askOverHttp(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  payload: string | Buffer | undefined,
): Promise<LightMyRequestResponse> {
  return new Promise((resolve, reject) => {
    // As `inject` spells it.
    const spelled = path.replaceAll(/[^\x21-\x7e]/g, encodeURIComponent);
    const asked = { port, host: '127.0.0.1', method, path: spelled, headers, agent: false };
    const request = httpRequest(asked, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      response.on('end', () => {
        const rawPayload = Buffer.concat(chunks);
        const body = rawPayload.toString();
        const { statusCode = 0, statusMessage = '' } = response;
        resolve({
          statusCode,
          statusMessage,
          headers: response.headers,
          rawPayload,
          body,
          payload: body,
          json: () => JSON.parse(body),
        } as LightMyRequestResponse);
      });
    });
    request.on('error', reject).end(payload);
  });
}

function headersOf(adminToken: string, call: CallOptions): Record<string, string> {
  const token = call.token === undefined ? adminToken : call.token;
  const payload = payloadOf(call);
  return {
    host: 'cloud.test:8774',
    ...(token === null ? {} : { 'x-auth-token': token }),
    ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
    ...call.headers,
    ...(payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }),
  };
}

function payloadOf({ body }: CallOptions): string | Buffer | undefined {
  if (body === undefined || typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
}

function inject(
  server: RestServer,
  method: string,
  url: string,
  adminToken: string,
  call: CallOptions,
): Promise<LightMyRequestResponse> {
  const payload = payloadOf(call);
  return server.app.inject({
    method: method as 'GET',
    url,
    headers: headersOf(adminToken, call),
    ...(payload === undefined ? {} : { payload }),
  });
}

/** A body that asks for a token by password. */
export function passwordAuth(
  user: string,
  password: string,
  scope: object | undefined = { project: { name: 'admin', domain: { id: 'default' } } },
): object {
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { name: user, domain: { id: 'default' }, password } } },
      ...(scope === undefined ? {} : { scope }),
    },
  };
}
