/** REST requests of an agent that holds no replica, answered by one that does, over peer RPC. */
import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { novaFaults } from '../../../api-gateway/rest/kit/faults.ts';
import type { RestModule } from '../../../api-gateway/rest/kit/module.ts';
import type { RestServer } from '../../../api-gateway/server.ts';
import type { RelayedApi } from '../../../node/mesh/relay/relayed.ts';
import { apiOf, startRelay, type TestRelay } from '../../node/mesh/relay/rig.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from '../../support/gateway.ts';

const mib = 1024 * 1024;

interface Rig {
  readonly front: TestGateway;
  readonly replicas: readonly TestGateway[];
  readonly relay: TestRelay;
  readonly port: number;
}

function portOf(server: RestServer): number {
  return server.addresses[0]?.port ?? 0;
}

function relayedApi(server: RestServer): RelayedApi {
  return apiOf({ rest: (...call) => server.relayed(...call) });
}

/** An agent without a replica in front of `count` agents with one. Its own state holds nothing of theirs. */
async function start(
  t: Test,
  options: { readonly count?: number; readonly replica?: TestGatewayOptions; readonly front?: TestGatewayOptions } = {},
): Promise<Rig> {
  const first = await startGateway({ ...options.replica });
  const replicas = [first];
  for (let at = 1; at < (options.count ?? 1); at++) {
    replicas.push(await startGateway({ ...options.replica, state: first.state }));
  }
  const relay = await startRelay(
    t,
    replicas.map(({ server }) => relayedApi(server)),
  );
  const front = await startGateway({ listen: true, relay: relay.relay, ...options.front });
  t.teardown(async () => {
    await front.stop();
    for (const replica of replicas) await replica.stop();
  });
  return { front, replicas, relay, port: portOf(front.server) };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

function ask(
  port: number,
  method: string,
  path: string,
  options: { readonly headers?: Record<string, string>; readonly body?: string | Uint8Array } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { port, host: '127.0.0.1', method, path, headers: options.headers ?? {} },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, text: Buffer.concat(chunks).toString() });
        });
      },
    );
    request.on('error', reject);
    request.end(options.body);
  });
}

async function eventually(t: Test, isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200 && !isSo(); tries++) await sleep(25);
  t.ok(isSo(), what);
}

t.test('requests are answered from the replica’s records, as if it had been asked', async (t) => {
  const { front, replicas, relay, port } = await start(t);
  const token = replicas[0]?.token ?? '';
  const headers = { 'x-auth-token': token, 'content-type': 'application/json' };

  const made = await ask(port, 'POST', '/identity/v3/projects', {
    headers,
    body: JSON.stringify({ project: { name: 'far' } }),
  });
  t.equal(made.status, 201);
  const { project } = JSON.parse(made.text);
  t.equal(
    project.links.self,
    `http://127.0.0.1:${port}/identity/v3/projects/${project.id}`,
    'links lead to the agent that the client asked',
  );
  t.match(made.headers['x-openstack-request-id'], /^req-/);
  t.equal(made.headers['transfer-encoding'], undefined, 'an answer of known length says it');

  const shown = await ask(port, 'GET', `/identity/v3/projects/${project.id}`, { headers: { 'x-auth-token': token } });
  t.equal(shown.status, 200);
  t.equal(JSON.parse(shown.text).project.name, 'far');
  t.equal(shown.headers['x-shoal-stale'], undefined);
  t.equal(shown.headers['x-shoal-partial'], undefined);

  const absent = await ask(port, 'GET', '/identity/v3/projects/nothing', { headers: { 'x-auth-token': token } });
  t.equal(absent.status, 404);
  const stranger = await ask(port, 'GET', '/identity/v3/projects', { headers: { 'x-auth-token': front.token } });
  t.equal(stranger.status, 401, 'a token that only the front’s own records know is none');
  t.match(stranger.headers['www-authenticate'], `Keystone uri="http://127.0.0.1:${port}/identity"`);
  const head = await ask(port, 'HEAD', '/identity/v3/projects', { headers: { 'x-auth-token': token } });
  t.equal(head.status, 200);
  t.ok(Number(head.headers['content-length']) > 0, 'HEAD says the length that GET would have');
  const gone = await ask(port, 'DELETE', `/identity/v3/projects/${project.id}`, { headers: { 'x-auth-token': token } });
  t.equal(gone.status, 204);
  t.equal((await ask(port, 'PUT', '/identity/v3/projects', { headers })).status, 405);
  const logIn = await ask(port, 'POST', '/identity/v3/auth/tokens', { headers, body: '{"auth":{}}' });
  t.equal(logIn.status, 400, 'what needs no token is relayed, too');
  t.same(new Set(relay.outcomes), new Set(['answered']));
  t.equal(relay.client.calls, 0);
  t.equal(relay.replicas[0]?.handler.calls, 0);
});

