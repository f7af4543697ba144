/** The leader's side of `PeerService.Forward`: takes another agent's requests and answers each, those of one turn together. */
import { setImmediate } from 'node:timers/promises';
import type { shoal } from '../../../proto/messages.ts';
import type { Clock } from '../../base/clock.ts';
import { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import { decodeFacts, encodeFacts, isErrorCode, messageCharactersMax } from '../../rpc/status.ts';
import { type Command, decodeCommand, outcomeToMessage } from '../../state/command.ts';
import { forwardedAtOnceMax, forwardedMsMax } from './forward-sender.ts';
import type { RaftHandlers } from './transport.ts';

/** Requests of one stream without an answer; beyond it the stream is not read on, and the sender waits. */
const openMax = 4096;

type Answer = shoal.v1.ForwardAnswer.$Properties;

/** What answers. Called for each request, as who answers may change. */
export type AnswersFor = Pick<RaftHandlers, 'propose' | 'readIndex'>;

/** Serves one stream. */
export class ForwardAnswerer {
  readonly #clock: Clock;
  readonly #handlers: () => AnswersFor;
  readonly #from: RaftId | undefined;
  /** The stream has ended. */
  readonly #signal: AbortSignal;
  #answers: Answer[] = [];
  #open = 0;
  #isReading = true;
  #failure: Error | undefined;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  /**
   * @param from the sender's number, where it is known.
   * @param signal aborts when the stream has ended.
   */
  constructor(clock: Clock, handlers: () => AnswersFor, from: RaftId | undefined, signal: AbortSignal) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#from = from;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Answers to what `requests` bring. Throws `INVALID_ARGUMENT` for a message out of bounds, and what `requests` throws. */
  async *serve(requests: AsyncIterable<shoal.v1.ForwardRequests>): AsyncGenerator<shoal.v1.ForwardAnswers.$Properties> {
    this.#read(requests).then(
      () => this.#readingEnded(undefined),
      (caught: unknown) => this.#readingEnded(errorFrom(caught)),
    );
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#answers.length === 0) {
        if (this.#signal.aborted || (!this.#isReading && this.#open === 0)) return;
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
        // What else is answered in the same turn goes along.
        await setImmediate();
        continue;
      }
      const answers = this.#answers;
      this.#answers = [];
      yield { answers };
    }
  }

  async #read(requests: AsyncIterable<shoal.v1.ForwardRequests>): Promise<void> {
    for await (const { requests: taken, timeoutMs } of requests) {
      if (taken.length === 0 || taken.length > forwardedAtOnceMax || timeoutMs === 0 || timeoutMs > forwardedMsMax) {
        throw new ShoalError('INVALID_ARGUMENT', 'A peer forwarded a message that is out of bounds.', {
          facts: { requests: taken.length, timeoutMs },
        });
      }
      this.#take(taken, timeoutMs);
      while (this.#open > openMax && !this.#signal.aborted) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
      if (this.#signal.aborted) return;
    }
  }

  /** The requests of one message share their time. */
  #take(requests: readonly shoal.v1.ForwardRequest[], timeoutMs: number): void {
    const stop = new AbortController();
    const onEnd = (): void => stop.abort(new ShoalError('CANCELLED', 'The caller went away.'));
    this.#signal.addEventListener('abort', onEnd, { once: true });
    const timer = this.#clock.setTimeout(() => {
      stop.abort(new ShoalError('DEADLINE_EXCEEDED', `It took longer than ${timeoutMs} ms.`));
    }, timeoutMs);
    let left = requests.length;
    const done = (answer: Answer): void => {
      this.#open -= 1;
      this.#answers.push(answer);
      this.#wake();
      left -= 1;
      if (left > 0) return;
      timer.cancel();
      this.#signal.removeEventListener('abort', onEnd);
    };
    this.#open += requests.length;
    for (const request of requests) {
      this.#answer(request, stop.signal).then(done, (caught: unknown) => {
        // A failure without a name ends the stream: who serves it says so, or ends the process.
        if (!(caught instanceof ShoalError)) this.#failure ??= errorFrom(caught);
        done(errorAnswer(request.id, ShoalError.from(caught, 'OUTCOME_UNKNOWN')));
      });
    }
  }

  async #answer(request: shoal.v1.ForwardRequest, signal: AbortSignal): Promise<Answer> {
    const { id, command, readIndex } = request;
    if (command != null) {
      const outcome = await this.#handlers().propose(commandOf(command), signal, this.#from);
      return { id, outcome: outcomeToMessage(outcome) };
    }
    if (readIndex != null) return { id, readIndex: { index: await this.#handlers().readIndex(signal, this.#from) } };
    throw new ShoalError('NOT_IMPLEMENTED', 'This version knows no such request.');
  }

  #readingEnded(failure: Error | undefined): void {
    this.#isReading = false;
    this.#failure ??= failure;
    this.#wake();
  }

  #wake(): void {
    this.#wakeWriter?.();
    this.#wakeWriter = undefined;
    this.#wakeReader?.();
    this.#wakeReader = undefined;
  }
}

/** The error that an answer brings; undefined when it brings none. */
export function errorOf(answer: shoal.v1.ForwardAnswer): ShoalError | undefined {
  const { error } = answer;
  if (error == null) return undefined;
  // A code of a newer version: whatever it was, it may have happened.
  const code = isErrorCode(error.code) ? error.code : 'OUTCOME_UNKNOWN';
  const facts = error.facts.length === 0 ? {} : decodeFacts(Buffer.from(error.facts));
  return new ShoalError(code, error.message, { facts });
}

function errorAnswer(id: number, error: ShoalError): Answer {
  const facts = encodeFacts(error.facts);
  return {
    id,
    error: {
      code: error.code,
      message: error.message.slice(0, messageCharactersMax),
      ...(facts === undefined ? {} : { facts }),
    },
  };
}

function errorFrom(caught: unknown): Error {
  return caught instanceof Error ? caught : new Error(String(caught));
}

/** The command of a request from outside. Throws `INVALID_ARGUMENT`. */
function commandOf(bytes: Uint8Array): Command {
  try {
    return decodeCommand(bytes);
  } catch (caught) {
    throw new ShoalError('INVALID_ARGUMENT', 'A peer proposed a command that this version does not know.', {
      cause: caught,
    });
  }
}
