/**
 * G6: the README's commands as they are printed. Those "on real machines" run in two machines: each has a network namespace
 * with a default route, a host name, an empty /var/lib/shoal and no configuration. Those of the development cloud run in a
 * copy of the checkout. What is run elsewhere says test/support/readme.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { type CommandResult, runCommand } from '../../drivers/command.ts';
import { makeUnderlay, removeUnderlay } from '../../drivers/vxlan/lab.ts';
import { repositoryRoot } from '../../node/dev/house/source.ts';
import { agentPackages, guestImagePackages, testPackages } from '../../node/dev/packages.ts';
import { readmeCommands } from '../support/readme.ts';

const missing = [...agentPackages, ...guestImagePackages, ...testPackages].filter((item) => !item.isInstalled());
const why =
  process.getuid?.() !== 0
    ? 'needs root'
    : missing.length > 0
      ? `not installed: ${missing.map((item) => item.name).join(' ')}`
      : '';
/** One command, agents' starts included, on a machine that does other things, too. */
const commandMsMax = 120_000;
const dataDir = '/var/lib/shoal';

/** What has been run. */
const ran = new Set<string>();

/** A machine: namespaces held open by a process that sleeps. */
class Machine {
  readonly address: string;
  readonly #prefix: readonly string[];
  readonly #holder: ChildProcess;
  readonly #agents: ChildProcess[] = [];

  private constructor(address: string, holder: ChildProcess, prefix: readonly string[]) {
    this.address = address;
    this.#holder = holder;
    this.#prefix = prefix;
  }

