import t from 'tap';
import { passwordAuth, startGateway, type TestGateway } from '../../../support/gateway.ts';

async function member(gateway: TestGateway, name: string, role = 'member') {
  const project = (
    await gateway.call('POST', '/v3/projects', { body: { project: { name, domain_id: 'default' } } })
  ).json().project;
  const user = (await gateway.call('POST', '/v3/users', { body: { user: { name, password: 'secret' } } })).json().user;
  const [found] = (await gateway.call('GET', `/v3/roles?name=${role}`)).json().roles;
  const grant = `/v3/projects/${project.id}/users/${user.id}/roles/${found.id}`;
  await gateway.call('PUT', grant);
  const bought = await gateway.call('POST', '/v3/auth/tokens', {
    token: null,
    body: passwordAuth(name, 'secret', { project: { id: project.id } }),
  });
  return { project, user, grant, token: String(bought.headers['x-subject-token']) };
}

void t.test(
  'what every test class of tempest does first: project, user, role, token, and away with them',
  async (t) => {
    const gateway = await startGateway();
    t.teardown(() => gateway.stop());
    const [domain] = (await gateway.call('GET', '/identity/v3/domains?name=Default')).json().domains;
    t.equal(domain.id, 'default');
    t.equal((await gateway.call('POST', '/v3/roles', { body: { role: { name: 'Member' } } })).statusCode, 409);
    const { project, user, grant, token } = await member(gateway, 'tempest');
    t.match(project, { name: 'tempest', domain_id: 'default', enabled: true, is_domain: false, parent_id: 'default' });
    t.match(user, { name: 'tempest', domain_id: 'default', enabled: true, password_expires_at: null });
    t.notOk(JSON.stringify(user).includes('argon2'));
    t.equal((await gateway.call('HEAD', grant)).statusCode, 204);
    t.strictSame(
      (await gateway.call('GET', '/v3/auth/projects', { token })).json().projects.map((p: { id: string }) => p.id),
      [project.id],
    );
    for (const path of [`/v3/users/${user.id}`, `/v3/projects/${project.id}`]) {
      const answer = await gateway.call('DELETE', path);
      t.equal(answer.statusCode, 204);
      t.equal(answer.body, '');
      t.equal((await gateway.call('DELETE', path)).statusCode, 404);
    }
    t.equal((await gateway.call('HEAD', grant)).statusCode, 404);
    t.equal((await gateway.call('GET', '/v3/auth/projects', { token })).statusCode, 401);
  },
);

void t.test('members see themselves and their project, and change nothing', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const ann = await member(gateway, 'ann');
  const bob = await member(gateway, 'bob', 'reader');
  const as = (method: string, url: string, body?: unknown) => gateway.call(method, url, { token: ann.token, body });
  t.equal((await as('GET', `/v3/users/${ann.user.id}`)).statusCode, 200);
  t.equal((await as('GET', `/v3/projects/${ann.project.id}`)).statusCode, 200);
  t.equal((await as('GET', '/v3/auth/catalog')).json().catalog.length, 7);
  for (const [method, url, body] of [
    ['GET', '/v3/users'],
    ['GET', '/v3/projects'],
    ['GET', `/v3/users/${bob.user.id}`],
    ['GET', `/v3/projects/${bob.project.id}`],
    ['GET', '/v3/roles'],
    ['GET', '/v3/role_assignments'],
    ['POST', '/v3/projects', { project: { name: 'x' } }],
    ['PATCH', `/v3/users/${ann.user.id}`, { user: { name: 'x' } }],
    ['PUT', ann.grant],
    ['DELETE', `/v3/users/${bob.user.id}`],
  ] as const) {
    const answer = await as(method, url, body);
    t.equal(answer.statusCode, 403, `${method} ${url}`);
    t.equal(answer.json().error.title, 'Forbidden');
  }
  const wrong = { user: { original_password: 'wrong', password: 'new' } };
  t.equal((await as('POST', `/v3/users/${ann.user.id}/password`, wrong)).statusCode, 401);
  const right = { user: { original_password: 'secret', password: 'new' } };
  t.equal((await as('POST', `/v3/users/${ann.user.id}/password`, right)).statusCode, 204);
});

