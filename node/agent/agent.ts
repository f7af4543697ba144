/**
 * The composition root: builds every part of an agent, starts them in order, stops them in reverse. What each part does is
 * said where it is defined; here is only how they hang together:
 *
 *     consensus   log on LevelDB -> Raft loop -> StateClient          peers over gRPC with mutual TLS
 *     view        gossip -> adverts -> host columns -> placer
 *     host        drivers -> host loop                                claims, intents, images in the host's own store (host-side.ts)
 *     gateways    services (services.ts) -> REST, gRPC, local socket
 *
 * Consensus comes first, for everything reads its replica; drivers before the gateways, so that nobody is promised what
 * this host cannot do; the listeners last.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BlobStore } from '../../drivers/image/store.ts';
import type { Clock } from '../base/clock.ts';
import { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import { Prng } from '../base/prng.ts';
import { Health } from '../base/telemetry/health.ts';
import type { Logger } from '../base/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../base/telemetry/metrics.ts';
import { RepeatedLog } from '../base/telemetry/repeated-log.ts';
import { agentVersion } from '../base/version.ts';
import { announceHandler } from '../cluster/announce.ts';
import { apiUrlOf, hostFields, multicastResponder } from '../cluster/become-member.ts';
import { HostDirectory } from '../cluster/host-directory.ts';
import { knownHost, type Membership, writeAuthorityFile, writeMembership } from '../cluster/membership.ts';
import { MeshView } from '../cluster/mesh-view.ts';
import { Moves } from '../cluster/moves.ts';
import { renewOwn } from '../cluster/renewal.ts';
import { removedError, SelfCheck } from '../cluster/self-check.ts';
import type { Config } from '../config/options.ts';
import { defaultAutopilotOptions } from '../consensus/autopilot/autopilot.ts';
import { AutopilotLoop } from '../consensus/client/autopilot-loop.ts';
import { stateWatchHandler } from '../consensus/client/watch-handler.ts';
import type { RaftLoop } from '../consensus/loop/loop.ts';
import { GrpcRaftTransport } from '../consensus/transport/grpc-transport.ts';
import { apiAddressOf } from '../host/api-address/configured.ts';
import { backupStores } from '../host/backup-stores.ts';
import { cloudBackupCatalog } from '../host/cloud-backup/catalog.ts';
import { ConsoleCalls } from '../host/consoles/console-calls.ts';
import { startDrivers } from '../host/drivers.ts';
import { readInventory, readLoad } from '../host/machine/inventory.ts';
import { grpcPeerChannel } from '../host/peer-channel.ts';
import { nextEpoch } from '../mesh/identity/epoch-file.ts';
import { loadOrCreateKeys } from '../mesh/identity/identity.ts';
import { MeshKey } from '../mesh/identity/mesh-key.ts';
import { MeshKeyRing } from '../mesh/identity/mesh-key-ring.ts';
import { StatePeerTrust, tlsKeySha256 } from '../mesh/identity/peer-trust.ts';
import { JoinHandler } from '../mesh/join/join-handler.ts';
import { JoinRelay } from '../mesh/join/join-relay.ts';
import { newInstance } from '../mesh/peers/instance.ts';
import { PeerClients } from '../mesh/peers/peer-client.ts';
import { PeerServer } from '../mesh/peers/peer-server.ts';
import { MeshOperatorProofs } from '../mesh/relay/operator-proof.ts';
import { RelayHandler } from '../mesh/relay/relay-handler.ts';
import { meshAddAuthority, meshRekey } from '../services/cluster/mesh-rekey.ts';
import { MeshSealing } from '../services/cluster/mesh-sealing.ts';
import { MeshTokenKeys } from '../services/identity/token-keys.ts';
import type { ServiceDependencies } from '../services/kit/dependencies.ts';
import { followSliceHandler } from '../slices/grpc-slice-channel.ts';
import { SliceFeeder } from '../slices/slice-feeder.ts';
import type { StateMember } from '../slices/state-member.ts';
import { levelInForce, tooOldFor } from '../state/tables/feature-level.ts';
import { hostTable, meshTable, removedHostTable } from '../state/tables/index.ts';
import type { StateClient } from '../state/types.ts';
import { unreadableRows } from '../state/unreadable-rows.ts';
import { openHostStore } from '../store/host/host-store.ts';
import { openApiTls } from '../tls/api-tls.ts';
import { meshAuthority } from '../tls/mesh-authority.ts';
import { PeerCertificate } from '../tls/peer-certificate.ts';
import { apiRelay } from './api/api-route.ts';
import { buildBackground } from './background.ts';
import { externalMtuBytes } from './external-mtu.ts';
import { Figures } from './figures/figures.ts';
import { hostMetrics } from './host-metrics.ts';
import { buildHost } from './host-side.ts';
import { Interfaces } from './interfaces.ts';
import { Housekeeping } from './life/housekeeping.ts';
import { RunningParts } from './life/running-parts.ts';
import { OwnRecord } from './own-record.ts';
import { buildServices } from './services.ts';
import { startState } from './state-side.ts';
import { readVendorData } from './vendor-data.ts';

/** How often connections are closed that nobody has used since the last time. */
const unusedMs = 120_000;
/** How often it is looked whether certificates have changed or are to be renewed. */
const renewMs = 5_000;

