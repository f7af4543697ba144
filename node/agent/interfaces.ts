/** What an agent shows to the world: services behind the REST gateway, the public gRPC API and the local socket. */

import { fileURLToPath } from 'node:url';
import { consolePageModule } from '../../api-gateway/console/page-module.ts';
import { GrpcGateway } from '../../api-gateway/grpc/server.ts';
import type { ApiRelay } from '../../api-gateway/kit/api-relay.ts';
import { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { defaultLimits } from '../../api-gateway/kit/limits.ts';
import { nativeModule } from '../../api-gateway/native/module.ts';
import { openApiModule } from '../../api-gateway/openapi/module.ts';
import { computeModule } from '../../api-gateway/rest/compute/module.ts';
import { Catalog, catalogServices } from '../../api-gateway/rest/identity/catalog.ts';
import { identityModule } from '../../api-gateway/rest/identity/module.ts';
import { PasswordLimiter } from '../../api-gateway/rest/identity/password-limiter.ts';
import { imageModule } from '../../api-gateway/rest/image/module.ts';
import { operationsModule } from '../../api-gateway/rest/kit/operations.ts';
import { networkModule } from '../../api-gateway/rest/network/module.ts';
import { placementModule } from '../../api-gateway/rest/placement/module.ts';
import { volumeModule } from '../../api-gateway/rest/volume/module.ts';
import { RestServer } from '../../api-gateway/server.ts';
import { webModule } from '../../api-gateway/web/server/module.ts';
import { parseListenAddress } from '../base/address.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Health } from '../base/telemetry/health.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import { agentVersion } from '../base/version.ts';
import { parseNetworks } from '../config/networks.ts';
import type { Config } from '../config/options.ts';
import type { RaftLoop } from '../consensus/loop/loop.ts';
import type { RelayedApi } from '../mesh/relay/relayed.ts';
import type { TlsSource } from '../rpc/listener/listener.ts';
import { PlacementPreview } from '../services/compute/placement-preview.ts';
import type { ImageService } from '../services/image/image.ts';
import type { PlacementInquiry, ServiceDependencies } from '../services/kit/dependencies.ts';
import { hostTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';
import { unreadableRows } from '../state/unreadable-rows.ts';
import { localSocketPath, prepareLocalSocket } from './local-socket.ts';
import type { Services } from './services.ts';

/** OpenStack's clients want a region; a mesh of one cell is one. */
const region = 'RegionOne';
/** Where `npm run build:web` puts the web page. */
const builtPage = fileURLToPath(new URL('../../.web', import.meta.url));

/** What they are built from. */
interface InterfacesParts {
  readonly services: ServiceDependencies;
  readonly built: Services;
  /** Tells where servers would go. */
  readonly placer: PlacementInquiry;
  readonly loop: RaftLoop;
  /** Certificates of REST and gRPC; undefined: both are plain text. */
  readonly apiTls: TlsSource | undefined;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly onFatal: (error: unknown) => void;
  /** Where calls are answered. */
  readonly relay: ApiRelay;
}

/** See above. It is what a replica answers relayed calls by, too. */
export class Interfaces implements Service, RelayedApi {
  readonly #relay: ApiRelay;
  readonly #images: ImageService;
  readonly #rest: RestServer;
  readonly #grpc: GrpcGateway;
  readonly #socketPath: string;

  constructor(parts: InterfacesParts, config: Config) {
    const { services, placer, loop, apiTls, metrics, health, onFatal, relay } = parts;
    this.#relay = relay;
    const { state, clock, logger, newId } = services;
    const { identity, directory, images, network, compute, computeOptions, volume, quotas, jobs } = parts.built;
    const { cluster, cloudBackups, upgrade } = parts.built;
    this.#images = images;
    const limiter = new PasswordLimiter(clock, defaultLimits);
    const catalog = new Catalog(Object.values(catalogServices), region);
    const tls = apiTls === undefined ? {} : { tls: apiTls };
    const trustedProxies = new TrustedProxies(config.api.trustedProxies);
    this.#socketPath = localSocketPath(config.dataDir);
    this.#grpc = new GrpcGateway(
      {
        state,
        clock,
        logger: logger.child({ part: 'grpc' }),
        newId,
        authenticator: identity,
        compute,
        volume,
        images,
        network,
        identity,
        directory,
        limiter,
        cluster,
        cloudBackups,
        upgrade,
        jobs,
        inquiry: placer,
        preview: computeOptions,
        policyOverrides: config.policy,
        relay,
      },
      [
        { address: config.api.grpcListen, ...tls },
        { address: `unix:${this.#socketPath}`, isOperatorDoor: true },
      ],
      {},
      trustedProxies,
    );
    this.#rest = new RestServer(
      {
        state,
        clock,
        logger: logger.child({ part: 'rest' }),
        newId,
        authenticator: identity,
        onInvariantBroken: onFatal,
        onAnswered: ({ service, status, seconds }) => {
          metrics.requests.inc({ api: service, status: String(status) });
          metrics.requestSeconds.observe({ api: service }, seconds);
        },
      },
      {
        listen: [parseListenAddress(config.api.listen)],
        ...tls,
        trustedProxies,
        policy: config.policy,
        relay,
        ...(config.api.publicUrl === '' ? {} : { publicUrl: config.api.publicUrl }),
        modules: [
          identityModule({ identity, directory, catalog, limiter }),
          imageModule({ images, quotas, storage: config.storage }),
          networkModule({ network, quotas, hosts: compute.hosts }),
          computeModule({ compute, quotas, network, images, volume }),
          volumeModule({ compute, volume }),
          consolePageModule(),
          webModule(builtPage),
          nativeModule(this.#grpc, state),
          openApiModule(agentVersion),
          placementModule(new PlacementPreview(placer, computeOptions)),
          operationsModule({
            registry: metrics.registry,
            metricsReaders: parseNetworks(config.api.metricsReaders),
            status: () => state.status(),
            warnings: () => recordWarnings(state.local),
            troubles: () => loop.troubles(),
            degraded: () => health.told(),
            nameOf: (raftId) => hostNameOf(state.local, raftId),
            version: agentVersion,
          }),
        ],
        consoles: compute.consoles,
        limits: { jsonBodyBytesMax: config.api.bodyBytesMax },
      },
    );
  }

  async start(): Promise<void> {
    prepareLocalSocket(this.#socketPath);
    await this.#grpc.start();
    await this.#rest.start();
  }

  get isOpen(): boolean {
    return this.#rest.isOpen && this.#relay.route().kind === 'here';
  }

  rest(...call: Parameters<RelayedApi['rest']>): ReturnType<RelayedApi['rest']> {
    return this.#rest.relayed(...call);
  }

  grpc(...call: Parameters<RelayedApi['grpc']>): ReturnType<RelayedApi['grpc']> {
    return this.#grpc.relayed(...call);
  }

  /** Uploads that an earlier run of this agent left unfinished are queued again. Called now and then. */
  async recoverUploads(signal: AbortSignal): Promise<void> {
    await this.#images.recoverInterrupted(signal);
  }

  async stop(): Promise<void> {
    await this.#rest.stop();
    await this.#grpc.stop();
  }
}

/** By the records; a voter that has none is called by its number. */
function hostNameOf(reader: StateReader, raftId: number): string {
  const [row] = hostTable.by(reader, 'raft-id', String(raftId));
  return row?.record.name ?? `voter ${raftId}`;
}

/** Records that were met and could not be read. */
function recordWarnings(reader: StateReader): Readonly<Record<string, string>> {
  const { length } = unreadableRows.in(reader);
  return length === 0 ? {} : { records: `${length} records cannot be read: see "shoal record list"` };
}
