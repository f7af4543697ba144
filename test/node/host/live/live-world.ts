/** Two hosts with loops and jobs of their own, on storage that both reach, and one server that runs on the first. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../../drivers/fake/compute.ts';
import { FakeNetworkDriver, FakeNetworkHost } from '../../../../drivers/fake/network.ts';
import { FakeStorage, FakeStorageDriver } from '../../../../drivers/fake/storage.ts';
import { setFaultInjector } from '../../../../node/base/buggify/buggify.ts';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId, ServerId } from '../../../../node/base/ids.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { hostKeeper } from '../../../../node/host/host-keeper.ts';
import type { HostLoop } from '../../../../node/host/host-loop.ts';
import { anyJobKind } from '../../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../../node/host/jobs/job-runner.ts';
import { liveMigrationJob } from '../../../../node/host/jobs/kinds/live-migration.ts';
import { HostReportService } from '../../../../node/services/compute/host-reports.ts';
import { NicReportService } from '../../../../node/services/compute/interfaces/nic-reports.ts';
import { LiveMoveReportService, ReceivingReportService } from '../../../../node/services/compute/moves/live-reports.ts';
import { chargeQuota } from '../../../../node/services/kit/quota.ts';
import { transact } from '../../../../node/services/kit/transact.ts';
import { HostNetworkViews } from '../../../../node/services/network/host-view.ts';
import { VolumeReportService } from '../../../../node/services/volume/host-reports.ts';
import {
  imageTable,
  jobTable,
  migrationTable,
  networkTable,
  portTable,
  serverTable,
  subnetTable,
} from '../../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../../node/store/host/host-store.ts';
import { shoal } from '../../../../proto/messages.ts';
import { type ComputeWorld, fakeHostViews, makeComputeWorld } from '../../services/compute-world.ts';
import { testSealing } from '../../services/test-sealing.ts';

const { PowerWanted, ServerStatus } = shoal.v1;

export const serverId = '00000000-0000-4000-8000-0000000000a1' as ServerId;
const portId = '00000000-0000-4000-8000-0000000000b1';
const networkId = '00000000-0000-4000-8000-0000000000c1';
const subnetId = '00000000-0000-4000-8000-0000000000d1';
const rootVolumeId = '00000000-0000-4000-8000-0000000000e1';
/** How long a state is waited for. */
const waitMs = 8_000;

/** One host: what stays when its agent ends. */
class LiveHost {
  readonly id: HostId;
  readonly compute: FakeComputeHost;
  readonly network = new FakeNetworkHost();
  readonly #world: LiveWorld;
  readonly #store = memoryHostStore();
  #agent: { readonly loop: HostLoop; readonly jobs: JobRunner } | undefined;

  constructor(world: LiveWorld, id: HostId) {
    this.#world = world;
    this.id = id;
    const hostAt = (address: string): FakeComputeHost | undefined => world.hostAt(address);
    this.compute = new FakeComputeHost(systemClock, [world.storage], undefined, { address: id, hostAt });
  }

  /** The guest, as it is found here. */
  get guest() {
    return this.compute.guests.get(serverId);
  }

