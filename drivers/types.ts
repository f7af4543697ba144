/**
 * The three interfaces behind which a host's real things sit: compute (QEMU), storage (local qcow2 files, Ceph RBD) and
 * network (bridges, VXLAN, nftables). Each has a fake beside it, and one compliance suite for both (test/compliance/).
 *
 * Rules that every implementation keeps:
 * - Each call is idempotent: done again after a crash at any point it reaches the same end, or says why it cannot.
 * - Nothing is removed that was not named by the caller; what is found but unknown is listed, never touched.
 * - "Absent" is an answer only when the host was asked and said so. When it could not be asked: `CANNOT_TELL`.
 * - Everything that waits takes an `AbortSignal` and has a bound of its own.
 */
import type {
  HostId,
  ImageId,
  ImageSha256,
  NetworkId,
  PortId,
  RouterId,
  ServerId,
  SubnetId,
  VolumeId,
  VolumeSnapshotId,
} from '../node/base/ids.ts';

/** How guests execute: `kvm` only when a probe guest proved it; `fake` when there is no guest at all. */
export type Accelerator = 'kvm' | 'tcg' | 'fake';

// ---------------------------------------------------------------------------------------------------------- storage

/** What QEMU needs to open a disk. Produced by a storage driver, consumed by the compute driver. */
export type DiskSource =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly format: 'qcow2' | 'raw';
      /** The file that lies below it and is only read; absent when there is none. */
      readonly backingPath?: string;
      /** Format of that file; QEMU is told it, and reads it from no header. */
      readonly backingFormat?: 'qcow2' | 'raw';
    }
  | {
      readonly kind: 'rbd';
      readonly pool: string;
      readonly image: string;
      /** Ceph client name without `client.`. */
      readonly user: string;
      /** Path of a ceph.conf that names monitors and keyring. */
      readonly confPath: string;
    }
  | {
      /** A disk of another host, served by `DiskExports` there. Its content is raw, whatever it is kept as. */
      readonly kind: 'nbd';
      /** Address of the host that serves it. */
      readonly host: string;
      readonly port: number;
      readonly exportName: string;
      readonly key: NbdKey;
    }
  | { readonly kind: 'fake'; readonly name: string };

/**
 * What a client of an NBD export proves who it is with (TLS with a pre-shared key). A key of its own for each export, and no
 * certificate of the mesh: a guest's QEMU must not hold what its host is known by.
 */
interface NbdKey {
  readonly user: string;
  /** 32 bytes in lower-case hex. Secret. */
  readonly keyHex: string;
}

/**
 * How a disk's content is encrypted, by QEMU (local files) or librbd (Ceph). Only what is written to the disk itself is: the
 * image below a copy-on-write disk stays as it is.
 */
export interface DiskEncryption {
  /** `luks` is version 1. `StorageCapabilities.encryption` says which a storage can do. */
  readonly format: 'luks' | 'luks2';
  /** `aes-xts-plain64`; AES in XTS mode; `INVALID_ARGUMENT` for any other. */
  readonly cipher: string;
  /** 256 or 512 for XTS, of which each half is a key. */
  readonly keyBits: number;
  /** Secret: never in a log, on a command line or in a file that stays. */
  readonly passphrase: string;
}

/** A disk as records want it. */
export interface DiskSpec {
  readonly volumeId: VolumeId;
  /** Size that the guest sees, bytes; at least the image's virtual size. */
  readonly sizeBytes: number;
  /** Content at the bottom, copy-on-write; absent for an empty disk. */
  readonly imageSha256?: ImageSha256;
  /** The generation of its owner (server, or volume): what the storage lock carries. */
  readonly generation: number;
  /** Encrypted when it is made, and opened so. */
  readonly encryption?: DiskEncryption;
  /** Others may have it open at the same time. `INVALID_ARGUMENT` where `capabilities.multiAttach` is false. */
  readonly shared?: boolean;
  /** What a new, empty disk is made with: swap space or a file system. Not with `imageSha256` or `encryption`. */
  readonly contents?: DiskContents;
}

