/** What a member can do with calls that it relays, and a replica with its answers, when either is a thief. */
import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { systemClock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { HostId } from '../../node/base/ids.ts';
import type { PeerCall } from '../../node/mesh/peers/peer-server.ts';
import { relayedHeadOf } from '../../node/mesh/relay/heads.ts';
import { answerPartsOf, bodyOf } from '../../node/mesh/relay/pieces.ts';
import { RelayHandler } from '../../node/mesh/relay/relay-handler.ts';
import type { RelayLimits } from '../../node/mesh/relay/relay-limits.ts';
import { pieceBytesMax } from '../../node/mesh/relay/relay-limits.ts';
import type { RelayedApi, RestAnswer, RestHead } from '../../node/mesh/relay/relayed.ts';
import { shoal } from '../../proto/messages.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../node/mesh/peer-fixtures.ts';
import { apiOf, startRelay } from '../node/mesh/relay/rig.ts';
import { startGateway } from '../support/gateway.ts';
import { as, startGrpcGateway } from '../support/grpc-gateway.ts';

type Piece = shoal.v1.IRelayPiece;

const origin = { clientAddress: '192.0.2.7', baseUrl: 'http://cloud.test:5000' };

function asked(rest: shoal.v1.IRelayRest, from: Partial<typeof origin> = {}): shoal.v1.IRelayRequest {
  const headers = rest.headers ?? [{ name: 'host', value: 'cloud.test' }];
  return { rest: { method: 'GET', target: '/', ...rest, headers }, ...origin, ...from };
}

function withHeader(name: string, value: string): shoal.v1.IRelayRequest {
  return asked({
    headers: [
      { name: 'host', value: 'a' },
      { name, value },
    ],
  });
}

t.test('a head that could be read in two ways is refused', (t) => {
  t.match(relayedHeadOf(asked({})), { kind: 'rest', head: { method: 'GET', target: '/', body: 'none' } });
  t.match(relayedHeadOf(withHeader('x-auth-token', 'ü')), { kind: 'rest' });
  const refused: Readonly<Record<string, shoal.v1.IRelayRequest | null>> = {
    'no request': null,
    'no call': { ...origin },
    'a method of tunnels': asked({ method: 'CONNECT' }),
    'a method that splits the request': asked({ method: 'GET / HTTP/1.1\r\nhost: a\r\n\r\nGET' }),
    'an absolute target': asked({ target: 'http://elsewhere/' }),
    'no target': asked({ target: '' }),
    'a target with a space': asked({ target: '/a HTTP/1.1' }),
    'a target with a line end': asked({ target: '/\r\nx: y' }),
    'a target that is too long': asked({ target: `/${'a'.repeat(20_000)}` }),
    'no host': asked({ headers: [] }),
    'two hosts': withHeader('host', 'b'),
    'a pseudo-header': withHeader(':authority', 'b'),
    'an upper-case name': withHeader('Host', 'b'),
    'a name with a line end': withHeader('a\r\nb', 'c'),
    'an empty name': withHeader('', 'c'),
    'a value with a line end': withHeader('a', 'b\r\nx-auth-token: c'),
    'a value with a lone LF': withHeader('a', 'b\nc'),
    'a value with NUL': withHeader('a', 'b\0c'),
    'a value that is no byte string': withHeader('a', '\u{1f600}'),
    'too many headers': asked({
      headers: [{ name: 'host', value: 'a' }, ...Array.from({ length: 300 }, () => ({ name: 'a', value: 'b' }))],
    }),
    'headers that are too large': withHeader('a', 'b'.repeat(30_000)),
    'a client without an address': asked({}, { clientAddress: 'localhost' }),
    'a client address that splits a header': asked({}, { clientAddress: '1.2.3.4\r\na: b' }),
    'a base URL of another kind': asked({}, { baseUrl: 'javascript://alert(1)' }),
    'a base URL with a line end': asked({}, { baseUrl: 'http://a/\r\nb: c' }),
    'a length that is none': asked({ hasBody: true, bodyBytes: 2 ** 60 }),
    'a gRPC path that is none': { grpc: { path: '/a/b/c' }, ...origin },
    'gRPC metadata of a proxy': {
      grpc: { path: '/shoal.v1.ComputeService/ListServers', metadata: [{ name: 'forwarded', value: 'for=127.0.0.1' }] },
      ...origin,
    },
  };
  for (const name of ['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length']) {
    t.throws(() => relayedHeadOf(withHeader(name, '1')), { code: 'INVALID_ARGUMENT' }, `${name} is not passed on`);
  }
  for (const name of ['expect', 'proxy-connection', 'proxy-authorization', 'x-forwarded-for', 'x-forwarded-host']) {
    t.throws(() => relayedHeadOf(withHeader(name, '1')), { code: 'INVALID_ARGUMENT' }, `${name} is not passed on`);
  }
  for (const [what, request] of Object.entries(refused)) {
    t.throws(() => relayedHeadOf(request), { code: 'INVALID_ARGUMENT' }, what);
  }
  t.end();
});

async function* sent(...pieces: Piece[]): AsyncGenerator<Piece, void, undefined> {
  yield* pieces;
}

/** As they come over the wire. */
async function* wire(...pieces: Piece[]) {
  for (const piece of pieces) yield shoal.v1.RelayPiece.decode(shoal.v1.RelayPiece.encode(piece).finish());
}

async function all<T>(parts: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const part of parts) found.push(part);
  return found;
}

