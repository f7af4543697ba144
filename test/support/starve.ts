/**
 * Agents that get no CPU for a while, in slices, under clients that go on calling: what a machine that is torn between too
 * many does to a cloud. The agents are real processes with the fake drivers; SIGSTOP takes their CPU, and their hosts'
 * kernels live.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Prng } from '../../node/base/prng.ts';
import { voterTarget } from '../../node/consensus/autopilot/autopilot.ts';
import { DevCloud } from '../../node/dev/cloud.ts';
import type { RestClient } from '../../node/dev/rest-client.ts';

/** Longest that one call may take before it counts as failed. Unit: milliseconds. */
const callMsMax = 60_000;
/** How long an agent gets no CPU, and how long it gets some then. Unit: milliseconds. */
const stoppedMs = [200, 1_500] as const;
const runningMs = [30, 250] as const;
/** Agents and calls after the starvation. Unit: milliseconds. */
const recoveryMsMax = 60_000;

export interface StarveOptions {
  readonly agents: number;
  readonly starveMs: number;
  readonly clients: number;
  readonly seed: number;
  /** Hears of what goes on. */
  readonly tell: (line: string) => void;
}

/** One call of a client. */
interface Call {
  readonly what: string;
  readonly agent: string;
  readonly isWrite: boolean;
  readonly tookMs: number;
  readonly wasStarved: boolean;
  readonly isStale: boolean;
  /** Undefined: it was done. */
  readonly failure: string | undefined;
}

export interface StarveReport {
  readonly calls: readonly Call[];
  readonly failures: readonly string[];
  readonly staleReads: number;
  /** Hosts that an agent calls down, or voters that are no longer what they were, when all have CPU again. */
  readonly missing: readonly string[];
  /** Changes of the members in any agent's log from the beginning of the starvation. */
  readonly memberChanges: readonly string[];
  /** How long after the last slice until a write at every agent was quick again. Unit: milliseconds. */
  readonly recoveredAfterMs: number;
  /** After that, all but one or two agents killed: how long a refusal took at one of the rest. Unit: milliseconds. */
  readonly refusalsMs: readonly number[];
  readonly refusalTexts: readonly string[];
}

