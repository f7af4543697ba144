/** Image content of the simulated world, and what a host keeps of it: its files outlive its agents. */
import { createHash } from 'node:crypto';
import type { Blobs } from '../../drivers/image/store.ts';
import { ShoalError } from '../../node/base/errors.ts';

/** The content of the one image that there is: no disk image, and nothing here boots. */
export const imageContent = Buffer.from('an image of the simulated world. '.repeat(40));
/** Its address. */
export const imageSha256 = createHash('sha256').update(imageContent).digest('hex');

/** Hosts that have it from the start: the first ones. */
export const imageHolders = 3;

/** The image folder of one host. */
export class SimImages implements Blobs {
  readonly #contents = new Map<string, Uint8Array>();

  /** @param isHolder it has the one image from the start. */
  constructor(isHolder: boolean) {
    if (isHolder) this.#contents.set(imageSha256, imageContent);
  }

  /** The content as it lies here; undefined: it does not. */
  peek(sha256: string): Uint8Array | undefined {
    return this.#contents.get(sha256);
  }

  path(sha256: string): string {
    return `/simulated/${sha256}`;
  }

  async find(sha256: string): ReturnType<Blobs['find']> {
    const content = this.#contents.get(sha256);
    return content === undefined ? undefined : { sha256, bytes: content.length };
  }

  /** What servers' disks are read as: raw bytes, of whatever length. */
  async inspect(...[sha256, format]: Parameters<Blobs['inspect']>): ReturnType<Blobs['inspect']> {
    const bytes = this.#contents.get(sha256)?.length;
    if (bytes === undefined) throw new ShoalError('NOT_FOUND', `There is no content ${sha256} here.`);
    return { format, virtualSizeBytes: bytes, fileBytes: bytes };
  }

  async *read(sha256: string): AsyncGenerator<Uint8Array> {
    const content = this.#contents.get(sha256);
    if (content === undefined) throw new ShoalError('NOT_FOUND', `There is no content ${sha256} here.`);
    yield content;
  }

  async write(...[content, { bytesMax, expectedSha256 }]: Parameters<Blobs['write']>): ReturnType<Blobs['write']> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    if (bytes.length > bytesMax) throw new ShoalError('TOO_LARGE', `More than ${bytesMax} bytes came.`);
    const digest = (name: string): string => createHash(name).update(bytes).digest('hex');
    const sha256 = digest('sha256');
    if (expectedSha256 !== undefined && sha256 !== expectedSha256)
      throw new ShoalError('IDENTITY_MISMATCH', `${sha256} came where ${expectedSha256} was asked for.`);
    this.#contents.set(sha256, bytes);
    return { bytes: bytes.length, sha256, md5: digest('md5'), sha512: digest('sha512') };
  }

  async remove(sha256: string): Promise<void> {
    this.#contents.delete(sha256);
  }
}
