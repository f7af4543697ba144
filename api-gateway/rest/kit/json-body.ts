import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { checkInput } from '../../kit/input.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Has `app` take JSON bodies of these media types, and hand on only what `checkInput` lets in. An empty body is none:
 * several clients declare JSON on a DELETE and send nothing. Of a key that is there twice the last counts, as in Python's
 * reader, which the real services use.
 */
export function acceptJson(app: FastifyInstance, mediaTypes: readonly string[]): void {
  app.addContentTypeParser([...mediaTypes], { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, typeof body === 'string' ? parseJson(Buffer.from(body)) : parseJson(body));
    } catch (caught) {
      done(ShoalError.from(caught, 'INVALID_ARGUMENT'));
    }
  });
}

/** The value that the bytes of a body say, undefined for none. Throws `INVALID_ARGUMENT`. */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', 'The request body is not valid UTF-8.', { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', 'The request body is not valid JSON.', { cause });
  }
  checkInput(value, 'body');
  return value;
}
