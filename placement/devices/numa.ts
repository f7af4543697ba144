import type { NumaCell } from '../model/advert.ts';
import type { NumaNeeds } from '../model/request.ts';

/** What a guest cell takes from the host cell at index `cell`. */
export interface NumaAssignment {
  readonly cell: number;
  readonly cpusPinned: number;
  readonly memoryMib: number;
  readonly pageSizeKib: number;
  readonly pages: number;
}

/** Guest cells in one request; QEMU's own limit is higher, machines with more sockets than this are not sold. */
const numaCellsMax = 16;

/**
 * A different host cell for each guest cell, or undefined when there is none. Backtracking, largest guest cell first;
 * host cells with the least room that still fits are tried first, so that big holes stay.
 */
export function fitNuma(
  cells: readonly NumaCell[],
  taken: readonly NumaAssignment[],
  needs: NumaNeeds,
): readonly NumaAssignment[] | undefined {
  if (needs.cells.length > numaCellsMax || needs.cells.length > cells.length) return undefined;
  const free = cells.map((cell, index) => freeOf(cell, index, taken, needs.pageSizeKib));
  const order = [...needs.cells.keys()].sort((a, b) => cellSize(needs, b) - cellSize(needs, a));
  const chosen: NumaAssignment[] = [];
  const used = new Set<number>();
  let steps = 0;
  const place = (depth: number): boolean => {
    if (depth === order.length) return true;
    const wanted = needs.cells[order[depth] ?? 0];
    if (wanted === undefined) return false;
    const fitting = [...free.keys()]
      .filter((i) => !used.has(i) && fits(free[i], wanted, needs))
      .sort((a, b) => (free[a]?.memoryMib ?? 0) - (free[b]?.memoryMib ?? 0) || a - b);
    for (const index of fitting) {
      // Bound on the search: 16 unequal cells could backtrack for ever. Real hosts settle in a handful of steps.
      if (++steps > numaSearchStepsMax) return false;
      used.add(index);
      chosen.push({
        cell: index,
        cpusPinned: needs.dedicated ? wanted.vcpus : 0,
        memoryMib: needs.pageSizeKib === 0 ? wanted.memoryMib : 0,
        pageSizeKib: needs.pageSizeKib,
        pages: needs.pageSizeKib === 0 ? 0 : pagesFor(wanted.memoryMib, needs.pageSizeKib),
      });
      if (place(depth + 1)) return true;
      chosen.pop();
      used.delete(index);
    }
    return false;
  };
  return place(0) ? chosen : undefined;
}

const numaSearchStepsMax = 10_000;

/** The cells with what is taken of them counted as used. */
export function numaCellsUsed(cells: readonly NumaCell[], taken: readonly NumaAssignment[]): readonly NumaCell[] {
  return cells.map((cell, index) => {
    const here = taken.filter((one) => one.cell === index);
    if (here.length === 0) return cell;
    const sum = (of: (one: NumaAssignment) => number): number => here.reduce((total, one) => total + of(one), 0);
    return {
      ...cell,
      cpusPinned: cell.cpusPinned + sum((one) => one.cpusPinned),
      memoryUsedMib: cell.memoryUsedMib + sum((one) => one.memoryMib),
      pages: cell.pages.map((page) => ({
        ...page,
        used: page.used + sum((one) => (one.pageSizeKib === page.sizeKib ? one.pages : 0)),
      })),
    };
  });
}

interface FreeCell {
  readonly cpus: number;
  readonly cpusUnpinned: number;
  readonly memoryMib: number;
  readonly pages: number;
}

function freeOf(cell: NumaCell, index: number, taken: readonly NumaAssignment[], pageSizeKib: number): FreeCell {
  let pinned = cell.cpusPinned;
  let memoryUsed = cell.memoryUsedMib;
  const pool = cell.pages.find((p) => p.sizeKib === pageSizeKib);
  let pages = pool === undefined ? 0 : pool.total - pool.used;
  for (const t of taken) {
    if (t.cell !== index) continue;
    pinned += t.cpusPinned;
    memoryUsed += t.memoryMib;
    if (t.pageSizeKib === pageSizeKib) pages -= t.pages;
  }
  return { cpus: cell.cpus, cpusUnpinned: cell.cpus - pinned, memoryMib: cell.memoryMib - memoryUsed, pages };
}

function fits(
  free: FreeCell | undefined,
  wanted: { readonly vcpus: number; readonly memoryMib: number },
  needs: NumaNeeds,
): boolean {
  if (free === undefined) return false;
  // Shared vCPUs may over-commit against other guests, never against the guest itself, and need an unpinned CPU to run on.
  const cpuFits = needs.dedicated
    ? wanted.vcpus <= free.cpusUnpinned
    : wanted.vcpus <= free.cpus && free.cpusUnpinned > 0;
  if (!cpuFits) return false;
  return needs.pageSizeKib === 0
    ? wanted.memoryMib <= free.memoryMib
    : pagesFor(wanted.memoryMib, needs.pageSizeKib) <= free.pages;
}

