import t from 'tap';
import { Prng } from '../../node/base/prng.ts';
import { hostIdOf, syntheticHost } from '../../placement/bench/synthetic.ts';
import {
  defaultConfiguration,
  explainHost,
  type FilterName,
  filterNames,
  filters,
  type HostAdvert,
  HostColumns,
  type PlacementConfiguration,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
} from '../../placement/index.ts';

interface Case {
  readonly filter: FilterName;
  readonly name: string;
  readonly passes: boolean;
  readonly host?: Partial<HostAdvert>;
  readonly request?: Partial<PlacementRequest>;
  readonly configuration?: Partial<PlacementConfiguration>;
  /** The failure detector's verdict. */
  readonly down?: boolean;
  /** Part of the reason that operators read. */
  readonly reason?: RegExp;
}

const pool = (total: number, used: number, allocationRatio = 1) => ({ total, reserved: 0, allocationRatio, used });
const needs = (vcpus: number, memoryMib: number, diskGib = 0) => ({ vcpus, memoryMib, diskGib, pci: [] });
const aggregate = (metadata: Readonly<Record<string, string>>, name = 'a') => ({ aggregates: [{ name, metadata }] });
const here = hostIdOf(1);
const elsewhere = hostIdOf(2);
const gpus = (free: number) => ({
  pciPools: [{ vendorId: '10de', productId: '1eb8', numaNode: 0, physicalNetwork: '', total: 4, free }],
});
const twoCells = {
  numaCells: [0, 1].map((id) => ({
    id,
    cpus: 8,
    cpusPinned: id === 0 ? 6 : 0,
    memoryMib: 8192,
    memoryUsedMib: 0,
    pages: [{ sizeKib: 2048, total: 1024, used: 0 }],
  })),
};
const numa = (cells: number, vcpus: number, memoryMib: number, dedicated: boolean, pageSizeKib = 0) => ({
  needs: {
    ...needs(vcpus * cells, memoryMib * cells),
    numa: { cells: Array.from({ length: cells }, () => ({ vcpus, memoryMib })), dedicated, pageSizeKib },
  },
});

const nearly = { storagePools: [{ name: 'nearly', shared: true, freeGib: 10, condition: 'nearfull' }] };

