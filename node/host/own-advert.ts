/** What this host says of itself: inventory, claims, configuration and load, put together when it is asked for. */
import type { ComputeDriver, StorageDriver } from '../../drivers/types.ts';
import type { HostCapacity } from '../../placement/index.ts';
import { shoal } from '../../proto/messages.ts';
import { firstCell, type HostId } from '../base/ids.ts';
import { agentVersion, featureLevel } from '../base/version.ts';
import { resourceFields } from '../cluster/advert-mapping.ts';
import { endpointOf } from '../cluster/found-mesh.ts';
import { advertisedAddress } from '../config/load.ts';
import type { Config } from '../config/options.ts';
import { extraCapacity } from '../config/resources.ts';
import type { Claims } from './claims/claim-book.ts';
import type { HostLoad, Inventory } from './inventory.ts';

/** Physical network name of the external interface, as Neutron's deployments call it. */
const externalPhysicalNetwork = 'external';

/** Parts that the advert is made of. */
interface OwnAdvertParts {
  readonly config: Config;
  readonly hostId: HostId;
  readonly meshId: string;
  readonly inventory: Inventory;
  readonly compute: ComputeDriver;
  readonly hypervisorVersion: number;
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly claims: Pick<Claims, 'usage'>;
  readonly load: () => HostLoad;
  readonly disabled: () => { readonly disabled: boolean; readonly reason: string };
  readonly busySteps: () => number;
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
    pciPools: [],
    numaCells: [],
  };
}

/** The advert as of now. Epoch, sequence and time are the publisher's to fill in. */
export function ownAdvert(parts: OwnAdvertParts): shoal.v1.Advert {
  const { config, inventory, claims, compute } = parts;
  const usage = claims.usage();
  const capacity = hostCapacity(config, inventory);
  const load = parts.load();
  const { disabled, reason } = parts.disabled();
  const place = parts.place();
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
    servers: usage.servers,
    ioOps: parts.busySteps(),
    traits: [`COMPUTE_ACCEL_${compute.accelerator.toUpperCase()}`, 'COMPUTE_NET_VXLAN'],
    storagePools: [...parts.storage.keys()],
    pools: [...parts.storage].map(([name, { capabilities }]) => ({ name, shared: capabilities.shared })),
    physicalNetworks: config.network.externalInterface === '' ? [] : [externalPhysicalNetwork],
    enabled: !disabled,
    disabledReason: reason,
    hypervisorType: compute.accelerator === 'kvm' ? 'kvm' : compute.name,
    hypervisorVersion: parts.hypervisorVersion,
    architecture: inventory.architecture,
    featureLevel,
    cpuPercent: load.cpuPercent,
    load_1m: load.load1m,
    agentVersion,
    metrics: { 'memory.available_mib': load.memoryAvailableMib },
  });
}
