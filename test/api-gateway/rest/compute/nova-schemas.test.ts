/** Bodies and queries as Nova's own definitions have them: what it refuses is refused, what it filters by filters. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { refusedServerFilters } from '../../../../api-gateway/rest/compute/kit/queries.ts';
import { type Cloud, startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });
const base = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
const create = (cloud: Cloud, server: object, minor = 52) =>
  cloud.gateway.call('POST', '/compute/v2.1/servers', { body: { server: { ...base, ...server } }, headers: at(minor) });

/** What Nova's administrators may filter servers by and nothing here keeps. */
const refusedFilters = [
  'kernel_id',
  'ramdisk_id',
  'launch_index',
  'locked_by',
  'root_device_name',
  'auto_disk_config',
  'block_device_mapping',
  'services',
  'metadata',
  'system_metadata',
  'info_cache',
  'extra',
  'fault',
  'numa_topology',
  'pci_devices',
  'pci_requests',
  'device_metadata',
];

void t.test('what Nova refuses in the body of a new server is refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const tag = 'a,b';
  for (const server of [
    { name: ' web' },
    { name: 'web ' },
    { name: '\u3000' },
    { flavorRef: '' },
    { metadata: { 'a/b': 'x' } },
    { metadata: { a: 'x'.repeat(256) } },
    { metadata: { ['x'.repeat(256)]: 'a' } },
    { networks: null },
    { networks: [{ uuid: randomUUID(), fixed_ip: '300.1.1.1' }] },
    { networks: [{ port: 'x' }] },
    { min_count: 0 },
    { min_count: '0' },
    { max_count: -1 },
    { config_drive: 'perhaps' },
    { return_reservation_id: 'perhaps' },
    { key_name: '' },
    { availability_zone: '' },
    { tags: [tag] },
    { tags: [''] },
    { user_data: 'no base64!' },
    { description: 'two\nlines' },
    { block_device_mapping_v2: [{ no_such_key: 1 }] },
  ]) {
    t.equal((await create(cloud, server)).statusCode, 400, JSON.stringify(server).slice(0, 80));
  }
  t.equal((await create(cloud, { host: 'a b' }, 74)).statusCode, 400);
  t.equal((await create(cloud, { trusted_image_certificates: [] }, 63)).statusCode, 400);
});

void t.test('an attribute is unknown in microversions that do not have it', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const [server, minor, status] of [
    [{ description: 'd', networks: [] }, 18, 400],
    [{ description: 'd', networks: [] }, 19, 202],
    [{ networks: 'none' }, 36, 400],
    [{ networks: undefined }, 36, 202],
    [{ networks: undefined }, 37, 400],
    [{ tags: ['a'] }, 51, 400],
    [{ tags: ['a'] }, 52, 202],
    [{ hypervisor_hostname: 'host-1' }, 73, 400],
    [{ personality: [] }, 57, 400],
  ] as const) {
    const answer = await create(cloud, server, minor);
    t.equal(answer.statusCode, status, `${minor} ${JSON.stringify(server)} ${answer.body}`);
  }
});

void t.test('of block devices the ordinary root disk is honoured, and what is no disk is refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const root = { boot_index: 0, uuid: 'cirros', source_type: 'image', destination_type: 'local' };
  const ordinary = { ...root, delete_on_termination: true, disk_bus: 'virtio', device_type: 'disk' };
  for (const device of [root, ordinary]) {
    const answer = await create(cloud, { block_device_mapping_v2: [device] });
    t.equal(answer.statusCode, 202, answer.body);
  }
  for (const [said, status] of [
    [{ delete_on_termination: false }, 501],
    [{ disk_bus: 'ide' }, 501],
    [{ volume_size: 5 }, 501],
    [{ guest_format: 'swap' }, 501],
    [{ device_name: '/dev/sdb' }, 501],
    [{ tag: 'root' }, 501],
    [{ device_type: 'cdrom' }, 400],
    [{ volume_type: 'fast' }, 400],
    [{ no_device: true }, 400],
    [{ boot_index: 1 }, 400],
    [{ destination_type: 'volume' }, 400],
    [{ source_type: 'volume', destination_type: 'volume', uuid: randomUUID() }, 400],
  ] as const) {
    const answer = await create(cloud, { block_device_mapping_v2: [{ ...root, ...said }] });
    t.equal(answer.statusCode, status, `${JSON.stringify(said)} ${answer.body}`);
  }
  t.equal((await create(cloud, { block_device_mapping: [{ volume_id: 'x' }] })).statusCode, 400);
  const both = { block_device_mapping: [{ volume_id: 'x' }], block_device_mapping_v2: [root] };
  t.match((await create(cloud, both)).body, /different block_device_mapping syntaxes/);
});

