import t from 'tap';
import { identityPolicies } from '../../../../api-gateway/policies/identity.ts';
import { startGateway, type TestGateway } from '../../../support/gateway.ts';

/** Every list of the identity API: each GET that a policy guards and that answers with an array, as a path to call. */
async function lists(gateway: TestGateway): Promise<ReadonlyMap<string, string>> {
  const [role] = (await gateway.call('GET', '/v3/roles?name=member')).json().roles;
  const ids: Readonly<Record<string, string>> = {
    users: gateway.adminUserId,
    projects: gateway.adminProjectId,
    domains: 'default',
    roles: role.id,
  };
  const found = new Map<string, string>();
  for (const operation of identityPolicies.flatMap((rule) => rule.operations)) {
    const [method, route = ''] = operation.split(' ');
    if (method !== 'GET') continue;
    const path = route.replaceAll(/([a-z]+)\/:\w+/g, (_, kind: string) => `${kind}/${ids[kind] ?? 'none'}`);
    const answer = await gateway.call('GET', path);
    if (answer.statusCode !== 200) continue;
    const [key] = Object.entries(answer.json()).find(([, value]) => Array.isArray(value)) ?? [];
    if (key !== undefined && key !== 'tags') found.set(path, key);
  }
  return found;
}

const refused = [
  'made_up=1',
  'name__like=a',
  'sort_key=name',
  'fields=id',
  'limit=0',
  'limit=x',
  'limit=-1',
  '__proto__=1',
];

void t.test('every list of the identity API refuses a filter that it does not have, and honours limit', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const found = await lists(gateway);
  const kinds = new Set(found.values());
  for (const kind of ['projects', 'users', 'roles', 'domains', 'role_assignments', 'services', 'endpoints', 'regions'])
    t.ok(kinds.has(kind), `${kind} are listed`);
  for (const [path, key] of found) {
    for (const query of [...refused, 'limit=1&limit=2']) {
      const answer = await gateway.call('GET', `${path}?${query}`);
      t.equal(answer.statusCode, 400, `${path}?${query}`);
      t.match(answer.json().error, { code: 400, title: 'Bad Request' });
    }
    const all = (await gateway.call('GET', path)).json()[key];
    let url = `${path}?limit=1`;
    const paged: unknown[] = [];
    for (let page = 0; page <= all.length && url !== ''; page += 1) {
      const answer = (await gateway.call('GET', url)).json();
      t.ok(answer[key].length <= 1, url);
      paged.push(...answer[key]);
      t.equal(answer.truncated === true, answer.links.next !== null);
      url = answer.links.next === null ? '' : new URL(answer.links.next).pathname + new URL(answer.links.next).search;
    }
    t.strictSame(paged, all, `${path} comes page by page`);
  }
});

void t.test('projects by name and by tags, as Keystone compares them', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const [name, tags] of [
    ['Red one', ['a']],
    ['red two', ['a', 'b']],
    ['blue', ['c']],
  ] as const)
    await gateway.call('POST', '/v3/projects', { body: { project: { name, tags } } });
  const cases: readonly (readonly [query: string, names: readonly string[]])[] = [
    ['name=red', []],
    ['name=blue', ['blue']],
    ['name__contains=ed', ['Red one', 'red two']],
    ['name__contains=nothing', []],
    ['name__startswith=red', ['red two']],
    ['name__istartswith=RED', ['Red one', 'red two']],
    ['name__endswith=ONE', []],
    ['name__iendswith=ONE', ['Red one']],
    ['name__icontains=RED', ['Red one', 'red two']],
    ['name__iexact=BLUE', ['blue']],
    ['name__equals=Blue', []],
    ['tags=a', ['Red one', 'red two']],
    ['tags=a,b', ['red two']],
    ['tags-any=b,c', ['blue', 'red two']],
    ['tags-any=d', []],
    ['not-tags=a,b', ['Red one', 'admin', 'blue']],
    ['not-tags-any=a,c', ['admin']],
    ['tags-any=a&not-tags=b', ['Red one']],
    ['tags=a&name__contains=two', ['red two']],
    ['parent_id=none', []],
    ['domain_id=default&parent_id=none', []],
    ['is_domain=true', []],
    ['is_domain=false&name=blue', ['blue']],
    ['enabled=0', []],
  ];
  for (const [query, names] of cases) {
    const answer = await gateway.call('GET', `/v3/projects?${query}`);
    t.equal(answer.statusCode, 200, query);
    const found = answer.json().projects.map((project: { name: string }) => project.name);
    t.strictSame(found.sort(), names, query);
  }
  for (const query of ['tags=', 'tags-any=a,', 'not-tags=', 'enabled=maybe', 'tags=a&tags=b', 'name=a&name=blue'])
    t.equal((await gateway.call('GET', `/v3/projects?${query}`)).statusCode, 400, query);
});

