/**
 * The authority is rotated with all agents up, and no call fails: not of a client that trusts the authority before, and not of
 * those between agents. Real agents on loopback.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

async function until(what: string, holds: () => Promise<boolean>, msMax = 60_000): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${msMax} ms: ${what}`);
    await delay(200);
  }
}

interface Job {
  readonly id: string;
  readonly status: string | number;
  readonly endedMs: number;
  readonly message: string;
  readonly progressDone: number;
  readonly progressTotal: number;
}

/** Asks for a token's own description by a connection of its own; the status, or why there is none. */
function call(agent: LoneAgent, ca: string, token: string): Promise<string> {
  return new Promise((resolve) => {
    const asked = request(
      `${agent.apiUrl}/identity/v3/auth/tokens`,
      { ca, agent: false, timeout: 20_000, headers: { 'x-auth-token': token, 'x-subject-token': token } },
      (response) => {
        response.resume();
        response.on('end', () => resolve(String(response.statusCode)));
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error) => resolve(error.message));
    asked.end();
  });
}

t.setTimeout(240_000);
t.test('rotating the authority costs no call, and goes on when its leader dies', async (t) => {
  const a = await LoneAgent.start({ name: 'a', address: '127.0.0.61' });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({ name: 'b', address: '127.0.0.62', join: a });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.63', join: a });
  t.teardown(() => c.stop());
  const statusOf = async (asked: LoneAgent) =>
    (await asked.json('status')) as { leaderHostId: string; hostId: string; voters: { learner: boolean }[] };
  await until('three voters', async () => (await statusOf(a)).voters.filter(({ learner }) => !learner).length === 3);
  const before = readFileSync(b.authorityPath, 'utf8');
  const token = await a.token();

  // Clients of b, which stays up: one trusts what it got before, the other what lies on the host.
  const failures: string[] = [];
  let calls = 0;
  let isOver = false;
  let trustsBefore = true;
  t.teardown(() => {
    isOver = true;
  });
  const working = (async () => {
    while (!isOver) {
      for (const ca of [...(trustsBefore ? [before] : []), readFileSync(b.authorityPath, 'utf8')]) {
        const found = await call(b, ca, token);
        calls += 1;
        if (found !== '200') failures.push(found);
      }
      await delay(50);
    }
  })();
  await c.end();
  const begun = (await b.json('rotate-authority', '--keep', '50', '--absent', '100')) as Job;
  const other = await shoal(['rotate-authority', '--data-dir', b.dataDir]);
  t.match(other.err, /is under way/, 'one at a time');
  t.equal((await statusOf(b)).leaderHostId, (await statusOf(a)).hostId, 'the leader, which has the job, dies');
  const job = async (): Promise<Job> => (await b.json('job', 'show', begun.id)) as Job;
  await until('it waits for the one that is down', async () => (await job()).message.endsWith('know it yet: c.'));
  await a.end('SIGKILL');
  await a.run();
  await c.run();
  await until('all show the new one', async () => (await job()).message.includes('All hosts show')).catch(
    async (error: unknown) => {
      t.comment(await job());
      throw error;
    },
  );
  const during = readFileSync(b.authorityPath, 'utf8');
  t.ok(during.includes(before.trim()) && during.length > before.length * 1.5, 'hosts trust both meanwhile');
  trustsBefore = false; // Its time is over when the job says so.
  await delay(300);
  await until('its end', async () => (await job()).endedMs > 0);
  await until(
    'hosts trust the new one alone',
    async () => !readFileSync(b.authorityPath, 'utf8').includes(before.trim()),
  );
  isOver = true;
  await working;
  t.match(await job(), { message: /alone counts/ });
  t.equal((await job()).progressDone, (await job()).progressTotal);
  t.same(failures, [], `none of ${calls} calls failed`);
  t.ok(calls > 50);

  const after = readFileSync(b.authorityPath, 'utf8');
  for (const agent of [a, b, c]) {
    t.equal(await call(agent, after, token), '200', 'the token is good still');
    t.match(await call(agent, before, token), /certificate/, 'and the one before counts no more');
  }
  await b.end();
  await b.run();
  await until('a member that starts again is one', async () => (await statusOf(b)).leaderHostId !== '');
  const d = await LoneAgent.start({ name: 'd', address: '127.0.0.64', join: c });
  t.teardown(() => d.stop());
  await until('a newcomer joins under the new one', async () => (await call(d, after, token)) === '200');
});
