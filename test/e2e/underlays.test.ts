/**
 * Underlays other than plain IPv4: IPv6 alone, both families, and a host behind address translation (NAT), which is refused. Real
 * agents with fake drivers, in a network of this file's own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { runCommand } from '../../drivers/command.ts';
import { LoneAgent, shoal } from '../support/lone-agent.ts';
import { enterOwnNetwork } from '../support/network-namespace.ts';

const fileMsMax = 300_000;
await enterOwnNetwork(fileURLToPath(import.meta.url), fileMsMax);
// A setting of the test's that no agent knows.
delete process.env['SHOAL_TEST_OWN_NETWORK'];

interface Hosts {
  readonly hosts: readonly {
    readonly host: { readonly name: string; readonly peerAddress: string; readonly vtepIp: string };
    readonly condition: string;
  }[];
}

interface Status {
  readonly hasQuorum: boolean;
  readonly voters: readonly { readonly learner: boolean; readonly reachable: boolean }[];
}

async function until(what: string, holds: () => Promise<boolean>, msMax = 90_000): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`not within ${msMax} ms: ${what}`);
    await delay(250);
  }
}

async function mustBeWhole(agents: readonly LoneAgent[]): Promise<Hosts['hosts']> {
  for (const asked of agents) {
    await until('voters', async () => {
      const { hasQuorum, voters } = (await asked.json('status')) as Status;
      return hasQuorum && voters.filter(({ learner }) => !learner).length === agents.length;
    });
    await until('all alive by gossip', async () => {
      const { hosts } = (await asked.json('hosts')) as Hosts;
      return hosts.length === agents.length && hosts.every(({ condition }) => condition === 'alive');
    });
  }
  const [first] = agents;
  return first === undefined ? [] : ((await first.json('hosts')) as Hosts).hosts;
}

/** An agent that listens on one IPv6 address and is reached there. */
const six = (name: string, address: string, member?: LoneAgent): Promise<LoneAgent> =>
  LoneAgent.start({
    name,
    address: `[${address}]`,
    settings: { advertiseAddress: address },
    ...(member === undefined ? {} : { join: member }),
  });

t.test('an underlay of IPv6 alone: join, Raft, gossip', { timeout: fileMsMax }, async (t) => {
  for (const address of ['fd77::1', 'fd77::2', 'fd77::3']) {
    await runCommand(['ip', 'addr', 'add', `${address}/128`, 'dev', 'lo', 'nodad']);
  }
  const a = await six('a', 'fd77::1');
  t.teardown(() => a.stop());
  const b = await six('b', 'fd77::2', a);
  t.teardown(() => b.stop());
  const c = await six('c', 'fd77::3', a);
  t.teardown(() => c.stop());
  const hosts = await mustBeWhole([a, b, c]);
  t.same(hosts.map(({ host }) => host.vtepIp).sort(), ['fd77::1', 'fd77::2', 'fd77::3']);
  t.equal(hosts.find(({ host }) => host.name === 'b')?.host.peerAddress, `[fd77::2]:${b.peerPort}`);
  t.ok(await a.token(), 'and the API');
  await a.end('SIGKILL');
  await until('another leads', async () => ((await b.json('status')) as Status).hasQuorum);
});

t.test('both families: hosts that are reached by either are in one mesh', { timeout: fileMsMax }, async (t) => {
  await runCommand(['ip', 'addr', 'add', 'fd78::2/128', 'dev', 'lo', 'nodad']);
  const a = await LoneAgent.start({ name: 'a', address: '[::]', settings: { advertiseAddress: '127.0.0.71' } });
  t.teardown(() => a.stop());
  const b = await LoneAgent.start({
    name: 'b',
    address: '[::]',
    settings: { advertiseAddress: 'fd78::2' },
    join: a,
  });
  t.teardown(() => b.stop());
  const c = await LoneAgent.start({ name: 'c', address: '127.0.0.73', join: a });
  t.teardown(() => c.stop());
  const hosts = await mustBeWhole([a, b, c]);
  t.same(hosts.map(({ host }) => host.vtepIp).sort(), ['127.0.0.71', '127.0.0.73', 'fd78::2']);
});

t.test('a host behind NAT is refused with a word, and its ticket is not spent', { timeout: fileMsMax }, async (t) => {
  // inside (192.168.50.2) -- (192.168.50.1) gate (10.78.0.2) -- (10.78.0.1) this network, where the member is.
  const [gate, inside] = [`shoal-test-${process.pid}-gate`, `shoal-test-${process.pid}-in`];
  const folder = mkdtempSync(join(tmpdir(), 'shoal-nat-'));
  t.teardown(async () => {
    for (const namespace of [inside, gate]) await runCommand(['ip', 'netns', 'del', namespace]);
    rmSync(folder, { recursive: true, force: true });
  });
  const steps = [
    `ip netns add ${gate}`,
    `ip netns add ${inside}`,
    `ip link add v-gate type veth peer name eth0 netns ${gate}`,
    `ip addr add 10.78.0.1/24 dev v-gate`,
    `ip link set v-gate up`,
    `ip -n ${gate} addr add 10.78.0.2/24 dev eth0`,
    `ip -n ${gate} link set eth0 up`,
    `ip -n ${gate} link add eth1 type veth peer name eth0 netns ${inside}`,
    `ip -n ${gate} addr add 192.168.50.1/24 dev eth1`,
    `ip -n ${gate} link set eth1 up`,
    `ip -n ${inside} addr add 192.168.50.2/24 dev eth0`,
    `ip -n ${inside} link set eth0 up`,
    `ip -n ${inside} route add default via 192.168.50.1`,
    `ip netns exec ${gate} sysctl -qw net.ipv4.ip_forward=1`,
    `ip netns exec ${gate} nft add table ip nat`,
    `ip netns exec ${gate} nft add chain ip nat post {type nat hook postrouting priority 100;}`,
    `ip netns exec ${gate} nft add rule ip nat post oifname eth0 masquerade`,
  ];
  for (const step of steps) {
    const [head = '', braces] = step.split(/ (?=\{)/);
    await runCommand([...head.split(' '), ...(braces === undefined ? [] : [braces])]);
  }
  const a = await LoneAgent.start({ name: 'a', address: '10.78.0.1' });
  t.teardown(() => a.stop());
  const ticket = await a.ticket();
  const refused = await inNamespace(
    inside,
    ['join', '--set', 'advertiseAddress=192.168.50.2', '--data-dir', join(folder, 'b')],
    ticket,
  );
  t.match(refused, /192\.168\.50\.2:7401, comes from 10\.78\.0\.2, and does not answer/);
  t.match(refused, /\(NAT\)/);
  const { hosts } = (await a.json('hosts')) as Hosts;
  t.equal(hosts.length, 1);
  const joined = await shoal(
    ['join', '--json', '--set', 'advertiseAddress=10.78.0.1', '--set', 'name=c', '--data-dir', join(folder, 'c')],
    { SHOAL_JOIN: ticket },
  );
  t.equal(joined.status, 0, joined.err);
});

/** Runs `shoal` in another namespace; what it says on its way out. */
async function inNamespace(namespace: string, args: readonly string[], ticket: string): Promise<string> {
  const { spawn } = await import('node:child_process');
  const bin = fileURLToPath(new URL('../../node/bin/shoal.mjs', import.meta.url));
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, '--', process.execPath, bin, ...args], {
    env: { ...process.env, SHOAL_CONFIG: '', SHOAL_JOIN: ticket },
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  await new Promise((resolve) => child.once('exit', resolve));
  return said;
}
