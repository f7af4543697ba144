/**
 * Joining as an operator does: shoal init, shoal ticket create, shoal agent --join. Twenty machines (network namespaces on one
 * bridge) with fake drivers; half of them join at once while the leader is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { adminPassword, shoal } from '../support/lone-agent.ts';
import { enterOwnNetwork, makeHosts, type TestHost } from '../support/network-namespace.ts';

const fileMsMax = 540_000;
await enterOwnNetwork(fileURLToPath(import.meta.url), fileMsMax);
// A setting of the test's that no agent knows.
delete process.env['SHOAL_TEST_OWN_NETWORK'];

const bin = fileURLToPath(new URL('../../node/bin/shoal.mjs', import.meta.url));
const hostsWanted = 20;
/** They are up first, so that there is a quorum without the leader. */
const firstHosts = 3;
/** They join at once while the leader is killed. */
const lastHosts = 10;

/** A machine: a namespace, a data folder, and its agent. */
class Machine {
  readonly name: string;
  readonly #host: TestHost;
  readonly #folder: string;
  #process: ChildProcess | undefined;

  constructor(name: string, host: TestHost, folder: string) {
    this.name = name;
    this.#host = host;
    this.#folder = folder;
  }

  get dataDir(): string {
    return join(this.#folder, this.name);
  }

  get flags(): readonly string[] {
    const settings = {
      name: this.name,
      advertiseAddress: this.#host.address,
      'compute.driver': 'fake',
      'network.driver': 'fake',
      'peer.listen': '0.0.0.0:7401',
      'gossip.listen': '0.0.0.0:7402',
      'api.listen': '0.0.0.0:5000',
      'api.grpcListen': '0.0.0.0:7400',
    };
    return [...Object.entries(settings).flatMap((pair) => ['--set', pair.join('=')]), '--data-dir', this.dataDir];
  }

  get log(): string {
    const path = join(this.#folder, `${this.name}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  get exitCode(): number | null | undefined {
    return this.#process?.exitCode;
  }

  /** `shoal agent`, with a ticket: `shoal agent --join`. */
  start(ticket?: string): void {
    const log = openSync(join(this.#folder, `${this.name}.log`), 'a');
    const [program = '', ...prefix] = this.#host.prefix;
    const join_ = ticket === undefined ? [] : ['--join', ticket];
    this.#process = spawn(program, [...prefix, process.execPath, bin, 'agent', ...join_, ...this.flags], {
      stdio: ['ignore', log, log],
      env: { ...process.env, SHOAL_CONFIG: '', SHOAL_ADMIN_PASSWORD: adminPassword },
    });
  }

  async json(...args: readonly string[]): Promise<unknown> {
    const { out, err } = await shoal([...args, '--json', '--data-dir', this.dataDir]);
    if (out === '') throw new Error(err);
    return JSON.parse(out);
  }

  async ticket(): Promise<string> {
    const { status, out, err } = await shoal(['ticket', 'create', '--data-dir', this.dataDir]);
    if (status !== 0) throw new Error(err);
    return out.trim();
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await ended;
  }
}

async function until(what: string, msMax: number, holds: () => boolean | Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startMs > msMax) throw new Error(`not within ${msMax} ms: ${what}`);
    await delay(250);
  }
  return Math.round(performance.now() - startMs);
}

const hasStarted = (machine: Machine): boolean => {
  if (machine.exitCode !== null && machine.exitCode !== undefined) {
    throw new Error(`${machine.name} ended: ${machine.log.slice(-2_000)}`);
  }
  return machine.log.includes('"agent started"');
};

interface Status {
  readonly hostId: string;
  readonly leaderHostId: string;
  readonly hasQuorum: boolean;
  readonly voters: readonly { readonly hostId: string; readonly learner: boolean }[];
}

