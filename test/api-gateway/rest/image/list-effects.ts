/** Two images that differ in everything, and every key of a list's query that must tell them apart. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Effect, EffectCloud, Effects } from '../effects/effects.ts';

interface Pair {
  readonly a: Readonly<Record<string, string>>;
  readonly b: Readonly<Record<string, string>>;
}

const octets = { 'content-type': 'application/octet-stream' };
const pairs = new WeakMap<object, Promise<Pair>>();

/** `a` comes before `b` in every order, and is smaller in every number. */
function pairOf(cloud: EffectCloud): Promise<Pair> {
  const made = pairs.get(cloud.world) ?? makePair(cloud);
  pairs.set(cloud.world, made);
  return made;
}

async function makePair({ gateway, memberProjectId }: EffectCloud): Promise<Pair> {
  const make = async (body: object, content: Buffer | undefined) => {
    const { id } = (await gateway.call('POST', '/image/v2/images', { body })).json();
    if (content !== undefined) {
      await gateway.call('PUT', `/image/v2/images/${id}/file`, { body: content, headers: octets });
    }
    return id;
  };
  const a = await make(
    {
      id: '00000000-0000-4000-8000-00000000000a',
      ...{ name: 'list-a', disk_format: 'qcow2', container_format: 'bare', min_disk: 1, min_ram: 1 },
      ...{ protected: false, visibility: 'public', tags: ['x'], owner: memberProjectId, shade: 'one' },
    },
    Buffer.from([0x51, 0x46, 0x49, 0xfb, 0]),
  );
  // Times are shown and compared in whole seconds.
  await sleep(1_100);
  const b = await make(
    {
      id: 'f0000000-0000-4000-8000-00000000000b',
      ...{ name: 'list-b', disk_format: 'raw', container_format: 'ovf', min_disk: 2, min_ram: 2 },
      ...{ protected: true, visibility: 'private', tags: ['y'], shade: 'two' },
    },
    Buffer.from('a longer content'),
  );
  const view = async (id: string) => (await gateway.call('GET', `/image/v2/images/${id}`)).json();
  return { a: await view(a), b: await view(b) };
}

const idsOf = async (cloud: EffectCloud, query: string, token?: string): Promise<readonly string[]> => {
  const options = token === undefined ? {} : { token };
  const { images } = await cloud.ask('GET', `/image/v2/images?${query}`, options);
  return images.map((image: { id: string }) => image.id);
};

/** `a`'s query finds `a` and not `b`; with a second one for `b`, the other way round. */
function tellsApart(forA: (pair: Pair) => string, forB?: (pair: Pair) => string): Effect {
  return async (t, cloud) => {
    const pair = await pairOf(cloud);
    const all = await idsOf(cloud, '');
    t.ok(all.includes(pair.a.id ?? '') && all.includes(pair.b.id ?? ''), 'both are there');
    for (const [query, wanted, other] of [
      [forA, pair.a, pair.b],
      [forB, pair.b, pair.a],
    ] as const) {
      if (query === undefined) continue;
      const found = await idsOf(cloud, query(pair));
      t.ok(found.includes(wanted.id ?? ''), `${query(pair)} finds ${wanted.name}`);
      t.notOk(found.includes(other.id ?? ''), `${query(pair)} leaves ${other.name} out`);
    }
  };
}

/** Equality with what each shows of itself. */
const byField = (field: string): Effect =>
  tellsApart(
    ({ a }) => `${field}=${encodeURIComponent(String(a[field]))}`,
    ({ b }) => `${field}=${encodeURIComponent(String(b[field]))}`,
  );
const from = (field: string): Effect =>
  tellsApart(
    ({ b }) => `${field}_min=0&${field}_max=${Number(b[field]) - 1}`,
    ({ b }) => `${field}_min=${b[field]}`,
  );
const upTo = (field: string): Effect =>
  tellsApart(
    ({ a }) => `${field}_max=${a[field]}`,
    ({ a, b }) => `${field}_max=${b[field]}&${field}_min=${Number(a[field]) + 1}`,
  );