/** What a blank disk of a server is made with. */
interface DiskContents {
  readonly format: 'swap' | 'ext4' | 'vfat';
  /** Label of the file system, at most 11 characters of A-Z, a-z, 0-9, `-` and `_`. */
  readonly label?: string;
}

/** A disk as found. */
export interface DiskFound {
  readonly volumeId: VolumeId;
  readonly sizeBytes: number;
  /** Bytes really taken, where the storage can say cheaply. */
  readonly usedBytes?: number;
  /** Content at its bottom. */
  readonly imageSha256?: ImageSha256;
  /** Made by an earlier version, above a copy that was named by the image's id; `imageSha256` is absent then. */
  readonly legacyImageId?: ImageId;
}

/** What a copy is made of: a disk as it is now, or as it was at a snapshot. */
export interface DiskOrigin {
  readonly volumeId: VolumeId;
  readonly snapshotId?: VolumeSnapshotId;
  /** How the origin is encrypted; must be given when it is. */
  readonly encryption?: DiskEncryption;
}

/** A part of a disk's content. */
export interface DiskRange {
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Exactly `lengthBytes`, at most 1 MiB. Absent: zeros, any length. */
  readonly data?: Uint8Array;
}

/** A disk's content, being read. */
export interface DiskExport {
  /** Size of the disk at that instant. */
  readonly sizeBytes: number;
  /**
   * In order of their offsets, without overlap. Without `sinceSnapshotId` they cover the whole disk; with it, only what
   * differs. Reading ends what serves it; so does leaving the loop early.
   */
  readonly ranges: AsyncIterable<DiskRange>;
}

/** A disk that is on the storage and not Shoal's. */
export interface UnmanagedDisk {
  /** Its name there, of 1 to 200 characters. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Why it cannot be adopted; absent when it can. */
  readonly unfit?: string;
}

/** Told now and then during long work: 0 to 100. */
export type Progress = (percent: number) => void;

/** An image already verified and inspected (drivers/image), present as a local file. */
export interface ImageFile {
  readonly sha256: ImageSha256;
  readonly path: string;
  readonly format: 'qcow2' | 'raw';
  /** Size that a guest would see, bytes. */
  readonly virtualSizeBytes: number;
}

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
}

/**
 * Disks on one kind of storage. While a guest has a disk of one host's own storage open, its snapshots are made and removed,
 * and it grows, by the `ComputeDriver`, and the calls here are a `CONFLICT`; on shared storage they work here as well.
 *
 * A write that does not fit is `DRIVER_FAILED` with the fact `reason: 'full'`; where the storage takes no writes (read-only,
 * or its pool has gone), with `reason: 'read-only'` or `'no-pool'`. A host that it has fenced gets `FENCE_UNPROVEN`.
 */
export interface StorageDriver {
  readonly name: 'local' | 'rbd' | 'fake';
  readonly capabilities: StorageCapabilities;

