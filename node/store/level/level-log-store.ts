/**
 * The log in a folder of this machine:
 *
 *     db/                     LevelDB
 *     db.mark                 how far it had come, outside of LevelDB: an end that is cut off, or an old copy, is noticed
 *     owner.json              whose log it is, likewise: a database that vanished is missed
 *     db.unreadable-<n>/      databases that were damaged, set aside for people to look at
 */
import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../base/durable-file.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import type { Disk } from '../log/disk.ts';
import { headKey } from '../log/keys.ts';
import { type MarkKeeper, openMarkFile } from '../log/log-mark.ts';
import { type LevelCheck, type LogPlace, openLogAt } from '../log/log-place.ts';
import type { OpenedLog } from '../log/recovery.ts';
import { checkLevelFolder } from './level-check.ts';
import { openLevelDisk, salvageLevelFolder } from './level-disk.ts';
import { holdLevelLock } from './level-lock.ts';

/** Where the log lies, whose it is, and what is known of the mesh when it has to be judged. */
export interface LevelLogStoreOptions {
  readonly folder: string;
  readonly raftId: number;
  /** The first member of a new mesh. Has no effect on a log that is there. */
  readonly bootstrap?: boolean;
  /** Whether the mesh is known to have other members; default true. Asked when the log cannot say who votes. */
  readonly hasPeers?: boolean;
  /** For `shoal recover`: opens what is left of a log that is beyond repair. */
  readonly salvages?: boolean;
}

/** Databases set aside before it is refused to set aside more: something else is wrong then. */
const setAsideMax = 8;

/** The name of the mark within the log's folder. */
export const markName = 'db.mark';

/**
 * Opens the log, or makes it. A database that is damaged is set aside, and a new log begins, quarantined; where nobody
 * else votes, it is refused instead (../log/log-place.ts). Throws `STORE_FAILED` (locked, no permission, disk full),
 * `IDENTITY_MISMATCH`, `LOG_CORRUPT`.
 */
export async function openLevelLogStore(options: LevelLogStoreOptions): Promise<OpenedLog> {
  const { folder, ...rest } = options;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot make ${folder}`);
  }
  const owner = await readOwner(join(folder, 'owner.json'));
  const mark = await openMarkFile(join(folder, markName));
  try {
    return await openLogAt(new LevelLogPlace(folder, owner, mark), { ...rest, newIncarnation: randomUUID() });
  } catch (error) {
    await mark.close();
    throw error;
  }
}

class LevelLogPlace implements LogPlace {
  readonly owner: number | undefined;
  readonly mark: MarkKeeper;
  readonly #folder: string;
  readonly #database: string;

  constructor(folder: string, owner: number | undefined, mark: MarkKeeper) {
    this.#folder = folder;
    this.#database = join(folder, 'db');
    this.owner = owner;
    this.mark = mark;
  }

  check(): Promise<LevelCheck> {
    return checkLevelFolder(this.#database, { lastOf: headKey });
  }

  hold(): Promise<() => Promise<void>> {
    return holdLevelLock(this.#database);
  }

  open(): Promise<Disk> {
    return openLevelDisk(this.#database);
  }

  async setAside(): Promise<string> {
    const aside = await this.#freeName();
    await rename(this.#database, aside);
    await syncFolder(this.#folder);
    return aside;
  }

  async salvage(): Promise<string> {
    const copy = await this.#freeName();
    await cp(this.#database, copy, { recursive: true });
    await salvageLevelFolder(this.#database);
    return copy;
  }

  async own(raftId: number): Promise<void> {
    const path = join(this.#folder, 'owner.json');
    await writeFileDurably(path, `${JSON.stringify({ raftId })}\n`, { mode: 0o600, failure: 'STORE_FAILED' });
  }

  async #freeName(): Promise<string> {
    for (let n = 1; n <= setAsideMax; n += 1) {
      const aside = `${this.#database}.unreadable-${n}`;
      if (!(await exists(aside))) return aside;
    }
    throw new ShoalError(
      'LOG_CORRUPT',
      `${this.#database} is damaged, and ${setAsideMax} damaged databases lie beside it already: something is wrong with ` +
        'this disk or this machine. Look at them with: shoal inspect, and remove those that are of no use.',
      { facts: { folder: this.#folder, setAsideMax } },
    );
  }
}

async function readOwner(path: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ShoalError.from(error, 'STORE_FAILED', `Cannot read ${path}`);
  }
  const parsed: unknown = parseJson(text);
  if (typeof parsed === 'object' && parsed !== null && 'raftId' in parsed && typeof parsed.raftId === 'number') {
    return parsed.raftId;
  }
  throw new ShoalError('LOG_CORRUPT', `${path} does not say whose log this is.`, { facts: { path } });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw ShoalError.from(error, 'STORE_FAILED', `Cannot look at ${path}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Said by the caller, with the path.
    return undefined;
  }
}