function cellSize(needs: NumaNeeds, index: number): number {
  const cell = needs.cells[index];
  return cell === undefined ? 0 : cell.memoryMib + cell.vcpus * 1e-6;
}

function pagesFor(memoryMib: number, pageSizeKib: number): number {
  return Math.ceil((memoryMib * 1024) / pageSizeKib);
}

/** Page sizes that guests may ask for by name. KiB. */
const pageSizes: Readonly<Record<string, number>> = {
  small: 0,
  large: 2048,
  any: 0,
  '4': 0,
  '2048': 2048,
  '1048576': 1048576,
  '2MB': 2048,
  '1GB': 1048576,
};

/**
 * The NUMA attributes in a flavor's extra specs (`hw:numa_nodes`, `hw:numa_cpus.N`, `hw:numa_mem.N`, `hw:cpu_policy`,
 * `hw:mem_page_size`) and an image's properties (the same with `_` for `:`), the flavor's first. `none` when there are no
 * such attributes; `invalid` with the reason when they make no sense.
 */
export function numaNeedsOf(
  vcpus: number,
  memoryMib: number,
  extraSpecs: Readonly<Record<string, string>>,
  imageProperties: Readonly<Record<string, string>>,
):
  | { readonly outcome: 'none' }
  | { readonly outcome: 'needs'; readonly needs: NumaNeeds }
  | { readonly outcome: 'invalid'; readonly why: string } {
  const specOf = (name: string): string | undefined => extraSpecs[`hw:${name}`] ?? imageProperties[`hw_${name}`];
  const nodesText = specOf('numa_nodes');
  const policy = specOf('cpu_policy') ?? 'shared';
  const pageText = specOf('mem_page_size');
  if (policy !== 'shared' && policy !== 'dedicated') return { outcome: 'invalid', why: `cpu_policy is ${policy}` };
  if (pageText !== undefined && !Object.hasOwn(pageSizes, pageText)) {
    return { outcome: 'invalid', why: `mem_page_size is ${pageText}` };
  }
  const pageSizeKib = pageText === undefined ? 0 : (pageSizes[pageText] ?? 0);
  if (nodesText === undefined && policy === 'shared' && pageSizeKib === 0) return { outcome: 'none' };
  const nodes = nodesText === undefined ? 1 : Number(nodesText);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > numaCellsMax || nodes > vcpus) {
    return { outcome: 'invalid', why: `numa_nodes is ${nodesText}; 1 to ${Math.min(numaCellsMax, vcpus)} can be had` };
  }
  const cells: { vcpus: number; memoryMib: number }[] = [];
  for (let i = 0; i < nodes; i++) {
    const cpusText = specOf(`numa_cpus.${i}`);
    const memoryText = specOf(`numa_mem.${i}`);
    if (
      (cpusText === undefined) !== (memoryText === undefined) ||
      (cpusText === undefined && (vcpus % nodes !== 0 || memoryMib % nodes !== 0))
    ) {
      return { outcome: 'invalid', why: `CPUs and memory of NUMA node ${i} are not given and do not divide evenly` };
    }
    const count = cpusText === undefined ? vcpus / nodes : cpuListLength(cpusText);
    const memory = memoryText === undefined ? memoryMib / nodes : Number(memoryText);
    if (!(count >= 1) || !(memory >= 1)) return { outcome: 'invalid', why: `NUMA node ${i} is malformed` };
    cells.push({ vcpus: count, memoryMib: memory });
  }
  const cpuSum = cells.reduce((sum, c) => sum + c.vcpus, 0);
  const memorySum = cells.reduce((sum, c) => sum + c.memoryMib, 0);
  if (cpuSum !== vcpus || memorySum !== memoryMib) {
    return {
      outcome: 'invalid',
      why: `NUMA nodes add up to ${cpuSum} vCPUs and ${memorySum} MiB, not ${vcpus} and ${memoryMib}`,
    };
  }
  return { outcome: 'needs', needs: { cells, dedicated: policy === 'dedicated', pageSizeKib } };
}

/** CPUs named by "0-3,6"; NaN when malformed. */
function cpuListLength(text: string): number {
  let count = 0;
  for (const part of text.split(',')) {
    const match = /^\s*(\d{1,4})(?:-(\d{1,4}))?\s*$/.exec(part);
    if (match === null) return Number.NaN;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return Number.NaN;
    count += last - first + 1;
  }
  return count;
}