  /** Checks that the storage answers. Throws `ShoalError` with what to do when it does not. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;

  /** Bytes in all and bytes free for new disks. Throws `UNAVAILABLE` while storage that was just made has not counted. */
  capacity(signal: AbortSignal): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>;

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

// ---------------------------------------------------------------------------------------------------------- compute

/** One NIC of a guest. */
export interface NicSpec {
  readonly portId: PortId;
  readonly mac: string;
  readonly mtu: number;
  /** Name of the tap that the network driver made, at most 15 characters. */
  readonly tapName: string;
}

/** One disk of a guest, opened. */
export interface GuestDisk {
  readonly volumeId: VolumeId;
  readonly source: DiskSource;
  /** Order of boot; 0 first; absent: not booted from. */
  readonly bootIndex?: number;
  /** Default `virtio`. The guest finds it as `/dev/disk/by-id/virtio-SERIAL`, or `scsi-0QEMU_QEMU_HARDDISK_SERIAL`. */
  readonly bus?: 'virtio' | 'scsi';
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
}

/**
 * `paused` covers QEMU's prelaunch and I/O-error stops too, with the reason beside it. `shutdown`: the guest powered off,
 * QEMU waits to be told to quit. `crashed`: the process is gone without having been told to.
 */
export type GuestPower = 'running' | 'paused' | 'shutdown' | 'crashed';

/** A guest as found on this host. */
export interface GuestFound {
  readonly serverId: ServerId;
  readonly generation: number;
  readonly power: GuestPower;
  /** QEMU's own word for its state (`running`, `io-error`, `guest-panicked`...). */
  readonly detail: string;
  /** Absent when crashed. */
  readonly pid?: number;
  /** What is plugged in, in no order. Absent when nobody could be asked: it crashed, or its monitor does not answer. */
  readonly disks?: readonly VolumeId[];
}

/** A guest changed by itself. */
export type GuestEvent = {
  readonly serverId: ServerId;
  readonly power: GuestPower;
  readonly detail: string;
};

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

// ---------------------------------------------------------------------------------------------------------- network

/** A subnet as the data plane needs it. IPv4 only for now. */
export interface SubnetSpec {
  readonly subnetId: SubnetId;
  /** `10.0.0.0/24`. */
  readonly cidr: string;
  /** Absent: no gateway is announced. */
  readonly gatewayIp?: string;
  /** Address of the network's service namespace for DHCP, the same on every host. Absent: there is no DHCP. */
  readonly serviceIp?: string;
  readonly dhcp: boolean;
  readonly dnsServers: readonly string[];
  readonly hostRoutes: readonly { readonly destination: string; readonly nextHop: string }[];
}

/** A tenant network on this host. */
export interface NetworkSpec {
  readonly networkId: NetworkId;
  /** 1 to 2^24 - 1, unique in the mesh. */
  readonly vni: number;
  /** What guests may send, bytes; the underlay carries 50 more. */
  readonly mtu: number;
  /** At most one for now. */
  readonly subnets: readonly SubnetSpec[];
}

/** One rule of a security group, as Neutron means it, resolved: remote groups are already sets of addresses. */
export interface SecurityRuleSpec {
  readonly direction: 'ingress' | 'egress';
  /** Absent: any. */
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | number;
  /** For tcp and udp: ports, inclusive; for icmp: type in `portMin`, code in `portMax`. */
  readonly portMin?: number;
  readonly portMax?: number;
  /** Absent: any. Any of these prefixes, otherwise. An empty array matches nothing (a remote group with no member). */
  readonly remotePrefixes?: readonly string[];
}

/** What a guest reads at 169.254.169.254: path (`/openstack/latest/meta_data.json`) to body. Text is UTF-8. */
export type MetadataBodies = Readonly<Record<string, string | Uint8Array>>;

/** A port whose guest runs (or is about to run) on this host. */
export interface LocalPortSpec {
  readonly portId: PortId;
  readonly networkId: NetworkId;
  readonly mac: string;
  /** What DHCP gives. */
  readonly ip: string;
  /** Further addresses of the port, which its guest sets itself. */
  readonly moreIps?: readonly string[];
  /** What the guest may speak as besides (Neutron's `allowed_address_pairs`): a MAC and a prefix each. Others may too. */
  readonly addressPairs?: readonly { readonly mac: string; readonly prefix: string }[];
  readonly hostname: string;
  /** False: no anti-spoofing and no rules (Neutron's port_security_enabled). */
  readonly portSecurity: boolean;
  /** Everything not allowed is dropped; replies are always allowed; DHCP and metadata always pass. */
  readonly rules: readonly SecurityRuleSpec[];
  /** Served to this port alone, byte for byte. */
  readonly metadata: MetadataBodies;
}

/** A port that lives elsewhere, for the forwarding and neighbour entries. */
export interface RemotePortSpec {
  readonly mac: string;
  readonly ip: string;
  /** Underlay address of its host. */
  readonly vtepIp: string;
  /** Name that neighbours find the address by; absent: none. */
  readonly hostname?: string;
}

/** What each host that carries a network must know of the others. */
export interface ForwardingSpec {
  readonly networkId: NetworkId;
  /** Every other host that carries the network: where broadcast and unknown frames go. */
  readonly peerVtepIps: readonly string[];
  readonly remotePorts: readonly RemotePortSpec[];
}

/** A router, present on every host that carries one of its networks. */
export interface RouterSpec {
  readonly routerId: RouterId;
  readonly interfaces: readonly {
    readonly networkId: NetworkId;
    readonly subnetId: SubnetId;
    /** The gateway's address on that subnet; its MAC is the same on every host. */
    readonly ip: string;
    readonly prefixLength: number;
    /** Every port of that network: static neighbours of the router. */
    readonly neighbours: readonly { readonly ip: string; readonly mac: string }[];
  }[];
  /** Static routes. A next hop that is on no interface's prefix, nor on the external one, is left out. */
  readonly routes?: readonly { readonly destination: string; readonly nextHop: string }[];
  readonly external?: {
    /** Gateway of the external network, and its prefix. */
    readonly gatewayIp: string;
    readonly cidr: string;
    /** Floating IPs whose guest runs on *this* host. */
    readonly floatingIps: readonly { readonly floatingIp: string; readonly fixedIp: string }[];
    /** The router's own external address: source of guests without a floating IP. */
    readonly snatIp?: string;
    /** True on the one host that does the router's source NAT. The others send such traffic there over `transitVni`. */
    readonly snatHere: boolean;
    /** Underlay address of the host that does it. */
    readonly snatVtepIp?: string;
    /** VNI that carries it between hosts. */
    readonly transitVni?: number;
    /** Underlay addresses of all the other hosts that carry the router. */
    readonly transitPeerVtepIps?: readonly string[];
    /** This host's number on the transit network (1..65000), unique among hosts; and that of the SNAT host. */
    readonly transitIndex?: number;
    readonly snatTransitIndex?: number;
  };
}

/** What the host carries now, read back from the kernel and the driver's own files. */
export interface NetworkFound {
  readonly networks: readonly { readonly networkId: NetworkId; readonly vni: number }[];
  readonly ports: readonly { readonly portId: PortId; readonly networkId: NetworkId; readonly tapName: string }[];
  readonly routers: readonly { readonly routerId: RouterId; readonly floatingIps: readonly string[] }[];
}

/** Network of one host. Each `ensure` makes the whole thing as it should be and touches nothing that already is. */
export interface NetworkDriver {
  readonly name: 'vxlan' | 'fake';
  /** Calls of `ensure…`, `set…` and `remove…` that have changed something on the host, since the driver was made. */
  readonly changes: number;
  /** Host-wide set-up (tables, metadata server), and a look at what an earlier agent left. Breaks nothing that works. */
  start(signal: AbortSignal): Promise<void>;
  /** Lets go. Forwarding, DHCP and metadata run on. */
  stop(): Promise<void>;

  found(signal: AbortSignal): Promise<NetworkFound>;
  ensureNetwork(spec: NetworkSpec, signal: AbortSignal): Promise<void>;
  /** `CONFLICT` while ports or routers are on it. Absent is success. */
  removeNetwork(networkId: NetworkId, signal: AbortSignal): Promise<void>;
  /** Makes tap, forwarding, rules, DHCP entry and metadata. Returns the tap's name. */
  ensurePort(spec: LocalPortSpec, signal: AbortSignal): Promise<{ readonly tapName: string }>;
  removePort(portId: PortId, signal: AbortSignal): Promise<void>;
  /** Makes the entries for other hosts exactly these. */
  setForwarding(spec: ForwardingSpec, signal: AbortSignal): Promise<void>;
  ensureRouter(spec: RouterSpec, signal: AbortSignal): Promise<void>;
  removeRouter(routerId: RouterId, signal: AbortSignal): Promise<void>;
}
