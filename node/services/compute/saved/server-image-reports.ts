/** What the job that makes an image of a server tells the records. Each word is one transaction; one that comes late changes nothing. */
import { shoal } from '../../../../proto/messages.ts';
import { mibBytes } from '../../../base/units.ts';
import type { Row } from '../../../state/table.ts';
import { imageTable, jobTable, serverTable } from '../../../state/tables/index.ts';
import { removeImageRow } from '../../image/image-record.ts';
import { endJob } from '../../jobs/volume-job-end.ts';
import type { ServiceDependencies } from '../../kit/dependencies.ts';
import type {
  ServerImageReports,
  ServerImageStage,
  StoredServerImage,
} from '../../kit/reporting/server-image-reporting.ts';
import { type Attempt, transact } from '../../kit/transact.ts';
import { chargeAnyway } from '../../volume/kit/charges.ts';
import { hostAction } from '../history/action-history.ts';
import { isJobTask } from '../machine/job-tasks.ts';

const { ImageStatus } = shoal.v1;

/** Backups that one transaction removes; the next backup removes the others. */
const rotatedAtOnceMax = 50;

const stageTasks = {
  shelve: { 'pending-upload': 'shelving_image_pending_upload', uploading: 'shelving_image_uploading' },
  image: { 'pending-upload': 'image_pending_upload', uploading: 'image_uploading' },
} as const;

/** See above. Given to the kind of job. */
export class ServerImageReportService implements ServerImageReports {
  readonly #deps: ServiceDependencies;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: ServiceDependencies, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  async stage(job: shoal.v1.Job, stage: ServerImageStage): Promise<void> {
    const taskState = stageTasks[job.serverImage?.purpose === 'shelve' ? 'shelve' : 'image'][stage];
    await this.#onServer(job, (attempt, row) => {
      // A hard reboot takes the task over, and the image goes on.
      if (isJobTask(row.record.taskState)) this.#write(attempt, row, { ...row.record, taskState });
    });
  }

  async made(job: shoal.v1.Job, stored: StoredServerImage): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const { reader, change } = attempt;
      const row = imageTable.get(reader, job.serverImage?.imageId ?? '');
      if (row?.record.status !== ImageStatus.IMAGE_STATUS_SAVING) return;
      const { purpose, rotation } = job.serverImage ?? {};
      const server = serverTable.get(reader, job.serverImage?.serverId ?? '');
      // A hard reboot has taken the task over: what the guest writes since is not in the image, so that its disk stays.
      if (purpose === 'shelve' && server !== undefined && !isJobTask(server.record.taskState)) {
        removeImageRow(change, row, this.#nowMs);
        this.#endJob(attempt, job, { message: 'Something else was asked of the server before it was shelved.' });
        return;
      }
      const isBackup = purpose === 'backup';
      // Asked to keep no backup at all, it keeps none.
      if (isBackup && rotation === 0) removeImageRow(change, row, this.#nowMs);
      else this.#activate(attempt, row, stored);
      if (isBackup) this.#rotate(attempt, job, row.record);
      this.#endJob(attempt, job);
      if (server === undefined) return;
      if (purpose === 'shelve') this.#shelved(attempt, server, row.record.id);
      else this.#endTask(attempt, server);
    });
  }

  async failed(job: shoal.v1.Job, { message }: { readonly message: string }): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      this.#endJob(attempt, job, { message });
      const image = imageTable.get(attempt.reader, job.serverImage?.imageId ?? '');
      const isWaiting = image?.record.status === ImageStatus.IMAGE_STATUS_SAVING;
      if (image !== undefined && isWaiting) removeImageRow(attempt.change, image, this.#nowMs);
      const server = serverTable.get(attempt.reader, job.serverImage?.serverId ?? '');
      if (server === undefined || !isJobTask(server.record.taskState)) return;
      const requestId = `req-${this.#deps.newId()}`;
      const { purpose } = job.serverImage ?? {};
      const action = purpose === 'backup' ? 'createBackup' : purpose === 'shelve' ? 'shelve' : 'createImage';
      const did = { action, requestId, hostId: server.record.hostId, message };
      const actions = hostAction(server.record, did, this.#nowMs);
      this.#write(attempt, server, { ...server.record, taskState: '', actions });
    });
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  #endJob(attempt: Attempt, { id }: shoal.v1.Job, fault?: { readonly message: string }): void {
    const row = jobTable.get(attempt.reader, id);
    if (row !== undefined) endJob(attempt, row, this.#nowMs, fault);
  }

  #activate({ change }: Attempt, row: Row<shoal.v1.Image>, stored: StoredServerImage): void {
    const chargedMib = Math.ceil(stored.sizeBytes / mibBytes);
    chargeAnyway(change, row.record.projectId, { image_size_total: chargedMib });
    const { hostIds } = row.record;
    const status = ImageStatus.IMAGE_STATUS_ACTIVE;
    const fields = { ...row.record, ...stored, hostIds, chargedMib, status, updatedMs: this.#nowMs };
    imageTable.update(change, row, new shoal.v1.Image(fields));
  }

  #endTask(attempt: Attempt, row: Row<shoal.v1.Server>): void {
    if (isJobTask(row.record.taskState)) this.#write(attempt, row, { ...row.record, taskState: '' });
  }

  /** Its disk is an image now: its host lets go of it. */
  #shelved(attempt: Attempt, row: Row<shoal.v1.Server>, shelvedImageId: string): void {
    const status = shoal.v1.ServerStatus.SERVER_STATUS_SHELVED;
    const askedRevision = row.record.askedRevision + 1;
    const fields = { status, shelvedImageId, offloading: true, taskState: 'shelving_offloading', askedRevision };
    this.#write(attempt, row, { ...row.record, ...fields });
  }

  /** The oldest backups of one server and type go, so that as many stay as were asked for, with the one that is made now. */
  #rotate({ reader, change }: Attempt, job: shoal.v1.Job, made: shoal.v1.Image): void {
    const { serverId, backupType, rotation } = job.serverImage ?? {};
    const others = imageTable
      .list(reader)
      .filter(({ record }) => record.id !== made.id && record.projectId === made.projectId && !record.protected)
      .filter(({ record }) => isBackupOf(record, serverId ?? '', backupType ?? ''))
      .sort((a, b) => b.record.createdMs - a.record.createdMs || (a.record.id < b.record.id ? 1 : -1));
    const kept = Math.max(0, (rotation ?? 0) - 1);
    for (const row of others.slice(kept, kept + rotatedAtOnceMax)) removeImageRow(change, row, this.#nowMs);
  }

  async #onServer(job: shoal.v1.Job, work: (attempt: Attempt, row: Row<shoal.v1.Server>) => void): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = serverTable.get(attempt.reader, job.serverImage?.serverId ?? '');
      if (row !== undefined) work(attempt, row);
    });
  }

  #write({ change }: Attempt, row: Row<shoal.v1.Server>, fields: shoal.v1.Server.$Properties): void {
    serverTable.update(change, row, new shoal.v1.Server({ ...fields, updatedMs: this.#nowMs }));
  }
}

function isBackupOf({ properties }: shoal.v1.Image, serverId: string, backupType: string): boolean {
  const kept = new Map(Object.entries(properties));
  return (
    kept.get('image_type') === 'backup' &&
    kept.get('instance_uuid') === serverId &&
    kept.get('backup_type') === backupType
  );
}
