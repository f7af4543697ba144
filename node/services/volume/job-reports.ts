/** What jobs tell the records of what has come of them. Each word is one transaction; one that comes late changes nothing. */
import { shoal } from '../../../proto/messages.ts';
import { beginningOf } from '../../base/text.ts';
import { mibBytes } from '../../base/units.ts';
import type { Row } from '../../state/table.ts';
import { imageTable, volumeBackupTable, volumeMessageTable, volumeTable } from '../../state/tables/index.ts';
import { endJobAbout, type VolumeJobKind } from '../jobs/volume-job-end.ts';
import { backupSubject, volumeSubject } from '../jobs/volume-jobs.ts';
import type { ServiceDependencies, StoredImage } from '../kit/dependencies.ts';
import { idFromToken } from '../kit/id-from-token.ts';
import type { BackupMade, VolumeJobReports } from '../kit/reporting/volume-job-reporting.ts';
import type { VolumeMoveReports } from '../kit/reporting/volume-move-reporting.ts';
import type { VolumeFault } from '../kit/reporting/volume-reporting.ts';
import { type Attempt, transact } from '../kit/transact.ts';
import { chargeAnyway } from './kit/charges.ts';
import { addMessage, type MessageAction } from './kit/messages.ts';
import { VolumeMoveReportService } from './move-reports.ts';
import { removeBackupRow, writeBackup } from './records/backup-record.ts';
import { restingStatus, writeVolume } from './records/volume-record.ts';

type Backup = shoal.v1.VolumeBackup;
type Volume = shoal.v1.Volume;

/** Longest reason kept with a backup, characters. */
const reasonCharactersMax = 255;

/** Removed backups that a volume's record names. */
const removedBackupsMax = 64;

/** See above. Given to the kinds of jobs. */
export class VolumeJobReportService implements VolumeJobReports {
  readonly moves: VolumeMoveReports;
  readonly #deps: ServiceDependencies;
  readonly #signal: AbortSignal;

  /** @param signal ends waits when the agent stops. */
  constructor(deps: ServiceDependencies, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
    this.moves = new VolumeMoveReportService(deps, signal);
  }

