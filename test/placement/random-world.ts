import type { HostId, ServerId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { hostIdOf, syntheticHost } from '../../placement/bench/synthetic.ts';
import {
  type ClaimKey,
  defaultConfiguration,
  filterNames,
  type HostAdvert,
  HostColumns,
  numaNeedsOf,
  type PlacementConfiguration,
  type PlacementRequest,
  placementRequest,
  type RequestGroup,
  type ResourceNeeds,
} from '../../placement/index.ts';

/** A small cloud that changes at random: every kind of host, request and change, from one seed. */
export class RandomWorld {
  readonly prng: Prng;
  readonly columns: HostColumns;
  readonly configuration: PlacementConfiguration;
  readonly #hostsMax: number;
  readonly #sequences = new Map<number, number>();
  readonly #held: ClaimKey[] = [];
  #server = 0;

  constructor(seed: number, hostsMax: number) {
    this.prng = new Prng(seed);
    this.columns = new HostColumns({ seed: this.prng.uint32() });
    this.#hostsMax = hostsMax;
    const { prng } = this;
    this.configuration = {
      ...defaultConfiguration,
      enabledFilters: prng.chance(0.5)
        ? defaultConfiguration.enabledFilters
        : filterNames.filter((name) => name !== 'MetricsFilter' || prng.chance(0.5)),
      strategy: prng.chance(0.5) ? 'spread' : 'pack',
      weightMultipliers: prng.chance(0.3) ? { RAMWeigher: prng.pick([-1, 0.5, 2]), DiskWeigher: 0 } : {},
      maxInstancesPerHost: prng.pick([5, 50]),
      isolated: {
        imageIds: prng.chance(0.3) ? ['image-1'] : [],
        hostNames: prng.chance(0.3) ? ['host-1', 'host-2'] : [],
        restrictHostsToImages: prng.chance(0.5),
      },
      metrics: { weights: prng.chance(0.4) ? { 'cpu.percent': -1 } : {} },
      shapes: prng.chance(0.5)
        ? [
            { vcpus: 2, memoryMib: 4096, weight: 3 },
            { vcpus: 8, memoryMib: 8192, weight: 1 },
          ]
        : [],
      drawWidth: prng.pick([1, 4]),
      drawTolerance: prng.pick([0, 0.1]),
    };
    for (let i = 0; i < hostsMax / 2; i++) this.columns.upsert(this.advert(i));
  }

  /** One random change: an advert, a removal, a liveness verdict, a hold or its end. */
  change(): void {
    const { prng, columns } = this;
    const number = prng.below(this.#hostsMax);
    const kind = prng.below(20);
    if (kind < 11) columns.upsert(this.advert(number));
    else if (kind < 12) columns.remove(hostIdOf(number));
    else if (kind < 14)
      columns.setLiveness(hostIdOf(number), { up: prng.chance(0.7), suspicion: prng.pick([0, 0, 0.5]) });
    else if (kind < 17) this.releaseHold();
    else columns.expireHolds(prng.below(1_000));
  }

  /** Holds what a request needs on a host. */
  hold(hostId: HostId, request: PlacementRequest): void {
    const key = { serverId: `server-${this.#server++}` as ServerId, generation: 1 };
    this.columns.hold(key, hostId, request.needs, this.prng.below(2_000));
    this.#held.push(key);
  }

  releaseHold(): void {
    if (this.#held.length === 0) return;
    const i = this.prng.below(this.#held.length);
    const [key] = this.#held.splice(i, 1);
    if (key !== undefined) this.columns.releaseHold(key);
  }

  advert(number: number): HostAdvert {
    const { prng } = this;
    const sequence = (this.#sequences.get(number) ?? 0) + 1;
    this.#sequences.set(number, sequence);
    const size = prng.pick([1, 1, 1, 2, 4]);
    const vcpus = 16 * size;
    const memoryMib = 32_768 * size;
    return syntheticHost(number, {
      sequence,
      cell: prng.chance(0.9) ? 'cell-1' : 'cell-2',
      zone: number % 3 === 0 ? 'east' : 'west',
      aggregates: aggregatesOf(number, prng),
      vcpus: { total: vcpus, reserved: 0, allocationRatio: prng.pick([1, 2, 4]), used: prng.below(vcpus) },
      memoryMib: { total: memoryMib, reserved: 1024, allocationRatio: 1, used: 1024 * prng.below(40) },
      diskGib: { total: 500, reserved: 0, allocationRatio: 1, used: 20 * prng.below(26) },
      // Only some hosts tell of it.
      ...(number % 2 === 0
        ? { egressKbps: { total: 10_000, reserved: 0, allocationRatio: 1, used: 1_000 * prng.below(10) } }
        : {}),
      traits: prng.chance(0.8) ? ['HW_CPU_X86_AVX2'] : ['HW_CPU_X86_AVX2', 'COMPUTE_TRUSTED'],
      state: { enabled: prng.chance(0.95), up: prng.chance(0.97), disabledReason: '' },
      numInstances: prng.below(7),
      ioOps: prng.below(10),
      buildFailures: prng.chance(0.05) ? prng.below(4) : 0,
      metrics: prng.chance(0.8) ? { 'cpu.percent': prng.below(100) } : {},
      pciPools: prng.chance(0.3)
        ? [{ vendorId: '10de', productId: '1eb8', numaNode: 0, physicalNetwork: '', total: 4, free: prng.below(5) }]
        : [],
      numaCells: prng.chance(0.5)
        ? [0, 1].map((id) => ({
            id,
            cpus: vcpus / 2,
            cpusPinned: prng.below(vcpus / 2),
            memoryMib: memoryMib / 2,
            memoryUsedMib: 1024 * prng.below(16),
            pages: [{ sizeKib: 2048, total: 2048, used: prng.below(2048) }],
          }))
        : [],
      physicalNetworks: prng.chance(0.8) ? ['physnet1'] : [],
      storagePools: [{ name: 'ceph', shared: true, freeGib: prng.below(1000) }],
      featureLevel: prng.chance(0.8) ? 2 : 1,
      capabilities: prng.chance(0.5) ? { 'cpu_info:model': 'EPYC' } : {},
    });
  }

  request(): PlacementRequest {
    const { prng } = this;
    const flavor = prng.pick(flavors);
    const odd = (probability: number): boolean => prng.chance(probability);
    const someHost = (): HostId => hostIdOf(prng.below(this.#hostsMax));
    const someHosts = (): HostId[] => Array.from({ length: prng.below(5) }, someHost);
    let { needs } = flavor;
    if (odd(0.05))
      needs = { ...needs, pci: [{ count: 1 + prng.below(3), vendorId: '10de', productId: '', physicalNetwork: '' }] };
    if (odd(0.1)) needs = { ...needs, egressKbps: prng.pick([1_000, 4_000]) };
    if (odd(0.05)) {
      const numa = numaNeedsOf(
        needs.vcpus,
        needs.memoryMib,
        { 'hw:cpu_policy': prng.pick(['dedicated', 'shared']), 'hw:mem_page_size': prng.pick(['small', 'large']) },
        {},
      );
      if (numa.outcome === 'needs') needs = { ...needs, numa: numa.needs };
    }
    const group = odd(0.25) ? this.#group() : undefined;
    const request = placementRequest({
      purpose: odd(0.03) ? 'rebuild' : 'create',
      projectId: prng.pick(['red', 'green', 'blue']),
      flavorName: flavor.name,
      needs,
      extraSpecs: odd(0.2) ? prng.pick(extraSpecs) : noSpecs,
      imageId: prng.pick(['image-1', 'image-2']),
      imageProperties: odd(0.2) ? prng.pick(imageProperties) : noSpecs,
      zone: odd(0.2) ? prng.pick(['east', 'west', 'north']) : '',
      requiredTraits: odd(0.1) ? ['COMPUTE_TRUSTED'] : [],
      forbiddenTraits: odd(0.1) ? ['COMPUTE_TRUSTED'] : [],
      physicalNetworks: odd(0.1) ? ['physnet1'] : [],
      storagePools: odd(0.1) ? [{ name: 'ceph', gib: 100 }] : [],
      minFeatureLevel: odd(0.1) ? 2 : 0,
      sourceCell: odd(0.05) ? 'cell-2' : '',
      hints: {
        ...(odd(0.05) ? { differentHosts: someHosts() } : {}),
        ...(odd(0.05) ? { sameHosts: someHosts() } : {}),
        ...(odd(0.05) ? { query: '[">=", "$free_ram_mb", 8192]' } : {}),
        ...(odd(0.05) ? { nearAddress: { address: '10.0.0.0', prefixLength: 28 } } : {}),
      },
      ...(group === undefined ? {} : { group }),
      ...(odd(0.03) ? { host: { hostId: someHost(), force: odd(0.5) } } : {}),
      excludedHosts: odd(0.1) ? someHosts() : [],
    });
    // Excluded by chance, a forced host would hardly ever be.
    if (request.host === undefined || !odd(0.2)) return request;
    return { ...request, excludedHosts: [...request.excludedHosts, request.host.hostId] };
  }

  #group(): RequestGroup {
    const { prng } = this;
    return {
      id: 'group-1',
      policy: prng.pick(['affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity'] as const),
      maxServerPerHost: prng.pick([1, 1, 2]),
      memberHosts: Array.from({ length: prng.below(6) }, () => hostIdOf(prng.below(this.#hostsMax))),
    };
  }
}

const noSpecs: Readonly<Record<string, string>> = {};

const flavors: readonly { readonly name: string; readonly needs: ResourceNeeds }[] = [
  { name: 'tiny', needs: { vcpus: 1, memoryMib: 512, diskGib: 1, pci: [] } },
  { name: 'small', needs: { vcpus: 1, memoryMib: 2048, diskGib: 20, pci: [] } },
  { name: 'medium', needs: { vcpus: 2, memoryMib: 4096, diskGib: 40, pci: [] } },
  { name: 'large', needs: { vcpus: 8, memoryMib: 16_384, diskGib: 0, pci: [] } },
  { name: 'huge', needs: { vcpus: 32, memoryMib: 65_536, diskGib: 160, pci: [] } },
];

const extraSpecs: readonly Readonly<Record<string, string>>[] = [
  { ssd: 'true' },
  { 'aggregate_instance_extra_specs:ssd': '<or> true <or> yes' },
  { 'capabilities:cpu_info:model': 'EPYC' },
  { 'trait:COMPUTE_TRUSTED': 'forbidden', 'hw:unrelated': '1' },
];

const imageProperties: readonly Readonly<Record<string, string>>[] = [
  { hw_architecture: 'x86_64' },
  { hw_architecture: 'aarch64' },
  { os_distro: 'debian' },
];

function aggregatesOf(number: number, prng: Prng): HostAdvert['aggregates'] {
  const aggregates: HostAdvert['aggregates'][number][] = [];
  if (number % 4 === 0) aggregates.push({ name: 'fast', metadata: { ssd: 'true', ram_weight_multiplier: '3' } });
  if (number % 7 === 0) aggregates.push({ name: 'red', metadata: { filter_tenant_id: 'red, green' } });
  if (number % 5 === 0) aggregates.push({ name: 'os', metadata: { os_distro: prng.pick(['debian', 'fedora']) } });
  if (number % 6 === 0)
    aggregates.push({ name: 'small', metadata: { instance_type: 'tiny,small', max_instances_per_host: '3' } });
  return aggregates;
}
