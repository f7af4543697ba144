/**
 * The log in a folder of this machine:
 *
 *     db/                     LevelDB
 *     owner.json              whose log it is, outside of LevelDB: a database that vanished is missed
 *     db.unreadable-<n>/      databases that LevelDB could not open, set aside for people to look at
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../base/errors.ts';
import type { Disk } from './disk.ts';
import { openLevelDisk } from './level-disk.ts';
import { type OpenedLog, openLogStore } from './recovery.ts';

export interface LevelLogStoreOptions {
  readonly folder: string;
  readonly raftId: number;
  /** The first member of a new mesh. Has no effect on a log that is there. */
  readonly bootstrap?: boolean;
}

/** Databases set aside before it is refused to set aside more: something else is wrong then. */
const setAsideMax = 8;

/**
 * Opens the log, or makes it. A database that cannot be read is set aside, and the log begins anew, in doubt.
 * Throws `STORE_FAILED` (locked, no permission, disk full), `IDENTITY_MISMATCH`, `LOG_CORRUPT`.
 */
export async function openLevelLogStore(options: LevelLogStoreOptions): Promise<OpenedLog> {
  const { folder, raftId } = options;
  const owner = join(folder, 'owner.json');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const knownOwner = await readOwner(owner);
  if (knownOwner !== undefined && knownOwner !== raftId) {
    throw new ShoalError(
      'IDENTITY_MISMATCH',
      `The log in ${folder} belongs to member ${knownOwner}, not to ${raftId}.`,
      {
        facts: { found: knownOwner, expected: raftId },
      },
    );
  }
  const { disk, unreadable } = await openOrSetAside(folder);
  try {
    const opened = await openLogStore(disk, {
      raftId,
      newIncarnation: randomUUID(),
      expectsContents: knownOwner !== undefined,
      // A mesh is founded once: a log that vanished must not found another.
      bootstrap: (options.bootstrap ?? false) && knownOwner === undefined && unreadable === undefined,
      ...(unreadable === undefined ? {} : { doubt: { reason: 'unreadable', detail: unreadable } }),
    });
    if (knownOwner === undefined) await writeOwner(folder, owner, raftId);
    return opened;
  } catch (error) {
    await disk.close();
    throw error;
  }
}

async function openOrSetAside(folder: string): Promise<{ disk: Disk; unreadable?: string }> {
  const database = join(folder, 'db');
  try {
    return { disk: await openLevelDisk(database) };
  } catch (error) {
    if (!ShoalError.is(error, 'LOG_CORRUPT')) throw error;
    for (let n = 1; n <= setAsideMax; n += 1) {
      const aside = `${database}.unreadable-${n}`;
      if (await exists(aside)) continue;
      await rename(database, aside);
      await syncFolder(folder);
      return { disk: await openLevelDisk(database), unreadable: `${error.message}; set aside as ${aside}.` };
    }
    throw error;
  }
}

async function readOwner(path: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw ShoalError.from(error, 'STORE_FAILED', `Cannot read ${path}`);
  }
  const parsed: unknown = parseJson(text);
  if (typeof parsed === 'object' && parsed !== null && 'raftId' in parsed && typeof parsed.raftId === 'number') {
    return parsed.raftId;
  }
  throw new ShoalError('LOG_CORRUPT', `${path} does not say whose log this is.`, { facts: { path } });
}

/** Durable when it resolves: written beside, synced, renamed, folder synced. */
async function writeOwner(folder: string, path: string, raftId: number): Promise<void> {
  try {
    const file = await open(`${path}.new`, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify({ raftId })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
    await syncFolder(folder);
  } catch (error) {
    throw ShoalError.from(error, 'STORE_FAILED', `Cannot write ${path}`);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isNotThere(error)) return false;
    throw error;
  }
}

function isNotThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller, with the path.
    return undefined;
  }
}
