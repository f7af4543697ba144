import { randomUUID } from 'node:crypto';
import t from 'tap';
import { permissionsByDefault } from '../../../api-gateway/policies/permissions.ts';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { bootstrap } from '../../../node/services/cluster/bootstrap.ts';
import { defaultDomainId, IdentityDirectory } from '../../../node/services/identity/directory.ts';
import { type AuthenticationRequest, IdentityService } from '../../../node/services/identity/identity.ts';
import { roleByName } from '../../../node/services/identity/roles.ts';
import { fixedTokenKeys } from '../../../node/services/identity/token-keys.ts';
import type { RequestContext } from '../../../node/services/kit/context.ts';
import { MemoryStateClient } from '../../../node/state/client/memory-state-client.ts';
import { flavorTable, roleTable, userTable } from '../../../node/state/tables/index.ts';

const signal = new AbortController().signal;
const context: RequestContext = {
  requestId: 'req-1',
  userId: 'u',
  userName: 'u',
  userDomainId: 'default',
  projectId: '',
  permissions: permissionsByDefault({ roles: ['admin'], userId: 'u', projectId: '' }),
  signal,
};

async function world() {
  const state = new MemoryStateClient();
  const time = { ms: 1_700_000_000_000 };
  const clock = { ...systemClock, nowMs: () => time.ms };
  const deps = { state, clock, logger: silentLogger, newId: randomUUID };
  const admin = await bootstrap(deps, { adminPassword: 'secret', signal });
  const identity = new IdentityService(deps, { tokenKeys: fixedTokenKeys(new Uint8Array(32).fill(1)) });
  const directory = new IdentityDirectory(deps, identity.logIn);
  const login = (password = 'secret', scope?: AuthenticationRequest['scope']) =>
    identity.issue(
      state.local,
      { password: { user: { id: admin.adminUserId }, password }, ...(scope === undefined ? {} : { scope }) },
      signal,
    );
  return { state, time, deps, identity, directory, admin, login };
}

void t.test('a new mesh has what it takes to log in and boot a guest, and is set up once', async (t) => {
  const { state, deps, admin, login } = await world();
  t.strictSame(
    roleTable
      .list(state.local)
      .map((row) => row.record.name)
      .sort(),
    ['ResellerAdmin', 'admin', 'manager', 'member', 'reader', 'service'],
  );
  t.equal(flavorTable.list(state.local).length, 5);
  const { revision } = state.local;
  t.strictSame(await bootstrap(deps, { adminPassword: 'another', signal }), admin);
  t.equal(state.local.revision, revision);
  t.ok((await login()).token);
});

