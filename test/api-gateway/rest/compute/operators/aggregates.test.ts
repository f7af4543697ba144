import t from 'tap';
import { placementAdvert } from '../../../../../node/cluster/advert-mapping.ts';
import { advertisedAggregates } from '../../../../../node/services/compute/aggregates.ts';
import { zoneByAggregate } from '../../../../../node/services/kit/zones.ts';
import { hostTable } from '../../../../../node/state/tables/index.ts';
import { syntheticHost } from '../../../../../placement/bench/synthetic.ts';
import { defaultConfiguration, explain, HostColumns, placementRequest } from '../../../../../placement/index.ts';
import { shoal } from '../../../../../proto/messages.ts';
import { startCloud } from '../../cloud.ts';

const at = (minor: number) => ({ 'openstack-api-version': `compute 2.${minor}` });

/** A cloud and short words for the calls. */
async function start() {
  const cloud = await startCloud();
  const call = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object, headers = {}) => {
    const answer = await cloud.gateway.call(method, `/compute/v2.1${path}`, {
      ...(body === undefined ? {} : { body }),
      headers,
    });
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json() };
  };
  const create = async (name: string, zone?: string) =>
    (
      await call('POST', '/os-aggregates', {
        aggregate: { name, ...(zone === undefined ? {} : { availability_zone: zone }) },
      })
    ).body.aggregate;
  const act = (id: number, action: object) => call('POST', `/os-aggregates/${id}/action`, action);
  return { cloud, call, create, act };
}

void t.test('an aggregate has the life and the words that Nova gives it', async (t) => {
  const { cloud, call, create, act } = await start();
  t.teardown(() => cloud.stop());
  const made = await create('fast');
  t.same(Object.keys(made).sort(), [
    'availability_zone',
    'created_at',
    'deleted',
    'deleted_at',
    'id',
    'name',
    'updated_at',
  ]);
  t.type(made.id, 'number');
  t.equal((await create('slow')).id, made.id + 1);
  t.equal((await call('POST', '/os-aggregates', { aggregate: { name: 'fast' } })).status, 409);
  t.match((await act(made.id, { add_host: { host: 'host-1' } })).body.aggregate, { hosts: ['host-1'], metadata: {} });
  t.equal((await act(made.id, { add_host: { host: 'host-1' } })).status, 409);
  t.equal((await act(made.id, { add_host: { host: 'nobody' } })).status, 404);
  t.match((await act(made.id, { set_metadata: { metadata: { ssd: 'true', x: 'y' } } })).body.aggregate, {
    metadata: { ssd: 'true', x: 'y' },
  });
  t.same((await act(made.id, { set_metadata: { metadata: { x: null } } })).body.aggregate.metadata, { ssd: 'true' });
  t.match((await call('PUT', `/os-aggregates/${made.id}`, { aggregate: { name: 'faster' } })).body.aggregate, {
    name: 'faster',
    hosts: ['host-1'],
  });
  t.equal((await call('PUT', `/os-aggregates/${made.id}`, { aggregate: { name: 'slow' } })).status, 409);
  t.equal((await call('PUT', `/os-aggregates/${made.id}`, { aggregate: {} })).status, 400);
  t.notOk('uuid' in (await call('GET', `/os-aggregates/${made.id}`)).body.aggregate);
  t.match((await call('GET', `/os-aggregates/${made.id}`, undefined, at(41))).body.aggregate.uuid, /^[0-9a-f-]{36}$/);
  t.equal((await call('DELETE', `/os-aggregates/${made.id}`)).status, 400, 'it has a host');
  t.equal((await act(made.id, { remove_host: { host: 'host-2' } })).status, 404);
  t.same((await act(made.id, { remove_host: { host: 'host-1' } })).body.aggregate.hosts, []);
  t.equal((await call('DELETE', `/os-aggregates/${made.id}`)).status, 200);
  t.equal((await call('GET', `/os-aggregates/${made.id}`)).status, 404);
  t.equal((await call('DELETE', `/os-aggregates/${made.id}`)).status, 404);
  t.same(
    (await call('GET', '/os-aggregates')).body.aggregates.map((view: { name: string }) => view.name),
    ['slow'],
  );
  t.equal((await act(made.id + 1, { set_metadata: { metadata: {} }, add_host: { host: 'host-1' } })).status, 400);
  t.equal((await act(made.id + 1, { dance: {} })).status, 400);
});

