/** Between the advert as it travels (protobuf) and as placement reads it. */
import {
  type BasicResource,
  type ByResource,
  extraResourceOf,
  extraResources,
  type HostAdvert,
  type HostCapacity,
  type LedgerUsage,
  numaCellsUsed,
  type ResourcePool,
  resourceClasses,
} from '../../placement/index.ts';
import type { shoal } from '../../proto/messages.ts';
import type { HostId } from '../base/ids.ts';
import { advertisedPools } from '../services/kit/storage-pools.ts';

/** Fields of an advert that are numbers. */
type Amount = {
  [K in keyof shoal.v1.Advert]-?: shoal.v1.Advert[K] extends number ? K : never;
}[keyof shoal.v1.Advert];

/** The fields of an advert that the basic resources have for themselves; the extra ones are in `resources`, by class. */
const basicFields = {
  vcpus: { total: 'vcpus', reserved: 'vcpusReserved', allocationRatio: 'vcpusRatio', used: 'vcpusUsed' },
  memoryMib: {
    total: 'memoryMib',
    reserved: 'memoryMibReserved',
    allocationRatio: 'memoryRatio',
    used: 'memoryMibUsed',
  },
  diskGib: { total: 'diskGib', reserved: 'diskGibReserved', allocationRatio: 'diskRatio', used: 'diskGibUsed' },
} as const satisfies Readonly<Record<BasicResource, Readonly<Record<keyof ResourcePool, Amount>>>>;

/** What a host has and what is used of it, as its advert tells it. */
export function resourceFields(capacity: HostCapacity, usage: LedgerUsage): Partial<shoal.v1.IAdvert> {
  const fields: Partial<Record<Amount, number>> = {};
  for (const [name, field] of Object.entries(basicFields) as [BasicResource, (typeof basicFields)[BasicResource]][]) {
    const { total, reserved, allocationRatio } = capacity[name];
    fields[field.total] = total;
    fields[field.reserved] = reserved;
    fields[field.allocationRatio] = allocationRatio;
    fields[field.used] = usage[name].used;
  }
  const resources = extraResources.flatMap((name) => {
    const pool = capacity[name];
    return pool === undefined
      ? []
      : [{ ...pool, resourceClass: resourceClasses[name].placementName, used: usage[name].used }];
  });
  return { ...fields, resources };
}

/** The NUMA nodes and passed-through devices of a host, less what claims have of them, as its advert tells them. */
export function deviceFields(
  { numaCells, pciPools }: HostCapacity,
  { numa, pciFree }: LedgerUsage,
): Pick<shoal.v1.IAdvert, 'numaCells' | 'pciPools'> {
  return {
    numaCells: numaCellsUsed(numaCells, numa).map((cell) => ({ ...cell, pages: [...cell.pages] })),
    pciPools: pciPools.map((pool, at) => ({ ...pool, free: Math.max(0, pciFree[at] ?? 0) })),
  };
}

/** The advert as placement reads it. Values out of range are caught by placement's own check (`adverseIn`). */
export function placementAdvert(advert: shoal.v1.Advert): HostAdvert {
  const pools = resourcePools(advert);
  const disk = pools.diskGib;
  const ownFreeGib = Math.max(0, Math.floor((disk.total - disk.reserved) * disk.allocationRatio) - disk.used);
  return {
    ...pools,
    hostId: advert.hostId as HostId,
    hostName: advert.hostName,
    cell: advert.cell,
    epoch: advert.epoch,
    sequence: advert.sequence,
    address: advert.hostIp,
    zone: advert.zone,
    failureDomain: advert.failureDomain,
    aggregates: advert.aggregates.map(({ name, metadata }) => ({ name, metadata })),
    traits: advert.traits,
    state: { enabled: advert.enabled, up: true, disabledReason: advert.disabledReason },
    numInstances: advert.servers,
    ioOps: advert.ioOps,
    buildFailures: advert.buildFailures,
    metrics: { ...advert.metrics, 'cpu.percent': advert.cpuPercent, 'load.1m': advert.load_1m },
    pciPools: advert.pciPools,
    numaCells: advert.numaCells,
    physicalNetworks: advert.physicalNetworks,
    // What a host keeps itself and does not tell is counted by its disk; of shared storage that does not tell, that it has room.
    storagePools: advertisedPools(advert).map(({ name, shared, freeGib, condition }) => ({
      name,
      shared,
      ...(condition === undefined ? {} : { condition }),
      freeGib: freeGib ?? (shared ? Number.POSITIVE_INFINITY : ownFreeGib),
    })),
    featureLevel: advert.featureLevel,
    hypervisor: {
      type: advert.hypervisorType,
      version: advert.hypervisorVersion,
      cpuArch: advert.architecture,
      supported: [{ arch: advert.architecture, hypervisorType: advert.hypervisorType, vmMode: 'hvm' }],
    },
    capabilities: advert.capabilities,
  };
}

/** Classes that this version does not know are left out: nothing here could ask for them. */
function resourcePools(advert: shoal.v1.Advert): ByResource<ResourcePool> {
  const extra: Partial<Record<(typeof extraResources)[number], ResourcePool>> = {};
  for (const { resourceClass, total, reserved, allocationRatio, used } of advert.resources) {
    const name = extraResourceOf(resourceClass);
    if (name !== undefined) extra[name] = { total, reserved, allocationRatio, used };
  }
  const basic = (name: BasicResource): ResourcePool => {
    const fields = basicFields[name];
    return {
      total: advert[fields.total],
      reserved: advert[fields.reserved],
      allocationRatio: advert[fields.allocationRatio],
      used: advert[fields.used],
    };
  };
  return { vcpus: basic('vcpus'), memoryMib: basic('memoryMib'), diskGib: basic('diskGib'), ...extra };
}
