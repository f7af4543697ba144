/**
 * What gossip costs and how fast it is among very many hosts, on the simulator's network: rows for `npm run bench:mesh`.
 * Figures of a host at rest include gossip's links (libp2p's pings), as measured between two real hosts.
 */
import { Prng } from '../../node/base/prng.ts';
import { linkPolicy } from '../../node/mesh/gossip/link-keeper.ts';
import { GossipWorld } from './gossip-world.ts';
import { MeshNetwork } from './mesh-network.ts';

/** One figure. */
export interface GossipRow {
  readonly what: string;
  readonly hosts: number;
  readonly value: number;
  readonly unit: string;
}

/** What is simulated. */
interface GossipBenchOptions {
  /** Hosts, 2 or more. Default: 1,000. */
  readonly hosts?: number;
  readonly seed?: number;
  /** Share of hosts that pass on nothing and lie about their views. Default: none. */
  readonly muteRate?: number;
  /** Share of messages that is lost for good. Default: 1 %. */
  readonly lossRate?: number;
  /** Changes whose way is followed. Default: 20 of each kind, 5 with more than 2,000 hosts. */
  readonly changes?: number;
  /** Time with 2 % of the hosts changing a second, s. Default: 10, and 1 with more than 2,000 hosts. */
  readonly busyS?: number;
}

/** A link that is pinged by both sides, each way: measured at 286 bytes a ping, through a proxy on loopback. */
const pingBytes = 286;
/** Changes that a host misses while it is cut off. */
const changesMissed = 10;
/** With more hosts than this, less is simulated. */
const manyHosts = 2_000;
/** Time that a change is given to reach all, ms; who has it not by then has missed it. */
const followMs = 3_000;
/** Time over which hosts at rest are looked at, ms: several comparisons of each, or two of each of very many. */
const restMs = { few: 180_000, many: 60_000 };

/** Runs it. One seed gives one answer. */
export async function runGossip(options: GossipBenchOptions = {}): Promise<readonly GossipRow[]> {
  const { hosts = 1_000, seed = 1, lossRate = 0.01, muteRate = 0 } = options;
  const isLarge = hosts > manyHosts;
  const { changes = isLarge ? 5 : 20, busyS = isLarge ? 1 : 10 } = options;
  const random = new Prng(seed);
  const network = new MeshNetwork({ hosts, random: random.fork(), latencyMs: { min: 1, max: 20 }, lossRate });
  const world = new GossipWorld(network, random.fork());
  const muted = random.fork();
  while (world.mute.size < Math.floor(muteRate * hosts)) world.mute.add(muted.below(hosts));
  network.runUntil(1_000);
  const row = (what: string, value: number, unit: string): GossipRow => ({ what, hosts, value: rounded(value), unit });
  return [
    ...propagation(world, random.fork(), { kind: 'important', changes }).map(([what, value, unit]) =>
      row(`simulated gossip: important change, ${what}`, value, unit),
    ),
    ...propagation(world, random.fork(), { kind: 'ordinary', changes }).map(([what, value, unit]) =>
      row(`simulated gossip: ordinary change, ${what}`, value, unit),
    ),
    row('simulated gossip: bytes of an advert', world.advertBytes, 'B'),
    row('simulated gossip: bytes of an update', world.updateBytes, 'B'),
    ...busy(world, random.fork(), busyS).map(([what, value, unit]) =>
      row(`simulated gossip: 2 % of hosts change a second, ${what}`, value, unit),
    ),
    ...rest(world).map(([what, value, unit]) => row(`simulated gossip: at rest, ${what}`, value, unit)),
    row('simulated gossip: newcomer has the whole view after', wholeView(world, random.fork()), 'ms'),
    ...missed(world, random.fork(), lossRate).map(([what, value, unit]) =>
      row(`simulated gossip: missed while cut off for 5 s, ${what}`, value, unit),
    ),
  ];
}

type Figure = readonly [what: string, value: number, unit: string];

