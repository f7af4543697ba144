/** LevelDB as a `Disk`. Every batch is synced; one is in flight at a time (concurrent synced puts are ten times slower). */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { assert } from '../../base/assert.ts';
import { ShoalError } from '../../base/errors.ts';
import type { Disk, DiskOp, DiskRow } from '../log/disk.ts';

/** Rows fetched from LevelDB at a time while scanning. */
const scanRows = 1000;
/** LevelDB's memtable. Larger than its default 4 MiB: fewer files while the log is written and deleted all the time. */
const logWriteBufferBytes = 16 * 1024 * 1024;

/**
 * Opens or makes it. Throws `STORE_FAILED` (locked, no permission, disk) or `LOG_CORRUPT` (its files do not fit).
 * @param options.writeBufferBytes memory that fills before a file is written; twice that while it is.
 */
export async function openLevelDisk(
  folder: string,
  options: { readonly writeBufferBytes: number } = { writeBufferBytes: logWriteBufferBytes },
): Promise<Disk> {
  const level = new Level<string, Uint8Array>(folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    // Log entries and protobuf records are written once and read rarely: compressing them would only cost time.
    await level.open({ compression: false, writeBufferSize: options.writeBufferBytes });
  } catch (error) {
    throw levelOpenError(error, folder);
  }
  return new LevelDisk(level, folder);
}

/** Has LevelDB make a database that can be opened of whatever files it can still read. Throws `LOG_CORRUPT`. */
export async function salvageLevelFolder(folder: string): Promise<void> {
  // What every Level on Node is has it, and its types do not say so.
  const repair: unknown = Reflect.get(Level, 'repair');
  assert(typeof repair === 'function', 'LevelDB can repair a folder');
  try {
    await repair.call(Level, folder);
    // What it read is in tables now; the caller keeps a copy of the folder as it was.
    await rm(join(folder, 'lost'), { recursive: true, force: true });
  } catch (error) {
    throw ShoalError.from(error, 'LOG_CORRUPT', `LevelDB can make nothing of ${folder}`);
  }
}

class LevelDisk implements Disk {
  readonly #level: Level<string, Uint8Array>;
  readonly #folder: string;

  constructor(level: Level<string, Uint8Array>, folder: string) {
    this.#level = level;
    this.#folder = folder;
  }

  get(key: string): Uint8Array | undefined {
    try {
      return this.#level.getSync(key);
    } catch (error) {
      throw this.#failed(error, 'read');
    }
  }

  async *scan(start: string, end: string): AsyncGenerator<DiskRow, void, undefined> {
    const iterator = this.#level.iterator({ gte: start, lt: end });
    try {
      for (;;) {
        const rows = await iterator.nextv(scanRows);
        if (rows.length === 0) return;
        for (const [key, value] of rows) yield { key, value };
      }
    } catch (error) {
      throw this.#failed(error, 'read');
    } finally {
      await iterator.close();
    }
  }

  async write(ops: readonly DiskOp[]): Promise<void> {
    try {
      // A chained batch goes to LevelDB op by op; an array of ops would be copied and looked through twice on its way.
      const batch = this.#level.batch();
      for (const { key, value } of ops) {
        if (value === undefined) batch.del(key);
        else batch.put(key, value);
      }
      await batch.write({ sync: true });
    } catch (error) {
      throw this.#failed(error, 'write');
    }
  }

  async clear(start: string, end: string): Promise<void> {
    try {
      await this.#level.clear({ gte: start, lt: end });
    } catch (error) {
      throw this.#failed(error, 'write');
    }
  }

  async compact(): Promise<void> {
    // LevelDB on Node has it, and the types of `level`, which is for browsers too, do not say so.
    const compactRange: unknown = Reflect.get(this.#level, 'compactRange');
    assert(typeof compactRange === 'function', 'LevelDB can compact a range');
    try {
      await compactRange.call(this.#level, '', '\u{10ffff}', { keyEncoding: 'utf8' });
    } catch (error) {
      throw this.#failed(error, 'compact');
    }
  }

  async close(): Promise<void> {
    try {
      await this.#level.close();
    } catch (error) {
      throw this.#failed(error, 'close');
    }
  }

  #failed(error: unknown, action: string): ShoalError {
    return new ShoalError('STORE_FAILED', `LevelDB could not ${action} ${this.#folder}: ${textOf(error)}`, {
      facts: { folder: this.#folder, action, isDiskFull: isLevelDiskFull(error) },
      cause: error,
    });
  }
}

/** What a failure of LevelDB to open `folder` is called: `LOG_CORRUPT` or `STORE_FAILED`. */
export function levelOpenError(error: unknown, folder: string): ShoalError {
  // abstract-level wraps: the engine's own code is on the cause.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const facts = { folder, levelCode: code, isDiskFull: isLevelDiskFull(cause) };
  if (facts.isDiskFull) {
    return new ShoalError(
      'STORE_FAILED',
      `${folder}: no space left on device. LevelDB needs some to open what is there, which is whole: free about 64 MiB on ` +
        'that file system, then start the agent again. The guests run on meanwhile.',
      { facts, cause: error },
    );
  }
  if (code === 'LEVEL_LOCKED') {
    return new ShoalError(
      'STORE_FAILED',
      `Another process has ${folder} open: an agent runs on this data folder already. Stop it first, or give each agent a data ` +
        'folder of its own.',
      { facts, cause: error },
    );
  }
  const isCorrupt = code === 'LEVEL_CORRUPTION' || isMissingFile(cause);
  return new ShoalError(
    isCorrupt ? 'LOG_CORRUPT' : 'STORE_FAILED',
    `LevelDB could not open ${folder}: ${textOf(cause)}`,
    { facts, cause: error },
  );
}

/** LevelDB reports both as input/output errors and says which only in words; a test pins the real ones. */
function isMissingFile(error: unknown): boolean {
  return /No such file or directory|does not exist/.test(textOf(error));
}

/** Whether a failure of LevelDB is that there is no room: it says so in words alone. */
export function isLevelDiskFull(error: unknown): boolean {
  return /No space left on device|File too large|Disk quota exceeded/.test(textOf(error));
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
