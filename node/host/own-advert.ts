/** What this host says of itself: inventory, claims, configuration and load, put together when it is asked for. */
import type { ComputeDriver, StorageDriver } from '../../drivers/types.ts';
import type { HostCapacity } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { firstCell, type HostId } from '../base/ids.ts';
import { agentVersion, featureLevel } from '../base/version.ts';
import { deviceFields, resourceFields } from '../cluster/advert-mapping.ts';
import { endpointOf } from '../cluster/found-mesh.ts';
import { advertisedAddress } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { passedThrough } from '../config/pci-passthrough.ts';
import { extraCapacity } from '../config/resources.ts';
import type { Claims } from './claims/claim-book.ts';
import { capabilitiesOf, traitsOf } from './machine/capabilities.ts';
import type { Hypervisor } from './machine/hypervisor.ts';
import type { HostLoad, Inventory } from './machine/inventory.ts';
import { pciPoolsOf } from './machine/pci-devices.ts';
import type { PoolRoom } from './pool-room.ts';

/** Physical network name of the external interface, as Neutron's deployments call it. */
const externalPhysicalNetwork = 'external';

/** Parts that the advert is made of. */
interface OwnAdvertParts {
  readonly config: Config;
  readonly hostId: HostId;
  readonly meshId: string;
  readonly inventory: Inventory;
  readonly compute: ComputeDriver;
  readonly hypervisor: Hypervisor;
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly claims: Pick<Claims, 'usage'>;
  readonly load: () => HostLoad;
  readonly disabled: () => { readonly disabled: boolean; readonly reason: string };
  readonly busySteps: () => number;
  /** Starts of guests that have failed lately, since one worked. */
  readonly buildFailures: () => number;
  /** Room in storage pools, by name; what has not told is not there. */
  readonly poolRooms: () => ReadonlyMap<string, PoolRoom>;
  /** Aggregates of the host, and the zone that they give it, if any, by the records. */
  readonly place: () => { readonly zone: string | undefined; readonly aggregates: readonly shoal.v1.Aggregate[] };
}

/** What the host can give, for the claim ledger and the advert alike. */
export function hostCapacity(config: Config, inventory: Inventory): HostCapacity {
  const { capacity } = config;
  const pool = (total: number, reserved: number, allocationRatio: number) => ({ total, reserved, allocationRatio });
  return {
    ...extraCapacity(config),
    vcpus: pool(inventory.cpus, capacity.vcpusReserved, capacity.vcpusRatio),
    memoryMib: pool(inventory.memoryMib, capacity.memoryMibReserved, capacity.memoryRatio),
    diskGib: pool(inventory.diskGib, capacity.diskGibReserved, capacity.diskRatio),
    pciPools: pciPoolsOf(inventory.pciDevices, passedThrough(config)),
    numaCells: inventory.numaCells,
  };
}

/** The advert as of now. Epoch, sequence and time are the publisher's to fill in. */
export function ownAdvert(parts: OwnAdvertParts): shoal.v1.Advert {
  const { config, inventory, claims, compute, hypervisor } = parts;
  const facts = { inventory, accelerator: compute.accelerator, hypervisor };
  const usage = claims.usage();
  const capacity = hostCapacity(config, inventory);
  const load = parts.load();
  const { disabled, reason } = parts.disabled();
  const place = parts.place();
  const rooms = parts.poolRooms();
  return shoal.v1.Advert.create({
    hostId: parts.hostId,
    hostName: config.name,
    meshId: parts.meshId,
    cell: firstCell,
    peerAddress: endpointOf(config, config.peer.listen),
    hostIp: advertisedAddress(config),
    zone: place.zone ?? config.zone,
    aggregates: [...place.aggregates],
    failureDomain: config.failureDomain,
    ...resourceFields(capacity, usage),
    ...deviceFields(capacity, usage),
    servers: usage.servers,
    ioOps: parts.busySteps(),
    buildFailures: parts.buildFailures(),
    traits: [...traitsOf(facts)],
    capabilities: capabilitiesOf(facts),
    storagePools: [...parts.storage.keys()],
    pools: [...parts.storage].map(([name, { capabilities }]) => ({
      name,
      shared: capabilities.shared,
      serves: capabilities.exports,
      freeGib: rooms.get(name)?.freeGib ?? null,
      totalGib: rooms.get(name)?.totalGib ?? null,
      condition: rooms.get(name)?.condition ?? '',
    })),
    physicalNetworks: config.network.externalInterface === '' ? [] : [externalPhysicalNetwork],
    enabled: !disabled,
    disabledReason: reason,
    hypervisorType: compute.accelerator === 'kvm' ? 'kvm' : compute.name,
    hypervisorVersion: hypervisor.version,
    architecture: inventory.architecture,
    featureLevel,
    cpuPercent: load.cpuPercent,
    load_1m: load.load1m,
    bootedMs: inventory.bootedMs,
    agentVersion,
    metrics: { 'memory.available_mib': load.memoryAvailableMib },
  });
}
