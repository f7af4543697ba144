/** What an agent does behind everybody's back: jobs that are its own, and the leader's tasks while it leads. */
import type { BackupStore } from '../../drivers/backup/store.ts';
import type { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';
import type { Service } from '../base/lifecycle.ts';
import type { Metrics } from '../base/telemetry/metrics.ts';
import { anyJobKind } from '../host/jobs/job-kind.ts';
import { JobRunner } from '../host/jobs/job-runner.ts';
import { drainJob } from '../host/jobs/kinds/drain.ts';
import { type LiveMigrationTools, liveMigrationJob } from '../host/jobs/kinds/live-migration.ts';
import { rotateAuthorityJob } from '../host/jobs/kinds/rotate-authority.ts';
import { type ServerImageTools, serverImageJob } from '../host/jobs/kinds/server-image.ts';
import { takeoverJob } from '../host/jobs/kinds/takeover.ts';
import { volumeBackupDeleteJob, volumeBackupJob } from '../host/jobs/kinds/volume-backup.ts';
import { volumeBackupExpireJob } from '../host/jobs/kinds/volume-backup-expire.ts';
import { volumeBackupVerifyJob } from '../host/jobs/kinds/volume-backup-verify.ts';
import { type VolumeToolsOf, volumeCopyJob } from '../host/jobs/kinds/volume-copy.ts';
import { volumeMigrateJob } from '../host/jobs/kinds/volume-migrate.ts';
import { volumeReimageJob } from '../host/jobs/kinds/volume-reimage.ts';
import { volumeRestoreJob } from '../host/jobs/kinds/volume-restore.ts';
import { volumeSwapJob } from '../host/jobs/kinds/volume-swap.ts';
import { volumeUploadJob } from '../host/jobs/kinds/volume-upload.ts';
import { type AskKernel, HostWitnesses } from '../host/takeover/host-witnesses.ts';
import { backUpCloud, type CloudBackupSource } from '../host/tasks/back-up-cloud.ts';
import { confirmOldResizes } from '../host/tasks/confirm-old-resizes.ts';
import { forgetDeletedServers } from '../host/tasks/forget-deleted-servers.ts';
import { forgetEndedJobs } from '../host/tasks/forget-ended-jobs.ts';
import { forgetExpiredMessages } from '../host/tasks/forget-expired-messages.ts';
import { moveVolumesOffDownHosts } from '../host/tasks/move-volumes-off-down-hosts.ts';
import { resealSecrets } from '../host/tasks/reseal-secrets.ts';
import { takeOverLostHosts } from '../host/tasks/take-over-lost-hosts.ts';
import { TaskRunner } from '../host/tasks/task-runner.ts';
import type { ComputeService } from '../services/compute/index.ts';
import { LiveMoveReportService } from '../services/compute/moves/live-reports.ts';
import { ServerImageReportService } from '../services/compute/saved/server-image-reports.ts';
import type { HostViews, ImageContent, ServiceDependencies } from '../services/kit/dependencies.ts';
import type { Sealing } from '../services/kit/sealing.ts';
import type { VolumeService } from '../services/volume/index.ts';
import { VolumeJobReportService } from '../services/volume/job-reports.ts';
import { hostTable } from '../state/tables/index.ts';
import type { StateReader } from '../state/types.ts';

/** What it works with. */
interface BackgroundDeps {
  readonly services: ServiceDependencies;
  readonly compute: ComputeService;
  readonly backups: VolumeService['backups'];
  readonly hostId: HostId;
  readonly isLeader: () => boolean;
  /** Which hosts are down, and what they reach. */
  readonly hostViews: HostViews;
  /** What a host's kernel says of its agent's port. */
  readonly askKernel: AskKernel;
  /** How long a host is down before others do its work on shared storage, ms. Default: as production. */
  readonly downHostGraceMs?: number;
  /** After how long a resize that waits is confirmed by itself, seconds; 0: never. */
  readonly resizeConfirmWindowSeconds: number;
  /** What this host does to volumes is done with these. */
  readonly volumeTools: VolumeToolsOf;
  /** The store of backups of that URL. */
  readonly backupStore: (url: string) => BackupStore;
  /** Where this host keeps the content of images. */
  readonly imageContent: ImageContent;
  /** Seals what the state holds sealed again when the mesh key has changed. */
  readonly sealing: Sealing;
  /** What backups of the cloud are made of. Absent: this agent makes none. */
  readonly cloudBackups?: CloudBackupSource;
  readonly metrics?: Metrics | undefined;
}

/** Builds it; nothing is started. */
export function buildBackground(deps: BackgroundDeps): Service {
  return new Background(deps);
}

class Background implements Service {
  readonly #jobs: JobRunner;
  readonly #tasks: TaskRunner;

  constructor({
    services,
    compute,
    backups,
    hostId,
    isLeader,
    hostViews,
    askKernel,
    downHostGraceMs,
    resizeConfirmWindowSeconds,
    volumeTools,
    backupStore,
    imageContent,
    sealing,
    cloudBackups,
    metrics,
  }: BackgroundDeps) {
    const { logger } = services;
    const backupTools = (signal: AbortSignal): ServerImageTools => ({
      imageContent,
      ...volumeTools(signal),
      jobReports: new VolumeJobReportService(services, signal),
      serverImageReports: new ServerImageReportService(services, signal),
      backupStore,
    });
    const { storage } = volumeTools(new AbortController().signal);
    const witnesses = new HostWitnesses({ hostViews, askKernel, storage, clock: services.clock });
    const isShared = (pool: string): boolean => storage.get(pool)?.capabilities.shared === true;
    const { moves } = compute;
    const fresh = (signal: AbortSignal): Promise<StateReader> => services.state.fresh(signal);
    const moveDeps = { ...services, hostViews, sealing };
    const moveTools = (signal: AbortSignal): LiveMigrationTools => ({
      ...volumeTools(signal),
      liveMoveReports: new LiveMoveReportService(moveDeps, signal),
    });
    this.#jobs = new JobRunner({
      ...services,
      logger: logger.child({ part: 'jobs' }),
      // A job that no host is named for is the leader's, as is one whose host is no member any more.
      isOwn: ({ ownerHostId }: shoal.v1.Job) =>
        hostTable.exists(services.state.local, ownerHostId) ? ownerHostId === hostId : isLeader(),
      kinds: [
        anyJobKind(drainJob(compute, hostViews)),
        anyJobKind(drainJob(compute, hostViews, 'drain-domain')),
        anyJobKind(rotateAuthorityJob(services)),
        anyJobKind(volumeCopyJob(volumeTools)),
        anyJobKind(volumeBackupJob(backupTools)),
        anyJobKind(volumeRestoreJob(backupTools)),
        anyJobKind(volumeBackupDeleteJob(backupTools)),
        anyJobKind(volumeBackupVerifyJob(backupTools)),
        anyJobKind(volumeBackupExpireJob(backups)),
        anyJobKind(volumeMigrateJob(backupTools)),
        anyJobKind(volumeSwapJob(backupTools)),
        anyJobKind(volumeUploadJob(backupTools)),
        anyJobKind(volumeReimageJob(backupTools)),
        anyJobKind(serverImageJob(backupTools, hostId)),
        anyJobKind(liveMigrationJob(moveTools, hostId, services.clock)),
        anyJobKind(takeoverJob({ moves, witnesses, storage, fresh, clock: services.clock })),
      ],
    });
    this.#tasks = new TaskRunner({
      ...services,
      logger: logger.child({ part: 'leader-tasks' }),
      isLeader,
      tasks: [
        forgetEndedJobs,
        forgetExpiredMessages,
        forgetDeletedServers,
        resealSecrets(sealing),
        ...(cloudBackups === undefined ? [] : [backUpCloud({ ...cloudBackups, sealing, backupStore })]),
        moveVolumesOffDownHosts(hostViews, downHostGraceMs),
        takeOverLostHosts({ hostViews, witnesses, isShared }),
        confirmOldResizes(compute.moves, resizeConfirmWindowSeconds),
      ],
      onRun: (task, result, seconds) => {
        metrics?.leaderTasks.inc({ task, result });
        metrics?.leaderTaskSeconds.observe({ task }, seconds);
      },
    });
  }

  async start(): Promise<void> {
    await this.#jobs.start();
    await this.#tasks.start();
  }

  async stop(): Promise<void> {
    await this.#tasks.stop();
    await this.#jobs.stop();
  }
}
