/** The part of an agent that keeps its host: claims, images, intents, the host loop, and what it answers to peers. */
import { join } from 'node:path';
import { BlobStore } from '../../drivers/image/store.ts';
import type { shoal } from '../../proto/messages.ts';
import type { ShoalError } from '../base/errors.ts';
import type { HostId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import { Prng } from '../base/prng.ts';
import type { Health } from '../base/telemetry/health.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import { beginningOf } from '../base/text.ts';
import type { MeshView } from '../cluster/mesh-view.ts';
import { GossipPlacer } from '../cluster/placer.ts';
import type { Config } from '../config/options.ts';
import { placementConfiguration } from '../config/placement.ts';
import { ClaimBook } from '../host/claims/claim-book.ts';
import { AgentHostControl } from '../host/control.ts';
import type { HostDrivers } from '../host/drivers.ts';
import { hostKeeper } from '../host/host-keeper.ts';
import type { HostLoop } from '../host/host-loop.ts';
import { ImageCache } from '../host/image-cache.ts';
import { type HostLoad, type Inventory, readInventory, readLoad } from '../host/inventory.ts';
import { dropUnusedImages } from '../host/kinds/server/kit/storage-images.ts';
import { IntentBook } from '../host/outage/intent-book.ts';
import { PendingReports } from '../host/outage/pending-reports.ts';
import { ActedOn } from '../host/outage/revision-fence.ts';
import { hostCapacity, ownAdvert } from '../host/own-advert.ts';
import type { PeerCalls } from '../host/peer-calls.ts';
import { type HostHandlers, hostHandlers } from '../host/peer-handlers.ts';
import { advertisedAggregates } from '../services/compute/aggregates.ts';
import { HostReportService } from '../services/compute/host-reports.ts';
import type { HostProbe, ServiceDependencies } from '../services/kit/dependencies.ts';
import { zoneByAggregate } from '../services/kit/zones.ts';
import { HostNetworkViews } from '../services/network/host-view.ts';
import type { MetadataSettings } from '../services/network/metadata.ts';
import { aggregateTable, hostTable, networkTable, serverTable } from '../state/tables/index.ts';
import type { HostStore } from '../store/host/host-store.ts';

/** Load is measured this often: adverts are hints, and measuring costs. */
const loadMs = 5_000;
/** Images are looked after this often. */
const replicateMs = 10_000;

/** What it is built from. */
interface HostSideParts {
  readonly services: ServiceDependencies;
  readonly store: HostStore;
  readonly drivers: HostDrivers;
  /** Makes the view of the mesh, given what this host says of itself. */
  readonly view: (ownAdvert: () => shoal.v1.IAdvert) => MeshView;
  /** Makes the calls to peers, given what this host answers itself. */
  readonly calls: (own: () => HostHandlers) => PeerCalls;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** Whose it is, and how it is set. */
interface HostSideOptions {
  readonly config: Config;
  readonly hostId: HostId;
  readonly meshId: string;
  readonly metadata: MetadataSettings;
  /** Why this agent takes no part in consensus: it would never see what is placed here. Absent: it does. */
  readonly idle?: ShoalError | undefined;
  readonly signal: AbortSignal;
}

/** See above. */
export class HostSide implements Service {
  readonly handlers: HostHandlers;
  readonly view: MeshView;
  readonly claims: ClaimBook;
  readonly images: ImageCache;
  readonly control: AgentHostControl;
  readonly probe: HostProbe;
  readonly placer: GossipPlacer;
  readonly drivers: HostDrivers;
  readonly #parts: HostSideParts;
  readonly #intents: IntentBook;
  readonly #loop: HostLoop;
  readonly #guestPower = new Map<string, number>();
  #load: HostLoad = { cpuPercent: 0, load1m: 0, memoryAvailableMib: 0 };
  #loadDueMs = 0;
  #replicateDueMs = 0;
  readonly #hostId: HostId;
  #watches: { close(): void }[] = [];

  private constructor(parts: HostSideParts, options: HostSideOptions, inventory: Inventory, blobs: BlobStore) {
    const { services, store, drivers, metrics } = parts;
    const { config, hostId } = options;
    const { state, clock, logger } = services;
    this.#parts = parts;
    this.#hostId = hostId;
    this.drivers = drivers;
    this.claims = new ClaimBook({ store, clock, onChange: () => this.view.changed() }, hostCapacity(config, inventory));
    const calls = parts.calls(() => this.handlers);
    this.probe = calls;
    this.images = new ImageCache(
      { ...services, store, logger: logger.child({ part: 'images' }) },
      {
        blobs,
        hostId,
        fetch: (from, sha256, signal) => calls.fetchBlob(from, sha256, signal),
        acceptInert: config.images.acceptInert === 'yes',
      },
    );
    this.#intents = new IntentBook({ ...services, store });
    const reports = new PendingReports(new HostReportService(services, hostId, options.signal));
    const networkViews = new HostNetworkViews(hostId, options.metadata);
    const actedOn = new ActedOn(store);
    this.#loop = hostKeeper(
      {
        hostId,
        state,
        compute: drivers.compute,
        storage: drivers.storage,
        network: drivers.network,
        store,
        reports,
        imageFile: (image, signal) => this.images.file(image, signal),
        mtu: (networkId) => networkTable.find(state.local, networkId)?.record.mtu ?? config.network.underlayMtu - 50,
        networkViews,
        withIntents: (server) => this.#intents.overlay(server),
        onRecords: (servers, revision, isHere) =>
          this.claims.follow(servers, hostId, revision, isHere, (id) => serverTable.isUnreadable(state.local, id)),
        isBehind: (revision) => actedOn.isAheadOf(revision),
        onActing: (revision) => actedOn.note(revision),
        onGuests: (guests) => {
          this.#guestPower.clear();
          for (const { power } of guests) this.#guestPower.set(power, (this.#guestPower.get(power) ?? 0) + 1);
        },
        observer: {
          step: (_kind, step, result, seconds) => {
            metrics.steps.inc({ step, result });
            metrics.stepSeconds.observe({ step }, seconds);
          },
          health: (part, error) => {
            if (error === undefined) parts.health.works(part);
            else parts.health.failed(part, error);
          },
        },
        clock,
        logger: logger.child({ part: 'host' }),
      },
      { stopGraceMs: config.compute.stopGraceMs, stepPatienceMs: config.compute.stepPatienceMs },
    );
    this.control = new AgentHostControl(
      { calls, intents: this.#intents, reports, wake: () => this.#loop.wake() },
      hostId,
    );
    const disabled = (): { disabled: boolean; reason: string } => {
      if (options.idle !== undefined) return { disabled: true, reason: beginningOf(options.idle.message, 255) };
      const record = hostTable.get(state.local, hostId)?.record;
      if (record?.forcedDown === true) return { disabled: true, reason: 'an operator has forced it down' };
      return { disabled: record?.disabled ?? false, reason: record?.disabledReason ?? '' };
    };
    this.view = parts.view(() =>
      ownAdvert({
        config,
        hostId,
        meshId: options.meshId,
        inventory,
        compute: drivers.compute,
        hypervisorVersion: drivers.hypervisorVersion,
        storage: drivers.storage,
        claims: this.claims,
        load: () => this.#load,
        disabled,
        busySteps: () => this.#loop.busySteps,
        place: () => ({
          zone: zoneByAggregate(state.local, hostId),
          aggregates: advertisedAggregates(state.local, hostId),
        }),
      }),
    );
    this.handlers = hostHandlers({
      claims: this.claims,
      images: this.images,
      compute: drivers.compute,
      freshAdvert: () => this.view.freshOwnAdvert(),
      nextAdvert: () => this.view.nextOwnAdvert(),
      hostId,
      isEnabled: () => !disabled().disabled,
      onClaim: (result) => metrics.claims.inc({ result }),
    });
    this.placer = new GossipPlacer(
      {
        columns: this.view.columns,
        transport: calls,
        acceptAdvert: (advert) => this.view.accept(advert),
        clock,
        prng: new Prng(Number.parseInt(hostId.slice(0, 8), 16) ^ clock.nowMs()),
        logger: logger.child({ part: 'placer' }),
        onDecision: (result) => metrics.placements.inc({ result }),
      },
      placementConfiguration(config),
    );
  }

  /** Reads what the machine has, opens the image store, and puts the parts together. */
  static async create(parts: HostSideParts, options: HostSideOptions): Promise<HostSide> {
    const inventory = await readInventory(options.config.dataDir);
    parts.services.logger.info({ ...inventory }, 'inventory');
    const blobs = new BlobStore(join(options.config.dataDir, 'images'));
    await blobs.start();
    return new HostSide(parts, options, inventory, blobs);
  }

  async start(): Promise<void> {
    const { state } = this.#parts.services;
    // What the records say of this host is in its advert: its aggregates, and whether it is disabled.
    const changed = (): void => this.view.changed();
    this.#watches = [aggregateTable.prefix, hostTable.key(this.#hostId)].map((prefix) =>
      state.watch({ prefix }, changed),
    );
    await this.#loop.start();
  }

  stop(): Promise<void> {
    for (const watch of this.#watches.splice(0)) watch.close();
    return this.#loop.stop();
  }

  /** The small duties: load, pending intents, copies of images. Called about once a second. */
  async houseKeep(signal: AbortSignal): Promise<void> {
    const nowMs = this.#parts.services.clock.monotonicMs();
    if (nowMs >= this.#loadDueMs) {
      this.#loadDueMs = nowMs + loadMs;
      this.#load = await readLoad();
    }
    await this.#intents.flush(signal);
    if (nowMs >= this.#replicateDueMs && this.#parts.services.state.status().hasQuorum) {
      this.#replicateDueMs = nowMs + replicateMs;
      await this.images.replicate(signal);
      const { store, drivers, services } = this.#parts;
      await dropUnusedImages({ store, storage: drivers.storage }, services.state.local, signal);
    }
  }

  /** Sets the figures that are not counted as things happen. */
  observe(): void {
    const { metrics } = this.#parts;
    for (const power of ['running', 'paused', 'shutdown', 'crashed']) {
      metrics.guests.set({ power }, this.#guestPower.get(power) ?? 0);
    }
    const hosts = hostTable.list(this.#parts.services.state.local).map(({ record }) => this.view.condition(record.id));
    for (const condition of ['alive', 'suspect', 'dead', 'unknown'] as const) {
      metrics.knownHosts.set({ condition }, hosts.filter((found) => found === condition).length);
    }
  }
}