void t.test('a token says who, for what project and in which roles, and nothing of it can be changed', async (t) => {
  const { identity, admin, login } = await world();
  const { token, principal } = await login();
  t.equal(principal.projectId, admin.adminProjectId, 'the default project, since nothing else was asked for');
  t.strictSame(
    [...principal.roles].sort(),
    ['admin', 'manager', 'member', 'reader'],
    'admin brings the others with it',
  );
  t.strictSame(await identity.authenticate(token, signal), principal);
  const [head, payload, signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
  const forged = Buffer.from(JSON.stringify({ ...claims, rn: ['admin'] })).toString('base64url');
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  for (const bad of [`${head}.${forged}.${signature}`, `${none}.${payload}.`, `${head}.${payload}`, '', 'a.b.c.d']) {
    await t.rejects(identity.authenticate(bad, signal), { code: 'UNAUTHENTICATED' });
  }
  const other = new IdentityService((await world()).deps, { tokenKeys: fixedTokenKeys(new Uint8Array(32).fill(2)) });
  await t.rejects(other.authenticate(token, signal), { code: 'UNAUTHENTICATED' }, 'another mesh');
  t.throws(() => new IdentityService({} as never, { tokenKeys: fixedTokenKeys(new Uint8Array(31)) }), {
    code: 'CONFIG_INVALID',
  });
});

void t.test('whatever is wrong with a log-in, the answer is the same', async (t) => {
  const { state, identity, directory, admin } = await world();
  const disabled = await directory.createUser(context, {
    name: 'sleeper',
    domainId: defaultDomainId,
    defaultProjectId: '',
    email: '',
    description: '',
    enabled: false,
    password: 'secret',
  });
  const user = (name: string, password: string) => ({
    password: { user: { name, domain: { id: 'default' } }, password },
  });
  const attempts: AuthenticationRequest[] = [
    user('admin', 'wrong'),
    user('nobody', 'secret'),
    user('admin', ''),
    user('admin', 'x'.repeat(4000)),
    { password: { user: { id: disabled.id }, password: 'secret' } },
    { password: { user: { name: 'admin', domain: { name: 'Nowhere' } }, password: 'secret' } },
    { password: { user: { name: 'admin' }, password: 'secret' } },
    { ...user('admin', 'secret'), scope: { kind: 'project', project: { id: 'none' } } },
    { ...user('admin', 'secret'), scope: { kind: 'domain', domain: { id: 'none' } } },
    {},
  ];
  for (const attempt of attempts) {
    const error = await identity.issue(state.local, attempt, signal).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    t.ok(ShoalError.is(error, 'UNAUTHENTICATED'), JSON.stringify(attempt).slice(0, 100));
    t.equal(error instanceof Error && error.message, 'The request you have made requires authentication.');
  }
  t.ok(admin);
  await t.rejects(identity.issue(state.local, { token: 'nonsense' }, signal), { code: 'NOT_FOUND' });
});

void t.test('a log-in as nobody takes as long as one with a wrong password', async (t) => {
  const { identity } = await world();
  const stored = await identity.logIn.passwords.hash('secret');
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  const time = async (hash: string | undefined): Promise<number> => {
    const startedMs = performance.now();
    for (let i = 0; i < 5; i++) t.equal(await identity.logIn.passwords.check('wrong', hash), false);
    return performance.now() - startedMs;
  };
  await time(stored);
  const [known, unknown, unusable] = [await time(stored), await time(undefined), await time('$argon2id$v=19$m=9,t=9')];
  for (const ms of [unknown, unusable]) t.ok(ms > known / 4, `${ms} ms beside ${known} ms`);
  t.equal(await identity.logIn.passwords.check('secret', stored), true);
});

void t.test('tokens end: by time, by revocation, by what is done to user, project and role', async (t) => {
  const { state, time, identity, directory, admin, login } = await world();
  const dead = (token: string) => t.rejects(identity.authenticate(token, signal), { code: 'UNAUTHENTICATED' });
  const first = await login();
  await identity.revoke(context, first.principal);
  await identity.revoke(context, first.principal);
  await dead(first.token);
  const second = await login();
  time.ms += 3_600_000;
  await dead(second.token);

  const user = await directory.createUser(context, {
    name: 'ann',
    domainId: defaultDomainId,
    defaultProjectId: '',
    email: '',
    description: '',
    enabled: true,
    password: 'old',
  });
  const member = roleByName(state.local, 'MEMBER');
  const scope = { projectId: admin.adminProjectId, domainId: '' };
  await directory.grant(context, user.id, scope, member?.id ?? '');
  await directory.grant(context, user.id, scope, member?.id ?? '');
  const enter = (password: string) =>
    identity.issue(
      state.local,
      { password: { user: { id: user.id }, password }, scope: { kind: 'project', project: { id: scope.projectId } } },
      signal,
    );
  const third = await enter('old');
  t.strictSame(third.principal.roles, ['member', 'reader']);
  time.ms += 1;
  await directory.changePassword(context, state.local, user.id, { original: 'old', wanted: 'new' });
  await dead(third.token);
  await t.rejects(enter('old'), { code: 'UNAUTHENTICATED' });
  await t.rejects(directory.changePassword(context, state.local, user.id, { original: 'old', wanted: 'x' }), {
    code: 'UNAUTHENTICATED',
  });
  time.ms -= 50;
  const fourth = await enter('new');
  t.ok(await identity.authenticate(fourth.token, signal), 'a clock that lags does not make new tokens old');
  await directory.revokeGrant(context, user.id, scope, member?.id ?? '');
  await dead(fourth.token);
  await directory.grant(context, user.id, scope, member?.id ?? '');
  await identity.authenticate(fourth.token, signal);
  await directory.updateUser(context, user.id, { enabled: false });
  await dead(fourth.token);
  await directory.updateUser(context, user.id, { enabled: true });
  time.ms += 100;
  const fifth = await enter('new');
  await directory.updateProject(context, scope.projectId, { enabled: false });
  await dead(fifth.token);
  await directory.deleteUser(context, user.id);
  await dead(fifth.token);
  t.equal(userTable.list(state.local).length, 1);
});

void t.test('a token made from a token does not outlive it', async (t) => {
  const { state, time, identity, admin, login } = await world();
  const parent = await login('secret', { kind: 'unscoped' });
  t.strictSame(parent.principal.roles, []);
  time.ms += 1_000_000;
  const child = await identity.issue(
    state.local,
    { token: parent.token, scope: { kind: 'project', project: { id: admin.adminProjectId } } },
    signal,
  );
  t.equal(child.principal.expiresMs, parent.principal.expiresMs);
  t.strictSame(child.principal.methods, ['token']);
  t.equal(child.principal.auditIds[1], parent.principal.auditIds[0]);
});

void t.test('a token is good at an agent that has not heard of its user yet, and cannot ask', async (t) => {
  const { deps, login } = await world();
  const { token, principal } = await login();
  const behind = new MemoryStateClient();
  behind.available = false;
  const agent = new IdentityService(
    { ...deps, state: behind },
    { tokenKeys: fixedTokenKeys(new Uint8Array(32).fill(1)) },
  );
  t.strictSame(await agent.authenticate(token, signal), principal);
  behind.available = true;
  await t.rejects(
    agent.authenticate(token, signal),
    { code: 'UNAUTHENTICATED' },
    'it could ask, and there is no such user',
  );
});

void t.test('more log-ins at once than may wait are told to come back', async (t) => {
  const { identity } = await world();
  const results = await Promise.allSettled(
    Array.from({ length: 80 }, () => identity.logIn.passwords.check('x', undefined)),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  t.equal(refused.length, 80 - 66);
  t.match(refused[0], { reason: { code: 'RATE_LIMITED' } });
});
