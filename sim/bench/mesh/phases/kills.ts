/** A tenth of the agents killed at once: when each other one suspects and when it declares them dead, and whom it wrongs. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Times, timesOf } from '../figures/times.ts';
import type { AgentProcess } from '../hosts/agent-process.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';

/** Longest wait for the last survivor. Unit: milliseconds. */
const declaredMsMax = 60_000;
/** After the last has declared them, survivors are watched for so long for false ones. Unit: milliseconds. */
const afterMs = 5_000;

/** What was seen. Agents set these figures once a second: so coarse are the times. */
export interface Kills {
  readonly killed: number;
  /** Until one survivor took all of the killed for suspect or dead. */
  readonly suspected: Times | undefined;
  /** Until it took them for dead. */
  readonly declared: Times | undefined;
  /** Survivors that had not declared them after 60 s. */
  readonly notDeclared: number;
  /** The most live hosts that any survivor took for suspect or dead, and for dead, at one moment. */
  readonly falselySuspectMax: number;
  readonly falselyDeadMax: number;
  /** A killed one, started again: until it answered, and from then until it had every host's advert. */
  readonly restartMs: number;
  readonly wholeViewMs: number;
}

/** Kills them, watches, and starts them again. The first agent is spared: the bench asks it. */
export async function killSome(mesh: RealMesh): Promise<Kills> {
  const { agents } = mesh;
  const count = Math.max(1, Math.round(agents.length / 10));
  const step = Math.floor((agents.length - 1) / count);
  const killed = agents.filter((_, at) => at > 0 && (at - 1) % step === 0).slice(0, count);
  const survivors = agents.filter((agent) => !killed.includes(agent));
  await Promise.all(killed.map((agent) => agent.end('SIGKILL')));
  const killedMs = performance.now();
  const lookMs = Math.max(200, 15 * survivors.length);
  const suspectedMs = new Map<AgentProcess, number>();
  const declaredMs = new Map<AgentProcess, number>();
  let [falselySuspectMax, falselyDeadMax] = [0, 0];
  let untilMs = killedMs + declaredMsMax;
  while (performance.now() < untilMs) {
    for (const agent of survivors) {
      const figures = await mesh.metrics(agent);
      const of = (condition: string): number => figures.get(`shoal_known_hosts{condition="${condition}"}`) ?? 0;
      const sinceMs = performance.now() - killedMs;
      const dead = of('dead');
      const adverse = of('suspect') + dead;
      if (adverse >= count && !suspectedMs.has(agent)) suspectedMs.set(agent, sinceMs);
      if (dead >= count && !declaredMs.has(agent)) declaredMs.set(agent, sinceMs);
      falselySuspectMax = Math.max(falselySuspectMax, adverse - count);
      falselyDeadMax = Math.max(falselyDeadMax, dead - count);
    }
    if (declaredMs.size === survivors.length) untilMs = Math.min(untilMs, performance.now() + afterMs);
    await delay(lookMs);
  }
  let [restartMs, wholeViewMs] = [0, 0];
  for (const agent of killed) {
    restartMs = Math.max(restartMs, await mesh.restart(agent));
    wholeViewMs = Math.max(wholeViewMs, await untilWholeView(mesh, agent));
  }
  await mesh.untilAllSeeAll(agents, 60_000);
  return {
    killed: count,
    suspected: timesOf([...suspectedMs.values()]),
    declared: timesOf([...declaredMs.values()]),
    notDeclared: survivors.length - declaredMs.size,
    falselySuspectMax,
    falselyDeadMax,
    restartMs: Math.round(restartMs),
    wholeViewMs: Math.round(wholeViewMs),
  };
}

/** Until it has an advert of every host. */
async function untilWholeView(mesh: RealMesh, agent: AgentProcess): Promise<number> {
  const beganMs = performance.now();
  for (;;) {
    const { body } = await mesh.call(agent, 'GET', '/compute/v2.1/os-hypervisors/detail');
    const hosts = (body['hypervisors'] ?? []) as { readonly vcpus: number }[];
    // A host of which nothing is known has no vCPUs.
    if (hosts.filter((host) => host.vcpus > 0).length >= mesh.agents.length) return performance.now() - beganMs;
    if (performance.now() - beganMs > declaredMsMax) throw new Error(`${agent.name} does not get the whole view`);
    await delay(20);
  }
}
