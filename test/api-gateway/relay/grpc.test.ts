/** gRPC calls of an agent that holds no replica, answered by one that does, over peer RPC. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ChannelCredentials, Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import type { HostId } from '../../../node/base/ids.ts';
import { shoal } from '../../../proto/messages.ts';
import { answersHere, apiOf, startRelay } from '../../node/mesh/relay/rig.ts';
import { as, startGrpcGateway, type TestGrpcGateway } from '../../support/grpc-gateway.ts';

async function start(t: Test) {
  const replica = await startGrpcGateway({}, answersHere);
  const relay = await startRelay(t, [apiOf({ grpc: (...call) => replica.gateway.relayed(...call) })]);
  const front = await startGrpcGateway({}, relay.relay);
  t.teardown(async () => {
    await front.stop();
    await replica.stop();
  });
  return { replica, front, relay };
}

function compute(gateway: TestGrpcGateway) {
  return gateway.client.calls(shoal.v1.ComputeService);
}

/** One call with its status and trailers as a client of any make sees them. */
function raw(port: number, path: string, request: Uint8Array, token: string) {
  const client = new Client(`127.0.0.1:${port}`, ChannelCredentials.createInsecure());
  const metadata = new Metadata();
  metadata.set('x-auth-token', token);
  return new Promise<{ readonly error: ServiceError | null; readonly answer: Uint8Array; readonly trailers: Metadata }>(
    (resolve) => {
      let error: ServiceError | null = null;
      let answer: Uint8Array = new Uint8Array();
      const call = client.makeUnaryRequest(
        path,
        (bytes: Uint8Array) => Buffer.from(bytes),
        (bytes) => bytes,
        request,
        metadata,
        { deadline: Date.now() + 10_000 },
        (failed, value) => {
          error = failed;
          answer = value ?? answer;
        },
      );
      call.on('status', ({ metadata: trailers }) => {
        setImmediate(() => {
          client.close();
          resolve({ error, answer, trailers });
        });
      });
    },
  );
}

async function eventually(t: Test, isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 200 && !isSo(); tries++) await sleep(25);
  t.ok(isSo(), what);
}

t.test('calls are answered from the replica’s records, and errors keep their codes and trailers', async (t) => {
  const { replica, front, relay } = await start(t);
  const key = {
    name: 'k',
    publicKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXY2ZuOcxYCSpRd8iB5v2FN9Up2Tg6qTo9KUj9ftxQm a@b',
  };
  await compute(front).createKeypair(key, as('alice'));
  const there = await compute(replica).listKeypairs({}, as('alice'));
  const here = await compute(front).listKeypairs({}, as('alice'));
  t.same(
    here.keypairs.map(({ name }) => name),
    ['k'],
  );
  t.same(here, there, 'the answer is the replica’s, byte for byte');
  await t.rejects(compute(front).getServer({ serverId: '4d5ff0a6-1f0d-4a2c-9a86-5e2cf1c7bb1f' }, as('alice')), {
    code: 'NOT_FOUND',
  });
  await t.rejects(compute(front).listServers({}, as('nobody')), { code: 'UNAUTHENTICATED' });
  const refused = await raw(front.port, '/shoal.v1.ComputeService/GetServer', new Uint8Array([0x0a, 0xff]), 'alice');
  const same = await raw(replica.port, '/shoal.v1.ComputeService/GetServer', new Uint8Array([0x0a, 0xff]), 'alice');
  t.equal(refused.error?.code, status.INVALID_ARGUMENT, 'bytes that are no message are refused by the replica');
  t.equal(refused.error?.details, same.error?.details);
  t.same(refused.trailers.get('shoal-code'), same.trailers.get('shoal-code'));
  t.equal(relay.client.calls, 0);
  t.ok(relay.outcomes.length >= 4 && relay.outcomes.every((outcome) => outcome === 'answered'));
});

t.test('a watch goes through the replica, and ends with its client', async (t) => {
  const { replica, front, relay } = await start(t);
  const leaving = new AbortController();
  const stream = compute(front).watchServers({}, { signal: leaving.signal, headers: { 'x-auth-token': 'alice' } });
  const heard: string[] = [];
  const reading = (async () => {
    for await (const { serverId } of stream) heard.push(serverId);
  })();
  await eventually(t, () => relay.replicas[0]?.handler.calls === 1, 'the replica has the watch');
  const wanted = { name: 'seen', flavorId: '1', imageId: 'image-1', networkIds: [] };
  await compute(replica).createServer(wanted, as('alice'));
  await eventually(t, () => heard.length > 0, 'a change at the replica is heard');
  leaving.abort();
  await t.rejects(reading);
  await eventually(
    t,
    () => relay.replicas[0]?.handler.calls === 0 && relay.client.calls === 0,
    'nothing is left of it',
  );
});

