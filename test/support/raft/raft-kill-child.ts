/**
 * One member of a Raft group as a process of its own, to be killed. Talks to the others over loopback TCP: frames of JSON.
 * The mesh's gRPC has its own tests; what is proved here is that what was acknowledged is on the disk.
 *
 * Arguments: folder, own number, and the ports of members 1..n on 127.0.0.1. The parent speaks lines of JSON on standard
 * input and hears lines of JSON on standard output.
 */
import { randomUUID } from 'node:crypto';
import { createConnection, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { systemClock } from '../../../node/base/clock.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { Prng } from '../../../node/base/prng.ts';
import { silentLogger } from '../../../node/base/telemetry/logger.ts';
import { AutopilotLoop } from '../../../node/consensus/client/autopilot-loop.ts';
import { RaftStateClient } from '../../../node/consensus/client/state-client.ts';
import { RaftLoop } from '../../../node/consensus/loop/loop.ts';
import {
  messageFromWire,
  messageToWire,
  snapshotPartFromWire,
  snapshotPartToWire,
} from '../../../node/consensus/transport/codec.ts';
import type {
  RaftHandlers,
  RaftTransport,
  SnapshotPart,
  SnapshotRequest,
} from '../../../node/consensus/transport/transport.ts';
import { askPort } from '../../../node/mesh/peers/port-probe.ts';
import { decodeCommand } from '../../../node/state/command.ts';
import { digestText } from '../../../node/state/digest.ts';
import type { TransactionOutcome } from '../../../node/state/types.ts';
import { openLevelLogStore } from '../../../node/store/index.ts';
import { shoal } from '../../../proto/messages.ts';

const [folder = '', selfText = '', ...portTexts] = process.argv.slice(2);
const self = Number(selfText);
const ports = portTexts.map(Number);

type Frame =
  | { readonly kind: 'message'; readonly bytes: string }
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: 'propose' | 'readIndex' | 'snapshot';
      readonly body: string;
    }
  | { readonly kind: 'part'; readonly id: number; readonly bytes: string }
  | { readonly kind: 'answer'; readonly id: number; readonly body: string }
  | { readonly kind: 'error'; readonly id: number; readonly code: string; readonly message: string };

interface Call {
  readonly onPart: (bytes: string) => void;
  readonly resolve: (body: string) => void;
  readonly reject: (error: ShoalError) => void;
}

let handlers: RaftHandlers | undefined;
const calls = new Map<number, Call>();
let callCount = 0;
const links = new Map<number, Socket>();

function linkTo(peer: number): Socket {
  const open = links.get(peer);
  if (open !== undefined && !open.destroyed) return open;
  const socket = createConnection({ host: '127.0.0.1', port: ports[peer - 1] ?? 0 });
  socket.setNoDelay(true);
  links.set(peer, socket);
  const mine = new Set<number>();
  Object.assign(socket, { mine });
  socket.on('error', (error) => {
    if ('code' in error && error.code === 'ECONNREFUSED') handlers?.onGone(peer);
  });
  socket.on('close', () => {
    if (links.get(peer) === socket) links.delete(peer);
    for (const id of mine) fail(id, 'OUTCOME_UNKNOWN', 'the connection broke');
    handlers?.onUnreachable(peer);
  });
  send(socket, { from: self });
  onLines(socket, (line) => onFrame(line as Frame, peer, socket));
  socketCalls.set(socket, mine);
  return socket;
}
const socketCalls = new WeakMap<Socket, Set<number>>();

function send(socket: Socket, frame: Frame | { readonly from: number }): void {
  if (socket.writableLength < 64 * 1024 * 1024) socket.write(`${JSON.stringify(frame)}\n`);
}

function onLines(socket: Socket, take: (value: unknown) => void): void {
  const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY });
  // The interface passes the socket's errors on; `close` is where they are dealt with.
  lines.on('error', () => {});
  lines.on('line', (line) => take(JSON.parse(line)));
}

function fail(id: number, code: string, message: string): void {
  const call = calls.get(id);
  calls.delete(id);
  call?.reject(
    new ShoalError(
      code === 'NOT_LEADER' || code === 'NO_QUORUM' || code === 'PROPOSAL_DROPPED' ? code : 'OUTCOME_UNKNOWN',
      message,
    ),
  );
}

function onFrame(frame: Frame, peer: number, socket: Socket): void {
  switch (frame.kind) {
    case 'message': {
      const message = messageFromWire(shoal.v1.RaftMessage.decode(Buffer.from(frame.bytes, 'base64')), peer);
      if (message !== undefined) handlers?.onMessage(message);
      return;
    }
    case 'call':
      void answer(frame, peer, socket);
      return;
    case 'part':
      calls.get(frame.id)?.onPart(frame.bytes);
      return;
    case 'answer': {
      const call = calls.get(frame.id);
      calls.delete(frame.id);
      call?.resolve(frame.body);
      return;
    }
    case 'error':
      fail(frame.id, frame.code, frame.message);
  }
}

