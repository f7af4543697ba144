/** Connections that carry probes: silent while nobody asks, and made again when one is dead without anybody knowing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { systemClock } from '../../../../node/base/clock.ts';
import { silentLogger } from '../../../../node/base/telemetry/logger.ts';
import { PeerProbes } from '../../../../node/mesh/health/peer-probes.ts';
import { PeerClients } from '../../../../node/mesh/peers/peer-client.ts';
import { fixedCertificates } from '../../../../node/mesh/peers/peer-credentials.ts';
import { peerClientLimits } from '../../../../node/mesh/peers/peer-limits.ts';
import { hostOf, serve, testAuthority } from '../peer-fixtures.ts';

type Test = { teardown(run: () => void): void };

/** A way between two hosts that counts what passes, and can lose all that is on it. */
async function wayTo(t: Test, address: string) {
  const near = new Set<Socket>();
  const way = { bytes: 0, connections: 0, lost: new Set<Socket>(), losesAll: false, port: 0 };
  const proxy = createServer((socket) => {
    way.connections += 1;
    near.add(socket);
    const far = connect(Number(address.split(':').at(-1)), '127.0.0.1');
    const pass = (to: Socket) => (data: Buffer) => {
      if (way.losesAll || way.lost.has(socket)) return;
      way.bytes += data.length;
      to.write(data);
    };
    socket.on('data', pass(far));
    far.on('data', pass(socket));
    for (const end of [socket, far])
      end.on('error', () => {}).on('close', () => (end === far ? socket : far).destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => {
    for (const socket of near) socket.destroy();
    proxy.close();
  });
  way.port = (proxy.address() as AddressInfo).port;
  return { way, loseAll: () => near.forEach((socket) => void way.lost.add(socket)) };
}

async function pair(t: Test, limits = peerClientLimits) {
  const authority = testAuthority();
  const [asked, asking] = [hostOf(authority), hostOf(authority)];
  const address = await serve(t, asked, {
    handlers: {
      probe: async () => ({ reached: true, nextInMs: 8_000, updates: [] }),
      watchState: async function* () {
        yield { revision: 1, changes: [] };
        await delay(60_000, undefined, { ref: false });
      },
    },
  });
  const road = await wayTo(t, address);
  const { hostId } = asked;
  const clients = new PeerClients(
    { logger: silentLogger },
    {
      certificates: fixedCertificates(asking.certificates),
      addressOf: (id) => (id === hostId ? `127.0.0.1:${road.way.port}` : undefined),
      limits,
    },
  );
  t.teardown(() => clients.close());
  return { ...road, hostId, clients };
}

void t.test('a connection without a call is not pinged; one on which a stream waits is', async (t) => {
  const { way, hostId, clients } = await pair(t, { ...peerClientLimits, keepaliveMs: 50, keepaliveTimeoutMs: 5_000 });
  const probes = new PeerProbes(systemClock, clients);
  await probes.probe(hostId, {}, { timeoutMs: 5_000 });
  await delay(100);
  const before = way.bytes;
  await delay(500);
  t.equal(way.bytes, before, 'nothing is sent');

  const stop = new AbortController();
  const stream = clients.to(hostId).calls.watchState({ prefix: 'x' }, { signal: stop.signal });
  const reading = (async () => {
    for await (const _ of stream);
  })().catch(() => undefined);
  await delay(300);
  const withStream = way.bytes;
  for (let n = 0; n < 100 && way.bytes - withStream < 100; n += 1) await delay(50);
  t.ok(way.bytes - withStream >= 100, 'pings pass');
  stop.abort();
  await reading;
});

void t.test('a host that answers two probes late keeps its connection if one between them was answered', async (t) => {
  const { way, loseAll, hostId, clients } = await pair(t);
  const probes = new PeerProbes(systemClock, clients);
  const late = () => t.rejects(probes.probe(hostId, {}, { timeoutMs: 1 }), { code: 'DEADLINE_EXCEEDED' });
  await probes.probe(hostId, {}, { timeoutMs: 5_000 });
  for (let n = 0; n < 3; n += 1) {
    await late();
    await probes.probe(hostId, {}, { timeoutMs: 5_000 });
  }
  t.equal(way.connections, 1);
  loseAll();
});

void t.test('two probes that nobody answered have the connection made again, and not at each probe', async (t) => {
  const { way, loseAll, hostId, clients } = await pair(t);
  const probes = new PeerProbes(systemClock, clients);
  const probe = () => probes.probe(hostId, {}, { timeoutMs: 400 });
  await probes.probe(hostId, {}, { timeoutMs: 5_000 });
  t.equal(way.connections, 1);
  loseAll();
  for (let n = 0; n < 2; n += 1) await t.rejects(probe(), { code: 'DEADLINE_EXCEEDED' });
  t.equal((await probes.probe(hostId, {}, { timeoutMs: 5_000 })).reached, true, 'the next one gets through');
  t.equal(way.connections, 2);
  way.losesAll = true;
  for (let n = 0; n < 6; n += 1) await t.rejects(probe(), { code: 'DEADLINE_EXCEEDED' });
  t.equal(way.connections, 3, 'a host that answers nobody gets one new connection in ten seconds');
});
