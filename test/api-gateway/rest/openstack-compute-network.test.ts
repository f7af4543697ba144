/** Debian's own `openstack`, unmodified, makes a network, boots a server on it and takes all down again. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { portTable, serverTable } from '../../../node/state/tables/index.ts';
import { adminPassword } from '../../support/gateway.ts';
import { startCloud } from './cloud.ts';

const run = promisify(execFile);
/** One command takes about two seconds, most of it Python's start; more when the machine is busy. */
const commandTimeoutMs = 60_000;

const installed = await run('openstack', ['--version'], { timeout: commandTimeoutMs }).then(
  () => true,
  () => false,
);
const skip = installed ? false : 'the program openstack (Debian: python3-openstackclient) is not installed';

// The runner's own 30 s are not for a hundred starts of Python.
t.setTimeout(900_000);

/** What a command printed, or how it failed. */
interface Said {
  readonly out: string;
  readonly error: string;
}

/** A cloud whose hosts act, and the CLI as its administrator. */
async function startCli() {
  const cloud = await startCloud({ listen: true, act: true });
  const folder = await mkdtemp(join(tmpdir(), 'shoal-cli-'));
  const port = cloud.gateway.server.addresses[0]?.port ?? 0;
  const environment = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    // No configuration of the user who runs the test.
    HOME: folder,
    OS_AUTH_URL: `http://127.0.0.1:${port}/identity`,
    OS_USERNAME: 'admin',
    OS_PASSWORD: adminPassword,
    OS_PROJECT_NAME: 'admin',
    OS_USER_DOMAIN_ID: 'default',
    OS_PROJECT_DOMAIN_ID: 'default',
    OS_IDENTITY_API_VERSION: '3',
  };
  const openstack = async (...args: readonly string[]): Promise<Said> => {
    try {
      const { stdout } = await run('openstack', args, { cwd: folder, env: environment, timeout: commandTimeoutMs });
      return { out: stdout, error: '' };
    } catch (caught) {
      const error = caught instanceof Error && 'stderr' in caught ? String(caught.stderr) : String(caught);
      return { out: '', error: error === '' ? String(caught) : error };
    }
  };
  return {
    cloud,
    folder,
    openstack,
    async stop() {
      await cloud.stop();
      await rm(folder, { recursive: true });
    },
  };
}

void t.test('an aggregate from nothing to gone', { skip, timeout: 600_000 }, async (t) => {
  const { openstack, stop } = await startCli();
  t.teardown(stop);
  const run = async (command: string, ...format: readonly string[]): Promise<string> => {
    const { out, error } = await openstack(...command.split(' '), ...format);
    t.equal(error, '', command);
    return out;
  };
  const json = async (command: string) => JSON.parse(await run(command, '-f', 'json'));
  t.match(await json('aggregate create --zone east fast'), { name: 'fast', availability_zone: 'east' });
  t.match(await json('aggregate add host fast host-1'), { hosts: ['host-1'] });
  await run('aggregate set --property ssd=true fast');
  t.match(await json('aggregate show fast'), { hosts: ['host-1'], properties: { ssd: 'true' } });
  t.match(await json('aggregate list --long'), [{ Name: 'fast', 'Availability Zone': 'east' }]);
  t.same(
    (await json('availability zone list --compute')).map((zone: { 'Zone Name': string }) => zone['Zone Name']),
    ['east', 'nova'],
  );
  await run('aggregate unset --property ssd fast');
  await run('aggregate remove host fast host-1');
  await run('aggregate delete fast');
  t.same(await json('aggregate list'), []);
});

