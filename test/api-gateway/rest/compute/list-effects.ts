/** Every key of the queries of flavors, hypervisors, keys, groups, services, limits and quotas. */
import { randomUUID } from 'node:crypto';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';
import { imageListEffects } from './image-effects.ts';
import { withEmptyHost } from './kit/empty-host.ts';
import { publicKey } from './kit/public-key.ts';
import { at } from './server-effects.ts';

const get = (cloud: EffectCloud, path: string, minor: number, status = 200): Promise<Answer> =>
  cloud.ask('GET', `/compute/v2.1${path}`, { headers: at(minor), status });

/** A list, and what tells its members apart. */
interface List {
  readonly path: string;
  readonly minor: number;
  readonly ids: (answer: Answer) => readonly string[];
}

const idsOf = async (cloud: EffectCloud, list: List, query: string): Promise<readonly string[]> =>
  list.ids(await get(cloud, `${list.path}?${query}`, list.minor));

const pagesOf = (list: List, fill: (cloud: EffectCloud) => Promise<void> = async () => undefined): Effects => ({
  [`GET /v2.1${list.path} ?limit`]: async (t, cloud) => {
    await fill(cloud);
    t.equal((await idsOf(cloud, list, 'limit=1')).length, 1);
    t.equal((await idsOf(cloud, list, 'limit=2')).length, 2);
    await get(cloud, `${list.path}?limit=-1`, list.minor, 400);
  },
  [`GET /v2.1${list.path} ?marker`]: async (t, cloud) => {
    await fill(cloud);
    const all = await idsOf(cloud, list, '');
    t.strictSame(await idsOf(cloud, list, `marker=${all[0]}`), all.slice(1));
    await get(cloud, `${list.path}?marker=nobody`, list.minor, 400);
  },
});
const offsetsOf = (list: List, fill: (cloud: EffectCloud) => Promise<void>): Effects => ({
  [`GET /v2.1${list.path} ?limit`]: async (t, cloud) => {
    await fill(cloud);
    t.equal((await idsOf(cloud, list, 'limit=1')).length, 1);
    t.equal((await idsOf(cloud, list, 'limit=2')).length, 2);
  },
  [`GET /v2.1${list.path} ?offset`]: async (t, cloud) => {
    await fill(cloud);
    const all = await idsOf(cloud, list, '');
    t.strictSame(await idsOf(cloud, list, 'offset=1'), all.slice(1));
    await get(cloud, `${list.path}?offset=-1`, list.minor, 400);
  },
});

/** By Nova's name for what a flavor is sorted by: what is sent in its body. `a` has the lower of each. */
const flavorKeys: Readonly<Record<string, string>> = {
  name: 'name',
  flavorid: 'id',
  id: 'id',
  memory_mb: 'ram',
  vcpus: 'vcpus',
  root_gb: 'disk',
  ephemeral_gb: 'OS-FLV-EXT-DATA:ephemeral',
  swap: 'swap',
  rxtx_factor: 'rxtx_factor',
  description: 'description',
  is_public: 'os-flavor-access:is_public',
};

async function flavorPair(cloud: EffectCloud): Promise<{ a: string; b: string }> {
  const mark = randomUUID();
  const make = async (letter: string, n: number): Promise<string> => {
    const flavor = {
      ...{ name: `${letter}-${mark}`, id: `${letter}-${mark}`, ram: 40_000 + n, vcpus: n, disk: 500 + n, swap: n },
      ...{ 'OS-FLV-EXT-DATA:ephemeral': n, rxtx_factor: n, description: letter, 'os-flavor-access:is_public': n === 2 },
    };
    const body = { flavor };
    return (await cloud.ask('POST', '/compute/v2.1/flavors', { body, headers: at(55) })).flavor.id;
  };
  return { a: await make('a', 1), b: await make('b', 2) };
}

const flavorList = (path: string): List => ({
  path,
  minor: 61,
  ids: ({ flavors }) => flavors.map((flavor: Answer) => flavor.id),
});

