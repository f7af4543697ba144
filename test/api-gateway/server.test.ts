import { connect } from 'node:net';
import t from 'tap';
import Type from 'typebox';
import { anyToken, rule } from '../../api-gateway/policies/rule.ts';
import { glanceFaults, neutronFaults, novaFaults } from '../../api-gateway/rest/kit/faults.ts';
import type { RestModule } from '../../api-gateway/rest/kit/module.ts';
import { parse } from '../../api-gateway/rest/kit/validation.ts';
import { assert } from '../../node/base/assert.ts';
import { sleep, systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { MemoryStateClient } from '../../node/state/client/memory-state-client.ts';
import { startGateway } from '../support/gateway.ts';

const body = Type.Object(
  { thing: Type.Object({ name: Type.String({ minLength: 1 }) }, { additionalProperties: false }) },
  { additionalProperties: false },
);

/** Called when a request reaches the slow route. */
let onSlow = (): void => {};

function toy(name: string, faults: RestModule['faults']): RestModule {
  return {
    name,
    prefixes: [`/${name}`],
    faults,
    policies: [
      rule('toy', anyToken, [
        ...['things', 'crash', 'broken', 'slow', 'things/:id'].map((path) => `GET /v2/${path}`),
        'POST /v2/things',
        'DELETE /v2/things/:id',
        'POST /v2/fail',
      ]),
    ],
    requestIdHeaders: ['x-openstack-request-id', 'x-compute-request-id'],
    register(app, gateway) {
      app.get('/', { config: { public: true } }, (request) => ({ base: gateway.baseUrl(request) }));
      app.get('/v2/things', async (request) => ({ revision: (await gateway.readState(request)).revision }));
      app.get<{ Params: { id: string } }>('/v2/things/:id', async (request) => ({ id: request.params.id }));
      app.post('/v2/things', async (request, reply) => reply.code(201).send(parse(body, request.body)));
      app.delete('/v2/things/:id', async (_request, reply) => reply.code(204).send());
      app.post('/v2/fail', async (request) => {
        const { code, facts } = request.body as { code: 'NOT_FOUND'; facts?: Record<string, unknown> };
        throw new ShoalError(code, `This is <${code}>.`, { facts: facts ?? {} });
      });
      app.get('/v2/crash', async () => {
        throw new Error('secret');
      });
      app.get('/v2/broken', async () => assert(false, 'secret'));
      app.get('/v2/slow', { config: { timeoutMs: 20 } }, async (request) => {
        onSlow();
        await sleep(systemClock, 10_000, gateway.signal(request));
        return {};
      });
    },
  };
}

const modules = () => [toy('compute', novaFaults), toy('networking', neutronFaults), toy('pictures', glanceFaults)];

void t.test('failures come in the shape of the service that was asked', async (t) => {
  const gateway = await startGateway({ modules });
  t.teardown(() => gateway.stop());
  const fail = (service: string, payload: object, headers = {}) =>
    gateway.call('POST', `/${service}/v2/fail`, { body: payload, headers });

  const nova = await fail('compute', { code: 'NOT_FOUND' });
  t.equal(nova.statusCode, 404);
  t.match(nova.headers['content-type'], /^application\/json/);
  t.strictSame(nova.json(), { itemNotFound: { code: 404, message: 'This is <NOT_FOUND>.' } });
  t.match(nova.headers['x-compute-request-id'], /^req-[0-9a-f-]{36}$/);
  t.equal(nova.headers['x-openstack-request-id'], nova.headers['x-compute-request-id']);

  const neutron = await fail('networking', { code: 'NOT_FOUND', facts: { table: 'security-group' } });
  t.strictSame(neutron.json(), {
    NeutronError: { type: 'SecurityGroupNotFound', message: 'This is <NOT_FOUND>.', detail: '' },
  });
  t.equal(
    (await fail('networking', { code: 'CONFLICT', facts: { type: 'SubnetInUse' } })).json().NeutronError.type,
    'SubnetInUse',
  );
  t.equal((await fail('networking', { code: 'QUOTA_EXCEEDED' })).statusCode, 409);
  t.equal((await fail('compute', { code: 'QUOTA_EXCEEDED' })).statusCode, 403);

  const glance = await fail('pictures', { code: 'CONFLICT' });
  t.equal(glance.statusCode, 409);
  t.match(glance.headers['content-type'], /^text\/html/);
  t.match(glance.body, /409 Conflict[\s\S]*This is &#60;CONFLICT&#62;\./);
  t.equal((await fail('pictures', { code: 'CONFLICT' }, { accept: 'application/json' })).json().code, '409 Conflict');

  const keystone = await gateway.call('GET', '/identity/v3/users/none');
  t.equal(keystone.json().error.title, 'Not Found');
});

void t.test('unknown paths are 404 and wrong methods 405, with or without a token', async (t) => {
  const gateway = await startGateway({ modules });
  t.teardown(() => gateway.stop());
  for (const token of [undefined, null]) {
    const options = token === undefined ? {} : { token };
    t.strictSame((await gateway.call('GET', '/compute/v2/none', options)).json(), {
      itemNotFound: { code: 404, message: 'The resource could not be found.' },
    });
    const wrong = await gateway.call('PUT', '/networking/v2/things?x=1', options);
    t.equal(wrong.statusCode, 405);
    t.equal(wrong.headers['allow'], 'GET, HEAD, POST');
    t.equal(wrong.json().NeutronError.type, 'HTTPMethodNotAllowed');
    t.equal((await gateway.call('GET', '/elsewhere', options)).json().error.code, 404);
    t.equal((await gateway.call('GET', '/compute/%zz', options)).json().badRequest.code, 400);
  }
  t.equal((await gateway.call('GET', '/compute/v2/things/')).statusCode, 404, 'an id that is empty names nothing');
});

void t.test('bodies are bounded, parsed and checked before a handler acts on them', async (t) => {
  const gateway = await startGateway({ modules });
  t.teardown(() => gateway.stop());
  const post = (text: unknown, headers = {}) => gateway.call('POST', '/compute/v2/things', { body: text, headers });
  for (const garbage of ['{', '[1,', 'null{', '{"a":1}x', '\u0000', '{"__proto__": {"x": 1}}']) {
    const answer = await post(garbage);
    t.equal(answer.statusCode, 400, JSON.stringify(garbage));
    t.ok(answer.json().badRequest.message);
  }
  for (const [wrong, place] of [
    [{}, /missing thing/],
    [{ thing: {} }, /thing is missing name/],
    [{ thing: { name: '' } }, /thing\.name/],
    [{ thing: { name: 5 } }, /thing\.name/],
    [{ thing: { name: 'a', colour: 'red' } }, /unknown properties: colour/],
    [[], /must be object/],
    ['', /must be object/],
  ] as const) {
    const answer = await post(wrong);
    t.equal(answer.statusCode, 400, JSON.stringify(wrong));
    t.match(answer.json().badRequest.message, place);
  }
  const large = await post(`{"thing": {"name": "${'x'.repeat(10 * 1024 * 1024)}"}}`);
  t.equal(large.statusCode, 413);
  t.equal(large.json().overLimit.code, 413);
  t.equal((await post('a=b', { 'content-type': 'application/x-www-form-urlencoded' })).json().badMediaType.code, 415);
  t.equal((await post({ thing: { name: 'a' } })).statusCode, 201);
  t.equal(
    (await gateway.call('DELETE', '/compute/v2/things/1', { body: '' })).statusCode,
    204,
    'JSON that is not there',
  );
});

void t.test('without a good token there is a 401 that says where to get one', async (t) => {
  const gateway = await startGateway({ modules });
  t.teardown(() => gateway.stop());
  const [head, payload, signature] = gateway.token.split('.');
  for (const token of [null, '', 'nonsense', 'a.b.c', `${head}.${payload}.${signature?.slice(1)}A`, 'x'.repeat(5000)]) {
    const answer = await gateway.call('GET', '/compute/v2/things', { token });
    t.equal(answer.statusCode, 401, String(token).slice(0, 20));
    t.equal(answer.headers['www-authenticate'], 'Keystone uri="http://cloud.test:8774/identity"');
    t.equal(answer.json().error.code, 401);
  }
  t.equal((await gateway.call('GET', '/compute/', { token: null })).json().base, 'http://cloud.test:8774');
});

void t.test('a Host header that is no host does not get into links', async (t) => {
  const gateway = await startGateway({ modules });
  t.teardown(() => gateway.stop());
  for (const host of ['evil"><script>', 'a b', 'x/../y']) {
    const { base } = (await gateway.call('GET', '/compute/', { headers: { host } })).json();
    t.match(base, /^http:\/\/127\.0\.0\.1:\d+$/, host);
  }
});

void t.test('without quorum reads answer at once, marked stale, and writes name who is missing', async (t) => {
  const warnings: object[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (facts: object) => void warnings.push(facts),
    error() {},
    child: () => logger,
  };
  const gateway = await startGateway({ modules, logger });
  t.teardown(() => gateway.stop());
  const fresh = await gateway.call('GET', '/compute/v2/things');
  t.notOk('x-shoal-stale' in fresh.headers);
  gateway.state.available = false;
  const startedMs = performance.now();
  const stale = await gateway.call('GET', '/compute/v2/things');
  t.equal(stale.statusCode, 200);
  t.match(stale.headers['x-shoal-stale'], /^\d+$/);
  t.strictSame(stale.json(), fresh.json());
  t.match(warnings, [{ url: '/compute/v2/things', missingVoters: [1] }]);
  const write = await gateway.call('POST', '/identity/v3/projects', { body: { project: { name: 'x' } } });
  t.equal(write.statusCode, 503);
  t.ok(Number(write.headers['retry-after']) > 0);
  t.match(write.json().error.message, /voter 1/);
  t.ok(performance.now() - startedMs < 1000);
});

void t.test(
  'while no majority holds one state reads are marked stale, and writes say so and are not to be repeated',
  async (t) => {
    class Diverged extends MemoryStateClient {
      isDiverged = false;
      #mustAgree(): void {
        if (this.isDiverged) throw new ShoalError('STATE_DIVERGED', 'The replicas hold different states.');
      }
      override async fresh(signal?: AbortSignal) {
        this.#mustAgree();
        return super.fresh(signal);
      }
      override async commit(...args: Parameters<MemoryStateClient['commit']>) {
        this.#mustAgree();
        return super.commit(...args);
      }
    }
    const state = new Diverged();
    const gateway = await startGateway({ modules, state });
    t.teardown(() => gateway.stop());
    const fresh = await gateway.call('GET', '/compute/v2/things');
    t.notOk('x-shoal-stale' in fresh.headers);
    state.isDiverged = true;
    const stale = await gateway.call('GET', '/compute/v2/things');
    t.equal(stale.statusCode, 200);
    t.match(stale.headers['x-shoal-stale'], /^\d+$/);
    t.strictSame(stale.json(), fresh.json());
    const write = await gateway.call('POST', '/identity/v3/projects', { body: { project: { name: 'x' } } });
    t.equal(write.statusCode, 503);
    t.notOk('retry-after' in write.headers, 'to repeat it is no use');
    t.match(write.json().error.message, /different states/);
    state.isDiverged = false;
    t.notOk('x-shoal-stale' in (await gateway.call('GET', '/compute/v2/things')).headers);
  },
);

void t.test('a state that does not answer holds a read no longer than its bound', async (t) => {
  class Silent extends MemoryStateClient {
    silent = false;
    override fresh(signal?: AbortSignal) {
      return this.silent ? new Promise<never>(() => undefined) : super.fresh(signal);
    }
  }
  const state = new Silent();
  const gateway = await startGateway({ modules, state, listen: true, limits: { freshWaitMs: 30 } });
  t.teardown(() => gateway.stop());
  state.silent = true;
  const answer = await gateway.call('GET', '/compute/v2/things');
  t.equal(answer.statusCode, 200);
  t.equal(answer.headers['x-shoal-stale'], 'true');
});

void t.test('faults of ours are 500 without detail, and a broken invariant is reported', async (t) => {
  const broken: unknown[] = [];
  const gateway = await startGateway({ modules, onInvariantBroken: (error) => broken.push(error) });
  t.teardown(() => gateway.stop());
  for (const path of ['crash', 'broken']) {
    const answer = await gateway.call('GET', `/compute/v2/${path}`);
    t.equal(answer.statusCode, 500);
    t.notMatch(answer.body, /secret/);
    t.equal(answer.json().computeFault.code, 500);
  }
  t.equal(broken.length, 1);
});

void t.test('a handler that takes too long is told to stop, and its caller gets a 504', async (t) => {
  const gateway = await startGateway({ modules, listen: true });
  t.teardown(() => gateway.stop());
  t.equal((await gateway.call('GET', '/compute/v2/slow')).statusCode, 504);
});

void t.test('one address cannot take it all', async (t) => {
  const gateway = await startGateway({ modules, limits: { requestsPerSecond: 1, requestsBurst: 3 } });
  t.teardown(() => gateway.stop());
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push(await gateway.call('GET', '/compute/', { token: null }));
  t.strictSame(
    answers.map((answer) => answer.statusCode),
    [200, 200, 200, 429, 429],
  );
  t.ok(Number(answers[4]?.headers['retry-after']) >= 1);
});

void t.test('over a socket: a refused body is read out, so that its sender sees why', async (t) => {
  const gateway = await startGateway({ modules, listen: true });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const answer = await fetch(`http://127.0.0.1:${port}/compute/v2/things`, {
    method: 'POST',
    headers: { 'x-auth-token': gateway.token, 'content-type': 'application/json' },
    body: 'x'.repeat(10 * 1024 * 1024),
  });
  t.equal(answer.status, 413);
  t.match(await answer.json(), { overLimit: { code: 413 } });
});

void t.test('over a socket: what is not HTTP gets a plain refusal', async (t) => {
  const gateway = await startGateway({ modules, listen: true });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const send = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let got = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      socket.on('data', (chunk) => {
        got += String(chunk);
      });
      socket.on('close', () => resolve(got));
      socket.on('error', reject);
    });
  t.match(await send('\x16\x03\x01\r\n\r\n'), /^HTTP\/1\.1 400/);
  t.match(await send(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 431/);
});

void t.test('stop waits for what is under way and may be called twice', async (t) => {
  const gateway = await startGateway({ modules, listen: true });
  const port = gateway.server.addresses[0]?.port ?? 0;
  const begun = Promise.withResolvers<void>();
  onSlow = begun.resolve;
  const pending = fetch(`http://127.0.0.1:${port}/compute/v2/slow`, { headers: { 'x-auth-token': gateway.token } });
  await begun.promise;
  await Promise.all([gateway.stop(), gateway.stop()]);
  t.equal((await pending).status, 504);
  await t.rejects(fetch(`http://127.0.0.1:${port}/compute/`));
});