void t.test('users, roles, domains, services and assignments by what Keystone filters them by', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  await gateway.call('POST', '/v3/users', { body: { user: { name: 'ann', enabled: false } } });
  const cases: readonly (readonly [path: string, key: string, query: string, found: number])[] = [
    ['users', 'users', 'name__contains=nn', 1],
    ['users', 'users', 'name__contains=zz', 0],
    ['users', 'users', 'enabled=false', 1],
    ['users', 'users', 'domain_id=none', 0],
    ['users', 'users', 'password_expires_at=lt:2099-01-01T00:00:00Z', 0],
    ['roles', 'roles', 'name=ADMIN', 1],
    ['roles', 'roles', 'name__startswith=zz', 0],
    ['roles', 'roles', 'domain_id=default', 0],
    ['domains', 'domains', 'name__startswith=Def', 1],
    ['domains', 'domains', 'enabled=false', 0],
    ['services', 'services', 'type=identity', 1],
    ['services', 'services', 'name__contains=zz', 0],
    ['endpoints', 'endpoints', 'service_id=none', 0],
    ['regions', 'regions', 'parent_region_id=none', 0],
    ['role_assignments', 'role_assignments', `user.id=${gateway.adminUserId}&scope.domain.id=none`, 0],
    ['role_assignments', 'role_assignments', 'group.id=none', 0],
    ['role_assignments', 'role_assignments', 'scope.OS-INHERIT:inherited_to=projects', 0],
    [`users/${gateway.adminUserId}/projects`, 'projects', 'name__contains=zz', 0],
    [`users/${gateway.adminUserId}/projects`, 'projects', 'name=admin', 1],
    ['auth/projects', 'projects', 'name=none', 0],
  ];
  for (const [path, key, query, found] of cases) {
    const answer = await gateway.call('GET', `/v3/${path}?${query}`);
    t.equal(answer.statusCode, 200, `${path}?${query}`);
    t.equal(answer.json()[key]?.length, found, `${path}?${query}`);
  }
  for (const query of ['password_expires_at=soon', 'idp_id=a', 'email=a', 'enabled=2'])
    t.equal((await gateway.call('GET', `/v3/users?${query}`)).statusCode, 400, query);
  for (const query of ['effective=2', 'include_names=x', 'user=x'])
    t.equal((await gateway.call('GET', `/v3/role_assignments?${query}`)).statusCode, 400, query);
});

void t.test('role assignments by their scope', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const count = async (query: string): Promise<number> =>
    (await gateway.call('GET', `/v3/role_assignments?${query}`)).json().role_assignments.length;
  const all = await count('');
  const ofProject = await count(`scope.project.id=${gateway.adminProjectId}`);
  t.ok(ofProject > 0 && ofProject <= all);
  t.equal(await count('scope.project.id=none'), 0);
  t.ok((await count('scope.system=all')) < all, 'those on the system alone');
  t.equal(await count(`scope.project.id=${gateway.adminProjectId}&include_subtree=true`), ofProject);
});

void t.test('pages go on after their marker; the project that a user prefers is kept', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const user = { name: 'b', default_project_id: gateway.adminProjectId };
  const made = (await gateway.call('POST', '/v3/users', { body: { user } })).json().user;
  t.equal(made.default_project_id, gateway.adminProjectId);
  const ids = async (query: string): Promise<readonly string[]> =>
    (await gateway.call('GET', `/v3/users?${query}`)).json().users.map((found: { readonly id: string }) => found.id);
  const [first = '', ...rest] = await ids('');
  t.ok(rest.length > 0);
  t.same(await ids('limit=1'), [first]);
  t.same(await ids(`marker=${first}`), rest);
});
