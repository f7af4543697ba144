/**
 * The host's one metadata server: a process of its own that goes on when the agent is gone. It knows nothing but a folder:
 * a request from address A is answered with the file FOLDER/A/PATH (the path percent-encoded, see
 * ../model/metadata.ts), read again each time. No file, no answer (404). It imports nothing of ours, so that it stays
 * small.
 *
 *     node --max-old-space-size=32 metadata-server.ts ADDRESS PORT FOLDER [UID]
 *
 * With UID, user and group number, it lets go of every right but that one's before it hears the first guest: whatever a
 * guest makes of it can read the files of that group, which are these, and nothing else that is not open to all.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { isIPv4, type Socket } from 'node:net';
import { join } from 'node:path';

/** Connections of all guests of this host. One more makes room by cutting the oldest that has asked for nothing. */
const connectionsMax = 512;
/** Of these, one guest's: cloud-init asks on one connection at a time. */
const connectionsPerGuestMax = 16;
/** Time to the first byte, and to the end of a request's head, once more at the most (see `connectionsCheckingInterval`). */
const headTimeoutMs = 5_000;
/** A request has no body worth reading, and its headers are few. */
const headerBytesMax = 8 * 1024;
/** A slow client holds a connection no longer than this. */
const requestTimeoutMs = 10_000;
/** What ../model/metadata.ts lets be written. Longer names are not there. */
const fileNameBytesMax = 255;

const [address = '', port = '', folder = '', uid = ''] = process.argv.slice(2);
if (!isIPv4(address) || !/^\d{1,5}$/.test(port) || !folder.startsWith('/') || !/^\d{0,10}$/.test(uid)) {
  console.error('usage: metadata-server.ts ADDRESS PORT FOLDER [UID]');
  process.exit(2);
}
// From here its files are found without the way to them, which may be the agent's alone.
process.chdir(folder);

/** Who is connected, oldest first, with the guest's address; and who of them waits for an answer. */
const connections = new Map<Socket, string>();
const asking = new Set<Socket>();

const server = createServer(
  {
    maxHeaderSize: headerBytesMax,
    requestTimeout: requestTimeoutMs,
    headersTimeout: headTimeoutMs,
    connectionsCheckingInterval: 1_000,
  },
  (request, response) => {
    const { socket } = request;
    asking.add(socket);
    response.once('close', () => asking.delete(socket));
    answer(request, response).catch((error: unknown) => {
      console.error(`${request.socket.remoteAddress} ${String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  },
);
// A client may close its own half once it has asked (nc does); without this node:http would drop the answer then.
Object.assign(server, { httpAllowHalfOpen: true });
server.on('connection', (socket) => {
  const guest = socket.remoteAddress ?? '';
  const own = [...connections].filter(([, of]) => of === guest).map(([connection]) => connection);
  const isTooMany = own.length >= connectionsPerGuestMax;
  if (isTooMany || connections.size >= connectionsMax) {
    const oldestIdle = (isTooMany ? own : [...connections.keys()]).find((connection) => !asking.has(connection));
    if (oldestIdle === undefined) {
      socket.destroy();
      return;
    }
    connections.delete(oldestIdle);
    oldestIdle.destroy();
  }
  connections.set(socket, guest);
  socket.once('close', () => connections.delete(socket));
});
server.keepAliveTimeout = 1_000;
server.on('error', (error) => {
  console.error(`cannot listen on ${address}:${port}: ${error.message}`);
  process.exit(1);
});
server.listen(Number(port), address, () => {
  if (uid !== '') becomeUser(Number(uid));
  console.log(`listening on ${address}:${port}`);
});

/** Once and for all: with the user number go the capabilities to take it back. */
function becomeUser(number: number): void {
  process.setgroups?.([]);
  process.setgid?.(number);
  process.setuid?.(number);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.resume();
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response, 405, 'text/plain', Buffer.from('only GET and HEAD\n'), { Allow: 'GET, HEAD' });
    return;
  }
  const guest = (request.socket.remoteAddress ?? '').replace('::ffff:', '');
  const path = pathOf(request.url ?? '/');
  // An index is asked for with and without its slash.
  const other = path?.endsWith('/') ? path.slice(0, -1) : `${path}/`;
  for (const candidate of path === undefined || !isIPv4(guest) ? [] : [path, other]) {
    const name = encodeURIComponent(candidate);
    // Encoded, the name has no slash, and it begins with one, so it is never `..`.
    if (!candidate.startsWith('/') || name.length > fileNameBytesMax) continue;
    try {
      const body = await readFile(join(guest, name));
      send(response, 200, typeOf(candidate), body, {});
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  send(response, 404, 'text/plain', Buffer.from('not found\n'), {});

  function send(to: ServerResponse, status: number, type: string, body: Buffer, headers: Record<string, string>): void {
    to.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length, ...headers });
    to.end(request.method === 'HEAD' ? undefined : body);
  }
}

/** User data is whatever its owner sent: no text, unless the guest finds that it is. */
function typeOf(path: string): string {
  if (path.endsWith('.json')) return 'application/json';
  return /\/user[_-]data$/.test(path) ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

/** The decoded path of a URL; undefined when its percent signs make no sense. */
function pathOf(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split('?')[0] ?? '/').replace(/\/{2,}/g, '/');
  } catch {
    // Malformed percent-encoding: such a path has no file.
    return undefined;
  }
}