/** Starts a cloud, starves it, and ends it. Throws when it cannot be started. */
export async function starveCloud(options: StarveOptions): Promise<StarveReport> {
  const { agents, tell } = options;
  const folder = mkdtempSync(join(tmpdir(), 'shoal-starve-'));
  const cloud = await DevCloud.open({ folder, agents, real: false, storage: 'local', readyMsMax: 120_000 });
  try {
    await cloud.startAgents();
    await cloud.waitUntilFormed(120_000);
    await votersOf(cloud, voterTarget(agents));
    tell(`${agents} agents are up`);
    return await starve(cloud, options);
  } finally {
    for (const { name } of cloud.layout.agents) signalTo(cloud, name, 'SIGCONT');
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

async function starve(cloud: DevCloud, options: StarveOptions): Promise<StarveReport> {
  const { clients, starveMs, seed, tell } = options;
  const random = new Prng(seed);
  const names = cloud.layout.agents.map((agent) => agent.name);
  const rest = new Map(names.map((name) => [name, cloud.client(name)]));
  for (const client of rest.values()) await client.token();
  const flavor = await makeFlavor(cloud.client('h1'));
  const calls: Call[] = [];
  let isStarved = false;
  let isOver = false;
  const working = Array.from({ length: clients }, async (_, at) => {
    const own = random.fork();
    for (let count = 0; !isOver; count += 1) {
      const agent = own.pick(names);
      const client = rest.get(agent);
      if (client === undefined) throw new Error(`no client of ${agent}`);
      const startedAt = isStarved;
      calls.push(await call(client, agent, `c${at}-${count}`, own.below(4), flavor, () => startedAt || isStarved));
      await delay(20);
    }
  });
  await delay(1_000);
  const before = await votersOf(cloud, voterTarget(names.length));
  const startedMs = Date.now();
  isStarved = true;
  await Promise.all(names.map((name) => takeCpu(cloud, name, random.fork(), starveMs)));
  isStarved = false;
  const recoveredMs = performance.now();
  await quickEverywhere(names.map((name) => rest.get(name) ?? cloud.client(name)));
  const recoveredAfterMs = performance.now() - recoveredMs;
  isOver = true;
  await Promise.all(working);
  tell(`${calls.length} calls, ${calls.filter((done) => done.failure !== undefined).length} failed`);
  const after = await votersOf(cloud, voterTarget(names.length));
  const memberChanges = memberChangesSince(cloud, startedMs);
  await cloud.waitUntilFormed(recoveryMsMax);
  const left = names.slice(0, 1);
  const refusal = await refusalAfterLoss(cloud, left, names.slice(1));
  return {
    calls,
    failures: calls.flatMap(({ what, agent, tookMs, failure }) =>
      failure === undefined ? [] : [`${what} at ${agent} after ${Math.round(tookMs)} ms: ${failure}`],
    ),
    staleReads: calls.filter(({ isStale }) => isStale).length,
    missing: before.join() === after.join() ? [] : [`voters ${before.join()} became ${after.join()}`],
    memberChanges,
    recoveredAfterMs,
    ...refusal,
  };
}

/** Stops and continues one agent until the time is over. */
async function takeCpu(cloud: DevCloud, name: string, random: Prng, forMs: number): Promise<void> {
  const between = ([least, most]: readonly [number, number]): number => least + random.below(most - least);
  const untilMs = performance.now() + forMs;
  try {
    while (performance.now() < untilMs) {
      signalTo(cloud, name, 'SIGSTOP');
      await delay(between(stoppedMs));
      signalTo(cloud, name, 'SIGCONT');
      await delay(between(runningMs));
    }
  } finally {
    signalTo(cloud, name, 'SIGCONT');
  }
}

function signalTo(cloud: DevCloud, name: string, signal: NodeJS.Signals): void {
  const pid = cloud.pidOf(name);
  if (pid !== undefined) process.kill(pid, signal);
}

const tinyFlavor = { ram: 64, vcpus: 1, disk: 0 };

/** What clients do: three kinds of writes that no quota limits, and a read. */
async function call(
  client: RestClient,
  agent: string,
  name: string,
  kind: number,
  flavorId: string,
  wasStarved: () => boolean,
): Promise<Call> {
  const requests = [
    { what: 'create project', path: '/identity/v3/projects', body: { project: { name } } },
    { what: 'create role', path: '/identity/v3/roles', body: { role: { name } } },
    { what: 'create flavor', path: '/compute/v2.1/flavors', body: { flavor: { ...tinyFlavor, name } } },
  ];
  const { what, path, body } = requests[kind] ?? {
    what: 'show flavor',
    path: `/compute/v2.1/flavors/${flavorId}`,
    body: undefined,
  };
  const startedMs = performance.now();
  let failure: string | undefined;
  let isStale = false;
  try {
    const { status, headers, text } = await client.raw(path, {
      timeoutMs: callMsMax,
      ...(body === undefined ? {} : { method: 'POST', body }),
    });
    isStale = headers.has('x-shoal-stale');
    if (status < 200 || status > 299) failure = `HTTP ${status} ${text.slice(0, 300)}`;
  } catch (error) {
    failure = `no answer: ${String(error)}`;
  }
  const tookMs = performance.now() - startedMs;
  return { what, agent, isWrite: body !== undefined, tookMs, wasStarved: wasStarved(), isStale, failure };
}

async function makeFlavor(client: RestClient): Promise<string> {
  const made = await client.create('/compute/v2.1/flavors', 'flavor', { ...tinyFlavor, name: 'tiny' });
  return made.id;
}

/** Waits until a write at each agent takes less than a second. */
async function quickEverywhere(clients: readonly RestClient[]): Promise<void> {
  const endMs = performance.now() + recoveryMsMax;
  let count = 0;
  for (const client of clients) {
    for (;;) {
      const startedMs = performance.now();
      count += 1;
      const { status } = await client.raw('/identity/v3/projects', {
        method: 'POST',
        body: { project: { name: `after-${count}` } },
        timeoutMs: callMsMax,
      });
      if (status === 201 && performance.now() - startedMs < 1_000) break;
      if (performance.now() > endMs) throw new Error(`writes at ${client.baseUrl} do not get quick again`);
    }
  }
}

/** Kills `lost` and measures how soon one that is left refuses writes from then on. */
async function refusalAfterLoss(
  cloud: DevCloud,
  left: readonly string[],
  lost: readonly string[],
): Promise<Pick<StarveReport, 'refusalsMs' | 'refusalTexts'>> {
  const [name = ''] = left;
  const client = cloud.client(name);
  await client.token();
  for (const victim of lost) signalTo(cloud, victim, 'SIGKILL');
  const refusalsMs: number[] = [];
  const refusalTexts: string[] = [];
  for (let count = 0; count < 5; count += 1) {
    const startedMs = performance.now();
    const { status, text } = await client.raw('/identity/v3/projects', {
      method: 'POST',
      body: { project: { name: `lost-${count}` } },
      timeoutMs: callMsMax,
    });
    refusalsMs.push(Math.round(performance.now() - startedMs));
    refusalTexts.push(`${status} ${text}`);
  }
  return { refusalsMs, refusalTexts };
}

/** Names of the voters, once there are so many. */
async function votersOf(cloud: DevCloud, count: number): Promise<readonly string[]> {
  const endMs = performance.now() + recoveryMsMax;
  const [first] = cloud.layout.agents;
  if (first === undefined) throw new Error('no agent');
  for (;;) {
    const status = JSON.parse(await cloud.shoal(first, ['status', '--json'])) as {
      readonly voters: readonly { readonly hostName: string; readonly learner?: boolean }[];
    };
    const names = status.voters.flatMap((voter) => (voter.learner === true ? [] : [voter.hostName])).sort();
    if (names.length === count && !names.includes('')) return names;
    if (performance.now() > endMs) throw new Error(`${count} voters are awaited, there are ${names.join()}`);
    await delay(200);
  }
}

/** What the autopilots did meanwhile: each says so in its log. */
function memberChangesSince(cloud: DevCloud, sinceMs: number): readonly string[] {
  return cloud.layout.agents.flatMap((agent) =>
    readFileSync(agent.logPath, 'utf8')
      .split('\n')
      .filter((line) => line.includes('changing the members') && timeOf(line) >= sinceMs)
      .map((line) => `${agent.name}: ${line.slice(0, 300)}`),
  );
}

function timeOf(line: string): number {
  const { time } = JSON.parse(line) as { readonly time?: number | string };
  return typeof time === 'number' ? time : Date.parse(time ?? '');
}