  async backupMade(backupId: string, made: BackupMade): Promise<void> {
    await this.#onBackup(backupId, ['creating'], (attempt, row) => {
      writeBackup(attempt.change, row, { ...made, status: 'available', failReason: '' }, this.#nowMs);
      this.#endBackingUp(attempt, row.record);
      this.#endJob(attempt, volumeSubject(row.record.volumeId), 'volume-backup');
    });
  }

  async backupFailed(backupId: string, fault: VolumeFault): Promise<void> {
    await this.#onBackup(backupId, ['creating', 'deleting'], (attempt, row) => {
      const isDeletion = row.record.status === 'deleting';
      const failReason = beginningOf(fault.message, reasonCharactersMax);
      writeBackup(attempt.change, row, { status: isDeletion ? 'error_deleting' : 'error', failReason }, this.#nowMs);
      if (!isDeletion) this.#endBackingUp(attempt, row.record);
      this.#tellBackup(attempt, row.record, isDeletion ? 'backupDelete' : 'backupCreate', fault);
      if (isDeletion) this.#endJob(attempt, backupSubject(backupId), 'volume-backup-delete', fault);
      else this.#endJob(attempt, volumeSubject(row.record.volumeId), 'volume-backup', fault);
    });
  }

  async backupRemoved(backupId: string, { isKept } = { isKept: false }): Promise<void> {
    await this.#onBackup(backupId, ['deleting'], (attempt, row) => {
      const volume = volumeTable.get(attempt.reader, row.record.volumeId);
      if (isKept && volume !== undefined) {
        const removedBackupIds = [...volume.record.removedBackupIds, backupId].slice(-removedBackupsMax);
        writeVolume(attempt.change, volume, { removedBackupIds }, this.#nowMs);
      }
      removeBackupRow(attempt.change, attempt.reader, row, this.#nowMs);
      this.#endJob(attempt, backupSubject(backupId), 'volume-backup-delete');
    });
  }

  async keptForgotten(volumeId: string, backupIds: readonly string[]): Promise<void> {
    await this.#onVolume(volumeId, (attempt, row) => {
      const removedBackupIds = row.record.removedBackupIds.filter((id) => !backupIds.includes(id));
      if (removedBackupIds.length === row.record.removedBackupIds.length) return;
      writeVolume(attempt.change, row, { removedBackupIds }, this.#nowMs);
    });
  }

  async backupVerified(backupId: string, jobId: string, fault?: VolumeFault): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = volumeBackupTable.get(attempt.reader, backupId);
      if (row === undefined || row.record.verifyJobId === jobId) return;
      const verifyFault = beginningOf(fault?.message ?? '', reasonCharactersMax);
      writeBackup(attempt.change, row, { verifiedMs: this.#nowMs, verifyFault, verifyJobId: jobId }, this.#nowMs);
      if (fault !== undefined) this.#tellBackup(attempt, row.record, 'backupVerify', fault);
    });
  }

  async backupNotVerified(backupId: string, jobId: string, fault: VolumeFault): Promise<void> {
    const messageId = idFromToken(`backup-not-verified/${jobId}`);
    await transact(this.#deps, { signal: this.#signal }, ({ reader, change }) => {
      const row = volumeBackupTable.get(reader, backupId);
      if (row === undefined || volumeMessageTable.exists(reader, messageId)) return;
      const { projectId } = row.record;
      const about = { projectId, resourceType: 'VOLUME_BACKUP', resourceId: backupId } as const;
      const draft = { ...about, action: 'backupVerify', text: fault.message } as const;
      addMessage(change, draft, { id: messageId, nowMs: this.#nowMs });
    });
  }

  async restored(backupId: string): Promise<void> {
    await this.#onBackup(backupId, ['restoring'], (attempt, row) => {
      this.#endRestoring(attempt, row, 'available');
      this.#endJob(attempt, volumeSubject(row.record.restoreVolumeId), 'volume-restore');
    });
  }

  async restoreFailed(backupId: string, fault: VolumeFault): Promise<void> {
    await this.#onBackup(backupId, ['restoring'], (attempt, row) => {
      this.#endRestoring(attempt, row, 'error_restoring');
      this.#tellBackup(attempt, row.record, 'backupRestore', fault);
      this.#endJob(attempt, volumeSubject(row.record.restoreVolumeId), 'volume-restore', fault);
    });
  }

  async uploaded(volumeId: string, imageId: string, stored: StoredImage): Promise<void> {
    await this.#onVolume(volumeId, (attempt, row) => {
      if (row.record.status !== 'uploading') return;
      writeVolume(attempt.change, row, endOf(row.record), this.#nowMs);
      this.#endJob(attempt, volumeSubject(volumeId), 'volume-upload');
      // Its owner may have deleted the image meanwhile.
      this.#writeImage(attempt, imageId, (image) => {
        const chargedMib = Math.ceil(stored.sizeBytes / mibBytes);
        chargeAnyway(attempt.change, image.projectId, { image_size_total: chargedMib });
        const { hostIds } = image;
        return { ...image, ...stored, chargedMib, status: shoal.v1.ImageStatus.IMAGE_STATUS_ACTIVE, hostIds };
      });
    });
  }

  async uploadFailed(volumeId: string, imageId: string, fault: VolumeFault): Promise<void> {
    await this.#onVolume(volumeId, (attempt, row) => {
      if (row.record.status !== 'uploading') return;
      writeVolume(attempt.change, row, endOf(row.record), this.#nowMs);
      this.#writeImage(attempt, imageId, (image) => ({
        ...image,
        status: shoal.v1.ImageStatus.IMAGE_STATUS_KILLED,
        hostIds: [],
      }));
      this.#tellVolume(attempt, row.record, 'upload', fault);
      this.#endJob(attempt, volumeSubject(volumeId), 'volume-upload', fault);
    });
  }

  async reimaged(volumeId: string, imageMetadata: Readonly<Record<string, string>>): Promise<void> {
    await this.#onVolume(volumeId, (attempt, row) => {
      if (row.record.status !== 'downloading') return;
      // Who has reserved it has it still; one that was in error has a whole content again.
      const status = row.record.previousStatus === 'reserved' ? 'reserved' : restingStatus(row.record.attachments);
      const fields = { status, previousStatus: '', bootable: true, imageMetadata: { ...imageMetadata } };
      writeVolume(attempt.change, row, fields, this.#nowMs);
      this.#endJob(attempt, volumeSubject(volumeId), 'volume-reimage');
    });
  }

  async reimageFailed(volumeId: string, fault: VolumeFault): Promise<void> {
    await this.#onVolume(volumeId, (attempt, row) => {
      if (row.record.status !== 'downloading') return;
      writeVolume(attempt.change, row, { status: 'error', previousStatus: '' }, this.#nowMs);
      this.#tellVolume(attempt, row.record, 'reimage', fault);
      this.#endJob(attempt, volumeSubject(volumeId), 'volume-reimage', fault);
    });
  }

  get #nowMs(): number {
    return this.#deps.clock.nowMs();
  }

  async #onBackup(
    id: string,
    statuses: readonly string[],
    work: (attempt: Attempt, row: Row<Backup>) => void,
  ): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = volumeBackupTable.get(attempt.reader, id);
      if (row !== undefined && statuses.includes(row.record.status)) work(attempt, row);
    });
  }

  async #onVolume(id: string, work: (attempt: Attempt, row: Row<Volume>) => void): Promise<void> {
    await transact(this.#deps, { signal: this.#signal }, (attempt) => {
      const row = volumeTable.get(attempt.reader, id);
      if (row !== undefined) work(attempt, row);
    });
  }

  /** Changes an image that waits for its content; any other is left alone. */
  #writeImage(
    { reader, change }: Attempt,
    id: string,
    edit: (image: shoal.v1.Image) => shoal.v1.Image.$Properties,
  ): void {
    const row = imageTable.get(reader, id);
    if (row?.record.status !== shoal.v1.ImageStatus.IMAGE_STATUS_SAVING) return;
    imageTable.update(change, row, new shoal.v1.Image({ ...edit(row.record), updatedMs: this.#nowMs }));
  }

  /** The volume that was backed up is what it was. */
  #endBackingUp({ reader, change }: Attempt, { volumeId }: Backup): void {
    const row = volumeTable.get(reader, volumeId);
    if (row?.record.status === 'backing-up') writeVolume(change, row, endOf(row.record), this.#nowMs);
  }

  #endRestoring({ reader, change }: Attempt, row: Row<Backup>, status: 'available' | 'error_restoring'): void {
    const { restoreVolumeId } = row.record;
    writeBackup(change, row, { status: 'available', restoreVolumeId: '' }, this.#nowMs);
    const volume = volumeTable.get(reader, restoreVolumeId);
    if (volume?.record.status !== 'restoring-backup') return;
    const { bootable, imageMetadata, volumeMetadata } = row.record;
    const isRestored = status === 'available';
    // What was restored is what was backed up, also to boot from. Backups of earlier versions say nothing of it.
    const content = {
      ...(isRestored && bootable ? { bootable, imageMetadata } : {}),
      ...(isRestored && Object.keys(volumeMetadata).length > 0 ? { metadata: volumeMetadata } : {}),
    };
    writeVolume(change, volume, { status, previousStatus: '', ...content }, this.#nowMs);
  }

  /** The job has ended with what it was about. */
  #endJob(attempt: Attempt, subject: string, kind: VolumeJobKind, fault?: VolumeFault): void {
    endJobAbout(attempt, { subject, kinds: [kind], nowMs: this.#nowMs }, fault);
  }

  #tellBackup(attempt: Attempt, backup: Backup, action: MessageAction, fault: VolumeFault): void {
    this.#tell(attempt, { ...backup, resourceType: 'VOLUME_BACKUP' }, action, fault);
  }

  #tellVolume(attempt: Attempt, volume: Volume, action: MessageAction, fault: VolumeFault): void {
    this.#tell(attempt, { ...volume, resourceType: 'VOLUME' }, action, fault);
  }

  #tell(
    { change }: Attempt,
    about: { readonly id: string; readonly projectId: string; readonly resourceType: 'VOLUME' | 'VOLUME_BACKUP' },
    action: MessageAction,
    { message }: VolumeFault,
  ): void {
    const { id, projectId, resourceType } = about;
    const draft = { projectId, resourceType, resourceId: id, action, text: message };
    addMessage(change, draft, { id: this.#deps.newId(), nowMs: this.#nowMs });
  }
}

/** What the volume is when the work on it has ended: as its uses say. */
function endOf({ attachments }: Volume): Partial<shoal.v1.Volume.$Properties> {
  return { status: restingStatus(attachments), previousStatus: '' };
}