void t.test('a server from nothing to gone', { skip, timeout: 600_000 }, async (t) => {
  const { cloud, folder, openstack, stop } = await startCli();
  t.teardown(stop);
  /** Runs words; its JSON. */
  const json = async (command: string) => {
    const { out, error } = await openstack(...command.split(' '), '-f', 'json');
    t.equal(error, '', command);
    return out === '' ? undefined : JSON.parse(out);
  };
  const plain = async (command: string): Promise<string> => {
    const { out, error } = await openstack(...command.split(' '));
    t.equal(error, '', command);
    return out;
  };
  const key = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1'), Buffer.alloc(32, 7)]);
  await writeFile(join(folder, 'key.pub'), `ssh-ed25519 ${key.toString('base64')} me\n`);

  const flavors = await json('flavor list');
  t.ok(flavors.some((flavor: { Name: string }) => flavor.Name === 'm1.tiny'));
  t.match(await json('network create --external public'), { 'router:external': true, status: 'ACTIVE' });
  t.match(
    await json(
      'subnet create --network public --subnet-range 198.51.100.0/24 --no-dhcp --allocation-pool start=198.51.100.10,end=198.51.100.99 public-subnet',
    ),
    { gateway_ip: '198.51.100.1', enable_dhcp: false },
  );
  t.match(await json('network create private'), { mtu: 1450 });
  t.match(
    await json('subnet create --network private --subnet-range 10.0.0.0/24 --dns-nameserver 192.0.2.53 private-subnet'),
    {
      cidr: '10.0.0.0/24',
      dns_nameservers: ['192.0.2.53'],
    },
  );
  t.match(await json('router create main'), { status: 'ACTIVE' });
  await plain('router add subnet main private-subnet');
  await plain('router set --external-gateway public main');
  const router = await json('router show main');
  t.match(router.external_gateway_info.external_fixed_ips, [{ ip_address: /^198\.51\.100\./ }]);
  t.equal(router.interfaces_info.length, 1);
  t.match(await json('keypair create --public-key key.pub laptop'), { name: 'laptop' });

  const server = await json(
    'server create --flavor m1.tiny --image cirros --network private --key-name laptop --wait web',
  );
  t.match(server, { status: 'ACTIVE', name: 'web', key_name: 'laptop' });
  t.match(await json('server list'), [{ Name: 'web', Status: 'ACTIVE', Flavor: 'm1.tiny', Image: 'cirros' }]);
  t.match((await json('server show web')).addresses, { private: [/^10\.0\.0\./] });
  await plain('server stop web');
  await untilStatus(cloud, 'SHUTOFF');
  t.equal((await json('server show web')).status, 'SHUTOFF');
  await plain('server start web');
  await untilStatus(cloud, 'ACTIVE');
  await plain('server reboot --wait web');
  await plain('server reboot --hard --wait web');
  t.match(await plain('console log show web'), /line one\nline two\nline three/);
  t.match(await plain('console log show --lines 1 web'), /^line three/);
  const floating = await json('floating ip create public');
  t.match(floating.floating_ip_address, /^198\.51\.100\./);
  await plain(`server add floating ip web ${floating.floating_ip_address}`);
  t.same((await json('server show web')).addresses.private.length, 2);
  t.match(await json('hypervisor list'), [
    { 'Hypervisor Hostname': 'host-1', State: 'up' },
    { 'Hypervisor Hostname': 'host-2' },
  ]);
  t.match(await json('host list'), [{ 'Host Name': 'host-1', Service: 'compute' }, { 'Host Name': 'host-2' }]);
  await json('compute service list');
  await json('availability zone list');
  await json('network agent list');
  await json('security group list');
  await json('security group rule list');
  await json('port list --server web');
  await json('ip availability list');
  await json('quota show');
  await json('limits show --absolute');
  await json('extension list --network');
  await plain('server remove floating ip web '.concat(floating.floating_ip_address));
  await plain('server delete --wait web');
  t.equal(serverTable.list(cloud.world.state.local).length, 0);
  await plain(`floating ip delete ${floating.floating_ip_address}`);
  await plain('router remove subnet main private-subnet');
  await plain('router unset --external-gateway main');
  await plain('router delete main');
  await plain('network delete private public');
  t.equal(portTable.list(cloud.world.state.local).length, 0);
});

void t.test('what cannot be is said in words that the CLI shows', { skip, timeout: 300_000 }, async (t) => {
  const { openstack, cloud, stop } = await startCli();
  t.teardown(stop);
  const fails = async (command: string, words: RegExp): Promise<void> => {
    t.match((await openstack(...command.split(' '))).error, words, command);
  };
  await fails('server create --flavor none --image cirros web', /No flavor with a name or ID of 'none' exists|none/);
  await fails('server create --flavor m1.tiny --image none web', /none/);
  await fails('server create --flavor m1.tiny --image cirros --network nowhere web', /nowhere/);
  await fails('subnet create --network none --subnet-range 10.0.0.0/24 s', /none/);
  await openstack('network', 'create', 'a');
  await openstack('subnet', 'create', '--network', 'a', '--subnet-range', '10.0.0.0/24', 's');
  await fails('subnet create --network a --subnet-range 10.0.0.0/25 t', /overlaps with another subnet/);
  await fails('router set --external-gateway a none', /none/);
  await fails('floating ip create a', /not a valid external network/);
  t.equal(serverTable.list(cloud.world.state.local).length, 0);
});

/** Waits, bounded, until the one server's record says so. */
async function untilStatus(cloud: Awaited<ReturnType<typeof startCloud>>, status: 'SHUTOFF' | 'ACTIVE'): Promise<void> {
  const wanted = { SHUTOFF: 3, ACTIVE: 2 }[status];
  for (let tries = 0; tries < 200; tries++) {
    const [row] = serverTable.list(cloud.world.state.local);
    if (row?.record.status === wanted && row.record.taskState === '') return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`the server did not become ${status}`);
}
