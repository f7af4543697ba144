import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

t.setTimeout(120_000);
t.test('a host is drained, and the job is listed, shown and waited for', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  const run = (...args: string[]) => shoal([...args, '--data-dir', agent.dataDir]);
  const parsed = async (...args: string[]): Promise<Record<string, unknown>> => {
    const { status, out, err } = await run(...args, '--json');
    t.equal(status, 0, `${args.join(' ')}: ${err}`);
    return JSON.parse(out) as Record<string, unknown>;
  };
  const { hosts } = (await parsed('hosts')) as { hosts: readonly { host: { id: string; name: string } }[] };
  const { id: hostId = '', name = '' } = hosts[0]?.host ?? {};

  t.match(await parsed('host', 'drain', name, '--plan'), { steps: [], refusal: '', warnings: [/no quorum/] });
  t.match((await run('host', 'drain', name, '--plan')).err, /must not be switched off/);
  t.match(await run('host', 'drain'), { status: 2, err: /Name one host, zone or failure domain/ });
  t.match(await run('host', 'drain', '--zone', 'nova'), { status: 1, err: /no quorum/ });
  t.match(await run('host', 'drain', name, '--parallel', '33'), { status: 2, err: /1 to 32/ });

  const { status, out, err } = await run('host', 'drain', name, '--stop', '--wait');
  t.equal(status, 0, err);
  t.match(err, /(running|succeeded)/, 'how far it is goes to standard error');
  t.match(out, /status[^a-z]+succeeded/);
  t.match(out, /The host is empty and takes no new servers/);
  t.match((await run('hosts')).out, /disabled/);

  t.match(await parsed('job', 'list'), { jobs: [] }, 'none is under way');
  const { jobs } = (await parsed('job', 'list', '--all')) as { jobs: readonly { id: string }[] };
  const id = jobs[0]?.id ?? '';
  t.match(await parsed('job', 'show', id), { kind: 'drain', subject: `host/${hostId}`, userId: 'operator' });
  t.match(await parsed('job', 'wait', id), { id });
  t.match((await run('job', 'list', '--all')).out, /drain/);

  for (const verb of ['pause', 'resume']) t.match(await run('job', verb, id), { status: 1, err: /has ended/ });
  t.match((await run('host', 'undrain', name)).out, /takes new servers/);
  t.notMatch((await run('hosts')).out, /disabled/);

  const cancelled = await run('job', 'cancel', id);
  t.match(cancelled, { status: 1, err: /has ended/ });
  t.match(await run('job', 'show', 'none'), { status: 1, err: /No job with id none/ });
  t.match(await run('host', 'drain', 'nobody'), { status: 1, err: /There is no host "nobody"/ });
  t.match(await run('host', 'drain', name, '--timeout', '5'), { status: 2, err: /60 to 604800/ });
});
