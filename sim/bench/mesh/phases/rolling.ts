/** Every agent stopped and started again, one after the other, while clients read and write at the others. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Times, timesOf } from '../figures/times.ts';
import type { AgentProcess } from '../hosts/agent-process.ts';
import type { RealMesh } from '../hosts/real-mesh.ts';

/** From one request of the load to the next. Unit: milliseconds. */
const everyMs = 50;

/** What was seen. */
export interface Rolling {
  readonly seconds: number;
  readonly calls: number;
  /** Answers of 500 and above, and calls without any. */
  readonly failed: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly times: Times | undefined;
  readonly restarts: Times | undefined;
}

/** A call goes to an agent that has not been told to stop, as a balancer sends it; what is under way there then counts. */
export async function restartAll(mesh: RealMesh, ids: readonly string[]): Promise<Rolling> {
  const inRotation = new Set<AgentProcess>(mesh.agents);
  const statuses = new Map<number, number>();
  const ms: number[] = [];
  const calls: Promise<void>[] = [];
  const restartsMs: number[] = [];
  const load = new AbortController();
  const beganMs = performance.now();
  const loading = (async () => {
    for (let number = 0; !load.signal.aborted; number += 1) {
      const choice = [...inRotation];
      const agent = choice[number % choice.length];
      const id = ids[number % ids.length];
      if (agent !== undefined && id !== undefined) {
        const path = `/compute/v2.1/servers/${id}`;
        const call =
          number % 2 === 0
            ? mesh.call(agent, 'GET', path)
            : mesh.call(agent, 'PUT', path, { server: { name: `r${number}` } });
        calls.push(
          call.then((answer) => {
            statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
            ms.push(answer.ms);
          }),
        );
      }
      await delay(everyMs);
    }
  })();
  try {
    for (const agent of mesh.agents) {
      inRotation.delete(agent);
      await agent.end('SIGTERM');
      restartsMs.push(await mesh.restart(agent));
      inRotation.add(agent);
    }
  } finally {
    load.abort();
    await loading;
    await Promise.all(calls);
  }
  const failed = [...statuses].reduce((sum, [status, n]) => sum + (status === 0 || status >= 500 ? n : 0), 0);
  return {
    seconds: Math.round((performance.now() - beganMs) / 1000),
    calls: calls.length,
    failed,
    statuses: Object.fromEntries(statuses),
    times: timesOf(ms),
    restarts: timesOf(restartsMs),
  };
}
