/** Content of images on its way through streams of messages. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Clock } from '../../node/base/clock.ts';
import { ShoalError } from '../../node/base/errors.ts';
import type { shoal } from '../../proto/messages.ts';

/**
 * Content in one message, bytes. gRPC reads sixteen messages of a stream ahead of its reader, and as many uploads may
 * run: with messages of full size they would take a gibibyte.
 */
const pieceBytesMax = 1024 * 1024;

type Request = Pick<shoal.v1.UploadImageRequest, 'imageId' | 'sha256' | 'sizeBytes' | 'data'>;

/** An upload whose first message has come. */
interface Upload {
  readonly imageId: string;
  /** To be destroyed by the handler that began the upload, read or not. */
  readonly body: Readable;
}

/**
 * Reads the first message of an upload. The body fails with `INVALID_ARGUMENT` at its end when the content is not what the
 * messages said it would be, and with `DEADLINE_EXCEEDED` when nothing comes for `idleMs`: then nothing of it counts.
 */
export async function beginUpload(
  requests: AsyncIterable<Request>,
  waiting: { readonly clock: Clock; readonly idleMs: number },
): Promise<Upload> {
  const messages = requests[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<Request>> => inTime(messages.next(), waiting);
  const first = await next();
  if (first.done === true || first.value.imageId === '') {
    throw new ShoalError('INVALID_ARGUMENT', 'The first message of an upload names the image: image_id is needed.');
  }
  const body = Readable.from(contentOf(first.value, next), { objectMode: false });
  // The reader gets the failure; this listener takes one that comes after the reader has gone.
  body.on('error', () => {});
  return { imageId: first.value.imageId, body };
}

async function* contentOf(first: Request, next: () => Promise<IteratorResult<Request>>): AsyncGenerator<Uint8Array> {
  const content = new DeclaredContent();
  let message: Request | undefined = first;
  while (message !== undefined) {
    content.add(message);
    if (message.data.length > 0) yield message.data;
    const following: IteratorResult<Request> = await next();
    message = following.done === true ? undefined : following.value;
  }
  content.checkEnd();
}

/** What has come of an upload, and what it is said to be. */
class DeclaredContent {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #sha256 = '';
  #sizeBytes = 0;

  /** Throws `INVALID_ARGUMENT` for what is no hash, `TOO_LARGE` for too large a piece, and for more than there was to be. */
  add({ sha256, sizeBytes, data }: Request): void {
    if (sha256 !== '') {
      if (!/^[0-9a-f]{64}$/i.test(sha256)) {
        throw new ShoalError('INVALID_ARGUMENT', 'sha256: must be 64 hexadecimal digits.');
      }
      this.#sha256 = sha256.toLowerCase();
    }
    if (sizeBytes > 0) this.#sizeBytes = sizeBytes;
    if (data.length > pieceBytesMax) {
      throw new ShoalError(
        'TOO_LARGE',
        `data: one message may have ${pieceBytesMax} bytes of content; send more of them.`,
      );
    }
    this.#hash.update(data);
    this.#bytes += data.length;
    if (this.#sizeBytes > 0 && this.#bytes > this.#sizeBytes) this.#refuseSize();
  }

  /** Throws `INVALID_ARGUMENT` unless all has come that was to come. */
  checkEnd(): void {
    if (this.#sha256 === '' && this.#sizeBytes === 0) {
      throw new ShoalError(
        'INVALID_ARGUMENT',
        'The upload ended without saying what it is: sha256 or size_bytes is needed in one of its messages.',
      );
    }
    if (this.#sizeBytes > 0 && this.#bytes !== this.#sizeBytes) this.#refuseSize();
    const found = this.#hash.digest('hex');
    if (this.#sha256 !== '' && this.#sha256 !== found) {
      throw new ShoalError('INVALID_ARGUMENT', `sha256: the content has ${found}; nothing of it was kept.`);
    }
  }

  #refuseSize(): never {
    const came = this.#bytes > this.#sizeBytes ? 'more' : `${this.#bytes}`;
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `size_bytes: ${this.#sizeBytes} bytes were to come and ${came} came; nothing of it was kept.`,
    );
  }
}

/** As `promise`. Throws `DEADLINE_EXCEEDED` when that takes longer than `idleMs`. */
function inTime<T>(promise: Promise<T>, { clock, idleMs }: { clock: Clock; idleMs: number }): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      reject(
        new ShoalError('DEADLINE_EXCEEDED', `The upload has stood still for ${Math.round(idleMs / 1000)} seconds.`),
      );
    }, idleMs);
    promise.then(resolve, reject).finally(() => timer.cancel());
  });
}

/** A body in pieces that fit into messages. */
export async function* pieces(body: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += pieceBytesMax) yield chunk.subarray(at, at + pieceBytesMax);
  }
}
