/** What all agents use between two moments: processor, network, memory. */
import { mean, rounded } from '../figures/times.ts';
import type { AgentProcess, Memory } from '../hosts/agent-process.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';
import type { LinkCounts } from '../hosts/star-network.ts';

/** An agent is to stay below it; a bound of the agents' histogram. */
const stallSeconds = 0.05;

/** Means over the agents that ran from beginning to end, if nothing else is said. */
export interface Usage {
  readonly seconds: number;
  /** Of one core. Unit: percent. */
  readonly cpuPercent: number;
  readonly cpuPercentWorst: number;
  /** Of the agent that led at the end; undefined: none did. */
  readonly cpuPercentLeader: number | undefined;
  /** Of all together. */
  readonly cpuPercentAll: number;
  /** A host and second, with the headers of Ethernet, IP and TCP; undefined: not counted, for want of namespaces. */
  readonly sentBytesPerSecond: number | undefined;
  readonly receivedBytesPerSecond: number | undefined;
  readonly sentPacketsPerSecond: number | undefined;
  readonly receivedPacketsPerSecond: number | undefined;
  readonly leaderSentBytesPerSecond: number | undefined;
  readonly memory: Memory;
  readonly rssMibWorst: number;
  /** Of those that hold a slice of the state in place of a replica; undefined: none does. Unit: MiB. */
  readonly rssMibSubscribers: number | undefined;
  /** How often an event loop was late by more than 50 ms, all agents together; undefined: they do not tell. */
  readonly eventLoopStalls: number | undefined;
  /** The bucket's bound that none of them exceeded; null in JSON: one was later than the last bound. */
  readonly eventLoopDelayMsBelow: number | undefined;
}

/** Begins to count; the function that it returns ends it. Asks the agents nothing in between. */
export async function measureUsage(mesh: RealMesh): Promise<() => Promise<Usage>> {
  const agents = mesh.agents.filter((agent) => agent.isRunning);
  const delays = await loopDelays(mesh, agents);
  const links = mesh.links();
  const cpu = new Map(agents.map((agent) => [agent, agent.cpuSeconds()]));
  const beganMs = performance.now();
  return async () => {
    const seconds = (performance.now() - beganMs) / 1000;
    const percents = new Map<AgentProcess, number>();
    for (const agent of agents) {
      if (agent.isRunning) percents.set(agent, ((agent.cpuSeconds() - (cpu.get(agent) ?? 0)) / seconds) * 100);
    }
    const linksNow = mesh.links();
    const memories = agents.map((agent) => agent.memory());
    const leader = await mesh.leader();
    const delaysNow = await loopDelays(mesh, agents);
    const perSecond = (of: keyof LinkCounts, whose = agents): number | undefined =>
      links === undefined || linksNow === undefined
        ? undefined
        : Math.round(mean(whose.map((a) => ((linksNow.get(a)?.[of] ?? 0) - (links.get(a)?.[of] ?? 0)) / seconds)));
    const all = [...percents.values()];
    return {
      seconds: rounded(seconds),
      cpuPercent: rounded(mean(all)),
      cpuPercentWorst: rounded(Math.max(...all)),
      cpuPercentLeader: leader === undefined ? undefined : rounded(percents.get(leader) ?? 0),
      cpuPercentAll: rounded(all.reduce((sum, percent) => sum + percent, 0)),
      sentBytesPerSecond: perSecond('sentBytes'),
      receivedBytesPerSecond: perSecond('receivedBytes'),
      sentPacketsPerSecond: perSecond('sentPackets'),
      receivedPacketsPerSecond: perSecond('receivedPackets'),
      leaderSentBytesPerSecond: leader === undefined ? undefined : perSecond('sentBytes', [leader]),
      memory: {
        rssMib: rounded(mean(memories.map((memory) => memory.rssMib))),
        pssMib: rounded(mean(memories.map((memory) => memory.pssMib))),
        fileMib: rounded(mean(memories.map((memory) => memory.fileMib))),
      },
      rssMibWorst: Math.max(...memories.map((memory) => memory.rssMib)),
      rssMibSubscribers: await rssOfSubscribers(mesh, agents, memories),
      ...delaysBetween(delays, delaysNow),
    };
  };
}

async function rssOfSubscribers(
  mesh: RealMesh,
  agents: readonly AgentProcess[],
  memories: readonly Memory[],
): Promise<number | undefined> {
  const found: number[] = [];
  for (const [at, agent] of agents.entries()) {
    if (!agent.isRunning) continue;
    const rssMib = memories[at]?.rssMib;
    const rows = (await mesh.metrics(agent)).get('shoal_slice_rows') ?? 0;
    if (rssMib !== undefined && rows > 0) found.push(rssMib);
  }
  return found.length === 0 ? undefined : rounded(mean(found));
}

/** What the agents tell of their event loops' delays since they started. */
interface LoopDelays {
  /** How many of each bucket, all agents together, by its upper bound. Unit of the bound: seconds. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** Of all agents; empty when they are of a version that does not tell. */
async function loopDelays(mesh: RealMesh, agents: readonly AgentProcess[]): Promise<LoopDelays> {
  const buckets = new Map<number, number>();
  for (const agent of agents) {
    if (!agent.isRunning) continue;
    for (const [name, count] of await mesh.metrics(agent)) {
      const bound = /^shoal_event_loop_delay_seconds_bucket{le="([^"]+)"}$/.exec(name)?.[1];
      if (bound === undefined) continue;
      const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
      buckets.set(seconds, (buckets.get(seconds) ?? 0) + count);
    }
  }
  return { buckets };
}

/** What came between two looks. */
function delaysBetween(
  before: LoopDelays,
  after: LoopDelays,
): Pick<Usage, 'eventLoopStalls' | 'eventLoopDelayMsBelow'> {
  if (after.buckets.size === 0) return { eventLoopStalls: undefined, eventLoopDelayMsBelow: undefined };
  const upTo = (seconds: number): number => (after.buckets.get(seconds) ?? 0) - (before.buckets.get(seconds) ?? 0);
  const all = upTo(Number.POSITIVE_INFINITY);
  const bounds = [...after.buckets.keys()].sort((a, b) => a - b);
  return {
    eventLoopStalls: all - upTo(stallSeconds),
    eventLoopDelayMsBelow: (bounds.find((bound) => upTo(bound) === all) ?? 0) * 1000,
  };
}
