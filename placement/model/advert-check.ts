import type { HostAdvert, ResourcePool } from './advert.ts';
import { resourceNames } from './resource-classes.ts';

/** Bounds on one advert. They keep a broken or hostile host from filling everybody's memory. */
export const advertBounds = {
  /** Largest number of anything: 2^31 MiB of memory is 2 PiB. */
  amountMax: 2 ** 31,
  /** Characters in a name, trait or metadata text. */
  textLengthMax: 4096,
  /** Aggregates, traits, networks, pools, cells or metrics in one list. */
  listLengthMax: 1024,
  /** NUMA nodes of one host: the largest machines sold have half as many, and a guest's cells are fitted by a search. */
  numaCellsMax: 64,
} as const;

/** What is wrong with an advert, or undefined when nothing is. Numbers from the wire can be anything. */
export function adverseIn(advert: HostAdvert): string | undefined {
  if (advert.hostId === '') return 'hostId is empty';
  if (!isCount(advert.epoch, Number.MAX_SAFE_INTEGER)) return 'epoch is not a count';
  if (!isCount(advert.sequence, Number.MAX_SAFE_INTEGER)) return 'sequence is not a count';
  for (const name of resourceNames) {
    const pool = advert[name];
    const fault = pool === undefined ? undefined : poolFault(name, pool);
    if (fault !== undefined) return fault;
  }
  if (!isCount(advert.numInstances, advertBounds.amountMax)) return 'numInstances is not a count';
  if (!isCount(advert.ioOps, advertBounds.amountMax)) return 'ioOps is not a count';
  if (!isCount(advert.buildFailures, advertBounds.amountMax)) return 'buildFailures is not a count';
  const { aggregates, traits, pciPools, numaCells, physicalNetworks, storagePools } = advert;
  for (const list of [aggregates, traits, pciPools, numaCells, physicalNetworks, storagePools]) {
    if (list.length > advertBounds.listLengthMax) return `a list has ${list.length} entries`;
  }
  if (tooLong(advert.hostName) || tooLong(advert.zone) || tooLong(advert.address)) return 'a name is too long';
  for (const trait of traits) if (tooLong(trait)) return 'a trait is too long';
  for (const name in advert.metrics) {
    if (!Number.isFinite(advert.metrics[name])) return `metric ${name} is not a number`;
  }
  if (numaCells.length > advertBounds.numaCellsMax) return `there are ${numaCells.length} NUMA cells`;
  for (const p of pciPools) {
    if (!isCount(p.free, p.total) || !isCount(p.total, advertBounds.amountMax)) return 'a PCI pool is malformed';
  }
  for (const c of numaCells) {
    if (!isCount(c.cpus, advertBounds.amountMax) || !isCount(c.cpusPinned, c.cpus)) return 'a NUMA cell is malformed';
    if (!(c.memoryMib >= 0 && c.memoryUsedMib >= 0)) return 'a NUMA cell is malformed';
    if (c.pages.length > advertBounds.listLengthMax) return `a NUMA cell has ${c.pages.length} page sizes`;
    for (const { sizeKib, total, used } of c.pages) {
      const isCounted = isCount(total, Number.MAX_SAFE_INTEGER) && isCount(used, Number.MAX_SAFE_INTEGER);
      if (!isCounted || !isCount(sizeKib, advertBounds.amountMax)) return 'huge pages are malformed';
    }
  }
  for (const s of storagePools) if (!(s.freeGib >= 0)) return `storage pool ${s.name} is malformed`;
  return undefined;
}

function poolFault(name: string, pool: ResourcePool): string | undefined {
  const { total, reserved, allocationRatio, used } = pool;
  if (!(total >= 0 && total <= advertBounds.amountMax)) return `${name}.total is out of range`;
  if (!(reserved >= 0 && reserved <= advertBounds.amountMax)) return `${name}.reserved is out of range`;
  if (!(used >= 0 && used <= advertBounds.amountMax)) return `${name}.used is out of range`;
  if (!(allocationRatio > 0 && allocationRatio <= 1024)) return `${name}.allocationRatio is out of range`;
  if (total * allocationRatio > advertBounds.amountMax) return `${name} is out of range`;
  return undefined;
}

function isCount(value: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function tooLong(text: string): boolean {
  return text.length > advertBounds.textLengthMax;
}