const byTime = (field: string): Effect =>
  tellsApart(
    ({ b }) => `${field}=lt:${b[field]}`,
    ({ b }) => `${field}=gte:${b[field]}`,
  );

const isRefused =
  (key: string): Effect =>
  async (t, cloud) => {
    const answer = await cloud.gateway.call('GET', `/image/v2/images?${key}=x`);
    t.equal(answer.statusCode, 400);
    t.match(answer.body, key);
  };

/** Every key that Glance sorts by; `direction` puts the two in the query's own way. */
const sortKeys = ['name', 'status', 'container_format', 'disk_format', 'size', 'id', 'created_at', 'updated_at'];

const sorts =
  (query: (key: string, direction: string) => string): Effect =>
  async (t, cloud) => {
    const { a, b } = await pairOf(cloud);
    const order = async (key: string, direction: string) =>
      (await idsOf(cloud, query(key, direction))).filter((id) => id === a.id || id === b.id);
    for (const key of sortKeys) {
      t.strictSame(await order(key, 'asc'), [a.id, b.id], `${key} upwards`);
      t.strictSame(await order(key, 'desc'), [b.id, a.id], `${key} downwards`);
    }
  };

const filters: Effects = {
  'GET /v2/images ?id': byField('id'),
  'GET /v2/images ?name': byField('name'),
  'GET /v2/images ?container_format': byField('container_format'),
  'GET /v2/images ?disk_format': byField('disk_format'),
  'GET /v2/images ?owner': byField('owner'),
  'GET /v2/images ?checksum': byField('checksum'),
  'GET /v2/images ?os_hash_value': byField('os_hash_value'),
  'GET /v2/images ?size': byField('size'),
  'GET /v2/images ?size_min': from('size'),
  'GET /v2/images ?size_max': upTo('size'),
  'GET /v2/images ?virtual_size': byField('virtual_size'),
  'GET /v2/images ?virtual_size_min': from('virtual_size'),
  'GET /v2/images ?virtual_size_max': upTo('virtual_size'),
  'GET /v2/images ?min_disk': byField('min_disk'),
  'GET /v2/images ?min_disk_min': from('min_disk'),
  'GET /v2/images ?min_disk_max': upTo('min_disk'),
  'GET /v2/images ?min_ram': byField('min_ram'),
  'GET /v2/images ?min_ram_min': from('min_ram'),
  'GET /v2/images ?min_ram_max': upTo('min_ram'),
  'GET /v2/images ?protected': byField('protected'),
  'GET /v2/images ?visibility': byField('visibility'),
  'GET /v2/images ?tag': tellsApart(
    () => 'tag=x',
    () => 'tag=y',
  ),
  'GET /v2/images ?created_at': byTime('created_at'),
  'GET /v2/images ?updated_at': byTime('updated_at'),
};

