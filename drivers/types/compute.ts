/** Guests of one host. */
import type { Duplex } from 'node:stream';
import type { PortId, ServerId, VolumeId } from '../../node/base/ids.ts';
import type { GuestDiagnostics } from './diagnostics.ts';
import type { Progress } from './disk.ts';
import type {
  Accelerator,
  DiskLimits,
  DiskSnapshot,
  GuestDisk,
  GuestEvent,
  GuestFound,
  GuestSpec,
  NicSpec,
} from './guest.ts';
import type { MemoryReceiver, MoveKey, SendSteps } from './live-move.ts';

/** What the caller of a mirror hears and says. */
export interface MirrorSteps {
  readonly progress: Progress;
  /**
   * Called when both disks hold the same and the guest's writes wait. True: it goes over; false: it stays where it is. The caller
   * records which before it returns. When it throws nobody knows, and the writes wait until `mirrorDisk` is called again: then it
   * is asked again.
   */
  readonly switchOver: () => Promise<boolean>;
}

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
  /** `UNAVAILABLE` for a guest whose memory is not there yet. */
  resumeGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /**
   * Saves the guest's memory on this host, durably, and ends its process: its disks are closed by the caller. Done already:
   * success. `startGuest` goes on from there, with the same disks and NICs; `stopGuest` forgets what was saved. Survives a
   * reboot of the host. A failure leaves the guest as it was; `NOT_FOUND` without one, `CONFLICT` for one that is powered off.
   */
  suspendGuest(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /**
   * What another host's driver must know to make the same devices: text of this kind of driver, at most 64 KiB, for `receiveGuest`.
   * `NOT_FOUND` without the guest, `CONFLICT` for one that is powered off.
   */
  hardwareOf(serverId: ServerId, signal: AbortSignal): Promise<string>;
  /**
   * Makes the guest without its memory, which it takes from another host's `sendGuest`; says where. It is `paused` (`inmigrate` until all
   * is there) and writes to no disk before `resumeGuest`. Made at this generation and waiting: success, and the same place.
   * `CONFLICT` when a guest of the server is here otherwise, or its memory has come; `DRIVER_FAILED` where the hardware cannot be made.
   */
  receiveGuest(
    spec: GuestSpec,
    from: { readonly hardware: string; readonly key: MoveKey },
    signal: AbortSignal,
  ): Promise<MemoryReceiver>;
  /**
   * Sends the guest's memory to where another host takes it. When it returns all of it is there, and the guest is `paused` here for
   * good, or until `resumeGuest`, which only a caller may ask for who knows that the other one will not go on. Where guests run by
   * emulation (`accelerator` `tcg`) the guest is paused for the whole copy. Sent already: success; under way: goes on with it, also
   * when an earlier agent began it. An abort ends the waiting, and not the copy. `DRIVER_FAILED` when it broke: the guest is here, and
   * may be paused; `NOT_FOUND` without it.
   */
  sendGuest(
    serverId: ServerId,
    to: MemoryReceiver & { readonly key: MoveKey },
    steps: SendSteps,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Ends a copy that `sendGuest` began, or forgets that it came to its end. The guest is left as it is, and may be paused. None, or no
   * such guest: success.
   */
  cancelSend(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /** Sends a non-maskable interrupt, on which the guest's kernel writes a crash dump if it is set up to. */
  injectNmi(serverId: ServerId, signal: AbortSignal): Promise<void>;
  /**
   * Has the guest's agent set a user's password. `UNAVAILABLE` when no agent answers, `DRIVER_FAILED` when it refuses,
   * `CONFLICT` when the guest does not run. `password` is secret.
   */
  setPassword(serverId: ServerId, user: string, password: string, signal: AbortSignal): Promise<void>;
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
  /** Plugs a NIC into a guest that runs, on a tap that is there. As `attachDisk`, in all. */
  attachNic(serverId: ServerId, nic: NicSpec, signal: AbortSignal): Promise<void>;
  /** Has the guest let go of the NIC, and QEMU of its tap. As `detachDisk`, in all. */
  detachNic(serverId: ServerId, portId: PortId, signal: AbortSignal): Promise<void>;
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
   * Copies a disk that is plugged in to `target`, which has at least its size, while the guest works with it, and has the guest go
   * over to it; the old source is closed then. The guest keeps the device as it is, with its name, serial and place; limits are
   * replaced when `target` has some. `target` may be the same disk in another place, or another disk.
   *
   * On the target already: success. An abort ends the waiting and nothing else: the copy goes on in the guest, and the same call
   * later goes on with it; `cancelMirror` ends it. A failure (`DRIVER_FAILED`, `CONFLICT`) leaves the guest on the old disk.
   */
  mirrorDisk(
    serverId: ServerId,
    volumeId: VolumeId,
    target: GuestDisk,
    steps: MirrorSteps,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * Ends a copy that `mirrorDisk` began: the guest stays on its disk, and the target is closed. None, or no such guest: success.
   * `CONFLICT` when the guest has gone over to it.
   */
  cancelMirror(serverId: ServerId, volumeId: VolumeId, target: GuestDisk, signal: AbortSignal): Promise<void>;
  /**
   * Connects to the guest's screen (`vnc`: RFB without a password, any number of connections) or to its serial line (`serial`: one,
   * which ends the one before). The connection ends with the guest's process. `NOT_FOUND` without a process; `CONFLICT` when it
   * does not take connections now.
   */
  openConsole(serverId: ServerId, kind: 'vnc' | 'serial', signal: AbortSignal): Promise<Duplex>;
  /** What the guest has and has used since its process began. `NOT_FOUND` without a process. */
  diagnostics(serverId: ServerId, signal: AbortSignal): Promise<GuestDiagnostics>;
  /** The last `bytesMax` bytes of the serial console, over restarts. Empty when it printed nothing. */
  consoleLog(serverId: ServerId, bytesMax: number, signal: AbortSignal): Promise<Uint8Array>;
  /** Called for each change that nobody asked for. Returns how to stop listening. */
  onEvent(listener: (event: GuestEvent) => void): () => void;
}
