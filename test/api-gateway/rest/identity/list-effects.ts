/** Pairs that differ in everything, and every key of the queries that must tell them apart. */
import { randomUUID } from 'node:crypto';
import type { Answer, Effect, EffectCloud, Effects } from '../effects/effects.ts';

const get = (cloud: EffectCloud, path: string, status = 200): Promise<Answer> =>
  cloud.ask('GET', `/identity/v3/${path}`, { status });
const idsOf = async (cloud: EffectCloud, list: string, query: string): Promise<readonly string[]> =>
  (await get(cloud, `${list}?${query}`))[list].map(({ id }: Answer) => id);

interface Pair {
  readonly a: Answer;
  readonly b: Answer;
}
type Make = (cloud: EffectCloud) => Promise<Pair>;

const post = async (cloud: EffectCloud, list: string, key: string, body: object): Promise<Answer> =>
  (await cloud.ask('POST', `/identity/v3/${list}`, { body: { [key]: body }, status: 201 }))[key];

const domains: Make = async (cloud) => ({
  a: await post(cloud, 'domains', 'domain', { name: `aa-${randomUUID()}` }),
  b: await post(cloud, 'domains', 'domain', { name: `bb-${randomUUID()}`, enabled: false }),
});
const projects: Make = async (cloud) => {
  const domain_id = (await domains(cloud)).a.id;
  const name = randomUUID();
  return {
    a: await post(cloud, 'projects', 'project', { name: `aa-${name}`, tags: ['x', 'both'] }),
    b: await post(cloud, 'projects', 'project', { name: `bb-${name}`, tags: ['y', 'both'], domain_id, enabled: false }),
  };
};
const users: Make = async (cloud) => {
  const domain_id = (await domains(cloud)).a.id;
  const name = randomUUID();
  return {
    a: await post(cloud, 'users', 'user', { name: `aa-${name}` }),
    b: await post(cloud, 'users', 'user', { name: `bb-${name}`, domain_id, enabled: false }),
  };
};
const roles: Make = async (cloud) => ({
  a: await post(cloud, 'roles', 'role', { name: `aa-${randomUUID()}` }),
  b: await post(cloud, 'roles', 'role', { name: `bb-${randomUUID()}` }),
});
const services: Make = async (cloud) => {
  const [a, b] = (await get(cloud, 'services')).services;
  return { a, b };
};
const endpoints: Make = async (cloud) => {
  const all = (await get(cloud, 'endpoints')).endpoints;
  const [a] = all;
  return { a, b: all.find((each: Answer) => each.service_id !== a.service_id && each.interface !== a.interface) };
};

/** `forA` finds `a` and not `b`, `forB` the other way round. */
const tellsApart =
  (list: string, make: Make, forA: (pair: Pair) => string, forB: (pair: Pair) => string): Effect =>
  async (t, cloud) => {
    const pair = await make(cloud);
    const all = await idsOf(cloud, list, '');
    t.ok(all.includes(pair.a.id) && all.includes(pair.b.id), 'both are there');
    for (const [query, wanted, other] of [
      [forA(pair), pair.a, pair.b],
      [forB(pair), pair.b, pair.a],
    ] as const) {
      const found = await idsOf(cloud, list, query);
      t.strictSame([found.includes(wanted.id), found.includes(other.id)], [true, false], query);
    }
  };
const byField = (list: string, make: Make, field: string): Effect =>
  tellsApart(
    list,
    make,
    ({ a }) => `${field}=${encodeURIComponent(String(a[field]))}`,
    ({ b }) => `${field}=${encodeURIComponent(String(b[field]))}`,
  );

/** Equality, and each of Keystone's comparisons, which go by the row of the name. */
const byText =
  (list: string, make: Make, field: string): Effect =>
  async (t, cloud) => {
    await byField(list, make, field)(t, cloud);
    const { a, b } = await make(cloud);
    const text = String(a[field]);
    for (const [comparison, value] of [
      ['contains', text.slice(1, -1)],
      ['startswith', text.slice(0, -1)],
      ['endswith', text.slice(1)],
      ['equals', text],
      ['exact', text],
    ] as const) {
      for (const [name, sent, isFound] of [
        [`${field}__${comparison}`, value, true],
        [`${field}__${comparison}`, value.toUpperCase(), false],
        [`${field}__i${comparison}`, value.toUpperCase(), true],
      ] as const) {
        const found = await idsOf(cloud, list, `${name}=${encodeURIComponent(sent)}`);
        t.strictSame([found.includes(a.id), found.includes(b.id)], [isFound, false], `${name}=${sent}`);
      }
    }
  };