function flavorEffects(path: string): Effects {
  const list = flavorList(path);
  /** `query` finds `b` and not `a`; without it, or with the other one, `a` is there, too. */
  const finds =
    (query: string, other: string): Effect =>
    async (t, cloud) => {
      const { a, b } = await flavorPair(cloud);
      const found = await idsOf(cloud, list, query);
      t.strictSame([found.includes(a), found.includes(b)], [false, true], query);
      const more = await idsOf(cloud, list, other);
      t.strictSame([more.includes(a), more.includes(b)], [true, true], other);
    };
  const sorts: Effect = async (t, cloud) => {
    const { a, b } = await flavorPair(cloud);
    const order = async (query: string) =>
      (await idsOf(cloud, list, `is_public=none&${query}`)).filter((id) => id === a || id === b);
    for (const key of Object.keys(flavorKeys)) {
      t.strictSame(await order(`sort_key=${key}&sort_dir=asc`), [a, b], `${key} upwards`);
      t.strictSame(await order(`sort_key=${key}&sort_dir=desc`), [b, a], `${key} downwards`);
    }
    for (const query of ['sort_key=created_at', 'sort_key=none', 'sort_dir=up'])
      await get(cloud, `${path}?${query}`, 61, 400);
  };
  return {
    ...pagesOf(list),
    [`GET /v2.1${path} ?name`]: async (t, cloud) => {
      const named = async (name: string, minor: number, status = 200): Promise<readonly string[]> =>
        (await get(cloud, `${path}?name=${encodeURIComponent(name)}`, minor, status)).flavors?.map(
          (flavor: Answer) => flavor.name,
        );
      t.strictSame(await named('m1.tiny', 102), ['m1.tiny']);
      t.strictSame(await named('no-such-flavor', 102), []);
      await named('m1.tiny', 101, 400);
      t.ok((await named('no-such-flavor', 74)).length > 0, 'once it was ignored');
    },
    [`GET /v2.1${path} ?is_public`]: async (t, cloud) => {
      const { a, b } = await flavorPair(cloud);
      for (const [query, expected] of [
        ['', [false, true]],
        ['is_public=true', [false, true]],
        ['is_public=false', [true, false]],
        ['is_public=none', [true, true]],
      ] as const) {
        const found = await idsOf(cloud, list, query);
        t.strictSame([found.includes(a), found.includes(b)], expected, query);
      }
      await get(cloud, `${path}?is_public=perhaps`, 61, 400);
    },
    [`GET /v2.1${path} ?minRam`]: finds('is_public=none&minRam=40002', 'is_public=none&minRam=40001'),
    [`GET /v2.1${path} ?minDisk`]: finds('is_public=none&minDisk=502', 'is_public=none&minDisk=501'),
    [`GET /v2.1${path} ?sort_key`]: sorts,
    [`GET /v2.1${path} ?sort_dir`]: sorts,
  };
}

const hypervisorList = (path: string): List => ({
  path,
  minor: 53,
  ids: ({ hypervisors }) => hypervisors.map((hypervisor: Answer) => hypervisor.id),
});

async function bootSomewhere(cloud: EffectCloud): Promise<void> {
  const server = { name: 'web', flavorRef: '1', imageRef: 'cirros', networks: 'none' };
  await cloud.ask('POST', '/compute/v2.1/servers', { body: { server }, headers: at(37) });
}

function hypervisorEffects(path: string): Effects {
  const list = hypervisorList(path);
  return {
    ...pagesOf(list),
    [`GET /v2.1${path} ?hypervisor_hostname_pattern`]: async (t, cloud) => {
      for (const name of ['host-1', 'host-2']) {
        const { hypervisors } = await get(cloud, `${path}?hypervisor_hostname_pattern=${name}`, 53);
        t.strictSame(
          hypervisors.map((each: Answer) => each.hypervisor_hostname),
          [name],
        );
      }
      await get(cloud, `${path}?hypervisor_hostname_pattern=none`, 53, 404);
    },
    [`GET /v2.1${path} ?with_servers`]: async (t, cloud) => {
      await bootSomewhere(cloud);
      const count = async (query: string) =>
        (await get(cloud, `${path}?${query}`, 53)).hypervisors.flatMap((each: Answer) => each.servers ?? []).length;
      t.ok((await count('with_servers=true')) > 0);
      t.equal(await count('with_servers=false'), 0);
      await get(cloud, `${path}?with_servers=perhaps`, 53, 400);
    },
  };
}

const keyList: List = {
  path: '/os-keypairs',
  minor: 35,
  ids: ({ keypairs }) => keypairs.map(({ keypair }: Answer) => keypair.name),
};
async function threeKeys(cloud: EffectCloud): Promise<void> {
  for (let n = 0; n < 3; n++) {
    await cloud.ask('POST', '/compute/v2.1/os-keypairs', {
      body: { keypair: { name: randomUUID(), public_key: publicKey } },
    });
  }
}
/** Somebody else, with a key of that name. */
async function otherUser(cloud: EffectCloud, name: string): Promise<string> {
  const { user } = await cloud.ask('POST', '/identity/v3/users', { body: { user: { name: randomUUID() } } });
  const body = { keypair: { name, public_key: publicKey, user_id: user.id } };
  await cloud.ask('POST', '/compute/v2.1/os-keypairs', { body, headers: at(10) });
  return user.id;
}