t.test('what an agent says of itself it says itself', async (t) => {
  const { operationsModule } = await import('../../../api-gateway/rest/kit/operations.ts');
  const { Registry } = await import('prom-client');
  const module = (): RestModule =>
    operationsModule({
      registry: new Registry(),
      metricsReaders: [],
      status: () => ({
        hasQuorum: true,
        quorum: 'answers',
        leaderRaftId: 0,
        term: 1,
        commitIndex: 1,
        appliedIndex: 1,
        voters: [],
        isJoint: false,
        learners: [],
        missingVoters: [],
      }),
      troubles: () => ({}),
      degraded: () => ({}),
      warnings: () => ({}),
      nameOf: String,
      version: 'this one',
    });
  const { port, relay, replicas } = await start(t, {
    replica: { modules: () => [module()] },
    front: { listen: true, modules: () => [module()] },
  });
  t.equal((await ask(port, 'GET', '/healthz')).status, 200);
  t.equal((await ask(port, 'GET', '/metrics')).status, 200);
  t.equal(relay.outcomes.length, 0, 'no replica was asked');
  const server = replicas[0]?.server;
  const answer = await server?.relayed(
    { method: 'GET', target: '/metrics', headers: [['host', 'a']], body: 'none' },
    { clientAddress: '127.0.0.1', baseUrl: 'http://a' },
    nothing(),
    new AbortController().signal,
  );
  t.equal(answer?.status, 404, 'a member that asks for another’s figures as if it were that host gets none');
  for await (const bytes of answer?.body ?? []) t.ok(bytes);
});

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** Takes any body and tells of it; sends as much as it is asked for. */
function bulkModule(seen: { bytes: number; ended: number; broken: number; runs: number }): RestModule {
  return {
    name: 'bulk',
    prefixes: ['/bulk'],
    faults: novaFaults,
    requestIdHeaders: ['x-openstack-request-id'],
    policies: [],
    register(app) {
      app.removeAllContentTypeParsers();
      app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
      const config = { public: true, timeoutMs: 0 };
      app.put('/up', { config }, async (request, reply) => {
        seen.runs += 1;
        try {
          for await (const chunk of request.raw) seen.bytes += (chunk as Buffer).length;
          seen.ended += 1;
        } catch {
          seen.broken += 1;
        }
        return reply.code(200).send({ bytes: seen.bytes });
      });
      app.get('/:bytes', { config }, (request, reply) => {
        seen.runs += 1;
        const { bytes } = request.params as { readonly bytes: string };
        reply.hijack();
        const { raw } = reply;
        raw.writeHead(200, { 'content-type': 'application/octet-stream' });
        const chunk = randomBytes(64 * 1024);
        let left = Number(bytes);
        const write = (): void => {
          while (left > 0) {
            left -= chunk.length;
            seen.bytes += chunk.length;
            if (!raw.write(chunk)) {
              raw.once('drain', write);
              return;
            }
          }
          raw.end();
        };
        raw.on('close', () => {
          if (!raw.writableFinished) seen.broken += 1;
        });
        write();
      });
    },
  };
}

async function startBulk(t: Test, count = 1) {
  const seen = { bytes: 0, ended: 0, broken: 0, runs: 0 };
  const modules = () => [bulkModule(seen)];
  return { seen, ...(await start(t, { count, replica: { modules }, front: { listen: true, modules } })) };
}

t.test('64 MiB go up and down in pieces, and nobody holds them', async (t) => {
  const { seen, port } = await startBulk(t);
  const before = process.memoryUsage().rss;
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 10);
  t.teardown(() => clearInterval(watch));
  const chunk = randomBytes(64 * 1024);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'PUT', path: '/bulk/up' }, resolve);
    request.on('error', reject);
    let left = 1024;
    const write = (): void => {
      while (left > 0) {
        left -= 1;
        if (!request.write(chunk)) {
          request.once('drain', write);
          return;
        }
      }
      request.end();
    };
    write();
  });
  answer.resume();
  t.equal(answer.statusCode, 200);
  t.equal(seen.bytes, 64 * mib);
  const down = await new Promise<number>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path: `/bulk/${64 * mib}` }, (response) => {
      let bytes = 0;
      response.on('data', (data: Buffer) => {
        bytes += data.length;
      });
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    }).end();
  });
  t.equal(down, 64 * mib);
  t.comment(`memory grew by ${Math.round((peak - before) / mib)} MiB`);
  t.ok(peak - before < 160 * mib, 'memory stays bounded: client, front and replica share this process');
});

t.test('a client that stops reading stops the replica, and one that goes away ends it', async (t) => {
  const { seen, port, relay } = await startBulk(t);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path: `/bulk/${512 * mib}` }, resolve)
      .on('error', reject)
      .end();
  });
  let last = -1;
  await eventually(
    t,
    () => {
      const isStill = seen.bytes === last;
      last = seen.bytes;
      return isStill;
    },
    'the replica stops sending',
  );
  t.ok(seen.bytes < 64 * mib, `${Math.round(seen.bytes / mib)} MiB are on their way and no more`);
  response.on('error', () => {});
  response.destroy();
  await eventually(t, () => seen.broken === 1, 'the replica hears that the client has gone');
  await eventually(
    t,
    () => relay.replicas[0]?.handler.calls === 0 && relay.client.calls === 0,
    'nothing is left of it',
  );
  t.same(relay.outcomes, ['given-up']);
});