const findsNothing =
  (list: string, query: string): Effect =>
  async (t, cloud) => {
    t.strictSame((await get(cloud, `${list}?${query}`))[list], []);
    t.ok((await get(cloud, list))[list].length > 0);
  };

const pages = (list: string, fill?: Make): Effects => ({
  [`GET /v3/${list} ?limit`]: async (t, cloud) => {
    await fill?.(cloud);
    const all = (await get(cloud, list))[list];
    const { [list]: page, truncated } = await get(cloud, `${list}?limit=1`);
    t.strictSame(page, all.slice(0, 1));
    t.equal(truncated, true);
    await get(cloud, `${list}?limit=x`, 400);
  },
  [`GET /v3/${list} ?marker`]: async (t, cloud) => {
    await fill?.(cloud);
    const { [list]: all, links } = await get(cloud, `${list}?limit=1`);
    const next = new URL(links.next);
    const rest = (await get(cloud, `${list}?marker=${next.searchParams.get('marker')}`))[list];
    t.strictSame([...all, ...rest], (await get(cloud, list))[list]);
  },
});

const tags = (key: string, forA: string, forB: string): Effects => ({
  [`GET /v3/projects ?${key}`]: async (t, cloud) => {
    await tellsApart(
      'projects',
      projects,
      ({ a }) => `${key}=${forA}&name=${a.name}`,
      ({ b }) => `${key}=${forB}&name=${b.name}`,
    )(t, cloud);
    const { a, b } = await projects(cloud);
    const found = await idsOf(cloud, 'projects', `${key}=${forA}`);
    t.strictSame([found.includes(a.id), found.includes(b.id)], [true, false]);
  },
});

/** Two users with different roles: on a project, and on a domain and the system. */
async function assigned(cloud: EffectCloud) {
  const [user, role, project, domain] = [
    await users(cloud),
    await roles(cloud),
    await projects(cloud),
    await domains(cloud),
  ];
  const grant = (path: string) => cloud.ask('PUT', `/identity/v3/${path}`, { status: 204 });
  await grant(`projects/${project.a.id}/users/${user.a.id}/roles/${role.a.id}`);
  await grant(`domains/${domain.a.id}/users/${user.b.id}/roles/${role.b.id}`);
  await grant(`system/users/${user.b.id}/roles/${role.b.id}`);
  return { user, role, project, domain };
}
type Assigned = Awaited<ReturnType<typeof assigned>>;

/** Users that the assignments found are of: `a`, `b`, or neither. */
const ofUsers =
  (key: string, value: (given: Assigned) => string, expected: readonly [boolean, boolean]): Effect =>
  async (t, cloud) => {
    const given = await assigned(cloud);
    const holders = async (query: string) => {
      const found = (await get(cloud, `role_assignments?${query}`)).role_assignments;
      const has = (id: string) => found.some((each: Answer) => each.user.id === id);
      return [has(given.user.a.id), has(given.user.b.id)];
    };
    t.strictSame(await holders(''), [true, true]);
    t.strictSame(await holders(`${key}=${value(given)}`), expected);
  };

const assignments: Effects = {
  'GET /v3/role_assignments ?user.id': ofUsers('user.id', ({ user }) => user.a.id, [true, false]),
  'GET /v3/role_assignments ?role.id': ofUsers('role.id', ({ role }) => role.b.id, [false, true]),
  'GET /v3/role_assignments ?scope.project.id': ofUsers('scope.project.id', ({ project }) => project.a.id, [
    true,
    false,
  ]),
  'GET /v3/role_assignments ?scope.domain.id': ofUsers('scope.domain.id', ({ domain }) => domain.a.id, [false, true]),
  'GET /v3/role_assignments ?scope.system': ofUsers('scope.system', () => 'all', [false, true]),
  'GET /v3/role_assignments ?group.id': ofUsers('group.id', () => 'x', [false, false]),
  'GET /v3/role_assignments ?scope.OS-INHERIT:inherited_to': ofUsers(
    'scope.OS-INHERIT:inherited_to',
    () => 'projects',
    [false, false],
  ),
  'GET /v3/role_assignments ?effective': async (t, cloud) => {
    const id = cloud.gateway.adminUserId;
    const named = async (query: string) =>
      (await get(cloud, `role_assignments?user.id=${id}&include_names=true&${query}`)).role_assignments
        .filter((each: Answer) => each.scope.project?.id === cloud.gateway.adminProjectId)
        .map((each: Answer) => each.role.name);
    t.ok((await named('effective=true')).includes('reader'), 'administrators are readers, too');
    t.notOk((await named('effective=false')).includes('reader'));
  },
  'GET /v3/role_assignments ?include_names': async (t, cloud) => {
    const { user, role, project } = await assigned(cloud);
    const of = async (query: string) =>
      (await get(cloud, `role_assignments?user.id=${user.a.id}&${query}`)).role_assignments;
    const named = {
      user: { name: user.a.name },
      role: { name: role.a.name },
      scope: { project: { name: project.a.name } },
    };
    t.match(await of('include_names=true'), [named]);
    t.notMatch(await of('include_names=false'), [named]);
  },
  'GET /v3/role_assignments ?include_subtree': async (t, cloud) => {
    const { project } = await assigned(cloud);
    const of = async (query: string) =>
      (await get(cloud, `role_assignments?scope.project.id=${project.a.id}${query}`)).role_assignments;
    t.strictSame(await of('&include_subtree=true'), await of(''));
    t.equal((await of('')).length, 1);
  },
  ...pages('role_assignments', async (cloud) => (await assigned(cloud)).user),
};

