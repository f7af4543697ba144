import type { HostId, ServerId } from '../../node/base/ids.ts';
import { Prng } from '../../node/base/prng.ts';
import { naiveScorer, scanForBest } from '../engine/oracle.ts';
import { RequestClass, requestClassKey } from '../index/request-class.ts';
import {
  type ClaimKey,
  defaultConfiguration,
  type HostAdvert,
  HostColumns,
  type PlacementConfiguration,
  PlacementEngine,
  type PlacementRequest,
  placementRequest,
} from '../index.ts';
import { type BenchRow, middleOf, quantile } from './report/report.ts';
import { syntheticHost } from './synthetic.ts';

/** How a decision is made. */
type Decider = (request: PlacementRequest) => number;

const flavors = [
  { name: 'm1.tiny', needs: { vcpus: 1, memoryMib: 512, diskGib: 1, pci: [] } },
  { name: 'm1.small', needs: { vcpus: 1, memoryMib: 2048, diskGib: 20, pci: [] } },
  { name: 'm1.medium', needs: { vcpus: 2, memoryMib: 4096, diskGib: 40, pci: [] } },
  { name: 'm1.large', needs: { vcpus: 4, memoryMib: 8192, diskGib: 80, pci: [] } },
  { name: 'm1.xlarge', needs: { vcpus: 8, memoryMib: 16_384, diskGib: 160, pci: [] } },
  { name: 'c1.large', needs: { vcpus: 8, memoryMib: 8192, diskGib: 20, pci: [] } },
  { name: 'r1.large', needs: { vcpus: 4, memoryMib: 32_768, diskGib: 20, pci: [] } },
  { name: 'r1.xlarge', needs: { vcpus: 8, memoryMib: 65_536, diskGib: 40, pci: [] } },
];
const images: readonly Readonly<Record<string, string>>[] = [{}, { hw_architecture: 'x86_64' }];
/** Guests placed and not yet gone: decides how full hosts are beyond their adverts. */
const guestsAlive = 2_000;

export interface DecisionsOptions {
  readonly hosts: number;
  /** Decisions timed in one run. */
  readonly decisions: number;
  readonly runs: number;
  readonly name: 'exact' | 'scan' | 'naive' | 'random8';
  readonly variant: 'plain' | 'groups' | 'churn30' | 'pack' | 'draw';
}

/**
 * Figure 1. Each turn: read the request's class, choose a host, hold the claim, end the oldest of 2,000 held claims (so the
 * load stays), and with 30 % churn also take in an advert of a random host three turns in ten. `ops_per_s` counts whole
 * turns; `p50_us` and `p99_us` are of choosing and holding. 16 request classes. The best
 * host is taken, save in variant `draw` (a draw among the best eight as configured by default); `pack` packs, all others
 * spread; in `groups` half of the requests are for one of 1,000 groups of eight members.
 */
export function benchDecisions(options: DecisionsOptions): BenchRow {
  const rates: number[] = [];
  const cpuRates: number[] = [];
  let latencies = new Float64Array(0);
  let failed = 0;
  for (let run = 0; run < options.runs; run++) {
    const result = runOnce(options, run + 1);
    rates.push(result.opsPerSecond);
    cpuRates.push(result.opsPerCpuSecond);
    failed += result.failed;
    const merged = new Float64Array(latencies.length + result.latencies.length);
    merged.set(latencies);
    merged.set(result.latencies, latencies.length);
    latencies = merged;
  }
  latencies.sort();
  const { middle, spread } = middleOf(rates);
  return {
    bench: 'decisions',
    name: options.name,
    variant: options.variant,
    hosts: options.hosts,
    ops_per_s: Math.round(middle),
    spread: round(spread, 3),
    ops_per_cpu_s: Math.round(middleOf(cpuRates).middle),
    p50_us: round(quantile(latencies, 0.5) * 1000, 2),
    p99_us: round(quantile(latencies, 0.99) * 1000, 2),
    runs: options.runs,
    decisions: options.decisions,
    failed,
  };
}

