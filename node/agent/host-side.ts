/**
 * The part of an agent that keeps its host: claims, images, intents, the host loop, and what it answers to peers. One
 * function builds it, for production and for the simulator: in an order in which each part finds what it needs.
 */

import type { shoal } from '../../proto/messages.ts';
import type { Service } from '../base/lifecycle.ts';
import { beginningOf } from '../base/text.ts';
import { GossipPlacer } from '../cluster/placer.ts';
import { tenantMtuBytes } from '../config/load.ts';
import { placementConfiguration } from '../config/placement.ts';
import { BuildFailures } from '../host/build-failures.ts';
import { ClaimBook, type Claims } from '../host/claims/claim-book.ts';
import { AgentHostControl } from '../host/control.ts';
import { hostKeeper } from '../host/host-keeper.ts';
import type { HostLoop } from '../host/host-loop.ts';
import { ImageCache } from '../host/image-cache.ts';
import { dropUnusedImages } from '../host/images/storage-images.ts';
import type { VolumePorts, VolumeTools } from '../host/kinds/volume/kit/tools.ts';
import { lacksPools } from '../host/lacking-pools.ts';
import { IntentBook } from '../host/outage/intent-book.ts';
import { PendingReports } from '../host/outage/pending-reports.ts';
import { RevisionFence } from '../host/outage/revision-fence.ts';
import { StorageSigns } from '../host/outage/storage-signs.ts';
import { hostCapacity, ownAdvert } from '../host/own-advert.ts';
import { PeerCalls } from '../host/peer-calls.ts';
import { fetchBlob } from '../host/peer-channel.ts';
import { type HostHandlers, hostHandlers } from '../host/peer-handlers.ts';
import { poolRooms } from '../host/pool-room.ts';
import { advertisedAggregates } from '../services/compute/aggregates.ts';
import { HostReportService } from '../services/compute/host-reports.ts';
import { NicReportService } from '../services/compute/interfaces/nic-reports.ts';
import { ReceivingReportService } from '../services/compute/moves/live-reports.ts';
import { beginVolumeCopy } from '../services/jobs/volume-jobs.ts';
import type { HostControl, HostProbe } from '../services/kit/dependencies.ts';
import { isApart } from '../services/kit/storage-pools.ts';
import { zoneByAggregate } from '../services/kit/zones.ts';
import { HostNetworkViews } from '../services/network/host-view.ts';
import { VolumeReportService } from '../services/volume/host-reports.ts';
import { aggregateTable, hostTable, networkTable, serverTable } from '../state/tables/index.ts';
import { Emitter } from './emitter.ts';
import { HostDuties } from './host-duties.ts';
import type { HostGossip, HostOptions, HostPorts } from './host-ports.ts';

/** A host that is kept, once it is started. The gossip is its owner's to start and to stop. */
export interface HostSide<Gossip extends HostGossip = HostGossip> extends Service {
  readonly gossip: Gossip;
  readonly claims: Claims;
  readonly images: ImageCache;
  readonly placer: GossipPlacer;
  readonly control: HostControl;
  readonly probe: HostProbe;
  /** What this host answers to its peers. */
  readonly handlers: HostHandlers;
  /** What jobs about volumes work with here. */
  readonly volumeTools: (signal: AbortSignal) => VolumeTools;
  /** Steps under way. */
  readonly busySteps: number;
}

