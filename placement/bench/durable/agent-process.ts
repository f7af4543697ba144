/**
 * An agent of the bench: the production Raft loop on LevelDB, peer RPC over mutual TLS, gossip view, placer, compute service
 * and native gRPC gateway, without a host of its own. Takes the path of a configuration file; the parent asks over the
 * channel.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { GrpcGateway } from '../../../api-gateway/grpc/server.ts';
import { defaultLimits } from '../../../api-gateway/kit/limits.ts';
import { PasswordLimiter } from '../../../api-gateway/rest/identity/password-limiter.ts';
import { buildServices } from '../../../node/agent/services.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { placementAdvert } from '../../../node/cluster/advert-mapping.ts';
import { GossipPlacer } from '../../../node/cluster/placer.ts';
import { loadConfig } from '../../../node/config/load.ts';
import { placementConfiguration } from '../../../node/config/placement.ts';
import { RaftStateClient } from '../../../node/consensus/client/state-client.ts';
import { stateWatchHandler } from '../../../node/consensus/client/watch-handler.ts';
import { RaftLoop } from '../../../node/consensus/loop/loop.ts';
import { GrpcRaftTransport } from '../../../node/consensus/transport/grpc-transport.ts';
import { AdvertExchange } from '../../../node/mesh/gossip/advert-exchange.ts';
import { PeerClients } from '../../../node/mesh/peers/peer-client.ts';
import { fixedCertificates } from '../../../node/mesh/peers/peer-credentials.ts';
import { PeerServer } from '../../../node/mesh/peers/peer-server.ts';
import { bootstrap } from '../../../node/services/cluster/bootstrap.ts';
import { fixedTokenKeys } from '../../../node/services/identity/token-keys.ts';
import type { HostViews, Placer } from '../../../node/services/kit/dependencies.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { prefixEnd } from '../../../node/state/table.ts';
import { flavorTable, hostTable, imageTable, quotaTable, serverTable } from '../../../node/state/tables/index.ts';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { defaultConfiguration, HostColumns } from '../../index.ts';
import { BaselineEngine } from './baseline-engine.ts';
import { answerParent } from './child.ts';
import { AdvertListener } from './feed.ts';
import type { AgentConfig, AgentStatus, FoundHost, PlacerName, RecordedServer } from './messages.ts';
import { ProcessClaims } from './process-claims.ts';
import { refuse, refuseStream } from './refuse.ts';
import { benchFlavors, benchImageId } from './world.ts';

/** Host records of one transaction. */
const hostsAtOnce = 250;
/** Records read without a pause. */
const recordsAtOnce = 200;
/** Calls a second that the gateway takes of the load generator's one address: as many as come. */
const requestsPerSecond = 1e6;

const config = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as AgentConfig;
const { raftId, agents, certificates, self } = config;
const random = new Prng(config.seed);
const clock = systemClock;
const logger = silentLogger;

const peerAddresses = new Map([...agents, ...config.hostProcesses].map((peer) => [peer.hostId, peer.peerAddress]));
const peers = new PeerClients(
  { logger },
  { certificates: fixedCertificates(certificates), addressOf: (id) => peerAddresses.get(id) },
);
const transport = new GrpcRaftTransport(
  { clock, logger, random: random.fork(), peers },
  {
    self: raftId,
    hostIdOf: (id) => agents[id - 1]?.hostId as HostId | undefined,
    raftIdOf: (id) => {
      const at = agents.findIndex((agent) => agent.hostId === id);
      return at < 0 ? undefined : at + 1;
    },
  },
);
const log = await openLevelLogStore({ folder: join(config.folder, 'log'), raftId, bootstrap: raftId === 1 });
const loop = new RaftLoop({
  clock,
  logger,
  random: random.fork(),
  transport,
  log,
  onFatal: (error) => {
    console.error(error);
    process.exit(1);
  },
});
await loop.start();
const state = new RaftStateClient({ loop, transport, clock, uniqueName: randomUUID() });
const services = { state, clock, logger, newId: randomUUID };

