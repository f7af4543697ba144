/** F11, F13: passwords are guessed no faster in parallel, by another spelling or from many addresses; nobody is locked out. */
import t, { type Test } from 'tap';
import { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import type { GatewayLimits } from '../../api-gateway/kit/limits.ts';
import { adminPassword, startGateway } from '../support/gateway.ts';

const burst = 20;
/** One a second and three waiting at the most: short, in the proportions of the real ones. */
const limits: Partial<GatewayLimits> = { authFailuresBurst: burst, authFailuresPerSecond: 1, authWaitMs: 3_000 };
const waitingMax = 3;

async function start(t: Test, more: Partial<GatewayLimits> = {}) {
  const gateway = await startGateway({
    limits: { ...limits, ...more },
    // Addresses are told by a proxy, so that a test has as many as it wants.
    trustedProxies: new TrustedProxies('127.0.0.1'),
  });
  // The clock's timers keep no process alive, and nothing listens here: an attempt that waits would end the test.
  const alive = setInterval(() => {}, 1_000);
  t.teardown(() => {
    clearInterval(alive);
    return gateway.stop();
  });
  const spellings: readonly object[] = [
    { id: gateway.adminUserId },
    { name: 'admin', domain: { id: 'default' } },
    { name: 'admin', domain: { name: 'Default' } },
    { id: gateway.adminUserId, name: 'whatever' },
    { name: 'admin', domain: { id: 'default', name: 'Default' } },
  ];
  const ask = async (password: string, options: { from?: string; user?: object } = {}): Promise<number> => {
    const { from = '203.0.113.1', user = spellings[1] } = options;
    const answer = await gateway.call('POST', '/identity/v3/auth/tokens', {
      token: null,
      headers: { 'x-forwarded-for': from },
      body: { auth: { identity: { methods: ['password'], password: { user: { ...user, password } } } } },
    });
    return answer.statusCode;
  };
  return { gateway, spellings, ask };
}

const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((found) => found === status).length;

t.test('F11: 150 guesses at once are no more than 150 in a row', async (t) => {
  const { ask } = await start(t);
  const startedMs = performance.now();
  const statuses = await Promise.all(Array.from({ length: 150 }, (_, n) => ask(`wrong ${n}`)));
  const seconds = (performance.now() - startedMs) / 1000;
  const checked = count(statuses, 401);
  t.ok(checked <= burst + Math.ceil(seconds) + waitingMax, `${checked} were checked in ${seconds.toFixed(1)} s`);
  t.equal(checked + count(statuses, 429), 150);
});

t.test('F11: however a user is spelled, also where a password is changed, it is one bucket', async (t) => {
  const { gateway, spellings, ask } = await start(t, { authWaitMs: 0, authFailuresPerSecond: 0.001 });
  const statuses: number[] = [];
  for (let n = 0; n < 40; n++) statuses.push(await ask('wrong', { user: spellings[n % spellings.length] ?? {} }));
  t.equal(count(statuses, 401), burst);
  const change = await gateway.call('POST', `/identity/v3/users/${gateway.adminUserId}/password`, {
    token: null,
    headers: { 'x-forwarded-for': '203.0.113.1' },
    body: { user: { original_password: 'wrong', password: 'wanted' } },
  });
  t.equal(change.statusCode, 429);
});

t.test('F11: names that nobody has are one bucket of their address, and slowed down alike', async (t) => {
  const { ask } = await start(t, { authWaitMs: 0, authFailuresPerSecond: 0.001 });
  const statuses: number[] = [];
  for (let n = 0; n < 30; n++)
    statuses.push(await ask('wrong', { user: { name: `nobody ${n}`, domain: { id: 'default' } } }));
  t.equal(count(statuses, 401), burst);
  t.equal(await ask('wrong', { from: '203.0.113.2', user: { id: 'none' } }), 401, 'another address');
  t.equal(await ask(adminPassword), 201, 'a user at the first address');
});

t.test(
  'F13: after 20 wrong guesses of a stranger at the same address the right password has to wait, not to stay away',
  async (t) => {
    const { ask } = await start(t);
    const guesses = await Promise.all(Array.from({ length: burst }, (_, n) => ask(`wrong ${n}`)));
    t.equal(count(guesses, 401), burst);
    const startedMs = performance.now();
    t.equal(await ask(adminPassword), 201);
    t.ok(performance.now() - startedMs < 3_000);
    t.equal(await ask(adminPassword, { from: '203.0.113.2' }), 201, 'and elsewhere it does not even wait');
  },
);

t.test('what succeeds is given back: right passwords are never used up', async (t) => {
  const { ask } = await start(t, { authWaitMs: 0, authFailuresPerSecond: 0.001, authAttemptsBurst: 1000 });
  for (let n = 0; n < burst + 10; n++) t.equal(await ask(adminPassword), 201);
});

t.test(
  'F11: guessers with many addresses share one bucket a user; where the user logs in usually is not touched',
  async (t) => {
    const { ask } = await start(t, {
      authWaitMs: 0,
      authFailuresPerSecond: 0.001,
      authUserFailuresBurst: 50,
      authUserFailuresPerSecond: 0.001,
    });
    const home = '198.51.100.7';
    t.equal(await ask(adminPassword, { from: home }), 201);
    const statuses: number[] = [];
    for (let n = 0; n < 120; n++) statuses.push(await ask('wrong', { from: `203.0.113.${n}` }));
    t.equal(count(statuses, 401), 50);
    t.equal(await ask(adminPassword, { from: home }), 201);
    t.equal(await ask('wrong', { user: { id: 'none' }, from: '203.0.113.200' }), 401, 'others are not');
  },
);

t.test('an IPv6 subscriber is one address', async (t) => {
  const { ask } = await start(t, { authWaitMs: 0, authFailuresPerSecond: 0.001 });
  const statuses: number[] = [];
  for (let n = 0; n < 40; n++) statuses.push(await ask('wrong', { from: `2001:db8:1:2::${n.toString(16)}` }));
  t.equal(count(statuses, 401), burst);
  t.equal(await ask('wrong', { from: '2001:db8:1:3::1' }), 401);
});
