/** F17, A31, A32: a token has one spelling and a bounded life, and what was void once stays void. */
import { randomUUID } from 'node:crypto';
import t from 'tap';
import { type Clock, systemClock } from '../../node/base/clock.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { bootstrap } from '../../node/services/cluster/bootstrap.ts';
import { defaultDomainId, IdentityDirectory } from '../../node/services/identity/directory.ts';
import { IdentityService } from '../../node/services/identity/identity.ts';
import { roleByName } from '../../node/services/identity/roles.ts';
import { type TokenClaims, TokenCodec, tokenEpoch } from '../../node/services/identity/token.ts';
import { fixedTokenKeys } from '../../node/services/identity/token-keys.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';

const signal = new AbortController().signal;
const context = { signal } as Parameters<IdentityDirectory['deleteUser']>[0];
const key = new Uint8Array(32).fill(9);
const lifetimeMs = 3_600_000;

async function world() {
  const state = new MemoryStateClient();
  const time = { ms: 1_800_000_000_000 };
  const clock: Clock = { ...systemClock, nowMs: () => time.ms };
  const deps = { state, clock, logger: silentLogger, newId: randomUUID };
  const admin = await bootstrap(deps, { adminPassword: 'secret', signal });
  const identity = new IdentityService(deps, { tokenKeys: fixedTokenKeys(key), tokenLifetimeMs: lifetimeMs });
  const directory = new IdentityDirectory(deps, identity.logIn);
  const domain = await directory.createDomain(context, { name: 'customers', description: '', enabled: true });
  const project = await directory.createProject(context, {
    name: 'p',
    domainId: domain.id,
    description: '',
    enabled: true,
    tags: [],
  });
  const user = await directory.createUser(context, {
    name: 'ann',
    domainId: defaultDomainId,
    defaultProjectId: '',
    email: '',
    description: '',
    enabled: true,
    password: 'word',
  });
  const role = roleByName(state.local, 'member')?.id ?? '';
  await directory.grant(context, user.id, { projectId: project.id, domainId: '' }, role);
  await directory.grant(context, user.id, { projectId: '', domainId: domain.id }, role);
  const login = async (scope: 'project' | 'domain' = 'project'): Promise<string> => {
    const { token } = await identity.issue(
      state.local,
      {
        password: { user: { id: user.id }, password: 'word' },
        scope: scope === 'project' ? { kind: 'project', project: { id: project.id } } : { kind: 'domain', domain },
      },
      signal,
    );
    return token;
  };
  return { state, time, clock, deps, identity, directory, admin, user, project, domain, login };
}

void t.test('F17: no other spelling of a token is that token', async (t) => {
  const { identity, login } = await world();
  const token = await login();
  await identity.authenticate(token, signal);
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const others = new Set<string>();
  for (const last of alphabet) others.add(token.slice(0, -1) + last);
  for (let at = 0; at < token.length; at += 7) {
    const other = alphabet[(alphabet.indexOf(token[at] ?? '') + 1) % alphabet.length] ?? 'A';
    others.add(token.slice(0, at) + other + token.slice(at + 1));
  }
  for (const end of ['=', '==', ' ', '\n', '.', '%', 'A']) others.add(token + end);
  others.add(token.replaceAll('-', '+').replaceAll('_', '/'));
  for (const part of token.split('.').keys()) {
    const parts = token.split('.');
    parts[part] += '=';
    others.add(parts.join('.'));
  }
  others.delete(token);
  t.ok(others.size > 100);
  for (const other of others) {
    await t.rejects(
      identity.authenticate(other, signal),
      { code: 'UNAUTHENTICATED' },
      JSON.stringify(other.slice(-12)),
    );
    t.throws(() => identity.checkSignature(other), { code: 'UNAUTHENTICATED' });
  }
});

void t.test('F17 A31: the header says one thing in one spelling', (t) => {
  const header = (text: string): string => `${Buffer.from(text).toString('base64url')}.e30.x`;
  t.equal(tokenEpoch(header('{"alg":"HS256","typ":"JWT"}')), 0);
  t.equal(tokenEpoch(header('{"alg":"HS256","typ":"JWT","kid":"12"}')), 12);
  for (const text of [
    '{"alg":"none","typ":"JWT"}',
    '{"alg":"HS256","typ":"JWT","kid":"0"}',
    '{"alg":"HS256","typ":"JWT","kid":"01"}',
    '{"alg":"HS256","typ":"JWT","kid":1}',
    '{"alg":"HS256","typ":"JWT","kid":"99999999999"}',
    '{"typ":"JWT","alg":"HS256"}',
    '{"alg":"HS256", "typ":"JWT"}',
    '{"alg":"HS256","typ":"JWT"}\n',
    '',
  ]) {
    t.equal(tokenEpoch(header(text)), undefined, text);
  }
  t.equal(tokenEpoch('no token'), undefined);
  t.end();
});

void t.test('F5: a token with a longer life than is issued is refused, no matter who signed it', async (t) => {
  const { identity, login, time } = await world();
  const codec = new TokenCodec(key);
  const claims: TokenClaims = codec.verify(await login());
  await identity.authenticate(codec.sign({ ...claims, i: time.ms, e: time.ms + lifetimeMs }), signal);
  for (const [i, e] of [
    [time.ms, time.ms + lifetimeMs + 1],
    [time.ms - 1, time.ms + lifetimeMs],
    [0, time.ms + 1_000],
    [time.ms + 300_001, time.ms + lifetimeMs],
    [time.ms - lifetimeMs, time.ms],
  ] as const) {
    const token = codec.sign({ ...claims, i, e });
    await t.rejects(
      identity.authenticate(token, signal),
      { code: 'UNAUTHENTICATED' },
      `${i - time.ms} to ${e - time.ms}`,
    );
  }
});

void t.test('A32: a token does not come back with a user, project or domain that was disabled', async (t) => {
  const { identity, directory, login, user, project, domain, time } = await world();
  const off = { enabled: false };
  const on = { enabled: true };
  const toggles: Readonly<Record<string, (change: { enabled: boolean }) => Promise<unknown>>> = {
    user: (change) => directory.updateUser(context, user.id, change),
    project: (change) => directory.updateProject(context, project.id, change),
    'domain of the project': (change) => directory.updateDomain(context, domain.id, change),
  };
  for (const [what, toggle] of Object.entries(toggles)) {
    // An agent whose clock is ahead issued it: no comparison of clocks finds that it is older than the disabling.
    time.ms += 200_000;
    const before = await login();
    time.ms -= 200_000;
    await identity.authenticate(before, signal);
    await toggle(off);
    await t.rejects(identity.authenticate(before, signal), { code: 'UNAUTHENTICATED' }, `${what} is disabled`);
    await toggle(on);
    await t.rejects(identity.authenticate(before, signal), { code: 'UNAUTHENTICATED' }, `${what} is enabled again`);
    t.ok(await identity.authenticate(await login(), signal), 'a new one is good');
  }
  const scoped = await login('domain');
  await directory.updateDomain(context, domain.id, off);
  await directory.updateDomain(context, domain.id, on);
  await t.rejects(identity.authenticate(scoped, signal), { code: 'UNAUTHENTICATED' }, 'scoped to the domain');
  const kept = await login();
  await directory.updateProject(context, project.id, { name: 'renamed' });
  await directory.updateProject(context, project.id, on);
  t.ok(await identity.authenticate(kept, signal), 'other changes end no token');
});
