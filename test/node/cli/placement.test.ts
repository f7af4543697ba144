/** `shoal placement` against an agent of its own with fake drivers: what people and scripts read. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { freePorts } from '../../../node/raft/bench/machine.ts';

const bin = fileURLToPath(new URL('../../../node/bin/shoal.mjs', import.meta.url));
const adminPassword = 'only-for-this-test';
const startMsMax = 60_000;

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function shoal(args: readonly string[], settings: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args, ...settings],
      { env: { ...process.env, SHOAL_ADMIN_PASSWORD: adminPassword }, timeout: 60_000 },
      (error, out, err) => resolve({ status: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

/** An agent that serves, alone in its mesh, called alpha. */
async function startAgent(test: {
  teardown(run: () => Promise<void>): void;
}): Promise<{ readonly settings: readonly string[]; readonly apiUrl: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-placement-'));
  const [peer = 0, gossip = 0, api = 0, grpc = 0] = await freePorts(4);
  const settings = [
    ['advertiseAddress', '127.0.0.1'],
    ['name', 'alpha'],
    ['compute.driver', 'fake'],
    ['network.driver', 'fake'],
    ['peer.listen', `127.0.0.1:${peer}`],
    ['gossip.listen', `127.0.0.1:${gossip}`],
    ['api.listen', `127.0.0.1:${api}`],
    ['api.grpcListen', `127.0.0.1:${grpc}`],
  ].flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  settings.push('--data-dir', join(folder, 'alpha'));
  const founded = await shoal(['init', '--json'], settings);
  if (founded.status !== 0) throw new Error(founded.err);
  const agent = spawn(process.execPath, [bin, 'agent', ...settings], { stdio: 'ignore' });
  const ended = new Promise((resolve) => agent.once('exit', resolve));
  test.teardown(async () => {
    agent.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  await serving(agent, settings);
  return { settings, apiUrl: `http://127.0.0.1:${api}` };
}

async function serving(agent: ChildProcess, settings: readonly string[]): Promise<void> {
  const endMs = performance.now() + startMsMax;
  for (;;) {
    // Up, and its own advert is in its view.
    const asked = await shoal(['placement', 'what-if', '--flavor', '1', '--json'], settings);
    if (asked.status === 0 && !asked.out.includes('"count":0')) return;
    if (agent.exitCode !== null || performance.now() > endMs) throw new Error(`the agent does not serve: ${asked.err}`);
  }
}

/** A flavor that no machine has the memory for. */
async function addHugeFlavor(apiUrl: string): Promise<void> {
  const post = async (path: string, body: object, token = ''): Promise<Response> => {
    const response = await fetch(`${apiUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-auth-token': token },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const domain = { id: 'default' };
  const tokens = await post('/v3/auth/tokens', {
    auth: {
      identity: { methods: ['password'], password: { user: { name: 'admin', domain, password: adminPassword } } },
      scope: { project: { name: 'admin', domain } },
    },
  });
  const flavor = { id: 'huge', name: 'huge', vcpus: 1, ram: 1_000_000_000, disk: 1 };
  await post('/compute/v2.1/flavors', { flavor }, tokens.headers.get('x-subject-token') ?? '');
}

t.test('placement is asked without placing anything', async (t) => {
  const { settings, apiUrl } = await startAgent(t);
  await addHugeFlavor(apiUrl);
  const ask = (...args: readonly string[]): Promise<Ran> => shoal(['placement', ...args], settings);
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

  await t.test('a wish that makes no sense is refused in words', async (t) => {
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
