/** Servers changed at a steady rate, at all agents in turn, and what that costs every host. */
import { setTimeout as delay } from 'node:timers/promises';
import { rounded, type Times, timesOf } from '../figures/times.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';
import { measureUsage, type Usage } from './usage.ts';

/** What was seen. */
export interface Changes {
  readonly askedPerSecond: number;
  readonly donePerSecond: number;
  readonly times: Times | undefined;
  readonly failed: number;
  readonly usage: Usage;
}

/** Asks for `perSecond` changes of names a second, whether or not earlier ones have been answered. */
export async function changeServers(
  mesh: RealMesh,
  ids: readonly string[],
  perSecond: number,
  forMs: number,
): Promise<Changes> {
  const end = await measureUsage(mesh);
  const beganMs = performance.now();
  const calls: Promise<void>[] = [];
  const ms: number[] = [];
  let failed = 0;
  for (let number = 0; number < (perSecond * forMs) / 1000; number += 1) {
    const dueMs = beganMs + (number * 1000) / perSecond;
    const waitMs = dueMs - performance.now();
    if (waitMs > 1) await delay(waitMs);
    const agent = mesh.agents[number % mesh.agents.length];
    const id = ids[number % ids.length];
    if (agent === undefined || id === undefined) break;
    calls.push(
      mesh.call(agent, 'PUT', `/compute/v2.1/servers/${id}`, { server: { name: `n${number}` } }).then((answer) => {
        if (answer.status === 200) ms.push(answer.ms);
        else failed += 1;
      }),
    );
  }
  await Promise.all(calls);
  const seconds = (performance.now() - beganMs) / 1000;
  const usage = await end();
  return {
    askedPerSecond: perSecond,
    donePerSecond: rounded(ms.length / seconds),
    times: timesOf(ms),
    failed,
    usage,
  };
}
