/** Backups as files below one folder: of another disk of this host, or a mounted NFS path. */
import { mkdir, opendir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { syncFolder, writeFileDurably } from '../../node/base/durable-file.ts';
import { ShoalError } from '../../node/base/errors.ts';
import { type BackupStore, checkBackupKey, checkBackupPrefix } from './store.ts';

/** See above. The folder itself is never made: where a mount is missing, nothing is written below its empty place. */
export class FolderBackupStore implements BackupStore {
  readonly url: string;
  readonly #root: string;

  /** @param root absolute path of a folder that is there. */
  constructor(root: string) {
    this.#root = root;
    this.url = pathToFileURL(root).href;
  }

  async put(key: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const path = this.#path(key);
    await this.#mustBeMounted();
    signal.throwIfAborted();
    if ((await sizeOf(path)) === bytes.length) return;
    await this.#makeFolders(key);
    await writeFileDurably(path, bytes, { mode: 0o600 });
  }

  async has(key: string, signal: AbortSignal): Promise<boolean> {
    const path = this.#path(key);
    await this.#mustBeMounted();
    signal.throwIfAborted();
    return (await sizeOf(path)) !== undefined;
  }

  async get(key: string, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    const path = this.#path(key);
    await this.#mustBeMounted();
    const size = await sizeOf(path);
    if (size === undefined) throw new ShoalError('NOT_FOUND', `the backup store ${this.url} has no ${key}`);
    if (size > bytesMax) throw new ShoalError('TOO_LARGE', `${key} of the backup store has ${size} bytes`);
    return readFile(path, { signal });
  }

  async *list(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    checkBackupPrefix(prefix);
    await this.#mustBeMounted();
    yield* this.#below(prefix.slice(0, -1), signal);
  }

  async remove(key: string, signal: AbortSignal): Promise<void> {
    const path = this.#path(key);
    await this.#mustBeMounted();
    signal.throwIfAborted();
    await rm(path, { force: true });
  }

  async *#below(folder: string, signal: AbortSignal): AsyncIterable<string> {
    let entries: Awaited<ReturnType<typeof opendir>>;
    try {
      entries = await opendir(join(this.#root, folder));
    } catch (caught) {
      if (isAbsent(caught)) return;
      throw ShoalError.from(caught, 'DRIVER_FAILED', `reading the backup store ${this.url}`);
    }
    for await (const entry of entries) {
      signal.throwIfAborted();
      const key = `${folder}/${entry.name}`;
      // Files beside are being written, or were when their writer died.
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) yield* this.#below(key, signal);
      else yield key;
    }
  }

  /** Makes the folders of a key, each durable in the one above. */
  async #makeFolders(key: string): Promise<void> {
    const parts = key.split('/').slice(0, -1);
    for (const [at] of parts.entries()) {
      const folder = join(this.#root, ...parts.slice(0, at + 1));
      try {
        await mkdir(folder, { mode: 0o700 });
        await syncFolder(join(folder, '..'));
      } catch (caught) {
        if (!(caught instanceof Error && 'code' in caught && caught.code === 'EEXIST')) {
          throw ShoalError.from(caught, 'DRIVER_FAILED', `writing to the backup store ${this.url}`);
        }
      }
    }
  }

  async #mustBeMounted(): Promise<void> {
    try {
      if ((await stat(this.#root)).isDirectory()) return;
    } catch (caught) {
      if (!isAbsent(caught)) throw ShoalError.from(caught, 'UNAVAILABLE', `the backup store ${this.url}`);
    }
    throw new ShoalError('UNAVAILABLE', `the folder of the backup store ${this.url} is not there; make or mount it`);
  }

  #path(key: string): string {
    checkBackupKey(key);
    return join(this.#root, key);
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (caught) {
    if (isAbsent(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}

function isAbsent(caught: unknown): boolean {
  return caught instanceof Error && 'code' in caught && (caught.code === 'ENOENT' || caught.code === 'ENOTDIR');
}