const cases: readonly Case[] = [
  { filter: 'ComputeFilter', name: 'an enabled host that is up', passes: true },
  {
    filter: 'ComputeFilter',
    name: 'a disabled host',
    passes: false,
    host: { state: { enabled: false, up: true, disabledReason: 'new disk' } },
    reason: /disabled: new disk/,
  },
  { filter: 'ComputeFilter', name: 'a host that the detector took down', passes: false, down: true, reason: /down/ },
  { filter: 'AvailabilityZoneFilter', name: 'no zone asked', passes: true },
  { filter: 'AvailabilityZoneFilter', name: 'its zone', passes: true, request: { zone: 'nova' } },
  {
    filter: 'AvailabilityZoneFilter',
    name: 'another zone',
    passes: false,
    request: { zone: 'mars' },
    reason: /zone mars/,
  },
  { filter: 'FeatureLevelFilter', name: 'a level that it has', passes: true, request: { minFeatureLevel: 1 } },
  {
    filter: 'FeatureLevelFilter',
    name: 'a newer level',
    passes: false,
    request: { minFeatureLevel: 2 },
    reason: /level 1, 2 is needed/,
  },
  {
    filter: 'CoreFilter',
    name: 'what the ratio allows',
    passes: true,
    host: { vcpus: pool(8, 28, 4) },
    request: { needs: needs(4, 1) },
  },
  {
    filter: 'CoreFilter',
    name: 'more than is free',
    passes: false,
    host: { vcpus: pool(8, 28, 4) },
    request: { needs: needs(5, 1) },
    reason: /5 vCPUs are needed, 4 of 32 are free/,
  },
  {
    filter: 'CoreFilter',
    name: 'more than the machine has though the ratio allows',
    passes: false,
    host: { vcpus: pool(8, 0, 4) },
    request: { needs: needs(9, 1) },
  },
  {
    filter: 'RamFilter',
    name: 'just enough',
    passes: true,
    host: { memoryMib: pool(4096, 2048) },
    request: { needs: needs(1, 2048) },
  },
  {
    filter: 'RamFilter',
    name: 'one MiB short',
    passes: false,
    host: { memoryMib: pool(4096, 2048) },
    request: { needs: needs(1, 2049) },
    reason: /2049 MiB of memory are needed, 2048 of 4096/,
  },
  {
    filter: 'RamFilter',
    name: 'what is reserved is not given',
    passes: false,
    host: { memoryMib: { ...pool(4096, 0), reserved: 1 } },
    request: { needs: needs(1, 4096) },
  },
  {
    filter: 'DiskFilter',
    name: 'just enough',
    passes: true,
    host: { diskGib: pool(100, 50) },
    request: { needs: needs(1, 1, 50) },
  },
  {
    filter: 'DiskFilter',
    name: 'one GiB short',
    passes: false,
    host: { diskGib: pool(100, 50) },
    request: { needs: needs(1, 1, 51) },
  },
  {
    filter: 'DiskFilter',
    name: 'disks that are all volumes need no local room',
    passes: true,
    host: { diskGib: pool(100, 100) },
    request: { needs: needs(1, 1, 0) },
  },
  {
    filter: 'ResourceClassFilter',
    name: 'just enough',
    passes: true,
    host: { egressKbps: pool(1000, 400) },
    request: { needs: { ...needs(1, 1), egressKbps: 600 } },
  },
  {
    filter: 'ResourceClassFilter',
    name: 'one short',
    passes: false,
    host: { egressKbps: pool(1000, 400) },
    request: { needs: { ...needs(1, 1), egressKbps: 601 } },
    reason: /601 kbit\/s of egress bandwidth are needed, 600 of 1000 are free/,
  },
  {
    filter: 'ResourceClassFilter',
    name: 'a host that does not tell has none',
    passes: false,
    host: {},
    request: { needs: { ...needs(1, 1), egressKbps: 1 } },
  },
  {
    filter: 'RequiredTraitsFilter',
    name: 'a trait that it has',
    passes: true,
    request: { requiredTraits: ['HW_CPU_X86_AVX2'] },
  },
  {
    filter: 'RequiredTraitsFilter',
    name: 'a trait that it lacks, from the flavor',
    passes: false,
    request: { extraSpecs: { 'trait:CUSTOM_GOLD': 'required' } },
    reason: /lacks trait CUSTOM_GOLD/,
  },
  {
    filter: 'RequiredTraitsFilter',
    name: 'a forbidden trait, from the image',
    passes: false,
    request: { imageProperties: { 'trait:HW_CPU_X86_AVX2': 'forbidden' } },
    reason: /forbidden trait/,
  },
  {
    filter: 'PhysicalNetworkFilter',
    name: 'a network that it reaches',
    passes: true,
    request: { physicalNetworks: ['physnet1'] },
  },
  {
    filter: 'PhysicalNetworkFilter',
    name: 'one of two that it does not reach',
    passes: false,
    request: { physicalNetworks: ['physnet1', 'physnet2'] },
    reason: /physnet2/,
  },
  {
    filter: 'StoragePoolFilter',
    name: 'a pool with room',
    passes: true,
    request: { storagePools: [{ name: 'ceph', gib: 10 }] },
  },
  {
    filter: 'StoragePoolFilter',
    name: 'a pool that it does not reach',
    passes: false,
    request: { storagePools: [{ name: 'nfs', gib: 10 }] },
    reason: /does not reach storage pool nfs/,
  },
  {
    filter: 'StoragePoolFilter',
    name: 'a pool that is nearly full takes no new disk',
    passes: false,
    host: nearly,
    request: { storagePools: [{ name: 'nearly', gib: 1 }] },
    reason: /storage pool nearly takes no new disks: it is nearfull/,
  },
  {
    filter: 'StoragePoolFilter',
    name: 'a volume that lies in a pool that is nearly full is had as before',
    passes: true,
    host: nearly,
    request: { storagePools: [{ name: 'nearly', gib: 0 }] },
  },
  {
    filter: 'StoragePoolFilter',
    name: 'a full pool',
    passes: false,
    request: { storagePools: [{ name: 'ceph', gib: 1_000_000 }] },
    reason: /less than 1000000 GiB/,
  },
  {
    filter: 'ImagePropertiesFilter',
    name: 'its architecture',
    passes: true,
    request: { imageProperties: { hw_architecture: 'amd64' } },
  },
  {
    filter: 'ImagePropertiesFilter',
    name: 'another architecture',
    passes: false,
    request: { imageProperties: { hw_architecture: 'aarch64' } },
    reason: /aarch64/,
  },
  {
    filter: 'ImagePropertiesFilter',
    name: 'another hypervisor',
    passes: false,
    request: { imageProperties: { img_hv_type: 'xen' } },
  },
  {
    filter: 'ImagePropertiesFilter',
    name: 'an old enough requirement',
    passes: true,
    request: { imageProperties: { img_hv_requested_version: '>=6.0, <11' } },
  },
  {
    filter: 'ImagePropertiesFilter',
    name: 'a newer hypervisor',
    passes: false,
    request: { imageProperties: { img_hv_requested_version: '>=11.0' } },
    reason: /version/,
  },
  {
    filter: 'ComputeCapabilitiesFilter',
    name: 'a scoped capability that holds',
    passes: true,
    host: { capabilities: { 'cpu_info:model': 'EPYC' } },
    request: { extraSpecs: { 'capabilities:cpu_info:model': 's== EPYC' } },
  },
  {
    filter: 'ComputeCapabilitiesFilter',
    name: 'a scoped capability that is missing',
    passes: false,
    request: { extraSpecs: { 'capabilities:gold': 'yes' } },
    reason: /no capability gold/,
  },
  {
    filter: 'ComputeCapabilitiesFilter',
    name: 'an attribute with an operator',
    passes: false,
    request: { extraSpecs: { 'capabilities:hypervisor_type': 's!= qemu' } },
  },
  {
    filter: 'ComputeCapabilitiesFilter',
    name: 'a key with no scope that the host does not know',
    passes: true,
    request: { extraSpecs: { gold: 'yes', 'hw:cpu_policy': 'x' } },
  },
  {
    filter: 'AggregateInstanceExtraSpecsFilter',
    name: 'metadata that agrees',
    passes: true,
    host: aggregate({ ssd: 'true' }),
    request: { extraSpecs: { 'aggregate_instance_extra_specs:ssd': 'true' } },
  },
  {
    filter: 'AggregateInstanceExtraSpecsFilter',
    name: 'no aggregate with the key',
    passes: false,
    request: { extraSpecs: { ssd: 'true' } },
    reason: /ssd = true/,
  },
  {
    filter: 'AggregateInstanceExtraSpecsFilter',
    name: 'any of two aggregates',
    passes: true,
    host: {
      aggregates: [
        { name: 'a', metadata: { ssd: 'no' } },
        { name: 'b', metadata: { ssd: 'yes' } },
      ],
    },
    request: { extraSpecs: { ssd: '<or> yes <or> true' } },
  },
  {
    filter: 'AggregateInstanceExtraSpecsFilter',
    name: 'a key that must not be there',
    passes: false,
    host: aggregate({ ssd: 'true' }),
    request: { extraSpecs: { ssd: '!' } },
  },
  {
    filter: 'AggregateInstanceExtraSpecsFilter',
    name: 'other scopes are not its business',
    passes: true,
    request: { extraSpecs: { 'hw:cpu_policy': 'dedicated' } },
  },
  {
    filter: 'AggregateImagePropertiesIsolation',
    name: 'both define the key alike',
    passes: true,
    host: aggregate({ os_distro: 'debian' }),
    request: { imageProperties: { os_distro: 'debian' } },
  },
  {
    filter: 'AggregateImagePropertiesIsolation',
    name: 'both define the key, unlike',
    passes: false,
    host: aggregate({ os_distro: 'fedora' }),
    request: { imageProperties: { os_distro: 'debian' } },
  },
  {
    filter: 'AggregateImagePropertiesIsolation',
    name: 'outside the namespace',
    passes: true,
    host: aggregate({ os_distro: 'fedora' }),
    request: { imageProperties: { os_distro: 'debian' } },
    configuration: { imagePropertiesIsolation: { namespace: 'iso', separator: '.' } },
  },
  {
    filter: 'AggregateMultiTenancyIsolation',
    name: 'a host for everybody',
    passes: true,
    request: { projectId: 'red' },
  },
  {
    filter: 'AggregateMultiTenancyIsolation',
    name: 'a host for this project among others',
    passes: true,
    host: aggregate({ filter_tenant_id: 'blue', filter_tenant_id2: 'green, red' }),
    request: { projectId: 'red' },
  },
  {
    filter: 'AggregateMultiTenancyIsolation',
    name: 'a host for others',
    passes: false,
    host: aggregate({ filter_tenant_id: 'blue' }),
    request: { projectId: 'red' },
    reason: /reserved/,
  },
  {
    filter: 'AggregateIoOpsFilter',
    name: "the aggregate's limit",
    passes: false,
    host: { ioOps: 3, ...aggregate({ max_io_ops_per_host: '3' }) },
  },
  {
    filter: 'AggregateIoOpsFilter',
    name: 'a limit that is no number is not one',
    passes: true,
    host: { ioOps: 3, ...aggregate({ max_io_ops_per_host: 'few' }) },
  },
  {
    filter: 'AggregateNumInstancesFilter',
    name: 'the lowest of two limits',
    passes: false,
    host: {
      numInstances: 5,
      aggregates: [
        { name: 'a', metadata: { max_instances_per_host: '9' } },
        { name: 'b', metadata: { max_instances_per_host: '5' } },
      ],
    },
  },
  {
    filter: 'AggregateTypeAffinityFilter',
    name: 'a listed flavor',
    passes: true,
    host: aggregate({ instance_type: 'tiny, small' }),
    request: { flavorName: 'small' },
  },
  {
    filter: 'AggregateTypeAffinityFilter',
    name: 'a flavor that is not listed',
    passes: false,
    host: aggregate({ instance_type: 'tiny' }),
    request: { flavorName: 'small' },
  },
  { filter: 'AggregateTypeAffinityFilter', name: 'no list', passes: true, request: { flavorName: 'small' } },
  {
    filter: 'AllHostsFilter',
    name: 'any host',
    passes: true,
    host: { state: { enabled: false, up: false, disabledReason: '' } },
  },
  { filter: 'IoOpsFilter', name: 'below the limit', passes: true, host: { ioOps: 7 } },
  { filter: 'IoOpsFilter', name: 'at the limit', passes: false, host: { ioOps: 8 }, reason: /8 is the limit/ },
  { filter: 'NumInstancesFilter', name: 'below the limit', passes: true, host: { numInstances: 49 } },
  { filter: 'NumInstancesFilter', name: 'at the limit', passes: false, host: { numInstances: 50 } },
  {
    filter: 'IsolatedHostsFilter',
    name: 'an isolated image on an isolated host',
    passes: true,
    request: { imageId: 'i' },
    configuration: { isolated: { imageIds: ['i'], hostNames: ['host-1'], restrictHostsToImages: true } },
  },
  {
    filter: 'IsolatedHostsFilter',
    name: 'an isolated image elsewhere',
    passes: false,
    request: { imageId: 'i' },
    configuration: { isolated: { imageIds: ['i'], hostNames: ['host-9'], restrictHostsToImages: true } },
  },
  {
    filter: 'IsolatedHostsFilter',
    name: 'another image on an isolated host',
    passes: false,
    request: { imageId: 'j' },
    configuration: { isolated: { imageIds: ['i'], hostNames: ['host-1'], restrictHostsToImages: true } },
  },
  {
    filter: 'IsolatedHostsFilter',
    name: 'the same where that is allowed',
    passes: true,
    request: { imageId: 'j' },
    configuration: { isolated: { imageIds: ['i'], hostNames: ['host-1'], restrictHostsToImages: false } },
  },
  {
    filter: 'JsonFilter',
    name: 'a query that holds',
    passes: true,
    request: { hints: { query: '["and", [">=", "$free_ram_mb", 1024], ["=", "$host", "host-1"]]' } },
  },
  {
    filter: 'JsonFilter',
    name: 'a query that does not hold',
    passes: false,
    request: { hints: { query: '["not", ["in", "$host", "host-1", "host-2"]]' } },
  },
  {
    filter: 'JsonFilter',
    name: 'a malformed query',
    passes: false,
    request: { hints: { query: '["frobnicate", 1]' } },
    reason: /unknown operator/,
  },
  {
    filter: 'JsonFilter',
    name: 'names of object methods are no operators',
    passes: false,
    request: { hints: { query: '["constructor", 1]' } },
    reason: /unknown operator/,
  },
  {
    filter: 'MetricsFilter',
    name: 'every metric reported',
    passes: true,
    host: { metrics: { load: 1 } },
    configuration: { metrics: { weights: { load: 1 } } },
  },
  {
    filter: 'MetricsFilter',
    name: 'one missing',
    passes: false,
    configuration: { metrics: { weights: { load: 1 } } },
    reason: /load/,
  },
  {
    filter: 'PciPassthroughFilter',
    name: 'enough devices',
    passes: true,
    host: gpus(2),
    request: { needs: { ...needs(1, 1), pci: [{ count: 2, vendorId: '10de', productId: '', physicalNetwork: '' }] } },
  },
  {
    filter: 'PciPassthroughFilter',
    name: 'too few devices',
    passes: false,
    host: gpus(1),
    request: { needs: { ...needs(1, 1), pci: [{ count: 2, vendorId: '10de', productId: '', physicalNetwork: '' }] } },
  },
  {
    filter: 'PciPassthroughFilter',
    name: 'another kind of device',
    passes: false,
    host: gpus(4),
    request: { needs: { ...needs(1, 1), pci: [{ count: 1, vendorId: '8086', productId: '', physicalNetwork: '' }] } },
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'two cells of shared CPUs',
    passes: true,
    host: twoCells,
    request: numa(2, 4, 4096, false),
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'two cells of dedicated CPUs where one has two left',
    passes: false,
    host: twoCells,
    request: numa(2, 4, 4096, true),
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'one cell of dedicated CPUs',
    passes: true,
    host: twoCells,
    request: numa(1, 8, 4096, true),
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'huge pages that are there',
    passes: true,
    host: twoCells,
    request: numa(2, 1, 2048, false, 2048),
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'more huge pages than there are',
    passes: false,
    host: twoCells,
    request: numa(1, 1, 4096, false, 2048),
  },
  {
    filter: 'NUMATopologyFilter',
    name: 'a host that does not tell',
    passes: false,
    request: numa(1, 1, 1024, false),
    reason: /does not tell/,
  },
  {
    filter: 'DifferentHostFilter',
    name: 'servers elsewhere',
    passes: true,
    request: { hints: { differentHosts: [elsewhere] } },
  },
  {
    filter: 'DifferentHostFilter',
    name: 'a server here',
    passes: false,
    request: { hints: { differentHosts: [elsewhere, here] } },
  },
  {
    filter: 'SameHostFilter',
    name: 'a server here',
    passes: true,
    request: { hints: { sameHosts: [elsewhere, here] } },
  },
  {
    filter: 'SameHostFilter',
    name: 'servers elsewhere',
    passes: false,
    request: { hints: { sameHosts: [elsewhere] } },
  },
  { filter: 'SameHostFilter', name: 'servers nowhere', passes: false, request: { hints: { sameHosts: [] } } },
  {
    filter: 'SimpleCIDRAffinityFilter',
    name: 'inside the network',
    passes: true,
    request: { hints: { nearAddress: { address: '10.0.0.200', prefixLength: 24 } } },
  },
  {
    filter: 'SimpleCIDRAffinityFilter',
    name: 'outside the network',
    passes: false,
    request: { hints: { nearAddress: { address: '10.0.0.200', prefixLength: 25 } } },
  },
  {
    filter: 'SimpleCIDRAffinityFilter',
    name: 'IPv6',
    passes: true,
    host: { address: 'fd00::1:2' },
    request: { hints: { nearAddress: { address: 'fd00:0:0:0::', prefixLength: 64 } } },
  },
  {
    filter: 'SimpleCIDRAffinityFilter',
    name: 'a malformed address',
    passes: false,
    request: { hints: { nearAddress: { address: '10.0.0', prefixLength: 8 } } },
  },
  {
    filter: 'ServerGroupAntiAffinityFilter',
    name: 'no member here',
    passes: true,
    request: { group: { id: 'g', policy: 'anti-affinity', maxServerPerHost: 1, memberHosts: [elsewhere] } },
  },
  {
    filter: 'ServerGroupAntiAffinityFilter',
    name: 'a member here',
    passes: false,
    request: { group: { id: 'g', policy: 'anti-affinity', maxServerPerHost: 1, memberHosts: [here] } },
  },
  {
    filter: 'ServerGroupAntiAffinityFilter',
    name: 'one member here where two may be',
    passes: true,
    request: { group: { id: 'g', policy: 'anti-affinity', maxServerPerHost: 2, memberHosts: [here, elsewhere] } },
  },
  {
    filter: 'ServerGroupAntiAffinityFilter',
    name: 'two members here where two may be',
    passes: false,
    request: { group: { id: 'g', policy: 'anti-affinity', maxServerPerHost: 2, memberHosts: [here, here] } },
    reason: /2 members/,
  },
  {
    filter: 'ServerGroupAffinityFilter',
    name: 'the first member',
    passes: true,
    request: { group: { id: 'g', policy: 'affinity', maxServerPerHost: 1, memberHosts: [] } },
  },
  {
    filter: 'ServerGroupAffinityFilter',
    name: 'members here',
    passes: true,
    request: { group: { id: 'g', policy: 'affinity', maxServerPerHost: 1, memberHosts: [here] } },
  },
  {
    filter: 'ServerGroupAffinityFilter',
    name: 'members elsewhere',
    passes: false,
    request: { group: { id: 'g', policy: 'affinity', maxServerPerHost: 1, memberHosts: [elsewhere] } },
  },
];