void t.test('numbers are not given twice, and aggregates are for administrators', async (t) => {
  const { cloud, call, create } = await start();
  t.teardown(() => cloud.stop());
  const [a, b] = await Promise.all([create('a'), create('b')]);
  t.not(a.id, b.id);
  const last = Math.max(a.id, b.id);
  await call('DELETE', `/os-aggregates/${last}`);
  t.equal((await create('c')).id, last + 1);
  const refused = await cloud.gateway.call('GET', '/compute/v2.1/os-aggregates', { token: cloud.memberToken });
  t.equal(refused.statusCode, 403);
});

void t.test('an aggregate with a zone makes it the zone of its hosts, one zone a host', async (t) => {
  const { cloud, call, create, act } = await start();
  t.teardown(() => cloud.stop());
  const east = await create('east', 'zone-east');
  const west = await create('west', 'zone-west');
  await act(east.id, { add_host: { host: 'host-1' } });
  t.match(await act(west.id, { add_host: { host: 'host-1' } }), {
    status: 409,
    body: { conflictingRequest: { message: /already in availability zone/ } },
  });
  t.same(
    (await call('GET', '/os-availability-zone/detail')).body.availabilityZoneInfo.map(
      (zone: { zoneName: string; hosts: object }) => [zone.zoneName, Object.keys(zone.hosts)],
    ),
    [
      ['nova', ['host-2']],
      ['zone-east', ['host-1']],
    ],
  );
  const create1 = (zone: string) =>
    cloud.gateway.call('POST', '/compute/v2.1/servers', {
      body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none', availability_zone: zone } },
      headers: at(79),
    });
  t.equal((await create1('nowhere')).statusCode, 400);
  t.equal((await create1('zone-east')).statusCode, 202);
  t.equal(cloud.world.placer.requests.at(-1)?.zone, 'zone-east');
  const plain = await create('plain');
  await act(plain.id, { add_host: { host: 'host-1' } });
  t.equal(
    (await act(plain.id, { set_metadata: { metadata: { availability_zone: 'zone-west' } } })).status,
    409,
    'it would give the host two zones',
  );
  t.equal((await call('PUT', `/os-aggregates/${east.id}`, { aggregate: { availability_zone: 'a:b' } })).status, 400);
});

void t.test('a zone with servers in it does not change', async (t) => {
  const { cloud, create, act } = await start();
  t.teardown(() => cloud.stop());
  const aggregate = await create('all');
  await act(aggregate.id, { add_host: { host: 'host-1' } });
  await act(aggregate.id, { add_host: { host: 'host-2' } });
  await cloud.gateway.call('POST', '/compute/v2.1/servers', {
    body: { server: { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' } },
    headers: at(79),
  });
  t.match(await act(aggregate.id, { set_metadata: { metadata: { availability_zone: 'z' } } }), {
    status: 409,
    body: { conflictingRequest: { message: /contain instances in this zone/ } },
  });
  t.equal((await act(aggregate.id, { set_metadata: { metadata: { ssd: 'true' } } })).status, 200);
});

void t.test('what is said of an aggregate reaches the filters by the host’s advert', async (t) => {
  const { cloud, create, act } = await start();
  t.teardown(() => cloud.stop());
  const aggregate = await create('fast', 'zone-fast');
  await act(aggregate.id, { add_host: { host: 'host-1' } });
  await act(aggregate.id, { set_metadata: { metadata: { ssd: 'true' } } });
  const columns = new HostColumns({ seed: 1 });
  const reader = cloud.world.state.local;
  for (const { record: host } of hostTable.list(reader)) {
    const advert = shoal.v1.Advert.decode(
      shoal.v1.Advert.encode({
        hostId: host.id,
        hostName: host.name,
        zone: zoneByAggregate(reader, host.id) ?? host.zone,
        aggregates: [...advertisedAggregates(reader, host.id)],
      }).finish(),
    );
    const { hostId, hostName, zone, aggregates } = placementAdvert(advert);
    columns.upsert(syntheticHost(0, { hostId, hostName, zone, aggregates }));
  }
  const configuration = {
    ...defaultConfiguration,
    enabledFilters: [...defaultConfiguration.enabledFilters, 'AggregateInstanceExtraSpecsFilter'] as const,
  };
  const passed = (parts: object) => explain(columns, configuration, placementRequest(parts)).passed;
  t.equal(passed({}), 2);
  t.equal(passed({ extraSpecs: { 'aggregate_instance_extra_specs:ssd': 'true' } }), 1);
  t.equal(passed({ extraSpecs: { 'aggregate_instance_extra_specs:ssd': 'false' } }), 0);
  t.equal(passed({ zone: 'zone-fast' }), 1);
});