void t.test('api 9: the original password alone changes a password, whatever token comes with it', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const ann = await member(gateway, 'ann');
  const bob = await member(gateway, 'bob');
  const change = async (token: string | null, original: string, wanted: string, id: string = ann.user.id) => {
    const body = { user: { original_password: original, password: wanted } };
    return (await gateway.call('POST', `/v3/users/${id}/password`, { token, body })).statusCode;
  };
  const login = async (password: string) =>
    (
      await gateway.call('POST', '/v3/auth/tokens', {
        token: null,
        body: passwordAuth('ann', password, { project: { id: ann.project.id } }),
      })
    ).statusCode;
  t.equal(await change(null, 'secret', 'second'), 204, 'no token');
  t.equal(await change(bob.token, 'second', 'third'), 204, 'another user’s token');
  t.equal(await change('no token at all', 'third', 'fourth'), 204, 'what is no token');
  t.equal(await login('fourth'), 201);
  for (const old of ['secret', 'second', 'third']) t.equal(await login(old), 401, old);
  for (const token of [null, bob.token, gateway.token]) {
    t.equal(await change(token, 'wrong', 'fifth'), 401, 'not even an administrator without the original password');
    t.equal(await change(token, 'wrong', 'fifth', 'f'.repeat(32)), 401, 'and a user that is not is answered alike');
  }
  t.equal(await login('fourth'), 201, 'nothing has changed');
});

void t.test('names are taken once, filters filter, and changes are kept', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const create = (name: string) => gateway.call('POST', '/v3/projects', { body: { project: { name } } });
  const { id } = (await create('red')).json().project;
  t.equal((await create('red')).statusCode, 409);
  t.equal((await create('')).statusCode, 400);
  t.equal((await create('x'.repeat(65))).statusCode, 400);
  await create('blue');
  const names = async (query: string) =>
    (await gateway.call('GET', `/v3/projects?${query}`))
      .json()
      .projects.map((p: { name: string }) => p.name)
      .sort();
  t.strictSame(await names(''), ['admin', 'blue', 'red']);
  t.strictSame(await names('name=red'), ['red']);
  t.strictSame(await names('domain_id=none'), []);
  const changed = await gateway.call('PATCH', `/v3/projects/${id}`, {
    body: { project: { name: 'green', enabled: false, description: 'd' } },
  });
  // Kept and shown, as in Keystone.
  const extra = await gateway.call('PATCH', `/v3/projects/${id}`, { body: { project: { extra: 1 } } });
  t.match(extra.json().project, { extra: 1, name: 'green' });
  t.match(changed.json().project, { name: 'green', enabled: false, description: 'd' });
  t.strictSame(await names('enabled=false'), ['green']);
  t.strictSame(await names('enabled'), ['admin', 'blue']);
  t.equal((await gateway.call('PATCH', `/v3/projects/${id}`, { body: { project: { name: 'blue' } } })).statusCode, 409);
  t.equal((await gateway.call('PATCH', '/v3/projects/none', { body: { project: { name: 'x' } } })).statusCode, 404);
  t.equal(
    (await gateway.call('POST', '/v3/projects', { body: { project: { name: 'x', domain_id: 'no' } } })).statusCode,
    404,
  );

  t.equal((await gateway.call('PUT', `/v3/projects/${id}/tags/a`)).statusCode, 201);
  t.strictSame((await gateway.call('PUT', `/v3/projects/${id}/tags`, { body: { tags: ['b', 'c'] } })).json().tags, [
    'b',
    'c',
  ]);
  t.strictSame(await names('tags=b,c'), ['green']);
  t.equal((await gateway.call('HEAD', `/v3/projects/${id}/tags/b`)).statusCode, 204);
  t.equal((await gateway.call('DELETE', `/v3/projects/${id}/tags/a`)).statusCode, 404);
});

