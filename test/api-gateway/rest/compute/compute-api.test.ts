import { randomUUID } from 'node:crypto';
import t from 'tap';
import { hostsAct } from '../../../node/services/compute-world.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const create = (cloud: Cloud, server: object, headers = {}) =>
  cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', ...server } },
    token: cloud.memberToken,
    headers,
  });
const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });

async function addTenantNetwork(cloud: Cloud): Promise<string> {
  const options = { token: cloud.memberToken };
  const { network } = (
    await cloud.gateway.call('POST', '/networking/v2.0/networks', { ...options, body: { network: { name: 'net' } } })
  ).json();
  await cloud.gateway.call('POST', '/networking/v2.0/subnets', {
    ...options,
    body: { subnet: { network_id: network.id, cidr: '10.0.0.0/24', ip_version: 4 } },
  });
  return network.id;
}

void t.test('a create answers 202 with the keys of 2.1 and nothing else', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const networkId = await addTenantNetwork(cloud);
  const answer = await create(cloud, { networks: [{ uuid: networkId }], security_groups: [{ name: 'default' }] });
  t.equal(answer.statusCode, 202);
  const { server } = answer.json();
  t.same(Object.keys(server).sort(), ['OS-DCF:diskConfig', 'adminPass', 'id', 'links', 'security_groups']);
  t.match(answer.headers['location'], new RegExp(`/compute/v2\\.1/servers/${server.id}$`));
  t.equal(answer.headers['openstack-api-version'], 'compute 2.1');
  t.equal(answer.headers['x-openstack-nova-api-version'], '2.1');
});

void t.test('each microversion of a server has its own keys', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const networkId = await addTenantNetwork(cloud);
  const { id } = (await create(cloud, { networks: [{ uuid: networkId }], metadata: { a: 'b' } })).json().server;
  await hostsAct(cloud.world);
  const show = async (minor: number, token = cloud.memberToken) =>
    (await cloud.gateway.call('GET', `/compute/v2.1/servers/${id}`, { token, headers: at(minor) })).json().server;
  const base = await show(1);
  t.same(
    Object.keys(base).sort(),
    [
      'OS-DCF:diskConfig',
      'OS-EXT-AZ:availability_zone',
      'OS-EXT-STS:power_state',
      'OS-EXT-STS:task_state',
      'OS-EXT-STS:vm_state',
      'OS-SRV-USG:launched_at',
      'OS-SRV-USG:terminated_at',
      'accessIPv4',
      'accessIPv6',
      'addresses',
      'config_drive',
      'created',
      'flavor',
      'hostId',
      'id',
      'image',
      'key_name',
      'links',
      'metadata',
      'name',
      'os-extended-volumes:volumes_attached',
      'progress',
      'security_groups',
      'status',
      'tenant_id',
      'updated',
      'user_id',
    ].sort(),
  );
  t.match(base, { status: 'ACTIVE', 'OS-EXT-STS:power_state': 1, config_drive: '', key_name: null });
  t.match(base.addresses.net, [{ version: 4, addr: /^10\.0\.0\./, 'OS-EXT-IPS:type': 'fixed' }]);
  t.match(base.created, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const added = [
    [3, []],
    [9, ['locked']],
    [19, ['description']],
    [26, ['tags']],
    [63, ['trusted_image_certificates']],
    [71, ['server_groups']],
    [73, ['locked_reason']],
  ] as const;
  let before = new Set(Object.keys(base));
  for (const [minor, keys] of added) {
    const view = await show(minor);
    t.same(
      Object.keys(view).filter((key) => !before.has(key)),
      [...keys],
      `2.${minor}`,
    );
    before = new Set(Object.keys(view));
  }
  t.same(Object.keys((await show(47)).flavor).sort(), [
    'disk',
    'ephemeral',
    'extra_specs',
    'original_name',
    'ram',
    'swap',
    'vcpus',
  ]);
  const admin = await show(1, cloud.gateway.token);
  t.match(admin['OS-EXT-SRV-ATTR:host'], /^host-[12]$/);
  t.notOk('OS-EXT-SRV-ATTR:hostname' in admin);
  t.ok('OS-EXT-SRV-ATTR:hostname' in (await show(3, cloud.gateway.token)));

  const renamed = (
    await cloud.gateway.call('PUT', `/compute/v2.1/servers/${id}`, {
      token: cloud.memberToken,
      body: { server: { name: 'new' } },
    })
  ).json().server;
  t.equal(renamed.name, 'new');
  t.notOk('key_name' in renamed, 'an update answers with less');
  t.notOk('OS-EXT-STS:vm_state' in renamed);
});