t.test('pieces that are too large, too many, or out of their order are refused', async (t) => {
  const data = (length: number, continues = false): Piece => ({ data: { bytes: new Uint8Array(length), continues } });
  const end: Piece = { end: {} };
  t.equal((await all(bodyOf(sent(data(1), data(0), end)))).length, 1, 'an empty piece is no part of a body');
  t.equal((await all(answerPartsOf(sent(data(0), end)))).length, 2, 'but an empty message is one');
  await t.rejects(all(bodyOf(sent(data(1)))), { code: 'CANCELLED' }, 'no end: it broke off');
  await t.rejects(all(answerPartsOf(sent(data(1)))), { code: 'CANCELLED' });
  await t.rejects(all(bodyOf(sent(data(pieceBytesMax + 1), end))), { code: 'INVALID_ARGUMENT' });
  await t.rejects(all(bodyOf(sent({ request: asked({}) }, end))), { code: 'INVALID_ARGUMENT' });
  await t.rejects(all(bodyOf(sent({}, end))), { code: 'INVALID_ARGUMENT' });
  await t.rejects(all(answerPartsOf(sent(data(1, true), end))), { code: 'INVALID_ARGUMENT' }, 'half a message');
  await t.rejects(all(answerPartsOf(sent(data(0, true), end))), { code: 'INVALID_ARGUMENT' }, 'pieces of nothing');
  await t.rejects(all(answerPartsOf(sent({ end: { grpcStatus: 99 } }))), { code: 'INVALID_ARGUMENT' });
  const endless = (async function* (): AsyncGenerator<Piece, void, undefined> {
    for (let count = 0; count < 1000; count++) yield data(pieceBytesMax, true);
  })();
  await t.rejects(all(answerPartsOf(endless)), { code: 'TOO_LARGE' });
});

t.test('only members may relay', async (t) => {
  let runs = 0;
  const counting = apiOf({
    rest: async () => {
      runs += 1;
      return answer([]);
    },
  });
  const { client, relay } = await startRelay(t, [counting], { refuses: () => true });
  const route = relay.route();
  t.equal(route.kind, 'elsewhere');
  const replicas = route.kind === 'elsewhere' ? route.replicas : [];
  const head: RestHead = { method: 'GET', target: '/', headers: [['host', 'a']], body: 'none' };
  await t.rejects(
    client.rest(replicas, head, origin, () => none(), new AbortController().signal),
    { code: 'UNAVAILABLE' },
    'a removed member is turned away',
  );
  const stranger = hostOf(testAuthority());
  const replica = hostOf(testAuthority());
  const handler = new RelayHandler(systemClock, () => counting);
  const address = await serve(t, replica, { handlers: { relay: handler.handle } });
  const peers = clientsOf(t, stranger, new Map([[replica.hostId, address]]));
  await t.rejects(all(peers.to(replica.hostId).calls.relay(sent({ request: asked({}) }), signal())));
  t.equal(runs, 0);
});

function signal() {
  return { signal: AbortSignal.timeout(5000) };
}

async function* none(): AsyncGenerator<Uint8Array, void, undefined> {}

function answer(parts: readonly Uint8Array[], head: Partial<RestAnswer> = {}): RestAnswer {
  const body = (async function* () {
    yield* parts;
  })();
  return { status: 200, headers: [], bodyBytes: undefined, body, ...head };
}

/** A member's call of the handler, without the wire. */
function callOf(member = 'a', until: AbortSignal = new AbortController().signal): PeerCall {
  const caller = member.repeat(32) as HostId;
  return { caller, signal: until, remoteAddress: '192.0.2.1:1', certificate: undefined, header: () => undefined };
}