/** Builds it; nothing is started, and nothing is read of the machine. */
export function buildHost<Gossip extends HostGossip>(ports: HostPorts<Gossip>, options: HostOptions): HostSide<Gossip> {
  const { services, drivers, peers, observer } = ports;
  const { config, hostId } = options;
  const { clock, logger } = services;
  /** Something that the own advert tells has changed. */
  const advertChanged = new Emitter();
  const kept = keptHost(ports, options, advertChanged);
  const { claims, images, intents, reports, loop } = kept;
  const admission = admissionOf(options, services);
  const gossip = ports.gossip(() => advertOf(ports, options, { ...kept, admission }));
  advertChanged.on(() => gossip.changed());

  const handlers = hostHandlers({
    claims,
    images,
    compute: drivers.compute,
    clock,
    newId: services.newId,
    freshAdvert: () => gossip.freshOwnAdvert(),
    nextAdvert: () => gossip.nextOwnAdvert(),
    hostId,
    isEnabled: () => !admission().disabled,
    onClaim: (result) => observer.claim?.(result),
  });
  const calls = new PeerCalls(peers, hostId, handlers);
  const placer = new GossipPlacer(
    {
      columns: gossip.columns,
      transport: calls,
      acceptAdvert: (advert) => gossip.accept(advert),
      clock,
      prng: ports.random.fork(),
      logger: logger.child({ part: 'placer' }),
      onDecision: (result) => observer.placement?.(result),
    },
    placementConfiguration(config),
  );
  const control = new AgentHostControl({ calls, intents, reports, wake: () => loop.wake() }, hostId);
  return {
    gossip,
    claims,
    images,
    placer,
    control,
    probe: calls,
    handlers,
    volumeTools: (signal) => ({ ...kept.volumePorts, reader: services.state.local, signal }),
    get busySteps() {
      return loop.busySteps;
    },
    ...lifeOf({ ...kept, services, hostId, advertChanged }),
  };
}

/** What keeps the host, and asks nothing of gossip. */
interface KeptHost {
  readonly claims: Claims;
  readonly images: ImageCache;
  readonly intents: IntentBook;
  readonly reports: PendingReports;
  readonly loop: HostLoop;
  readonly duties: HostDuties;
  readonly signs: StorageSigns;
  readonly buildFailures: BuildFailures;
  readonly volumePorts: VolumePorts;
}

function keptHost(ports: HostPorts, options: HostOptions, advertChanged: Emitter): KeptHost {
  const { services, store, drivers, peers, blobs, observer } = ports;
  const { config, hostId, signal } = options;
  const { state, clock, logger } = services;
  const book = new ClaimBook(
    {
      store,
      clock,
      onChange: () => advertChanged.emit(),
      isApart: (name) => isApart(name, drivers.storage.get(name)?.capabilities.shared),
    },
    hostCapacity(config, ports.inventory),
  );
  const claims = ports.claims?.(book) ?? book;
  const images = new ImageCache(
    { ...services, store, logger: logger.child({ part: 'images' }) },
    {
      blobs,
      hostId,
      fetch: (from, sha256, asked) => fetchBlob(peers, from, sha256, asked),
      acceptInert: config.images.acceptInert === 'yes',
    },
  );
  const intents = new IntentBook({ ...services, store });
  const reports = new PendingReports(new HostReportService(services, hostId, signal));
  const buildFailures = new BuildFailures(clock, () => advertChanged.emit());
  const volumePorts = volumePortsOf(ports, options, images);
  const signs = new StorageSigns({ ...drivers, state, clock, logger: logger.child({ part: 'storage signs' }) }, hostId);
  const { fencedPools } = signs;
  const loop = keeperOf(ports, options, { claims, intents, reports, buildFailures, volumePorts, fencedPools });
  signs.onChange(() => loop.wake());
  const duties = new HostDuties({
    clock,
    logger: logger.child({ part: 'duties' }),
    observer,
    hasQuorum: () => state.status().hasQuorum,
    load: ports.load,
    onMeasured: () => advertChanged.emit(),
    poolRooms: (asked) => poolRooms(drivers.storage, asked),
    lacksPools: () => lacksPools(state.local, hostId, drivers.storage),
    flushIntents: (asked) => intents.flush(asked),
    keepImages: async (asked) => {
      await images.replicate(asked);
      await dropUnusedImages({ store, storage: drivers.storage }, state.local, asked);
    },
  });
  return { claims, images, intents, reports, loop, duties, signs, buildFailures, volumePorts };
}

/** What this host gives to the steps and the jobs of volumes. */
function volumePortsOf(
  { services, store, drivers, openKey }: HostPorts,
  { hostId, signal }: HostOptions,
  images: ImageCache,
): VolumePorts {
  return {
    hostId,
    compute: drivers.compute,
    storage: drivers.storage,
    store,
    volumeReports: new VolumeReportService(services, hostId, signal),
    fresh: (asked) => services.state.fresh(asked),
    beginCopy: (volume) => beginVolumeCopy(services, volume, signal),
    openKey,
    imageFile: (image, asked) => images.file(image, asked),
  };
}

