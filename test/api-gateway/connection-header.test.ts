/** api 2: a client that asks for the end of a connection is told of it in every answer, also in a refusal. */
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { startGateway } from '../support/gateway.ts';

/** One HTTP answer of a socket: head and body, by Content-Length. */
async function answerOf(socket: Socket): Promise<string> {
  let text = '';
  for (;;) {
    const bodyAt = text.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (bodyAt >= 0 && text.length >= bodyAt + 4 + length) return text;
    const chunk: Buffer | null = await new Promise((resolve) => {
      const done = (value: Buffer | null) => () => {
        socket.off('end', onEnd);
        resolve(value);
      };
      const onEnd = done(null);
      socket.once('end', onEnd);
      socket.once('data', (data: Buffer) => done(data)());
    });
    if (chunk === null) return text;
    text += chunk.toString('latin1');
  }
}

const json = 'content-type: application/json\r\n';
/** Requests, each with the status it gets. */
const requests: readonly [number, string, string, string][] = [
  [200, 'GET /identity/v3', '', ''],
  [400, 'POST /identity/v3/auth/tokens', json, '{"auth":1}'],
  [400, 'POST /identity/v3/auth/tokens', json, '{'],
  [401, 'GET /identity/v3/users', '', ''],
  [404, 'GET /nothing/here', '', ''],
  [405, 'PUT /identity/v3/auth/tokens', '', ''],
  [413, 'POST /identity/v3/auth/tokens', json, `{"x":"${'y'.repeat(70_000)}"}`],
  [415, 'POST /identity/v3/auth/tokens', 'content-type: text/plain\r\n', 'x'],
];

function sent([, line, headers, body]: (typeof requests)[number], more: string): string {
  return `${line} HTTP/1.1\r\nhost: a\r\n${headers}${more}content-length: ${body.length}\r\n\r\n${body}`;
}

async function open(t: Test, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  await new Promise((resolve) => socket.once('connect', resolve));
  t.teardown(() => socket.destroy());
  return socket;
}

t.test('Connection: close is answered as such, whatever the status, and then the connection ends', async (t) => {
  const gateway = await startGateway({ listen: true, limits: { jsonBodyBytesMax: 65_536 } });
  t.teardown(() => gateway.stop());
  const port = gateway.server.addresses[0]?.port ?? 0;
  for (const request of requests) {
    for (const asked of ['close', 'Close', 'TE, close']) {
      const socket = await open(t, port);
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.write(sent(request, `connection: ${asked}\r\n`));
      const answer = await answerOf(socket);
      t.match(answer, new RegExp(`^HTTP/1.1 ${request[0]} `), request[1]);
      t.match(answer, /\r\nconnection: close\r\n/i, `${request[0]} says so`);
      await ended;
    }
  }
});

t.test('without it one connection carries them all', async (t) => {
  const gateway = await startGateway({ listen: true, limits: { jsonBodyBytesMax: 65_536 } });
  t.teardown(() => gateway.stop());
  const socket = await open(t, gateway.server.addresses[0]?.port ?? 0);
  for (const request of [...requests, ...requests]) {
    socket.write(sent(request, ''));
    const answer = await answerOf(socket);
    t.match(answer, new RegExp(`^HTTP/1.1 ${request[0]} `), request[1]);
    t.notMatch(answer, /\r\nconnection: close\r\n/i);
  }
});
