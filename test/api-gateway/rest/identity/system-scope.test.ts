import t from 'tap';
import { passwordAuth, startGateway, type TestGateway } from '../../../support/gateway.ts';

const system = { system: { all: true } };

async function newUser(gateway: TestGateway, name: string) {
  const user = (await gateway.call('POST', '/v3/users', { body: { user: { name, password: 'secret' } } })).json().user;
  const login = async (scope: object) => {
    const answer = await gateway.call('POST', '/v3/auth/tokens', {
      token: null,
      body: passwordAuth(name, 'secret', scope),
    });
    return { answer, token: String(answer.headers['x-subject-token']) };
  };
  return { id: String(user.id), login };
}

async function roleId(gateway: TestGateway, name: string): Promise<string> {
  return (await gateway.call('GET', `/v3/roles?name=${name}`)).json().roles[0].id;
}

void t.test('a role on the system is given, shown, listed and taken away', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const ann = await newUser(gateway, 'ann');
  const member = await roleId(gateway, 'member');
  const grant = `/v3/system/users/${ann.id}/roles/${member}`;
  const roles = `/v3/system/users/${ann.id}/roles`;
  t.equal((await gateway.call('HEAD', grant)).statusCode, 404);
  t.equal((await gateway.call('DELETE', grant)).statusCode, 404);
  t.equal((await gateway.call('PUT', `/v3/system/users/none/roles/${member}`)).statusCode, 404);
  t.equal((await gateway.call('PUT', `${roles}/none`)).statusCode, 404);
  for (let time = 0; time < 2; time += 1) t.equal((await gateway.call('PUT', grant)).statusCode, 204);
  for (const method of ['HEAD', 'GET']) t.equal((await gateway.call(method, grant)).statusCode, 204);
  t.strictSame(
    (await gateway.call('GET', roles)).json().roles.map((role: { id: string }) => role.id),
    [member],
  );

  const list = async (query: string) =>
    (await gateway.call('GET', `/v3/role_assignments?user.id=${ann.id}&${query}`)).json().role_assignments;
  t.match(await list('scope.system=all'), [{ user: { id: ann.id }, role: { id: member }, scope: system }]);
  t.equal((await list('scope.system=true&effective')).length, 2, 'member brings reader along');
  t.match(await list('include_names=true'), [{ user: { name: 'ann' }, role: { name: 'member' }, scope: system }]);
  t.strictSame(await list('scope.domain.id=default'), []);
  t.match((await list('scope.system=all'))[0].links.assignment, /\/v3\/system\/users\//);
  t.equal((await gateway.call('DELETE', grant)).statusCode, 204);
  t.strictSame(await list(''), []);
  for (const path of ['/v3/system/groups/x/roles', `/v3/system/groups/x/roles/${member}`])
    t.equal((await gateway.call('GET', path)).statusCode, 501, path);
});

void t.test('a token for the system is had by those with a role on it, and ends with the role', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const ann = await newUser(gateway, 'ann');
  t.equal((await ann.login(system)).answer.statusCode, 401, 'nobody has it who was given no role');
  for (const scope of [{ system: {} }, { system: { all: false } }])
    t.equal((await ann.login(scope)).answer.statusCode, 400);
  const unscoped = (await ann.login({ unscoped: {} })).token;
  t.strictSame((await gateway.call('GET', '/v3/auth/system', { token: unscoped })).json().system, []);

  const grant = `/v3/system/users/${ann.id}/roles/${await roleId(gateway, 'reader')}`;
  await gateway.call('PUT', grant);
  t.strictSame((await gateway.call('GET', '/v3/auth/system', { token: unscoped })).json().system, [{ all: true }]);
  const { answer, token } = await ann.login(system);
  t.equal(answer.statusCode, 201);
  t.match(answer.json().token, { system: { all: true }, roles: [{ name: 'reader' }] });
  t.equal(answer.json().token.project, undefined);
  const shown = await gateway.call('GET', '/v3/auth/tokens', { token, headers: { 'x-subject-token': token } });
  t.match(shown.json().token, { system: { all: true } });

  const as = (method: string, url: string, body?: unknown) => gateway.call(method, url, { token, body });
  for (const path of ['users', 'projects', 'domains', 'roles', 'role_assignments'])
    t.equal((await as('GET', `/v3/${path}`)).statusCode, 200, `a reader of the system lists ${path}`);
  t.equal((await as('POST', '/v3/projects', { project: { name: 'x' } })).statusCode, 403);
  t.equal((await as('PUT', grant)).statusCode, 403);
  // The role on the system is none on a project or domain.
  t.equal((await ann.login({ domain: { id: 'default' } })).answer.statusCode, 401);
  t.equal((await ann.login({ project: { id: gateway.adminProjectId } })).answer.statusCode, 401);

  await gateway.call('DELETE', grant);
  t.equal((await as('GET', '/v3/users')).statusCode, 401);
});

void t.test('an administrator of the system administers identity and hosts, and owns nothing', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const login = await gateway.call('POST', '/v3/auth/tokens', {
    token: null,
    body: passwordAuth('admin', 'correct horse battery staple', system),
  });
  t.equal(login.statusCode, 201, 'the first administrator has the role on the system, as after Keystone bootstrap');
  const token = String(login.headers['x-subject-token']);
  const as = (method: string, url: string, body?: unknown) => gateway.call(method, url, { token, body });
  t.equal((await as('POST', '/v3/projects', { project: { name: 'x' } })).statusCode, 201);
  t.equal((await as('POST', '/image/v2/images', { name: 'x' })).statusCode, 403, 'no project, so nothing to own it');
  // A token exchanged for another keeps to what the user has.
  const exchanged = await gateway.call('POST', '/v3/auth/tokens', {
    token: null,
    body: { auth: { identity: { methods: ['token'], token: { id: token } }, scope: system } },
  });
  t.match(exchanged.json().token, { system: { all: true }, methods: ['token'] });
});