for (const filter of filterNames) {
  void t.test(`${filter}: ${filters[filter].purpose}`, (t) => {
    const own = cases.filter((c) => c.filter === filter);
    t.ok(own.length > 0, 'it has cases');
    for (const c of own) {
      const columns = new HostColumns({ seed: 1 });
      columns.upsert(syntheticHost(1, c.host));
      if (c.down === true) columns.setLiveness(here, { up: false, suspicion: 1 });
      const configuration = { ...defaultConfiguration, ...c.configuration, enabledFilters: [filter] };
      const request = placementRequest(c.request);
      const engine = new PlacementEngine(columns, configuration, new Prng(1));
      t.equal(engine.selectSlot(request) >= 0, c.passes, `${c.name}: engine`);
      const explained = explainHost(columns, configuration, request, here);
      t.equal(explained?.passes, c.passes, `${c.name}: explain`);
      if (!c.passes) t.match(explained?.refusals[0]?.reason ?? '', c.reason ?? /\w/, `${c.name}: reason`);
    }
    t.end();
  });
}

void t.test('a rebuild asks only the filters that look at the image', (t) => {
  const columns = new HostColumns({ seed: 1 });
  columns.upsert(syntheticHost(1, { memoryMib: pool(1024, 1024) }));
  const engine = new PlacementEngine(columns, defaultConfiguration, new Prng(1));
  const full = placementRequest({ needs: needs(1, 512), imageProperties: { hw_architecture: 'x86_64' } });
  t.equal(engine.selectSlot(full), -1);
  t.ok(engine.selectSlot({ ...full, purpose: 'rebuild' }) >= 0);
  t.equal(engine.selectSlot({ ...full, purpose: 'rebuild', imageProperties: { hw_architecture: 'aarch64' } }), -1);
  t.end();
});
