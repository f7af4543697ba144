/** A guest and what it has, as records want it and as it is found. */
import type { PortId, ServerId, VolumeId, VolumeSnapshotId } from '../../node/base/ids.ts';
import type { DiskEncryption, DiskSource } from './disk.ts';
import type { GuestHardware, NicModel } from './hardware.ts';

/** How guests execute: `kvm` only when a probe guest proved it; `fake` when there is no guest at all. */
export type Accelerator = 'kvm' | 'tcg' | 'fake';

/** One NIC of a guest. */
export interface NicSpec {
  readonly portId: PortId;
  readonly mac: string;
  readonly mtu: number;
  /** Name of the tap that the network driver made, at most 15 characters. */
  readonly tapName: string;
  /** Default `virtio`. */
  readonly model?: NicModel;
  /** Queue pairs of a virtio NIC, 1 to 16: the tap must have as many. Default 1. */
  readonly queues?: number;
}

/** One disk of a guest, opened. */
export interface GuestDisk {
  readonly volumeId: VolumeId;
  readonly source: DiskSource;
  /** Order of boot; 0 first; absent: not booted from. */
  readonly bootIndex?: number;
  /**
   * Default `virtio`. The guest finds it as `/dev/disk/by-id/virtio-SERIAL`, or `scsi-0QEMU_QEMU_HARDDISK_SERIAL`. On `sata` (6) and
   * `ide` (4) there are few places, and none can be plugged in or out while the guest runs.
   */
  readonly bus?: 'virtio' | 'scsi' | 'sata' | 'ide';
  /** The guest may read and not write. */
  readonly readOnly?: boolean;
  /** Other guests have it open at the same time. */
  readonly shared?: boolean;
  readonly encryption?: DiskEncryption;
  readonly limits?: DiskLimits;
  /** What its storage lock carries; absent: the guest's generation. */
  readonly generation?: number;
}

/**
 * How much a guest may do with a disk, each kind by itself; absent or 0: no limit. Bytes and operations a second. A total and
 * its parts exclude each other. `...Max` are bursts, above the plain limit.
 */
export interface DiskLimits {
  readonly bytesPerS?: number;
  readonly readBytesPerS?: number;
  readonly writeBytesPerS?: number;
  readonly iops?: number;
  readonly readIops?: number;
  readonly writeIops?: number;
  readonly bytesPerSMax?: number;
  readonly readBytesPerSMax?: number;
  readonly writeBytesPerSMax?: number;
  readonly iopsMax?: number;
  readonly readIopsMax?: number;
  readonly writeIopsMax?: number;
  /** An operation larger than this counts as several. */
  readonly sizeIopsBytes?: number;
}

/** One snapshot of a disk of a guest that runs. */
export interface DiskSnapshot {
  readonly volumeId: VolumeId;
  readonly snapshotId: VolumeSnapshotId;
}

/** A guest as records want it. */
export interface GuestSpec {
  readonly serverId: ServerId;
  readonly generation: number;
  /** For people only (`-name`); cleaned by the driver. */
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly disks: readonly GuestDisk[];
  readonly nics: readonly NicSpec[];
  readonly hardware?: GuestHardware;
}

/**
 * `paused` covers QEMU's prelaunch and I/O-error stops too, with the reason beside it. `shutdown`: the guest powered off,
 * QEMU waits to be told to quit. `crashed`: the process is gone without having been told to. `suspended`: its memory is saved,
 * and it has no process.
 */
export type GuestPower = 'running' | 'paused' | 'shutdown' | 'crashed' | 'suspended';

/** A guest as found on this host. */
export interface GuestFound {
  readonly serverId: ServerId;
  readonly generation: number;
  readonly power: GuestPower;
  /** QEMU's own word for its state (`running`, `io-error`, `guest-panicked`...). */
  readonly detail: string;
  /** Absent when crashed or suspended. */
  readonly pid?: number;
  /** What is plugged in, in no order. Absent when nobody could be asked: it has no process, or its monitor does not answer. */
  readonly disks?: readonly VolumeId[];
  /** As `disks`; of a guest that is suspended those that its memory knows, and that it goes on with. */
  readonly nics?: readonly PortId[];
  /** The machine that it has, by its pinned name (`pc-q35-7.2`). Absent without a process, and of a driver that has no machines. */
  readonly machine?: string;
}

/** A guest changed by itself. */
export type GuestEvent = {
  readonly serverId: ServerId;
  readonly power: GuestPower;
  readonly detail: string;
};
