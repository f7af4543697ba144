/** One host on fake drivers whose records live in memory: the loop of an agent, as production hangs it together. */
import { randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeNetworkDriver, FakeNetworkHost } from '../../../drivers/fake/network.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import type { ImageFile } from '../../../drivers/types.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ImageSha256, NetworkId, PortId, ServerId, SubnetId } from '../../../node/base/ids.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { hostKeeper } from '../../../node/host/host-keeper.ts';
import type { HostLoop } from '../../../node/host/host-loop.ts';
import { PowerOffNotes } from '../../../node/host/outage/power-off-notes.ts';
import { NicReportService } from '../../../node/services/compute/interfaces/nic-reports.ts';
import { ReceivingReportService } from '../../../node/services/compute/moves/live-reports.ts';
import { beginVolumeCopy } from '../../../node/services/jobs/volume-jobs.ts';
import type { HostReports } from '../../../node/services/kit/reporting/host-reporting.ts';
import { VolumeReportService } from '../../../node/services/volume/host-reports.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import { imageTable, portTable, serverTable } from '../../../node/state/tables/index.ts';
import { memoryHostStore } from '../../../node/store/host/host-store.ts';
import { shoal } from '../../../proto/messages.ts';
import { testSealing } from '../services/test-sealing.ts';

const { PowerWanted, ServerStatus } = shoal.v1;
/** Pause of the loops here after a failed step; long enough to be told from no pause at all. */
export const retryMs = 100;
export const self = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' as HostId;
export const serverId = 's1' as ServerId;
export const portId = 'p1' as PortId;
export const networkId = 'n1' as NetworkId;

/** See above. */
export class World {
  readonly state = new MemoryStateClient();
  readonly network = new FakeNetworkHost();
  readonly storage = new FakeStorage({ shared: false });
  /** A second pool, "fast". */
  readonly otherStorage = new FakeStorage({ shared: false, name: 'fast' });
  /** What other hosts have, by the address at which they serve it. */
  readonly storagesElsewhere = new Map<string, FakeStorage>();
  readonly compute = new FakeComputeHost(systemClock, [this.storage, this.otherStorage], (address) =>
    this.storagesElsewhere.get(address),
  );
  readonly store = memoryHostStore();
  /** What services and reports are given. */
  readonly deps = { state: this.state, clock: systemClock, logger: silentLogger, newId: () => randomUUID() };
  readonly #loops: HostLoop[] = [];
  /** Holds a pass between its look at the host and its plan. */
  beforePlan: (() => Promise<void>) | undefined;
  /** Hears of the revision whose records are acted on next. */
  onActing: (revision: number) => Promise<void> = async () => {};
  /** How long what may pass is tried again. Unit: ms. */
  stepPatienceMs = 60_000;
  /** What the owner has asked of this host alone. */
  intend = (server: shoal.v1.Server): shoal.v1.Server => server;
  /** Servers that the books of claims have no room for. */
  readonly roomless = new Map<string, string>();
  /** Reports of power that are refused for want of a quorum before one is taken. */
  refusedReports = 0;
  /** What the host tells, as production has it; undefined: what the test needs of it alone. */
  hostReports: HostReports | undefined;
  /** What owners are told that the host did on its own. */
  readonly notices: string[] = [];

  /** An agent's loop on this host; another one after `stop` is what runs after a restart. */
  async startLoop(): Promise<HostLoop> {
    const signal = new AbortController().signal;
    const compute = new FakeComputeDriver(this.compute);
    const network = new FakeNetworkDriver(this.network);
    const storage = new FakeStorageDriver(this.storage);
    const other = new FakeStorageDriver(this.otherStorage);
    for (const driver of [compute, network, storage, other]) await driver.start(signal);
    const reports = this.hostReports ?? this.#reports();
    const loop = hostKeeper(
      {
        hostId: self,
        state: this.state,
        compute,
        network,
        storage: new Map([
          ['local', storage],
          ['fast', other],
        ]),
        store: this.store,
        reports,
        receivingReports: new ReceivingReportService(this.deps, self, signal),
        nicReports: new NicReportService(this.deps, self, signal),
        volumeReports: new VolumeReportService(this.deps, self, signal),
        openKey: (name, secret) => testSealing.open(this.state.local, name, secret),
        beginCopy: (volume) => beginVolumeCopy(this.deps, volume, signal),
        fresh: (asked) => this.deps.state.fresh(asked),
        imageFile: async (image): Promise<ImageFile> => ({
          sha256: image.sha256 as ImageSha256,
          path: '/dev/null',
          format: 'qcow2',
          virtualSizeBytes: 1024,
        }),
        mtu: () => 1450,
        networkViews: {
          of: (reader) => {
            const ports = portTable.by(reader, 'host', self).map((row) => row.record);
            const subnetId = 'sub1' as SubnetId;
            return {
              revision: reader.revision,
              failures: [],
              kept: new Set<string>(),
              networks:
                ports.length === 0
                  ? []
                  : [
                      {
                        networkId,
                        vni: 7,
                        mtu: 1450,
                        subnets: [
                          {
                            subnetId,
                            cidr: '10.0.0.0/24',
                            serviceIp: '10.0.0.2',
                            dhcp: true,
                            dnsServers: [],
                            hostRoutes: [],
                          },
                        ],
                      },
                    ],
              ports: ports.map((port) => ({
                portId: port.id as PortId,
                networkId,
                mac: port.mac,
                ip: port.fixedIps[0]?.ip ?? '',
                hostname: 'guest',
                portSecurity: true,
                rules: [],
                metadata: {},
              })),
              forwarding: [],
              routers: [],
            };
          },
          heard: (keys) => keys.some((key) => key.includes('/port/')),
        },
        fencedPools: new Set<string>(),
        withIntents: (server) => this.intend(new PowerOffNotes(this.store).overlay(server)),
        onRecords: async () => {
          await this.beforePlan?.();
          return this.roomless;
        },
        onActing: (revision) => this.onActing(revision),
        clock: systemClock,
        logger: silentLogger,
      },
      { stopGraceMs: 0, retryMs, stepPatienceMs: this.stepPatienceMs },
    );
    await loop.start();
    this.#loops.push(loop);
    await loop.idle();
    return loop;
  }

