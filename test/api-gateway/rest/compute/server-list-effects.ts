/** Two servers that differ in everything, and every key of a server list's query that must tell them apart. */
import { setTimeout as sleep } from 'node:timers/promises';
import { refusedServerFilters } from '../../../../api-gateway/rest/compute/kit/queries.ts';
import { addImage, hostsAct } from '../../../node/services/compute-world.ts';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { publicKey } from './kit/public-key.ts';

interface Pair {
  readonly a: Answer;
  readonly b: Answer;
}

const headers = { 'openstack-api-version': 'compute 2.74' };
const pairs = new WeakMap<object, Promise<Pair>>();

function pairOf(cloud: EffectCloud): Promise<Pair> {
  const made = pairs.get(cloud.world) ?? makePair(cloud);
  pairs.set(cloud.world, made);
  return made;
}

/** `a` is the member's: active, locked and about to stop. `b` is the administrator's: stopped. */
async function makePair(cloud: EffectCloud): Promise<Pair> {
  const { gateway, world, memberToken } = cloud;
  await addImage(world, 'debian');
  const send = async (token: string, path: string, body: object) =>
    (await gateway.call('POST', path, { token, headers, body })).json();
  // Before any server: a host that has some keeps its zone.
  for (const [name, host] of [
    ['zone-1', 'host-1'],
    ['zone-2', 'host-2'],
  ] as const) {
    const body = { aggregate: { name, availability_zone: name } };
    const { aggregate } = await send(gateway.token, '/compute/v2.1/os-aggregates', body);
    await send(gateway.token, `/compute/v2.1/os-aggregates/${aggregate.id}/action`, { add_host: { host } });
  }
  const make = async (token: string, letter: 'a' | 'b', server: object) => {
    const { network } = await send(token, '/networking/v2.0/networks', { network: { name: `net-${letter}` } });
    const cidr = letter === 'a' ? '192.168.10.0/24' : '192.168.20.0/24';
    await send(token, '/networking/v2.0/subnets', { subnet: { network_id: network.id, cidr, ip_version: 4 } });
    await send(token, '/compute/v2.1/os-keypairs', { keypair: { name: `key-${letter}`, public_key: publicKey } });
    const made = await send(token, '/compute/v2.1/servers', {
      server: {
        name: `list-${letter}`,
        description: `about ${letter}`,
        networks: [{ uuid: network.id }],
        key_name: `key-${letter}`,
        ...server,
      },
    });
    return made.server.id;
  };
  const tagged = { tags: ['x', 'both'], accessIPv4: '192.0.2.1', accessIPv6: '2001:db8::1' };
  const a = await make(memberToken, 'a', { flavorRef: '1', imageRef: 'cirros', ...tagged });
  await hostsAct(world);
  // Times are kept in milliseconds.
  await sleep(5);
  const other = { tags: ['y', 'both'], accessIPv4: '198.51.100.2', accessIPv6: '2001:db9::2' };
  const b = await make(gateway.token, 'b', { flavorRef: '2', imageRef: 'debian', ...other });
  const act = (id: string, body: object) =>
    gateway.call('POST', `/compute/v2.1/servers/${id}/action`, { body, headers });
  await hostsAct(world);
  await act(b, { 'os-stop': null });
  await hostsAct(world);
  await sleep(5);
  await act(a, { 'os-stop': null });
  await act(a, { lock: null });
  const view = async (id: string) =>
    (await gateway.call('GET', `/compute/v2.1/servers/${id}`, { headers })).json().server;
  return { a: await view(a), b: await view(b) };
}

type Route = '/servers' | '/servers/detail';

const idsOf = async (cloud: EffectCloud, route: Route, query: string, token?: string): Promise<readonly string[]> => {
  const options = { headers, ...(token === undefined ? {} : { token }) };
  const { servers } = await cloud.ask('GET', `/compute/v2.1${route}?${query}`, options);
  return servers.map((server: { id: string }) => server.id);
};

/** Of the administrator's list of all projects. */
const findsEach =
  (forA: (pair: Pair) => string, forB: (pair: Pair) => string) =>
  (route: Route): Effect =>
  async (t, cloud) => {
    const pair = await pairOf(cloud);
    const all = await idsOf(cloud, route, 'all_tenants=1');
    t.ok(all.includes(pair.a.id) && all.includes(pair.b.id), 'both are there');
    for (const [query, wanted, other] of [
      [forA(pair), pair.a, pair.b],
      [forB(pair), pair.b, pair.a],
    ] as const) {
      const found = await idsOf(cloud, route, `all_tenants=1&${query}`);
      t.ok(found.includes(wanted.id), `${query} finds ${wanted.name}`);
      t.notOk(found.includes(other.id), `${query} leaves ${other.name} out`);
    }
  };

const says = (key: string, of: (server: Answer) => unknown) =>
  findsEach(
    ({ a }) => `${key}=${encodeURIComponent(String(of(a)))}`,
    ({ b }) => `${key}=${encodeURIComponent(String(of(b)))}`,
  );