void t.test('a domain goes with all that is in it, once it is disabled', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const domain = (await gateway.call('POST', '/v3/domains', { body: { domain: { name: 'away' } } })).json().domain;
  const inside = { domain_id: domain.id };
  const user = (await gateway.call('POST', '/v3/users', { body: { user: { name: 'u', ...inside } } })).json().user;
  const project = (await gateway.call('POST', '/v3/projects', { body: { project: { name: 'p', ...inside } } })).json()
    .project;
  const [role] = (await gateway.call('GET', '/v3/roles?name=member')).json().roles;
  for (const scope of [`projects/${project.id}`, `domains/${domain.id}`]) {
    t.equal((await gateway.call('PUT', `/v3/${scope}/users/${user.id}/roles/${role.id}`)).statusCode, 204);
  }
  t.equal((await gateway.call('DELETE', `/v3/domains/${domain.id}`)).statusCode, 403);
  await gateway.call('PATCH', `/v3/domains/${domain.id}`, { body: { domain: { enabled: false } } });
  t.equal((await gateway.call('DELETE', `/v3/domains/${domain.id}`)).statusCode, 204);
  t.equal((await gateway.call('GET', `/v3/users/${user.id}`)).statusCode, 404);
  t.strictSame((await gateway.call('GET', `/v3/role_assignments?user.id=${user.id}`)).json().role_assignments, []);
  t.equal(
    (await gateway.call('PATCH', '/v3/domains/default', { body: { domain: { enabled: false } } })).statusCode,
    403,
  );
});

void t.test('role assignments are listed by ids, by names, and with what roles bring along', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { user, project } = await member(gateway, 'ann');
  const list = async (query: string) =>
    (await gateway.call('GET', `/v3/role_assignments?user.id=${user.id}&${query}`)).json().role_assignments;
  t.match(await list(''), [{ user: { id: user.id }, scope: { project: { id: project.id } } }]);
  t.match(await list('include_names=true'), [
    {
      user: { name: 'ann', domain: { name: 'Default' } },
      role: { name: 'member' },
      scope: { project: { name: 'ann' } },
    },
  ]);
  const effective = await list('effective&include_names');
  t.strictSame(effective.map((a: { role: { name: string } }) => a.role.name).sort(), ['member', 'reader']);
  t.strictSame(await list('scope.domain.id=default'), []);
});

void t.test('services, endpoints and regions follow from the catalog and cannot be edited', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const { services } = (await gateway.call('GET', '/v3/services')).json();
  const { endpoints } = (await gateway.call('GET', '/v3/endpoints?interface=public')).json();
  t.equal(endpoints.length, services.length);
  for (const endpoint of endpoints) t.ok(services.some((s: { id: string }) => s.id === endpoint.service_id));
  t.equal((await gateway.call('GET', `/v3/endpoints/${endpoints[0].id}`)).json().endpoint.url, endpoints[0].url);
  t.equal((await gateway.call('GET', '/v3/regions/RegionOne')).statusCode, 200);
  t.equal((await gateway.call('POST', '/v3/services', { body: {} })).statusCode, 405);
});

void t.test('a tag and a grant are looked for by GET and by HEAD, as in Keystone', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const body = { project: { name: 'tagged', tags: ['here'] } };
  const { id } = (await gateway.call('POST', '/v3/projects', { body })).json().project;
  const [role] = (await gateway.call('GET', '/v3/roles?name=reader')).json().roles;
  const grants = [`projects/${id}`, 'domains/default', 'system'].map(
    (scope) => `${scope}/users/${gateway.adminUserId}/roles/${role.id}`,
  );
  for (const grant of grants) {
    for (const method of ['GET', 'HEAD']) t.equal((await gateway.call(method, `/v3/${grant}`)).statusCode, 404, grant);
    t.equal((await gateway.call('PUT', `/v3/${grant}`)).statusCode, 204);
  }
  for (const method of ['GET', 'HEAD']) {
    for (const path of [`projects/${id}/tags/here`, ...grants]) {
      const answer = await gateway.call(method, `/v3/${path}`);
      t.equal(answer.statusCode, 204, `${method} ${path}`);
      t.equal(answer.body, '');
    }
    t.equal((await gateway.call(method, `/v3/projects/${id}/tags/gone`)).statusCode, 404);
  }
});
