import type { StoredImage } from '../dependencies.ts';
import type { VolumeMoveReports } from './volume-move-reporting.ts';
import type { VolumeFault } from './volume-reporting.ts';

/** What a backup is once all of it is in its store. */
export interface BackupMade {
  readonly objectCount: number;
  readonly storedBytes: number;
  /** Lower-case hex. */
  readonly manifestSha256: string;
  /** The instant that its content is of, wall clock. */
  readonly dataTimestampMs: number;
}

/**
 * How jobs tell the records what has come of them. Each is one transaction that looks whether the record still waits for this: one
 * that does not is no error, and the same word twice changes nothing the second time.
 */
export interface VolumeJobReports {
  /** "creating" ends: "available"; the volume is what it was. */
  backupMade(backupId: string, made: BackupMade): Promise<void>;
  /** "creating" or "deleting" ends: "error" or "error_deleting", with the reason; the volume is what it was. */
  backupFailed(backupId: string, fault: VolumeFault): Promise<void>;
  /**
   * Its objects are gone: its row and its quota go, and its parent has one child less.
   * @param options.isKept what its volume's host keeps for it could not be removed from here: that host is to do it.
   */
  backupRemoved(backupId: string, options?: { readonly isKept: boolean }): Promise<void>;
  /** What the volume's host kept for these backups, which were removed before, is gone. */
  keptForgotten(volumeId: string, backupIds: readonly string[]): Promise<void>;
  /** All of it was read. @param fault what is wrong with it; undefined: nothing. */
  backupVerified(backupId: string, jobId: string, fault?: VolumeFault): Promise<void>;
  /** It could not be read: nothing is known of it. */
  backupNotVerified(backupId: string, jobId: string, fault: VolumeFault): Promise<void>;
  /** Its content is in the volume that it was being restored to: both are "available". */
  restored(backupId: string): Promise<void>;
  /** The volume is "error_restoring", the backup "available". */
  restoreFailed(backupId: string, fault: VolumeFault): Promise<void>;
  /** "uploading" ends: the volume is what it was, and the image has its content, on this host. */
  uploaded(volumeId: string, imageId: string, stored: StoredImage): Promise<void>;
  /** The same, and the image has failed for good: its owner deletes it. */
  uploadFailed(volumeId: string, imageId: string, fault: VolumeFault): Promise<void>;
  /** "downloading" ends: the volume has the image's content, and keeps this of the image. */
  reimaged(volumeId: string, imageMetadata: Readonly<Record<string, string>>): Promise<void>;
  /** "downloading" ends: "error", as part of its content may be the image's. */
  reimageFailed(volumeId: string, fault: VolumeFault): Promise<void>;
  /** What jobs that move volumes say. */
  readonly moves: VolumeMoveReports;
}
