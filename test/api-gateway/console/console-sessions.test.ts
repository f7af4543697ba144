/** Consoles over WebSockets at an agent: who is let in, how it ends, and the page that a browser opens. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { consolePageModule } from '../../../api-gateway/console/page-module.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId } from '../../../node/base/ids.ts';
import { FakeConsoleDoor } from '../../node/services/compute-world.ts';
import { startGateway } from '../../support/gateway.ts';

const hostId = '1'.repeat(32) as HostId;
/** Far above what a loaded machine takes. */
const timeoutMs = 15_000;

async function agent(t: Test) {
  const consoles = new FakeConsoleDoor();
  const gateway = await startGateway({ listen: true, consoles, modules: () => [consolePageModule()] });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const grant = (kind: 'vnc' | 'serial' = 'serial', sessionToken = ''): string =>
    consoles.grant({ serverId: 'server-1', hostId, kind, sessionToken });
  const open = (path: string, headers: Readonly<Record<string, string>> = {}, protocols = ['binary']): WebSocket =>
    new WebSocket(`ws://127.0.0.1:${port}/${path}`, protocols, { headers });
  return { gateway, port, grant, open };
}

/** Status with which an upgrade was refused; 101: it was not. */
async function statusOf(socket: WebSocket): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  socket.once('open', () => resolve(101));
  socket.once('unexpected-response', (_request, response) => {
    resolve(response.statusCode ?? 0);
    socket.terminate();
  });
  socket.on('error', reject);
  return promise;
}

const closeOf = async (socket: WebSocket): Promise<number> =>
  (await once(socket, 'close', { signal: AbortSignal.timeout(timeoutMs) }))[0];

void t.test('a token opens one session, in which bytes go both ways', async (t) => {
  const { grant, open } = await agent(t);
  const token = grant();
  const socket = open(`console/serial?token=${token}`);
  t.equal(await statusOf(socket), 101);
  t.equal(socket.protocol, 'binary', "noVNC's subprotocol");
  // 4 MiB through a session whose reader is slow: nothing is lost, and nothing piles up without end.
  const sent = Buffer.alloc(64 * 1024, 'x');
  let received = 0;
  socket.on('message', (data) => {
    received += Buffer.isBuffer(data) ? data.length : 0;
  });
  for (let round = 0; round < 64; round += 1) socket.send(sent);
  while (received < 64 * sent.length) await once(socket, 'message', { signal: AbortSignal.timeout(timeoutMs) });
  t.equal(received, 64 * sent.length);
  const closed = closeOf(socket);
  socket.close(1000);
  t.equal(await closed, 1000);
  t.equal(await statusOf(open(`console/serial?token=${token}`)), 404, 'it is used up');
  const plain = open(`console/serial?token=${grant()}`, {}, []);
  t.equal(await statusOf(plain), 101, 'clients that name no subprotocol are let in');
  plain.terminate();
});

void t.test('what is no console, or of another kind, is refused in plain HTTP', async (t) => {
  const { grant, open } = await agent(t);
  for (const path of ['console/serial', 'console/serial?token=bad', `console/other?token=${grant()}`, 'console/']) {
    t.equal(await statusOf(open(path)), 404, path);
  }
  t.equal(await statusOf(open(`console/vnc?token=${grant('serial')}`)), 404, 'a serial token opens no screen');
  t.equal(await statusOf(open(`console/serial?token=bad${grant('serial')}`)), 404);
});

void t.test('F: a page of another origin is refused, whatever token it has (CVE-2015-0259)', async (t) => {
  const { grant, open, port } = await agent(t);
  const token = grant();
  for (const origin of [
    'http://evil.example',
    `http://127.0.0.1:${port + 1}`,
    `https://127.0.0.1:${port}`,
    'null',
    'x',
  ]) {
    t.equal(await statusOf(open(`console/serial?token=${token}`, { origin })), 403, origin);
  }
  const own = open(`console/serial?token=${token}`, { origin: `http://127.0.0.1:${port}` });
  t.equal(await statusOf(own), 101, 'and the token is good still');
  own.terminate();
});

void t.test('a session ends when the right of its owner does', async (t) => {
  const { gateway, grant, open } = await agent(t);
  const socket = open(`console/serial?token=${grant('serial', gateway.token)}`);
  t.equal(await statusOf(socket), 101);
  const closed = closeOf(socket);
  const revoked = await gateway.call('DELETE', '/identity/v3/auth/tokens', {
    headers: { 'x-subject-token': gateway.token },
  });
  t.equal(revoked.statusCode, 204);
  t.equal(await closed, 1008);
});

void t.test('a stop of the agent ends its sessions, and takes no longer for them', async (t) => {
  const { gateway, grant, open } = await agent(t);
  const socket = open(`console/serial?token=${grant()}`);
  t.equal(await statusOf(socket), 101);
  const closed = closeOf(socket);
  await gateway.server.stop();
  t.ok([1001, 1005, 1006].includes(await closed));
});

void t.test('an upgrade to anything else is a request like any', async (t) => {
  const { port } = await agent(t);
  for (const [path, upgrade, status] of [
    ['/identity/v3', 'h2c', 200],
    ['/identity/v3', 'websocket', 200],
    ['/console/vnc_auto.html', 'h2c', 200],
  ] as const) {
    const headers = { connection: 'Upgrade', upgrade };
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    httpRequest({ host: '127.0.0.1', port, path, headers }, (response) => {
      resolve(response.statusCode ?? 0);
      response.resume();
    })
      .on('error', reject)
      .end();
    t.equal(await promise, status, `${path} ${upgrade}`);
  }
});

void t.test('the page shows noVNC, runs its own scripts alone, and gives its address to nobody', async (t) => {
  const { gateway } = await agent(t);
  const get = (path: string) => gateway.call('GET', path, { token: null });
  const page = await get('/console/vnc_auto.html?path=console%2Fvnc%3Ftoken%3Dx');
  t.equal(page.statusCode, 200);
  t.match(page.headers['content-type'], /^text\/html/);
  t.match(page.body, /<title>noVNC<\/title>/);
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self'/);
  t.equal(page.headers['referrer-policy'], 'no-referrer');
  t.notMatch(page.body, /<script(?![^>]* src=)/, 'no script is in the page itself');
  for (const name of ['screen.mjs', 'novnc/core/rfb.js', 'novnc/vendor/pako/lib/zlib/inflate.js']) {
    const program = await get(`/console/${name}`);
    t.equal(program.statusCode, 200, name);
    t.match(program.headers['content-type'], /^text\/javascript/, name);
  }
  for (const name of ['novnc/package.json', 'novnc/../../../package.json', 'novnc/%2e%2e%2fpackage.json', 'other']) {
    t.equal((await get(`/console/${name}`)).statusCode, 404, name);
  }
});

void t.test('a console whose host is away is said to be so', async (t) => {
  const gateway = await startGateway({
    listen: true,
    consoles: {
      open: async () => {
        throw new ShoalError('UNAVAILABLE', 'The host does not answer.');
      },
    },
  });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/console/vnc?token=${'0'.repeat(64)}`);
  t.equal(await statusOf(socket), 503);
});