  static async start(name: string, namespace: string, address: string, programs: string): Promise<Machine> {
    const setUp = `hostname ${name} && mount -t tmpfs none ${dataDir} && echo up && exec sleep 3600`;
    const holder = spawn(
      'nsenter',
      [`--net=/run/netns/${namespace}`, 'unshare', '--mount', '--uts', '--propagation=private', 'sh', '-c', setUp],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await new Promise((resolve, reject) => {
      holder.stdout.once('data', resolve);
      holder.once('exit', (code) => reject(new Error(`machine ${name} ended with ${code}`)));
    });
    const path = `PATH=${programs}:${join(repositoryRoot, 'node_modules/.bin')}:${process.env['PATH']}`;
    const enter = [
      'nsenter',
      `--target=${holder.pid}`,
      '--mount',
      '--net',
      '--uts',
      'env',
      path,
      'SHOAL_ADMIN_PASSWORD=',
    ];
    return new Machine(address, holder, enter);
  }

  /** Runs a command line of the README in a shell. `replace`: what a reader puts in the place of a word in capitals. */
  async run(command: string, replace: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    ran.add(command);
    return runCommand([...this.#prefix, 'bash', '-c', typed(command, replace)], {
      timeoutMs: commandMsMax,
      okStatus: [0, 1, 2, 3],
    });
  }

  /** Starts a command that runs until it is ended. */
  begin(command: string, replace: Readonly<Record<string, string>> = {}): ChildProcess {
    ran.add(command);
    const [program = '', ...args] = [...this.#prefix, 'bash', '-c', `exec ${typed(command, replace)}`];
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    this.#agents.push(child);
    return child;
  }

  async stop(): Promise<void> {
    for (const agent of this.#agents.splice(0)) await end(agent);
    this.#holder.kill('SIGKILL');
  }
}

function typed(command: string, replace: Readonly<Record<string, string>>): string {
  return Object.entries(replace).reduce((text, [word, value]) => text.replace(word, value), command);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const endMs = performance.now() + commandMsMax;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await delay(300);
  }
}

t.setTimeout(590_000);
t.test('G6: on real machines', { skip: why }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-readme-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  symlinkSync(join(repositoryRoot, 'node/bin/shoal.mjs'), join(folder, 'shoal'));
  // Where there is such a folder, its machine's own; it is covered in the test's machines, and never written.
  if (!existsSync(dataDir)) {
    mkdirSync(dataDir);
    t.teardown(() => rmdirSync(dataDir));
  }
  const lab = await makeUnderlay(
    { name: 'readme', hosts: 2, cidr: '10.251.0.0/24', externalCidr: '10.251.1.0/24', mtu: 1500 },
    AbortSignal.timeout(60_000),
  );
  t.teardown(() => removeUnderlay('readme', AbortSignal.timeout(60_000)));
  const machines: Machine[] = [];
  for (const [at, host] of lab.hosts.entries()) {
    const { namespace, vtepIp } = host;
    await runCommand(['ip', '-n', namespace, 'route', 'add', 'default', 'via', lab.outsideUnderlayIp]);
    machines.push(await Machine.start(`m${at + 1}`, namespace, vtepIp, folder));
  }
  t.teardown(async () => {
    for (const machine of machines) await machine.stop();
  });
  const [m1, m2] = machines;
  if (m1 === undefined || m2 === undefined) throw new Error('two machines');

  t.match((await m1.run('shoal status')).stderr, /no agent runs here on \/var\/lib\/shoal.*shoal init/);
  const founded = await m1.run('shoal init');
  t.equal(founded.status, 0, founded.stderr);
  t.match(founded.stdout, new RegExp(`address +${m1.address}:7401 +\\(that of the default route`));
  t.match(founded.stdout, /authority SHA256:/);
  const password = /admin +(\S+)/.exec(founded.stdout)?.[1] ?? '';
  t.ok(password.length > 12, 'the password is printed');
  m1.begin('shoal agent');
  await until('the first agent', async () => ((await m1.run('shoal status')).status === 0 ? true : undefined));
  const ticket = (await m1.run('shoal ticket create')).stdout.trim();
  const second = m2.begin('shoal agent --join TICKET', { TICKET: ticket });
  const table = await until('both hosts', async () => {
    const { stdout } = await m1.run('shoal hosts');
    return stdout.includes('m2') && (stdout.match(/alive/g)?.length ?? 0) === 2 ? stdout : undefined;
  });
  t.match(table, new RegExp(`m2[\\s\\S]*${m2.address}:7401`));
  t.match((await m1.run('shoal status')).stdout, /quorum +yes/);
  t.match((await m1.run('shoal ca')).stdout, /BEGIN CERTIFICATE/);
  t.match((await m1.run('shoal agent --help')).stdout, /api\.trustedProxies +SHOAL_API_TRUSTED_PROXIES/);

  const openstack = async (secret: string): Promise<CommandResult> => {
    const settings = `OS_AUTH_URL=https://${m1.address}:5000/identity/v3 OS_USERNAME=admin OS_PASSWORD=${secret} OS_PROJECT_NAME=admin OS_USER_DOMAIN_NAME=Default OS_PROJECT_DOMAIN_NAME=Default OS_IDENTITY_API_VERSION=3`;
    ran.add('export OS_CACERT=/var/lib/shoal/ca.pem');
    return m1.run(
      `export OS_CACERT=/var/lib/shoal/ca.pem && ${settings} openstack hypervisor list -f value -c "Hypervisor Hostname"`,
    );
  };
  t.match((await openstack(password)).stdout.trim().split('\n').sort(), ['m1', 'm2']);
  const reset = await m1.run('shoal admin reset-password');
  t.equal(reset.status, 0, reset.stderr);
  const renewed = /password +(\S+)/.exec(reset.stdout)?.[1] ?? '';
  t.match((await openstack(password)).stderr, /401/, 'the old password is void');
  t.match((await openstack(renewed)).stdout, /m1/);

  await end(second);
  t.match((await m2.run('shoal inspect')).stdout, /m2|mesh/);
  const removed = await until('m2 is removed', async () => {
    const result = await m1.run('shoal host remove NAME', { NAME: 'm2' });
    return result.status === 0 ? result.stdout : undefined;
  });
  t.match(removed, /m2 is no host of this mesh any more/);
  const wanted = Object.keys(readmeCommands).filter((command) => readmeCommands[command] === 'machines');
  t.same(
    wanted.filter((command) => !ran.has(command)),
    [],
    'every command of the table was run',
  );
});

t.test('G6: the two commands, on this machine', { skip: why }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-readme-'));
  const checkout = join(folder, 'shoal');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const left = new Set(['node_modules', '.git', '.shoal', '.tap'].map((name) => join(repositoryRoot, name)));
  cpSync(repositoryRoot, checkout, { recursive: true, filter: (path) => !left.has(path.replace(/\/$/, '')) });
  symlinkSync(join(repositoryRoot, 'node_modules'), join(checkout, 'node_modules'));
  const shell = async (command: string): Promise<CommandResult> => {
    ran.add(command);
    return runCommand(['bash', '-c', `cd ${checkout} && ${command}`], {
      timeoutMs: commandMsMax,
      okStatus: [0, 1, 2, 3],
    });
  };
  t.match((await shell('npm start -- --help')).stdout, /--detach/);
  ran.add('npm start');
  const cloud = spawn('npm', ['start'], { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  t.teardown(async () => {
    await shell('npm stop');
  });
  let said = '';
  cloud.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await until('the cloud is up', async () => (said.includes('Ctrl-C ends the cloud') ? true : undefined));
  t.match(said, /npx shoal status --config \S+\/h1\/config\.yaml/, 'how an operator asks it');
  t.match((await shell('source .shoal/openrc && openstack server list')).stdout, /first.*ACTIVE/);
  t.match(
    (await shell('OS_CLIENT_CONFIG_FILE=.shoal/clouds.yaml openstack --os-cloud shoal-h2 hypervisor list')).stdout,
    /h3/,
  );
  t.match((await shell('source .shoal/openrc-demo && openstack server list -f json')).stdout.trim(), /^\[\]$/);
  t.match((await shell('npx shoal status --config .shoal/h1/config.yaml')).stdout, /quorum +yes/);
  t.match((await shell('npx shoal status')).stderr, /for the development cloud of this folder say: --config/);
  const ended = new Promise((resolve) => cloud.once('exit', resolve));
  if (cloud.pid !== undefined) process.kill(-cloud.pid, 'SIGINT');
  await ended;
  t.match((await shell('npm stop -- --keep-data')).stdout, /Data are kept/);
  t.ok(existsSync(join(checkout, '.shoal/cloud.json')));
  t.match((await shell('npm stop')).stdout, /Everything is gone/);
  t.notOk(existsSync(join(checkout, '.shoal')));
  const wanted = Object.keys(readmeCommands).filter((command) => readmeCommands[command] === 'cloud');
  t.same(
    wanted.filter((command) => !ran.has(command)),
    [],
    'every command of the table was run',
  );
});
