/**
 * A client of the NBD protocol (as the NetworkBlockDevice project writes it down), as far as Shoal reads and writes disks with
 * it: fixed newstyle negotiation, structured replies, `base:allocation`. One request at a time.
 */
import { connect, type Socket } from 'node:net';
import { ShoalError } from '../../node/base/errors.ts';
import { mibBytes } from '../../node/base/units.ts';
import { ByteQueue } from './byte-queue.ts';

/** Most bytes of one read or write: QEMU takes 32 MiB, and memory is the agent's. */
export const transferBytesMax = mibBytes;
/** Most bytes of one request without data. The protocol has 32 bits for it. */
const spanBytesMax = 1024 * mibBytes;
/** A disk on slow storage; a server that is gone closes the connection. */
const replyTimeoutMs = 60_000;
/** Names, messages and lists of a server: beyond it, it is no server of ours. */
const payloadBytesMax = 16 * mibBytes;

const magic = { hello: 0x4e42444d41474943n, option: 0x49484156454f5054n, optionReply: 0x3e889045565a9n } as const;
const replyMagic = { request: 0x25609513, simple: 0x67446698, structured: 0x668e33ef } as const;
const option = { go: 7, structuredReply: 8, setMetaContext: 10 } as const;
const optionReply = { ack: 1, info: 3, metaContext: 4 } as const;
const command = { read: 0, write: 1, disconnect: 2, flush: 3, writeZeroes: 6, blockStatus: 7 } as const;
const chunk = { none: 0, data: 1, hole: 2, blockStatus: 5 } as const;
const errorBit = 0x8000;
const doneFlag = 1;
const metaContext = 'base:allocation';

/** A stretch of a disk, by whether it reads as zeros. */
interface NbdExtent {
  readonly lengthBytes: number;
  readonly isZero: boolean;
}

