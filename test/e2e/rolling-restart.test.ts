/** Three agents restarted one after the other under clients that try the next agent when one does not listen. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { DevCloud } from '../../node/dev/cloud.ts';
import type { RestClient } from '../../node/dev/rest-client.ts';

t.setTimeout(240_000);

/** Longest that one call may take. Unit: milliseconds. */
const callMsMax = 60_000;
const clients = 4;

await t.test('a rolling restart costs nobody a call who may ask another agent', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-rolling-'));
  const cloud = await DevCloud.open({ folder, agents: 3, real: false, storage: 'local', readyMsMax: 60_000 });
  t.teardown(async () => {
    await cloud.stop({ keepData: true });
    rmSync(folder, { recursive: true, force: true });
  });
  await cloud.startAgents();
  await cloud.waitUntilFormed(60_000);
  const names = cloud.layout.agents.map(({ name }) => name);
  // Before all vote, the end of one may be the end of the quorum.
  for (const name of names) await untilAllVote(cloud, name);
  const rest = names.map((name) => cloud.client(name));
  for (const client of rest) await client.token();
  const failures: string[] = [];
  let done = 0;
  let wentOn = 0;
  let slowestMs = 0;
  let isOver = false;
  const working = Array.from({ length: clients }, async (_, at) => {
    for (let count = 0; !isOver; count += 1) {
      const startedMs = performance.now();
      const first = (at + count) % rest.length;
      const inTurn = [...rest.slice(first), ...rest.slice(0, first)];
      const { failure, tries } = await callInTurn(inTurn, `p${at}-${count}`);
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
      if (failure === undefined) done += 1;
      else failures.push(failure);
      if (tries > 1) wentOn += 1;
      await delay(20);
    }
  });
  for (const name of names) {
    await delay(1_000);
    await cloud.killAgent(name, 'SIGTERM');
    await cloud.startAgent(name);
    await cloud.waitUntilFormed(60_000);
    await untilAllVote(cloud, name);
  }
  isOver = true;
  await Promise.all(working);
  t.comment(`${done} calls, ${wentOn} went on to another agent, the slowest took ${Math.round(slowestMs)} ms`);
  t.same(failures, []);
  t.ok(done > 20);
});

/** Waits until the agent says that three vote and that there is a quorum. */
async function untilAllVote(cloud: DevCloud, name: string): Promise<void> {
  for (let time = 0; time < 300; time += 1) {
    const { hasQuorum, voters } = JSON.parse(await cloud.shoal(cloud.agent(name), ['status', '--json'])) as {
      readonly hasQuorum: boolean;
      readonly voters: readonly { readonly learner?: boolean }[];
    };
    if (hasQuorum && voters.filter(({ learner }) => learner !== true).length === 3) return;
    await delay(100);
  }
  throw new Error(`${name} does not see three voters`);
}

/** Creates a project at the first agent that listens. An answer of any kind ends it: it is not known what was done. */
async function callInTurn(
  inTurn: readonly RestClient[],
  name: string,
): Promise<{ readonly failure: string | undefined; readonly tries: number }> {
  const refused: string[] = [];
  for (const client of inTurn) {
    try {
      const { status, text } = await client.raw('/identity/v3/projects', {
        method: 'POST',
        body: { project: { name } },
        timeoutMs: callMsMax,
      });
      return {
        failure: status === 201 ? undefined : `HTTP ${status} ${text.slice(0, 200)}`,
        tries: refused.length + 1,
      };
    } catch (error) {
      if (!isNotListening(error)) return { failure: `no answer: ${String(error)}`, tries: refused.length + 1 };
      refused.push(client.baseUrl);
    }
  }
  return { failure: `nobody listens: ${refused.join(', ')}`, tries: refused.length };
}

/** Nothing was sent: the agent does not listen, or ended an idle connection that was to be used again. */
function isNotListening(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNREFUSED';
}