  /** Another process of the agent. */
  async start(): Promise<void> {
    const { signal } = new AbortController();
    const { deps, state } = this.#world.services;
    const compute = new FakeComputeDriver(this.compute);
    const network = new FakeNetworkDriver(this.network);
    const storage = new FakeStorageDriver(this.#world.storage);
    for (const driver of [compute, network, storage]) await driver.start(signal);
    const common = {
      hostId: this.id,
      compute,
      storage: new Map([['rbd', storage]]),
      store: this.#store,
      volumeReports: new VolumeReportService(deps, this.id, signal),
      openKey: (...[name, secret]: [Parameters<typeof testSealing.open>[1], Parameters<typeof testSealing.open>[2]]) =>
        testSealing.open(state.local, name, secret),
      beginCopy: () => Promise.reject(new ShoalError('NOT_FOUND', 'no volume is copied')),
      fresh: (asked: AbortSignal) => state.fresh(asked),
      imageFile: async (image: shoal.v1.Image) => ({
        sha256: image.sha256 as never,
        path: '/dev/null',
        format: 'qcow2' as const,
        virtualSizeBytes: 1024,
      }),
    };
    const loop = hostKeeper(
      {
        ...common,
        state,
        network,
        reports: new HostReportService(deps, this.id, signal),
        receivingReports: new ReceivingReportService(deps, this.id, signal),
        nicReports: new NicReportService(deps, this.id, signal),
        mtu: () => 1450,
        networkViews: new HostNetworkViews(this.id),
        fencedPools: new Set<string>(),
        withIntents: (server) => server,
        onRecords: async () => new Map(),
        clock: systemClock,
        logger: silentLogger,
      },
      { stopGraceMs: 0, retryMs: 50, stepPatienceMs: 2_000 },
    );
    const moveDeps = { ...deps, hostViews: fakeHostViews(this.#world.services), sealing: testSealing };
    const jobs = new JobRunner({
      ...deps,
      clock: systemClock,
      isOwn: ({ ownerHostId }) => ownerHostId === this.id,
      kinds: [
        anyJobKind(
          liveMigrationJob(
            (asked) => ({
              ...common,
              reader: state.local,
              signal: asked,
              liveMoveReports: new LiveMoveReportService(moveDeps, asked),
            }),
            this.id,
            deps.clock,
          ),
        ),
      ],
    });
    this.#agent = { loop, jobs };
    await loop.start();
    await jobs.start();
  }

  async stop(): Promise<void> {
    const agent = this.#agent;
    this.#agent = undefined;
    await agent?.jobs.stop();
    await agent?.loop.stop();
  }

  /** Ends the process here and now: nothing that it would do afterwards happens. */
  kill(): void {
    void this.#agent?.loop.stop();
    void this.#agent?.jobs.stop();
  }
}

/** See above. */
export class LiveWorld {
  readonly storage = new FakeStorage({ shared: true, name: 'rbd' });
  readonly services: ComputeWorld;
  readonly here: LiveHost;
  readonly there: LiveHost;
  /** Each time that the guest was seen to run on two hosts. */
  readonly doubles: string[] = [];
  readonly #watching: NodeJS.Timeout;

  constructor(services: ComputeWorld) {
    this.services = services;
    this.here = new LiveHost(this, '1'.repeat(32) as HostId);
    this.there = new LiveHost(this, '2'.repeat(32) as HostId);
    this.#watching = setInterval(() => this.#watch(), 1);
  }

  hostAt(address: string): FakeComputeHost | undefined {
    return [this.here, this.there].find(({ id }) => id === address)?.compute;
  }

  async begin(): Promise<void> {
    const { deps, admin } = this.services;
    await transact(deps, admin, ({ change, reader }) => {
      chargeQuota(change, reader, 'alice-project', { instances: 1, cores: 1, ram: 128 });
      networkTable.insert(change, new shoal.v1.Network({ id: networkId, vni: 7, mtu: 1450, adminStateUp: true }));
      subnetTable.insert(
        change,
        new shoal.v1.Subnet({ id: subnetId, networkId, cidr: '10.0.0.0/24', gatewayIp: '10.0.0.1' }),
      );
      portTable.insert(
        change,
        new shoal.v1.Port({
          ...{ id: portId, networkId, mac: 'fa:16:3e:00:00:10', hostId: this.here.id, deviceId: serverId },
          ...{ adminStateUp: true, portSecurityEnabled: true, fixedIps: [{ subnetId, ip: '10.0.0.10' }] },
        }),
      );
      serverTable.insert(
        change,
        new shoal.v1.Server({
          ...{ id: serverId, name: 'first', projectId: 'alice-project', hostId: this.here.id, generation: 1 },
          ...{ imageId: 'image-1', storage: 'rbd', rootVolumeId, portIds: [portId], taskState: 'spawning' },
          powerWanted: PowerWanted.POWER_WANTED_RUNNING,
          status: ServerStatus.SERVER_STATUS_BUILD,
          flavor: { id: '1', name: 'm1.tiny', vcpus: 1, memoryMib: 128, diskGib: 1 },
        }),
      );
    });
    if (!imageTable.exists(this.services.state.local, 'image-1')) throw new Error('there is no image');
    await this.here.start();
    await this.there.start();
    await this.until('the server runs', () => this.server?.status === ServerStatus.SERVER_STATUS_ACTIVE);
  }

  async end(): Promise<void> {
    clearInterval(this.#watching);
    setFaultInjector(undefined);
    await this.here.stop();
    await this.there.stop();
  }

  get server(): shoal.v1.Server | undefined {
    return serverTable.get(this.services.state.local, serverId)?.record;
  }

  get port(): shoal.v1.Port | undefined {
    return portTable.get(this.services.state.local, portId)?.record;
  }

  get migration(): shoal.v1.Migration | undefined {
    const all = migrationTable.list(this.services.state.local).map(({ record }) => record);
    return all.toSorted((a, b) => a.number - b.number).at(-1);
  }

  /** Nothing of a move is left to be done. */
  get isAtRest(): boolean {
    const { server } = this;
    const hasJob = jobTable.by(this.services.state.local, 'under-way', 'yes').length > 0;
    return server?.move === null && server.discardHostId === '' && server.taskState === '' && !hasJob;
  }

  /** Both agents end at the first hit of the point: which of them hit it nobody tells. */
  killAt(point: string): { readonly hits: () => number } {
    let hits = 0;
    setFaultInjector({
      buggify: () => false,
      mark: () => {},
      failpoint: (name) => {
        if (name !== point) return;
        hits += 1;
        if (hits > 1) return;
        this.here.kill();
        this.there.kill();
        throw new ShoalError('CANCELLED', `killed at ${name}`);
      },
    });
    return { hits: () => hits };
  }

  /** Waits until it holds; starts the agents again where they were killed. */
  async until(what: string, holds: () => boolean, restarts: () => boolean = () => false): Promise<void> {
    const endMs = performance.now() + waitMs;
    let isRestarted = false;
    while (!holds()) {
      if (performance.now() > endMs) {
        const job = jobTable.list(this.services.state.local).at(-1)?.record;
        throw new Error(`not within ${waitMs} ms: ${what}; ${JSON.stringify({ job, server: this.server })}`);
      }
      if (restarts() && !isRestarted) {
        isRestarted = true;
        await this.here.stop();
        await this.there.stop();
        await this.here.start();
        await this.there.start();
      }
      await delay(5);
    }
  }

  #watch(): void {
    const running = [this.here, this.there].filter(({ guest }) => guest?.power === 'running');
    if (running.length > 1) this.doubles.push(`at ${performance.now()}`);
  }
}

/** One that ends with the test. */
export async function liveWorld(t: Test): Promise<LiveWorld> {
  const world = new LiveWorld(await makeComputeWorld());
  t.teardown(() => world.end());
  await world.begin();
  return world;
}
