/**
 * Image contents on this host, named by what is in them:
 *
 *     ROOT/blobs/SHA256     whole, never changed
 *     ROOT/incoming/*       being written; emptied at start
 *
 * A blob appears by rename after it was synced, so it is whole or not there. Writers that bring the same content twice
 * do no harm. A reader through `read` is told when the disk has changed a byte.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import { type ImageFacts, type ImageFormat, inspectImage } from './inspect.ts';

/** What one content is called, in three ways: ours (SHA-256) and Glance's (`os_hash_value` SHA-512, `checksum` MD5). */
interface BlobDigests {
  readonly sha256: string;
  readonly sha512: string;
  readonly md5: string;
  readonly bytes: number;
}

/** A blob that is here. */
interface BlobFound {
  readonly sha256: string;
  readonly bytes: number;
}

interface BlobWriteOptions {
  /** More than this is refused with `TOO_LARGE`, and nothing is kept. */
  readonly bytesMax: number;
  /** Refuse any other content with `IDENTITY_MISMATCH`: for what comes from a peer. */
  readonly expectedSha256?: string;
}

const sha256Pattern = /^[0-9a-f]{64}$/;
/** Read at once when a blob is checked or served. */
const chunkBytes = 1024 * 1024;

/** Content by its address, as those see it who keep images; a store in memory is one, too. */
export type Blobs = Pick<BlobStore, 'write' | 'find' | 'read' | 'remove' | 'path' | 'inspect'>;

/**
 * A content-addressed store in one folder of one host, for one process: `start` removes what other writers are writing.
 */
export class BlobStore {
  readonly #blobsDir: string;
  readonly #incomingDir: string;
  #lastIncoming = 0;

  constructor(root: string) {
    this.#blobsDir = join(root, 'blobs');
    this.#incomingDir = join(root, 'incoming');
  }

  /** Makes the folders, and removes what writers left unfinished. Call once, before any writer. */
  async start(): Promise<void> {
    await mkdir(this.#blobsDir, { recursive: true, mode: 0o700 });
    await mkdir(this.#incomingDir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(this.#incomingDir)) {
      await rm(join(this.#incomingDir, name), { force: true });
    }
  }

  /** Where a blob is, or would be. The file must not be changed. */
  path(sha256: string): string {
    if (!sha256Pattern.test(sha256)) throw new ShoalError('INVALID_ARGUMENT', `'${sha256}' is not a SHA-256 in hex`);
    return join(this.#blobsDir, sha256);
  }

  /** What an image declared as `format` is, once it is proved to be that and harmless. Throws as `inspectImage` does. */
  inspect(sha256: string, format: ImageFormat): Promise<ImageFacts> {
    return inspectImage(this.path(sha256), format);
  }

  /**
   * Keeps a stream's content. When this returns, it is on disk. `TOO_LARGE`, `IDENTITY_MISMATCH`, `CANCELLED`;
   * `DRIVER_FAILED` when the disk is full or the source breaks. Nothing is left behind by a failure.
   */
  async write(
    content: AsyncIterable<Uint8Array>,
    options: BlobWriteOptions,
    signal: AbortSignal,
  ): Promise<BlobDigests> {
    this.#lastIncoming += 1;
    const incoming = join(this.#incomingDir, `${process.pid}-${this.#lastIncoming}`);
    try {
      const digests = await this.#receive(incoming, content, options, signal);
      await rename(incoming, this.path(digests.sha256));
      await syncFolder(this.#blobsDir);
      return digests;
    } catch (caught) {
      await rm(incoming, { force: true });
      throw ShoalError.from(caught, 'DRIVER_FAILED', 'keeping an image');
    }
  }

  async #receive(
    path: string,
    content: AsyncIterable<Uint8Array>,
    options: BlobWriteOptions,
    signal: AbortSignal,
  ): Promise<BlobDigests> {
    const file = await open(path, 'wx', 0o600);
    try {
      const [sha256, sha512, md5] = [createHash('sha256'), createHash('sha512'), createHash('md5')];
      let bytes = 0;
      for await (const chunk of content) {
        if (signal.aborted) throw new ShoalError('CANCELLED', 'an upload was cancelled');
        bytes += chunk.length;
        if (bytes > options.bytesMax) {
          throw new ShoalError('TOO_LARGE', `the image is larger than ${options.bytesMax} bytes`);
        }
        for (const hash of [sha256, sha512, md5]) hash.update(chunk);
        await writeAll(file, chunk);
      }
      await file.sync();
      const digests = { sha256: sha256.digest('hex'), sha512: sha512.digest('hex'), md5: md5.digest('hex'), bytes };
      if (options.expectedSha256 !== undefined && options.expectedSha256 !== digests.sha256) {
        throw new ShoalError('IDENTITY_MISMATCH', 'the image that came is not the one that was asked for', {
          facts: { expected: options.expectedSha256, came: digests.sha256 },
        });
      }
      return digests;
    } finally {
      await file.close();
    }
  }

  /** The blob's size; undefined when it is not here. */
  async find(sha256: string): Promise<BlobFound | undefined> {
    try {
      return { sha256, bytes: (await stat(this.path(sha256))).size };
    } catch (caught) {
      if (isMissing(caught)) return undefined;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking for blob ${sha256}`);
    }
  }

  async list(): Promise<readonly BlobFound[]> {
    const found: BlobFound[] = [];
    for (const name of await readdir(this.#blobsDir)) {
      const blob = sha256Pattern.test(name) ? await this.find(name) : undefined;
      if (blob !== undefined) found.push(blob);
    }
    return found;
  }

  /**
   * The blob's content. Reading to the end proves it: when what is on disk is no longer what was kept, the iteration
   * throws `IDENTITY_MISMATCH` after the last chunk, so that nobody takes it for whole. `NOT_FOUND` when it is not here.
   */
  async *read(sha256: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    let file: FileHandle;
    try {
      file = await open(this.path(sha256), 'r');
    } catch (caught) {
      if (isMissing(caught)) throw new ShoalError('NOT_FOUND', `blob ${sha256} is not on this host`);
      throw ShoalError.from(caught, 'CANNOT_TELL', `opening blob ${sha256}`);
    }
    try {
      const hash: Hash = createHash('sha256');
      for (;;) {
        if (signal.aborted) throw new ShoalError('CANCELLED', 'reading a blob was cancelled');
        const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, null);
        if (bytesRead === 0) break;
        const chunk = buffer.subarray(0, bytesRead);
        hash.update(chunk);
        yield chunk;
      }
      if (hash.digest('hex') !== sha256) {
        throw new ShoalError('IDENTITY_MISMATCH', `blob ${sha256} has changed on disk`);
      }
    } finally {
      await file.close();
    }
  }

  /** Reads the whole blob and throws as `read` does when it is not what it should be. */
  async verify(sha256: string, signal: AbortSignal): Promise<void> {
    for await (const chunk of this.read(sha256, signal)) void chunk;
  }

  /** Absent is success. A disk that uses the file as its bottom keeps it until that is gone too (hard links). */
  async remove(sha256: string): Promise<void> {
    try {
      await rm(this.path(sha256));
      await syncFolder(this.#blobsDir);
    } catch (caught) {
      if (errnoOf(caught) !== 'ENOENT') throw ShoalError.from(caught, 'DRIVER_FAILED', `removing blob ${sha256}`);
    }
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten;
  }
}
