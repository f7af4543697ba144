import t from 'tap';
import { adminPassword, passwordAuth, startGateway } from '../../../support/gateway.ts';

void t.test('the version documents need no token', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const root of ['/', '/identity', '/identity/']) {
    const answer = await gateway.call('GET', root, { token: null });
    t.equal(answer.statusCode, 300, root);
    t.equal(answer.json().versions.values[0].links[0].href, 'http://cloud.test:8774/identity/v3/');
  }
  for (const root of ['/v3', '/v3/', '/identity/v3']) {
    const answer = await gateway.call('GET', root, { token: null });
    t.equal(answer.statusCode, 200, root);
    t.equal(answer.json().version.id, 'v3.14');
  }
});

void t.test('a password buys a token whose body has all that clients read', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  for (const prefix of ['/identity', '']) {
    const answer = await gateway.call('POST', `${prefix}/v3/auth/tokens`, {
      token: null,
      body: passwordAuth('admin', adminPassword),
    });
    t.equal(answer.statusCode, 201);
    const { token } = answer.json();
    t.match(token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    t.match(token, {
      methods: ['password'],
      user: { name: 'admin', domain: { id: 'default', name: 'Default' } },
      project: { id: gateway.adminProjectId, name: 'admin', domain: { id: 'default' } },
    });
    t.ok(token.roles.some((role: { name: string }) => role.name === 'admin'));
    const network = token.catalog.find((entry: { type: string }) => entry.type === 'network');
    t.match(network.endpoints[0], {
      interface: 'public',
      region: 'RegionOne',
      region_id: 'RegionOne',
      url: 'http://cloud.test:8774/networking',
    });
    const bought = String(answer.headers['x-subject-token']);
    t.equal((await gateway.call('GET', '/identity/v3/users', { token: bought })).statusCode, 200);
  }
});

void t.test('scopes: none, default, domain, and those that are refused', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const ask = async (scope: unknown) => {
    const body = passwordAuth('admin', adminPassword, scope as object);
    return gateway.call('POST', '/v3/auth/tokens', { token: null, body });
  };
  const unscoped = (await ask({ unscoped: {} })).json().token;
  t.notOk('project' in unscoped || 'catalog' in unscoped || 'roles' in unscoped);
  t.match((await ask({ domain: { name: 'Default' } })).json().token.domain, { id: 'default' });
  t.match((await ask({ system: { all: true } })).json().token, { system: { all: true } });
  t.equal((await ask({ system: { all: false } })).statusCode, 400);
  t.equal((await ask({ project: { id: 'none' } })).statusCode, 401);
  t.equal((await ask({})).statusCode, 400);
  t.equal((await ask('everything')).statusCode, 400);
});

void t.test('malformed requests are 400 and name the place', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const bodies: [unknown, RegExp][] = [
    ['{', /not valid JSON/],
    ['', /must be object/],
    [{}, /missing auth/],
    [{ auth: { identity: { methods: [] } } }, /auth\.identity\.methods/],
    [{ auth: { identity: { methods: ['password'] } } }, /missing password/],
    [{ auth: { identity: { methods: ['password'], password: { user: { name: 'admin', password: 'x' } } } } }, /domain/],
    [{ auth: { identity: { methods: ['token'] } } }, /missing token/],
  ];
  for (const [body, message] of bodies) {
    const answer = await gateway.call('POST', '/v3/auth/tokens', { token: null, body });
    t.equal(answer.statusCode, 400, JSON.stringify(body));
    t.match(answer.json().error, { code: 400, message, title: 'Bad Request' });
  }
  const unknown = { auth: { identity: { methods: ['telepathy'] } } };
  t.equal((await gateway.call('POST', '/v3/auth/tokens', { token: null, body: unknown })).statusCode, 401);
});

void t.test('tokens are shown, checked and revoked', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const bought = await gateway.call('POST', '/v3/auth/tokens', {
    token: null,
    body: passwordAuth('admin', adminPassword),
  });
  const subject = { 'x-subject-token': String(bought.headers['x-subject-token']) };
  t.match((await gateway.call('GET', '/v3/auth/tokens', { headers: subject })).json().token.user, { name: 'admin' });
  t.notOk('catalog' in (await gateway.call('GET', '/v3/auth/tokens?nocatalog', { headers: subject })).json().token);
  const head = await gateway.call('HEAD', '/v3/auth/tokens', { headers: subject });
  t.equal(head.statusCode, 200);
  t.equal(head.body, '');
  const deleted = await gateway.call('DELETE', '/v3/auth/tokens', { headers: subject });
  t.equal(deleted.statusCode, 204);
  t.equal(deleted.body, '');
  t.equal((await gateway.call('GET', '/v3/auth/tokens', { headers: subject })).statusCode, 404);
  t.equal((await gateway.call('GET', '/v3/users', { token: subject['x-subject-token'] })).statusCode, 401);
  t.equal((await gateway.call('GET', '/v3/auth/tokens')).statusCode, 400);
});

void t.test('log-in works while there is no quorum', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  gateway.state.available = false;
  const answer = await gateway.call('POST', '/v3/auth/tokens', {
    token: null,
    body: passwordAuth('admin', adminPassword),
  });
  t.equal(answer.statusCode, 201);
  t.ok(answer.headers['x-shoal-stale']);
});