const keypairs: Effects = {
  ...pagesOf(keyList, threeKeys),
  'GET /v2.1/os-keypairs ?user_id': async (t, cloud) => {
    await threeKeys(cloud);
    const user = await otherUser(cloud, 'theirs');
    t.strictSame(await idsOf(cloud, keyList, `user_id=${user}`), ['theirs']);
    t.notOk((await idsOf(cloud, keyList, '')).includes('theirs'));
  },
  'GET /v2.1/os-keypairs/:name ?user_id': async (t, cloud) => {
    const name = randomUUID();
    await cloud.ask('POST', '/compute/v2.1/os-keypairs', { body: { keypair: { name, public_key: publicKey } } });
    const user = await otherUser(cloud, name);
    t.equal((await get(cloud, `/os-keypairs/${name}?user_id=${user}`, 10)).keypair.user_id, user);
    t.equal((await get(cloud, `/os-keypairs/${name}`, 10)).keypair.user_id, cloud.gateway.adminUserId);
  },
  'DELETE /v2.1/os-keypairs/:name ?user_id': async (t, cloud) => {
    const name = randomUUID();
    await cloud.ask('POST', '/compute/v2.1/os-keypairs', { body: { keypair: { name, public_key: publicKey } } });
    const user = await otherUser(cloud, name);
    const remove = (query: string) =>
      cloud.ask('DELETE', `/compute/v2.1/os-keypairs/${name}${query}`, { headers: at(10), status: 204 });
    await remove(`?user_id=${user}`);
    t.strictSame(await idsOf(cloud, keyList, `user_id=${user}`), []);
    t.ok((await idsOf(cloud, keyList, '')).includes(name), 'one’s own is still there');
    await remove('');
    t.notOk((await idsOf(cloud, keyList, '')).includes(name));
  },
};

const groupList: List = {
  path: '/os-server-groups',
  minor: 13,
  ids: ({ server_groups }) => server_groups.map(({ id }: Answer) => id),
};
const makeGroup = async (cloud: EffectCloud, token?: string): Promise<string> => {
  const body = { server_group: { name: 'group', policies: ['affinity'] } };
  const options = { body, ...(token === undefined ? {} : { token }) };
  return (await cloud.ask('POST', '/compute/v2.1/os-server-groups', options)).server_group.id;
};

const securityGroupList: List = {
  path: '/os-security-groups',
  minor: 35,
  ids: ({ security_groups }) => security_groups.map(({ id }: Answer) => id),
};
const makeSecurityGroup = async (cloud: EffectCloud, token?: string): Promise<string> => {
  const body = { security_group: { name: randomUUID() } };
  const options = { body, ...(token === undefined ? {} : { token }) };
  return (await cloud.ask('POST', '/compute/v2.1/os-security-groups', options)).security_group.id;
};

const groups: Effects = {
  ...offsetsOf(groupList, async (cloud) => {
    for (let n = 0; n < 3; n++) await makeGroup(cloud);
  }),
  'GET /v2.1/os-server-groups ?all_projects': async (t, cloud) => {
    const id = await makeGroup(cloud, cloud.memberToken);
    t.notOk((await idsOf(cloud, groupList, '')).includes(id));
    t.ok((await idsOf(cloud, groupList, 'all_projects=True')).includes(id));
  },
  ...offsetsOf(securityGroupList, async (cloud) => {
    for (let n = 0; n < 3; n++) await makeSecurityGroup(cloud);
  }),
  'GET /v2.1/os-security-groups ?all_tenants': async (t, cloud) => {
    const id = await makeSecurityGroup(cloud, cloud.memberToken);
    t.notOk((await idsOf(cloud, securityGroupList, '')).includes(id));
    t.ok((await idsOf(cloud, securityGroupList, 'all_tenants=1')).includes(id));
  },
};

const quotaPath = (cloud: EffectCloud) => `/os-quota-sets/${cloud.memberProjectId}`;
const userSet = (cores: number) => ({ quota_set: { cores } });
/** A user's limits are the project's until they have their own. @param below of the path. @param coresOf of an answer. */
const showsUsers =
  (below: string, coresOf: (set: Answer) => number): Effect =>
  async (t, cloud) => {
    const path = quotaPath(cloud);
    const put = `/compute/v2.1${path}`;
    await cloud.ask('PUT', put, { body: { quota_set: { cores: 20 } } });
    for (const [user, cores] of [
      ['one', 3],
      ['two', 4],
    ] as const) {
      const shown = async () => coresOf((await get(cloud, `${path}${below}?user_id=${user}`, 1)).quota_set);
      t.equal(await shown(), 20);
      await cloud.ask('PUT', `${put}?user_id=${user}`, { body: userSet(cores) });
      t.equal(await shown(), cores);
      await cloud.ask('DELETE', `${put}?user_id=${user}`);
    }
    t.equal(coresOf((await get(cloud, `${path}${below}`, 1)).quota_set), 20, 'the project’s is as it was');
  };
