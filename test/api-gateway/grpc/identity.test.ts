import { ChannelCredentials } from '@grpc/grpc-js';
import t from 'tap';
import type { GatewayLimits } from '../../../api-gateway/kit/limits.ts';
import { GrpcClient } from '../../../node/rpc/client.ts';
import { shoal } from '../../../proto/messages.ts';
import { startWholeCloud } from '../../security/support/whole-cloud.ts';
import { adminPassword, passwordAuth } from '../../support/gateway.ts';
import { as } from '../../support/grpc-gateway.ts';

const anyone = { timeoutMs: 20_000 };
const password = 'a long password';

async function started(t: { teardown(clean: () => Promise<void>): void }, bounds: Partial<GatewayLimits> = {}) {
  const whole = await startWholeCloud(bounds);
  const client = new GrpcClient(`127.0.0.1:${whole.grpcPort}`, ChannelCredentials.createInsecure(), {
    messageBytesMax: 4 * 1024 * 1024,
    keepaliveMs: 10_000,
    keepaliveTimeoutMs: 5_000,
    reconnectMsMin: 50,
    reconnectMsMax: 500,
  });
  t.teardown(async () => {
    client.close();
    await whole.stop();
  });
  const { gateway, memberToken, memberProjectId } = whole.cloud;
  return {
    gateway,
    memberProjectId,
    calls: client.calls(shoal.v1.IdentityService),
    networks: client.calls(shoal.v1.NetworkService),
    admin: as(gateway.token),
    member: as(memberToken),
    memberToken,
  };
}

void t.test('from a password to a token for both APIs, and the token’s end', async (t) => {
  const { calls, networks, gateway } = await started(t);
  const { token, view } = await calls.authenticate(
    { user: { name: 'admin' }, password: adminPassword, project: { name: 'admin' } },
    anyone,
  );
  t.match(view, { userName: 'admin', projectName: 'admin', projectId: gateway.adminProjectId, methods: ['password'] });
  t.ok(view?.roles.includes('admin'));
  t.ok((view?.expiresMs ?? 0) > (view?.issuedMs ?? 0));
  await networks.listNetworks({}, as(token));
  const rest = await gateway.call('GET', '/identity/v3/auth/catalog', { token });
  t.equal(rest.statusCode, 200);

  const domain = { name: 'Default' };
  const byToken = await calls.authenticate({ token, project: { name: 'admin', domain } }, anyone);
  t.match(byToken.view, { methods: ['token'], expiresMs: view?.expiresMs });
  t.match((await calls.authenticate({ token, unscoped: true }, anyone)).view, { projectId: '', roles: [] });
  await t.rejects(networks.listNetworks({}, as((await calls.authenticate({ token, unscoped: true }, anyone)).token)), {
    code: 'FORBIDDEN',
  });

  t.match(await calls.validateToken({ token: byToken.token }, as(token)), { view: { userName: 'admin' } });
  await calls.revokeToken({ token: byToken.token }, as(token));
  await t.rejects(calls.validateToken({ token: byToken.token }, as(token)), { code: 'NOT_FOUND' });
  await t.rejects(networks.listNetworks({}, as(byToken.token)), { code: 'UNAUTHENTICATED' });
});

void t.test('a caller who proves nothing is told nothing', async (t) => {
  const { calls, gateway } = await started(t);
  const user = { name: 'admin' };
  const words: string[] = [];
  for (const request of [
    { user, password: 'wrong' },
    { user: { name: 'nobody' }, password: 'wrong' },
    { user, password: '' },
    { user: { id: 'none' }, password: adminPassword },
    { user: { ...user, domain: { name: 'elsewhere' } }, password: adminPassword },
    { user, password: adminPassword, project: { id: 'none' } },
    { user, password: adminPassword, domain: { id: 'none' } },
  ]) {
    const caught = await calls.authenticate(request, anyone).catch((error: unknown) => error);
    t.match(caught, { code: 'UNAUTHENTICATED' }, JSON.stringify(request));
    words.push(String(caught));
  }
  t.equal(new Set(words).size, 1, 'in the same words');
  await t.rejects(calls.authenticate({ token: 'none' }, anyone), { code: 'NOT_FOUND' });
  const refused = (request: shoal.v1.AuthenticateRequest.$Properties, message: RegExp) =>
    t.rejects(calls.authenticate(request, anyone), { code: 'INVALID_ARGUMENT', message });
  await refused({}, /user and password are needed, or token/);
  await refused({ password: 'x' }, /user and password are needed, or token/);
  await refused({ user: {}, password: 'x' }, /^user: id or name is needed/);
  await refused({ user: { name: 'x'.repeat(256) } }, /^Invalid request: user\.name /);
  await refused({ user, project: {} }, /^project: id or name is needed/);
  await refused({ user, project: { name: 'x', domain: {} } }, /^project\.domain: id or name is needed/);
  await refused({ user, system: true, unscoped: true }, /At most one of/);
  await refused({ token: 'x'.repeat(5000) }, /^Invalid request: token /);
  await t.rejects(calls.validateToken({ token: '' }, as(gateway.token)), { code: 'INVALID_ARGUMENT' });
});