void t.test('microversions are negotiated and refused as Nova does', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const get = (headers: Record<string, string>) => cloud.gateway.call('GET', '/compute/v2.1/servers', { headers });
  t.equal((await get({ 'openstack-api-version': 'compute latest' })).headers['openstack-api-version'], 'compute 2.104');
  t.equal((await get({ 'x-openstack-nova-api-version': '2.26' })).headers['x-openstack-nova-api-version'], '2.26');
  t.equal((await get({ 'openstack-api-version': 'volume 3.50' })).headers['openstack-api-version'], 'compute 2.1');
  const high = await get(at(999));
  t.equal(high.statusCode, 406);
  t.match(high.json(), { computeFault: { code: 406, message: /Minimum is 2\.1 and maximum is 2\.104/ } });
  t.equal((await get({ 'openstack-api-version': 'compute two' })).statusCode, 400);
  const versions = await cloud.gateway.call('GET', '/compute/', { token: null });
  t.equal(versions.statusCode, 200);
  t.equal(versions.json().versions[1].version, '2.104');
});

void t.test('actions answer with an empty 202 and refuse in Nova’s shapes', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { id } = (await create(cloud, {})).json().server;
  const act = (body: unknown, headers = {}) =>
    cloud.gateway.call('POST', `/compute/v2.1/servers/${id}/action`, { body, token: cloud.memberToken, headers });
  const early = await act({ 'os-stop': null });
  t.equal(early.statusCode, 409);
  t.match(early.json(), { conflictingRequest: { code: 409, message: /Cannot 'stop' instance/ } });
  await hostsAct(cloud.world);
  const stop = await act({ 'os-stop': null });
  t.equal(stop.statusCode, 202);
  t.equal(stop.body, '');
  await hostsAct(cloud.world);
  t.equal((await act({ 'os-start': null })).statusCode, 202);
  await hostsAct(cloud.world);
  t.equal((await act({ reboot: { type: 'SOFT' } })).statusCode, 202);
  await hostsAct(cloud.world);
  t.same((await act({ 'os-getConsoleOutput': { length: 1 } })).json(), { output: 'line three\n' });
  t.same((await act({ 'os-getConsoleOutput': {} })).json().output.split('\n').length, 4);
  const cases: readonly [unknown, number][] = [
    [{ reboot: { type: 'MAYBE' } }, 400],
    [{ nonsense: null }, 400],
    [{ constructor: null }, 400],
    [{}, 400],
    [[], 400],
    [{ injectNetworkInfo: null }, 403],
    [{ resetNetwork: null }, 501],
    [{ restore: null }, 409],
    [{ resize: { flavorRef: '1' } }, 400],
    [{ confirmResize: null }, 409],
    [{ migrate: null }, 403],
  ];
  for (const [body, status] of cases) t.equal((await act(body)).statusCode, status, JSON.stringify(body));
  const byAdmin = { body: { injectNetworkInfo: null } };
  t.equal((await cloud.gateway.call('POST', `/compute/v2.1/servers/${id}/action`, byAdmin)).statusCode, 202);
  const password = `/compute/v2.1/servers/${id}/os-server-password`;
  t.same((await cloud.gateway.call('GET', password)).json(), { password: '' });
  t.equal((await cloud.gateway.call('DELETE', password)).statusCode, 204);
  t.equal(
    (await cloud.gateway.call('POST', '/compute/v2.1/servers/none/action', { body: { 'os-stop': null } })).statusCode,
    404,
  );
  t.equal((await cloud.gateway.call('DELETE', `/compute/v2.1/servers/${id}`)).statusCode, 204);
});

void t.test('what is wrong with a create is said and nothing is left', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const cases: readonly [object, number, RegExp][] = [
    [{ flavorRef: 'none' }, 400, /Flavor none could not be found/],
    [{ imageRef: 'none' }, 400, /Image none could not be found/],
    [{ networks: [{ uuid: 'none' }] }, 400, /server.networks.0.uuid must match/],
    [{ networks: [{ uuid: randomUUID() }] }, 400, /Network .* could not be found/],
    [{ networks: [{}] }, 400, /missing 'uuid'/],
    [{ name: '' }, 400, /name/],
    [{ surprise: 1 }, 400, /unknown properties: surprise/],
    [{ key_name: 'none' }, 400, /Invalid key_name/],
    [{ user_data: '!' }, 400, /base 64/],
    [{ config_drive: true }, 501, /config drives/],
    [{ block_device_mapping_v2: [{ source_type: 'volume' }] }, 400, /Block Device Mapping is Invalid/],
    [{ min_count: 0 }, 400, /min_count/],
  ];
  for (const [server, status, message] of cases) {
    const answer = await create(cloud, server);
    t.equal(answer.statusCode, status, JSON.stringify(server));
    const [fault] = Object.values<{ message: string }>(answer.json());
    t.match(fault?.message, message);
  }
  const garbage = await cloud.gateway.call('POST', '/compute/v2.1/servers', { body: '{"server": ' });
  t.equal(garbage.statusCode, 400);
  t.ok(garbage.json().badRequest);
  t.same((await cloud.gateway.call('GET', '/compute/v2.1/servers?all_tenants=1')).json(), { servers: [] });
});

