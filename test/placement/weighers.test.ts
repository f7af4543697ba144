import t from 'tap';
import type { HostId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { hostIdOf, syntheticHost } from '../../placement/bench/synthetic.ts';
import {
  defaultConfiguration,
  explainHost,
  type HostAdvert,
  HostColumns,
  type PlacementConfiguration,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
  type WeigherName,
  weigherNames,
  weighers,
} from '../../placement/index.ts';

interface Case {
  readonly weigher: WeigherName;
  readonly name: string;
  /** The first must be chosen over the second. */
  readonly hosts: readonly [Partial<HostAdvert>, Partial<HostAdvert>];
  /** Weights wanted of both, where they are simple numbers. */
  readonly weights?: readonly [number, number];
  readonly request?: Partial<PlacementRequest>;
  readonly configuration?: Partial<PlacementConfiguration>;
  /** Suspicion of both. */
  readonly suspicion?: readonly [number, number];
}

const pool = (total: number, used: number) => ({ total, reserved: 0, allocationRatio: 1, used });
const first = hostIdOf(0);
const second = hostIdOf(1);
const group = (policy: 'soft-affinity' | 'soft-anti-affinity', memberHosts: readonly HostId[]) => ({
  group: { id: 'g', policy, maxServerPerHost: 1, memberHosts },
});
const gpus = (free: number) => ({
  pciPools: [{ vendorId: '10de', productId: '1eb8', numaNode: 0, physicalNetwork: '', total: 8, free }],
});

const cases: readonly Case[] = [
  {
    weigher: 'RAMWeigher',
    name: 'more free memory; the scale is the power of two at the largest host',
    hosts: [{ memoryMib: pool(6144, 2048) }, { memoryMib: pool(6144, 4096) }],
    weights: [0.5, 0.25],
  },
  {
    weigher: 'RAMWeigher',
    name: 'less free memory under a negative multiplier',
    hosts: [{ memoryMib: pool(8192, 6144) }, { memoryMib: pool(8192, 0) }],
    configuration: { weightMultipliers: { RAMWeigher: -1 } },
  },
  {
    weigher: 'CPUWeigher',
    name: 'more free vCPUs',
    hosts: [{ vcpus: pool(8, 0) }, { vcpus: pool(8, 4) }],
    weights: [1, 0.5],
  },
  {
    weigher: 'CPUWeigher',
    name: "an aggregate's multiplier turns the order for its hosts",
    hosts: [
      { vcpus: pool(8, 4) },
      { vcpus: pool(8, 0), aggregates: [{ name: 'a', metadata: { cpu_weight_multiplier: '-1' } }] },
    ],
  },
  {
    weigher: 'DiskWeigher',
    name: 'more free disk',
    hosts: [{ diskGib: pool(1024, 0) }, { diskGib: pool(1024, 512) }],
    weights: [1, 0.5],
  },
  {
    weigher: 'IoOpsWeigher',
    name: 'fewer operations in progress',
    hosts: [{ ioOps: 2 }, { ioOps: 4 }],
    weights: [0.25, 0.5],
  },
  {
    weigher: 'PCIWeigher',
    name: 'without a request for devices: a host with none',
    hosts: [{}, gpus(8)],
    weights: [1, 0.92],
  },
  {
    weigher: 'PCIWeigher',
    name: 'with a request for devices: the host with the fewest that do',
    hosts: [gpus(2), gpus(8)],
    request: {
      needs: {
        vcpus: 1,
        memoryMib: 1,
        diskGib: 0,
        pci: [{ count: 1, vendorId: '', productId: '', physicalNetwork: '' }],
      },
    },
  },
  {
    weigher: 'MetricsWeigher',
    name: 'a higher sum',
    hosts: [{ metrics: { idle: 3 } }, { metrics: { idle: 1 } }],
    weights: [0.75, 0.5],
    configuration: { metrics: { weights: { idle: 1 } } },
  },
  {
    weigher: 'MetricsWeigher',
    name: 'a host that lacks a metric is last',
    hosts: [{ metrics: { idle: -1000 } }, {}],
    configuration: { metrics: { weights: { idle: 1 } } },
  },
  {
    weigher: 'BuildFailureWeigher',
    name: 'no failure, though nearly full',
    hosts: [{ memoryMib: pool(8192, 8000) }, { buildFailures: 1 }],
  },
  {
    weigher: 'BuildFailureWeigher',
    name: 'fewer failures',
    hosts: [{ buildFailures: 1 }, { buildFailures: 3 }],
    weights: [0.5, 0.75],
  },
  {
    weigher: 'HostStateWeigher',
    name: 'no suspicion, though nearly full',
    hosts: [{ memoryMib: pool(8192, 8000) }, {}],
    suspicion: [0, 0.5],
  },
  {
    weigher: 'CrossCellWeigher',
    name: 'the cell that a moving guest comes from',
    hosts: [{ cell: 'cell-2', memoryMib: pool(8192, 8000) }, { cell: 'cell-1' }],
    weights: [1, 0],
    request: { sourceCell: 'cell-2' },
  },
  {
    weigher: 'FragmentationWeigher',
    name: 'the fuller host',
    hosts: [
      { memoryMib: pool(8192, 4096), vcpus: pool(8, 4), numInstances: 1 },
      { memoryMib: pool(8192, 1024), vcpus: pool(8, 1), numInstances: 1 },
    ],
    configuration: { strategy: 'pack' },
  },
  {
    weigher: 'FragmentationWeigher',
    name: 'a used host before an empty one',
    hosts: [
      { memoryMib: pool(8192, 1024), vcpus: pool(8, 1), numInstances: 1 },
      { memoryMib: pool(4096, 0), vcpus: pool(4, 0) },
    ],
    configuration: { strategy: 'pack' },
  },
  {
    weigher: 'FragmentationWeigher',
    name: 'room for whole copies of the shapes in use is kept',
    // Both fit. On the second a 4-vCPU guest would no longer fit; on the first the leftover was of no use to it anyway.
    hosts: [
      { vcpus: pool(16, 10), memoryMib: pool(16_384, 10_240), numInstances: 1 },
      { vcpus: pool(16, 12), memoryMib: pool(16_384, 12_288), numInstances: 1 },
    ],
    request: { needs: { vcpus: 2, memoryMib: 2048, diskGib: 0, pci: [] } },
    configuration: { strategy: 'pack', shapes: [{ vcpus: 4, memoryMib: 4096, weight: 1 }] },
  },
  {
    weigher: 'ServerGroupSoftAffinityWeigher',
    name: 'more members',
    hosts: [{}, {}],
    weights: [2 / 3, 1 / 3],
    request: group('soft-affinity', [first, second, first]),
  },
  {
    weigher: 'ServerGroupSoftAntiAffinityWeigher',
    name: 'fewer members',
    hosts: [{}, {}],
    weights: [-1 / 3, -2 / 3],
    request: group('soft-anti-affinity', [first, second, second]),
  },
];

for (const name of weigherNames) {
  void t.test(`${name} prefers: ${weighers[name].purpose}`, (t) => {
    const own = cases.filter((c) => c.weigher === name);
    t.ok(own.length > 0, 'it has cases');
    for (const c of own) {
      const columns = new HostColumns({ seed: 1 });
      c.hosts.forEach((parts, number) => {
        const small = { vcpus: pool(8, 0), memoryMib: pool(8192, 0), diskGib: pool(1024, 0) };
        columns.upsert(syntheticHost(number, { ...small, ...parts }));
        const suspicion = c.suspicion?.[number];
        if (suspicion !== undefined) columns.setLiveness(hostIdOf(number), { up: true, suspicion });
      });
      const configuration: PlacementConfiguration = {
        ...defaultConfiguration,
        drawWidth: 1,
        ...c.configuration,
      };
      const request = placementRequest({ needs: { vcpus: 1, memoryMib: 128, diskGib: 0, pci: [] }, ...c.request });
      const engine = new PlacementEngine(columns, configuration, new Prng(1));
      t.equal(columns.hostIds[engine.selectSlot(request)], first, c.name);
      c.weights?.forEach((weight, number) => {
        const explained = explainHost(columns, configuration, request, hostIdOf(number));
        t.equal(
          explained?.weights.find((w) => w.weigher === name)?.weight,
          weight,
          `${c.name}: weight of host ${number}`,
        );
      });
    }
    t.end();
  });
}

void t.test("explain's weights add up to the engine's score", (t) => {
  const columns = new HostColumns({ seed: 3 });
  for (let i = 0; i < 20; i++) columns.upsert(syntheticHost(i, { ioOps: i % 5, memoryMib: pool(8192, 100 * i) }));
  const request = placementRequest(group('soft-affinity', [hostIdOf(4), hostIdOf(5)]));
  const engine = new PlacementEngine(columns, { ...defaultConfiguration, drawWidth: 1 }, new Prng(1));
  const selection = engine.select(request);
  t.equal(selection.outcome, 'selected');
  const candidates = selection.outcome === 'selected' ? [selection.candidate, ...selection.alternates] : [];
  for (const candidate of candidates) {
    const explained = explainHost(columns, engine.configuration, request, candidate.hostId);
    t.equal(explained?.score, candidate.score);
    const sum = explained?.weights.reduce((total, w) => total + w.weight * w.multiplier, 0) ?? 0;
    t.ok(Math.abs(sum - candidate.score) < 1e-9);
  }
  t.end();
});
