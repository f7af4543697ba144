import { Prng } from '../../node/base/prng.ts';
import { ShapeTracker } from '../configuration/shape-tracker.ts';
import {
  defaultConfiguration,
  type HostAdvert,
  HostColumns,
  type PlacementConfiguration,
  PlacementEngine,
  placementRequest,
} from '../index.ts';
import { type Baseline, type BaselineName, type BelievedHosts, makeBaseline } from './baselines.ts';
import type { BenchRow } from './report/report.ts';
import { syntheticHost } from './synthetic.ts';
import type { HostSize, Trace } from './trace.ts';

/** Days that count. */
const windowDays = 14;
const secondsPerDay = 86_400;
/** Refusals after which a guest is given up. Far more than an agent would try, so that no strategy packs better by giving up. */
const triesMax = 256;

export interface PackingOptions {
  readonly trace: Trace;
  readonly traceName: string;
  readonly host: HostSize;
  /** `shoal` is the production engine with strategy `pack`. */
  readonly name: BaselineName | 'shoal';
  /** How late an agent hears what other agents placed, and what ended. Seconds. */
  readonly stalenessS: number;
  readonly seed: number;
}

/**
 * Figure 3. Replays arrivals and ends over hosts of one size and counts hosts in use.
 *
 * With a fresh view one agent sees everything at once. With a stale one, five agents take arrivals in turn by lot: each sees
 * its own placements at once and all else `stalenessS` late; the host admits by the truth, a refusal costs a retry and
 * brings that host's truth with it. Guests there before the window are placed first, in the trace's order, with a fresh view
 * of what went before. `peak` is the most hosts in use at one time in the window, `ratio` that over the lower bound.
 */
export function benchPacking(options: PackingOptions): BenchRow {
  const { trace, host } = options;
  const bound = lowerBound(trace, host);
  const hosts = Math.ceil(bound * (options.name === 'worst-fit' || options.name === 'random' ? 1.7 : 1.25)) + 64;
  const agentCount = options.stalenessS === 0 ? 1 : 5;
  const prng = new Prng(options.seed);
  const agents: PackingAgent[] = Array.from({ length: agentCount }, () =>
    options.name === 'shoal'
      ? new EngineAgent(host, hosts, prng.uint32(), agentCount > 1)
      : new BaselineAgent(makeBaseline(options.name, host, prng.fork()), host, hosts),
  );
  const truth = new Truth(host, hosts);
  const delayDays = options.stalenessS / secondsPerDay;
  const news: { readonly at: number; readonly h: number; readonly except: number }[] = [];
  let heard = 0;
  const where = new Int32Array(trace.count).fill(-1);
  const ends = [...where.keys()].filter((i) => (trace.end[i] ?? 0) <= windowDays);
  ends.sort((a, b) => (trace.end[a] ?? 0) - (trace.end[b] ?? 0) || a - b);
  let nextEnd = 0;
  let peak = 0;
  let refusals = 0;
  let conflicts = 0;
  let failed = 0;
  const started = performance.now();
  const tell = (h: number, now: number, by: number): void => {
    if (options.stalenessS === 0) return;
    news.push({ at: now + delayDays, h, except: by });
  };
  for (let i = 0; i < trace.count; i++) {
    const now = trace.start[i] ?? 0;
    for (; nextEnd < ends.length; nextEnd++) {
      const gone = ends[nextEnd] ?? 0;
      if ((trace.end[gone] ?? 0) > now) break;
      const h = where[gone] ?? -1;
      if (h < 0) continue;
      truth.free(h, trace.vcpus[gone] ?? 0, trace.memory[gone] ?? 0);
      if (options.stalenessS === 0) for (const agent of agents) agent.learn(h, truth);
      else tell(h, trace.end[gone] ?? 0, -1);
    }
    // Before the window everybody knows everything; in it, what is older than the delay.
    while (heard < news.length && (now < 0 || (news[heard]?.at ?? 0) <= now)) {
      const item = news[heard++];
      if (item === undefined) break;
      for (let a = 0; a < agents.length; a++) if (a !== item.except) agents[a]?.learn(item.h, truth);
    }
    const by = agents.length === 1 ? 0 : prng.below(agents.length);
    const agent = agents[by];
    if (agent === undefined) continue;
    const vcpus = trace.vcpus[i] ?? 0;
    const memory = trace.memory[i] ?? 0;
    const refused = new Set<number>();
    for (;;) {
      const h = refused.size > triesMax ? -1 : agent.choose(vcpus, memory, refused);
      if (h < 0) {
        failed++;
        break;
      }
      if (truth.admit(h, vcpus, memory)) {
        where[i] = h;
        agent.learn(h, truth);
        tell(h, now, by);
        break;
      }
      refusals++;
      if (refused.size === 0) conflicts++;
      refused.add(h);
      agent.learn(h, truth);
    }
    // Guests from before the window arrive one by one only here; the window opens when all of them are there.
    if ((trace.start[i + 1] ?? 0) >= 0) peak = Math.max(peak, truth.inUse);
  }
  const seconds = (performance.now() - started) / 1000;
  return {
    bench: 'packing',
    name: options.name,
    trace: options.traceName,
    host: `${host.vcpus}/${host.memory}`,
    stale_s: options.stalenessS,
    ratio: Math.round((peak / bound) * 1e5) / 1e5,
    peak_hosts: peak,
    lower_bound: bound,
    guests: trace.count,
    conflicts_pct: Math.round((conflicts / trace.count) * 1e5) / 1e3,
    retries: refusals,
    failed,
    ops_per_s: Math.round(trace.count / seconds),
    seed: options.seed,
  };
}