void t.test('lists are the project’s own, filtered and paged', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const list = async (query: string, token = cloud.memberToken) =>
    (await cloud.gateway.call('GET', `/compute/v2.1/servers${query}`, { token })).json();
  for (const name of ['alpha', 'beta', 'gamma']) await create(cloud, { name });
  const names = (answer: { servers: { name: string }[] }) => answer.servers.map((server) => server.name).sort();
  t.same(names(await list('')), ['alpha', 'beta', 'gamma']);
  t.same(names(await list('', cloud.gateway.token)), []);
  t.same(names(await list('?all_tenants=True', cloud.gateway.token)), ['alpha', 'beta', 'gamma']);
  t.equal(
    (await cloud.gateway.call('GET', '/compute/v2.1/servers?all_tenants=1', { token: cloud.memberToken })).statusCode,
    403,
  );
  const patterns: readonly [string, string[]][] = [
    ['eta', ['beta']],
    ['^a', ['alpha']],
    ['a$', ['alpha', 'beta', 'gamma']],
    ['^alpha$', ['alpha']],
    ['^lpha$', []],
    ['g.*m', ['gamma']],
    ['b.ta', ['beta']],
    ['(a+)+$', ['alpha', 'beta', 'gamma']],
    ['^[ab]', ['alpha', 'beta']],
  ];
  for (const [pattern, expected] of patterns) {
    t.same(names(await list(`?name=${encodeURIComponent(pattern)}`)), expected, pattern);
  }
  t.same(names(await list('?status=BUILD')), ['alpha', 'beta', 'gamma']);
  t.same(names(await list('?status=ACTIVE')), []);
  t.same(names(await list('?image=cirros&flavor=1&sort_key=display_name&sort_dir=asc')), ['alpha', 'beta', 'gamma']);
  const first = await list('?limit=2');
  t.equal(first.servers.length, 2);
  t.equal(first.servers_links[0].rel, 'next');
  const second = await list(`?limit=2&marker=${first.servers[1].id}`);
  t.equal(second.servers.length, 1);
  t.notOk('servers_links' in second);
  t.equal((await cloud.gateway.call('GET', '/compute/v2.1/servers?marker=none')).statusCode, 400);
});

void t.test('metadata and tags of a server', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { id } = (await create(cloud, { metadata: { a: '1' } })).json().server;
  const call = (method: string, path: string, body?: unknown, headers = {}) =>
    cloud.gateway.call(method, `/compute/v2.1/servers/${id}${path}`, { body, token: cloud.memberToken, headers });
  t.same((await call('POST', '/metadata', { metadata: { b: '2' } })).json(), { metadata: { a: '1', b: '2' } });
  t.same((await call('PUT', '/metadata', { metadata: { c: '3' } })).json(), { metadata: { c: '3' } });
  t.same((await call('PUT', '/metadata/c', { meta: { c: '4' } })).json(), { meta: { c: '4' } });
  t.equal((await call('PUT', '/metadata/c', { meta: { d: '4' } })).statusCode, 400);
  t.equal((await call('DELETE', '/metadata/c')).statusCode, 204);
  t.equal((await call('DELETE', '/metadata/c')).statusCode, 404);
  t.equal((await call('GET', '/metadata/constructor')).statusCode, 404);

  t.equal((await call('GET', '/tags')).statusCode, 404, 'there are no tags before 2.26');
  const put = await call('PUT', '/tags/red', undefined, at(26));
  t.equal(put.statusCode, 201);
  t.match(put.headers['location'], /tags\/red$/);
  t.equal((await call('PUT', '/tags/red', undefined, at(26))).statusCode, 204);
  t.equal((await call('GET', '/tags/red', undefined, at(26))).statusCode, 204);
  t.same((await call('PUT', '/tags', { tags: ['x', 'y'] }, at(26))).json(), { tags: ['x', 'y'] });
  t.equal((await call('DELETE', '/tags/red', undefined, at(26))).statusCode, 404);
  t.equal((await call('DELETE', '/tags', undefined, at(26))).statusCode, 204);
});

