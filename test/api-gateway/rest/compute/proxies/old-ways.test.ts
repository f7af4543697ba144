/** What Nova answers for other services up to 2.35, and what operators see of hosts. */
import t from 'tap';
import { type Cloud, startCloud } from '../../cloud.ts';
import { at } from '../server-effects.ts';

const get = (cloud: Cloud, path: string, minor: number, token?: string) =>
  cloud.gateway.call('GET', `/compute/v2.1${path}`, { headers: at(minor), ...(token === undefined ? {} : { token }) });

void t.test('the old ways to other services end with 2.35', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const path of [
    '/os-networks',
    '/os-tenant-networks',
    '/os-floating-ips',
    '/os-floating-ip-pools',
    '/os-volumes',
    '/os-volumes/detail',
    '/os-snapshots',
    '/os-snapshots/detail',
  ]) {
    t.equal((await get(cloud, path, 35)).statusCode, 200, path);
    t.equal((await get(cloud, path, 36)).statusCode, 404, `${path} at 2.36`);
  }
});

void t.test('a network has its name for a label, and to administrators all keys of old', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const token = cloud.memberToken;
  const { network } = (
    await cloud.gateway.call('POST', '/networking/v2.0/networks', { token, body: { network: { name: 'mine' } } })
  ).json();
  const brief = { id: network.id, label: 'mine', cidr: null, gateway_v6: null };
  const shown = (await get(cloud, `/os-networks/${network.id}`, 1, token)).json().network;
  t.match(shown, brief);
  t.notOk('vlan' in shown);
  const { networks } = (await get(cloud, '/os-networks', 1)).json();
  t.match(networks, [{ ...brief, vlan: null, project_id: null, deleted: null }]);
  t.same((await get(cloud, '/os-tenant-networks', 1, token)).json().networks, [
    { id: network.id, label: 'mine', cidr: 'None' },
  ]);
  t.equal((await get(cloud, '/os-tenant-networks/none', 1, token)).statusCode, 404);
});

void t.test('the metadata of an image is changed by its owner', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const token = cloud.memberToken;
  const made = await cloud.gateway.call('POST', '/image/v2/images', {
    token,
    body: { name: 'own', disk_format: 'raw', container_format: 'bare', first: '1' },
  });
  const path = `/images/${made.json().id}/metadata`;
  const send = (method: string, below: string, body?: object, minor = 38, as = token) =>
    cloud.gateway.call(method, `/compute/v2.1${path}${below}`, {
      token: as,
      headers: at(minor),
      ...(body === undefined ? {} : { body }),
    });
  t.same((await send('POST', '', { metadata: { second: '2' } })).json(), { metadata: { first: '1', second: '2' } });
  t.same((await send('PUT', '/second', { meta: { second: '3' } })).json(), { meta: { second: '3' } });
  t.equal((await send('PUT', '/second', { meta: { other: '3' } })).statusCode, 400);
  t.equal((await send('DELETE', '/first')).statusCode, 204);
  t.equal((await send('DELETE', '/first')).statusCode, 404);
  t.same((await send('PUT', '', { metadata: { third: '3' } })).json(), { metadata: { third: '3' } });
  t.same((await get(cloud, path, 38, token)).json(), { metadata: { third: '3' } });
  t.equal((await send('POST', '', { metadata: { a: 'b' } }, 39)).statusCode, 404, 'from 2.39 on there is none');
  const foreign = await cloud.gateway.call('POST', '/compute/v2.1/images/none/metadata', {
    token,
    body: { metadata: { a: 'b' } },
  });
  t.equal(foreign.statusCode, 404);
  t.same((await get(cloud, path, 38, token)).json(), { metadata: { third: '3' } }, 'nothing was half done');
});

void t.test('a hypervisor says how long it has been up, in the form of uptime', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { hypervisors } = (await get(cloud, '/os-hypervisors', 53)).json();
  const answer = await get(cloud, `/os-hypervisors/${hypervisors[0].id}/uptime`, 53);
  t.equal(answer.statusCode, 200, answer.body);
  const { uptime, ...brief } = answer.json().hypervisor;
  t.same(brief, hypervisors[0]);
  t.match(uptime, /^ \d\d:\d\d:\d\d up \d+ days?, \d+:\d\d, {2}0 users, {2}load average: 0\.25$/);
  t.equal((await get(cloud, '/os-hypervisors/none/uptime', 53)).statusCode, 404);
});

void t.test('no host has run a usage audit, and the month before is told', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const path = '/os-instance_usage_audit_log';
  const at2012 = (await get(cloud, `${path}/2012-07-05%2010:00:00`, 1)).json().instance_usage_audit_log;
  t.match(at2012, {
    period_beginning: '2012-06-01 00:00:00',
    period_ending: '2012-07-01 00:00:00',
    num_hosts: 2,
    num_hosts_not_run: 2,
    overall_status: '0 of 2 hosts done. 0 errors.',
    log: {},
  });
  t.equal(at2012.hosts_not_run.length, 2);
  t.match((await get(cloud, path, 1)).json().instance_usage_audit_logs, { num_hosts_done: 0 });
  const january = (await get(cloud, `${path}/2012-01-01%2000:00:00.000001`, 1)).json().instance_usage_audit_log;
  t.match(january, { period_beginning: '2011-12-01 00:00:00', period_ending: '2012-01-01 00:00:00' });
  for (const wrong of ['invalid_time', '2012-13-01%2000:00:00', '2012-07-05']) {
    t.equal((await get(cloud, `${path}/${wrong}`, 1)).statusCode, 400, wrong);
  }
  t.equal((await get(cloud, path, 1, cloud.memberToken)).statusCode, 403);
});

void t.test('a key pair of type x509 is made up to where Nova makes one', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const body = { keypair: { name: 'winrm', type: 'x509' } };
  const made = await cloud.gateway.call('POST', '/compute/v2.1/os-keypairs', { body, headers: at(2) });
  t.equal(made.statusCode, 201, made.body);
  const { keypair } = made.json();
  t.match(keypair, { type: 'x509', public_key: /^-----BEGIN CERTIFICATE-----/, private_key: /^MII/ });
  t.match((await get(cloud, '/os-keypairs/winrm', 2)).json().keypair, {
    public_key: keypair.public_key,
    fingerprint: keypair.fingerprint,
  });
});

void t.test('an address to reach a server by is shown in its usual notation', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  const long = '0000:0000:0000:0000:0000:babe:220.12.22.2';
  const made = await cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: { ...server, accessIPv4: '192.0.2.1', accessIPv6: long } },
    headers: at(52),
  });
  const path = `/servers/${made.json().server.id}`;
  t.match((await get(cloud, path, 1)).json().server, { accessIPv4: '192.0.2.1', accessIPv6: '::babe:dc0c:1602' });
  await cloud.gateway.call('PUT', `/compute/v2.1${path}`, { body: { server: { accessIPv6: '2001:DB8:0::1' } } });
  t.match((await get(cloud, path, 1)).json().server, { accessIPv4: '192.0.2.1', accessIPv6: '2001:db8::1' });
});