const columns = new HostColumns({ seed: random.uint32(), slotsMax: config.hostCount });
const gossip = new AdvertListener(config.hostProcesses.map((host) => host.feedAddress));
/** How old adverts were when they were taken in since the last look: sums, to tell the mean. */
const refuseNow = (): never => {
  throw new ShoalError('NOT_IMPLEMENTED', 'The benchmark removes no host.');
};
const counts = { placed: 0, refused: 0, 'no-host': 0, adverts: 0, rounds: 0, commits: 0 };
const exchange = new AdvertExchange(
  { clock, logger, random: random.fork(), gossip },
  {
    meshId: certificates.meshId,
    topic: 'adverts',
    isMember: (hostId) => state.local.get(hostTable.key(hostId)) !== undefined,
    onAdvert: (advert) => {
      counts.adverts += 1;
      columns.upsert(placementAdvert(advert));
    },
  },
);
exchange.start();
await gossip.start();

const claims = new ProcessClaims(peers);
const placers = new Map<PlacerName, Placer>();
const packing = placementConfiguration(
  loadConfig({ settings: { 'placement.strategy': 'pack', advertiseAddress: '192.0.2.1' } }),
);
for (const name of ['shoal', 'shoal-pack', 'random2', 'first-fit'] as const) {
  const configuration = name === 'shoal-pack' ? packing : defaultConfiguration;
  placers.set(
    name,
    new GossipPlacer(
      {
        columns,
        transport: claims,
        acceptAdvert: (advert) => exchange.accept(advert),
        clock,
        prng: random.fork(),
        logger,
        onDecision: (result) => {
          counts[result] += 1;
        },
      },
      configuration,
      name === 'random2' || name === 'first-fit' ? new BaselineEngine(columns, name, random.fork()) : undefined,
    ),
  );
}
let placerName: PlacerName = 'shoal';
const placer = (): Placer => {
  const found = placers.get(placerName);
  if (found === undefined) throw new ShoalError('INVALID_ARGUMENT', `There is no placer ${placerName}.`);
  return found;
};

const hostViews: HostViews = {
  adverts: () => exchange.view.all().map((held) => held.advert),
  condition: () => 'alive',
};
const selfId = self.hostId as HostId;
const { identity, directory, images, network, compute, volume, cluster, cloudBackups, upgrade, jobs } = buildServices(
  {
    services,
    placer: {
      place: (request, signal) => placer().place(request, signal),
      placeBatch: (request, batch, signal) => placer().placeBatch(request, batch, signal),
    },
    control: {
      hostId: selfId,
      consoleLog: refuse,
      askGuest: refuse,
      grantConsole: refuse,
      diagnostics: refuse,
      intendLocally: refuse,
      withLocalIntents: (server) => server,
    },
    probe: { answers: refuse },
    consoles: { look: refuse, open: refuse },
    views: hostViews,
    images: { store: refuse, open: refuse },
    tokenKeys: fixedTokenKeys(Buffer.from(config.tokenKey, 'base64')),
    rekey: refuseNow,
    addAuthority: refuseNow,
    sealing: { draw: refuseNow, seal: refuseNow, open: refuseNow },
    troubles: () => ({}),
  },
  {
    config: loadConfig({ settings: { advertiseAddress: '192.0.2.1', 'peer.listen': self.peerAddress } }),
    hostId: selfId,
  },
);
const gateway = new GrpcGateway(
  {
    ...services,
    authenticator: identity,
    compute,
    volume,
    images,
    network,
    jobs,
    identity,
    directory,
    limiter: new PasswordLimiter(clock, defaultLimits),
    cluster,
    cloudBackups,
    upgrade,
    inquiry: placers.get('shoal') as GossipPlacer,
  },
  [{ address: config.grpcAddress }],
  { requestsPerSecond, requestsBurst: requestsPerSecond },
);
const server = new PeerServer(
  { clock, logger },
  {
    certificates: fixedCertificates(certificates),
    admits: (id) => peerAddresses.has(id),
    handlers: {
      ...transport.peerHandlers,
      watchState: stateWatchHandler(state),
      followSlice: refuseStream,
      announce: async () => ({ recorded: false }),
      claim: refuse,
      claimBatch: refuse,
      releaseClaim: refuse,
      fetchBlob: refuseStream,
      console: refuseStream,
      relay: refuseStream,
      relayJoin: refuse,
      pullView: async () => exchange.pullView(),
      askGuest: refuse,
      consoleLog: refuse,
      probe: refuse,
    },
    join: { admit: () => {}, join: refuse, renew: refuse },
  },
);
await server.listen(self.peerAddress);
await gateway.start();