  async stop(): Promise<void> {
    for (const loop of this.#loops) await loop.stop();
  }

  server(): shoal.v1.Server | undefined {
    return serverTable.get(this.state.local, serverId)?.record;
  }

  async change(edit: (server: shoal.v1.Server) => void, id: string = serverId): Promise<void> {
    const row = serverTable.get(this.state.local, id);
    if (row === undefined) return;
    const next = new shoal.v1.Server(row.record);
    edit(next);
    const builder = new TransactionBuilder();
    serverTable.update(builder, row, next);
    await this.state.commit(builder.build());
  }

  async createServer(): Promise<void> {
    const builder = new TransactionBuilder();
    imageTable.insert(
      builder,
      new shoal.v1.Image({ id: 'i1', sha256: 'aa'.repeat(32), status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE }),
    );
    portTable.insert(
      builder,
      new shoal.v1.Port({
        id: portId,
        networkId,
        mac: 'fa:16:3e:00:00:10',
        hostId: self,
        deviceId: serverId,
        fixedIps: [{ subnetId: 'sub1', ip: '10.0.0.10' }],
      }),
    );
    serverTable.insert(
      builder,
      new shoal.v1.Server({
        id: serverId,
        name: 'first',
        hostId: self,
        generation: 1,
        imageId: 'i1',
        powerWanted: PowerWanted.POWER_WANTED_RUNNING,
        status: ServerStatus.SERVER_STATUS_BUILD,
        taskState: 'spawning',
        portIds: [portId],
        rootVolumeId: 'v1',
        storage: 'local',
        flavor: { vcpus: 1, memoryMib: 128, diskGib: 1 },
      }),
    );
    await this.state.commit(builder.build());
  }

  #reports(): HostReports {
    const { SERVER_STATUS_ACTIVE, SERVER_STATUS_SHUTOFF, SERVER_STATUS_PAUSED, SERVER_STATUS_ERROR } = ServerStatus;
    const suspended = ServerStatus.SERVER_STATUS_SUSPENDED;
    const status = {
      running: SERVER_STATUS_ACTIVE,
      stopped: SERVER_STATUS_SHUTOFF,
      paused: SERVER_STATUS_PAUSED,
      suspended,
    };
    return {
      rebuilt: () =>
        this.change((server) => {
          server.replacedDisks = [];
        }),
      unrescued: () =>
        this.change((server) => {
          server.rescue = null;
        }),
      offloaded: () =>
        this.change((server) => {
          server.hostId = '';
        }),
      power: async ({ id, machine }, power, rebootsDone, notice) => {
        if (this.refusedReports > 0) {
          this.refusedReports -= 1;
          throw new ShoalError('NO_QUORUM', 'nobody answers');
        }
        if (notice !== undefined) this.notices.push(notice);
        await this.change((server) => {
          server.status = status[power];
          if (machine !== '') server.machine = machine;
          server.taskState = '';
          server.rebootsDone = rebootsDone;
          server.observedRevision = server.askedRevision;
        }, id);
      },
      shutdown: () =>
        this.change((server) => {
          server.status = SERVER_STATUS_SHUTOFF;
          server.powerWanted = PowerWanted.POWER_WANTED_STOPPED;
        }),
      cleaned: ({ id }) =>
        this.change((server) => {
          server.previousHostId = '';
        }, id),
      fault: ({ id }, message) =>
        this.change((server) => {
          server.status = SERVER_STATUS_ERROR;
          server.taskState = '';
          server.fault = new shoal.v1.ServerFault({ code: 500, message });
        }, id),
      released: ({ id }) =>
        this.change((server) => {
          server.releasedGeneration = Math.max(server.releasedGeneration, server.generation - 1);
          if (server.move === null) server.previousHostId = '';
        }, id),
      deleted: async () => {
        const builder = new TransactionBuilder();
        const server = serverTable.must(this.state.local, serverId);
        serverTable.remove(builder, server);
        portTable.remove(builder, portTable.must(this.state.local, portId));
        await this.state.commit(builder.build());
      },
      task: () => Promise.resolve(),
    };
  }
}

export async function world(t: Test): Promise<World> {
  const made = new World();
  t.teardown(() => made.stop());
  return made;
}
