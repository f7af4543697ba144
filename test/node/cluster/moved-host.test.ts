/** G3: a host that comes back with another address. Real agents on loopback, each with an address of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { LoneAgent } from '../../support/lone-agent.ts';

interface Shown {
  readonly host: {
    readonly name: string;
    readonly peerAddress: string;
    readonly vtepIp: string;
    readonly apiUrl: string;
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within a minute: ${what}`);
    await delay(100);
  }
}

async function recordOf(asked: LoneAgent, name: string): Promise<Shown['host'] | undefined> {
  const { hosts } = (await asked.json('hosts')) as { hosts: Shown[] };
  return hosts.find(({ host }) => host.name === name)?.host;
}

async function status(
  asked: LoneAgent,
): Promise<{ hasQuorum: boolean; voters: { learner: boolean; reachable: boolean }[] }> {
  return (await asked.json('status')) as Awaited<ReturnType<typeof status>>;
}

t.setTimeout(170_000);
t.test('G3: the record, and with it the others, follow a host to another address', async (t) => {
  const a = await LoneAgent.start({ name: 'a', address: '127.0.0.11' });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({ name: 'b', address: '127.0.0.12', join: a });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.13', join: a });
  t.teardown(() => c.stop());
  await until('three voters', async () => (await status(a)).voters.filter((voter) => !voter.learner).length === 3);

  await t.test('one of three', async (t) => {
    await c.end();
    c.move('127.0.0.23');
    await c.run();
    for (const asked of [a, b, c]) {
      await until('the record has the new address', async () => (await recordOf(asked, 'c'))?.vtepIp === '127.0.0.23');
      t.match(await recordOf(asked, 'c'), {
        peerAddress: `127.0.0.23:${c.peerPort}`,
        apiUrl: `https://127.0.0.23:${c.apiPort}`,
      });
    }
    await until('it has a quorum', async () => (await status(c)).hasQuorum);
    await until('the others reach it', async () => (await status(a)).voters.every((voter) => voter.reachable));
    t.equal((await fetch(`${c.apiUrl}/healthz`)).status, 200, 'with a certificate for the new address');
  });

  await t.test('two of three at once: nobody has a quorum until the third is told where they are', async (t) => {
    await b.end();
    await c.end();
    b.move('127.0.0.32');
    c.move('127.0.0.33');
    await Promise.all([b.run(), c.run()]);
    for (const asked of [a, b, c]) {
      await until('both records', async () => {
        const [ofB, ofC] = [await recordOf(asked, 'b'), await recordOf(asked, 'c')];
        return ofB?.vtepIp === '127.0.0.32' && ofC?.vtepIp === '127.0.0.33';
      });
      await until('a quorum', async () => (await status(asked)).hasQuorum);
    }
    t.ok(a.log.includes('a host is reached under another address'), 'it is said');
  });
});
