/** From a change of one host's capacity until every agent tells of it. */
import { setTimeout as delay } from 'node:timers/promises';
import { mean, rounded, type Times, timesOf } from '../figures/times.ts';
import type { AgentProcess } from '../hosts/agent-process.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';

const flavorId = '42';
/** Longest wait for one agent. Unit: milliseconds. */
const seenMsMax = 15_000;

/** What was seen. */
export interface CapacityChanges {
  /** From the moment at which the request that changes it was sent, the request's own work and one look included. */
  readonly seenByAll: Times | undefined;
  readonly seenByOne: Times | undefined;
  /** Between two looks at one agent: so fine are the figures. */
  readonly lookMs: number;
  /** How long the requests took of that. */
  readonly createMs: number;
  /** Agents that did not see a change in 15 s, in all changes. */
  readonly notSeen: number;
}

/** Makes a server on one host after another, and looks at all agents until they tell of it. */
export async function changeCapacity(mesh: RealMesh, imageId: string, count: number): Promise<CapacityChanges> {
  const { agents } = mesh;
  // Looking costs an agent a millisecond, and on a small machine all of them share the cores with the mesh.
  const lookMs = Math.max(10, 3 * agents.length);
  const [first] = agents;
  if (first === undefined) throw new Error('a mesh has an agent');
  const listed = await mesh.must(first, 'GET', '/compute/v2.1/os-hypervisors');
  const hosts = listed['hypervisors'] as { id: string; hypervisor_hostname: string }[];
  const all: number[] = [];
  const each: number[] = [];
  const createMs: number[] = [];
  let notSeen = 0;
  for (let number = 0; number < count; number += 1) {
    const host = hosts[(number * 7) % hosts.length];
    const asked = agents[(number * 3) % agents.length];
    if (host === undefined || asked === undefined) break;
    const before = new Map<AgentProcess, number>();
    for (const agent of agents) before.set(agent, await serversOn(mesh, agent, host.id));
    const server = { name: `c${number}`, flavorRef: flavorId, imageRef: imageId, networks: 'none' };
    const sentMs = performance.now();
    const create = mesh.call(asked, 'POST', '/compute/v2.1/servers', {
      server: { ...server, availability_zone: `nova:${host.hypervisor_hostname}` },
    });
    const seen = await Promise.all(
      agents.map(async (agent) => {
        while (performance.now() - sentMs < seenMsMax) {
          if ((await serversOn(mesh, agent, host.id)) !== before.get(agent)) return performance.now() - sentMs;
          await delay(lookMs);
        }
        return undefined;
      }),
    );
    const answer = await create;
    if (answer.status !== 202)
      throw new Error(`a server for ${host.hypervisor_hostname}: ${answer.status} ${JSON.stringify(answer.body)}`);
    createMs.push(answer.ms);
    const found = seen.filter((ms) => ms !== undefined);
    each.push(...found);
    notSeen += seen.length - found.length;
    if (found.length === seen.length) all.push(Math.max(...found));
  }
  return {
    seenByAll: timesOf(all),
    seenByOne: timesOf(each),
    lookMs,
    createMs: rounded(mean(createMs)),
    notSeen,
  };
}

/** As the host's advert says, which `agent` has by gossip: vCPUs given away. */
async function serversOn(mesh: RealMesh, agent: AgentProcess, hostId: string): Promise<number> {
  const { body } = await mesh.call(agent, 'GET', `/compute/v2.1/os-hypervisors/${hostId}`, undefined, seenMsMax);
  const hypervisor = body['hypervisor'] as { readonly vcpus_used?: number } | undefined;
  return hypervisor?.vcpus_used ?? -1;
}
