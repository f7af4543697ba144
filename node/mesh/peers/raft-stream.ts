import type { shoal } from '../../../proto/messages.ts';
import { type Clock, sleep } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Prng } from '../../base/prng.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { mibBytes } from '../../base/units.ts';
import type { RequestStream, StreamOptions } from '../../rpc/client.ts';
import { MessageQueue } from './message-queue.ts';

/**
 * Messages kept for a peer that does not take them. The core's own windows keep far fewer in flight; this is for the
 * seconds between a peer's fall and the core noticing, and for its heartbeats after.
 */
const queueMessagesMax = 1024;
/** And their bytes: several windows of full appends, times as many peers as there are voters and learners. */
const queueBytesMax = 64 * mibBytes;
/** Pause before the stream is opened again, ms: doubling from the first to the last, with up to half of jitter. */
const pauseMsMin = 50;
const pauseMsMax = 1000;

type Message = shoal.v1.IRaftMessage;

/**
 * The outgoing half of consensus with one peer: one stream, pipelined and in order, opened again whenever it breaks. A
 * message that cannot be sent soon is dropped, oldest first: the core is made for loss, and an old message helps nobody.
 */
export class RaftStream {
  readonly #deps: { readonly clock: Clock; readonly logger: Logger; readonly random: Prng };
  readonly #open: (options: StreamOptions) => RequestStream<Message, unknown>;
  readonly #onUnreachable: (wasUp: boolean) => void;
  readonly #queue = new MessageQueue<Message>({ messagesMax: queueMessagesMax, bytesMax: queueBytesMax });
  readonly #stopping = new AbortController();
  #isTurnedAway = false;
  #wake: (() => void) | undefined;
  #running: Promise<void> | undefined;

  /**
   * @param open opens a stream of requests to the peer as it can be reached at that moment; may throw.
   * @param onUnreachable called whenever the stream has broken: the core then probes instead of pipelining. `wasUp`: it had
   *   taken messages before.
   */
  constructor(
    deps: { readonly clock: Clock; readonly logger: Logger; readonly random: Prng },
    open: (options: StreamOptions) => RequestStream<Message, unknown>,
    onUnreachable: (wasUp: boolean) => void,
  ) {
    this.#deps = deps;
    this.#open = open;
    this.#onUnreachable = onUnreachable;
  }

  /** Messages waiting. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Messages dropped because the peer did not take them. */
  get dropped(): number {
    return this.#queue.dropped;
  }

  /** Queues a message. Never waits and never throws. */
  send(message: Message): void {
    if (this.#stopping.signal.aborted) return;
    this.#queue.push(message, sizeOf(message));
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Ends the stream; what is queued is lost. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping.abort(new ShoalError('CANCELLED', 'The stream is closed.'));
    this.#queue.clear();
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let pauseMs = pauseMsMin;
    while (!signal.aborted) {
      const sent = await this.#pump(signal);
      if (signal.aborted) return;
      this.#onUnreachable(sent > 0);
      pauseMs = sent > 0 ? pauseMsMin : Math.min(pauseMsMax, pauseMs * 2);
      const jittered = pauseMs * (1 - this.#deps.random.float() / 2);
      await sleep(this.#deps.clock, jittered, signal).catch(() => {}); // Woken early by `stop`; the loop sees it.
    }
  }

  /** Sends until the stream breaks. Returns how many it took. */
  async #pump(signal: AbortSignal): Promise<number> {
    let taken = 0;
    let broken: unknown;
    let stream: RequestStream<Message, unknown>;
    try {
      stream = this.#open({ signal });
    } catch (error) {
      this.#deps.logger.debug({ error }, 'the Raft stream could not be opened');
      return 0;
    }
    stream.answer.then(
      () => {
        broken = new ShoalError('CANCELLED', 'The peer ended the stream.');
        this.#wake?.();
      },
      (caught: unknown) => {
        broken = caught;
        this.#wake?.();
      },
    );
    try {
      while (!signal.aborted && broken === undefined) {
        const message = this.#queue.shift();
        if (message === undefined) {
          await this.#more();
          continue;
        }
        const goOn = stream.write(message);
        taken++;
        if (!goOn) await stream.drained();
      }
    } catch (caught) {
      broken = caught;
    } finally {
      stream.cancel();
    }
    if (!signal.aborted) this.#tellBroken(broken, taken);
    // An open stream that took messages and broke at once is no progress: the first write always succeeds, into a buffer.
    return taken > 1 ? taken : 0;
  }

  /** A stream that breaks is daily life. Being turned away is not: it is said once, until the peer takes messages again. */
  #tellBroken(error: unknown, taken: number): void {
    const { logger } = this.#deps;
    if (!ShoalError.is(error, 'IDENTITY_MISMATCH', 'UNAUTHENTICATED')) {
      if (taken > 1) this.#isTurnedAway = false;
      logger.debug({ error, taken }, 'the Raft stream broke');
      return;
    }
    if (!this.#isTurnedAway) logger.warn({ error: error.message, facts: error.facts }, 'a peer refuses this host');
    this.#isTurnedAway = true;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

/** About how many bytes a message takes: its entries and a fixed part. */
function sizeOf(message: Message): number {
  let bytes = 128;
  for (const entry of message.entries ?? []) bytes += 32 + (entry.data?.length ?? 0);
  return bytes;
}
