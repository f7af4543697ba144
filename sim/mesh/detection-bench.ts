/** What failure detection costs and how well it does, by production's rules on the simulated network. */
import { must } from '../../node/base/assert.ts';
import { DetectionWorld } from './detection-world.ts';

interface DetectionBenchOptions {
  /** Sizes of meshes. */
  readonly hosts: readonly number[];
  readonly seed: number;
  /** Hosts that are taken away one after another. */
  readonly deaths: number;
  /** Where false alarms are looked for: hosts of that mesh, and how long each is watched. */
  readonly falseAlarms: { readonly hosts: number; readonly hostDays: number };
  /** Hears what is being done, for somebody who waits. */
  readonly progress?: (text: string) => void;
}

/** One figure. */
interface DetectionRow {
  readonly what: string;
  readonly hosts: number;
  readonly value: number;
  readonly unit: string;
}

/** 1 % of messages lost for good, and 5 % of agents without CPU for 10 s at a time (issue 13). */
const lossRate = 0.01;
const starved = { share: 0.05, forMs: 10_000 };
const dayMs = 86_400_000;
/** The largest mesh of which half is taken away at once: each host of it accuses many. */
const halfHostsMax = 2_000;

/** All figures; the largest mesh takes some minutes. */
export function runDetection(options: DetectionBenchOptions): readonly DetectionRow[] {
  const rows: DetectionRow[] = [];
  for (const hosts of options.hosts) {
    options.progress?.(`${hosts} hosts: at rest, and ${options.deaths} deaths`);
    rows.push(...atRest(hosts, options.seed), ...deaths(hosts, options, false));
    if (hosts > halfHostsMax) continue;
    options.progress?.(`${hosts} hosts: deaths while others are starved; half of the hosts gone`);
    rows.push(...deaths(hosts, options, true), ...halfGone(hosts, options.seed));
  }
  options.progress?.(`${options.falseAlarms.hostDays} host-days`);
  rows.push(...falseAlarms(options));
  return rows;
}

/** Messages and bytes of one host and second when nothing happens but losses. */
function atRest(hosts: number, seed: number): readonly DetectionRow[] {
  const world = new DetectionWorld({ hosts, seed, lossRate });
  world.advance(20_000);
  const before = world.network.totalTraffic;
  const seconds = 30;
  world.advance(seconds * 1_000);
  const after = world.network.totalTraffic;
  const each = (name: 'messagesSent' | 'bytesSent'): number => (after[name] - before[name]) / hosts / seconds;
  return [
    { what: 'probes and answers sent at rest', hosts, value: each('messagesSent'), unit: '/s a host' },
    { what: 'bytes sent at rest', hosts, value: each('bytesSent'), unit: 'B/s a host' },
  ];
}

/** From the end of a host to when each other one, unless it is starved itself, has it for suspect and for dead. */
function deaths(hosts: number, options: DetectionBenchOptions, isStarved: boolean): readonly DetectionRow[] {
  const endedMs = new Map<number, number>();
  const noticed: Record<'suspect' | 'dead', number[]> = { suspect: [], dead: [] };
  const world = new DetectionWorld({
    hosts,
    seed: options.seed,
    lossRate,
    onCondition: (by, about, condition) => {
      const atMs = endedMs.get(about);
      if (atMs === undefined || (condition !== 'suspect' && condition !== 'dead')) return;
      const tookMs = world.network.nowMs - atMs;
      if (world.isAwake(by, tookMs)) noticed[condition].push(tookMs);
    },
  });
  world.advance(10_000);
  if (isStarved) {
    world.starveSome(starved.share, starved.forMs);
    world.advance(20_000);
  }
  for (let n = 0; n < options.deaths; n++) {
    const host = Math.floor(((n + 0.5) * hosts) / options.deaths);
    endedMs.set(host, world.network.nowMs);
    world.stop(host, n % 2 === 0 ? 'gone' : 'ended');
    world.advance(10_137); // At another moment of the period each time.
  }
  const where = isStarved ? ', 5 % of agents starved' : '';
  return (['suspect', 'dead'] as const).flatMap((condition) => [
    {
      what: `a host gone to ${condition} at each other${where}, p50`,
      hosts,
      value: quantile(noticed[condition], 0.5),
      unit: 'ms',
    },
    {
      what: `a host gone to ${condition} at each other${where}, p99`,
      hosts,
      value: quantile(noticed[condition], 0.99),
      unit: 'ms',
    },
  ]);
}

/** Half of the hosts gone at one moment: until each of the others has exactly these for dead. */
function halfGone(hosts: number, seed: number): readonly DetectionRow[] {
  const world = new DetectionWorld({ hosts, seed, lossRate });
  world.advance(10_000);
  const before = world.network.totalTraffic;
  const half = Math.floor(hosts / 2);
  for (let host = 0; host < half; host++) world.stop(host, 'gone');
  const startMs = world.network.nowMs;
  while (!isExact(world, half) && world.network.nowMs - startMs < 120_000) world.advance(250);
  const tookMs = world.network.nowMs - startMs;
  const bytes = world.network.totalTraffic.bytesSent - before.bytesSent;
  return [
    { what: 'half of the hosts gone at once, until all views are exact', hosts, value: tookMs, unit: 'ms' },
    { what: 'bytes sent meanwhile', hosts, value: bytes / (hosts - half), unit: 'B a host' },
  ];
}

/** Whether all but the first `gone` hosts have these, and these alone, for dead. */
export function isExact(world: DetectionWorld, gone: number): boolean {
  for (let by = gone; by < world.ids.length; by++) {
    for (let about = 0; about < world.ids.length; about++) {
      if (by !== about && (world.conditionOf(by, about) === 'dead') !== about < gone) return false;
    }
  }
  return true;
}

/** Hosts that are called down by anybody while they are up: with losses and agents starved of CPU. */
function falseAlarms(options: DetectionBenchOptions): readonly DetectionRow[] {
  const { hosts, hostDays } = options.falseAlarms;
  let downs = 0;
  const world = new DetectionWorld({
    hosts,
    seed: options.seed,
    lossRate,
    onCondition: (_by, _about, condition) => {
      if (condition === 'dead') downs++;
    },
  });
  world.starveSome(starved.share, starved.forMs);
  const endMs = (hostDays / hosts) * dayMs;
  while (world.network.nowMs < endMs) world.advance(Math.min(60_000, endMs - world.network.nowMs));
  // With none seen, three is the upper bound at 95 % (rule of three); with some, about two deviations above.
  const bound = downs === 0 ? 3 : downs + 2 * Math.sqrt(downs) + 2;
  return [
    { what: 'host-days with 1 % loss and 5 % of agents starved for 10 s', hosts, value: hostDays, unit: 'd' },
    { what: 'times that an agent was starved in them', hosts, value: world.starvations, unit: '' },
    { what: 'false downs in them', hosts, value: downs, unit: '' },
    { what: 'false downs a 1,000 host-days, bound at 95 %', hosts, value: (bound / hostDays) * 1_000, unit: '' },
  ];
}

/** 0 for none. */
function quantile(values: readonly number[], part: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return must(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))], 'a value');
}
