import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { ShoalError } from '../../../node/base/errors.ts';

/**
 * A request's body as a stream that its reader may destroy. Destroying the request itself would take the connection with
 * it, and the sender would see a reset where it should read why its image was refused.
 */
export function uploadBody(request: IncomingMessage): Readable {
  const body = new PassThrough();
  const cutOff = (): void => {
    if (request.complete) return;
    body.destroy(new ShoalError('CANCELLED', 'The upload was cut off before its end.'));
  };
  request.once('error', cutOff);
  request.once('close', cutOff);
  body.once('close', () => {
    // Unpiping pauses the request; what is left of it must still be read out, or the connection never gets free.
    request.unpipe(body);
    request.resume();
  });
  request.pipe(body);
  return body;
}
