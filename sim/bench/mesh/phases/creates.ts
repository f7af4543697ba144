/** Servers made one after the other, each at the next agent, as clients behind a balancer would. */

import { type Times, timesOf } from '../figures/times.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';

/** The smallest flavor that a new mesh has. */
const flavorId = '42';
/** One request; longer is a failure, as for most clients. Unit: milliseconds. */
const callMsMax = 30_000;

/** What was seen. */
export interface Creates {
  readonly times: Times | undefined;
  readonly failed: number;
  /** How many answers of each status; 0: no answer. */
  readonly statuses: Readonly<Record<string, number>>;
}

/** Makes them; `ids` takes those that were made. */
export async function createServers(mesh: RealMesh, imageId: string, count: number, ids: string[]): Promise<Creates> {
  const ms: number[] = [];
  const statuses = new Map<number, number>();
  for (let number = 0; number < count; number += 1) {
    const agent = mesh.agents[number % mesh.agents.length];
    if (agent === undefined) break;
    const server = { name: `s${number}`, flavorRef: flavorId, imageRef: imageId, networks: 'none' };
    const answer = await mesh.call(agent, 'POST', '/compute/v2.1/servers', { server }, callMsMax);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    if (answer.status !== 202) continue;
    ms.push(answer.ms);
    ids.push((answer.body['server'] as { id: string }).id);
  }
  return { times: timesOf(ms), failed: count - ms.length, statuses: Object.fromEntries(statuses) };
}
