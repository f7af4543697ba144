/**
 * What this host has: totals once at start, load now and then. systeminformation tells of memory. What it would run programs for,
 * processor load included, is asked of the kernel here: an agent does so for as long as it runs.
 */
import { readFile, statfs } from 'node:fs/promises';
import { cpus, release as kernelRelease, loadavg, machine } from 'node:os';
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
  /** When the machine came up, wall clock, ms; 0: it does not say. */
  readonly bootedMs: number;
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
  const [memory, disk, release, cpuText, numaCells, pciDevices, kernelCounts] = await Promise.all([
    si.mem(),
    statfs(dataDir),
    readFile('/etc/os-release', 'utf8').catch(() => ''),
    readFile('/proc/cpuinfo', 'utf8'),
    readNumaCells(),
    readPciDevices(),
    readFile('/proc/stat', 'utf8'),
  ]);
  const cpuCount = cpus().length;
  const diskBytes = disk.blocks * disk.bsize;
  if (cpuCount === 0 || memory.total === 0 || diskBytes === 0) {
    throw new ShoalError('DRIVER_FAILED', 'the CPUs, memory or disks of this machine could not be read', {
      facts: { cpus: cpuCount, memoryBytes: memory.total, diskBytes, dataDir },
    });
  }
  return {
    cpus: cpuCount,
    cpu: parseCpuInfo(cpuText),
    architecture: machine(),
    memoryMib: Math.floor(memory.total / mibBytes),
    numaCells,
    pciDevices,
    diskGib: Math.floor(diskBytes / gibBytes),
    operatingSystem: parseOsRelease(release),
    kernel: kernelRelease(),
    bootedMs: parseBootTime(kernelCounts),
  };
}

/** The line `btime` of /proc/stat, as ms since 1970; 0 where there is none. */
export function parseBootTime(text: string): number {
  return Number(/^btime ([0-9]{1,12})$/m.exec(text)?.[1] ?? 0) * 1000;
}

/** Name and version of the distribution, of os-release(5); `Linux` where it does not say. */
export function parseOsRelease(text: string): string {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const found = /^([A-Z_]+)=(?:"([^"]*)"|'([^']*)'|(\S*))\s*$/.exec(line);
    if (found !== null) fields.set(found[1] ?? '', found[2] ?? found[3] ?? found[4] ?? '');
  }
  return `${fields.get('NAME') || 'Linux'} ${fields.get('VERSION_ID') ?? ''}`.trim();
}

/** Of all CPUs since the machine has started, ms. */
interface CpuTimes {
  readonly idleMs: number;
  readonly allMs: number;
}

let lastTimes = cpuTimes();

/** Reads the load: of the time since the last reading, at first since the agent has started. */
export async function readLoad(): Promise<HostLoad> {
  const memory = await si.mem();
  const before = lastTimes;
  lastTimes = cpuTimes();
  const allMs = lastTimes.allMs - before.allMs;
  // Counters that were read twice within a tick of the kernel, or that went back, say nothing.
  const busyShare = allMs > 0 ? 1 - (lastTimes.idleMs - before.idleMs) / allMs : 0;
  return {
    cpuPercent: Math.round(Math.min(1, Math.max(0, busyShare)) * 1000) / 10,
    load1m: loadavg()[0] ?? 0,
    memoryAvailableMib: Math.floor(memory.available / mibBytes),
  };
}

function cpuTimes(): CpuTimes {
  let [idleMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    idleMs += times.idle;
    allMs += times.user + times.nice + times.sys + times.idle + times.irq;
  }
  return { idleMs, allMs };
}