answerParent(async (question) => {
  switch (question.ask) {
    case 'status':
      return {
        isLeader: loop.isLeader,
        isCaughtUp: loop.isCaughtUp,
        voters: state.status().voters,
        hostsInView: columns.hostCount,
      } satisfies AgentStatus;
    case 'add':
      await loop.changeMembers([{ type: 'addNode', nodeId: question.raftId }]);
      return true;
    case 'hosts':
      for (const { process, hostIds } of question.places) claims.note(process as HostId, hostIds as HostId[]);
      return true;
    case 'found':
      return found(question.hosts);
    case 'place-by':
      placerName = question.placer;
      return true;
    case 'records':
      return records();
    case 'counts':
      return counts;
    default:
      throw new ShoalError('NOT_IMPLEMENTED', `An agent is not asked for ${question.ask}.`);
  }
});

/** The records of a mesh with these hosts, a public image and a project without limits; a token for that project. */
async function found(hosts: readonly FoundHost[]): Promise<string> {
  const { signal } = new AbortController();
  const password = randomUUID();
  await bootstrap(services, {
    adminPassword: password,
    signal,
    also: (builder) => {
      for (const flavor of benchFlavors) flavorTable.insert(builder, new shoal.v1.Flavor(flavor));
      imageTable.insert(
        builder,
        new shoal.v1.Image({
          id: benchImageId,
          name: benchImageId,
          visibility: 'public',
          status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE,
          diskFormat: 'qcow2',
          containerFormat: 'bare',
        }),
      );
    },
  });
  for (let first = 0; first < hosts.length; first += hostsAtOnce) {
    await transact(services, { signal }, ({ change }) => {
      for (const [nth, { hostId, publicKey, name }] of hosts.slice(first, first + hostsAtOnce).entries()) {
        const number = first + nth + 1;
        hostTable.insert(
          change,
          new shoal.v1.Host({ id: hostId, name, publicKey, raftId: 1000 + number, transitIndex: number, zone: 'nova' }),
        );
      }
    });
  }
  const { token, principal } = await identity.issue(
    state.local,
    {
      password: { user: { name: 'admin', domain: { id: 'default' } }, password },
      scope: { kind: 'project', project: { name: 'admin', domain: { id: 'default' } } },
    },
    signal,
  );
  await transact(services, { signal }, ({ change }) => {
    const limits = { instances: -1, cores: -1, ram: -1 };
    quotaTable.insert(change, new shoal.v1.Quota({ id: principal.projectId, limits }));
  });
  return token;
}

/** All servers, as this agent has them once it has caught up. */
async function records(): Promise<readonly RecordedServer[]> {
  const found: RecordedServer[] = [];
  const end = prefixEnd(serverTable.prefix);
  const reader = await state.fresh();
  for (let start = serverTable.prefix; ; ) {
    const page = reader.range(start, end, recordsAtOnce);
    for (const { value } of page) {
      const { id, hostId, generation, flavor } = serverTable.decode(value);
      const { vcpus = 0, memoryMib = 0, diskGib = 0 } = flavor ?? {};
      found.push({ id, hostId, generation, vcpus, memoryMib, diskGib });
    }
    const last = page.at(-1);
    if (last === undefined) return found;
    start = `${last.key}!`;
    // Consensus must have its turns meanwhile.
    await setImmediate();
  }
}