/** What an agent needs from outside. */
interface AgentDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The agent cannot go on: its process must end. */
  readonly onFatal: (error: unknown) => void;
  /** Why it is to run without consensus: reads and its own guests go on, and writes are refused with this. Absent: it is not. */
  readonly idle?: ShoalError | undefined;
}

/** See above. */
export class Agent {
  readonly #deps: AgentDeps;
  readonly #config: Config;
  #membership: Membership;
  readonly #random: Prng;
  readonly #metrics: Metrics;
  readonly #health: Health;
  readonly #repeated: RepeatedLog;
  readonly #running: RunningParts;
  readonly #abort = new AbortController();
  /** Looks after the certificates. */
  #renew: () => Promise<void> = async () => {};
  #renewedMs = Number.NEGATIVE_INFINITY;

  constructor(deps: AgentDeps, config: Config, membership: Membership) {
    this.#deps = deps;
    this.#config = config;
    this.#running = new RunningParts(deps.logger);
    this.#repeated = new RepeatedLog(deps);
    this.#membership = membership;
    this.#random = new Prng(randomInt(2 ** 32));
    this.#metrics = createMetrics({ processMetrics: true });
    this.#health = new Health(deps.clock, (part) => this.#metrics.partFailures.inc({ part }));
  }

  /** Starts everything. On failure the caller calls `stop`, which undoes what was done. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    const config = this.#config;
    const hostId = this.#membership.hostId as HostId;
    signal.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true });

    const { identity, tlsKey } = await loadOrCreateKeys(config.dataDir);
    const meshKey = await MeshKey.load(config.dataDir);
    if (identity.hostId !== hostId || meshKey === undefined) {
      throw new ShoalError('IDENTITY_MISMATCH', `the keys in ${config.dataDir} are not those of member ${hostId}`);
    }
    const store = await openHostStore(join(config.dataDir, 'host'), this.#deps.onFatal);
    this.#running.started('host store', () => store.close());

    const directory = new HostDirectory(this.#membership);
    const keys = new MeshKeyRing(identity, meshKey);
    const sealing = new MeshSealing(keys);
    // Before the log is read there is no replica to ask; trust goes by what this host joined with then.
    let replica: StateClient | undefined;
    const trust = new StatePeerTrust(() => replica?.local, this.#membership.authorityCertificatePem);
    const certificates = new PeerCertificate({
      meshId: this.#membership.meshId,
      hostId,
      tlsKey,
      certificatePem: this.#membership.certificatePem,
      authorityPem: this.#membership.authorityCertificatePem,
      trust,
      save: (renewed) => this.#keepCertificates(renewed),
    });
    const instance = newInstance(await nextEpoch(config.dataDir, clock.nowMs()));
    const peers = new PeerClients(
      { logger: logger.child({ part: 'peers' }) },
      {
        certificates,
        addressOf: (id) => directory.addressOf(id),
        caller: { instance, listensAt: hostFields(config).peerAddress },
      },
    );
    this.#running.started('peer clients', async () => peers.close());
    const moves = new Moves({
      logger,
      peers,
      directory,
      signal: this.#abort.signal,
      onMoved: () => view.setPeers(directory.hosts()),
    });
    const transport = new GrpcRaftTransport(
      {
        clock,
        logger: logger.child({ part: 'raft-transport' }),
        random: this.#random.fork(),
        peers,
        reachedAt: hostFields(this.#config).peerAddress,
        // A member that has moved may lead this one before this one's records say where it is.
        learned: (...told) => moves.told(...told),
      },
      directory,
    );
    this.#running.started('raft transport', () => transport.stop());

    const { loop, member } = await startState(
      {
        ...this.#deps,
        random: this.#random,
        metrics: this.#metrics,
        health: this.#health,
        running: this.#running,
        transport,
        directory,
        peers,
        idle: this.#deps.idle,
      },
      config,
      this.#membership,
    );
    const { state } = member;
    replica = state;
    const removal = this.#removal(state);
    if (removal !== undefined) throw removal;
    const tooOld = tooOldFor(levelInForce(state.local));
    if (tooOld !== undefined) throw tooOld;
    directory.renew(state.local);
    const services: ServiceDependencies = { state, clock, logger, newId: randomUUID };
    const renewCertificates = async (): Promise<void> => {
      const authority = meshAuthority(state.local, keys);
      if (authority !== undefined) await certificates.check(services, authority, this.#abort.signal);
    };
    // Before anybody is let in: a host that was off for long comes with a certificate that has ended.
    await renewCertificates();
    const selfCheck = new SelfCheck(
      {
        clock,
        logger,
        peers,
        directory,
        state,
        renew: () =>
          renewOwn(logger, (renewed) => certificates.adopt(renewed), {
            meshId: this.#membership.meshId,
            identity,
            tlsKey,
            directory,
            signal: this.#abort.signal,
          }),
        signal: this.#abort.signal,
        onFatal: this.#deps.onFatal,
      },
      { hostId, instance, dataDir: config.dataDir, peerAddress: hostFields(config).peerAddress },
    );
    await selfCheck.mustPass();
    const drivers = await startDrivers({ clock, logger, health: this.#health }, config, hostId, signal);
    this.#running.started('drivers', () => drivers.stop());
    logger.info({ ...drivers.description }, 'drivers started');
    const { meshId } = this.#membership;
    const metadata = {
      seedKey: meshKey.derive('guest-seed').reveal(),
      vendorData: await readVendorData(config.compute.vendorDataPath),
    };
    const inventory = await readInventory(config.dataDir);
    logger.info({ ...inventory }, 'inventory');
    const blobs = new BlobStore(join(config.dataDir, 'images'));
    await blobs.start();
    const host = buildHost(
      {
        services,
        random: this.#random.fork(),
        store,
        drivers,
        openKey: (name, secret) => sealing.open(state.local, name, secret),
        blobs,
        inventory,
        load: readLoad,
        peers: grpcPeerChannel(peers),
        gossip: (ownAdvert) =>
          new MeshView(
            { clock, logger: logger.child({ part: 'mesh' }), random: this.#random.fork(), identity, peers, directory },
            {
              config,
              meshId,
              epoch: instance.epoch,
              ownAdvert,
              onOwnAdvertOfAnother: (advert) => selfCheck.heard(advert),
            },
          ),
        observer: hostMetrics(this.#metrics, this.#health),
      },
      { config, hostId, meshId, metadata, idle: this.#deps.idle, signal: this.#abort.signal },
    );
    const view = host.gossip;

    // Peers are answered from here on; before, there was nothing to answer with.
    const joinRelay = new JoinRelay({ peers, replicas: () => replicasOf(member, directory) });
    const joiner = new JoinHandler({
      state,
      keys,
      identity,
      clock,
      logger: logger.child({ part: 'join' }),
      relay: joinRelay,
      isUp: (id) => view.condition(id) === 'alive',
    });
    const feeder = new SliceFeeder({
      clock,
      state: member.replicaState,
      knownSince: () => loop.watches.knownSince,
      isReplica: () => member.isReplica,
    });
    await feeder.start();
    this.#running.started('slice feeder', () => feeder.stop());
    let interfaces: Interfaces | undefined;
    const relayed = new RelayHandler(clock, () => interfaces);
    const server = new PeerServer(
      { clock, logger: logger.child({ part: 'peer-server' }) },
      {
        certificates,
        admits: (caller) => removedHostTable.get(state.local, caller) === undefined,
        handlers: {
          ...transport.peerHandlers,
          ...host.handlers,
          ...view.handlers,
          watchState: stateWatchHandler(state),
          followSlice: followSliceHandler((requests, asked) => feeder.serve(requests, asked)),
          relay: relayed.handle,
          relayJoin: joinRelay.handler(joiner),
          announce: announceHandler(services, directory, () => view.setPeers(directory.hosts()), moves),
        },
        join: joiner,
        self: { hostId, met: (caller) => selfCheck.met(caller) },
        instance,
      },
    );
    await server.listen(config.peer.listen);
    this.#running.started('peer server', () => server.stop());
    const responder = multicastResponder({ clock, logger: logger.child({ part: 'mdns' }) }, config, { meshId, hostId });
    if (responder !== undefined) {
      await responder.start();
      this.#running.started('multicast responder', () => responder.stop());
    }
    // A new authority is taken up with the next housekeeping and not some seconds later.
    const meshWatch = state.watch({ prefix: meshTable.prefix }, () => {
      this.#renewedMs = Number.NEGATIVE_INFINITY;
      // A replica that was behind when this agent started.
      const outdated = tooOldFor(levelInForce(state.local));
      if (outdated !== undefined) this.#deps.onFatal(outdated);
    });
    this.#running.started('mesh watch', async () => meshWatch.close());
    await view.start();
    this.#running.started('mesh view', () => view.stop());

    const own = new OwnRecord(
      { services, config, peers, directory, repeated: this.#repeated, signal: this.#abort.signal },
      {
        hostId,
        publicKey: identity.publicKey,
        tlsKeySha256: tlsKeySha256(tlsKey.publicKeySpki),
        authorities: () => certificates.authorities,
      },
    );
    await own.found(this.#membership, signal);
    await own.keep();
    const found = unreadableRows.onFound((row) => logger.error({ ...row }, 'a record cannot be read; it is left out'));
    this.#running.started('unreadable records', async () => found.close());
    const unused = clock.setInterval(() => peers.closeUnused(), unusedMs);
    this.#running.started('unused connections', async () => unused.cancel());
    const hostsChanged = (): void => {
      this.#hostsChanged(directory, view, state);
      // A host that was removed keeps no connection of before, in either direction.
      server.cutRefused();
      peers.cutRemoved();
    };
    const watch = state.watch({ prefix: hostTable.prefix }, hostsChanged);
    this.#running.started('host watch', async () => watch.close());
    hostsChanged();

    await host.start();
    this.#running.started('host', () => host.stop());
    const autopilot = new AutopilotLoop(
      {
        loop,
        state,
        clock,
        logger: logger.child({ part: 'autopilot' }),
        isDown: (host) => view.condition(host.id) === 'dead',
      },
      { ...defaultAutopilotOptions, standbys: config.raft.standbys },
    );
    await autopilot.start();
    this.#running.started('autopilot', () => autopilot.stop());
    const apiTls = await openApiTls(
      {
        clock,
        logger: logger.child({ part: 'api-tls' }),
        authority: () => meshAuthority(state.local, keys),
        crossCertificatePem: () => meshTable.get(state.local, 'mesh')?.record.crossCertificatePem ?? '',
      },
      config,
    );
    this.#renew = async () => {
      await apiTls?.check();
      await renewCertificates();
    };
    const built = buildServices(
      {
        services,
        placer: host.placer,
        control: host.control,
        consoles: new ConsoleCalls(peers, hostId, host.handlers.console),
        probe: host.probe,
        views: {
          adverts: () => view.adverts(),
          condition: (id) => view.condition(id),
          clockOffsetMs: (id) => view.clockOffsetMs(id),
          keyUsedTwiceAt: (id) => (id === hostId ? selfCheck.other : server.keyUsedTwiceAt(id)),
        },
        images: host.images,
        tokenKeys: new MeshTokenKeys(keys),
        rekey: meshRekey(keys, clock, config.api.tokenLifetimeMs),
        addAuthority: meshAddAuthority(keys, clock),
        sealing,
        cloudBackupCatalog: cloudBackupCatalog(backupStores(clock, config.backups)),
        troubles: () => ({ ...loop.troubles(), ...member.slice?.troubles(), ...selfCheck.troubles() }),
      },
      { config, hostId, externalMtu: externalMtuBytes(config.network.externalInterface) },
    );
    const { onFatal } = this.#deps;
    const metrics = this.#metrics;
    const operators = new MeshOperatorProofs(keys, () => state.local, hostId);
    const relay = apiRelay({ clock, logger, peers, config, metrics, member, directory, operators });
    interfaces = new Interfaces(
      { services, built, placer: host.placer, loop, apiTls, metrics, health: this.#health, onFatal, relay },
      config,
    );
    const shown = interfaces;
    await shown.start();
    this.#running.started('interfaces', () => shown.stop());
    const background = buildBackground({
      services,
      compute: built.compute,
      backups: built.volume.backups,
      hostId,
      isLeader: () => loop.isLeader,
      resizeConfirmWindowSeconds: config.compute.resizeConfirmWindowSeconds,
      hostViews: host.gossip,
      askKernel: (id, timeoutMs) => view.askKernel(id, timeoutMs),
      volumeTools: host.volumeTools,
      backupStore: backupStores(clock, config.backups),
      cloudBackups: { stateView: () => (member.isReplica ? loop.stateView() : undefined), keys, version: agentVersion },
      imageContent: host.images,
      sealing,
      metrics: this.#metrics,
    });
    await background.start();
    this.#running.started('jobs and tasks', () => background.stop());
    const apiAddress = apiAddressOf(config, { ...services, isReplica: () => member.isReplica }, hostId);
    if (apiAddress !== undefined) {
      await apiAddress.start();
      this.#running.started('address of the API', () => apiAddress.stop());
    }
    const housekeeping = this.#housekeeping(state, own, {
      view,
      loop,
      member,
      feeder,
      interfaces: shown,
      selfCheck,
      server,
    });
    await housekeeping.start();
    this.#running.started('housekeeping', () => housekeeping.stop());
    // Stopped first, while everything else still answers: others wait for the next leader otherwise.
    this.#running.started('leadership', () => loop.handOver());
    logger.info(
      { hostId, meshId: this.#membership.meshId, api: apiUrlOf(config), fingerprint: apiTls?.fingerprint ?? 'none' },
      'agent started',
    );
  }

  /** Looks at once whether certificates have changed or are to be renewed. */
  async reload(): Promise<void> {
    this.#renewedMs = this.#deps.clock.monotonicMs();
    await this.#renew();
  }

