/** Content of images that is read to its end, summed, and not kept: a volume has a GiB at least. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageContent, StoredImage } from '../../../node/services/kit/dependencies.ts';

export class SummedImageContent implements ImageContent {
  /** The next one fails with it. */
  failNext: ShoalError | undefined;

  #held: Promise<void> | undefined;
  #letGo: (() => void) | undefined;

  /** What is to be stored from now on is not read before `letGo`. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#letGo = resolve;
    });
  }

  letGo(): void {
    this.#letGo?.();
    this.#held = undefined;
  }

  async store(body: Readable, { bytesMax }: { readonly bytesMax: number }): Promise<StoredImage> {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    await this.#held;
    const sum = createHash('sha256');
    let sizeBytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.length;
      if (sizeBytes > bytesMax) throw new ShoalError('TOO_LARGE', `More than ${bytesMax} bytes.`);
      sum.update(chunk);
    }
    const sha256 = sum.digest('hex');
    return { sizeBytes, virtualSizeBytes: sizeBytes, md5: sha256, sha256, sha512: sha256, inert: false };
  }

  open(): Promise<Readable> {
    return Promise.reject(new ShoalError('UNAVAILABLE', 'Nothing is kept.'));
  }
}