/** The fewest hosts that could ever do: total demand over one host's capacity in the scarcer resource, at its highest. */
function lowerBound(trace: Trace, host: HostSize): number {
  const events: { readonly at: number; readonly vcpus: number; readonly memory: number }[] = [];
  for (let i = 0; i < trace.count; i++) {
    const vcpus = trace.vcpus[i] ?? 0;
    const memory = trace.memory[i] ?? 0;
    events.push({ at: Math.max(0, trace.start[i] ?? 0), vcpus, memory });
    const end = trace.end[i] ?? 0;
    if (end <= windowDays) events.push({ at: Math.max(0, end), vcpus: -vcpus, memory: -memory });
  }
  // Ends come before arrivals of the same moment.
  events.sort((a, b) => a.at - b.at || a.vcpus - b.vcpus);
  let vcpus = 0;
  let memory = 0;
  let most = 1;
  for (const event of events) {
    vcpus += event.vcpus;
    memory += event.memory;
    if (event.at <= windowDays) most = Math.max(most, Math.ceil(vcpus / host.vcpus), Math.ceil(memory / host.memory));
  }
  return most;
}

/** What hosts really hold: the claim ledgers' part in this bench. */
class Truth {
  readonly vcpusFree: Float64Array;
  readonly memoryFree: Float64Array;
  readonly guests: Int32Array;
  inUse = 0;

  constructor(size: HostSize, hosts: number) {
    this.vcpusFree = new Float64Array(hosts).fill(size.vcpus);
    this.memoryFree = new Float64Array(hosts).fill(size.memory);
    this.guests = new Int32Array(hosts);
  }

  admit(h: number, vcpus: number, memory: number): boolean {
    if ((this.vcpusFree[h] ?? 0) < vcpus || (this.memoryFree[h] ?? 0) < memory) return false;
    this.#move(h, vcpus, memory, 1);
    return true;
  }

  free(h: number, vcpus: number, memory: number): void {
    this.#move(h, -vcpus, -memory, -1);
  }

  #move(h: number, vcpus: number, memory: number, guests: 1 | -1): void {
    const before = this.guests[h] ?? 0;
    this.vcpusFree[h] = (this.vcpusFree[h] ?? 0) - vcpus;
    this.memoryFree[h] = (this.memoryFree[h] ?? 0) - memory;
    this.guests[h] = before + guests;
    if (before === 0) this.inUse++;
    else if (before + guests === 0) this.inUse--;
  }
}

