/**
 * The host's side of one process of an agent: claims, intents, host loop, placer and services, put together as
 * node/host-side.ts does it, on a machine of the simulated world. What is not production code here: adverts travel
 * unsigned over the simulated network, and nobody detects failures (every host counts as up).
 */
import { BlobStore } from '../../drivers/image/store.ts';
import { placementAdvert } from '../../node/advert-mapping.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId, ImageId } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import { ClaimBook } from '../../node/claim-book.ts';
import { Executor } from '../../node/executor.ts';
import { type HostHandlers, hostHandlers } from '../../node/host-handlers.ts';
import { HostLoop } from '../../node/host-loop.ts';
import { ImageDepot } from '../../node/image-depot.ts';
import { IntentBook } from '../../node/intent-book.ts';
import { NetworkSync } from '../../node/network-sync.ts';
import { GossipPlacer } from '../../node/placer.ts';
import { HostReportService } from '../../node/services/compute/host-reports.ts';
import { ComputeService } from '../../node/services/compute/index.ts';
import type { HostControl, HostProbe, HostViews, ServiceDependencies } from '../../node/services/dependencies.ts';
import { HostNetworkViews } from '../../node/services/network/host-view.ts';
import { NetworkService } from '../../node/services/network/index.ts';
import { hostTable, networkTable } from '../../node/state/tables/index.ts';
import { UnsaidReports } from '../../node/unsaid-reports.ts';
import { defaultConfiguration, HostColumns } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { hostIpOf } from './ids.ts';
import type { HostMachine } from './machine.ts';
import type { Process } from './node.ts';

/** How often adverts are sent though nothing has changed. Unit: ms. */
const heartbeatMs = 5_000;
/** Changes within this time are told together. Unit: ms. */
const coalesceMs = 50;
/** How often pending intents are looked at. Unit: ms. */
const houseKeepingMs = 1_000;

export interface HostAgentDeps {
  readonly process: Process;
  readonly machine: HostMachine;
  readonly random: Prng;
  readonly newId: () => string;
  /** Start of the agent: adverts of a later one win. */
  readonly epoch: number;
  /** Sends an advert to everybody else. */
  readonly broadcast: (advert: shoal.v1.Advert) => void;
  /** What the host `hostId` answers, asked over the network. */
  readonly ask: <T>(
    hostId: HostId,
    signal: AbortSignal,
    work: (handlers: HostHandlers, signal: AbortSignal) => Promise<T>,
  ) => Promise<T>;
  /** A part failed in a way that ends the process. */
  readonly onFatal: (error: unknown) => void;
  /** A planted bug may stand between what the host answers and those who ask. */
  readonly wrapHandlers?: (handlers: HostHandlers) => HostHandlers;
}

export class HostAgent {
  readonly machine: HostMachine;
  readonly columns: HostColumns;
  readonly claims: ClaimBook;
  readonly handlers: HostHandlers;
  readonly compute: ComputeService;
  readonly network: NetworkService;
  readonly services: ServiceDependencies;
  readonly loop: HostLoop;
  readonly #deps: HostAgentDeps;
  readonly #adverts = new Map<string, shoal.v1.Advert>();
  readonly #intents: IntentBook;
  readonly #start: () => Promise<void>;
  #sequence = 0;
  #isAdvertDue = false;

