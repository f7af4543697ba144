/**
 * Questions between two linked hosts: a stream of its own for each, on the connection that gossip has, so that asking costs
 * no handshake. The one who asks sends one message and closes its side; the other sends its answers and closes.
 */
import type { Connection, Stream } from '@libp2p/interface';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { HostId } from '../../base/ids.ts';
import type { Logger } from '../../base/telemetry/logger.ts';
import { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import { kibBytes, mibBytes } from '../../base/units.ts';
import { hostIdOfPeer } from '../identity/libp2p-keys.ts';
import { LinkBudget, type LinkBudgetLimits } from '../link-budget.ts';
import { type Answerer, gossipBytesMax, tooLarge } from './gossip.ts';
import { type FrameLimits, framed, framesOf } from './link-frames.ts';

/** Its name on the wire. */
export const questionProtocol = '/shoal/questions/1';
/** Questions that one peer may have open at a time, on a connection. */
export const questionsOpenMax = 4;

/** The question itself: one message, at once. */
const questionLimits: FrameLimits = {
  frameBytesMax: gossipBytesMax,
  totalBytesMax: 2 * gossipBytesMax,
  silenceMsMax: 5_000,
};
/** Answers: the whole view of ten thousand hosts and more. */
const answerLimits: FrameLimits = {
  frameBytesMax: gossipBytesMax,
  totalBytesMax: 32 * mibBytes,
  silenceMsMax: 5_000,
};
/** Time for one answer to be taken by the peer, ms. */
const takenMsMax = 5_000;
/** What one peer may ask: a comparison is one or two questions, and follows on another a few times at most. */
const askedLimits: LinkBudgetLimits = {
  bytesPerSecond: 32 * kibBytes,
  bytesAtOnce: 512 * kibBytes,
  framesPerSecond: 2,
  framesAtOnce: 16,
};

export class LinkQuestions {
  readonly #clock: Clock;
  readonly #repeated: RepeatedLog;
  readonly #asked = new Map<HostId, LinkBudget>();
  answerer: Answerer | undefined;

  constructor(deps: { readonly clock: Clock; readonly logger: Logger }) {
    this.#clock = deps.clock;
    this.#repeated = new RepeatedLog(deps);
  }

  /** As `Gossip.ask`, on a connection. */
  async *ask(connection: Connection, question: Uint8Array, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (question.length > gossipBytesMax) throw tooLarge(question.length);
    const stream = await connection
      .newStream(questionProtocol, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(answerLimits.silenceMsMax)]),
      })
      .catch((caught: unknown) => {
        throw unanswered(caught, signal);
      });
    const onAbort = (): void => stream.abort(new ShoalError('CANCELLED', 'The one who asked has gone.'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const answers = framesOf(stream, answerLimits, this.#clock);
      stream.send(framed(question));
      // Closing waits for the far side to have read: the answers do not.
      stream
        .close({ signal })
        .catch((error: unknown) => stream.abort(ShoalError.from(error, 'UNAVAILABLE', 'closing')));
      yield* answers;
    } catch (caught) {
      throw unanswered(caught, signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (stream.status === 'open' || stream.status === 'closing')
        stream.abort(new ShoalError('CANCELLED', 'read enough'));
    }
  }

  /** Answers what a peer asks by a stream. Never rejects. */
  async serve(stream: Stream, connection: Connection): Promise<void> {
    const hostId = hostIdOfPeer(connection.remotePeer);
    try {
      if (hostId === undefined || this.answerer === undefined)
        throw new ShoalError('UNAVAILABLE', 'No questions here.');
      for await (const question of framesOf(stream, questionLimits, this.#clock)) {
        this.#mustBeAllowed(hostId, question.length);
        for (const answer of this.answerer(hostId, question)) {
          if (!stream.send(framed(answer))) await stream.onDrain({ signal: AbortSignal.timeout(takenMsMax) });
        }
        await stream.close({ signal: AbortSignal.timeout(takenMsMax) });
        return;
      }
      throw new ShoalError('INVALID_ARGUMENT', 'A peer opened a stream and asked nothing.');
    } catch (caught) {
      const error = ShoalError.from(caught, 'UNAVAILABLE', 'a question of a peer was not answered');
      stream.abort(error);
      this.#repeated.warn(
        `question ${hostId} ${error.code}`,
        { error, hostId },
        'a question of a peer was not answered',
      );
    }
  }

  /** Forgets what hosts have asked that are no members any more. */
  retain(isMember: (hostId: HostId) => boolean): void {
    for (const hostId of this.#asked.keys()) if (!isMember(hostId)) this.#asked.delete(hostId);
  }

  #mustBeAllowed(hostId: HostId, bytes: number): void {
    const nowMs = this.#clock.monotonicMs();
    const budget = this.#asked.get(hostId) ?? new LinkBudget(askedLimits, nowMs);
    this.#asked.set(hostId, budget);
    if (!budget.take(bytes, 1, nowMs)) throw new ShoalError('RATE_LIMITED', 'A peer asks too much.');
  }
}

function unanswered(caught: unknown, signal: AbortSignal): ShoalError {
  if (signal.aborted) return new ShoalError('CANCELLED', 'The one who asked has gone.', { cause: caught });
  return ShoalError.from(caught, 'UNAVAILABLE', 'a peer did not answer');
}