const others: Effects = {
  'GET /v2/images ?status': async (t, cloud) => {
    const { a } = await pairOf(cloud);
    const { id } = await cloud.ask('POST', '/image/v2/images', { body: { name: 'empty' } });
    t.strictSame((await idsOf(cloud, 'status=queued')).includes(id), true);
    t.strictSame((await idsOf(cloud, 'status=queued')).includes(a.id ?? ''), false);
    t.strictSame((await idsOf(cloud, 'status=active')).includes(id), false);
    t.strictSame((await idsOf(cloud, 'status=active')).includes(a.id ?? ''), true);
  },
  'GET /v2/images ?os_hash_algo': async (t, cloud) => {
    const { a } = await pairOf(cloud);
    const { id } = await cloud.ask('POST', '/image/v2/images', { body: { name: 'without a hash' } });
    const found = await idsOf(cloud, 'os_hash_algo=sha512');
    t.ok(found.includes(a.id ?? ''));
    t.notOk(found.includes(id));
    t.strictSame(await idsOf(cloud, 'os_hash_algo=md5'), []);
  },
  'GET /v2/images ?os_hidden': async (t, cloud) => {
    const { a } = await pairOf(cloud);
    const { id } = await cloud.ask('POST', '/image/v2/images', { body: { name: 'hidden', os_hidden: true } });
    t.notOk((await idsOf(cloud, '')).includes(id), 'hidden unless asked for');
    t.ok((await idsOf(cloud, 'os_hidden=true')).includes(id));
    t.notOk((await idsOf(cloud, 'os_hidden=true')).includes(a.id ?? ''));
    t.ok((await idsOf(cloud, 'os_hidden=false')).includes(a.id ?? ''));
  },
  'GET /v2/images ?limit': async (t, cloud) => {
    await pairOf(cloud);
    t.equal((await idsOf(cloud, 'limit=1')).length, 1);
    t.equal((await idsOf(cloud, 'limit=2')).length, 2);
    await cloud.ask('GET', '/image/v2/images?limit=-1', { status: 400 });
  },
  'GET /v2/images ?marker': async (t, cloud) => {
    await pairOf(cloud);
    const all = await idsOf(cloud, '');
    t.strictSame(await idsOf(cloud, `marker=${all[0]}`), all.slice(1));
    t.strictSame(await idsOf(cloud, `marker=${all[1]}`), all.slice(2));
    await cloud.ask('GET', '/image/v2/images?marker=nobody', { status: 400 });
  },
  'GET /v2/images ?sort': async (t, cloud) => {
    await sorts((key, direction) => `sort=${key}:${direction}`)(t, cloud);
    const { a, b } = await pairOf(cloud);
    const byTwo = await idsOf(cloud, 'sort=status:asc, name:desc');
    t.ok(byTwo.indexOf(b.id ?? '') < byTwo.indexOf(a.id ?? ''), 'the second key breaks ties of the first');
    await cloud.ask('GET', '/image/v2/images?sort=owner:asc', { status: 400 });
    await cloud.ask('GET', '/image/v2/images?sort=name:up', { status: 400 });
  },
  'GET /v2/images ?sort_key': async (t, cloud) => {
    await sorts((key, direction) => `sort_key=${key}&sort_dir=${direction}`)(t, cloud);
    await cloud.ask('GET', '/image/v2/images?sort_key=owner', { status: 400 });
  },
  'GET /v2/images ?sort_dir': async (t, cloud) => {
    const { a, b } = await pairOf(cloud);
    const order = async (query: string) => (await idsOf(cloud, query)).filter((id) => id === a.id || id === b.id);
    t.strictSame(await order('sort_dir=asc'), [a.id, b.id]);
    t.strictSame(await order('sort_dir=desc'), [b.id, a.id]);
    t.strictSame(await order('sort_key=status&sort_dir=asc'), [a.id, b.id], 'equal ones go the same way');
    t.strictSame(await order('sort_key=status&sort_key=name&sort_dir=asc&sort_dir=desc'), [b.id, a.id]);
    await cloud.ask('GET', '/image/v2/images?sort_key=name&sort_key=id&sort_key=size&sort_dir=asc&sort_dir=asc', {
      status: 400,
    });
  },
  'GET /v2/images ?member_status': async (t, cloud) => {
    const body = { name: 'shared', visibility: 'shared' };
    const { id } = await cloud.ask('POST', '/image/v2/images', { body });
    await cloud.ask('POST', `/image/v2/images/${id}/members`, { body: { member: cloud.memberProjectId } });
    const token = cloud.memberToken;
    for (const [query, isFound] of [
      ['', false],
      ['member_status=accepted', false],
      ['member_status=pending', true],
      ['member_status=all', true],
      ['member_status=rejected', false],
    ] as const) {
      t.equal((await idsOf(cloud, query, token)).includes(id), isFound, query);
    }
  },
};

const notFilters = ['self', 'file', 'schema', 'direct_url', 'locations', 'stores', 'deleted', 'deleted_at', 'tags'];

export const listEffects: Effects = {
  ...filters,
  ...others,
  ...Object.fromEntries([...notFilters, 'changes-since'].map((key) => [`GET /v2/images ?${key}`, isRefused(key)])),
};