  constructor(deps: HostAgentDeps) {
    this.#deps = deps;
    const { process, machine, random, newId } = deps;
    const { state, clock, life } = process;
    const { hostId } = machine;
    this.machine = machine;
    const signal = new AbortController().signal;
    const logger = process.logger;
    const services: ServiceDependencies = { state, clock, logger, newId };
    this.services = services;
    const drivers = machine.drivers(life);
    const store = machine.store.open(life);
    this.columns = new HostColumns({ seed: random.uint32() });
    this.claims = new ClaimBook({ store, clock, onChange: () => this.#changed() }, machine.capacity);
    this.#intents = new IntentBook({ ...services, store });
    const reports = new UnsaidReports(new HostReportService(services, hostId, signal));
    const networkSync = new NetworkSync({ driver: drivers.network, store, logger });
    const networkViews = new HostNetworkViews(hostId);
    const executor = new Executor({
      hostId,
      compute: drivers.compute,
      storage: new Map([[machine.storage.shared ? 'rbd' : 'local', drivers.storage]]),
      store,
      reports,
      imageFile: async (image) => ({
        imageId: image.id as ImageId,
        path: '/simulated',
        format: 'qcow2',
        virtualSizeBytes: image.virtualSizeBytes,
      }),
      tapName: (portId) => networkSync.tapName(portId),
      mtu: (networkId) => networkTable.get(state.local, networkId)?.record.mtu ?? 1450,
    });
    this.loop = new HostLoop(
      {
        hostId,
        state,
        compute: drivers.compute,
        executor,
        networkSync,
        networkView: (reader) => networkViews.of(reader),
        reports,
        withIntents: (server) => this.#intents.overlay(server),
        onRecords: (servers, revision) => this.claims.follow(servers, hostId, revision),
        isBehind: (revision) => this.claims.isAheadOf(revision),
        clock,
        logger,
      },
      { stopGraceMs: 1_000 },
    );
    const handlers = hostHandlers({
      claims: this.claims,
      images: new ImageDepot(
        { ...services, store },
        {
          // Never opened: images have no bytes here.
          blobs: new BlobStore('/simulated'),
          hostId,
          fetch: () => {
            throw new ShoalError('UNAVAILABLE', 'images have no bytes in the simulator');
          },
        },
      ),
      compute: drivers.compute,
      freshAdvert: () => new shoal.v1.SignedAdvert({ advert: shoal.v1.Advert.encode(this.advert()).finish() }),
      isEnabled: () => hostTable.get(state.local, hostId)?.record.disabled !== true,
    });
    this.handlers = deps.wrapHandlers?.(handlers) ?? handlers;
    const placer = new GossipPlacer(
      {
        columns: this.columns,
        transport: {
          claim: async (target, request, asked) =>
            new shoal.v1.ClaimResponse(
              await deps.ask(target, asked, (handlers, remote) => handlers.claim(request, callOf(hostId, remote))),
            ),
          release: async (target, request) => {
            await deps.ask(target, signal, (handlers, remote) =>
              handlers.releaseClaim(request, callOf(hostId, remote)),
            );
          },
        },
        acceptAdvert: (signed) => this.hears(shoal.v1.Advert.decode(signed.advert)),
        clock,
        prng: random.fork(),
        logger,
      },
      defaultConfiguration,
    );
    const hostControl: HostControl = {
      hostId,
      consoleLog: async () => new Uint8Array(0),
      intendLocally: async (server, change) => {
        if (server.hostId !== hostId)
          throw new ShoalError('NO_QUORUM', 'Without quorum a server is controlled at its own host alone.');
        await this.#intents.note(server, change);
        this.loop.wake();
      },
      withLocalIntents: (server) =>
        server.hostId === hostId ? reports.overlay(this.#intents.overlay(server)) : server,
    };
    const hostViews: HostViews = { adverts: () => [...this.#adverts.values()], condition: () => 'alive' };
    const hostProbe: HostProbe = {
      answers: async (target, asked) => {
        try {
          return await deps.ask(target, asked, async () => true);
        } catch (caught) {
          if (!(caught instanceof ShoalError) || asked.aborted) throw caught;
          return false;
        }
      },
    };
    this.compute = new ComputeService(
      { ...services, placer, hostControl, hostViews, hostProbe },
      { storage: machine.storage.shared ? 'rbd' : 'local' },
    );
    this.network = new NetworkService(services);
    this.#start = async () => {
      for (const driver of [drivers.compute, drivers.network, drivers.storage]) await driver.start(signal);
      await this.loop.start();
      clock.setInterval(() => this.#tell(), heartbeatMs);
      clock.setInterval(() => {
        this.#intents.flush(signal).catch(deps.onFatal);
      }, houseKeepingMs);
      this.#tell();
    };
  }

  /** Starts the drivers, then the loop. Ends early, and for good, when the process dies. */
  start(): Promise<void> {
    return this.#start();
  }

  /** This host's advert as of now. */
  advert(): shoal.v1.Advert {
    const { machine, epoch } = this.#deps;
    const usage = this.claims.usage();
    const { vcpus, memoryMib, diskGib } = machine.capacity;
    this.#sequence += 1;
    return new shoal.v1.Advert({
      hostId: machine.hostId,
      hostName: `host-${machine.raftId}`,
      meshId: 'mesh',
      cell: 'cell0',
      epoch,
      sequence: this.#sequence,
      hostIp: hostIpOf(machine.raftId),
      zone: 'nova',
      vcpus: vcpus.total,
      memoryMib: memoryMib.total,
      diskGib: diskGib.total,
      vcpusRatio: vcpus.allocationRatio,
      memoryRatio: memoryMib.allocationRatio,
      diskRatio: diskGib.allocationRatio,
      vcpusUsed: usage.vcpus.used,
      memoryMibUsed: usage.memoryMib.used,
      diskGibUsed: usage.diskGib.used,
      servers: usage.servers,
      ioOps: this.loop.busySteps,
      storagePools: [machine.storage.shared ? 'rbd' : 'local'],
      enabled: true,
      hypervisorType: 'QEMU',
      hypervisorVersion: 7_002_022,
      architecture: 'x86_64',
    });
  }

  /** Takes an advert in. False: the one known is as new. */
  hears(advert: shoal.v1.Advert): boolean {
    const known = this.#adverts.get(advert.hostId);
    if (
      known !== undefined &&
      (advert.epoch < known.epoch || (advert.epoch === known.epoch && advert.sequence <= known.sequence))
    )
      return false;
    this.#adverts.set(advert.hostId, advert);
    this.columns.upsert(placementAdvert(advert));
    return true;
  }

  #changed(): void {
    if (this.#isAdvertDue) return;
    this.#isAdvertDue = true;
    this.#deps.process.clock.setTimeout(() => {
      this.#isAdvertDue = false;
      this.#tell();
    }, coalesceMs);
  }

  #tell(): void {
    const advert = this.advert();
    this.hears(advert);
    this.#deps.broadcast(advert);
  }
}

function callOf(caller: HostId, signal: AbortSignal): Parameters<HostHandlers['claim']>[1] {
  return { caller, signal } as Parameters<HostHandlers['claim']>[1];
}
