/**
 * Gossip as the bench has it: signed adverts go from the process of their hosts straight to every agent, over TCP on
 * loopback. Five thousand libp2p nodes do not fit on a machine; who signs, how often, and what a listener checks and keeps
 * are production's (`AdvertPublisher`, `AdvertExchange`).
 */
import { createServer, type Server, Socket } from 'node:net';
import { ShoalError } from '../../../node/base/errors.ts';
import { type Gossip, gossipBytesMax, type TopicHandler } from '../../../node/mesh/gossip/gossip.ts';

/** Frames are gathered for so long, so that a busy process writes seldom. Unit: milliseconds. */
const gatherMs = 20;
/** Adverts that a listener takes in before anything else gets its turn. */
const heardAtOnce = 8;

/** The end that speaks. One for all hosts of a process. */
export class AdvertFeed implements Pick<Gossip, 'publish'> {
  readonly #server: Server;
  readonly #listeners = new Set<Socket>();
  #gathered: Uint8Array[] = [];
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  constructor() {
    this.#server = createServer((socket) => {
      this.#listeners.add(socket);
      socket.on('close', () => this.#listeners.delete(socket));
      // An agent that ends in the middle of a message; the set above forgets it.
      socket.on('error', () => {});
    });
  }

  /** Adverts published so far. */
  get count(): number {
    return this.#count;
  }

  listen(address: string): Promise<void> {
    const [host = '', port = ''] = address.split(':');
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(Number(port), host, resolve);
    });
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#server.close();
    for (const socket of this.#listeners) socket.destroy();
  }

  async publish(_topic: string, data: Uint8Array): Promise<void> {
    this.#count += 1;
    const head = Buffer.alloc(4);
    head.writeUInt32BE(data.length);
    this.#gathered.push(head, data);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const bytes = Buffer.concat(this.#gathered);
      this.#gathered = [];
      for (const socket of this.#listeners) socket.write(bytes);
    }, gatherMs);
  }
}

/** The end that listens: an agent's. */
export class AdvertListener implements Pick<Gossip, 'subscribe'> {
  readonly #addresses: readonly string[];
  readonly #sockets: Socket[] = [];
  readonly #waiting: Uint8Array[] = [];
  #isHearing = false;
  #handler: TopicHandler | undefined;

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  async start(): Promise<void> {
    await Promise.all(this.#addresses.map((address) => this.#connect(address)));
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
  }

  subscribe(_topic: string, handler: TopicHandler): () => void {
    this.#handler = handler;
    return () => {
      this.#handler = undefined;
    };
  }

  #connect(address: string): Promise<void> {
    const [host = '', port = ''] = address.split(':');
    const socket = new Socket();
    this.#sockets.push(socket);
    let rest = Buffer.alloc(0);
    socket.on('data', (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
      let at = 0;
      while (rest.length - at >= 4) {
        const length = rest.readUInt32BE(at);
        if (length > gossipBytesMax) throw new ShoalError('TOO_LARGE', `An advert of ${length} bytes.`);
        if (rest.length - at - 4 < length) break;
        this.#waiting.push(Uint8Array.from(rest.subarray(at + 4, at + 4 + length)));
        at += 4 + length;
      }
      rest = rest.subarray(at);
      this.#hearSoon();
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(Number(port), host, resolve);
    });
  }

  /** A few at a time: a signature takes a quarter of a millisecond, and consensus must have its turns meanwhile. */
  #hearSoon(): void {
    if (this.#isHearing) return;
    this.#isHearing = true;
    setImmediate(() => {
      this.#isHearing = false;
      for (const data of this.#waiting.splice(0, heardAtOnce)) {
        if (this.#handler?.validate(data) === 'accept') this.#handler.handle(data);
      }
      if (this.#waiting.length > 0) this.#hearSoon();
    });
  }
}