/** One connection to one export. */
export class NbdClient {
  readonly sizeBytes: number;
  readonly #socket: Socket;
  readonly #bytes: ByteQueue;
  #handle = 0n;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(socket: Socket, bytes: ByteQueue, sizeBytes: number) {
    this.#socket = socket;
    this.#bytes = bytes;
    this.sizeBytes = sizeBytes;
  }

  /** Throws `UNAVAILABLE` when nobody listens, `DRIVER_FAILED` for a server that has no such export or lacks what is needed. */
  static async connect(path: string, exportName: string, signal: AbortSignal): Promise<NbdClient> {
    if (signal.aborted) throw new ShoalError('CANCELLED', 'reading a disk was cancelled');
    const socket = connect({ path });
    const bytes = new ByteQueue(socket);
    socket.setTimeout(replyTimeoutMs, () => {
      socket.destroy(new ShoalError('DEADLINE_EXCEEDED', `the NBD server said nothing for ${replyTimeoutMs} ms`));
    });
    const onAbort = (): void => {
      socket.destroy(new ShoalError('CANCELLED', 'reading or writing a disk was cancelled'));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', onAbort));
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', (error) => reject(ShoalError.from(error, 'UNAVAILABLE', `reaching ${path}`)));
      });
      return new NbdClient(socket, bytes, await negotiate(socket, bytes, exportName));
    } catch (caught) {
      socket.destroy();
      throw caught;
    }
  }

  /** At most `transferBytesMax`, within the disk. */
  read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      this.#send(command.read, offsetBytes, lengthBytes);
      const into = new Uint8Array(lengthBytes);
      let filled = 0;
      await this.#replies((type, payload) => {
        const at = Number(payload.getBigUint64(0)) - offsetBytes;
        if (type === chunk.data) {
          const data = new Uint8Array(payload.buffer, payload.byteOffset + 8, payload.byteLength - 8);
          if (at < 0 || at + data.length > lengthBytes) throw misbehaved('data outside of what was asked');
          into.set(data, at);
          filled += data.length;
        } else if (type === chunk.hole) filled += payload.getUint32(8);
        else throw misbehaved(`chunk ${type} in a read`);
      });
      if (filled !== lengthBytes) throw misbehaved(`${filled} bytes instead of ${lengthBytes}`);
      return into;
    });
  }

  /** At most `transferBytesMax`. Durable after `flush`. */
  write(offsetBytes: number, data: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      this.#send(command.write, offsetBytes, data.length, data);
      await this.#replies(noChunk);
    });
  }

  /** Any length. */
  async writeZeroes(offsetBytes: number, lengthBytes: number): Promise<void> {
    for (let done = 0; done < lengthBytes; done += spanBytesMax) {
      const length = Math.min(spanBytesMax, lengthBytes - done);
      await this.#inTurn(async () => {
        this.#send(command.writeZeroes, offsetBytes + done, length);
        await this.#replies(noChunk);
      });
    }
  }

  flush(): Promise<void> {
    return this.#inTurn(async () => {
      this.#send(command.flush, 0, 0);
      await this.#replies(noChunk);
    });
  }

  /** What is known of the disk from here on: at least one extent, together at most to `offsetBytes + lengthBytes`. */
  extents(offsetBytes: number, lengthBytes: number): Promise<readonly NbdExtent[]> {
    return this.#inTurn(async () => {
      this.#send(command.blockStatus, offsetBytes, Math.min(lengthBytes, spanBytesMax));
      const extents: NbdExtent[] = [];
      await this.#replies((type, payload) => {
        if (type !== chunk.blockStatus) throw misbehaved(`chunk ${type} in a block status`);
        for (let at = 4; at + 8 <= payload.byteLength; at += 8) {
          extents.push({ lengthBytes: payload.getUint32(at), isZero: (payload.getUint32(at + 4) & 2) !== 0 });
        }
      });
      if (extents.length === 0 || extents.some((extent) => extent.lengthBytes === 0)) throw misbehaved('no extent');
      return clipped(extents, lengthBytes);
    });
  }

  /** Tells the server and closes. What serves it ends with its last client. */
  close(): void {
    if (!this.#socket.destroyed) this.#send(command.disconnect, 0, 0);
    this.#socket.end();
    this.#socket.unref();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {}); // The failure is its caller's.
    return turn;
  }

  #send(type: number, offsetBytes: number, lengthBytes: number, data?: Uint8Array): void {
    this.#handle += 1n;
    const head = Buffer.alloc(28);
    head.writeUInt32BE(replyMagic.request, 0);
    head.writeUInt16BE(type, 6);
    head.writeBigUInt64BE(this.#handle, 8);
    head.writeBigUInt64BE(BigInt(offsetBytes), 16);
    head.writeUInt32BE(lengthBytes, 24);
    this.#socket.write(head);
    if (data !== undefined) this.#socket.write(data);
  }

  /** Reads the reply to the request that was just sent, chunk after chunk. */
  async #replies(onChunk: (type: number, payload: DataView) => void): Promise<void> {
    for (;;) {
      const kind = (await this.#bytes.take(4)).getUint32(0);
      if (kind === replyMagic.simple) {
        const head = await this.#bytes.take(12);
        if (head.getBigUint64(4) !== this.#handle) throw misbehaved('a reply to something else');
        if (head.getUint32(0) !== 0) throw refused(head.getUint32(0), '');
        return;
      }
      if (kind !== replyMagic.structured) throw misbehaved('what is no reply');
      const head = await this.#bytes.take(16);
      const [flags, type, length] = [head.getUint16(0), head.getUint16(2), head.getUint32(12)];
      if (head.getBigUint64(4) !== this.#handle) throw misbehaved('a reply to something else');
      if (length > payloadBytesMax) throw misbehaved(`a chunk of ${length} bytes`);
      const payload = await this.#bytes.take(length);
      if ((type & errorBit) !== 0) {
        const text = new TextDecoder().decode(new Uint8Array(payload.buffer, payload.byteOffset + 6, length - 6));
        throw refused(payload.getUint32(0), text.slice(0, payload.getUint16(4)));
      }
      if (type !== chunk.none) onChunk(type, payload);
      if ((flags & doneFlag) !== 0) return;
    }
  }
}

/** Comes to an agreement, and returns the export's size in bytes. */
async function negotiate(socket: Socket, bytes: ByteQueue, exportName: string): Promise<number> {
  const hello = await bytes.take(18);
  if (hello.getBigUint64(0) !== magic.hello || hello.getBigUint64(8) !== magic.option) {
    throw misbehaved('what is no greeting');
  }
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(3); // Fixed newstyle, no padding.
  socket.write(flags);
  const name = Buffer.from(exportName);
  await ask(socket, bytes, option.structuredReply, Buffer.alloc(0));
  const query = Buffer.from(metaContext);
  const contexts = [uint32(name.length), name, uint32(1), uint32(query.length), query];
  const selected = await ask(socket, bytes, option.setMetaContext, Buffer.concat(contexts));
  if (!selected.some(({ type }) => type === optionReply.metaContext)) throw misbehaved(`no ${metaContext}`);
  const go = [uint32(name.length), name, Buffer.alloc(2)];
  for (const { type, payload } of await ask(socket, bytes, option.go, Buffer.concat(go))) {
    if (type !== optionReply.info || payload.getUint16(0) !== 0) continue;
    const sizeBytes = Number(payload.getBigUint64(2));
    if (Number.isSafeInteger(sizeBytes)) return sizeBytes;
  }
  throw misbehaved('no size of the export');
}

/** Sends an option and reads what comes before its acknowledgement. */
async function ask(
  socket: Socket,
  bytes: ByteQueue,
  what: number,
  data: Buffer,
): Promise<readonly { readonly type: number; readonly payload: DataView }[]> {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(magic.option, 0);
  head.writeUInt32BE(what, 8);
  head.writeUInt32BE(data.length, 12);
  socket.write(Buffer.concat([head, data]));
  const replies: { readonly type: number; readonly payload: DataView }[] = [];
  for (;;) {
    const reply = await bytes.take(20);
    const [type, length] = [reply.getUint32(12), reply.getUint32(16)];
    if (reply.getBigUint64(0) !== magic.optionReply || reply.getUint32(8) !== what || length > payloadBytesMax) {
      throw misbehaved('a reply to something else');
    }
    const payload = await bytes.take(length);
    if (type === optionReply.ack) return replies;
    if (type >= 0x80000000 || replies.length > 64) {
      const text = new TextDecoder().decode(new Uint8Array(payload.buffer, payload.byteOffset, length));
      throw new ShoalError('DRIVER_FAILED', `the NBD server refused option ${what}: ${text.slice(0, 300)}`);
    }
    replies.push({ type, payload });
  }
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function clipped(extents: readonly NbdExtent[], lengthBytes: number): readonly NbdExtent[] {
  const kept: NbdExtent[] = [];
  let left = lengthBytes;
  for (const extent of extents) {
    if (left <= 0) break;
    kept.push({ ...extent, lengthBytes: Math.min(left, extent.lengthBytes) });
    left -= extent.lengthBytes;
  }
  return kept;
}

function noChunk(type: number): void {
  throw misbehaved(`chunk ${type} where none belongs`);
}

function misbehaved(what: string): ShoalError {
  return new ShoalError('DRIVER_FAILED', `the NBD server sent ${what}`);
}

/** ENOSPC, as the protocol numbers it. */
const noSpace = 28;

function refused(errno: number, text: string): ShoalError {
  return new ShoalError('DRIVER_FAILED', `the disk refused: ${text || `error ${errno}`}`, {
    facts: { errno, ...(errno === noSpace ? { reason: 'full' } : {}) },
  });
}