t.test('health and reflection are the agent’s own', async (t) => {
  const { grpc } = await import('../../../proto/messages.ts');
  const { front, relay } = await start(t);
  const { status: serving } = await front.client
    .calls(grpc.health.v1.Health)
    .check({ service: '' }, { timeoutMs: 5000 });
  t.equal(serving, grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING);
  t.same(relay.outcomes, []);
});

t.test('a member cannot have services of the agent itself relayed', async (t) => {
  const { replica } = await start(t);
  const ask = (path: string) =>
    replica.gateway.relayed(
      { path, metadata: [] },
      { clientAddress: '192.0.2.1', baseUrl: '', member: '1'.repeat(32) as HostId },
      none(),
      new AbortController().signal,
    );
  t.throws(() => ask('/grpc.health.v1.Health/Check'), { code: 'NOT_IMPLEMENTED' });
  t.throws(() => ask('/shoal.v1.PeerService/Propose'), { code: 'NOT_IMPLEMENTED' });
});

async function* none(): AsyncGenerator<Uint8Array> {}

t.test('with no replica to be reached answers are marked in their trailers, or are none', async (t) => {
  const { front, relay } = await start(t);
  await relay.replicas[0]?.kill();
  const list = await raw(front.port, '/shoal.v1.ComputeService/ListServers', new Uint8Array(), 'alice');
  t.equal(list.error, null);
  t.same(list.trailers.get('x-shoal-partial'), ['true']);
  t.equal(shoal.v1.ListServersResponse.decode(list.answer).stale, true);
  const one = shoal.v1.GetServerRequest.encode({ serverId: '4d5ff0a6-1f0d-4a2c-9a86-5e2cf1c7bb1f' }).finish();
  const shown = await raw(front.port, '/shoal.v1.ComputeService/GetServer', one, 'alice');
  t.equal(shown.error?.code, status.UNAVAILABLE, 'what could not be looked up is not called absent');
  t.same(shown.trailers.get('shoal-code'), ['NOT_IN_SLICE']);
  await t.rejects(
    async () => {
      const headers = { 'x-auth-token': 'alice' };
      for await (const event of compute(front).watchServers({}, { signal: new AbortController().signal, headers }))
        t.ok(event);
    },
    { code: 'NOT_IN_SLICE' },
    'a watch of a part would miss changes',
  );
  const door = front.operator.calls(shoal.v1.ComputeService);
  t.equal((await door.listServers({}, { timeoutMs: 5000 })).stale, true, 'the operator’s door is no different');
  await t.rejects(
    async () => {
      for await (const event of door.watchServers({}, { signal: new AbortController().signal })) t.ok(event);
    },
    { code: 'NOT_IN_SLICE' },
  );
});

t.test(
  'the operator’s door of an agent with a slice is that of a replica, but for what is about the agent',
  async (t) => {
    const { replica, front, relay } = await start(t);
    await compute(replica).createServer({ name: 's', flavorId: '1', imageId: 'image-1', networkIds: [] }, as('alice'));
    const networks = front.operator.calls(shoal.v1.NetworkService);
    const { network } = await networks.createNetwork(
      { name: 'mine', projectId: 'alice-project' },
      { timeoutMs: 10_000 },
    );
    const there = await replica.client.calls(shoal.v1.NetworkService).listNetworks({}, as('alice'));
    t.ok(
      there.networks.some(({ id, name }) => id === network?.id && name === 'mine'),
      'what it makes is in the replica’s records',
    );
    const door = front.operator.calls(shoal.v1.ComputeService);
    t.equal((await door.listServers({ allProjects: true }, { timeoutMs: 5000 })).servers.length, 1);
    const { outcomes } = relay;
    const beforeStream = outcomes.length;
    const leaving = new AbortController();
    const heard: string[] = [];
    const reading = (async () => {
      for await (const { serverId } of door.watchServers({}, { signal: leaving.signal })) heard.push(serverId);
    })();
    await eventually(t, () => relay.replicas[0]?.handler.calls === 1, 'streams go there too');
    leaving.abort();
    await t.rejects(reading);
    await eventually(t, () => outcomes.length > beforeStream, 'the end of the stream is told');
    const before = outcomes.length;
    const cluster = front.operator.calls(shoal.v1.ClusterService);
    await cluster.getStatus({}, { timeoutMs: 5000 });
    await cluster.listHosts({}, { timeoutMs: 5000 });
    t.equal(outcomes.length, before, 'how this agent is, and what it has heard of others, it says itself');
  },
);
