/** What the block storage API says of itself: versions, the project in its paths, microversions, zones, pools and services. */
import t from 'tap';
import { parseFlatMap } from '../../../../api-gateway/rest/volume/kit/flat-map.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import { startCloud } from '../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `volume 3.${minor}` });

void t.test('versions are told without a token, and a microversion is understood or refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const root = await call('GET', '/volume/', { token: null });
  t.equal(root.statusCode, 300);
  t.match(root.json().versions[0], { id: 'v3.0', status: 'CURRENT', version: '3.71', min_version: '3.0' });
  t.equal((await call('GET', '/volume/v3/', { token: null })).statusCode, 200);
  t.equal((await call('GET', '/volume/v3/extensions')).headers['openstack-api-version'], 'volume 3.0');
  const newer = await call('GET', '/volume/v3/extensions', { headers: at(60) });
  t.equal(newer.headers['openstack-api-version'], 'volume 3.60');
  const latest = await call('GET', '/volume/v3/extensions', { headers: { 'openstack-api-version': 'volume latest' } });
  t.equal(latest.headers['openstack-api-version'], 'volume 3.71');
  const others = { 'openstack-api-version': 'compute 2.79, block-storage 3.4' };
  t.equal(
    (await call('GET', '/volume/v3/extensions', { headers: others })).headers['openstack-api-version'],
    'volume 3.4',
  );
  const above = await call('GET', '/volume/v3/extensions', { headers: at(72) });
  t.equal(above.statusCode, 406);
  t.match(above.json().computeFault.message, /Minimum is 3\.0 and maximum is 3\.71/);
  for (const wrong of ['volume 3', 'volume x.y', 'volume 3.01']) {
    const answer = await call('GET', '/volume/v3/extensions', { headers: { 'openstack-api-version': wrong } });
    t.equal(answer.statusCode, 400, wrong);
  }
  const early = await call('GET', '/volume/v3/resource_filters', { headers: at(32) });
  t.match(early.json(), { itemNotFound: { code: 404, message: /3\.32 is not supported/ } });
});

void t.test('the project may stand in the path, if it is that of the token', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call, adminProjectId } = cloud.gateway;
  t.equal((await call('GET', `/volume/v3/${adminProjectId}/os-availability-zone`)).statusCode, 200);
  t.equal((await call('GET', `/volume/v3/${adminProjectId}`, { token: null })).statusCode, 200);
  const foreign = await call('GET', `/volume/v3/${cloud.memberProjectId}/os-availability-zone`);
  t.match(foreign.json(), { badRequest: { code: 400, message: /Malformed request url/ } });
  t.equal((await call('GET', `/volume/v3/${'g'.repeat(32)}/os-availability-zone`)).statusCode, 404);
  t.equal((await call('GET', `/volume/v3/${'a'.repeat(65)}/os-availability-zone`)).statusCode, 404);
  const missing = await call('GET', `/volume/v3/${adminProjectId}/no-such-thing`);
  t.match(missing.json(), { itemNotFound: { code: 404 } });
});