const text = (key: string, a: string, b: string) =>
  findsEach(
    () => `${key}=${encodeURIComponent(a)}`,
    () => `${key}=${encodeURIComponent(b)}`,
  );

/** Finds nothing with `value`, both with `other`. */
/** Administrators', and everybody's from 2.83 on. */
const dated =
  (key: string, of: (pair: Pair) => string, other: string, wrong: string) =>
  (route: Route): Effect =>
  async (t, cloud) => {
    const pair = await pairOf(cloud);
    const right = `${key}=${encodeURIComponent(of(pair))}`;
    t.ok((await idsOf(cloud, route, `all_tenants=1&${right}`)).includes(pair.a.id), right);
    t.strictSame(await idsOf(cloud, route, `all_tenants=1&${key}=${other}`), []);
    await cloud.ask('GET', `/compute/v2.1${route}?${key}=${wrong}`, { headers, status: 400 });
    const asMember = async (minor: number) => {
      const options = { headers: { 'openstack-api-version': `compute 2.${minor}` }, token: cloud.memberToken };
      return (await cloud.ask('GET', `/compute/v2.1${route}?${key}=${other}`, options)).servers.length;
    };
    t.ok((await asMember(82)) > 0, 'before, it means nothing to others');
    t.equal(await asMember(83), 0);
  };

const findsNothing =
  (key: string, value: string) =>
  (route: Route): Effect =>
  async (t, cloud) => {
    await pairOf(cloud);
    t.strictSame(await idsOf(cloud, route, `all_tenants=1&${key}=${value}`), []);
    t.ok((await idsOf(cloud, route, 'all_tenants=1')).length >= 2);
  };

/** Keys that lists are sorted by, and what shows the order. Times are shown in seconds: `a` was made first and changed last. */
const sortKeys: Readonly<Record<string, (server: Answer) => unknown>> = {
  created_at: ({ name }) => (name === 'list-a' ? 1 : 2),
  launched_at: ({ name }) => (name === 'list-a' ? 1 : 2),
  updated_at: ({ name }) => (name === 'list-a' ? 2 : 1),
  display_name: ({ name }) => name,
  uuid: ({ id }) => id,
  vm_state: (server) => server['OS-EXT-STS:vm_state'],
  task_state: (server) => server['OS-EXT-STS:task_state'] ?? '',
  power_state: (server) => server['OS-EXT-STS:power_state'],
  project_id: (server) => server.tenant_id,
  user_id: (server) => server.user_id,
  host: (server) => server['OS-EXT-SRV-ATTR:host'],
  key_name: (server) => server.key_name,
  image_ref: (server) => server.image.id,
  locked: (server) => Number(server.locked),
};

const sorts =
  (route: Route): Effect =>
  async (t, cloud) => {
    const { a, b } = await pairOf(cloud);
    const order = async (query: string) =>
      (await idsOf(cloud, route, `all_tenants=1&${query}`)).filter((id) => id === a.id || id === b.id);
    for (const [key, shownAs] of Object.entries(sortKeys)) {
      const [x, y] = [String(shownAs(a)), String(shownAs(b))];
      const upwards = x < y ? [a.id, b.id] : [b.id, a.id];
      t.not(x, y, `the two differ in ${key}`);
      t.strictSame(await order(`sort_key=${key}&sort_dir=asc`), upwards, `${key} upwards`);
      t.strictSame(await order(`sort_key=${key}&sort_dir=desc`), [...upwards].reverse(), `${key} downwards`);
    }
    const early = { headers: { 'openstack-api-version': 'compute 2.72' }, status: 400 };
    await cloud.ask('GET', `/compute/v2.1${route}?sort_key=locked`, early);
    for (const query of ['sort_key=root_device_name', 'sort_key=no_such', 'sort_key=uuid&sort_dir=up']) {
      await cloud.ask('GET', `/compute/v2.1${route}?${query}`, { headers, status: 400 });
    }
  };