interface PackingAgent {
  choose(vcpus: number, memory: number, refused: ReadonlySet<number>): number;
  /** Takes in how a host is now. */
  learn(h: number, truth: Truth): void;
}

class BaselineAgent implements PackingAgent {
  readonly #baseline: Baseline;
  readonly #believed: BelievedHosts;

  constructor(baseline: Baseline, size: HostSize, hosts: number) {
    this.#baseline = baseline;
    this.#believed = {
      vcpusFree: new Float64Array(hosts).fill(size.vcpus),
      memoryFree: new Float64Array(hosts).fill(size.memory),
      guests: new Int32Array(hosts),
      used: 0,
    };
  }

  choose(vcpus: number, memory: number, refused: ReadonlySet<number>): number {
    return this.#baseline(this.#believed, vcpus, memory, refused);
  }

  learn(h: number, truth: Truth): void {
    const hosts = this.#believed;
    hosts.vcpusFree[h] = truth.vcpusFree[h] ?? 0;
    hosts.memoryFree[h] = truth.memoryFree[h] ?? 0;
    hosts.guests[h] = truth.guests[h] ?? 0;
    hosts.used = Math.max(hosts.used, h + 1);
  }
}

/** The production path: adverts into columns, engine, shapes learned from the requests that passed by so far. */
class EngineAgent implements PackingAgent {
  readonly #columns: HostColumns;
  readonly #engine: PlacementEngine;
  readonly #adverts: HostAdvert[] = [];
  readonly #tracker = new ShapeTracker();
  #learnShapesAt = 2_000;

  /** @param shared several agents place at once, so draw among near-equals. */
  constructor(size: HostSize, hosts: number, seed: number, shared: boolean) {
    this.#columns = new HostColumns({ seed, slotsMax: hosts });
    const configuration: PlacementConfiguration = {
      ...defaultConfiguration,
      strategy: 'pack',
      ...(shared ? { drawWidth: 64, drawTolerance: 0.3 } : { drawWidth: 1, drawTolerance: 0 }),
    };
    this.#engine = new PlacementEngine(this.#columns, configuration, new Prng(seed));
    for (let h = 0; h < hosts; h++) {
      const advert = syntheticHost(h, {
        failureDomain: '',
        vcpus: { total: size.vcpus, reserved: 0, allocationRatio: 1, used: 0 },
        memoryMib: { total: size.memory, reserved: 0, allocationRatio: 1, used: 0 },
      });
      this.#adverts.push(advert);
      this.#columns.upsert(advert);
    }
  }

  choose(vcpus: number, memory: number, refused: ReadonlySet<number>): number {
    const needs = { vcpus, memoryMib: memory, diskGib: 0, pci: [] };
    if (refused.size === 0) {
      this.#tracker.note(needs);
      if (this.#tracker.total >= this.#learnShapesAt) {
        this.#learnShapesAt *= 4;
        this.#engine.reconfigure({ ...this.#engine.configuration, shapes: this.#tracker.shapes() });
      }
    }
    // No `excludedHosts`: the refusal brought the host's truth with it, so it is not chosen again unless it fits.
    return this.#engine.selectSlot(placementRequest({ needs }), refused.size);
  }

  learn(h: number, truth: Truth): void {
    const before = this.#adverts[h];
    if (before === undefined) return;
    const guests = truth.guests[h] ?? 0;
    const advert: HostAdvert = {
      ...before,
      sequence: before.sequence + 1,
      vcpus: { ...before.vcpus, used: before.vcpus.total - (truth.vcpusFree[h] ?? 0) },
      memoryMib: { ...before.memoryMib, used: before.memoryMib.total - (truth.memoryFree[h] ?? 0) },
      numInstances: guests,
    };
    this.#adverts[h] = advert;
    this.#columns.upsert(advert);
  }
}