void t.test('zones are everybody’s to see; hosts, services and pools are administrators’', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const token = cloud.memberToken;
  t.match((await call('GET', '/volume/v3/os-availability-zone', { token })).json().availabilityZoneInfo, [
    { zoneName: 'nova', zoneState: { available: true } },
  ]);
  const extensions = (await call('GET', '/volume/v3/extensions', { token })).json().extensions;
  t.match(extensions[0], { alias: 'backups', name: 'Backups', description: '', links: [] });
  t.equal((await call('GET', '/volume/v3/extensions/backups', { token })).statusCode, 200);
  t.equal((await call('GET', '/volume/v3/extensions/toString', { token })).statusCode, 404);
  for (const path of [
    'os-services',
    'os-hosts',
    'scheduler-stats/get_pools',
    'capabilities/host-1@local',
    'clusters',
  ]) {
    t.equal((await call('GET', `/volume/v3/${path}`, { token, headers: at(7) })).statusCode, 403, path);
  }
  const services = (await call('GET', '/volume/v3/os-services')).json().services;
  const volumeServices = services.filter(({ binary }: { binary: string }) => binary === 'cinder-volume');
  t.match(volumeServices[0], { host: /^.+@.+$/, zone: 'nova', status: 'enabled', state: 'up' });
  const [{ host }] = volumeServices;
  const one = (await call('GET', `/volume/v3/os-services?binary=cinder-volume&host=${host}`)).json().services;
  t.equal(one.length, 1);
  const atHost = (await call('GET', `/volume/v3/os-services?host=${host.split('@')[0]}`)).json().services;
  t.equal(
    atHost.filter(({ binary }: { binary: string }) => binary !== 'cinder-volume').length,
    2,
    'one of each beside its pools',
  );
  t.match((await call('PUT', '/volume/v3/os-services/disable', { body: {} })).json(), { badRequest: { code: 400 } });
  t.match((await call('PUT', '/volume/v3/os-services/disable', { body: { binary: 'cinder-volume', host } })).json(), {
    notImplemented: { message: /compute service set --disable/ },
  });
  const hosts = (await call('GET', '/volume/v3/os-hosts')).json().hosts;
  t.match(hosts[0], { host_name: String, service: 'cinder-scheduler', 'service-state': 'enabled', zone: 'nova' });
  t.match((await call('GET', `/volume/v3/os-hosts/${host}`)).json().host[0].resource, {
    project: '(total)',
    volume_count: '0',
    total_volume_gb: '0',
  });
  t.equal((await call('GET', '/volume/v3/os-hosts/none')).statusCode, 404);
  const pools = (await call('GET', '/volume/v3/scheduler-stats/get_pools')).json().pools;
  t.strictSame(Object.keys(pools[0]), ['name']);
  t.match(pools[0].name, /^.+@.+#.+$/);
  const detailed = (await call('GET', '/volume/v3/scheduler-stats/get_pools?detail=True')).json().pools;
  t.match(detailed[0].capabilities, { storage_protocol: String, allocated_capacity_gb: 0, backend_state: 'up' });
  await call('POST', '/volume/v3/types', {
    body: { volume_type: { name: 'gold', extra_specs: { volume_backend_name: 'rbd' } } },
  });
  const poolsOf = async (type: string): Promise<ReadonlySet<string>> => {
    const found = (await call('GET', `/volume/v3/scheduler-stats/get_pools?volume_type=${type}`)).json().pools;
    return new Set(found.map(({ name }: { name: string }) => name.split('#')[1] ?? ''));
  };
  t.same([...(await poolsOf('gold'))], ['rbd']);
  t.same([...(await poolsOf('__DEFAULT__'))].sort(), ['local', 'rbd']);
  t.same([...(await poolsOf('none'))], []);
  t.match((await call('GET', `/volume/v3/capabilities/${host}`)).json(), { pool_name: String, properties: {} });
  t.equal((await call('GET', '/volume/v3/capabilities/none@none')).statusCode, 404);
  t.same((await call('GET', '/volume/v3/clusters/detail', { headers: at(7) })).json(), { clusters: [] });
});

void t.test('what the filters of lists are said to be, they are, and others are refused', async (t) => {
  const cloud = await startCloud();
  t.teardown(() => cloud.stop());
  const { call } = cloud.gateway;
  const paths: Readonly<Record<string, string>> = { pool: 'scheduler-stats/get_pools', volume_type: 'types' };
  const values: Readonly<Record<string, string>> = {
    metadata: '{}',
    extra_specs: '{}',
    bootable: 'True',
    is_public: 'True',
    created_at: 'gt:2020-01-01T00:00:00',
    updated_at: 'gt:2020-01-01T00:00:00',
  };
  const told = (await call('GET', '/volume/v3/resource_filters', { headers: at(33) })).json().resource_filters;
  t.ok(told.length > 7, `${told.length} lists`);
  for (const { resource, filters } of told) {
    const path = `/volume/v3/${ownValue(paths, resource) ?? `${resource}s`}`;
    for (const filter of filters) {
      const query = new URLSearchParams({ [filter]: ownValue(values, filter) ?? 'x' });
      const answer = await call('GET', `${path}?${query}`, { headers: at(71) });
      t.equal(answer.statusCode, 200, `${path}?${query}: ${answer.body.slice(0, 100)}`);
    }
    t.equal((await call('GET', `${path}?nonsense=x`, { headers: at(71) })).statusCode, 400, path);
  }
  const one = (await call('GET', '/volume/v3/resource_filters?resource=pool', { headers: at(33) })).json();
  t.same(one, { resource_filters: [{ resource: 'pool', filters: ['name', 'volume_type'] }] });
});

void t.test('a filter by a map is read as Python and as JSON write it', (t) => {
  const pairs = (text: string) => {
    const map = parseFlatMap(text);
    return map === undefined ? undefined : [...map];
  };
  t.same(pairs(`{'a': 'b', u'c': "d"}`), [
    ['a', 'b'],
    ['c', 'd'],
  ]);
  t.same(pairs('{"a": "it\'s", "b": 1, "c": True}'), [
    ['a', "it's"],
    ['b', '1'],
    ['c', 'True'],
  ]);
  t.same(pairs(String.raw`{'a': 'it\'s \x41\u0042\n'}`), [['a', "it's AB\n"]]);
  t.same(pairs('{}'), []);
  t.same(pairs(`{'a': 'b',}`), [['a', 'b']]);
  for (const wrong of ['', 'a', `{'a'}`, `{'a': ['b']}`, `{'a': 'b' 'c': 'd'}`, `{'a': 'b'`, '{,}']) {
    t.equal(pairs(wrong), undefined, wrong);
  }
  t.end();
});