void t.test('A32: password guesses by REST and gRPC count together', async (t) => {
  const bounds = { authFailuresPerSecond: 0.001, authFailuresBurst: 4, authWaitMs: 100 };
  const { calls, gateway } = await started(t, bounds);
  const guess = { user: { name: 'admin' }, password: 'wrong' };
  for (let n = 0; n < 2; n += 1) {
    const { statusCode } = await gateway.call('POST', '/identity/v3/auth/tokens', {
      token: null,
      body: passwordAuth('admin', 'wrong'),
    });
    t.equal(statusCode, 401);
    await t.rejects(calls.authenticate(guess, anyone), { code: 'UNAUTHENTICATED' });
  }
  await t.rejects(calls.authenticate(guess, anyone), { code: 'RATE_LIMITED' });
  const { statusCode } = await gateway.call('POST', '/identity/v3/auth/tokens', {
    token: null,
    body: passwordAuth('admin', 'wrong'),
  });
  t.equal(statusCode, 429);
});

void t.test('projects, users, roles and who has which where', async (t) => {
  const { calls, admin } = await started(t);
  const { project } = await calls.createProject({ name: 'p', description: 'd', tags: ['x'] }, admin);
  t.match(project, { name: 'p', domainId: 'default', description: 'd', enabled: true, tags: ['x'] });
  const projectId = project?.id ?? '';
  await t.rejects(calls.createProject({ name: 'p' }, admin), { code: 'CONFLICT' });
  const { user } = await calls.createUser({ name: 'u', password, email: 'u@example.org' }, admin);
  t.match(user, { name: 'u', domainId: 'default', email: 'u@example.org', enabled: true });
  const userId = user?.id ?? '';
  const { roles } = await calls.listRoles({ name: 'member' }, admin);
  const roleId = roles[0]?.id ?? '';
  const mine = { user: { id: userId }, password, project: { id: projectId } };
  await t.rejects(calls.authenticate(mine, anyone), { code: 'UNAUTHENTICATED' }, 'nothing to do there yet');
  await calls.createRoleAssignment({ userId, roleId, projectId }, admin);
  await calls.createRoleAssignment({ userId, roleId, projectId }, admin);
  const { token } = await calls.authenticate(mine, anyone);
  t.match((await calls.listRoleAssignments({ userId }, admin)).roleAssignments, [
    { userId, roleId, projectId, domainId: '', system: false },
  ]);
  t.match((await calls.listUserProjects({ userId }, as(token))).projects, [{ id: projectId }]);
  t.match(await calls.getUser({ userId }, as(token)), { user: { id: userId } }, 'of oneself');
  t.match(await calls.getProject({ projectId }, as(token)), { project: { id: projectId } }, 'of one’s own project');

  const changed = await calls.updateProject({ projectId, tags: { values: [] }, name: 'q' }, admin);
  t.match(changed.project, { name: 'q', description: 'd', tags: [] });
  t.match(await calls.updateUser({ userId, description: 'x' }, admin), {
    user: { description: 'x', email: 'u@example.org', name: 'u' },
  });
  await calls.deleteRoleAssignment({ userId, roleId, projectId }, admin);
  await t.rejects(calls.deleteRoleAssignment({ userId, roleId, projectId }, admin), { code: 'NOT_FOUND' });
  await t.rejects(calls.getUser({ userId }, as(token)), { code: 'UNAUTHENTICATED' }, 'the token went with the role');

  const { role } = await calls.createRole({ name: 'watcher' }, admin);
  const watcherId = role?.id ?? '';
  t.match(await calls.updateRole({ roleId: watcherId, description: 'looks' }, admin), {
    role: { name: 'watcher', description: 'looks' },
  });
  await calls.deleteRole({ roleId: watcherId }, admin);
  await t.rejects(calls.getRole({ roleId: watcherId }, admin), { code: 'NOT_FOUND' });
  await calls.deleteUser({ userId }, admin);
  await calls.deleteProject({ projectId }, admin);
  await t.rejects(calls.getProject({ projectId }, admin), { code: 'NOT_FOUND' });
});