function handlerOf(api: RelayedApi | undefined, limits: Partial<RelayLimits> = {}): RelayHandler {
  return new RelayHandler(systemClock, () => api, limits);
}

t.test('an agent that is no replica does not pass a relayed call on', async (t) => {
  for (const api of [undefined, apiOf({ isOpen: false })]) {
    const pieces = all(handlerOf(api).handle(wire({ request: asked({}) }), callOf()));
    await t.rejects(pieces, { code: 'NOT_IN_SLICE' });
  }
  // Two agents without a replica, each of which takes the other for one.
  const { relay, outcomes } = await startRelay(t, [apiOf({ isOpen: false }), apiOf({ isOpen: false })]);
  const front = await startGateway({ listen: true, relay });
  t.teardown(() => front.stop());
  const listed = await fetch(`http://127.0.0.1:${front.server.addresses[0]?.port}/image/v2/images`, {
    headers: { 'x-auth-token': front.token },
  });
  t.equal(listed.headers.get('x-shoal-partial'), 'true', 'it is answered from what this agent holds');
  t.same(outcomes, ['unreached']);
});

t.test('a member has so many calls at a time, and no more', async (t) => {
  const waiting = apiOf({
    rest: (_head, _origin, _body, until) =>
      new Promise((_resolve, reject) => until.addEventListener('abort', () => reject(until.reason), { once: true })),
  });
  const handler = handlerOf(waiting, { callsPerMemberMax: 2, callsServedMax: 3 });
  const leaving = new AbortController();
  const begin = (member: string) =>
    all(handler.handle(wire({ request: asked({}) }, { end: {} }), callOf(member, leaving.signal)));
  const running = [begin('a'), begin('a')];
  await sleep(10);
  await t.rejects(begin('a'), { code: 'RATE_LIMITED' });
  running.push(begin('b'));
  await sleep(10);
  await t.rejects(begin('c'), { code: 'RATE_LIMITED' }, 'nor have all together');
  leaving.abort(new ShoalError('CANCELLED', 'gone'));
  for (const call of running) await t.rejects(call, { code: 'CANCELLED' });
  t.equal(handler.calls, 0);
});

t.test('a member that goes silent does not hold a call', async (t) => {
  const handler = handlerOf(apiOf({}), { silenceMsMax: 50 });
  const silent = new Promise<IteratorResult<shoal.v1.RelayPiece & shoal.v1.RelayPiece.$Shape>>(() => {});
  const requests = { [Symbol.asyncIterator]: () => ({ next: () => silent }) };
  const awake = setTimeout(() => {}, 10_000); // The clock's own timers keep no process alive.
  await t.rejects(all(handler.handle(requests, callOf())), { code: 'DEADLINE_EXCEEDED' });
  clearTimeout(awake);
  t.equal(handler.calls, 0);
});

t.test('nothing runs before the caller has shown that it knows of the acceptance', async (t) => {
  let runs = 0;
  const handler = handlerOf(
    apiOf({
      rest: async () => {
        runs += 1;
        return answer([]);
      },
    }),
  );
  await t.rejects(all(handler.handle(wire({ request: asked({ method: 'DELETE' }) }), callOf())), { code: 'CANCELLED' });
  t.equal(runs, 0);
  const pieces = await all(handler.handle(wire({ request: asked({ method: 'DELETE' }) }, { end: {} }), callOf()));
  t.equal(runs, 1);
  t.match(pieces, [{ accepted: {} }, { answer: { status: 200 } }, { end: {} }]);
});

t.test('a body that is longer than it says is no second request', async (t) => {
  const gateway = await startGateway();
  t.teardown(() => gateway.stop());
  const smuggled = `{}DELETE /identity/v3/auth/tokens HTTP/1.1\r\nhost: a\r\nx-auth-token: ${gateway.token}\r\nx-subject-token: ${gateway.token}\r\n\r\n`;
  const head: RestHead = {
    method: 'POST',
    target: '/identity/v3/auth/tokens',
    headers: [
      ['host', 'a'],
      ['content-type', 'application/json'],
    ],
    body: 2,
  };
  const body = async function* () {
    yield Buffer.from(smuggled);
  };
  await t.rejects(gateway.server.relayed(head, origin, body(), new AbortController().signal));
  await sleep(50);
  const list = await gateway.call('GET', '/identity/v3/projects');
  t.equal(list.statusCode, 200, 'the token that a second request would have revoked is still good');
});

