/**
 * What a guest finds beside its processor's number of CPUs, its memory's size, its disks and its NICs: what flavors and images ask
 * for by Nova's names, as a driver takes it. Whatever is absent is as it has always been.
 */

/** Families of machines, by QEMU's own names. */
export const machineFamilies = ['pc', 'q35'] as const;
export type MachineFamily = (typeof machineFamilies)[number];

/** Network cards, by Nova's names, which are QEMU's but for the first (`virtio-net-pci`). */
export const nicModels = ['virtio', 'e1000', 'e1000e', 'ne2k_pci', 'pcnet', 'rtl8139', 'vmxnet3'] as const;
export type NicModel = (typeof nicModels)[number];

/** Displays, by Nova's names. */
export const videoModels = ['vga', 'cirrus', 'vmvga', 'virtio', 'bochs', 'none'] as const;
export type VideoModel = (typeof videoModels)[number];

/** What a watchdog that ran out does. */
export const watchdogActions = ['reset', 'poweroff', 'pause', 'none'] as const;
export type WatchdogAction = (typeof watchdogActions)[number];

/** Sizes of the pages that a guest's memory may lie in. KiB; 4: ordinary ones. */
export const pageSizesKib = [4, 2048, 1_048_576] as const;
export type PageSizeKib = (typeof pageSizesKib)[number];

/** How its CPUs look; the product is their number. */
export interface CpuTopology {
  readonly sockets: number;
  readonly cores: number;
  readonly threads: number;
}

/** A NUMA node of the guest. Together they have all its CPUs and all its memory. */
export interface GuestNumaCell {
  /** Numbers of the guest's CPUs. */
  readonly cpus: readonly number[];
  readonly memoryMib: number;
  /** The host's node that its memory comes from; absent: any. */
  readonly hostNode?: number;
}

/** A guest's hardware. */
export interface GuestHardware {
  /** Pinned: `pc-q35-7.2`. It is kept over upgrades of QEMU; absent: the newest of the family, which is pinned then. */
  readonly machine?: string;
  /** Of a machine that is not pinned yet. Absent: the host's default. */
  readonly family?: MachineFamily;
  /** Default `bios`. */
  readonly firmware?: 'bios' | 'uefi';
  /** UEFI that starts nothing but what is signed. Needs `q35`. */
  readonly secureBoot?: boolean;
  /** What it may draw from the host's random numbers, or nothing. Default a kibibyte a second. */
  readonly rng?: { readonly bytes: number; readonly periodMs: number } | 'none';
  readonly watchdog?: WatchdogAction;
  readonly video?: { readonly model: VideoModel; readonly memoryMib?: number };
  /** 1 to 4; the first is the console. Default 1. */
  readonly serialPorts?: number;
  /** The firmware offers a choice of what to boot from. */
  readonly bootMenu?: boolean;
  /** Where a pointer that knows its place is plugged in. Default: none but the PS/2 mouse. */
  readonly tablet?: 'usb' | 'virtio';
  /** The high precision event timer. Default: there. */
  readonly hpet?: boolean;
  /** What its clock shows at the start: Windows takes it for local time. Default `utc`. */
  readonly clock?: 'utc' | 'localtime';
  /** Counters of the processor's performance. Default: as the accelerator has it. */
  readonly pmu?: boolean;
  /** KVM's signature is not shown to the guest. */
  readonly hidesHypervisor?: boolean;
  /** Default: as many sockets as CPUs. */
  readonly topology?: CpuTopology;
  /** The channel of the guest's agent. Default: there. */
  readonly agent?: boolean;
  /** Default 4. */
  readonly pageKib?: PageSizeKib;
  readonly numa?: readonly GuestNumaCell[];
  /** The host's CPU of each of the guest's, by number. Absent: they float. */
  readonly pinnedCpus?: readonly number[];
  /** Each disk is served by a thread of its own. */
  readonly ioThreads?: boolean;
}
