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
  | { readonly kind: 'fake'; readonly name: string };

/** A disk as records want it. */
export interface DiskSpec {
  readonly volumeId: VolumeId;
  /** Size that the guest sees, bytes; at least the image's virtual size. */
  readonly sizeBytes: number;
  /** Content at the bottom, copy-on-write; absent for an empty disk. */
  readonly imageSha256?: ImageSha256;
  /** The generation of the server that owns it: what the storage lock carries. */
  readonly generation: number;
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
}

/** Disks on one kind of storage. */
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

  /** Makes the disk unless it exists; grows it when it is smaller than asked. Never shrinks. */
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
  /** Removes the disk for good. Called only for a committed delete. Absent is success. */
  removeDisk(volumeId: VolumeId, signal: AbortSignal): Promise<void>;
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