t.test('an upload that breaks off is not taken for one that has ended', async (t) => {
  const { seen, port, relay } = await startBulk(t);
  const request = httpRequest({ port, host: '127.0.0.1', method: 'PUT', path: '/bulk/up' });
  request.on('error', () => {});
  request.write(randomBytes(mib));
  await eventually(t, () => seen.bytes === mib, 'the replica takes what has come');
  request.destroy();
  await eventually(t, () => seen.broken === 1, 'and hears that no more comes');
  t.equal(seen.ended, 0);
  await eventually(
    t,
    () => relay.replicas[0]?.handler.calls === 0 && relay.client.calls === 0,
    'nothing is left of it',
  );
});

t.test('an answer that breaks off breaks the connection', async (t) => {
  const { port, relay } = await startBulk(t);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path: `/bulk/${512 * mib}` }, resolve)
      .on('error', reject)
      .end();
  });
  const ended = new Promise<string>((resolve) => {
    response.on('end', () => resolve('end'));
    response.on('error', () => resolve('error'));
  });
  response.resume();
  await sleep(50);
  await relay.replicas[0]?.kill();
  t.equal(await ended, 'error', 'the client does not take a part for the whole');
  await eventually(t, () => relay.outcomes.includes('broken'), 'and it is counted');
});

t.test('the next replica is asked when one is away, refuses, or is lost', async (t) => {
  const { relay, port, replicas } = await start(t, { count: 2 });
  const headers = { 'x-auth-token': replicas[0]?.token ?? '', 'content-type': 'application/json' };
  await relay.replicas[0]?.kill();
  const started = performance.now();
  const shown = await ask(port, 'GET', '/identity/v3/projects', { headers });
  t.equal(shown.status, 200);
  const body = JSON.stringify({ project: { name: 'twice?' } });
  const made = await ask(port, 'POST', '/identity/v3/projects', { headers, body });
  t.equal(made.status, 201, 'a write goes to the next one, too: the first was never reached');
  t.ok(performance.now() - started < 10_000);
});

t.test('a write that a lost replica had taken is not sent again; a read is', async (t) => {
  let runs = 0;
  const dying = apiOf({
    rest: async (_head, _origin, _body, signal) => {
      runs += 1;
      void dead?.kill();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const good = await startGateway();
  const relay = await startRelay(t, [dying, relayedApi(good.server)]);
  const dead = relay.replicas[0];
  const front = await startGateway({ listen: true, relay: relay.relay });
  t.teardown(async () => {
    await front.stop();
    await good.stop();
  });
  const headers = { 'x-auth-token': good.token, 'content-type': 'application/json' };
  const body = JSON.stringify({ project: { name: 'once' } });
  const made = await ask(portOf(front.server), 'POST', '/identity/v3/projects', { headers, body });
  t.equal(runs, 1);
  t.equal(made.status, 504, 'not 503, which clients repeat by themselves');
  t.match(made.text, /not known/);
  const list = await ask(portOf(front.server), 'GET', '/identity/v3/projects?name=once', { headers });
  t.equal(list.status, 200);
  t.same(JSON.parse(list.text).projects, [], 'and the other replica never saw it');
});

t.test('a read is asked again of the next replica when the one that took it is lost', async (t) => {
  const dying = apiOf({
    rest: async (_head, _origin, _body, signal) => {
      void dead?.kill();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  });
  const good = await startGateway();
  const relay = await startRelay(t, [dying, relayedApi(good.server)]);
  const dead = relay.replicas[0];
  const front = await startGateway({ listen: true, relay: relay.relay });
  t.teardown(async () => {
    await front.stop();
    await good.stop();
  });
  const shown = await ask(portOf(front.server), 'GET', '/identity/v3/projects', {
    headers: { 'x-auth-token': good.token },
  });
  t.equal(shown.status, 200);
});

t.test('with no replica to be reached the answer is partial and says so, or is none', async (t) => {
  const { relay, port, front } = await start(t);
  await relay.replicas[0]?.kill();
  const headers = { 'x-auth-token': front.token, 'content-type': 'application/json' };
  const listed = await ask(port, 'GET', '/image/v2/images', { headers });
  t.equal(listed.status, 200);
  t.same(JSON.parse(listed.text).images, []);
  t.equal(listed.headers['x-shoal-partial'], 'true');
  t.equal(listed.headers['x-shoal-stale'], '7');
  const shown = await ask(port, 'GET', '/image/v2/images/4d5ff0a6-1f0d-4a2c-9a86-5e2cf1c7bb1f', { headers });
  t.equal(shown.status, 503, 'what could not be looked up is not called absent');
  t.match(shown.text, /no replica can be asked/);
  const rights = await ask(port, 'GET', '/identity/v3/users', { headers });
  t.equal(rights.status, 503, 'who may do what is not told from a part of the records');
  t.notMatch(rights.text, /t\/user/, 'and no key of a record is shown');
});