function runOnce(
  options: DecisionsOptions,
  seed: number,
): {
  readonly opsPerSecond: number;
  readonly opsPerCpuSecond: number;
  readonly latencies: Float64Array;
  readonly failed: number;
} {
  const prng = new Prng(seed);
  const columns = new HostColumns({ seed, slotsMax: options.hosts });
  const hostIds: HostId[] = [];
  for (let i = 0; i < options.hosts; i++) {
    const advert = loadedHost(i, 1, prng);
    hostIds.push(advert.hostId);
    columns.upsert(advert);
  }
  const configuration: PlacementConfiguration = {
    ...defaultConfiguration,
    strategy: options.variant === 'pack' ? 'pack' : 'spread',
    ...(options.variant === 'draw' ? {} : { drawWidth: 1, drawTolerance: 0 }),
  };
  const decide = deciderOf(options, columns, configuration, prng.fork());
  const groups = Array.from({ length: 1_000 }, () => Array.from({ length: 8 }, () => prng.pick(hostIds)));
  const alive: ClaimKey[] = [];
  let oldest = 0;
  let server = 0;
  let failed = 0;
  const turn = (latencies: Float64Array | undefined, i: number): void => {
    const flavor = prng.pick(flavors);
    // A request is made afresh each time, as a gateway does; the maps come from the flavor's and the image's records.
    const request = placementRequest({
      projectId: 'project',
      flavorName: flavor.name,
      needs: flavor.needs,
      imageProperties: prng.pick(images),
      ...(options.variant === 'groups' && prng.chance(0.5)
        ? {
            group: {
              id: 'group',
              policy: prng.chance(0.8) ? ('anti-affinity' as const) : ('soft-affinity' as const),
              maxServerPerHost: 1,
              memberHosts: prng.pick(groups),
            },
          }
        : {}),
    });
    const key = { serverId: `s${server++}` as ServerId, generation: 1 };
    const started = performance.now();
    const slot = decide(request);
    const hostId = slot < 0 ? undefined : columns.hostIds[slot];
    if (hostId === undefined) failed++;
    else columns.hold(key, hostId, request.needs, Number.POSITIVE_INFINITY);
    if (latencies !== undefined) latencies[i] = performance.now() - started;
    if (hostId !== undefined) alive.push(key);
    if (alive.length - oldest > guestsAlive) {
      const gone = alive[oldest++];
      if (gone !== undefined) columns.releaseHold(gone);
    }
    if (options.variant === 'churn30' && prng.chance(0.3)) {
      const advert = prng.pick(news);
      advert.sequence = ++sequence;
      columns.upsert(advert);
    }
  };
  // Adverts to hear, made before the clock starts: making them is the mesh's work. Each is heard several times, newer.
  let sequence = 1;
  const news: (HostAdvert & { sequence: number })[] = [];
  for (let i = 0; options.variant === 'churn30' && i < 20_000; i++) {
    news.push({ ...loadedHost(prng.below(options.hosts), 1, prng) });
  }
  const warmUp = Math.min(options.decisions, options.name === 'naive' || options.name === 'scan' ? 20 : 20_000);
  for (let i = 0; i < warmUp; i++) turn(undefined, i);
  failed = 0;
  const latencies = new Float64Array(options.decisions);
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  for (let i = 0; i < options.decisions; i++) turn(latencies, i);
  const seconds = (performance.now() - started) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  return {
    opsPerSecond: options.decisions / seconds,
    opsPerCpuSecond: options.decisions / cpuSeconds,
    latencies,
    failed,
  };
}

function deciderOf(
  options: DecisionsOptions,
  columns: HostColumns,
  configuration: PlacementConfiguration,
  prng: Prng,
): Decider {
  if (options.name === 'exact') {
    const engine = new PlacementEngine(columns, configuration, prng);
    return (request) => engine.selectSlot(request);
  }
  if (options.name === 'naive') {
    return (request) => scanForBest(columns, configuration, request, 1)[0]?.slot ?? -1;
  }
  if (options.name === 'scan') {
    const classes = new Map<string, RequestClass>();
    return (request) => {
      const key = requestClassKey(columns, configuration, request);
      const known = classes.get(key);
      const requestClass = known ?? new RequestClass(columns, configuration, request);
      if (known === undefined) classes.set(key, requestClass);
      let best = -1;
      let bestScore = Number.NEGATIVE_INFINITY;
      for (let slot = 0; slot < columns.slotsUsed; slot++) {
        const score = requestClass.scoreOf(slot);
        if (score > bestScore) {
          best = slot;
          bestScore = score;
        }
      }
      return best;
    };
  }
  return (request) => {
    const score = naiveScorer(columns, configuration, request);
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < 8; i++) {
      const slot = prng.below(columns.slotsUsed);
      const value = score(slot);
      if (value !== undefined && value > bestScore) {
        best = slot;
        bestScore = value;
      }
    }
    return best;
  };
}

/** A host of one of three sizes, 30 to 80 % full. */
function loadedHost(number: number, sequence: number, prng: Prng): HostAdvert {
  const size = 1 + (number % 3);
  const fill = 0.3 + 0.5 * prng.float();
  return syntheticHost(number, {
    sequence,
    zone: `zone-${number % 4}`,
    aggregates: number % 10 === 0 ? [{ name: 'ssd', metadata: { ssd: 'true' } }] : [],
    vcpus: { total: 32 * size, reserved: 0, allocationRatio: 4, used: Math.floor(128 * size * fill) },
    memoryMib: {
      total: 262_144 * size,
      reserved: 4096,
      allocationRatio: 1,
      used: 1024 * Math.floor(252 * size * fill),
    },
    diskGib: { total: 4096 * size, reserved: 0, allocationRatio: 1, used: Math.floor(4096 * size * fill) },
    numInstances: Math.floor(40 * fill),
    ioOps: prng.below(3),
  });
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
