/** A host that keeps volumes, with the services that its tenants call, and the jobs of its agent. */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { FolderBackupStore } from '../../../drivers/backup/folder-store.ts';
import { FakeComputeDriver } from '../../../drivers/fake/compute.ts';
import { FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import { setFaultInjector } from '../../../node/base/buggify/buggify.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import type { HostLoop } from '../../../node/host/host-loop.ts';
import { anyJobKind } from '../../../node/host/jobs/job-kind.ts';
import { JobRunner } from '../../../node/host/jobs/job-runner.ts';
import { type ServerImageTools, serverImageJob } from '../../../node/host/jobs/kinds/server-image.ts';
import { volumeBackupDeleteJob, volumeBackupJob } from '../../../node/host/jobs/kinds/volume-backup.ts';
import { volumeBackupExpireJob } from '../../../node/host/jobs/kinds/volume-backup-expire.ts';
import { volumeBackupVerifyJob } from '../../../node/host/jobs/kinds/volume-backup-verify.ts';
import { volumeCopyJob } from '../../../node/host/jobs/kinds/volume-copy.ts';
import { volumeMigrateJob } from '../../../node/host/jobs/kinds/volume-migrate.ts';
import { volumeReimageJob } from '../../../node/host/jobs/kinds/volume-reimage.ts';
import { volumeRestoreJob } from '../../../node/host/jobs/kinds/volume-restore.ts';
import { volumeSwapJob } from '../../../node/host/jobs/kinds/volume-swap.ts';
import { volumeUploadJob } from '../../../node/host/jobs/kinds/volume-upload.ts';
import { ServerImageReportService } from '../../../node/services/compute/saved/server-image-reports.ts';
import { beginVolumeCopy } from '../../../node/services/jobs/volume-jobs.ts';
import type { HostViews } from '../../../node/services/kit/dependencies.ts';
import type { Sealing } from '../../../node/services/kit/sealing.ts';
import { transact } from '../../../node/services/kit/transact.ts';
import { VolumeReportService } from '../../../node/services/volume/host-reports.ts';
import { VolumeService } from '../../../node/services/volume/index.ts';
import { VolumeJobReportService } from '../../../node/services/volume/job-reports.ts';
import type { VolumeDependencies } from '../../../node/services/volume/kit/dependencies.ts';
import { moveVolumes } from '../../../node/services/volume/records/server-disks.ts';
import { TransactionBuilder } from '../../../node/state/table.ts';
import {
  hostTable,
  imageTable,
  jobTable,
  serverTable,
  volumeBackupTable,
  volumeSnapshotTable,
  volumeTable,
} from '../../../node/state/tables/index.ts';
import { shoal } from '../../../proto/messages.ts';
import { sealingOf } from '../services/test-sealing.ts';
import { contextOf } from '../services/world.ts';
import { self, serverId, World } from './host-world.ts';
import { SummedImageContent } from './summed-image-content.ts';

/** A host of which there are only records. */
export const otherHost = 'cccccccccccccccccccccccccccccccc';
const farServerId = '00000000-0000-4000-8000-0000000000fa';
const projectId = 'project';
/** Time for several passes of a host. */
const quietMs = 150;
/** How long a state is waited for. */
const waitMs = 10_000;

/** See above. */
export class VolumeHost {
  readonly world = new World();
  /** A second pool. */
  readonly fast = this.world.otherStorage;
  readonly context = contextOf(projectId);
  /** The content of images: what was read is counted and summed, and not kept. */
  readonly images = new SummedImageContent();
  readonly service: VolumeService;
  /** The other host, of which the test does what its agent would. */
  readonly other: { serves: boolean; condition: 'alive' | 'dead' } = { serves: true, condition: 'alive' };
  #agent: { readonly loop: HostLoop; readonly jobs: JobRunner } | undefined;

  readonly #sealing: Sealing;
  readonly #hostViews: HostViews;

  /** @param backupStoreUrl where backups go; empty: nowhere. @param mesh what seals its secrets. */
  constructor(backupStoreUrl: string, mesh: string) {
    this.#sealing = sealingOf(mesh);
    const pools = (freeGib: number, serves: boolean) =>
      ['local', 'fast'].map((name) => ({ name, shared: false, freeGib, serves }));
    const adverts = () => [
      new shoal.v1.Advert({ hostId: self, hostName: 'host-1', enabled: true, pools: pools(90, true) }),
      // Of less room: what may be on either host is on this one.
      new shoal.v1.Advert({
        hostId: otherHost,
        hostName: 'host-2',
        enabled: true,
        pools: pools(50, this.other.serves),
      }),
    ];
    this.#hostViews = { adverts, condition: (id) => (id === otherHost ? this.other.condition : 'alive') };
    this.service = new VolumeService(
      {
        ...this.world.deps,
        hostViews: this.#hostViews,
        sealing: this.#sealing,
      },
      { storage: 'local', backupStoreUrl },
    );
  }

  /** With one server that runs. */
  async begin(): Promise<void> {
    const builder = new TransactionBuilder();
    hostTable.insert(builder, new shoal.v1.Host({ id: self, name: 'host-1' }));
    hostTable.insert(builder, new shoal.v1.Host({ id: otherHost, name: 'host-2' }));
    await this.world.state.commit(builder.build());
    await this.start();
    await this.world.createServer();
    await this.world.change((server) => {
      server.projectId = projectId;
      server.userId = this.context.userId;
    });
    await this.until('the server runs', () => this.server?.status === shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE);
  }

  /** Another process of the agent. */
  async start(): Promise<void> {
    const { deps, compute, storage } = this.world;
    const loop = await this.world.startLoop();
    const ending = new AbortController();
    const drivers = {
      compute: new FakeComputeDriver(compute),
      local: new FakeStorageDriver(storage),
      fast: new FakeStorageDriver(this.fast),
    };
    await drivers.compute.start(ending.signal);
    await drivers.local.start(ending.signal);
    await drivers.fast.start(ending.signal);
    const tools = (signal: AbortSignal): ServerImageTools => ({
      imageContent: this.images,
      hostId: self,
      compute: drivers.compute,
      storage: new Map([
        ['local', drivers.local],
        ['fast', drivers.fast],
      ]),
      store: this.world.store,
      volumeReports: new VolumeReportService(deps, self, signal),
      jobReports: new VolumeJobReportService(deps, signal),
      serverImageReports: new ServerImageReportService(deps, signal),
      beginCopy: (volume) => beginVolumeCopy(deps, volume, signal),
      fresh: (asked) => deps.state.fresh(asked),
      imageFile: () => Promise.reject(new ShoalError('NOT_FOUND', 'no image is copied')),
      openKey: (name, secret) => this.#sealing.open(this.world.state.local, name, secret),
      backupStore: (url) => new FolderBackupStore(fileURLToPath(url)),
      reader: deps.state.local,
      signal,
    });
    const jobs = new JobRunner({
      ...deps,
      isOwn: ({ ownerHostId }) => ownerHostId === '' || ownerHostId === self,
      kinds: [
        anyJobKind(volumeCopyJob(tools)),
        anyJobKind(volumeBackupJob(tools)),
        anyJobKind(volumeRestoreJob(tools)),
        anyJobKind(volumeBackupDeleteJob(tools)),
        anyJobKind(volumeBackupVerifyJob(tools)),
        anyJobKind(volumeBackupExpireJob(this.service.backups)),
        anyJobKind(volumeMigrateJob(tools)),
        anyJobKind(volumeSwapJob(tools)),
        anyJobKind(volumeUploadJob(tools)),
        anyJobKind(volumeReimageJob(tools)),
        anyJobKind(serverImageJob(tools, self)),
      ],
    });
    this.#agent = { loop, jobs };
    await jobs.start();
  }

  async stop(): Promise<void> {
    await this.#agent?.jobs.stop();
    await this.#agent?.loop.stop();
    this.#agent = undefined;
  }

  /** A server on the other host, recorded as running. */
  async createServerElsewhere(): Promise<string> {
    const builder = new TransactionBuilder();
    const server = new shoal.v1.Server({
      ...{ id: farServerId, name: 'far', projectId, userId: this.context.userId, hostId: otherHost, generation: 1 },
      status: shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE,
      powerWanted: shoal.v1.PowerWanted.POWER_WANTED_RUNNING,
    });
    serverTable.insert(builder, server);
    await this.world.state.commit(builder.build());
    return farServerId;
  }

  /** What a move of a server does to its disks. */
  async moveServer(id: string, hostId: string): Promise<void> {
    const { deps, state } = this.world;
    await transact(deps, { signal: new AbortController().signal }, (attempt) => {
      const row = serverTable.must(state.local, id);
      const disks = moveVolumes(
        { ...deps, hostViews: this.#hostViews, sealing: this.#sealing },
        attempt,
        row.record,
        hostId,
      );
      serverTable.update(attempt.change, row, new shoal.v1.Server({ ...row.record, hostId, disks }));
    });
  }

  /** What services that make volumes are given. */
  get deps(): VolumeDependencies {
    return { ...this.world.deps, hostViews: this.#hostViews, sealing: this.#sealing };
  }

  async changeImage(id: string, change: (image: shoal.v1.Image) => void): Promise<void> {
    const row = imageTable.must(this.world.state.local, id);
    const next = new shoal.v1.Image({ ...row.record });
    change(next);
    const builder = new TransactionBuilder();
    imageTable.update(builder, row, next);
    await this.world.state.commit(builder.build());
  }

  /** What a host tells. */
  reportsOf(hostId: string): VolumeReportService {
    return new VolumeReportService(this.world.deps, hostId as HostId, new AbortController().signal);
  }

  async changeVolume(id: string, change: (volume: shoal.v1.Volume) => void): Promise<void> {
    const row = volumeTable.must(this.world.state.local, id);
    const next = new shoal.v1.Volume({ ...row.record });
    change(next);
    const builder = new TransactionBuilder();
    volumeTable.update(builder, row, next);
    await this.world.state.commit(builder.build());
  }

  /** Time for what the host would do if it did anything. */
  async quiet(): Promise<void> {
    await delay(quietMs);
  }

  get server(): shoal.v1.Server | undefined {
    return serverTable.get(this.world.state.local, serverId)?.record;
  }

  volume(id: string): shoal.v1.Volume | undefined {
    return volumeTable.get(this.world.state.local, id)?.record;
  }

  snapshot(id: string): shoal.v1.VolumeSnapshot | undefined {
    return volumeSnapshotTable.get(this.world.state.local, id)?.record;
  }

  /** No job is under way. */
  get isAtRest(): boolean {
    return jobTable.by(this.world.state.local, 'under-way', 'yes').length === 0;
  }

  job(id: string): shoal.v1.Job | undefined {
    return jobTable.get(this.world.state.local, id)?.record;
  }

  backup(id: string): shoal.v1.VolumeBackup | undefined {
    return volumeBackupTable.get(this.world.state.local, id)?.record;
  }

  /** Somebody asks for the job that is under way to be taken back. */
  async cancelJob(): Promise<void> {
    const [row] = jobTable.by(this.world.state.local, 'under-way', 'yes');
    if (row === undefined) throw new Error('no job is under way');
    const builder = new TransactionBuilder();
    jobTable.update(builder, row, new shoal.v1.Job({ ...row.record, cancelRequested: true }));
    await this.world.state.commit(builder.build());
  }

  /** What the guest has plugged in. */
  get plugged(): readonly VolumeId[] {
    return this.world.compute.guests.get(serverId)?.spec.disks.map(({ volumeId }) => volumeId) ?? [];
  }

  /** The process ends at the first hit of the point: nothing that it would do afterwards happens. */
  killAt(point: string): { readonly hits: () => number } {
    let hits = 0;
    setFaultInjector({
      buggify: () => false,
      mark: () => {},
      failpoint: (name) => {
        if (name !== point) return;
        hits += 1;
        if (hits > 1) return;
        // Both end their waits and take nothing back before anything else runs.
        void this.#agent?.loop.stop();
        void this.#agent?.jobs.stop();
        throw new ShoalError('CANCELLED', `killed at ${name}`);
      },
    });
    return { hits: () => hits };
  }

  /** Waits until it holds; starts the agent again where it was killed. */
  async until(what: string, holds: () => boolean, restarts: () => boolean = () => false): Promise<void> {
    const endMs = performance.now() + waitMs;
    let isRestarted = false;
    while (!holds()) {
      if (performance.now() > endMs) throw new Error(`not within ${waitMs} ms: ${what}`);
      if (restarts() && !isRestarted) {
        isRestarted = true;
        await this.stop();
        await this.start();
      }
      await delay(5);
    }
  }
}

/** One that ends with the test. */
export async function volumeHost(t: Test, backupStoreUrl = '', mesh = 'mesh'): Promise<VolumeHost> {
  const host = new VolumeHost(backupStoreUrl, mesh);
  t.teardown(async () => {
    setFaultInjector(undefined);
    await host.stop();
    await host.world.stop();
  });
  await host.begin();
  return host;
}