t.test('twenty machines join, half of them at once while the leader is killed', { timeout: fileMsMax }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'shoal-joining-'));
  const names = Array.from({ length: hostsWanted }, (_, at) => `m${at + 1}`);
  const { hosts, remove } = await makeHosts(
    '10.77.0.254',
    Object.fromEntries(names.map((name, at) => [name, `10.77.0.${at + 1}`])),
  );
  const machines = names.map((name) => {
    const host = hosts.get(name);
    if (host === undefined) throw new Error(`there is no ${name}`);
    return new Machine(name, host, folder);
  });
  t.teardown(async () => {
    await Promise.all(machines.map((machine) => machine.end('SIGKILL')));
    await remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const first = machines.slice(0, firstHosts);
  const middle = machines.slice(firstHosts, hostsWanted - lastHosts);
  const last = machines.slice(hostsWanted - lastHosts);
  const [m1, m2] = first;
  if (m1 === undefined || m2 === undefined) throw new Error('there are three');
  const statusOf = async (asked: Machine): Promise<Status> => (await asked.json('status')) as Status;

  const founded = await shoal(['init', '--json', ...m1.flags]);
  t.equal(founded.status, 0, founded.err);
  m1.start();
  await until('the first serves', 60_000, () => hasStarted(m1));
  for (const machine of first.slice(1)) machine.start(await m1.ticket());
  await until('three voters', 60_000, async () => {
    return first.every(hasStarted) && (await statusOf(m1)).voters.filter(({ learner }) => !learner).length === 3;
  });

  const tickets = new Map<Machine, string>();
  for (const machine of [...middle, ...last]) tickets.set(machine, await m1.ticket());
  for (const machine of middle) machine.start(tickets.get(machine));
  const middleMs = await until('seven at once', 150_000, () => middle.every(hasStarted));
  t.comment(`${middle.length} at once: ${middleMs} ms`);

  const status = await statusOf(m1);
  const byId = new Map(
    await Promise.all(first.map(async (machine) => [(await statusOf(machine)).hostId, machine] as const)),
  );
  const leader = byId.get(status.leaderHostId);
  if (leader === undefined) throw new Error('the leader is one of the first');
  for (const machine of last) machine.start(tickets.get(machine));
  // They have begun to ask, and some are let in already.
  await until('one has joined', 120_000, () => last.some(({ log }) => log.includes('"joined"')));
  t.notOk(
    last.every(({ log }) => log.includes('"joined"')),
    'and others not yet',
  );
  await leader.end('SIGKILL');
  const lastMs = await until('ten at once without their leader', 300_000, () => last.every(hasStarted));
  t.comment(`${last.length} at once, the leader killed: ${lastMs} ms`);

  leader.start();
  interface Hosts {
    readonly hosts: readonly {
      readonly host: { readonly name: string; readonly raftId: number };
      readonly condition: string;
    }[];
  }
  const hostsOf = async (asked: Machine): Promise<Hosts['hosts']> => ((await asked.json('hosts')) as Hosts).hosts;
  for (const asked of [m1, m2, ...middle.slice(0, 1), ...last.slice(0, 2)]) {
    await until(`${asked.name} sees all alive`, 90_000, async () => {
      const found = await hostsOf(asked).catch(() => []); // The one that was killed is starting.
      return found.length === hostsWanted && found.every(({ condition }) => condition === 'alive');
    });
  }
  const found = await hostsOf(m2);
  t.same(found.map(({ host }) => host.name).sort(), [...names].sort(), 'each is there once');
  t.equal(new Set(found.map(({ host }) => host.raftId)).size, hostsWanted, 'and has a number of its own');
  t.equal((await statusOf(m2)).hasQuorum, true);

  const used = await shoal(['join', ...m2.flags.slice(0, -1), join(folder, 'thief')], {
    SHOAL_JOIN: tickets.get(last[0] ?? m1) ?? '',
  });
  t.not(used.status, 0);
  t.match(used.err, /ticket has been used/, 'a ticket lets one in');
});
