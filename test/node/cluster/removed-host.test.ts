/** A9: a host that was switched off when it was removed, and comes back. Real agents on loopback. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

interface Status {
  readonly hasQuorum: boolean;
  readonly voters: readonly { readonly learner: boolean; readonly hostName: string }[];
}

async function until(what: string, holds: () => Promise<boolean>, msMax = 60_000): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${msMax} ms: ${what}`);
    await delay(100);
  }
}

const statusOf = async (asked: LoneAgent): Promise<Status> => (await asked.json('status')) as Status;

t.setTimeout(170_000);
t.test('A9: a removed host that comes back takes part in nothing, and says why', async (t) => {
  const a = await LoneAgent.start({ name: 'a', address: '127.0.0.41' });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({ name: 'b', address: '127.0.0.42', join: a });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.43', join: a });
  t.teardown(() => c.stop());
  const membersOf = async (): Promise<readonly string[]> => (await statusOf(a)).voters.map(({ hostName }) => hostName);
  await until('three voters', async () => (await statusOf(a)).voters.filter(({ learner }) => !learner).length === 3);
  await c.end('SIGKILL');
  const removed = await shoal(['host', 'remove', 'c', '--force', '--data-dir', a.dataDir]);
  t.equal(removed.status, 0, removed.err);
  await until('it is out of the Raft group', async () => (await membersOf()).length === 2);

  // It may end with the word before it serves, or serve until a peer refuses it.
  await c
    .run(undefined, async () => c.log.includes('a peer refuses this host'))
    .catch((error: unknown) => {
      t.match(String(error), /removed from the mesh/, 'it ended for that reason and no other');
    });
  t.match(c.log, /removed from (this|the) mesh/);
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs) {
    t.same([...(await membersOf())].sort(), ['a', 'b']);
    t.equal((await statusOf(a)).hasQuorum, true);
    await delay(2_000);
  }
  const { hosts } = (await a.json('hosts')) as { hosts: { host: { name: string } }[] };
  t.same(hosts.map(({ host }) => host.name).sort(), ['a', 'b']);
});
