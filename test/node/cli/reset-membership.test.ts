/** G7: after a majority was lost and one voter recovered, the others come back with their disks. Three real agents. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

interface Status {
  readonly hasQuorum: boolean;
  readonly voters: readonly { readonly hostName: string; readonly learner: boolean }[];
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within a minute: ${what}`);
    await delay(100);
  }
}

const votersOf = async (asked: LoneAgent): Promise<readonly string[]> =>
  ((await asked.json('status')) as Status).voters
    .filter(({ learner }) => !learner)
    .map(({ hostName }) => hostName)
    .sort();

/** What of a data folder must not change: everything but the log and the papers of the membership. */
function contents(dataDir: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const folder of ['guests', 'disks', 'images']) {
    for (const name of readdirSync(join(dataDir, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(dataDir, folder, name);
      if (name.endsWith('.bin'))
        found.set(join(folder, name), createHash('sha256').update(readFileSync(path)).digest('hex'));
    }
  }
  found.set('host.key', readFileSync(join(dataDir, 'host.key'), 'utf8'));
  return found;
}

t.setTimeout(175_000);
t.test('G7: former voters keep disks, images, guests and their identity', async (t) => {
  const a = await LoneAgent.start({ name: 'a', address: '127.0.0.41' });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({ name: 'b', address: '127.0.0.42', join: a });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.43', join: a });
  t.teardown(() => c.stop());
  await until('three voters', async () => (await votersOf(a)).length === 3);
  const before = (await a.json('hosts')) as { hosts: { host: { id: string; name: string; raftId: number } }[] };
  for (const folder of ['guests', 'disks', 'images']) {
    mkdirSync(join(b.dataDir, folder, 'x'), { recursive: true });
    writeFileSync(join(b.dataDir, folder, 'x', 'content.bin'), `the ${folder} of a tenant`);
  }
  const kept = contents(b.dataDir);
  t.equal(kept.size, 4);

  const running = await shoal(['reset-membership', '--yes', '--data-dir', b.dataDir]);
  t.equal(running.status, 1, 'not under a running agent');
  t.match(running.err, /stop it first/);
  await a.end('SIGKILL');
  await b.end('SIGKILL');
  await c.end();
  const recovered = await shoal(['recover', '--yes', '--wait', '3', '--data-dir', c.dataDir]);
  t.equal(recovered.status, 0, recovered.err);
  t.match(recovered.out, /former voters a, b must never run again on their old logs.*shoal reset-membership/);
  t.notMatch(recovered.out, /wipe/);
  const only = await shoal(['reset-membership', '--yes', '--force', '--data-dir', c.dataDir]);
  t.equal(only.status, 1, 'the only voter is not reset');
  t.match(only.err, /its log is the mesh/);
  await c.run();
  t.same(await votersOf(c), ['c']);

  const asked = await shoal(['reset-membership', '--data-dir', b.dataDir]);
  t.equal(asked.status, 1);
  t.match(asked.err, /nothing was changed; say --yes/);
  t.ok(existsSync(join(b.dataDir, 'membership.json')));
  const reset = await shoal(['reset-membership', '--yes', '--data-dir', b.dataDir]);
  t.equal(reset.status, 0, reset.err);
  t.same(contents(b.dataDir), kept);
  t.ok(existsSync(join(b.dataDir, 'former-membership-1', 'log')), 'even the log is there');
  const again = await shoal(['reset-membership', '--yes', '--data-dir', b.dataDir]);
  t.match(again.err, /belongs to no mesh/);

  await b.run(await c.ticket());
  t.same(contents(b.dataDir), kept);
  const after = (await c.json('hosts')) as typeof before;
  const numbersOf = ({ hosts }: typeof before) =>
    hosts.filter(({ host }) => host.name === 'b').map(({ host: { id, raftId } }) => ({ id, raftId }));
  t.same(numbersOf(after), numbersOf(before), 'it is the same host');
  await until('it has the whole state and a quorum', async () => ((await b.json('status')) as Status).hasQuorum);
});
