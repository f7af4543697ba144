/** Disks on one kind of storage. */
import type { HostId, ImageId, ImageSha256, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import type {
  DiskEncryption,
  DiskExport,
  DiskFound,
  DiskOrigin,
  DiskRange,
  DiskServed,
  DiskServing,
  DiskSource,
  DiskSpec,
  ImageFile,
  Progress,
  UnmanagedDisk,
} from './disk.ts';

/** What a storage driver can do; asked, not assumed. */
export interface StorageCapabilities {
  /** True when a disk can be opened from every host of the mesh (Ceph), false when it lives on one host (files). */
  readonly shared: boolean;
  readonly snapshots: boolean;
  /** `copyDisk` from a snapshot takes no time and no room: the copy lies on its origin. Else it is a full copy. */
  readonly clones: boolean;
  /** Whether a disk may be open for several guests at once. */
  readonly multiAttach: boolean;
  /** Formats of encrypted disks. Empty: none. */
  readonly encryption: readonly DiskEncryption['format'][];
  /** Whether a disk can be served to another host (`serveDisk`): of one host's own storage, that others cannot open. */
  readonly exports: boolean;
}

/** Why a storage takes no new disks, or soon none: it is nearly full, full, or takes no writes. */
export type StorageCondition = 'nearfull' | 'full' | 'read-only';

/** What a storage has. */
export interface StorageRoom {
  readonly totalBytes: number;
  /** For new disks. */
  readonly freeBytes: number;
  /** Absent: it takes new disks. */
  readonly condition?: StorageCondition;
}

/**
 * What storage that several hosts reach knows of them, and what it can keep them from. It is asked and told without the mesh: a
 * host that is cut off from all others may still reach it, and one that is gone does not.
 */
export interface StorageWitness {
  /**
   * Says that this host is there: `text` takes the place of what it said before. Throws `FENCE_UNPROVEN` when it is fenced,
   * and what the driver throws while storage does not answer. Works before the driver has started.
   */
  beat(owner: HostId, text: string, signal: AbortSignal): Promise<void>;
  /** What a host said last; undefined: nothing. Throws while storage does not answer. */
  lastBeat(owner: HostId, signal: AbortSignal): Promise<string | undefined>;
  /**
   * Keeps every host from the disk that has it by a lower generation, which is one that is committed no more: fences it without
   * an end, and returns when that is proved, nobody has the disk open, and the lock is free. Throws `FENCE_UNPROVEN`, with what
   * is not proved; nothing is given back then. Repeated: success. `former` alone is kept from a disk that several may have.
   * No such disk: success.
   */
  fenceFormer(
    disk: { readonly volumeId: VolumeId; readonly generation: number; readonly shared?: boolean | undefined },
    former: HostId,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether this host is fenced. Works before the driver has started. */
  isFenced(owner: HostId, signal: AbortSignal): Promise<boolean>;
  /** Lifts the fence of this host, whose caller has proved that no guest of before has a disk of this storage open. */
  unfence(owner: HostId, signal: AbortSignal): Promise<void>;
}

/**
 * Disks on one kind of storage. While a guest has a disk of one host's own storage open, its snapshots are made and removed,
 * and it grows, by the `ComputeDriver`, and the calls here are a `CONFLICT`; on shared storage they work here as well. Of a disk
 * that is served to another host, snapshots are made and removed here.
 *
 * A write that does not fit is `DRIVER_FAILED` with the fact `reason: 'full'`; where the storage takes no writes (read-only,
 * or its pool has gone), with `reason: 'read-only'` or `'no-pool'`. A host that it has fenced gets `FENCE_UNPROVEN`.
 */
export interface StorageDriver {
  readonly name: 'local' | 'rbd' | 'fake';
  readonly capabilities: StorageCapabilities;
  /** Absent: no other host reaches this storage. */
  readonly witness?: StorageWitness | undefined;

  /** Checks that the storage answers. Throws `ShoalError` with what to do when it does not. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;

  /** How much room there is, and whether new disks should go elsewhere. Throws `UNAVAILABLE` while storage that was just made has not counted. */
  capacity(signal: AbortSignal): Promise<StorageRoom>;

  /**
   * Makes the content ready to be cloned (imports it into Ceph, links it beside the disks), under the name of its SHA-256.
   * `IDENTITY_MISMATCH` when the file is not that content; `CONFLICT` when what is there by that name has another size or
   * format.
   */
  ensureImage(image: ImageFile, signal: AbortSignal): Promise<void>;
  /** Whether `ensureImage` has completed for it. */
  hasImage(sha256: ImageSha256, signal: AbortSignal): Promise<boolean>;
  /**
   * Removes the driver's copy of a content; by an image's id, the copy that an earlier version named so. `CONFLICT` while
   * disks are cloned from it. Absent is success.
   */
  removeImage(name: ImageSha256 | ImageId, signal: AbortSignal): Promise<void>;

  /**
   * Makes the disk unless it exists; grows it when it is smaller than asked. Never shrinks. `INVALID_ARGUMENT` when it is
   * larger than all of the storage: it could never be filled.
   */
  ensureDisk(spec: DiskSpec, signal: AbortSignal): Promise<void>;
  /** Undefined when the storage said that there is none. */
  findDisk(volumeId: VolumeId, signal: AbortSignal): Promise<DiskFound | undefined>;
  listDisks(signal: AbortSignal): Promise<readonly DiskFound[]>;
  /**
   * Takes the disk for this host at `generation` and returns how QEMU opens it.
   * On shared storage: throws `FENCE_UNPROVEN` when another host still watches it, or when the lock carries a higher
   * generation; a lock of a lower generation by another owner is taken over only after that owner is proved fenced.
   */
  openDisk(spec: DiskSpec, owner: HostId, signal: AbortSignal): Promise<DiskSource>;
  /** Gives the lock back after QEMU has exited. Not holding it is success. */
  closeDisk(volumeId: VolumeId, owner: HostId, generation: number, signal: AbortSignal): Promise<void>;
  /**
   * Removes the disk for good. Called only for a committed delete. Absent is success. `CONFLICT` while it is open or has
   * snapshots. Copies that lie on it are made independent first, which takes as long as they are large.
   */
  removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void>;

  /**
   * Takes the disk for this host at `spec.generation`, as `openDisk` does, and serves it over the network (NBD in TLS) until
   * `unserveDisk`, whatever becomes of the agent. What is served is what a guest's QEMU finds in the disk's file: an encrypted
   * disk is decrypted by who opens it. Served at this generation already: success; at a lower one: that ends first. Throws as
   * `openDisk`; `INVALID_ARGUMENT` where `capabilities.exports` is false; `UNAVAILABLE` while no port is free.
   */
  serveDisk(spec: DiskSpec, owner: HostId, serving: DiskServing, signal: AbortSignal): Promise<DiskServed>;
  /** Ends what serves the disk, also under a client that is connected, and gives its lock back. Not served: success. */
  unserveDisk(volumeId: VolumeId, owner: HostId, signal: AbortSignal): Promise<void>;
  /** The disks that are served now. Does not ask storage that may be away. */
  listServed(signal: AbortSignal): Promise<readonly DiskServed[]>;

  /** Keeps the content as it is now. There already: success. `NOT_FOUND` without the disk. */
  createSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void>;
  /** Absent is success, also of the disk. Copies made of it live on. */
  removeSnapshot(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void>;
  /** In the order in which they were made. Empty when there is no such disk. */
  listSnapshots(volumeId: VolumeId, signal: AbortSignal): Promise<readonly VolumeSnapshotId[]>;
  /**
   * Puts the content back to what it was at the snapshot; snapshots stay. The disk keeps its size: what was added to it since
   * is zeros. `CONFLICT` while it is open, `NOT_FOUND` without the snapshot. Cut off, it is repeated from the beginning.
   */
  revertDisk(volumeId: VolumeId, snapshotId: VolumeSnapshotId, signal: AbortSignal): Promise<void>;
  /**
   * Makes the disk `spec` with the content of `from`, of the same storage; there already: success, grown as by `ensureDisk`.
   * It appears when it is whole. `spec.imageSha256` is absent, `spec.sizeBytes` at least the origin's size. An origin that is
   * open must be named with a snapshot, else `CONFLICT`. Removing the origin leaves the copy as it is.
   */
  copyDisk(from: DiskOrigin, spec: DiskSpec, progress: Progress, signal: AbortSignal): Promise<void>;
  /**
   * Reads the content, decrypted, of a closed disk or of a snapshot. `sinceSnapshotId`: only what differs from that snapshot
   * of the same disk.
   */
  exportDisk(from: DiskOrigin, sinceSnapshotId: VolumeSnapshotId | undefined, signal: AbortSignal): Promise<DiskExport>;
  /**
   * Writes these ranges into the disk, which exists and is closed; what they do not name stays. Durable when it returns. Cut
   * off, some are written and some not.
   */
  importDisk(spec: DiskSpec, ranges: AsyncIterable<DiskRange>, progress: Progress, signal: AbortSignal): Promise<void>;

  /** What lies there and could become a disk. */
  listUnmanaged(signal: AbortSignal): Promise<readonly UnmanagedDisk[]>;
  /** Makes what has this name the disk. Done already: success. `NOT_FOUND`; `CONFLICT` when it is unfit or open. */
  adoptDisk(name: string, volumeId: VolumeId, signal: AbortSignal): Promise<void>;
  /** Lets go of the disk: its bytes stay under this name, whole and depending on nothing. Done already: success. */
  releaseDisk(volumeId: VolumeId, name: string, signal: AbortSignal): Promise<void>;
}
