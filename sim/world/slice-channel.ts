/** Subscriptions to slices over the simulated network: a stream is a call for each piece, either way, and breaks with any. */
import { ShoalError } from '../../node/base/errors.ts';
import type { RaftId } from '../../node/base/ids.ts';
import { RequestQueue } from '../../node/slices/request-queue.ts';
import type { SliceChannel, SliceHandler, SliceReply, SliceRequest } from '../../node/slices/slice-channel.ts';
import type { SimNetwork } from './network.ts';
import type { Life } from './schedule.ts';

/** Hears what is said on one stream: what the subscriber sends, and what reaches it. */
interface StreamObserver {
  says(request: SliceRequest): void;
  hears(reply: SliceReply): void;
}

/** Who serves slices now, by member. */
export class SliceStreams {
  readonly #network: SimNetwork;
  readonly #observe: (name: string) => StreamObserver;
  readonly #handlers = new Map<RaftId, { readonly life: Life; readonly serve: SliceHandler }>();

  constructor(network: SimNetwork, observe: (name: string) => StreamObserver) {
    this.#network = network;
    this.#observe = observe;
  }

  /** A process answers subscriptions from now on. */
  serve(member: RaftId, life: Life, serve: SliceHandler): void {
    this.#handlers.set(member, { life, serve });
  }

  /** What one life of a node subscribes through. */
  channel(self: RaftId, life: Life): SliceChannel {
    return { subscribe: (to, requests, signal) => this.#subscribe(self, to, life, requests, signal) };
  }

  async *#subscribe(
    self: RaftId,
    to: RaftId,
    life: Life,
    requests: AsyncIterable<SliceRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<SliceReply, void, undefined> {
    const route = { from: self, to, life, signal, mayHaveHappened: false };
    const stop = new AbortController();
    const arrived = new RequestQueue<SliceRequest>();
    const observer = this.#observe(`${life.name} of n${to}`);
    const replies = await this.#network.call(route, async () => this.#served(to, arrived, stop.signal));
    const end = async (): Promise<void> => {
      stop.abort(new ShoalError('CANCELLED', 'The stream has ended.'));
      arrived.close();
      await replies.return(undefined);
    };
    void life.died.then(end);
    let broken: unknown;
    const carrying = (async () => {
      for await (const request of requests) {
        observer.says(request);
        await this.#network.call(route, async () => arrived.push(request));
      }
    })().catch((error: unknown) => {
      broken = error;
      stop.abort(error);
      arrived.close();
    });
    try {
      for (;;) {
        const next = await this.#network.call(route, () => replies.next());
        if (broken !== undefined) throw ShoalError.from(broken, 'UNAVAILABLE');
        if (next.done === true) return;
        observer.hears(next.value);
        yield next.value;
      }
    } finally {
      void carrying;
      await end();
    }
  }

  #served(
    to: RaftId,
    requests: AsyncIterable<SliceRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<SliceReply, void, undefined> {
    const handler = this.#handlers.get(to);
    if (handler?.life.isAlive !== true) throw new ShoalError('UNAVAILABLE', 'This agent is starting or stopping.');
    return handler.serve(requests, signal);
  }
}
