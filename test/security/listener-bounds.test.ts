/**
 * F9: silent connections take a listener away. Each listener that strangers reach (REST, public gRPC, peers) is attacked the
 * same way: far more connections from one address than it may have, without a byte. Somebody else must be served at once,
 * and the silent ones must be gone after the time for a first byte.
 */
import { connect, createServer, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { healthHandlers } from '../../api-gateway/grpc/health.ts';
import { TrustedProxies } from '../../api-gateway/kit/forwarding.ts';
import { keystoneFaults } from '../../api-gateway/rest/kit/faults.ts';
import type { RestModule } from '../../api-gateway/rest/kit/module.ts';
import { systemClock } from '../../node/base/clock.ts';
import { silentLogger } from '../../node/base/telemetry/logger.ts';
import { MeshAuthority } from '../../node/mesh/identity/authority.ts';
import { createTlsKey } from '../../node/mesh/identity/identity.ts';
import { peerClientLimits, peerServerLimits } from '../../node/mesh/peers/peer-limits.ts';
import type { PeerServer } from '../../node/mesh/peers/peer-server.ts';
import { GrpcClient } from '../../node/rpc/client.ts';
import { Listener, type ListenerTls } from '../../node/rpc/listener/listener.ts';
import { GrpcServer } from '../../node/rpc/server.ts';
import { peerErrorView } from '../../node/rpc/status.ts';
import { grpc } from '../../proto/messages.ts';
import { clientsOf, hostOf, serve } from '../node/mesh/peer-fixtures.ts';
import { startGateway } from '../support/gateway.ts';

const deps = { clock: systemClock, logger: silentLogger };
const authority = MeshAuthority.create('m-1');
const key = createTlsKey();
const names = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] };
const certificatePem = authority.issueApi('h1', key.publicKeySpki, names, Date.now());
const source = {
  current: () => ({ cert: certificatePem + authority.certificatePem, key: key.privateKeyPem }),
  subscribe: () => () => {},
};
const h2: ListenerTls = { source, protocol: 'h2', minVersion: 'TLSv1.2' };
/** Small, so that a test is short; the proportions are those of the real ones. */
const limits = { connectionsMax: 60, connectionsPerAddressMax: 20, firstByteMsMax: 700, handshakeMsMax: 1500 };

interface Silent {
  readonly sockets: readonly Socket[];
  /** How many are still open. */
  open(): number;
  end(): void;
}

