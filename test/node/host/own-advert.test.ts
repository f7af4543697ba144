/**
 * What a host tells of itself reaches the filters and weighers that read it. With it the worked example of
 * placement/README.md, "How to add a host capability".
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FakeComputeDriver, FakeComputeHost } from '../../../drivers/fake/compute.ts';
import { FakeStorage, FakeStorageDriver } from '../../../drivers/fake/storage.ts';
import type { Accelerator, ComputeDriver } from '../../../drivers/types.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, ServerId } from '../../../node/base/ids.ts';
import { placementAdvert } from '../../../node/cluster/advert-mapping.ts';
import { loadConfig } from '../../../node/config/load.ts';
import { BuildFailures } from '../../../node/host/build-failures.ts';
import { capabilitiesOf, traitsOf } from '../../../node/host/machine/capabilities.ts';
import { parseCpuInfo } from '../../../node/host/machine/cpu-info.ts';
import { hostCapacity, ownAdvert } from '../../../node/host/own-advert.ts';
import { poolRooms, poolTrouble } from '../../../node/host/pool-room.ts';
import { advertisedPools } from '../../../node/services/kit/storage-pools.ts';
import {
  ClaimLedger,
  defaultConfiguration,
  explainHost,
  HostColumns,
  numaNeedsOf,
  type PlacementRequest,
  placementRequest,
} from '../../../placement/index.ts';
import { shoal } from '../../../proto/messages.ts';

const hostId = 'a'.repeat(32) as HostId;
const samples = join(import.meta.dirname, '../../data/machine');
const files = JSON.parse(readFileSync(join(samples, 'two-sockets.json'), 'utf8')) as Record<string, string>;
const cell = (id: number) => ({ id, cpus: 4, cpusPinned: 0, memoryMib: 4096, memoryUsedMib: 0, pages: [] });
const inventory = {
  cpus: 8,
  cpu: parseCpuInfo(files['cpuinfo'] ?? ''),
  architecture: 'x86_64',
  memoryMib: 8192,
  numaCells: [cell(0), cell(1)],
  pciDevices: ['0000:3b:00.0', '0000:3c:00.0'].map((address) => ({
    address,
    vendorId: '10de',
    productId: '1eb8',
    numaNode: 0,
  })),
  diskGib: 100,
  operatingSystem: 'Debian 12',
  kernel: '6.1.0',
  bootedMs: 1_700_000_000_000,
};
const hypervisor = {
  version: 7_002_022,
  machine: 'pc-i440fx-7.2',
  guestCpu: 'host',
  devices: ['virtio-blk-pci', 'virtio-net-pci'],
  firmware: { uefi: false, secureBoot: false },
};
const config = loadConfig({
  settings: {
    advertiseAddress: '192.0.2.1',
    'compute.pciPassthrough': '10de:1eb8',
    'capacity.memoryMibReserved': '0',
    'network.externalInterface': 'eth1',
  },
});

/** A host with its ledger, and what its advert says after a trip over the wire. */
function host(accelerator: Accelerator = 'kvm') {
  const compute: ComputeDriver = Object.defineProperty(new FakeComputeDriver(new FakeComputeHost()), 'accelerator', {
    value: accelerator,
  });
  const ledger = ClaimLedger.restore(hostCapacity(config, inventory));
  let buildFailures = 0;
  let sequence = 0;
  const advert = (): shoal.v1.Advert => {
    const own = ownAdvert({
      config,
      hostId,
      meshId: 'm',
      inventory,
      compute,
      hypervisor,
      storage: new Map([
        ['local', new FakeStorageDriver(new FakeStorage({ shared: false }))],
        ['ceph-fast', new FakeStorageDriver(new FakeStorage({ shared: true }))],
      ]),
      claims: ledger,
      load: () => ({ cpuPercent: 1, load1m: 1, memoryAvailableMib: 1 }),
      disabled: () => ({ disabled: false, reason: '' }),
      busySteps: () => 0,
      buildFailures: () => buildFailures,
      poolRooms: () => new Map([['ceph-fast', { totalGib: 50, freeGib: 30 }]]),
      place: () => ({
        zone: 'east',
        aggregates: [new shoal.v1.Aggregate({ name: 'fast', metadata: { ssd: 'true' } })],
      }),
    });
    sequence += 1;
    return shoal.v1.Advert.decode(shoal.v1.Advert.encode({ ...own, epoch: 1, sequence }).finish());
  };
  const columns = new HostColumns({ seed: 1 });
  const tell = (): void => void columns.upsert(placementAdvert(advert()));
  tell();
  return {
    ledger,
    columns,
    advert,
    tell,
    fail: (failures: number) => {
      buildFailures = failures;
    },
    /** The filters that refuse a request, with their reasons. */
    refusals: (parts: Partial<PlacementRequest>) =>
      explainHost(columns, defaultConfiguration, placementRequest(parts), hostId)?.refusals.map(
        ({ filter, reason }) => `${filter}: ${reason}`,
      ),
  };
}

