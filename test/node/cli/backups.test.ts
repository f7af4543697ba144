import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

t.setTimeout(120_000);
t.test('backups are listed, verified and expired at an agent’s own door', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const run = (...args: string[]) => shoal([...args, '--data-dir', agent.dataDir]);
  t.match(JSON.parse((await run('backup', 'list', '--json')).out), { backups: [], stale: false });
  t.match((await run('backup', 'list')).out, /verified/);
  t.match(await run('backup', 'verify', 'none'), { status: 1, err: /Backup none could not be found/ });
  t.match(await run('backup', 'verify'), { status: 2 });

  t.match(await run('backup', 'expire'), { status: 2, err: /Say what stays/ });
  t.match(await run('backup', 'expire', '--keep', '-1'), { status: 2, err: /expected a whole number/ });
  t.match(await run('backup', 'expire', '--older-than', 'week'), { status: 2, err: /expected a whole number/ });
  t.match(await run('backup', 'expire', '--volume', 'none', '--keep', '1'), { status: 1, err: /could not be found/ });
  const waited = await run('backup', 'expire', '--keep', '3', '--older-than', '30', '--wait', '--json');
  t.equal(waited.status, 0, waited.err);
  t.match(JSON.parse(waited.out), { kind: 'volume-backup-expire', message: '0 backups were removed.' });
  t.match((await run('backup', 'expire', '--keep', '1')).out, /Job .* has begun: shoal job wait/);
  t.match((await run('backup', 'expire', '--help')).out, /no chain of incremental backups is broken/);
});