async function answer(frame: Extract<Frame, { kind: 'call' }>, peer: number, socket: Socket): Promise<void> {
  const { id, method, body } = frame;
  try {
    if (handlers === undefined) throw new ShoalError('NOT_LEADER', 'not running');
    const { signal } = new AbortController();
    if (method === 'propose') {
      const outcome = await handlers.propose(decodeCommand(Buffer.from(body, 'base64')), signal);
      send(socket, { kind: 'answer', id, body: JSON.stringify(outcome) });
    } else if (method === 'readIndex') {
      send(socket, { kind: 'answer', id, body: String(await handlers.readIndex(signal)) });
    } else {
      for await (const part of handlers.snapshot(peer, JSON.parse(body) as SnapshotRequest, signal)) {
        const bytes = shoal.v1.SnapshotChunk.encode(snapshotPartToWire(part)).finish();
        send(socket, { kind: 'part', id, bytes: Buffer.from(bytes).toString('base64') });
      }
      send(socket, { kind: 'answer', id, body: '' });
    }
  } catch (error) {
    const known = ShoalError.from(error, 'UNAVAILABLE');
    send(socket, { kind: 'error', id, code: known.code, message: known.message });
  }
}

function call(
  peer: number,
  method: 'propose' | 'readIndex' | 'snapshot',
  body: string,
  signal: AbortSignal,
  onPart: Call['onPart'] = () => {},
): Promise<string> {
  const socket = linkTo(peer);
  callCount += 1;
  const id = callCount;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  calls.set(id, { onPart, resolve, reject });
  socketCalls.get(socket)?.add(id);
  signal.addEventListener('abort', () => fail(id, 'OUTCOME_UNKNOWN', 'given up'), { once: true });
  send(socket, { kind: 'call', id, method, body });
  return promise;
}

const transport: RaftTransport = {
  attach: (next) => {
    handlers = next;
  },
  send: (message) => {
    const bytes = shoal.v1.RaftMessage.encode(messageToWire(message)).finish();
    send(linkTo(message.to), { kind: 'message', bytes: Buffer.from(bytes).toString('base64') });
  },
  presence: (peer, timeoutMs) => askPort(systemClock, `127.0.0.1:${ports[peer - 1] ?? 0}`, timeoutMs),
  forwardPropose: async (leader, command, signal) =>
    JSON.parse(await call(leader, 'propose', Buffer.from(command).toString('base64'), signal)) as TransactionOutcome,
  forwardReadIndex: async (leader, signal) => Number(await call(leader, 'readIndex', '', signal)),
  async *fetchSnapshot(from, request, signal): AsyncGenerator<SnapshotPart> {
    const parts: SnapshotPart[] = [];
    await call(from, 'snapshot', JSON.stringify(request), signal, (bytes) => {
      parts.push(snapshotPartFromWire(shoal.v1.SnapshotChunk.decode(Buffer.from(bytes, 'base64'))));
    });
    yield* parts;
  },
};

const server = createServer((socket) => {
  let peer = 0;
  socket.setNoDelay(true);
  socket.on('error', () => {});
  onLines(socket, (line) => {
    if (peer === 0) peer = (line as { from: number }).from;
    else onFrame(line as Frame, peer, socket);
  });
});
await new Promise<void>((resolve) => server.listen(ports[self - 1], '127.0.0.1', resolve));

const log = await openLevelLogStore({ folder, raftId: self, bootstrap: self === 1 });
const loop = new RaftLoop(
  {
    clock: systemClock,
    logger: silentLogger,
    random: new Prng(process.pid),
    transport,
    log,
    onFatal: (error) => {
      console.error(error);
      process.exit(1);
    },
  },
  { tickMs: 50, silenceMs: 400, logBytesMax: 512 * 1024, logBytesHard: 1024 * 1024 },
);
await loop.start();
const state = new RaftStateClient({ loop, transport, clock: systemClock, uniqueName: randomUUID() });
const autopilot = new AutopilotLoop({ loop, state, clock: systemClock, logger: silentLogger });
await autopilot.start();

function tell(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

interface Request {
  readonly id: number;
  readonly op: 'commit' | 'read' | 'status' | 'digest';
  readonly revision?: number;
  readonly transaction?: { readonly compares: []; readonly thenOps: { kind: 'put'; key: string; text: string }[] };
  readonly token?: string;
  readonly keys?: readonly string[];
}

async function serve(request: Request): Promise<unknown> {
  switch (request.op) {
    case 'commit':
      return state.commit(
        {
          compares: [],
          thenOps: (request.transaction?.thenOps ?? []).map(({ kind, key, text }) => ({
            kind,
            key,
            value: new TextEncoder().encode(text),
          })),
          elseOps: [],
        },
        { clientToken: request.token ?? '' },
      );
    case 'read': {
      const reader = await state.fresh();
      return (request.keys ?? []).map((key) => {
        const found = reader.get(key);
        return found === undefined ? undefined : new TextDecoder().decode(found.value);
      });
    }
    case 'digest': {
      const digest = loop.digestAt(request.revision ?? 0);
      return digest === undefined ? undefined : digestText(digest);
    }
    case 'status':
      return { ...state.status(), quarantine: loop.quarantine, findings: log.findings };
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line) as Request;
  serve(request).then(
    (result) => tell({ id: request.id, result }),
    (error: unknown) => tell({ id: request.id, error: ShoalError.from(error, 'UNAVAILABLE').code }),
  );
});
process.stdin.on('end', () => process.exit(0));
tell({ ready: true });