void t.test('filters of servers: honoured, refused, or ignored where Nova ignores them', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const first = {
    name: 'one',
    description: 'about one',
    accessIPv4: '192.0.2.1',
    accessIPv6: '2001:db8::1',
    tags: ['a'],
  };
  for (const server of [first, { name: 'two', tags: ['b'] }]) {
    t.equal((await create(cloud, server)).statusCode, 202);
  }
  const list = (query: string, minor: number, token?: string) =>
    cloud.gateway.call('GET', `/compute/v2.1/servers?${query}`, {
      headers: at(minor),
      ...(token === undefined ? {} : { token }),
    });
  const names = async (query: string): Promise<unknown> => {
    const answer = await list(query, 74);
    if (answer.statusCode !== 200) return answer.statusCode;
    return answer
      .json()
      .servers.map((server: { readonly name: string }) => server.name)
      .sort();
  };
  const both = ['one', 'two'];
  for (const [query, expected] of [
    ['display_name=^one$', ['one']],
    ['hostname=two', ['two']],
    ['description=about', ['one']],
    ['display_description=about', ['one']],
    ['access_ip_v4=192.0.2.1', ['one']],
    ['access_ip_v6=2001:db8::1', ['one']],
    ['image_ref=cirros', both],
    ['image_ref=other', []],
    ['power_state=7', []],
    ['ip6=2001', []],
    ['changes-since=2000-01-01T00:00:00Z', both],
    ['changes-since=no', 400],
    ['changes-before=2000-01-01T00:00:00Z', []],
    ['changes-before=no', 400],
    ['not-tags-any=a', ['two']],
    ['soft_deleted=true', []],
    ['deleted=true', []],
    ['no_such_filter=1', both],
  ] as const) {
    t.same(await names(query), expected, query);
  }
  t.same(refusedServerFilters, refusedFilters);
  for (const key of refusedFilters) {
    t.equal((await list(`${key}=x`, 74)).statusCode, 400, `${key} for an administrator`);
    t.equal((await list(`${key}=x`, 74, cloud.memberToken)).statusCode, 200, `${key} for others, as in Nova`);
  }
  t.equal((await list('changes-before=no', 65)).statusCode, 200, 'unknown before 2.66');
});

void t.test('unknown keys of a query are refused from the microversion on from which Nova refuses them', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const [path, minor, status] of [
    ['servers', 74, 200],
    ['servers', 75, 400],
    ['servers/detail', 75, 400],
    ['flavors', 75, 400],
    ['flavors/detail', 74, 200],
    ['os-keypairs', 75, 400],
    ['os-server-groups', 75, 400],
    ['os-services', 75, 400],
    ['limits', 75, 400],
    ['limits', 74, 200],
    ['os-hypervisors', 52, 200],
    ['os-hypervisors', 53, 400],
    ['os-hypervisors/detail', 53, 400],
    ['os-availability-zone', 79, 200],
    ['os-aggregates', 79, 200],
    [`os-quota-sets/${cloud.memberProjectId}`, 75, 400],
  ] as const) {
    const answer = await cloud.gateway.call('GET', `/compute/v2.1/${path}?no_such_key=1`, { headers: at(minor) });
    t.equal(answer.statusCode, status, `${path} ${minor} ${answer.body.slice(0, 200)}`);
  }
});

void t.test('flavors: bodies, filters and order', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const make = (flavor: object) =>
    cloud.gateway.call('POST', '/compute/v2.1/flavors', {
      body: { flavor: { name: 'm', ram: 64, vcpus: 1, disk: 0, ...flavor } },
    });
  for (const flavor of [
    { ram: 0 },
    { ram: 2_147_483_648 },
    { vcpus: 0 },
    { disk: -1 },
    { swap: '' },
    { id: ' a' },
    { id: 'a/b' },
    { rxtx_factor: 0 },
    { 'OS-FLV-EXT-DATA:ephemeral': -1 },
    { 'os-flavor-access:is_public': 'perhaps' },
  ]) {
    t.equal((await make(flavor)).statusCode, 400, JSON.stringify(flavor));
  }
  const sent = {
    id: '9',
    name: 'big',
    ram: '512',
    disk: 3,
    swap: 5,
    rxtx_factor: 2,
    'os-flavor-access:is_public': false,
  };
  const made = await make({ ...sent, 'OS-FLV-EXT-DATA:ephemeral': 0 });
  t.match(made.json().flavor, { ...sent, ram: 512, 'OS-FLV-EXT-DATA:ephemeral': 0 });
  await make({ id: '8', ram: 256, 'os-flavor-access:is_public': false });
  const ids = async (query: string): Promise<unknown> => {
    const answer = await cloud.gateway.call('GET', `/compute/v2.1/flavors?${query}`);
    return answer.statusCode === 200
      ? answer.json().flavors.map((flavor: { readonly id: string }) => flavor.id)
      : answer.statusCode;
  };
  t.same(await ids('is_public=false'), ['8', '9']);
  t.same(await ids('is_public=none'), ['1', '2', '3', '4', '42', '8', '9']);
  t.same(await ids('is_public=false&sort_key=memory_mb&sort_dir=desc'), ['9', '8']);
  t.same(await ids('is_public=false&sort_key=memory_mb'), ['8', '9']);
  t.same(await ids('is_public=false&minRam=500'), ['9']);
  t.same(await ids('is_public=false&minDisk=2'), ['9']);
  t.equal(await ids('sort_key=no_such'), 400);
  t.equal(await ids('sort_dir=up'), 400);
  const specs = (extra_specs: object) =>
    cloud.gateway.call('POST', '/compute/v2.1/flavors/9/os-extra_specs', { body: { extra_specs } });
  t.equal((await specs({ 'a/b': 'x' })).statusCode, 400);
  t.equal((await specs({ a: 'x'.repeat(256) })).statusCode, 400);
});

