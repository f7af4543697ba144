import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ChannelCredentials, credentials } from '@grpc/grpc-js';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { ShoalError } from '../../../../node/base/errors.ts';
import type { HostId } from '../../../../node/base/ids.ts';
import { peerClientLimits, peerMessageBytesMax, peerServerLimits } from '../../../../node/mesh/peers/peer-limits.ts';
import { GrpcClient } from '../../../../node/rpc/client.ts';
import { shoal } from '../../../../proto/messages.ts';
import { clientsOf, hostOf, serve, testAuthority } from '../peer-fixtures.ts';

const soon = { timeoutMs: 5000 };

t.test('a member is served, and known by its certificate', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const callers: HostId[] = [];
  const address = await serve(t, server, {
    handlers: {
      probe: async (_request, call) => {
        callers.push(call.caller);
        return { reached: true };
      },
    },
  });
  const peer = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  t.equal((await peer.calls.probe({}, soon)).reached, true);
  t.same(callers, [client.hostId]);
  t.ok(peer.isConnected);
});

t.test('strangers reach no peer call, whatever they show', async (t) => {
  const authority = testAuthority();
  const server = hostOf(authority);
  const address = await serve(t, server, { admits: (hostId) => hostId !== removed.hostId });
  const addresses = new Map([[server.hostId, address]]);
  const removed = hostOf(authority);
  const probe = (client: GrpcClient): Promise<unknown> => client.calls(shoal.v1.PeerService).probe({}, soon);

  const bare = new GrpcClient(
    address,
    ChannelCredentials.createSsl(Buffer.from(authority.certificatePem), null, null, {
      checkServerIdentity: () => undefined,
    }),
    peerClientLimits,
    'm-1',
  );
  t.teardown(() => bare.close());
  await t.rejects(probe(bare), { code: 'UNAUTHENTICATED' }, 'no certificate');

  const forged = hostOf(testAuthority());
  const stranger = new GrpcClient(
    address,
    ChannelCredentials.createSsl(
      Buffer.from(authority.certificatePem),
      Buffer.from(forged.certificates.privateKeyPem),
      Buffer.from(forged.certificates.certificatePem),
      { checkServerIdentity: () => undefined },
    ),
    peerClientLimits,
    'm-1',
  );
  t.teardown(() => stranger.close());
  await t.rejects(probe(stranger), { code: 'UNAUTHENTICATED' }, 'a certificate of another authority');

  const plain = new GrpcClient(address, credentials.createInsecure(), peerClientLimits);
  t.teardown(() => plain.close());
  await t.rejects(probe(plain), { code: 'UNAVAILABLE' }, 'no TLS');

  await t.rejects(
    clientsOf(t, removed, addresses).to(server.hostId).calls.probe({}, soon),
    { code: 'IDENTITY_MISMATCH', message: /removed/ },
    'a host that was removed',
  );
});

t.test('a newcomer without a certificate reaches JoinService, and nothing is read of one that may not', async (t) => {
  const authority = testAuthority();
  const server = hostOf(authority);
  let admitted = true;
  let read = 0;
  const address = await serve(t, server, {
    join: {
      admit: () => {
        if (!admitted) throw new ShoalError('RATE_LIMITED', 'slow down');
      },
      join: async (request, remoteAddress) => {
        read++;
        t.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
        return { certificatePem: request.meshId };
      },
      renew: async () => ({}),
    },
  });
  const client = new GrpcClient(
    address,
    ChannelCredentials.createSsl(Buffer.from(authority.certificatePem), null, null, {
      checkServerIdentity: () => undefined,
    }),
    peerClientLimits,
    'm-1',
  );
  t.teardown(() => client.close());
  const join = (): Promise<shoal.v1.JoinResponse> => client.calls(shoal.v1.JoinService).join({ meshId: 'm-1' }, soon);
  t.equal((await join()).certificatePem, 'm-1');
  admitted = false;
  await t.rejects(join(), { code: 'RATE_LIMITED' });
  t.equal(read, 1);
});

