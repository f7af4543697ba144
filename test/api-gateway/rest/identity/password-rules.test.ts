import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { userTable } from '../../../../node/state/tables/index.ts';
import { passwordAuth, startGateway, type TestGateway, type TestGatewayOptions } from '../../../support/gateway.ts';

async function withUser(options: TestGatewayOptions) {
  const gateway = await startGateway(options);
  const { user } = (
    await gateway.call('POST', '/v3/users', { body: { user: { name: 'ann', password: 'p1' } } })
  ).json();
  const login = async (password: string) =>
    (
      await gateway.call('POST', '/v3/auth/tokens', {
        token: null,
        body: passwordAuth('ann', password, { unscoped: {} }),
      })
    ).statusCode;
  const change = async (original: string, password: string) =>
    (
      await gateway.call('POST', `/v3/users/${user.id}/password`, {
        token: null,
        body: { user: { original_password: original, password } },
      })
    ).statusCode;
  return { gateway, id: String(user.id), login, change };
}

const hashes = (gateway: TestGateway, id: string) =>
  userTable.must(gateway.state.local, id).record.formerPasswordHashes.length;

void t.test('with a history the last passwords do not come back', async (t) => {
  const passwordRules = { uniqueLastPasswordCount: 3, lockoutFailureAttempts: 0, lockoutMs: 60_000 };
  const { gateway, id, change } = await withUser({ passwordRules });
  t.teardown(() => gateway.stop());
  t.equal(await change('p1', 'p1'), 400, 'nor stays the one in use');
  t.equal(await change('p1', 'p2'), 204);
  t.equal(await change('p2', 'p1'), 400);
  t.equal(await change('wrong', 'p1'), 401, 'who does not know the password is told nothing of the history');
  t.equal(await change('p2', 'p3'), 204);
  t.equal(await change('p3', 'p1'), 204, 'three are different by now');
  t.equal(hashes(gateway, id), 2);
  const byAdmin = await gateway.call('PATCH', `/v3/users/${id}`, { body: { user: { password: 'p1' } } });
  t.equal(byAdmin.statusCode, 200, 'an administrator is not bound');
  t.notOk(byAdmin.body.includes('argon2'));
});

void t.test('without the setting nothing is kept, and nobody is locked out', async (t) => {
  const { gateway, id, login, change } = await withUser({});
  t.teardown(() => gateway.stop());
  t.equal(await change('p1', 'p2'), 204);
  t.equal(await change('p2', 'p1'), 204);
  t.equal(hashes(gateway, id), 0);
  const before = gateway.state.local.revision;
  for (let time = 0; time < 5; time += 1) t.equal(await login('wrong'), 401);
  t.equal(gateway.state.local.revision, before, 'a guesser causes no commits');
  t.equal(await login('p1'), 201);
});

void t.test('with a lock-out, wrong passwords in a row lock a user out for a time, at every door', async (t) => {
  const time = { ms: Date.now() };
  const clock = { ...systemClock, nowMs: () => time.ms };
  const passwordRules = { uniqueLastPasswordCount: 0, lockoutFailureAttempts: 3, lockoutMs: 60_000 };
  const { gateway, id, login, change } = await withUser({ passwordRules, clock });
  t.teardown(() => gateway.stop());
  const fail = async (times: number) => {
    for (let i = 0; i < times; i += 1) t.equal(i % 2 === 0 ? await login('wrong') : await change('wrong', 'x'), 401);
  };
  await fail(2);
  t.equal(await login('p1'), 201, 'two are too few');
  await fail(2);
  t.equal(await login('p1'), 201, 'and the count started again');
  await fail(3);
  t.equal(await login('p1'), 401, 'locked out');
  t.equal(await change('p1', 'p2'), 401, 'here as well');
  time.ms += 61_000;
  t.equal(await login('p1'), 201, 'for a time');
  await fail(3);
  t.equal(await login('p1'), 401);
  t.equal((await gateway.call('PATCH', `/v3/users/${id}`, { body: { user: { enabled: true } } })).statusCode, 200);
  t.equal(await login('p1'), 201, 'an administrator lets them in');
  t.equal((await gateway.call('GET', '/v3/users')).statusCode, 200, 'nobody else is concerned');
});

void t.test('method token with a token that is revoked or unknown is 404, the header X-Auth-Token 401', async (t) => {
  const { gateway } = await withUser({});
  t.teardown(() => gateway.stop());
  const body = passwordAuth('ann', 'p1', { unscoped: {} });
  const token = String(
    (await gateway.call('POST', '/v3/auth/tokens', { token: null, body })).headers['x-subject-token'],
  );
  const exchange = async (id: string) =>
    gateway.call('POST', '/v3/auth/tokens', {
      token: null,
      body: { auth: { identity: { methods: ['token'], token: { id } } } },
    });
  t.equal((await exchange(token)).statusCode, 201);
  await gateway.call('DELETE', '/v3/auth/tokens', { token, headers: { 'x-subject-token': token } });
  for (const bad of [token, 'unknown', `${token}x`]) {
    const answer = await exchange(bad);
    t.equal(answer.statusCode, 404);
    t.match(answer.json().error, { code: 404, title: 'Not Found' });
    t.equal((await gateway.call('GET', '/v3/auth/projects', { token: bad })).statusCode, 401);
  }
});