void t.test('hypervisors: by pattern, with their servers', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const get = async (path: string) =>
    (await cloud.gateway.call('GET', `/compute/v2.1/os-hypervisors${path}`, { headers: at(53) })).json();
  const { hypervisors } = await get('');
  const [{ id, hypervisor_hostname: name }] = hypervisors;
  t.equal((await get(`?hypervisor_hostname_pattern=${name}`)).hypervisors.length, 1);
  t.ok((await get('?hypervisor_hostname_pattern=none')).itemNotFound);
  t.equal((await create(cloud, {})).statusCode, 202);
  const all = (await get('?with_servers=true')).hypervisors;
  const busy = all.find((hypervisor: { readonly servers?: unknown }) => hypervisor.servers !== undefined);
  t.match(busy.servers, [{ name: 'web' }]);
  t.match((await get(`/${busy.id}?with_servers=1`)).hypervisor.servers, [{ name: 'web' }]);
  t.notOk(Object.hasOwn((await get(`/${id}`)).hypervisor, 'servers'));
  t.ok((await get('?with_servers=perhaps')).badRequest);
  const none = async (minor: number) =>
    (await cloud.gateway.call('GET', '/compute/v2.1/os-hypervisors?with_servers=true', { headers: at(minor) }))
      .json()
      .hypervisors.find((hypervisor: { readonly id: string }) => hypervisor.id !== busy.id);
  t.notOk(Object.hasOwn(await none(74), 'servers'));
  t.same((await none(75)).servers, [], 'from 2.75 on it is said of those without servers, too');
});

void t.test(
  'quotas: each key is kept, for one user of a project, too; a number out of bounds is refused',
  async (t) => {
    const cloud = await startCloud();
    t.teardown(() => cloud.stop());
    const path = `/compute/v2.1/os-quota-sets/${cloud.memberProjectId}`;
    const put = (quota_set: object, query = '') =>
      cloud.gateway.call('PUT', `${path}${query}`, { body: { quota_set } });
    const sent = { metadata_items: 5, injected_file_content_bytes: 77, injected_file_path_bytes: 66, cores: 3 };
    t.match((await put(sent)).json().quota_set, sent);
    for (const value of [-2, 2_147_483_648, '1.5', true, ' 1 ', 'x']) {
      t.equal((await put({ cores: value })).statusCode, 400, String(value));
    }
    t.equal((await put({ cores: '2147483647', force: 'yes' })).statusCode, 200);
    t.match((await put({ cores: 1 }, '?user_id=someone')).json().quota_set, { cores: 1 });
    t.match((await cloud.gateway.call('GET', `${path}?user_id=someone`)).json().quota_set, { cores: 1 });
    t.equal((await put({ key_pairs: -2 }, '?user_id=someone')).statusCode, 400);
    t.equal((await cloud.gateway.call('DELETE', `${path}?user_id=someone`)).statusCode, 202);
    t.equal((await cloud.gateway.call('GET', '/compute/v2.1/limits?reserved=1', { headers: at(75) })).statusCode, 200);
    t.equal((await cloud.gateway.call('GET', `${path}?user_id=someone`)).statusCode, 200);
  },
);

void t.test('other bodies that Nova refuses', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  for (const [path, body] of [
    ['os-keypairs', { keypair: { name: 'a.b' } }],
    ['os-keypairs', { keypair: { name: '' } }],
    ['os-server-groups', { server_group: { name: 'a', policies: ['no-such'] } }],
    ['os-server-groups', { server_group: { name: ' a', policies: ['affinity'] } }],
    ['os-aggregates', { aggregate: { name: 'a', availability_zone: 'a:b' } }],
    ['os-aggregates', { aggregate: { name: ' ' } }],
  ] as const) {
    const answer = await cloud.gateway.call('POST', `/compute/v2.1/${path}`, { body });
    t.equal(answer.statusCode, 400, `${path} ${JSON.stringify(body)}`);
  }
  const hinted = await cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: base, 'OS-SCH-HNT:scheduler_hints': { no_such_hint: 'x' } },
    headers: at(37),
  });
  t.equal(hinted.statusCode, 400, 'hints are looked at under both names');
});
