import type { HostId } from '../../node/base/ids.ts';
import type { ByResource } from './resource-classes.ts';

/**
 * What one host says about itself: the only input that placement has about hosts. Plain data; the mesh maps the protobuf
 * message to this type and back. A newer advert (`compareAdverts`) replaces an older one whole.
 */
export interface HostAdvert extends ByResource<ResourcePool> {
  readonly hostId: HostId;
  /** Name that operators use; unique in a mesh by convention, never used as an identity. */
  readonly hostName: string;
  /** Raft group that the host belongs to. One cell by default. */
  readonly cell: string;
  /** Number of the agent's run on that host. Grows with every start; a restarted agent's sequence begins again. */
  readonly epoch: number;
  /** Number of the advert within the epoch. */
  readonly sequence: number;
  /** IP address of the host on the mesh, IPv4 or IPv6, without a port. */
  readonly address: string;
  /** Availability zone. */
  readonly zone: string;
  /** What fails together with this host (a rack, a power feed). Empty when unknown. */
  readonly failureDomain: string;
  readonly aggregates: readonly HostAggregate[];
  /** The local disk pool that flavors' disks are taken from. */
  readonly diskGib: ResourcePool;
  readonly traits: readonly string[];
  readonly state: HostState;
  /** Servers on the host, running or not. */
  readonly numInstances: number;
  /** Servers that build, migrate, snapshot or resize now: what loads disk and network for a while. */
  readonly ioOps: number;
  /** Builds that failed since the last one that worked. */
  readonly buildFailures: number;
  /** Named gauges, such as `cpu.percent` or `load.1m`; for the metrics filter and weigher. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly pciPools: readonly PciPool[];
  /** Empty when the host does not tell its NUMA layout. */
  readonly numaCells: readonly NumaCell[];
  readonly physicalNetworks: readonly string[];
  readonly storagePools: readonly StoragePool[];
  /** The highest feature level that this agent's version knows: N and N-1 agents live together. */
  readonly featureLevel: number;
  readonly hypervisor: Hypervisor;
  /** Free-form facts for `capabilities:` extra specs, such as `cpu_info:model`. */
  readonly capabilities: Readonly<Record<string, string>>;
}

/** A named set of hosts with metadata that filters and weighers read. */
export interface HostAggregate {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** One countable resource of a host. Capacity for guests is `floor((total - reserved) * allocationRatio)`. */
export interface ResourcePool {
  /** What the machine has. Also the most that one guest may ask for: a guest never over-commits against itself. */
  readonly total: number;
  /** Kept for the machine itself. */
  readonly reserved: number;
  /** How often the rest may be handed out. > 0. */
  readonly allocationRatio: number;
  /** Handed out by admitted claims. */
  readonly used: number;
}

/** Whether a host takes new guests. */
export interface HostState {
  /** An operator's choice. */
  readonly enabled: boolean;
  /** The agent answers. A host never says false of itself; a failure detector may (`HostColumns.setLiveness`). */
  readonly up: boolean;
  /** Why it is disabled; empty when it is not. */
  readonly disabledReason: string;
}

/** Alike PCI devices of a host. */
export interface PciPool {
  /** Four lower-case hex digits. */
  readonly vendorId: string;
  /** Four lower-case hex digits. */
  readonly productId: string;
  /** NUMA node that the devices hang off; -1 when unknown. */
  readonly numaNode: number;
  /** Physical network that the devices reach; empty for devices that are no network cards. */
  readonly physicalNetwork: string;
  readonly total: number;
  readonly free: number;
}

/** One NUMA node of a host. */
export interface NumaCell {
  readonly id: number;
  /** Host CPUs that guests may use. */
  readonly cpus: number;
  /** Of those, pinned to guests with dedicated CPUs. */
  readonly cpusPinned: number;
  readonly memoryMib: number;
  readonly memoryUsedMib: number;
  /** Huge pages; the ordinary page size is not listed. */
  readonly pages: readonly NumaPages[];
}

/** Huge pages of one size on a NUMA node. */
export interface NumaPages {
  readonly sizeKib: number;
  readonly total: number;
  readonly used: number;
}

/** A pool that disks can live in. */
export interface StoragePool {
  readonly name: string;
  /** True when every host that lists the pool sees the same disks (Ceph). */
  readonly shared: boolean;
  readonly freeGib: number;
  /** Why new disks should go elsewhere, such as `nearfull`; absent: they need not. */
  readonly condition?: string;
}

/** What runs guests. */
export interface Hypervisor {
  /** Such as `qemu` or `kvm`. */
  readonly type: string;
  /** Nova's number: major * 1,000,000 + minor * 1,000 + micro. */
  readonly version: number;
  readonly cpuArch: string;
  /** What guests can be: one row per kind. */
  readonly supported: readonly SupportedGuest[];
}

/** One kind of guest. */
export interface SupportedGuest {
  readonly arch: string;
  readonly hypervisorType: string;
  readonly vmMode: string;
}

/** Negative when `a` is older than `b`, zero when they are the same advert, positive when `a` is newer. */
export function compareAdverts(
  a: { readonly epoch: number; readonly sequence: number },
  b: { readonly epoch: number; readonly sequence: number },
): number {
  return a.epoch === b.epoch ? a.sequence - b.sequence : a.epoch - b.epoch;
}

/** What guests may be given of a pool in all. */
export function capacityOf(pool: Omit<ResourcePool, 'used'>): number {
  return Math.max(0, Math.floor((pool.total - pool.reserved) * pool.allocationRatio));
}
