import { setImmediate } from 'node:timers/promises';
import { ShoalError } from '../base/errors.ts';
import { MalformedRequest } from './malformed-request.ts';

/** What a service makes of a request before its handlers see it. */
export interface RequestCheck {
  check?(request: unknown): void;
}

/**
 * Requests of a stream, each checked. Ends only when the caller has said that there are no more; a call that broke throws. grpc-js ends
 * a stream whose connection was destroyed as if it were complete and says "cancelled" just after, so that is waited for.
 * No waiting tells an end from a cancellation of Node's clients, which send an end before they reset the stream: a service
 * to which the end matters has it said in the messages (`UploadImageRequest`).
 */
export async function* incoming(
  call: AsyncIterable<unknown>,
  signal: AbortSignal,
  service: RequestCheck,
): AsyncGenerator<unknown> {
  try {
    for await (const message of call) {
      checkRequest(message, service);
      yield message;
    }
  } catch (caught) {
    // A reset connection surfaces as one of several stream errors; the reason to abort says what it meant.
    throw signal.aborted ? signal.reason : ShoalError.from(caught, 'CANCELLED', 'the caller went away');
  }
  await setImmediate();
  signal.throwIfAborted();
}

/** Throws `INVALID_ARGUMENT` for bytes that were no message, and what the service's own check throws. */
export function checkRequest(request: unknown, { check }: RequestCheck): void {
  MalformedRequest.refuse(request);
  check?.(request);
}