t.test('only the token says who asks', async (t) => {
  const gateway = await startGateway();
  const native = await startGrpcGateway();
  t.teardown(async () => {
    await gateway.stop();
    await native.stop();
  });
  const claims: [string, string][] = [
    ['host', 'a'],
    ['x-user-id', gateway.adminUserId],
    ['x-roles', 'admin'],
    ['x-is-admin-project', 'True'],
    ['x-identity-status', 'Confirmed'],
  ];
  const local = { clientAddress: '127.0.0.1', baseUrl: 'http://a' };
  const head: RestHead = { method: 'GET', target: '/identity/v3/projects', headers: claims, body: 'none' };
  const { status, body } = await gateway.server.relayed(head, local, none(), new AbortController().signal);
  t.equal(status, 401);
  await all(body);
  const metadata = claims.filter(([name]) => name !== 'host');
  const path = '/shoal.v1.ClusterService/GetStatus';
  const stranger = '1'.repeat(32) as HostId;
  const parts = await all(
    native.gateway.relayed(
      { path, metadata },
      { ...local, member: stranger },
      one(new Uint8Array()),
      new AbortController().signal,
    ),
  );
  t.match(parts, [{ kind: 'end', status: { code: 16 } }], 'neither is a relayed call one at the operator’s door');
  const cluster = native.client.calls(shoal.v1.ClusterService);
  await t.rejects(cluster.getStatus({}, as('mallory')), { code: 'UNAUTHENTICATED' });
});

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** What a client reads, byte by byte, of the answer that a replica makes up. */
async function readThrough(t: Test, made: () => RestAnswer) {
  const { relay } = await startRelay(t, [apiOf({ rest: async () => made() })]);
  const front = await startGateway({ listen: true, relay });
  t.teardown(() => front.stop());
  const port = front.server.addresses[0]?.port ?? 0;
  return new Promise<{ readonly status: number; readonly text: string; readonly isWhole: boolean }>((resolve) => {
    const failed = (): void => resolve({ status: 0, text: '', isWhole: false });
    const request = httpRequest({ port, host: '127.0.0.1', path: '/image/v2/images' }, (response) => {
      let text = '';
      const done = (isWhole: boolean) => (): void => resolve({ status: response.statusCode ?? 0, text, isWhole });
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      response.on('end', done(true)).on('error', done(false));
    });
    request.on('error', failed).end();
  });
}

t.test('a replica that is a thief cannot split answers, nor pass a part for the whole', async (t) => {
  const text = (value: string): Uint8Array => Buffer.from(value);
  const good = await readThrough(t, () => answer([text('ab'), text('cd')], { bodyBytes: 4 }));
  t.match(good, { status: 200, text: 'abcd', isWhole: true });
  const long = await readThrough(t, () => answer([text('ab'), text('HTTP/1.1 200 OK\r\n\r\n')], { bodyBytes: 2 }));
  t.notMatch(long.text, 'HTTP/1.1', 'what is beyond the length is not sent');
  const short = await readThrough(t, () => answer([text('ab')], { bodyBytes: 4 }));
  t.equal(short.isWhole, false);
  const split = await readThrough(t, () => answer([], { headers: [['location', 'a\r\nset-cookie: b']] }));
  t.equal(split.status, 504, 'a header with a line end is no header');
  const informational = await readThrough(t, () => answer([], { status: 101 }));
  t.equal(informational.status, 504);
  const hops = await readThrough(t, () =>
    answer([text('ok')], {
      headers: [
        ['x-a', 'b'],
        ['connection', 'x-a'],
        ['upgrade', 'h2c'],
      ],
    }),
  );
  t.match(hops, { status: 200, text: 'ok', isWhole: true });
});

t.test('an agent relays so many calls at a time, and no more', async (t) => {
  const waiting = apiOf({
    rest: (_head, _origin, _body, until) =>
      new Promise((_resolve, reject) => until.addEventListener('abort', () => reject(until.reason), { once: true })),
  });
  const { relay, client } = await startRelay(t, [waiting], { limits: { callsMax: 1 } });
  const front = await startGateway({ listen: true, relay });
  t.teardown(() => front.stop());
  const url = `http://127.0.0.1:${front.server.addresses[0]?.port}/image/v2/images`;
  const leaving = new AbortController();
  const first = fetch(url, { signal: leaving.signal });
  first.catch(() => {});
  for (let tries = 0; tries < 100 && client.calls === 0; tries++) await sleep(10);
  const second = await fetch(url);
  t.equal(second.status, 429);
  t.ok(second.headers.get('retry-after'));
  leaving.abort();
  await t.rejects(first);
  for (let tries = 0; tries < 100 && client.calls > 0; tries++) await sleep(10);
  t.equal(client.calls, 0);
});
