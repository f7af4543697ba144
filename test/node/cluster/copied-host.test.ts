/**
 * The data folder of a host on a second machine, and two agents on one folder. Real agents on loopback, each machine an address
 * of its own.
 */
import { cpSync, rmSync } from 'node:fs';
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

interface Hosts {
  readonly hosts: readonly {
    readonly host: { readonly name: string; readonly peerAddress: string };
    readonly keyUsedTwiceAt: string;
  }[];
}

const hostsOf = async (asked: LoneAgent): Promise<Hosts['hosts']> => ((await asked.json('hosts')) as Hosts).hosts;

interface Status {
  readonly hasQuorum: boolean;
  readonly term: string;
  readonly voters: readonly { readonly learner: boolean }[];
  readonly troubles: readonly string[];
}

const statusOf = async (asked: LoneAgent): Promise<Status> => (await asked.json('status')) as Status;

t.setTimeout(240_000);
t.test('a copy of a host that runs is refused, and both say so', async (t) => {
  const a = await LoneAgent.start({ name: 'a', address: '127.0.0.51' });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({ name: 'b', address: '127.0.0.52', join: a });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.53', join: a });
  t.teardown(() => c.stop());
  await until('three voters', async () => (await statusOf(a)).voters.filter(({ learner }) => !learner).length === 3);

  // As the image of a disk is taken: at any moment, and the lock is none on another machine.
  const copy = c.copiedTo('127.0.0.54', (from, to) => {
    cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    rmSync(`${to}/log/db/LOCK`, { force: true });
  });
  t.teardown(() => copy.stop());
  await t.test('started while the original lives', async (t) => {
    const { term } = await statusOf(a);
    await t.rejects(copy.run(), /the agent does not serve/);
    t.match(copy.log, /Another agent runs with the key of this host at 127\.0\.0\.53:/);
    t.match(copy.log, /join it with a ticket of its own/);
    await until('the original says so', async () =>
      (await statusOf(c)).troubles.join().includes('the key of this host'),
    );
    t.match(c.log, /another agent runs with the key of this host, at 127\.0\.0\.54:\d+/);
    const shown = (await hostsOf(c)).find(({ host }) => host.name === 'c');
    t.match(shown?.keyUsedTwiceAt, /^127\.0\.0\.54:/, 'and the list of hosts');
    t.equal(shown?.host.peerAddress, `127.0.0.53:${c.peerPort}`, 'which is where it was');
    t.equal((await statusOf(a)).term, term, 'no election came of it');
    t.equal((await statusOf(c)).hasQuorum, true);
  });

  await t.test('started while the original was down: the original is refused then, until the copy ends', async (t) => {
    await c.end('SIGKILL');
    await copy.run();
    await until('the copy is the host now', async () => (await statusOf(copy)).hasQuorum);
    await t.rejects(c.run(), /the agent does not serve/);
    t.match(c.log, /Another agent runs with the key of this host at 127\.0\.0\.54:/);
    await copy.end('SIGKILL');
    await c.run();
    await until('it is the host again', async () => (await statusOf(c)).hasQuorum);
    await until(
      'where it was',
      async () =>
        (await hostsOf(a)).find(({ host }) => host.name === 'c')?.host.peerAddress === `127.0.0.53:${c.peerPort}`,
    );
  });

  await t.test('two agents on one folder', async (t) => {
    const second = await shoal(['agent', ...c.flags]);
    t.not(second.status, 0);
    t.match(second.err + second.out, /an agent runs on this data folder already/);
    t.equal((await statusOf(c)).hasQuorum, true, 'the first goes on');
  });
});
