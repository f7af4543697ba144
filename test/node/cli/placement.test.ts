/** `shoal placement` against an agent of its own with fake drivers: what people and scripts read. */
import t from 'tap';
import { LoneAgent, type Ran, shoal } from '../../support/lone-agent.ts';

/** A flavor that no machine has the memory for. */
async function addHugeFlavor(agent: LoneAgent): Promise<void> {
  const flavor = { id: 'huge', name: 'huge', vcpus: 1, ram: 1_000_000_000, disk: 1 };
  const response = await fetch(`${agent.apiUrl}/compute/v2.1/flavors`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-auth-token': await agent.token() },
    body: JSON.stringify({ flavor }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
}

t.test('placement is asked without placing anything', async (t) => {
  const agent = await LoneAgent.start();
  t.teardown(() => agent.stop());
  await addHugeFlavor(agent);
  const ask = (...args: readonly string[]): Promise<Ran> => shoal(['placement', ...args, '--data-dir', agent.dataDir]);
  const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse((await ask(...args, '--json')).out);

  await t.test('explain, of what fits', async (t) => {
    const { out, status } = await ask('explain', '--flavor', '1');
    t.equal(status, 0);
    t.match(out, /CoreFilter *│ 0 *│ 1 /);
    t.match(out, /alpha *│ fits /);
    t.match(out, /\n1 of 1 hosts fits\.\n$/);
    t.match(await json('explain', '--flavor', '1'), {
      hostCount: 1,
      fittingCount: 1,
      filters: [{ filter: 'ComputeFilter', removed: 0, left: 1, reason: '' }],
      hosts: [{ hostId: /^[0-9a-f]{32}$/, hostName: 'alpha', fits: true, filter: '', reason: '', score: Number }],
    });
  });

  await t.test('explain, of what no host has room for', async (t) => {
    const { out, status } = await ask('explain', '--flavor', 'huge');
    t.equal(status, 0, 'an explanation is no failure');
    t.match(out, /RamFilter *│ 1 *│ 0 /);
    t.match(out, /alpha *│ RamFilter *│ 1000000000 MiB/);
    t.match(out, /\nNo host fits; 1 known to this agent\.\n$/);
    const told = await json('explain', '--flavor', 'huge');
    t.match(told, {
      hostCount: 1,
      fittingCount: 0,
      hosts: [{ hostName: 'alpha', fits: false, filter: 'RamFilter', reason: /1000000000 MiB/, score: null }],
    });
    const { filters } = told as { readonly filters: readonly { readonly filter: string }[] };
    t.match(
      filters.filter(({ filter }) => filter === 'RamFilter' || filter === 'DiskFilter'),
      [
        { filter: 'RamFilter', removed: 1, left: 0, reason: /MiB/ },
        { filter: 'DiskFilter', removed: 0, left: 0, reason: '' },
      ],
      'nothing is left out for being 0',
    );
  });

  await t.test('what-if', async (t) => {
    t.match((await ask('what-if', '--flavor', '1')).out, /^[1-9][0-9]*\n$/);
    t.equal((await ask('what-if', '--flavor', 'huge')).out, '0\n');
    t.equal((await ask('what-if', '--flavor', '1', '--max', '1')).out, '1 or more\n');
    t.same(await json('what-if', '--flavor', 'huge'), { count: 0, isAtLeast: false });
    t.same(await json('what-if', '--flavor', '1', '--max', '1'), { count: 1, isAtLeast: true });
  });

  await t.test('a request that makes no sense is refused with a reason', async (t) => {
    const cases: readonly [readonly string[], RegExp][] = [
      [['explain', '--flavor', 'nope'], /Flavor nope could not be found/],
      [['explain', '--flavor', '1', '--image', 'nope'], /Image nope could not be found/],
      [['explain', '--flavor', '1', '--zone', 'mars'], /availability zone is not available/],
      [['what-if', '--flavor', '1', '--max', '0'], /1 to 100000/],
      [['what-if', '--flavor', '1', '--hint', 'group'], /KEY=VALUE/],
    ];
    for (const [args, text] of cases) {
      const { status, out, err } = await ask(...args);
      t.equal(status, 2, args.join(' '));
      t.equal(out, '');
      t.match(err, text);
    }
  });
});
