/** What this host has: totals once at start through systeminformation, load now and then. */
import { loadavg } from 'node:os';
import si from 'systeminformation';
import { ShoalError } from '../base/errors.ts';
import { gibBytes, mibBytes } from '../base/units.ts';

/** Totals that do not change while the agent runs. */
export interface Inventory {
  /** Logical CPUs. */
  readonly cpus: number;
  readonly cpuModel: string;
  /** `x86_64`, `aarch64`. */
  readonly architecture: string;
  readonly memoryMib: number;
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

/** Reads the totals. Throws `DRIVER_FAILED` when the machine does not say. */
export async function readInventory(dataDir: string): Promise<Inventory> {
  const [cpu, memory, disks, os] = await Promise.all([si.cpu(), si.mem(), si.fsSize(), si.osInfo()]);
  // The mount that holds the folder is the one with the longest matching path.
  const holder = disks
    .filter((disk) => disk.mount === '/' || dataDir === disk.mount || dataDir.startsWith(`${disk.mount}/`))
    .sort((a, b) => b.mount.length - a.mount.length)[0];
  if (holder === undefined || cpu.cores === 0 || memory.total === 0) {
    throw new ShoalError('DRIVER_FAILED', 'the machine does not tell its CPUs, memory or disks', {
      facts: { cpus: cpu.cores, memoryBytes: memory.total, mounts: disks.map((disk) => disk.mount), dataDir },
    });
  }
  return {
    cpus: cpu.cores,
    cpuModel: `${cpu.manufacturer} ${cpu.brand}`.trim(),
    architecture: os.arch === 'x64' ? 'x86_64' : os.arch === 'arm64' ? 'aarch64' : os.arch,
    memoryMib: Math.floor(memory.total / mibBytes),
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
