/** The NUMA nodes of a machine, by /sys/devices/system/node. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NumaCell } from '../../../placement/index.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';

/** Where Linux tells of them. */
const nodesRoot = '/sys/devices/system/node';

/**
 * Each node with its CPUs, memory and huge pages, by number; nothing is used yet. Empty on a kernel without NUMA. Nodes
 * without CPUs (memory alone) run no guests and are left out. Throws `CANNOT_TELL` when the kernel does not let it look.
 */
export async function readNumaCells(root: string = nodesRoot): Promise<readonly NumaCell[]> {
  const ids = (await entries(root))
    .map((name) => /^node(\d{1,4})$/.exec(name)?.[1])
    .filter((id) => id !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const cells: NumaCell[] = [];
  for (const id of ids) {
    const folder = join(root, `node${id}`);
    const cpus = parseCpuList(await text(join(folder, 'cpulist'))).length;
    if (cpus === 0) continue;
    const pages = [];
    for (const name of await entries(join(folder, 'hugepages'))) {
      const sizeKib = Number(/^hugepages-(\d{1,9})kB$/.exec(name)?.[1] ?? 0);
      const total = Number.parseInt(await text(join(folder, 'hugepages', name, 'nr_hugepages')), 10) || 0;
      if (sizeKib > 0 && total > 0) pages.push({ sizeKib, total, used: 0 });
    }
    pages.sort((a, b) => a.sizeKib - b.sizeKib);
    const memoryMib = parseNodeMemoryMib(await text(join(folder, 'meminfo')));
    cells.push({ id, cpus, cpusPinned: 0, memoryMib, memoryUsedMib: 0, pages });
  }
  return cells;
}

/** The CPUs in a list as the kernel writes it: `0-3,8,10-11`. What is no number or range is left out; at most 8,192. */
export function parseCpuList(list: string): readonly number[] {
  const cpus: number[] = [];
  for (const part of list.trim().split(',')) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    if (match === null) continue;
    const last = Number(match[2] ?? match[1]);
    for (let cpu = Number(match[1]); cpu <= last && cpus.length < cpusMax; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** Linux itself can be built for no more. */
const cpusMax = 8_192;

/** Memory of the node, MiB, by its `meminfo`; 0 when it does not tell. */
export function parseNodeMemoryMib(meminfo: string): number {
  const kib = /^Node \d+ MemTotal:\s+(\d{1,15}) kB$/m.exec(meminfo)?.[1];
  return kib === undefined ? 0 : Math.floor(Number(kib) / 1024);
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking into ${folder}`);
  }
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return '';
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}