export const listEffects: Effects = {
  ...pages('domains', domains),
  'GET /v3/domains ?name': byText('domains', domains, 'name'),
  'GET /v3/domains ?enabled': byField('domains', domains, 'enabled'),
  ...pages('projects', projects),
  'GET /v3/projects ?name': byText('projects', projects, 'name'),
  'GET /v3/projects ?domain_id': byField('projects', projects, 'domain_id'),
  'GET /v3/projects ?parent_id': byField('projects', projects, 'parent_id'),
  'GET /v3/projects ?enabled': byField('projects', projects, 'enabled'),
  'GET /v3/projects ?is_domain': async (t, cloud) => {
    const { a } = await projects(cloud);
    t.ok((await idsOf(cloud, 'projects', 'is_domain=false')).includes(a.id));
    t.strictSame(await idsOf(cloud, 'projects', 'is_domain=true'), []);
  },
  ...tags('tags', 'x,both', 'y,both'),
  ...tags('tags-any', 'x,none', 'y,none'),
  ...tags('not-tags', 'y,both', 'x,both'),
  ...tags('not-tags-any', 'y,none', 'x,none'),
  ...pages('users', users),
  'GET /v3/users ?name': byText('users', users, 'name'),
  'GET /v3/users ?domain_id': byField('users', users, 'domain_id'),
  'GET /v3/users ?enabled': byField('users', users, 'enabled'),
  'GET /v3/users ?password_expires_at': findsNothing('users', 'password_expires_at=lt:2099-01-01T00:00:00Z'),
  ...pages('roles', roles),
  'GET /v3/roles ?name': async (t, cloud) => {
    await byText('roles', roles, 'name')(t, cloud);
    const { a } = await roles(cloud);
    t.strictSame(await idsOf(cloud, 'roles', `name=${a.name.toUpperCase()}`), [a.id], 'case does not matter');
  },
  'GET /v3/roles ?domain_id': findsNothing('roles', 'domain_id=default'),
  ...assignments,
  ...pages('services'),
  'GET /v3/services ?name': byText('services', services, 'name'),
  'GET /v3/services ?type': byText('services', services, 'type'),
  ...pages('endpoints'),
  'GET /v3/endpoints ?service_id': byField('endpoints', endpoints, 'service_id'),
  'GET /v3/endpoints ?interface': byField('endpoints', endpoints, 'interface'),
  'GET /v3/endpoints ?region_id': async (t, cloud) => {
    const { a } = await endpoints(cloud);
    t.ok((await idsOf(cloud, 'endpoints', `region_id=${a.region_id}`)).includes(a.id));
    t.strictSame(await idsOf(cloud, 'endpoints', 'region_id=elsewhere'), []);
  },
  'GET /v3/regions ?parent_region_id': findsNothing('regions', 'parent_region_id=world'),
  'GET /v3/regions ?limit': async (t, cloud) => {
    t.strictSame(await idsOf(cloud, 'regions', 'limit=1'), await idsOf(cloud, 'regions', ''));
    await get(cloud, 'regions?limit=0', 400);
  },
  'GET /v3/regions ?marker': async (t, cloud) => {
    const [region] = await idsOf(cloud, 'regions', '');
    t.strictSame(await idsOf(cloud, 'regions', `marker=${region}`), []);
  },
};
