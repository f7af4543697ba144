/** The metadata server as a process of its own, on loopback: who asks from 127.0.0.N is guest 127.0.0.N. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { metadataFileName } from '../../../drivers/vxlan/model/metadata.ts';
import { freePort } from '../../support/free-port.ts';

const script = fileURLToPath(new URL('../../../drivers/vxlan/services/metadata-server.pl', import.meta.url));

const folder = await mkdtemp(join(tmpdir(), 'shoal-md-'));
const files: readonly (readonly [string, string, string])[] = [
  ['127.0.0.2', '/latest/meta-data/', 'hostname'],
  ['127.0.0.2', '/latest/meta-data/hostname', 'two'],
  ['127.0.0.2', '/openstack/latest/meta_data.json', '{"uuid":"two"}'],
  ['127.0.0.3', '/latest/meta-data/hostname', 'three'],
];
for (const [guest, path, body] of files) {
  await mkdir(join(folder, 'metadata', guest), { recursive: true });
  await writeFile(join(folder, 'metadata', guest, metadataFileName(path)), body);
}
await writeFile(join(folder, 'secret'), 'secret');

const port = await freePort();
const server: ChildProcess = spawn('perl', ['-T', script, '127.0.0.1', String(port), join(folder, 'metadata')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
t.teardown(async () => {
  server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});
if (server.stdout !== null) await once(server.stdout, 'data');

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function ask(guest: string, path: string, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, method, localAddress: guest }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

await t.test('each guest gets its own files', async (t) => {
  t.equal((await ask('127.0.0.2', '/latest/meta-data/hostname')).body, 'two');
  t.equal((await ask('127.0.0.3', '/latest/meta-data/hostname')).body, 'three');
  t.equal((await ask('127.0.0.4', '/latest/meta-data/hostname')).status, 404);
});

await t.test('an index is found with and without its slash, and JSON is called JSON', async (t) => {
  t.equal((await ask('127.0.0.2', '/latest/meta-data')).body, 'hostname');
  t.equal((await ask('127.0.0.2', '//latest/meta-data/?x=1')).body, 'hostname');
  t.match(await ask('127.0.0.2', '/openstack/latest/meta_data.json'), { type: 'application/json', status: 200 });
  t.match(await ask('127.0.0.2', '/latest/meta-data/hostname'), { type: /^text\/plain/ });
});

await t.test('no path climbs out of the guest’s folder', async (t) => {
  for (const path of [
    '/../127.0.0.3/latest/meta-data/hostname',
    '/%2e%2e/127.0.0.3/%2Flatest%2Fmeta-data%2Fhostname',
    '/..%2f..%2fsecret',
    '/../../secret',
    '/%00',
    '/%',
    '/%ff',
    `/${'x'.repeat(2000)}`,
    '*',
  ]) {
    t.equal((await ask('127.0.0.2', path)).status, 404, path.slice(0, 60));
  }
});

await t.test('only GET and HEAD are answered', async (t) => {
  t.equal((await ask('127.0.0.2', '/latest/meta-data/hostname', 'POST')).status, 405);
  t.match(await ask('127.0.0.2', '/latest/meta-data/hostname', 'HEAD'), { status: 200, body: '' });
});

await t.test('a guest tells its password once, where it has none, and no more than Nova keeps', async (t) => {
  const folderOfGuest = join(folder, 'metadata', '127.0.0.2');
  const passwordFile = join(folderOfGuest, metadataFileName('/openstack/latest/password'));
  const posted = join(folder, 'metadata', 'posted', '127.0.0.2');
  await mkdir(join(folder, 'metadata', 'posted'));
  const post = (path: string, body: string, more = '') =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.on('error', reject).on('close', () => resolve(answer.slice(9, 12)));
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${more}Content-Length: ${body.length}\r\n\r\n`);
      // As clients send it: after the head, in pieces.
      socket.write(body.slice(0, 3));
      setTimeout(() => socket.end(body.slice(3)), 20);
    });
  const path = '/openstack/latest/password';
  t.equal(await post(path, 'secret'), '405', 'nobody is at that path');
  await writeFile(passwordFile, '');
  t.equal(await post('/latest/meta-data/hostname', 'secret'), '405', 'nothing else is told');
  t.equal(await post(path, 'x'.repeat(1021)), '400', 'too long');
  t.equal(await post(path, 'not one word'), '400');
  t.equal(await post(path, ''), '400');
  t.equal(await post(path, 'secret', 'Expect: nothing\r\n'), '200');
  t.equal(await readFile(posted, 'utf8'), 'secret');
  t.equal(await post(path, 'another'), '409', 'once');
  await rm(posted);
  await writeFile(passwordFile, 'secret');
  t.equal((await ask('127.0.0.2', path)).body, 'secret');
  t.equal(await post(path, 'another'), '409', 'nor while it has one');
  await writeFile(passwordFile, '');
  t.equal(await post(path, 'x'.repeat(1020)), '200', 'its owner has cleared it');
  t.equal((await readFile(posted, 'utf8')).length, 1020);
});

await t.test('files are read again for each request', async (t) => {
  const path = join(folder, 'metadata', '127.0.0.2', metadataFileName('/latest/user-data'));
  t.equal((await ask('127.0.0.2', '/latest/user-data')).status, 404);
  await writeFile(path, '#cloud-config');
  t.equal((await ask('127.0.0.2', '/latest/user-data')).body, '#cloud-config');
  await rm(path);
  t.equal((await ask('127.0.0.2', '/latest/user-data')).status, 404);
});

await t.test('a client that closes its own half once it has asked gets its answer', async (t) => {
  for (let round = 0; round < 20; round++) {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2', allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.end('GET /latest/meta-data/hostname HTTP/1.0\r\n\r\n');
    await once(socket, 'end');
    t.match(answer, /two$/);
  }
});

await t.test('garbage and oversized headers end the connection, not the server', async (t) => {
  for (const noise of ['\0\0\0\r\n\r\n', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'y'.repeat(20_000)}\r\n\r\n`]) {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
    socket.on('error', () => {}).resume();
    socket.write(noise);
    await once(socket, 'close');
  }
  t.equal((await ask('127.0.0.2', '/latest/meta-data/hostname')).body, 'two');
});

t.test('F9: a guest that opens connections and says nothing keeps nobody else out, and is cut', async (t) => {
  let open = 0;
  const sockets = Array.from({ length: 700 }, () => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.66' });
    socket.on('connect', () => {
      open += 1;
    });
    socket.on('close', () => {
      open -= 1;
    });
    socket.on('error', () => {});
    return socket.resume();
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  await once(sockets[sockets.length - 1] ?? server, 'connect');
  t.match(await ask('127.0.0.3', '/latest/meta-data/hostname'), { status: 200, body: 'three' });
  await delay(300);
  t.ok(open <= 16, `${open} are left at once`);
  await delay(7_000);
  t.equal(open, 0, 'and none after the time for a first byte');
  t.match(await ask('127.0.0.66', '/latest/meta-data/hostname'), { status: 404 });
});