t.test('a client talks to the host it expects and to no other at that address', async (t) => {
  const authority = testAuthority();
  const [server, client, other] = [hostOf(authority), hostOf(authority), hostOf(authority)];
  const address = await serve(t, server);
  const clients = clientsOf(t, client, new Map([[other.hostId, address]]));
  await t.rejects(
    clients.to(other.hostId).call((calls) => calls.probe({}, soon)),
    { code: 'IDENTITY_MISMATCH', facts: { expected: other.hostId, found: server.hostId } },
  );
  t.throws(() => clients.to(server.hostId), { code: 'NOT_FOUND' });
});

t.test('an error keeps its code, message and facts across the wire', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  let thrown: unknown;
  const address = await serve(t, server, {
    handlers: {
      readIndex: async () => {
        throw thrown;
      },
      async *fetchBlob(request) {
        yield { totalBytes: request.offsetBytes };
        throw thrown;
      },
      raft: async (messages) => {
        for await (const message of messages) if (message.commit > 0) throw thrown;
        return {};
      },
    },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  thrown = new ShoalError('NO_QUORUM', 'Zu wenige Stimmen für "diesen" Schritt', { facts: { missing: [2, 3] } });
  await t.rejects(calls.readIndex({}, soon), {
    code: 'NO_QUORUM',
    message: 'Zu wenige Stimmen für "diesen" Schritt',
    facts: { missing: [2, 3] },
  });
  const blobs: number[] = [];
  const reading = async (): Promise<void> => {
    const signal = new AbortController().signal;
    for await (const chunk of calls.fetchBlob({ offsetBytes: 7 }, { signal })) blobs.push(chunk.totalBytes);
  };
  await t.rejects(reading(), { code: 'NO_QUORUM' }, 'in the middle of a stream');
  t.same(blobs, [7]);
  const raft = calls.raft({ signal: new AbortController().signal });
  raft.write({ commit: 1 });
  await t.rejects(raft.answer, { code: 'NO_QUORUM' }, 'as the answer to a stream');

  const large = new ShoalError('CONFLICT', 'x'.repeat(5000), { facts: { text: 'y'.repeat(9000) } });
  thrown = large;
  await t.rejects(calls.readIndex({}, soon), { code: 'CONFLICT', facts: { factsLost: 'too large' } });
  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  thrown = new ShoalError('CONFLICT', 'round', { facts: circular });
  await t.rejects(calls.readIndex({}, soon), { code: 'CONFLICT', message: 'round' });
});

t.test('bytes that are no message are a named error on both sides', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const address = await serve(t, server, {
    handlers: { claim: async () => ({ reason: '\ud800' }) },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  const refusal = { code: 'INVALID_ARGUMENT', message: /is no [A-Za-z]+: one of its strings is not valid UTF-8/ };
  await t.rejects(calls.consoleLog({ serverId: '\ud800' }, soon), refusal);
  const reading = async (): Promise<void> => {
    const signal = new AbortController().signal;
    for await (const _chunk of calls.fetchBlob({ sha256: '\ud800' }, { signal })) t.fail('nothing comes');
  };
  await t.rejects(reading(), refusal, 'what answers with a stream');
  await t.rejects(calls.claim({}, soon), { code: 'OUTCOME_UNKNOWN' }, 'an answer that is none');
});

t.test('an unexpected error tells the caller nothing and the log everything', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const lines: object[] = [];
  const logger = {
    debug: () => {},
    info: () => {},
    warn: () => {},
    error: (facts: object) => void lines.push(facts),
    child: () => logger,
  };
  const address = await serve(t, server, {
    logger,
    handlers: {
      readIndex: async () => {
        throw new TypeError('internals at /some/path');
      },
    },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  await t.rejects(calls.readIndex({}, soon), { code: 'OUTCOME_UNKNOWN', message: /its log says how/ });
  t.match(lines, [{ error: { message: 'internals at /some/path' }, path: '/shoal.v1.PeerService/ReadIndex' }]);
});

t.test('time and size have bounds on both sides', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  let aborted: unknown;
  const address = await serve(t, server, {
    handlers: {
      readIndex: (_request, call) =>
        new Promise((_resolve, reject) => {
          call.signal.addEventListener('abort', () => {
            aborted = call.signal.reason;
            reject(call.signal.reason);
          });
        }),
      consoleLog: async (request) => ({ data: new Uint8Array(request.bytesMax) }),
    },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  await t.rejects(calls.readIndex({}, { timeoutMs: 100 }), { code: 'DEADLINE_EXCEEDED' });
  for (let i = 0; aborted === undefined && i < 50; i++) await sleep(10);
  t.match(aborted, { code: 'CANCELLED' }, 'the handler heard that nobody waits');

  const controller = new AbortController();
  const call = calls.readIndex({}, { timeoutMs: 5000, signal: controller.signal });
  systemClock.setTimeout(() => controller.abort(), 20);
  await t.rejects(call, { code: 'CANCELLED' });
  await t.rejects(calls.readIndex({}, { timeoutMs: 5000, signal: controller.signal }), { code: 'CANCELLED' });

  const most = await calls.consoleLog({ bytesMax: peerMessageBytesMax - 1024 }, soon);
  t.equal(most.data.length, peerMessageBytesMax - 1024);
  await t.rejects(calls.consoleLog({ bytesMax: peerMessageBytesMax + 1 }, soon), { code: 'TOO_LARGE' });
});

t.test('a stream is written no faster than it is read, and ends when the reader leaves', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  let produced = 0;
  let closed = false;
  const address = await serve(t, server, {
    handlers: {
      async *fetchBlob() {
        try {
          for (;;) {
            produced++;
            yield { data: new Uint8Array(256 * 1024) };
          }
        } finally {
          closed = true;
        }
      },
    },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  const signal = new AbortController().signal;
  let read = 0;
  for await (const chunk of calls.fetchBlob({}, { signal })) {
    t.equal(chunk.data.length, 256 * 1024);
    await sleep(20);
    if (++read === 5) break;
  }
  t.ok(produced < 100, `${produced} chunks were made for ${read} read`);
  for (let i = 0; !closed && i < 100; i++) await sleep(10);
  t.ok(closed, 'the source was told to stop');
});

t.test(
  'a connection that went silent under a stream is noticed: by the caller within ten seconds',
  { timeout: 30_000 },
  async (t) => {
    const authority = testAuthority();
    const [server, client] = [hostOf(authority), hostOf(authority)];
    let serverSaw: unknown;
    const address = await serve(t, server, {
      // As ever, but within the patience of a test.
      limits: { ...peerServerLimits, keepaliveMs: 3_000 },
      handlers: {
        raft: async (messages) => {
          try {
            for await (const _ of messages) {
              // Only the end matters.
            }
          } catch (caught) {
            serverSaw = caught;
          }
          return {};
        },
      },
    });
    const sockets: Socket[] = [];
    const proxy = createServer((near) => {
      const far = connect(Number(address.split(':')[1]), '127.0.0.1');
      sockets.push(near, far);
      near.pipe(far);
      far.pipe(near);
      for (const socket of [near, far]) socket.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.teardown(() => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    });
    const bound = proxy.address();
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
    const peer = clientsOf(t, client, new Map([[server.hostId, `127.0.0.1:${port}`]])).to(server.hostId);
    const stream = peer.calls.raft({ signal: new AbortController().signal });
    stream.write({ commit: 1 });
    await peer.calls.probe({}, soon);
    for (const socket of sockets) {
      socket.unpipe();
      socket.pause();
    }
    const silentMs = systemClock.monotonicMs();
    await t.rejects(stream.answer, { code: 'UNAVAILABLE' });
    const clientMs = systemClock.monotonicMs() - silentMs;
    t.ok(clientMs < 10_000, `the client noticed after ${Math.round(clientMs)} ms`);
    while (serverSaw === undefined && systemClock.monotonicMs() - silentMs < 10_000) await sleep(50);
    t.match(
      serverSaw,
      { code: 'CANCELLED' },
      `the server noticed after ${Math.round(systemClock.monotonicMs() - silentMs)} ms`,
    );
  },
);