const filters: Readonly<Record<string, (route: Route) => Effect>> = {
  name: text('name', '^list-a$', 'st-b'),
  display_name: text('display_name', '^list-a$', 'st-b'),
  hostname: text('hostname', '^list-a$', 'st-b'),
  description: text('description', 'out a', 'out b'),
  display_description: text('display_description', 'out a', 'out b'),
  access_ip_v4: text('access_ip_v4', '^192.0.2', '51.100'),
  access_ip_v6: text('access_ip_v6', 'db8', 'db9'),
  ip: text('ip', '^192.168.10', '168.20'),
  tags: text('tags', 'x,both', 'y,both'),
  'tags-any': text('tags-any', 'x,none', 'y,none'),
  'not-tags': text('not-tags', 'y,both', 'x,both'),
  'not-tags-any': text('not-tags-any', 'y,none', 'x,none'),
  locked: text('locked', 'true', 'false'),
  status: says('status', (server) => server.status),
  vm_state: says('vm_state', (server) => server['OS-EXT-STS:vm_state']),
  power_state: says('power_state', (server) => server['OS-EXT-STS:power_state']),
  image: says('image', (server) => server.image.id),
  image_ref: says('image_ref', (server) => server.image.id),
  flavor: says('flavor', (server) => (server.name === 'list-a' ? '1' : '2')),
  uuid: says('uuid', (server) => server.id),
  user_id: says('user_id', (server) => server.user_id),
  project_id: says('project_id', (server) => server.tenant_id),
  tenant_id: says('tenant_id', (server) => server.tenant_id),
  key_name: says('key_name', (server) => server.key_name),
  reservation_id: says('reservation_id', (server) => server['OS-EXT-SRV-ATTR:reservation_id']),
  availability_zone: says('availability_zone', (server) => server['OS-EXT-AZ:availability_zone']),
  host: says('host', (server) => server['OS-EXT-SRV-ATTR:host']),
  node: says('node', (server) => server['OS-EXT-SRV-ATTR:hypervisor_hostname']),
  created_at: dated('created_at', ({ a }) => a.created, '2000-01-01T00:00:00Z', 'yesterday'),
  launched_at: dated('launched_at', ({ a }) => a['OS-SRV-USG:launched_at'], '2000-01-01T00:00:00Z', '0'),
  terminated_at: findsNothing('terminated_at', '2026-01-01T00:00:00Z'),
  config_drive: dated('config_drive', () => 'false', 'true', 'perhaps'),
  progress: dated('progress', () => '100', '33', 'half'),
  deleted: findsNothing('deleted', 'true'),
  soft_deleted: findsNothing('soft_deleted', 'true'),
  ip6: findsNothing('ip6', '2001'),
  sort_key: sorts,
  sort_dir: sorts,
  task_state: (route) => async (t, cloud) => {
    const { a, b } = await pairOf(cloud);
    const found = await idsOf(cloud, route, `all_tenants=1&task_state=${a['OS-EXT-STS:task_state']}`);
    t.strictSame([found.includes(a.id), found.includes(b.id)], [true, false]);
    t.ok((await idsOf(cloud, route, 'all_tenants=1')).includes(b.id));
  },
  'changes-since': (route) => async (t, cloud) => {
    const { a } = await pairOf(cloud);
    t.ok((await idsOf(cloud, route, `all_tenants=1&changes-since=${a.updated}`)).includes(a.id));
    t.strictSame(await idsOf(cloud, route, 'all_tenants=1&changes-since=2100-01-01T00:00:00Z'), []);
  },
  'changes-before': (route) => async (t, cloud) => {
    const { a } = await pairOf(cloud);
    t.ok((await idsOf(cloud, route, 'all_tenants=1&changes-before=2100-01-01T00:00:00Z')).includes(a.id));
    t.strictSame(await idsOf(cloud, route, 'all_tenants=1&changes-before=2000-01-01T00:00:00Z'), []);
  },
  all_tenants: (route) => async (t, cloud) => {
    const { a, b } = await pairOf(cloud);
    const own = await idsOf(cloud, route, '');
    t.strictSame([own.includes(a.id), own.includes(b.id)], [false, true]);
    const all = await idsOf(cloud, route, 'all_tenants=1');
    t.strictSame([all.includes(a.id), all.includes(b.id)], [true, true]);
    const none = await idsOf(cloud, route, 'all_tenants=0');
    t.strictSame(none, own);
  },
  limit: (route) => async (t, cloud) => {
    await pairOf(cloud);
    t.equal((await idsOf(cloud, route, 'all_tenants=1&limit=1')).length, 1);
    t.equal((await idsOf(cloud, route, 'all_tenants=1&limit=2')).length, 2);
  },
  marker: (route) => async (t, cloud) => {
    await pairOf(cloud);
    const all = await idsOf(cloud, route, 'all_tenants=1');
    t.strictSame(await idsOf(cloud, route, `all_tenants=1&marker=${all[0]}`), all.slice(1));
    await cloud.ask('GET', `/compute/v2.1${route}?marker=nobody`, { headers, status: 400 });
  },
  ...Object.fromEntries(
    refusedServerFilters.map((key) => [
      key,
      (route: Route): Effect =>
        async (t, cloud) => {
          const answer = await cloud.gateway.call('GET', `/compute/v2.1${route}?${key}=x`, { headers });
          t.equal(answer.statusCode, 400);
          t.match(answer.body, key);
          const ignored = await idsOf(cloud, route, `${key}=x`, cloud.memberToken);
          t.strictSame(ignored, await idsOf(cloud, route, '', cloud.memberToken), 'others’ is ignored');
        },
    ]),
  ),
};

export const serverListEffects: Effects = Object.fromEntries(
  (['/servers', '/servers/detail'] as const).flatMap((route) =>
    Object.entries(filters).map(([key, effect]) => [`GET /v2.1${route} ?${key}`, effect(route)] as const),
  ),
);
