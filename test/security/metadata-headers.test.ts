/** A65: the metadata server goes by the connection alone; what a guest says of itself in headers and URLs changes nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { metadataFileName } from '../../drivers/vxlan/model/metadata.ts';
import { freePort } from '../support/free-port.ts';

const script = fileURLToPath(new URL('../../drivers/vxlan/services/metadata-server.pl', import.meta.url));
const path = '/openstack/latest/meta_data.json';

const folder = await mkdtemp(join(tmpdir(), 'shoal-md-'));
for (const guest of ['127.0.0.2', '127.0.0.3']) {
  await mkdir(join(folder, guest));
  await writeFile(join(folder, guest, metadataFileName(path)), guest);
}
const port = await freePort();
const server: ChildProcess = spawn('perl', ['-T', script, '127.0.0.1', String(port), folder], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
t.teardown(async () => {
  server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});
if (server.stdout !== null) await once(server.stdout, 'data');

/** What 127.0.0.2 gets for these bytes: status line and body. */
async function ask(head: string): Promise<{ readonly status: string; readonly body: string }> {
  const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
  socket.setTimeout(8_000, () => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(head);
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString();
  return { status: text.split('\r\n')[0] ?? '', body: text.slice(text.indexOf('\r\n\r\n') + 4) };
}

await t.test('A65: headers that proxies set, or that OpenStack’s own proxy sets, name nobody', async (t) => {
  const victim = '127.0.0.3';
  const names = [
    ...['X-Forwarded-For', 'X-Forwarded-Host', 'X-Real-IP', 'X-Client-IP', 'X-Remote-Addr', 'X-Original-Forwarded-For'],
    ...['True-Client-IP', 'CF-Connecting-IP', 'Client-IP', 'Via', 'X-Originating-IP', 'X-Cluster-Client-IP'],
    ...['X-Instance-ID', 'X-Instance-ID-Signature', 'X-Tenant-ID', 'X-Project-ID', 'X-Metadata-Provider', 'X-LB-ID'],
    ...['X-OVN-Network-ID', 'X-Neutron-Network-ID', 'X-Neutron-Router-ID', 'X-Auth-Token', 'X-aws-ec2-metadata-token'],
  ];
  const headers = [...names.map((name) => `${name}: ${victim}`), `Forwarded: for=${victim};host=${victim}`];
  for (const header of [...headers, headers.join('\r\n'), `x-forwarded-for: ${victim}, ${victim}`]) {
    const answer = await ask(`GET ${path} HTTP/1.1\r\nHost: 169.254.169.254\r\n${header}\r\nConnection: close\r\n\r\n`);
    t.match(answer, { status: /^HTTP\/1\.1 200 /, body: '127.0.0.2' }, header.slice(0, 80));
  }
});

await t.test('A65: nor do host names, whole URLs and tricks with lines', async (t) => {
  const heads = [
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.3\r\nConnection: close\r\n\r\n`,
    `GET http://127.0.0.3${path} HTTP/1.1\r\nHost: 127.0.0.3\r\nConnection: close\r\n\r\n`,
    `GET //127.0.0.3${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET /../127.0.0.3${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `GET /%2e%2e/127.0.0.3${path.replaceAll('/', '%2F')} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    `CONNECT 127.0.0.3:80 HTTP/1.1\r\nHost: 127.0.0.3\r\n\r\n`,
    `PROXY TCP4 127.0.0.3 127.0.0.1 1 80\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX: a\nX-Forwarded-For: 127.0.0.3\r\nConnection: close\r\n\r\n`,
    `GET ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n`,
  ];
  for (const head of heads) {
    const { status, body } = await ask(head);
    t.notMatch(body, '127.0.0.3', JSON.stringify(head.slice(0, 60)));
    t.match(status, /^$|^HTTP\/1\.1 (200|400|404|405) /, status);
  }
  const answer = await ask(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  t.equal(answer.body, '127.0.0.2', 'and it goes on');
});
