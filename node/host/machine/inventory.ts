/** What this host has: totals once at start, by the kernel's own files; load now and then. */
import { readFile, statfs } from 'node:fs/promises';
import { cpus, release as kernelRelease, loadavg, machine, totalmem } from 'node:os';
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
  const [disk, release, cpuText, numaCells, pciDevices] = await Promise.all([
    statfs(dataDir),
    readFile('/etc/os-release', 'utf8').catch(() => ''),
    readFile('/proc/cpuinfo', 'utf8'),
    readNumaCells(),
    readPciDevices(),
  ]);
  const cpuCount = cpus().length;
  const memoryBytes = totalmem();
  const diskBytes = disk.blocks * disk.bsize;
  if (cpuCount === 0 || memoryBytes === 0 || diskBytes === 0) {
    throw new ShoalError('DRIVER_FAILED', 'the CPUs, memory or disks of this machine could not be read', {
      facts: { cpus: cpuCount, memoryBytes, diskBytes, dataDir },
    });
  }
  return {
    cpus: cpuCount,
    cpu: parseCpuInfo(cpuText),
    architecture: machine(),
    memoryMib: Math.floor(memoryBytes / mibBytes),
    numaCells,
    pciDevices,
    diskGib: Math.floor(diskBytes / gibBytes),
    operatingSystem: parseOsRelease(release),
    kernel: kernelRelease(),
  };
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

/** Makes what reads the load: each reading is of the time since the one before, the first since the machine has started. */
export function loadReader(): () => Promise<HostLoad> {
  let before = { busy: 0, all: 0 };
  return async () => {
    const now = cpuTimes();
    const all = now.all - before.all;
    const busy = now.busy - before.busy;
    before = now;
    return {
      cpuPercent: all <= 0 ? 0 : Math.round((busy / all) * 1000) / 10,
      load1m: loadavg()[0] ?? 0,
      memoryAvailableMib: availableMib(await readFile('/proc/meminfo', 'utf8')),
    };
  };
}

/** Of all CPUs together since the machine has started. Unit: ms. */
function cpuTimes(): { readonly busy: number; readonly all: number } {
  let [busy, idle] = [0, 0];
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  return { busy, all: busy + idle };
}

/** What can be had without swapping, of proc_meminfo(5). Throws `DRIVER_FAILED`. */
export function availableMib(text: string): number {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(text);
  if (found === null) throw new ShoalError('DRIVER_FAILED', '/proc/meminfo does not say what memory is available');
  return Math.floor(Number(found[1]) / 1024);
}
