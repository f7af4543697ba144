import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ImageContent, StoredImage } from '../../../node/services/kit/dependencies.ts';

/**
 * Image content in memory: hashes and bounds for real, and looks at the first bytes only (`QFI\xfb` is qcow2).
 * `failNext` makes the next store fail with it.
 */
export class MemoryImageContent implements ImageContent {
  readonly blobs = new Map<string, Buffer>();
  failNext: ShoalError | undefined;
  acceptInert = false;

  async store(
    body: Readable,
    declared: { readonly diskFormat: string; readonly bytesMax: number },
    signal: AbortSignal,
  ): Promise<StoredImage> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      if (this.failNext !== undefined) {
        const failure = this.failNext;
        this.failNext = undefined;
        throw failure;
      }
      bytes += chunk.length;
      if (bytes > declared.bytesMax) throw new ShoalError('TOO_LARGE', `More than ${declared.bytesMax} bytes.`);
      chunks.push(chunk);
    }
    const whole = Buffer.concat(chunks);
    const isQcow2 = whole.subarray(0, 4).equals(Buffer.from([0x51, 0x46, 0x49, 0xfb]));
    const inert = this.acceptInert && declared.diskFormat !== 'raw' && whole.length > 0 && !isQcow2;
    if (!inert && (declared.diskFormat === 'qcow2') !== isQcow2) {
      throw new ShoalError('IMAGE_REFUSED', `The content is not ${declared.diskFormat}.`);
    }
    const digest = (algorithm: string): string => createHash(algorithm).update(whole).digest('hex');
    const sha256 = digest('sha256');
    this.blobs.set(sha256, whole);
    const digests = { md5: digest('md5'), sha256, sha512: digest('sha512') };
    return { sizeBytes: bytes, virtualSizeBytes: inert ? 0 : bytes, ...digests, inert };
  }

  async open(sha256: string): Promise<Readable> {
    const blob = this.blobs.get(sha256);
    if (blob === undefined) throw new ShoalError('UNAVAILABLE', 'No holder of the image answers.');
    return Readable.from([blob]);
  }
}
