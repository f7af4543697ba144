/** What this host has: totals once at start, by systeminformation and the kernel's own files; load now and then. */
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import si from 'systeminformation';
import type { NumaCell } from '../../../placement/index.ts';
import { ShoalError } from '../../base/errors.ts';
import { gibBytes, mibBytes } from '../../base/units.ts';
import { type CpuInfo, parseCpuInfo } from './cpu-info.ts';
import { readNumaCells } from './numa-cells.ts';
import { type PciDevice, readPciDevices } from './pci-devices.ts';

/** Totals that do not change while the agent runs. */
export interface Inventory {
  /** Logical CPUs. */
  readonly cpus: number;
  readonly cpu: CpuInfo;
  /** `x86_64`, `aarch64`. */
  readonly architecture: string;
  readonly memoryMib: number;
  /** Empty: the kernel knows of none. */
  readonly numaCells: readonly NumaCell[];
  readonly pciDevices: readonly PciDevice[];
  /** Size of the file system that holds the data folder. */
  readonly diskGib: number;
  readonly operatingSystem: string;
  readonly kernel: string;
}

/** Load at one moment. */
export interface HostLoad {
  /** Busy share of all CPUs since the last call, percent. */
  readonly cpuPercent: number;
  readonly load1m: number;
  readonly memoryAvailableMib: number;
}

/** Reads the totals. Throws `DRIVER_FAILED` or `CANNOT_TELL` when the machine does not say. */
export async function readInventory(dataDir: string): Promise<Inventory> {
  const [cpu, memory, disks, os, cpuText, numaCells, pciDevices] = await Promise.all([
    si.cpu(),
    si.mem(),
    si.fsSize(),
    si.osInfo(),
    readFile('/proc/cpuinfo', 'utf8'),
    readNumaCells(),
    readPciDevices(),
  ]);
  // The mount that holds the folder is the one with the longest matching path.
  const holder = disks
    .filter((disk) => disk.mount === '/' || dataDir === disk.mount || dataDir.startsWith(`${disk.mount}/`))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
  if (holder === undefined || cpu.cores === 0 || memory.total === 0) {
    throw new ShoalError('DRIVER_FAILED', 'the CPUs, memory or disks of this machine could not be read', {
      facts: { cpus: cpu.cores, memoryBytes: memory.total, mounts: disks.map((disk) => disk.mount), dataDir },
    });
  }
  return {
    cpus: cpu.cores,
    cpu: parseCpuInfo(cpuText),
    architecture: os.arch === 'x64' ? 'x86_64' : os.arch === 'arm64' ? 'aarch64' : os.arch,
    memoryMib: Math.floor(memory.total / mibBytes),
    numaCells,
    pciDevices,
    diskGib: Math.floor(holder.size / gibBytes),
    operatingSystem: `${os.distro} ${os.release}`,
    kernel: os.kernel,
  };
}

/** Reads the load. */
export async function readLoad(): Promise<HostLoad> {
  const [load, memory] = await Promise.all([si.currentLoad(), si.mem()]);
  return {
    cpuPercent: Math.round(load.currentLoad * 10) / 10,
    load1m: loadavg()[0] ?? 0,
    memoryAvailableMib: Math.floor(memory.available / mibBytes),
  };
}