void t.test('a member sees what is theirs, and changes nothing', async (t) => {
  const { calls, member, memberToken, memberProjectId, gateway } = await started(t);
  const { view } = await calls.validateToken({ token: memberToken }, member);
  const userId = view?.userId ?? '';
  t.match(await calls.getProject({ projectId: memberProjectId }, member), { project: { id: memberProjectId } });
  const forbidden = { code: 'FORBIDDEN' };
  await t.rejects(calls.getProject({ projectId: gateway.adminProjectId }, member), forbidden);
  await t.rejects(calls.getUser({ userId: gateway.adminUserId }, member), forbidden);
  await t.rejects(calls.listUserProjects({ userId: gateway.adminUserId }, member), forbidden);
  await t.rejects(calls.validateToken({ token: gateway.token }, member), forbidden);
  await t.rejects(calls.revokeToken({ token: gateway.token }, member), forbidden);
  await t.rejects(calls.listUsers({}, member), forbidden);
  await t.rejects(calls.updateUser({ userId, name: 'x' }, member), forbidden);
  await t.rejects(calls.updateProject({ projectId: memberProjectId, name: 'x' }, member), forbidden);
  const roleId = (await calls.listRoles({ name: 'admin' }, as(gateway.token))).roles[0]?.id ?? '';
  await t.rejects(calls.createRoleAssignment({ userId, roleId, projectId: memberProjectId }, member), forbidden);
});

void t.test('lists come in pages; what REST refuses is refused', async (t) => {
  const { calls, admin } = await started(t);
  for (const name of ['a', 'b', 'c']) await calls.createProject({ name }, admin);
  const seen: string[] = [];
  let pageToken = '';
  do {
    const page = await calls.listProjects({ pageSize: 2, pageToken, domainId: 'default' }, admin);
    t.ok(page.projects.length <= 2 && page.revision > 0);
    seen.push(...page.projects.map(({ name }) => name));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.ok(['a', 'b', 'c', 'admin'].every((name) => seen.includes(name)));
  t.equal(new Set(seen).size, seen.length);
  t.match((await calls.listUsers({ name: 'admin' }, admin)).users, [{ name: 'admin' }]);
  t.notOk(JSON.stringify((await calls.listUsers({}, admin)).users).includes('argon'), 'no hash of a password');
  t.strictSame((await calls.listProjects({ domainId: 'none' }, admin)).projects, []);
  const refused = (work: Promise<unknown>, message: RegExp) => t.rejects(work, { code: 'INVALID_ARGUMENT', message });
  await refused(calls.listRoles({ pageSize: 1001 }, admin), /page_size/);
  await refused(calls.createProject({}, admin), /^Invalid request: is missing name/);
  await refused(calls.createProject({ name: 'x'.repeat(65) }, admin), /^Invalid request: name /);
  await refused(calls.createProject({ name: 'x', tags: ['a,b'] }, admin), /^Invalid request: tags\.0 /);
  await refused(calls.createUser({ name: ' ' }, admin), /^Invalid request: name /);
  await refused(calls.createUser({ name: 'x', password: 'x'.repeat(4097) }, admin), /^Invalid request: password /);
  await refused(calls.createUser({ name: 'x', password: 'ß'.repeat(1000) }, admin), /at most 1024 bytes/);
  await refused(calls.updateUser({ userId: 'none', email: 'x'.repeat(256) }, admin), /^Invalid request: email /);
  await t.rejects(calls.createProject({ name: 'x', domainId: 'none' }, admin), { code: 'NOT_FOUND' });
  for (const scope of [{}, { projectId: 'p', system: true }, { projectId: 'p', domainId: 'd' }]) {
    await refused(calls.createRoleAssignment({ userId: 'u', roleId: 'r', ...scope }, admin), /Exactly one of/);
  }
});