const needs = { vcpus: 2, memoryMib: 1024, diskGib: 1, pci: [] };

void t.test('each list of an advert is read by the filter that it is for', (t) => {
  const { refusals } = host();
  t.same(refusals({ needs }), []);
  const passes: readonly Partial<PlacementRequest>[] = [
    { extraSpecs: { 'capabilities:cpu_info:vendor': 'GenuineIntel' } },
    { extraSpecs: { 'capabilities:cpu_info:model': '<in> Gold 6338' } },
    { extraSpecs: { 'capabilities:cpu_info:topology:sockets': '>= 2' } },
    { extraSpecs: { 'capabilities:hypervisor:machine': 'pc-i440fx-7.2' } },
    { extraSpecs: { 'aggregate_instance_extra_specs:ssd': 'true' } },
    { requiredTraits: ['HW_CPU_X86_AVX2', 'HW_CPU_X86_SSE42', 'COMPUTE_NET_VIF_MODEL_VIRTIO'] },
    { physicalNetworks: ['external'] },
    { storagePools: [{ name: 'ceph-fast', gib: 30 }] },
    { storagePools: [{ name: 'local', gib: 99 }] },
    { imageProperties: { hw_architecture: 'x86_64', img_hv_type: 'kvm' } },
    { zone: 'east' },
    { needs: { ...needs, pci: [{ count: 2, vendorId: '10de', productId: '', physicalNetwork: '' }] } },
  ];
  for (const parts of passes) t.same(refusals(parts), [], JSON.stringify(parts));
  const refused: readonly (readonly [Partial<PlacementRequest>, RegExp])[] = [
    [{ extraSpecs: { 'capabilities:cpu_info:vendor': 'AuthenticAMD' } }, /^ComputeCapabilitiesFilter/],
    [{ extraSpecs: { 'capabilities:cpu_info:topology:sockets': '>= 4' } }, /^ComputeCapabilitiesFilter/],
    [{ requiredTraits: ['HW_CPU_X86_AMX_TILE'] }, /^RequiredTraitsFilter/],
    [{ physicalNetworks: ['physnet9'] }, /^PhysicalNetworkFilter/],
    [{ storagePools: [{ name: 'ceph-fast', gib: 31 }] }, /^StoragePoolFilter: .* less than 31 GiB free/],
    [{ storagePools: [{ name: 'ceph-slow', gib: 1 }] }, /^StoragePoolFilter: the host does not reach/],
    [{ imageProperties: { hw_architecture: 'aarch64' } }, /^ImagePropertiesFilter/],
    [
      { needs: { ...needs, pci: [{ count: 3, vendorId: '10de', productId: '', physicalNetwork: '' }] } },
      /^PciPassthroughFilter/,
    ],
  ];
  for (const [parts, reason] of refused) t.match(refusals(parts), [reason], JSON.stringify(parts));
  t.end();
});

void t.test('NUMA nodes and devices that claims hold are not free in the next advert', (t) => {
  const { ledger, refusals, tell, advert } = host();
  const pinned = numaNeedsOf(4, 2048, { 'hw:cpu_policy': 'dedicated' }, {});
  if (pinned.outcome !== 'needs') throw new Error('the needs are plain');
  const whole = { vcpus: 4, memoryMib: 2048, diskGib: 1, numa: pinned.needs };
  const gpu = { ...whole, pci: [{ count: 2, vendorId: '10de', productId: '1eb8', physicalNetwork: '' }] };
  t.same(refusals({ needs: gpu }), []);
  for (const [id, claimed] of [
    ['a', gpu],
    ['b', { ...whole, pci: [] }],
  ] as const) {
    const claim = { serverId: id as ServerId, generation: 1, needs: claimed, expiresAtMs: 1000 };
    t.equal(ledger.admit(claim, 0).outcome, 'admitted');
  }
  t.match(advert(), {
    numaCells: [
      { id: 0, cpusPinned: 4, memoryUsedMib: 2048 },
      { id: 1, cpusPinned: 4, memoryUsedMib: 2048 },
    ],
    pciPools: [{ total: 2, free: 0 }],
  });
  tell();
  t.match(refusals({ needs: gpu }), [/^PciPassthroughFilter/, /^NUMATopologyFilter/]);
  t.same(refusals({ needs: { ...needs, vcpus: 1 } }), [], 'others do not care');
  t.end();
});