  /** Stops in reverse order. Guests, networks, DHCP and metadata run on. Safe to call twice. */
  async stop(): Promise<void> {
    this.#abort.abort(new ShoalError('CANCELLED', 'the agent is stopping'));
    await this.#running.stop();
  }

  async #keepCertificates(renewed: {
    certificatePem: string;
    authorityPem: string;
    clientRoots: string;
  }): Promise<void> {
    const { certificatePem, authorityPem, clientRoots } = renewed;
    this.#membership = { ...this.#membership, certificatePem, authorityCertificatePem: authorityPem };
    await writeMembership(this.#config.dataDir, this.#membership);
    await writeAuthorityFile(this.#config.dataDir, clientRoots);
  }

  #hostsChanged(directory: HostDirectory, view: MeshView, state: StateClient): void {
    const removal = this.#removal(state);
    if (removal !== undefined) {
      this.#deps.onFatal(removal);
      return;
    }
    const isDifferent = directory.renew(state.local);
    view.setPeers(directory.hosts());
    if (!isDifferent) return;
    // Kept beside the keys, so that after a power cut the others are found before any record can be read.
    const hosts = hostTable.list(state.local).map((row) => knownHost(row.record));
    this.#membership = { ...this.#membership, hosts };
    writeMembership(this.#config.dataDir, this.#membership).catch(this.#deps.onFatal);
  }

  /** What there is to say when this host was removed from the mesh, as far as its own replica knows. */
  #removal(state: StateClient): ShoalError | undefined {
    const { hostId } = this.#membership;
    if (removedHostTable.get(state.local, hostId) === undefined) return undefined;
    return removedError({ hostId, dataDir: this.#config.dataDir });
  }

  #housekeeping(
    state: StateClient,
    own: OwnRecord,
    parts: {
      readonly view: MeshView;
      readonly loop: RaftLoop;
      readonly member: StateMember;
      readonly feeder: SliceFeeder;
      readonly interfaces: Interfaces;
      readonly selfCheck: SelfCheck;
      readonly server: PeerServer;
    },
  ): Housekeeping {
    const figures = new Figures(
      { metrics: this.#metrics, health: this.#health, repeated: this.#repeated },
      this.#membership.hostId as HostId,
    );
    const { clock } = this.#deps;
    const { signal } = this.#abort;
    return new Housekeeping({ clock, health: this.#health, repeated: this.#repeated, signal }, async () => {
      figures.observe(state, parts);
      const { selfCheck, server } = parts;
      this.#metrics.keysUsedTwice.set(server.keysUsedTwice.length + (selfCheck.other === undefined ? 0 : 1));
      if (clock.monotonicMs() - this.#renewedMs >= renewMs) await this.reload();
      await own.announce();
      if (!state.status().hasQuorum) {
        await selfCheck.review();
        return;
      }
      await own.keep();
      await parts.interfaces.recoverUploads(signal);
    });
  }
}

/** The other hosts that hold replicas, while this one holds a slice; undefined: it holds one itself. */
function replicasOf({ slice, raftId: self }: StateMember, directory: HostDirectory): readonly HostId[] | undefined {
  if (slice === undefined) return undefined;
  const { voters, learners } = slice.status();
  const others = [...voters, ...learners].filter((raftId) => raftId !== self);
  return others.flatMap((raftId) => directory.hostIdOf(raftId) ?? []);
}