void t.test('keys and flavors keep the statuses and keys of their microversions', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { gateway } = cloud;
  const made = await gateway.call('POST', '/compute/v2.1/os-keypairs', { body: { keypair: { name: 'k1' } } });
  t.equal(made.statusCode, 200);
  t.same(Object.keys(made.json().keypair).sort(), ['fingerprint', 'name', 'private_key', 'public_key', 'user_id']);
  const later = await gateway.call('POST', '/compute/v2.1/os-keypairs', {
    body: { keypair: { name: 'k2', type: 'ssh', public_key: made.json().keypair.public_key } },
    headers: at(2),
  });
  t.equal(later.statusCode, 201);
  t.equal(later.json().keypair.type, 'ssh');
  const shown = (await gateway.call('GET', '/compute/v2.1/os-keypairs/k1')).json().keypair;
  t.same(Object.keys(shown).sort(), [
    'created_at',
    'deleted',
    'deleted_at',
    'fingerprint',
    'id',
    'name',
    'public_key',
    'updated_at',
    'user_id',
  ]);
  t.equal((await gateway.call('DELETE', '/compute/v2.1/os-keypairs/k1')).statusCode, 202);
  t.equal((await gateway.call('DELETE', '/compute/v2.1/os-keypairs/k2', { headers: at(2) })).statusCode, 204);

  const flavor = (await gateway.call('GET', '/compute/v2.1/flavors/1')).json().flavor;
  t.equal(flavor.swap, '');
  t.notOk('description' in flavor);
  const newest = (await gateway.call('GET', '/compute/v2.1/flavors/1', { headers: at(79) })).json().flavor;
  t.equal(newest.swap, 0);
  t.ok('description' in newest && 'extra_specs' in newest);
  t.equal(
    (
      await gateway.call('POST', '/compute/v2.1/flavors', {
        token: cloud.memberToken,
        body: { flavor: { name: 'f', ram: 1, vcpus: 1, disk: 1 } },
      })
    ).statusCode,
    403,
  );
});

void t.test('operators see hosts; others do not', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const get = async (path: string, minor = 1) =>
    (await cloud.gateway.call('GET', `/compute/v2.1${path}`, { headers: at(minor) })).json();
  t.match((await get('/os-hypervisors/detail')).hypervisors, [
    { id: 1, hypervisor_hostname: 'host-1', state: 'up', status: 'enabled', vcpus: 8, cpu_info: String },
    { id: 2 },
  ]);
  t.match((await get('/os-hypervisors/detail', 53)).hypervisors[0], {
    id: /^1{32}$/,
    cpu_info: { arch: 'x86_64', model: 'EPYC', vendor: 'AuthenticAMD', topology: { cores: 4 } },
  });
  t.match(await get('/os-hosts'), { hosts: [{ host_name: 'host-1', service: 'compute', zone: 'nova' }, {}] });
  t.match(await get('/os-services'), { services: [{ binary: 'nova-compute', state: 'up' }, {}] });
  t.same((await get('/os-availability-zone')).availabilityZoneInfo, [
    { zoneName: 'nova', zoneState: { available: true }, hosts: null },
  ]);
  t.same(await get('/os-aggregates'), { aggregates: [] });
  t.match((await get('/os-hypervisors/statistics')).hypervisor_statistics, { count: 2, vcpus: 16 });
  const disabled = await cloud.gateway.call('PUT', '/compute/v2.1/os-services/disable', {
    body: { host: 'host-1', binary: 'nova-compute' },
  });
  t.equal(disabled.json().service.status, 'disabled');
  t.equal((await get('/os-hypervisors')).hypervisors[0].status, 'disabled');
  const refused = await cloud.gateway.call('GET', '/compute/v2.1/os-hypervisors', { token: cloud.memberToken });
  t.equal(refused.statusCode, 403);
  t.ok(refused.json().forbidden);
});

void t.test('a compute service is deleted: the host leaves the mesh', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const remove = (id: string, minor: number, token?: string) =>
    cloud.gateway.call('DELETE', `/compute/v2.1/os-services/${id}`, {
      headers: at(minor),
      ...(token === undefined ? {} : { token }),
    });
  const second = '2'.repeat(32);
  t.equal((await remove(second, 53, cloud.memberToken)).statusCode, 403);
  t.equal((await remove(second, 52)).statusCode, 404, 'a UUID is no id of the old kind');
  cloud.world.state.voters = [1, 2, 3];
  const refused = await remove(second, 53);
  t.equal(refused.statusCode, 409);
  t.match(refused.json(), { conflictingRequest: { message: /too few voters|alive and votes/ } });
  cloud.world.state.voters = [1];
  t.equal((await remove('2', 52)).statusCode, 204);
  t.equal((await remove('2', 52)).statusCode, 404);
  const left = (await cloud.gateway.call('GET', '/compute/v2.1/os-services', { headers: at(53) })).json();
  t.match(left, { services: [{ host: 'host-1' }] });
  t.equal(left.services.length, 1);
});