/** What comes back on a plain connection of its own. */
function plain(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Connections that never say anything. `from`: an address of the loopback network. */
async function silentConnections(count: number, port: number, from: string): Promise<Silent> {
  const sockets = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Socket>((resolve) => {
          const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => resolve(socket));
          socket.on('error', () => resolve(socket));
          socket.resume();
        }),
    ),
  );
  return {
    sockets,
    open: () => sockets.filter((socket) => !socket.destroyed && !socket.readableEnded).length,
    end: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function attack(t: Test, port: number, serves: () => Promise<void>): Promise<void> {
  const silent = await silentConnections(100, port, '127.0.0.66');
  t.teardown(() => silent.end());
  await serves();
  await delay(100);
  t.ok(silent.open() <= limits.connectionsPerAddressMax, `${silent.open()} of one address are left`);
  await delay(limits.firstByteMsMax + 300);
  t.equal(silent.open(), 0, 'silence has an end');
  await serves();
}

const gatewayLimits = {
  connectionsMax: limits.connectionsMax,
  connectionsPerAddressMax: limits.connectionsPerAddressMax,
  firstByteMs: limits.firstByteMsMax,
  handshakeMs: limits.handshakeMsMax,
  headersTimeoutMs: 1000,
};

/** One request over TLS on a connection of its own; the answer as text, and empty when the connection was cut. */
function overTls(port: number, request: string, options: { minVersion?: 'TLSv1.3' } = {}): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connectTls(
      { port, host: '127.0.0.1', ca: authority.certificatePem, servername: 'localhost', ...options },
      () => socket.write(request),
    );
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

const versionRequest = 'GET /identity/v3 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n';

for (const isTls of [false, true]) {
  t.test(`F9: REST goes on under silent connections (${isTls ? 'TLS' : 'plain'})`, async (t) => {
    const gateway = await startGateway({ listen: true, limits: gatewayLimits, ...(isTls ? { tls: source } : {}) });
    t.teardown(() => gateway.stop());
    const port = gateway.server.addresses[0]?.port ?? 0;
    await attack(t, port, async () => {
      t.match(isTls ? await overTls(port, versionRequest) : await plain(port, versionRequest), /^HTTP\/1\.1 200/);
    });
  });
}

t.test('F9: a request that came with the end of its handshake is answered, however long that takes', async (t) => {
  const slow: RestModule = {
    name: 'slow',
    prefixes: ['/slow'],
    faults: keystoneFaults,
    policies: [],
    requestIdHeaders: [],
    register: (app) => {
      app.get('/', { config: { public: true } }, async () => {
        await delay(3 * limits.firstByteMsMax);
        return {};
      });
    },
  };
  const gateway = await startGateway({ listen: true, limits: gatewayLimits, tls: source, modules: () => [slow] });
  t.teardown(() => gateway.stop());
  const to = gateway.server.addresses[0]?.port ?? 0;
  // What the client says after its first message waits for a moment, and goes in one piece: its Finished and the request.
  const between = createServer((client) => {
    const server = connect({ port: to, host: '127.0.0.1' });
    let said = 0;
    let held: Buffer[] = [];
    client.on('data', (chunk: Buffer) => {
      said += 1;
      if (said === 1) server.write(chunk);
      else if (held.push(chunk) === 1) {
        setTimeout(() => {
          server.write(Buffer.concat(held));
          held = [];
        }, 100);
      }
    });
    server.on('data', (chunk: Buffer) => client.write(chunk));
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    for (const socket of [client, server]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  t.teardown(() => between.close());
  const bound = between.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  t.match(await overTls(port, 'GET /slow HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n'), /^HTTP\/1\.1 200/);
});

t.test('F9: a connection that is silent after its handshake, or sends half a head, is cut', async (t) => {
  const gateway = await startGateway({ listen: true, limits: gatewayLimits, tls: source });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const startedMs = performance.now();
  t.equal(await overTls(port, ''), '');
  t.ok(performance.now() - startedMs < limits.firstByteMsMax + 1000, 'silent');
  const slow = await overTls(port, 'GET / HTTP/1.1\r\nhost: localhost\r\n');
  t.match(slow, /^(?:HTTP\/1\.1 408|$)/, 'half a head');
  t.ok(performance.now() - startedMs < 12_000);
});

t.test('F9: half a handshake is cut, TLS 1.1 is refused, plain HTTP is told to use https', async (t) => {
  const gateway = await startGateway({ listen: true, limits: gatewayLimits, tls: source });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const startedMs = performance.now();
  t.equal(await plain(port, '\x16\x03\x01\x02\x00\x01'), '', 'the first bytes of a handshake and no more');
  t.ok(performance.now() - startedMs < limits.handshakeMsMax + 1000);
  t.match(await plain(port, versionRequest), /^HTTP\/1\.1 400[\s\S]*https:/);
  await t.rejects(
    new Promise((resolve, reject) => {
      const old = connectTls(
        { port, host: '127.0.0.1', ca: authority.certificatePem, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' },
        () => resolve(old),
      );
      old.on('error', reject);
    }),
  );
});

t.test('F9: of all connections the one that was silent longest makes room; one with a request does not', async (t) => {
  const connections: Socket[] = [];
  const listener = new Listener(deps, {
    limits: { connectionsMax: 3, connectionsPerAddressMax: 100, firstByteMsMax: 60_000, handshakeMsMax: 1000 },
    onConnection: (socket) => {
      socket.resume();
      connections.push(socket);
      if (connections.length === 1) listener.request(socket, 1);
    },
  });
  await listener.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(() => {
    listener.close();
    listener.cutAll();
  });
  const port = listener.address?.port ?? 0;
  const open = async (from: string): Promise<Silent> => {
    const silent = await silentConnections(1, port, from);
    t.teardown(() => silent.end());
    await delay(20);
    return silent;
  };
  const busy = await open('127.0.0.2');
  const idle = await open('127.0.0.3');
  const lively = await open('127.0.0.4');
  lively.sockets[0]?.write('x');
  await delay(1200);
  const newcomer = await open('127.0.0.5');
  t.same([busy.open(), idle.open(), lively.open(), newcomer.open()], [1, 0, 1, 1]);
  t.match(listener.connections, { counted: 3, cut: 1 });
});

t.test('F9: a trusted proxy may have more connections than others', async (t) => {
  const gateway = await startGateway({
    listen: true,
    limits: { ...gatewayLimits, firstByteMs: 60_000 },
    trustedProxies: new TrustedProxies('127.0.0.77'),
  });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const proxy = await silentConnections(40, port, '127.0.0.77');
  t.teardown(() => proxy.end());
  const stranger = await silentConnections(40, port, '127.0.0.78');
  t.teardown(() => stranger.end());
  await delay(200);
  t.equal(proxy.open(), 40);
  t.equal(stranger.open(), limits.connectionsPerAddressMax);
});

t.test('F9: gRPC goes on under silent connections', async (t) => {
  const server = new GrpcServer(deps, { limits: { ...peerServerLimits, listener: limits }, errorView: peerErrorView });
  server.add<grpc.health.v1.Health, null>({
    service: grpc.health.v1.Health,
    admit: () => null,
    handlers: healthHandlers([]),
  });
  const port = await server.listen('127.0.0.1:0', h2);
  t.teardown(() => server.stop());
  const credentials = ChannelCredentials.createSsl(Buffer.from(authority.certificatePem));
  await attack(t, port, async () => {
    const client = new GrpcClient(`dns:127.0.0.1:${port}`, credentials, peerClientLimits);
    const { status } = await client.calls(grpc.health.v1.Health).check({}, { timeoutMs: 5000 });
    t.equal(status, grpc.health.v1.HealthCheckResponse.ServingStatus.SERVING);
    client.close();
  });
});

t.test('F9: peers are served under silent connections, and do not count as strangers', async (t) => {
  const [h1, h2] = [hostOf(authority), hostOf(authority)];
  let server: PeerServer | undefined;
  const address = await serve(t, h1, {
    limits: { ...peerServerLimits, listener: limits },
    handlers: { probe: async () => ({}) },
    started: (made) => {
      server = made;
    },
  });
  const addresses = new Map([[h1.identity.hostId, address]]);
  const probe = async (): Promise<void> => {
    const clients = clientsOf(t, h2, addresses);
    await clients.to(h1.identity.hostId).calls.probe({}, { timeoutMs: 5000 });
  };
  await attack(t, Number(address.split(':')[1]), probe);
  for (let n = 0; n < limits.connectionsPerAddressMax + 5; n++) await probe();
  t.equal(server?.connections.counted, 0, 'none of them is counted');
});

void t.test(
  'everybody who waits for a listener to be drained hears of it, and nobody waits for longer than told',
  async (t) => {
    const listener = new Listener(deps, { limits, onConnection: () => {} });
    const socket = new Socket();
    await listener.drained(60_000);
    listener.request(socket, 1);
    const waits = [listener.drained(60_000), listener.drained(60_000)];
    await listener.drained(1);
    listener.request(socket, 1);
    listener.request(socket, -1);
    t.equal(await Promise.race([...waits, delay(50, 'waits')]), 'waits', 'one request is under way');
    listener.request(socket, -1);
    t.same(await Promise.all(waits), [undefined, undefined]);
    socket.destroy();
  },
);
