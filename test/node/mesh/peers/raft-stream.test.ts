import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { Prng } from '../../../../node/base/prng.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { MessageQueue } from '../../../../node/mesh/peers/message-queue.ts';
import { fixedCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { PeerServer } from '../../../../node/mesh/peers/peer-server.ts';
import { RaftStream } from '../../../../node/mesh/peers/raft-stream.ts';
import { clientsOf, hostOf, refusingHandlers, refusingJoin, serve, testAuthority } from '../peer-fixtures.ts';

const deps = { clock: systemClock, logger: silentLogger, random: new Prng(1) };

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; !condition() && i < 500; i++) await sleep(10);
};

t.test('messages arrive in order over one stream, many at a time', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const received: number[] = [];
  let streams = 0;
  const address = await serve(t, server, {
    handlers: {
      raft: async (messages, call) => {
        streams++;
        t.equal(call.caller, client.hostId);
        for await (const message of messages) received.push(message.index);
        return {};
      },
    },
  });
  const { calls } = clientsOf(t, client, new Map([[server.hostId, address]])).to(server.hostId);
  const stream = new RaftStream(deps, calls.raft, () => t.fail('unreachable'));
  const count = 1000; // Fewer than the queue's bound: nothing may be dropped.
  for (let index = 1; index <= count; index++) stream.send({ index, entries: [{ data: new Uint8Array(200) }] });
  await until(() => received.length === count);
  t.same(
    received,
    Array.from({ length: count }, (_, i) => i + 1),
  );
  t.equal(streams, 1);
  t.equal(stream.dropped, 0);
  await stream.stop();
  await stream.stop();
});

t.test('the stream comes back after the peer was away, and says that it was', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  const received: number[] = [];
  const start = async (port: number): Promise<PeerServer> => {
    const made = new PeerServer(
      { clock: systemClock, logger: silentLogger },
      {
        certificates: fixedCertificates(server.certificates),
        admits: () => true,
        join: refusingJoin,
        handlers: {
          ...refusingHandlers,
          raft: async (messages) => {
            for await (const message of messages) received.push(message.index);
            return {};
          },
        },
      },
    );
    await made.listen(`127.0.0.1:${port}`);
    return made;
  };
  const first = await start(0);
  const { port } = first;
  let unreachable = 0;
  const { calls } = clientsOf(t, client, new Map([[server.hostId, `127.0.0.1:${port}`]])).to(server.hostId);
  const stream = new RaftStream(deps, calls.raft, () => unreachable++);
  stream.send({ index: 1 });
  await until(() => received.includes(1));
  await first.stop(10);
  await until(() => unreachable > 0);
  t.ok(unreachable > 0, 'the core is told');
  const second = await start(port);
  t.teardown(() => second.stop(10));
  for (let index = 2; index < 500 && !received.some((i) => i > 1); index++) {
    stream.send({ index });
    await sleep(10);
  }
  t.ok(
    received.some((index) => index > 1),
    'messages flow again',
  );
  await stream.stop();
});

t.test('a peer that takes nothing costs bounded memory and the oldest messages', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  // Nobody listens there: port 1 is refused at once.
  const { calls } = clientsOf(t, client, new Map([[server.hostId, '127.0.0.1:1']])).to(server.hostId);
  let unreachable = 0;
  const stream = new RaftStream(deps, calls.raft, () => unreachable++);
  for (let index = 0; index < 5000; index++) stream.send({ index });
  t.ok(stream.queued <= 1024, `${stream.queued} queued`);
  t.ok(stream.dropped >= 5000 - 1024 - 1, `${stream.dropped} dropped`);
  await until(() => unreachable > 1);
  t.ok(unreachable > 1);
  await stream.stop();
  stream.send({ index: 1 });
  t.equal(stream.queued, 0);
});

t.test('a queue keeps the newest, by number and by bytes', async (t) => {
  const queue = new MessageQueue<number>({ messagesMax: 3, bytesMax: 100 });
  for (const n of [1, 2, 3, 4]) queue.push(n, 10);
  t.same([queue.size, queue.dropped, queue.shift()], [3, 1, 2]);
  queue.push(5, 95);
  t.same([queue.shift(), queue.shift()], [5, undefined]);
  queue.push(6, 1000);
  t.equal(queue.shift(), 6, 'even when it alone is over the bound');
});

t.test('a host that a peer turns away says so, once', async (t) => {
  const authority = testAuthority();
  const [server, client] = [hostOf(authority), hostOf(authority)];
  let asked = 0;
  const made = new PeerServer(
    { clock: systemClock, logger: silentLogger },
    {
      certificates: fixedCertificates(server.certificates),
      admits: () => {
        asked++;
        return false;
      },
      join: refusingJoin,
      handlers: refusingHandlers,
    },
  );
  const port = await made.listen('127.0.0.1:0');
  t.teardown(() => made.stop(0));
  const warnings: unknown[] = [];
  const logger = { ...silentLogger, warn: (facts: object) => void warnings.push(facts) };
  const { calls } = clientsOf(t, client, new Map([[server.hostId, `127.0.0.1:${port}`]])).to(server.hostId);
  const stream = new RaftStream({ ...deps, logger }, calls.raft, () => stream.send({ index: 1 }));
  stream.send({ index: 1 });
  await until(() => asked >= 3);
  await stream.stop();
  t.ok(asked >= 3, 'it tried again and again');
  t.match(warnings, [{ error: /removed/ }]);
  t.equal(warnings.length, 1);
});