void t.test('under emulation guests have not the flags of the host, and the host does not say so', (t) => {
  for (const [accelerator, expected] of [
    ['kvm', ['COMPUTE_ACCEL_KVM', 'HW_CPU_X86_AVX2']],
    ['tcg', ['COMPUTE_ACCEL_TCG']],
    ['fake', ['COMPUTE_ACCEL_FAKE']],
  ] as const) {
    const traits = traitsOf({ inventory, accelerator, hypervisor });
    for (const trait of expected) t.ok(traits.includes(trait), `${accelerator}: ${trait}`);
    t.equal(
      traits.some((trait) => trait.startsWith('HW_CPU_')),
      accelerator === 'kvm',
    );
  }
  const told = capabilitiesOf({ inventory, accelerator: 'kvm', hypervisor });
  t.equal(told['cpu_info:topology:cells'], '2');
  const odd = { ...inventory, kernel: 'k'.repeat(1000), operatingSystem: '' };
  const bounded = capabilitiesOf({ inventory: odd, accelerator: 'kvm', hypervisor });
  t.equal(bounded['host:kernel']?.length, 256);
  t.notOk('host:operating_system' in bounded, 'what is not known is not told');
  t.end();
});

void t.test('failed starts count against the host until one works, or an hour has passed', (t) => {
  let nowMs = 0;
  let changes = 0;
  const heard: string[] = [];
  const failures = new BuildFailures({ monotonicMs: () => nowMs }, () => {
    changes += 1;
  });
  const observer = failures.watch({ step: (_kind, step, result) => void heard.push(`${step} ${result}`) });
  const step = (kind: string, name: string, result: 'done' | 'failed') => observer.step?.(kind, name, result, 1);
  step('server', 'start', 'done');
  t.equal(changes, 0);
  step('server', 'start', 'failed');
  step('server', 'stop', 'failed');
  step('network', 'start', 'failed');
  t.equal(failures.count, 1, 'starts of guests alone');
  nowMs = 3_000_000;
  step('server', 'start', 'failed');
  t.equal(failures.count, 2);
  nowMs = 3_600_000;
  t.equal(failures.count, 1, 'the first is an hour old');
  step('server', 'start', 'done');
  t.equal(failures.count, 0);
  for (let n = 0; n < 1_100; n++) step('server', 'start', 'failed');
  t.equal(failures.count, 1_000, 'bounded');
  t.equal(changes, 3 + 1_100);
  t.ok(heard.includes('stop failed'), 'the observer inside hears all');

  const { columns, tell, fail } = host();
  const weightOf = () =>
    explainHost(columns, defaultConfiguration, placementRequest({ needs }), hostId)?.weights.find(
      ({ weigher }) => weigher === 'BuildFailureWeigher',
    )?.weight;
  t.equal(weightOf(), 0);
  fail(1);
  tell();
  t.equal(weightOf(), 0.5);
  t.end();
});

void t.test(
  'every pool but that in the data folder is asked for its room; one that does not answer is left out',
  async (t) => {
    const silent = new FakeStorage({ shared: true });
    silent.faults.failNext('capacity', new ShoalError('UNAVAILABLE', 'it counts still'));
    const { signal } = new AbortController();
    const storage = new Map([
      ['local', new FakeStorageDriver(new FakeStorage({ shared: false }))],
      ['ceph', new FakeStorageDriver(new FakeStorage({ shared: true, totalBytes: 5 * 2 ** 30 + 1 }))],
      ['fast', new FakeStorageDriver(new FakeStorage({ shared: false, totalBytes: 7 * 2 ** 30 }))],
      ['silent', new FakeStorageDriver(silent)],
    ]);
    const room = (gib: number) => ({ totalGib: gib, freeGib: gib });
    t.same(await poolRooms(storage, signal), new Map(Object.entries({ ceph: room(5), fast: room(7) })));
  },
);

void t.test('a pool that is nearly full says so: in the advert, to placement, and in health', async (t) => {
  const nearly = new FakeStorage({ shared: true, totalBytes: 5 * 2 ** 30 });
  nearly.condition = 'nearfull';
  const { signal } = new AbortController();
  const rooms = await poolRooms(new Map([['ceph', new FakeStorageDriver(nearly)]]), signal);
  t.match(rooms.get('ceph'), { freeGib: 5, condition: 'nearfull' });
  t.match(poolTrouble(rooms), { code: 'UNAVAILABLE', message: /storage pool ceph is nearly full: no new disks/ });
  const advert = shoal.v1.Advert.create({ pools: [{ name: 'ceph', shared: true, condition: 'nearfull' }] });
  t.match(advertisedPools(advert), [{ name: 'ceph', condition: 'nearfull' }]);
  const later = shoal.v1.Advert.create({ pools: [{ name: 'ceph', shared: true, condition: 'of a later version' }] });
  t.equal(advertisedPools(later)[0]?.condition, undefined);
  nearly.condition = undefined;
  t.equal(poolTrouble(await poolRooms(new Map([['ceph', new FakeStorageDriver(nearly)]]), signal)), undefined);
});
