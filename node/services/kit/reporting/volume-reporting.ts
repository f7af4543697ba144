import type { shoal } from '../../../../proto/messages.ts';

/** Why a host could not do what was asked of a volume, for its owner. */
export interface VolumeFault {
  readonly message: string;
  /** For administrators; empty: nothing more. */
  readonly details: string;
}

/** What a host says of a snapshot that it has made. */
export interface SnapshotMade {
  /** A guest had the volume open. */
  readonly ofAttached: boolean;
  /** The guest's file systems were frozen for it. */
  readonly frozen: boolean;
}

/** Where a host serves a volume. */
export interface ServedAt {
  readonly generation: number;
  readonly address: string;
  readonly port: number;
}

/**
 * How the host tells the records what is so of volumes. Each call is one guarded transaction that compares host, generation
 * and `asked_revision` of what it is given with the row: a record that moved on is no error, and the same report twice changes
 * nothing the second time.
 */
export interface VolumeReports {
  /**
   * The bytes are there: `made_gib` is `sizeGib`, and what was asked for is done. "creating", "downloading", "extending" and
   * "reverting" end: "available", or "in-use" with attachments.
   */
  made(volume: shoal.v1.Volume, sizeGib: number): Promise<void>;
  /** The bytes are gone, or not managed any more: row, quota and transfers go. */
  removed(volume: shoal.v1.Volume): Promise<void>;
  /** It stays undone: "error", "error_extending", "error_deleting"... by what was asked, and a message for the owner. */
  failed(volume: shoal.v1.Volume, fault: VolumeFault): Promise<void>;

  /** It is served there to the host of the server that has it. */
  served(volume: shoal.v1.Volume, at: ServedAt): Promise<void>;
  /** What served it has ended, after the server's host had let go: a volume without attachments is "available" now. */
  unserved(volume: shoal.v1.Volume): Promise<void>;

  /** All were made at one instant: "available", 100 %. */
  snapshotsMade(snapshots: readonly shoal.v1.VolumeSnapshot[], made: SnapshotMade): Promise<void>;
  snapshotRemoved(snapshot: shoal.v1.VolumeSnapshot): Promise<void>;
  snapshotFailed(snapshot: shoal.v1.VolumeSnapshot, fault: VolumeFault): Promise<void>;

  /** The disk is plugged in, or would be at the next start: `ServerDisk.attached`, the attachment "attached", "in-use". */
  attached(server: shoal.v1.Server, volumeId: string): Promise<void>;
  /** The guest, if it runs, sees that the disk has that size: `ServerDisk.size_gib`. */
  resized(server: shoal.v1.Server, volumeId: string, sizeGib: number): Promise<void>;
  /** It is unplugged and closed: the entry of the server and the attachment go; "available", or "in-use" with others. */
  detached(server: shoal.v1.Server, volumeId: string): Promise<void>;
  /** It could not be plugged in, and is closed: the entry goes, the volume is "available" again, its owner is told. */
  attachFailed(server: shoal.v1.Server, volumeId: string, fault: VolumeFault): Promise<void>;
  /** It could not be unplugged: it stays attached and "in-use", and its owner is told. */
  detachFailed(server: shoal.v1.Server, volumeId: string, fault: VolumeFault): Promise<void>;
}