void t.test('quotas and limits lose keys with the microversions', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const path = `/compute/v2.1/os-quota-sets/${cloud.memberProjectId}`;
  const get = async (minor: number) => (await cloud.gateway.call('GET', path, { headers: at(minor) })).json().quota_set;
  const base = await get(1);
  for (const key of ['floating_ips', 'fixed_ips', 'security_groups', 'injected_files']) t.ok(key in base, key);
  t.notOk('floating_ips' in (await get(36)));
  t.notOk('injected_files' in (await get(57)));
  const put = await cloud.gateway.call('PUT', path, { body: { quota_set: { instances: 1 } } });
  t.equal(put.statusCode, 200);
  t.equal(put.json().quota_set.instances, 1);
  t.equal((await create(cloud, {})).statusCode, 202);
  const over = await create(cloud, {});
  t.equal(over.statusCode, 403);
  t.match(over.json(), { forbidden: { message: /^Quota exceeded for instances/ } });
  const limits = await cloud.gateway.call('GET', '/compute/v2.1/limits', { token: cloud.memberToken });
  const bounds = { maxPersonality: 5, maxPersonalitySize: 10_240 };
  t.match(limits.json().limits.absolute, { maxTotalInstances: 1, totalInstancesUsed: 1, ...bounds });
});

void t.test('without a quorum lists are stale, changes are 503, and its own host still stops a server', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { id } = (await create(cloud, {})).json().server;
  await hostsAct(cloud.world);
  cloud.world.state.available = false;
  const list = await cloud.gateway.call('GET', '/compute/v2.1/servers', { token: cloud.memberToken });
  t.equal(list.statusCode, 200);
  t.ok(list.headers['x-shoal-stale']);
  t.equal((await create(cloud, {})).statusCode, 503);
  const server = (await cloud.gateway.call('GET', `/compute/v2.1/servers/${id}`)).json().server;
  const isHere = server['OS-EXT-SRV-ATTR:host'] === 'host-1';
  const stop = await cloud.gateway.call('POST', `/compute/v2.1/servers/${id}/action`, { body: { 'os-stop': null } });
  t.equal(stop.statusCode, isHere ? 202 : 503);
  t.equal(cloud.world.hostControl.intents.length, isHere ? 1 : 0);
});

void t.test('the same client token makes one server', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const headers = { 'x-shoal-client-token': 'once' };
  const first = (await create(cloud, {}, headers)).json().server.id;
  const second = (await create(cloud, {}, headers)).json().server.id;
  t.equal(first, second);
});

void t.test('Nova’s own security group API is served up to 2.35', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const call = (method: string, path: string, body?: unknown, headers = {}) =>
    cloud.gateway.call(method, `/compute/v2.1${path}`, { body, token: cloud.memberToken, headers });
  const networkId = await addTenantNetwork(cloud);
  const { security_groups: groups } = (await call('GET', '/os-security-groups')).json();
  t.match(groups, [{ name: 'default', tenant_id: cloud.memberProjectId, rules: [{ group: { name: 'default' } }, {}] }]);
  t.equal((await call('GET', '/os-security-groups', undefined, at(36))).statusCode, 404);
  const made = await call('POST', '/os-security-groups', { security_group: { name: 'web', description: 'd' } });
  t.equal(made.statusCode, 200);
  const { id } = made.json().security_group;
  const server = (await create(cloud, { networks: [{ uuid: networkId }] })).json().server.id;
  t.equal((await call('POST', `/servers/${server}/action`, { addSecurityGroup: { name: 'web' } })).statusCode, 202);
  const names = async () =>
    (await call('GET', `/servers/${server}/os-security-groups`))
      .json()
      .security_groups.map((group: { name: string }) => group.name)
      .sort();
  t.same(await names(), ['default', 'web']);
  t.equal((await call('DELETE', `/os-security-groups/${id}`)).statusCode, 400, 'in use');
  t.equal((await call('POST', `/servers/${server}/action`, { removeSecurityGroup: { name: 'web' } })).statusCode, 202);
  t.same(await names(), ['default']);
  t.equal((await call('DELETE', `/os-security-groups/${id}`)).statusCode, 202);
});
