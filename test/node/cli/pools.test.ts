import t from 'tap';
import { LoneAgent, shoal } from '../../support/lone-agent.ts';

t.setTimeout(120_000);
t.test(
  'pools of the configuration are listed; one taken out while it holds volumes is told, and loses nothing',
  async (t) => {
    const withPool = 'pools:\n  - { name: fast, driver: local, path: /srv/fast }\n';
    const agent = await LoneAgent.start({ file: withPool });
    t.teardown(() => agent.stop());
    const headers = { 'x-auth-token': await agent.token(), 'content-type': 'application/json' };
    const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
      const projectId = 'admin';
      const url = `${agent.apiUrl}/volume/v3${path.replace('PROJECT', projectId)}`;
      const response = await fetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    };
    const poolsNow = async () =>
      ((await agent.json('pools')) as { pools: readonly { name: string; volumes?: number }[] }).pools;
    t.match(await poolsNow(), [
      { name: 'fast', hosts: [{ hostName: 'alpha', condition: 'alive' }] },
      { name: 'local', hosts: [{ hostName: 'alpha' }] },
    ]);
    const names = async (path: string, key: string, field: string): Promise<readonly unknown[]> => {
      const { body } = await call('GET', path);
      return (body as Record<string, readonly Record<string, unknown>[]>)[key]?.map((item) => item[field]).sort() ?? [];
    };
    t.same(await names('/scheduler-stats/get_pools', 'pools', 'name'), ['alpha@fast#fast', 'alpha@local#local']);
    t.same(await names('/os-services?binary=cinder-volume', 'services', 'host'), ['alpha@fast', 'alpha@local']);
    const type = await call('POST', '/types', {
      volume_type: { name: 'quick', extra_specs: { volume_backend_name: 'fast' } },
    });
    t.equal(type.status, 200);
    const made = await call('POST', '/volumes', { volume: { size: 1, volume_type: 'quick', name: 'kept' } });
    t.equal(made.status, 202, JSON.stringify(made.body));
    t.match(await poolsNow(), [{ name: 'fast', volumes: 1, volumesGib: 1 }, { name: 'local' }]);
    t.match((await shoal(['pools', '--data-dir', agent.dataDir])).out, /fast .*no .*alpha .*alive/);

    await agent.end();
    agent.configure('pools: []\n');
    await agent.run();
    const gone = await shoal(['pools', '--data-dir', agent.dataDir]);
    t.match(gone, { status: 0, out: /fast .*missing/, err: /no host has pool fast, in which 1 volumes/ });
    t.match(await call('GET', '/volumes?name=kept'), { body: { volumes: [{ name: 'kept' }] } });
    const refused = await call('POST', '/volumes', { volume: { size: 1, volume_type: 'quick', name: 'none' } });
    t.equal(refused.status, 202, 'as Cinder: the scheduler tells afterwards');
    t.match(await call('GET', '/volumes/detail?name=none'), { body: { volumes: [{ status: 'error' }] } });
  },
);