const setsUsers: Effect = async (t, cloud) => {
  const path = `/compute/v2.1${quotaPath(cloud)}`;
  await cloud.ask('PUT', path, { body: { quota_set: { cores: 20, metadata_items: 128 } } });
  for (const [user, cores] of [
    ['one', 3],
    ['two', 4],
  ] as const) {
    const ask = (body: object, status = 200) => cloud.ask('PUT', `${path}?user_id=${user}`, { body, status });
    await ask(userSet(21), 400);
    await ask(userSet(-1), 400);
    await ask({ quota_set: { metadata_items: 5 } }, 400);
    t.equal((await ask(userSet(cores))).quota_set.cores, cores);
    await cloud.ask('DELETE', `${path}?user_id=${user}`);
  }
};

const others: Effects = {
  'GET /v2.1/os-hypervisors/:id ?with_servers': async (t, cloud) => {
    await bootSomewhere(cloud);
    const { hypervisors } = await get(cloud, '/os-hypervisors?with_servers=true', 53);
    const busy = hypervisors.find((each: Answer) => each.servers !== undefined);
    t.ok((await get(cloud, `/os-hypervisors/${busy.id}?with_servers=true`, 53)).hypervisor.servers.length > 0);
    t.notOk('servers' in (await get(cloud, `/os-hypervisors/${busy.id}`, 53)).hypervisor);
  },
  'GET /v2.1/os-services ?host': async (t, cloud) => {
    for (const host of ['host-1', 'host-2']) {
      const { services } = await get(cloud, `/os-services?host=${host}`, 1);
      t.strictSame(
        services.map((each: Answer) => each.host),
        [host],
      );
    }
  },
  'GET /v2.1/os-services ?binary': async (t, cloud) => {
    t.equal((await get(cloud, '/os-services?binary=nova-compute', 1)).services.length, 2);
    t.equal((await get(cloud, '/os-services?binary=nova-scheduler', 1)).services.length, 0);
  },
  'GET /v2.1/os-hosts ?zone': async (t, cloud) => {
    const body = { aggregate: { name: randomUUID(), availability_zone: 'other' } };
    const { aggregate } = await cloud.ask('POST', '/compute/v2.1/os-aggregates', { body });
    const path = `/compute/v2.1/os-aggregates/${aggregate.id}/action`;
    const names = async (zone: string) =>
      (await get(cloud, `/os-hosts?zone=${zone}`, 1)).hosts.map((each: Answer) => each.host_name);
    await withEmptyHost(cloud, async (host) => {
      await cloud.ask('POST', path, { body: { add_host: { host } } });
      t.strictSame((await names('nova')).sort(), ['host-1', 'host-2']);
      t.strictSame(await names('other'), [host]);
      await cloud.ask('POST', path, { body: { remove_host: { host } } });
    });
  },
  'GET /v2.1/limits ?tenant_id': async (t, cloud) => {
    const body = { quota_set: { instances: 3 } };
    await cloud.ask('PUT', `/compute/v2.1${quotaPath(cloud)}`, { body });
    const instances = async (query: string) =>
      (await get(cloud, `/limits?${query}`, 1)).limits.absolute.maxTotalInstances;
    t.equal(await instances(`tenant_id=${cloud.memberProjectId}`), 3);
    t.equal(await instances(''), -1);
  },
  'GET /v2.1/limits ?reserved': async (t, cloud) => {
    t.strictSame(await get(cloud, '/limits?reserved=1', 75), await get(cloud, '/limits', 75));
  },
  'GET /v2.1/os-quota-sets/:project ?user_id': showsUsers('', ({ cores }) => cores),
  'GET /v2.1/os-quota-sets/:project/detail ?user_id': showsUsers('/detail', ({ cores }) => cores.limit),
  'PUT /v2.1/os-quota-sets/:project ?user_id': setsUsers,
  'DELETE /v2.1/os-quota-sets/:project ?user_id': showsUsers('', ({ cores }) => cores),
};

export const listEffects: Effects = {
  ...flavorEffects('/flavors'),
  ...flavorEffects('/flavors/detail'),
  ...hypervisorEffects('/os-hypervisors'),
  ...hypervisorEffects('/os-hypervisors/detail'),
  ...imageListEffects,
  ...keypairs,
  ...groups,
  ...others,
};