/** How long a change takes until another host, and until every other host, has its advert. */
function propagation(
  world: GossipWorld,
  random: Prng,
  { kind, changes }: { readonly kind: 'ordinary' | 'important'; readonly changes: number },
): readonly Figure[] {
  const { network, hosts } = world;
  const toOne: number[] = [];
  const toAll: number[] = [];
  let missing = 0;
  for (let n = 0; n < changes; n += 1) {
    const number = random.below(hosts.length);
    const hostId = hosts[number]?.hostId;
    const startMs = network.nowMs;
    let reached = 0;
    let lastMs = 0;
    world.watch((host, held) => {
      if (held.hostId !== hostId || host === number) return;
      reached += 1;
      lastMs = network.nowMs - startMs;
      toOne.push(lastMs);
    });
    world.change(number, kind);
    network.runUntil(startMs + followMs);
    missing += hosts.length - 1 - reached;
    toAll.push(lastMs);
  }
  world.watch();
  return [
    ['until a host has it, p50', quantile(toOne, 0.5), 'ms'],
    ['until a host has it, p99', quantile(toOne, 0.99), 'ms'],
    ['until all have it, p50', quantile(toAll, 0.5), 'ms'],
    ['until all have it, p99', quantile(toAll, 0.99), 'ms'],
    ['until all have it, max', Math.max(...toAll), 'ms'],
    [`hosts that had it not after ${followMs / 1000} s, of ${changes} changes`, missing, 'hosts'],
  ];
}

/** Bytes and messages of a host while some change all the time. */
function busy(world: GossipWorld, random: Prng, seconds: number): readonly Figure[] {
  const { network, hosts } = world;
  // The first second only fills the pipes.
  const startMs = network.nowMs + 1_000;
  const everyMs = 1_000 / (0.02 * hosts.length);
  for (let atMs = 0; atMs < (seconds + 1) * 1_000; atMs += everyMs)
    network.after(atMs, () => world.change(random.below(hosts.length), 'ordinary'));
  network.runUntil(startMs);
  return traffic(world, seconds * 1_000);
}

function rest(world: GossipWorld): readonly Figure[] {
  // What was under way comes to its end.
  world.network.runUntil(world.network.nowMs + 30_000);
  return traffic(world, world.hosts.length > manyHosts ? restMs.many : restMs.few);
}

function traffic({ network, hosts }: GossipWorld, forMs: number): readonly Figure[] {
  const before = hosts.map((_, host) => network.traffic(host));
  network.runUntil(network.nowMs + forMs);
  const perSecond = hosts.map((_, host) => {
    const [then, now] = [before[host], network.traffic(host)];
    return {
      sent: ((now.bytesSent - (then?.bytesSent ?? 0)) * 1_000) / forMs,
      received: ((now.bytesReceived - (then?.bytesReceived ?? 0)) * 1_000) / forMs,
      messages: ((now.messagesSent - (then?.messagesSent ?? 0)) * 1_000) / forMs,
    };
  });
  const links = (linkPolicy.linksWanted + linkPolicy.linksMax) / 2;
  // Each link is tested by one of its ends.
  const pings = (links * pingBytes * 1_000) / linkPolicy.pingMs;
  return [
    ['bytes sent a host, mean', mean(perSecond.map(({ sent }) => sent)) + pings, 'B/s'],
    ['bytes sent a host, max', Math.max(...perSecond.map(({ sent }) => sent)) + pings, 'B/s'],
    ['bytes received a host, mean', mean(perSecond.map(({ received }) => received)) + pings, 'B/s'],
    ['of these for pings of links', pings, 'B/s'],
    ['messages sent a host, mean, pings left out', mean(perSecond.map(({ messages }) => messages)), '1/s'],
  ];
}

/** From the start of an agent with links to a whole view. */
function wholeView(world: GossipWorld, random: Prng): number {
  const { network, hosts } = world;
  const number = random.below(hosts.length);
  const startMs = network.nowMs;
  world.restart(number);
  while (!world.isWhole(number) && network.nowMs < startMs + 60_000) network.runUntil(network.nowMs + 10);
  return network.nowMs - startMs;
}

/** A host hears nothing while some others change; how long after that until it knows all. */
function missed(world: GossipWorld, random: Prng, lossRate: number): readonly Figure[] {
  const { network, hosts } = world;
  const tookMs: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const number = random.below(hosts.length);
    network.cutWhere((from, to) => from === number || to === number);
    for (let m = 0; m < changesMissed; m += 1)
      world.change((number + 1 + random.below(hosts.length - 1)) % hosts.length, 'ordinary');
    network.runUntil(network.nowMs + 5_000);
    network.cutWhere();
    const startMs = network.nowMs;
    world.linkMade(number);
    while (!world.isWhole(number) && network.nowMs < startMs + 120_000) network.runUntil(network.nowMs + 10);
    tookMs.push(network.nowMs - startMs);
  }
  return [
    ['until it knows all, p50', quantile(tookMs, 0.5), 'ms'],
    [`until it knows all, max of 10, ${lossRate * 100} % lost`, Math.max(...tookMs), 'ms'],
  ];
}

function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
