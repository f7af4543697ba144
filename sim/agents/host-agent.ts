/**
 * The host's side of one process of an agent: claims, intents, host loop, placer and services, put together as
 * node/agent/host-side.ts does it, on a machine of the simulated world. What is not production code here: adverts travel
 * over the simulated network without libp2p and without real signatures (gossip.ts).
 */
import { BlobStore } from '../../drivers/image/store.ts';
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { firstCell, type HostId, type ImageSha256 } from '../../node/base/ids.ts';
import type { Prng } from '../../node/base/prng.ts';
import { GossipPlacer } from '../../node/cluster/placer.ts';
import type { ClaimBook } from '../../node/host/claims/claim-book.ts';
import { hostKeeper } from '../../node/host/host-keeper.ts';
import type { HostLoop } from '../../node/host/host-loop.ts';
import { ImageCache } from '../../node/host/image-cache.ts';
import { IntentBook } from '../../node/host/outage/intent-book.ts';
import { PendingReports } from '../../node/host/outage/pending-reports.ts';
import { ActedOn } from '../../node/host/outage/revision-fence.ts';
import { type HostHandlers, hostHandlers } from '../../node/host/peer-handlers.ts';
import { HostReportService } from '../../node/services/compute/host-reports.ts';
import { ComputeService } from '../../node/services/compute/index.ts';
import type {
  HostControl,
  HostProbe,
  HostViews,
  Placed,
  ServiceDependencies,
} from '../../node/services/kit/dependencies.ts';
import { HostNetworkViews } from '../../node/services/network/host-view.ts';
import { NetworkService } from '../../node/services/network/index.ts';
import { hostTable, networkTable, serverTable } from '../../node/state/tables/index.ts';
import type { HostStore } from '../../node/store/host/host-store.ts';
import { defaultConfiguration, HostColumns } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import type { ClaimChecker } from '../checkers/claims.ts';
import type { GossipChecker } from '../checkers/gossip.ts';
import type { WorldMark } from '../settings/points.ts';
import { hostIpOf } from '../world/ids.ts';
import type { HostDriverSet, HostMachine } from '../world/machine.ts';
import type { Process } from '../world/node.ts';
import { type HeardAdverts, SimGossip } from './gossip.ts';
import { WatchedClaimBook } from './watched-claims.ts';

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
  /** All hosts of the mesh. */
  readonly hosts: readonly HostId[];
  /** Sends gossip to one of them. */
  readonly send: (to: HostId, told: HeardAdverts) => void;
  readonly checker: GossipChecker;
  readonly claimChecker: ClaimChecker;
  readonly reached: (mark: WorldMark) => void;
  /** A planted bug: an older advert wins over a newer one. */
  readonly isCredulous: boolean;
  /** A planted bug: a target is not asked whether it admits. */
  readonly isPresumptuous: boolean;
  /** A planted bug: a claim that is given back has ended for retries, too. */
  readonly endsClaimsForAll: boolean;
  /** A planted bug: claims are timed by the wall clock. */
  readonly claimsByWallClock: boolean;
  /** A planted bug: a claim that has ended is bound. */
  readonly bindsOldClaims: boolean;
  /** A planted bug: a host takes in what is recorded on it, whatever room it has. */
  readonly adoptsAnything: boolean;
  readonly wrapStore?: (inner: HostStore) => HostStore;
  readonly wrapDrivers?: (machine: HostMachine, drivers: HostDriverSet, clock: Clock) => HostDriverSet;
  /** How much more than it has this host tells of itself, as a factor. */
  readonly boast: () => number;
  /** What the agent of `hostId` answers, asked over the network. */
  readonly ask: <T>(
    hostId: HostId,
    signal: AbortSignal,
    work: (far: HostAgent, signal: AbortSignal) => Promise<T>,
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
  readonly gossip: SimGossip;
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
    const ownDrivers = machine.drivers(life);
    const drivers = deps.wrapDrivers?.(machine, ownDrivers, clock) ?? ownDrivers;
    const ownStore = machine.store.open(life, process.end);
    const store = deps.wrapStore?.(ownStore) ?? ownStore;
    this.columns = new HostColumns({ seed: random.uint32() });
    this.gossip = new SimGossip({
      self: hostId,
      hosts: deps.hosts,
      epoch: deps.epoch,
      clock,
      random: random.fork(),
      columns: this.columns,
      checker: deps.checker,
      name: life.name,
      send: deps.send,
      ask: (to, timeoutMs, work) => this.#askWithin(to, timeoutMs, work),
      reached: deps.reached,
      isCredulous: deps.isCredulous,
    });
    this.claims = new WatchedClaimBook(
      { hostId, checker: deps.claimChecker, endsForAll: deps.endsClaimsForAll },
      { store, clock: deps.claimsByWallClock ? wallClockOnly(clock) : clock, onChange: () => this.#changed() },
      machine.capacity,
    );
    this.#intents = new IntentBook({ ...services, store });
    const reports = new PendingReports(new HostReportService(services, hostId, signal));
    const networkViews = new HostNetworkViews(hostId);
    const actedOn = new ActedOn(store);
    this.loop = hostKeeper(
      {
        hostId,
        state,
        compute: drivers.compute,
        storage: new Map([[machine.storage.shared ? 'rbd' : 'local', drivers.storage]]),
        network: drivers.network,
        store,
        reports,
        imageFile: async (image) => ({
          sha256: image.sha256 as ImageSha256,
          path: '/simulated',
          format: 'qcow2',
          virtualSizeBytes: image.virtualSizeBytes,
        }),
        mtu: (networkId) => networkTable.get(state.local, networkId)?.record.mtu ?? 1450,
        networkViews,
        withIntents: (server) => this.#intents.overlay(server),
        onRecords: (servers, revision, isHere) =>
          this.claims.follow(servers, hostId, revision, deps.adoptsAnything ? () => true : isHere, (id) =>
            serverTable.isUnreadable(state.local, id),
          ),
        isBehind: (revision) => actedOn.isAheadOf(revision),
        onActing: (revision) => actedOn.note(revision),
        clock,
        logger,
      },
      { stopGraceMs: 1_000 },
    );
    const handlers = hostHandlers({
      claims: this.claims,
      images: new ImageCache(
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
      isEnabled: () => {
        const record = hostTable.get(state.local, hostId)?.record;
        return record?.disabled !== true && record?.forcedDown !== true;
      },
    });
    this.handlers = deps.wrapHandlers?.(handlers) ?? handlers;
    const placer = new GossipPlacer(
      {
        columns: this.columns,
        transport: {
          claim: async (target, request, asked) =>
            deps.isPresumptuous
              ? new shoal.v1.ClaimResponse({ admitted: true })
              : new shoal.v1.ClaimResponse(
                  await deps.ask(target, asked, (far, remote) => far.handlers.claim(request, callOf(hostId, remote))),
                ),
          release: async (target, request) => {
            await deps.ask(target, signal, (far, remote) => far.handlers.releaseClaim(request, callOf(hostId, remote)));
          },
        },
        acceptAdvert: (signed) => this.gossip.accept(shoal.v1.Advert.decode(signed.advert)),
        clock,
        prng: random.fork(),
        logger,
      },
      defaultConfiguration,
    );
    const ageless = <T extends Placed>(placed: T): T =>
      deps.bindsOldClaims ? { ...placed, isTooOld: () => false } : placed;
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
    const hostViews: HostViews = {
      adverts: () => this.gossip.adverts(),
      condition: (id) => this.gossip.conditionOf(id as HostId),
    };
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
      {
        ...services,
        placer: {
          place: async (...wish) => ageless(await placer.place(...wish)),
          placeBatch: async (...wish) => (await placer.placeBatch(...wish)).map(ageless),
        },
        hostControl,
        hostViews,
        hostProbe,
        // No scenario takes a host's record away, and the simulated hosts have no mesh to re-key.
        rekey: () => {
          throw new ShoalError('NOT_IMPLEMENTED', 'The simulator removes no host from its mesh.');
        },
      },
      { storage: machine.storage.shared ? 'rbd' : 'local' },
    );
    this.network = new NetworkService(services);
    this.#start = async () => {
      for (const driver of [drivers.compute, drivers.network, drivers.storage]) await driver.start(signal);
      await this.loop.start();
      this.gossip.start();
      clock.setInterval(() => this.#tell(), heartbeatMs);
      clock.setInterval(() => {
        this.#intents.flush(signal).catch((caught: unknown) => {
          // The store has said so itself, which ends this agent.
          if (!ShoalError.is(caught, 'STORE_FAILED')) deps.onFatal(caught);
        });
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
    const { machine, epoch, checker } = this.#deps;
    const boast = this.#deps.boast();
    const usage = this.claims.usage();
    const { vcpus, memoryMib, diskGib } = machine.capacity;
    this.#sequence += 1;
    const advert = new shoal.v1.Advert({
      hostId: machine.hostId,
      hostName: `host-${machine.raftId}`,
      meshId: 'mesh',
      cell: firstCell,
      epoch,
      sequence: this.#sequence,
      hostIp: hostIpOf(machine.raftId),
      zone: 'nova',
      vcpus: vcpus.total * boast,
      memoryMib: memoryMib.total * boast,
      diskGib: diskGib.total * boast,
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
    checker.said(machine.hostId, advert);
    return advert;
  }

  /** Hosts that have been heard of, this one included. */
  get knownHosts(): number {
    return this.gossip.adverts().length;
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
    this.gossip.publish(this.advert());
  }

  /** As `ask`, but for `timeoutMs` at most. */
  async #askWithin<T>(to: HostId, timeoutMs: number, work: (far: SimGossip) => Promise<T> | T): Promise<T> {
    const stop = new AbortController();
    const timer = this.#deps.process.clock.setTimeout(() => stop.abort(), timeoutMs);
    try {
      return await this.#deps.ask(to, stop.signal, async (far) => work(far.gossip));
    } finally {
      timer.cancel();
    }
  }
}

/** A planted bug: a clock whose monotonic time is the wall's. */
function wallClockOnly(clock: Clock): Clock {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.nowMs(),
    setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
    setInterval: (callback, periodMs) => clock.setInterval(callback, periodMs),
  };
}

function callOf(caller: HostId, signal: AbortSignal): Parameters<HostHandlers['claim']>[1] {
  return { caller, signal } as Parameters<HostHandlers['claim']>[1];
}
