/** Guests of one host. */
import type { ServerId, VolumeId } from '../../node/base/ids.ts';
import type { Progress } from './disk.ts';
import type { Accelerator, DiskLimits, DiskSnapshot, GuestDisk, GuestEvent, GuestFound, GuestSpec } from './guest.ts';

/** Guests of one host. */
export interface ComputeDriver {
  readonly name: 'qemu' | 'fake';

  /** Probes the accelerator and adopts every guest left by an earlier agent. Changes no guest. */
  start(signal: AbortSignal): Promise<void>;
  /** Lets go of every guest. All of them run on. */
  stop(): Promise<void>;
  /** Known after `start`. */
  readonly accelerator: Accelerator;

  /** Every guest of which a trace is on this host, running or crashed. */
  list(signal: AbortSignal): Promise<readonly GuestFound[]>;
  find(serverId: ServerId, signal: AbortSignal): Promise<GuestFound | undefined>;
  /**
   * Starts the guest and returns once QEMU runs it. Already running at this generation: success, nothing changes.
   * `CONFLICT` when it runs at another generation.
   */
  startGuest(spec: GuestSpec, signal: AbortSignal): Promise<GuestFound>;
  /**
   * Powers the guest off: ACPI first, then, after `graceMs` (0: at once), by force. Returns when the process is gone and
   * its disks are closed. Not there: success.
   */
  stopGuest(serverId: ServerId, options: { readonly graceMs: number }, signal: AbortSignal): Promise<void>;
  /** `soft`: ACPI power button, then start again by the caller; `hard`: reset in place. */
  resetGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  pauseGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  resumeGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /** Forgets a stopped guest: its run-time files and console log go. `CONFLICT` while its process lives. */
  removeGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /**
   * Plugs a disk into a guest that runs; it keeps it over a reset, and not over a stop. Plugged in already: success.
   * `NOT_FOUND` without the guest; `CONFLICT` when it is powered off, has no free place, or was started by a version that kept
   * none; `DEADLINE_EXCEEDED` is repeated.
   */
  attachDisk(serverId: ServerId, disk: GuestDisk, signal: AbortSignal): Promise<void>;
  /**
   * Asks the guest to let go of the disk, and returns when it has and QEMU has closed it. Not plugged in, or no such guest:
   * success. `UNAVAILABLE` when the guest does not answer in 10 s (it boots, or is paused): the request stands, and the call
   * is repeated.
   */
  detachDisk(serverId: ServerId, volumeId: VolumeId, signal: AbortSignal): Promise<void>;
  /** Grows a disk that is plugged in, storage and guest alike. Never shrinks. */
  resizeDisk(serverId: ServerId, volumeId: VolumeId, sizeBytes: number, signal: AbortSignal): Promise<void>;
  /**
   * Keeps the content of some disks that are plugged in, all at one instant, as snapshots that their storage drivers list.
   * `freeze`: the guest's agent is asked to freeze the file systems; one that does not answer in 3 s is gone without. Some
   * are there already: those are kept, and the others are made. Returns whether the file systems were frozen.
   */
  snapshotDisks(
    serverId: ServerId,
    snapshots: readonly DiskSnapshot[],
    options: { readonly freeze: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly frozen: boolean }>;
  /** Removes a snapshot of a disk that is plugged in. Absent is success. */
  removeDiskSnapshot(serverId: ServerId, snapshot: DiskSnapshot, signal: AbortSignal): Promise<void>;
  /** Replaces the limits of a disk that is plugged in. */
  setDiskLimits(serverId: ServerId, volumeId: VolumeId, limits: DiskLimits, signal: AbortSignal): Promise<void>;
  /**
   * Copies a disk that is plugged in to `target`, which has at least its size, while the guest works with it, and switches the
   * guest over to it. The guest knows the disk by the same id; the old source is closed. An abort, or a failure, leaves the
   * guest on the old one. On the target already: success. Continues what an agent before began.
   */
  mirrorDisk(
    serverId: ServerId,
    volumeId: VolumeId,
    target: GuestDisk,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void>;
  /** The last `bytesMax` bytes of the serial console, over restarts. Empty when it printed nothing. */
  consoleLog(serverId: ServerId, bytesMax: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Called for each change that nobody asked for. Returns how to stop listening. */
  onEvent(listener: (event: GuestEvent) => void): () => void;
}