/** The loop that keeps the host as the records want it. */
function keeperOf(
  ports: HostPorts,
  { config, hostId, metadata, signal }: HostOptions,
  parts: Pick<KeptHost, 'claims' | 'intents' | 'reports' | 'buildFailures' | 'volumePorts'> &
    Pick<StorageSigns, 'fencedPools'>,
): HostLoop {
  const { services, store, drivers, observer } = ports;
  const { state, clock, logger } = services;
  const { claims, intents, reports, buildFailures, volumePorts, fencedPools } = parts;
  const revisionFence = new RevisionFence(store);
  return hostKeeper(
    {
      ...volumePorts,
      state,
      network: drivers.network,
      reports,
      receivingReports: new ReceivingReportService(services, hostId, signal),
      nicReports: new NicReportService(services, hostId, signal),
      mtu: (networkId) => networkTable.find(state.local, networkId)?.record.mtu ?? tenantMtuBytes(config),
      networkViews: new HostNetworkViews(hostId, metadata),
      withIntents: (server) => intents.overlay(server),
      onRecords: (servers, revision, isHere) =>
        claims.follow(servers, hostId, revision, isHere, (id) => serverTable.isUnreadable(state.local, id)),
      isBehind: (revision) => revisionFence.isAheadOf(revision),
      onActing: (revision) => revisionFence.note(revision),
      onGuests: (guests) => observer.guests?.(guests),
      observer: buildFailures.watch(observer),
      fencedPools,
      clock,
      logger: logger.child({ part: 'host' }),
    },
    { stopGraceMs: config.compute.stopGraceMs, stepPatienceMs: config.compute.stepPatienceMs },
  );
}

/** What this host tells of itself as of now. */
function advertOf(
  { services, inventory, drivers }: HostPorts,
  { config, hostId, meshId }: HostOptions,
  parts: Pick<KeptHost, 'claims' | 'loop' | 'duties' | 'buildFailures'> & { readonly admission: Admission },
): shoal.v1.IAdvert {
  const reader = services.state.local;
  const { claims, loop, duties, admission, buildFailures } = parts;
  return ownAdvert({
    config,
    hostId,
    meshId,
    inventory,
    compute: drivers.compute,
    hypervisor: drivers.hypervisor,
    storage: drivers.storage,
    claims,
    load: () => duties.load,
    disabled: admission,
    busySteps: () => loop.busySteps,
    buildFailures: () => buildFailures.count,
    poolRooms: () => duties.poolRooms,
    place: () => ({ zone: zoneByAggregate(reader, hostId), aggregates: advertisedAggregates(reader, hostId) }),
  });
}

/** Whether new servers are kept away from this host, and why. */
type Admission = () => { readonly disabled: boolean; readonly reason: string };

function admissionOf({ idle, hostId }: HostOptions, { state }: HostPorts['services']): Admission {
  return () => {
    if (idle !== undefined) return { disabled: true, reason: beginningOf(idle.message, 255) };
    const record = hostTable.get(state.local, hostId)?.record;
    if (record?.forcedDown === true) return { disabled: true, reason: 'an operator has forced it down' };
    return { disabled: record?.disabled ?? false, reason: record?.disabledReason ?? '' };
  };
}

function lifeOf(
  parts: Pick<KeptHost, 'loop' | 'duties' | 'signs'> &
    Pick<HostPorts, 'services'> &
    Pick<HostOptions, 'hostId'> & { readonly advertChanged: Emitter },
): Service {
  const { loop, duties, signs, services, hostId, advertChanged } = parts;
  let watches: { close(): void }[] = [];
  return {
    start: async () => {
      // What the records say of this host is in its advert: its aggregates, and whether it is disabled.
      watches = [aggregateTable.prefix, hostTable.key(hostId)].map((prefix) =>
        services.state.watch({ prefix }, () => advertChanged.emit()),
      );
      await loop.start();
      await duties.start();
      await signs.start();
    },
    stop: async () => {
      for (const watch of watches.splice(0)) watch.close();
      await signs.stop();
      await duties.stop();
      await loop.stop();
    },
  };
}
