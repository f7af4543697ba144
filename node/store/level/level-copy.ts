/**
 * A log's LevelDB as it lies in a folder, to be read without touching it.
 *
 * The problem: LevelDB cannot be opened for reading only; opening one replays its newest file into a new one and begins a
 * new manifest. So its files are copied elsewhere (where the file system can, as clones that take no space), and the copy
 * is opened. Meanwhile nobody may write the original, so its lock is held (level-lock.ts): an agent that runs has it, and
 * keeps us out; while we have it, an agent that starts is kept out. Call this from a program of its own, never from an agent.
 */
import { constants } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import type { Disk } from '../log/disk.ts';
import { headKey } from '../log/keys.ts';
import { type LogMark, readMarkFile } from '../log/log-mark.ts';
import { judge } from '../log/log-place.ts';
import { checkLevelFolder } from './level-check.ts';
import { openLevelDisk, salvageLevelFolder } from './level-disk.ts';
import { holdLevelLock } from './level-lock.ts';
import { markName } from './level-log-store.ts';

/** LevelDB's lock, and its own diary: neither is content. */
const notContent = new Set(['LOCK', 'LOG', 'LOG.old']);

/** How LevelDB says in its diary that it left out what fails its checksum; a test pins it. A torn end is not among it. */
const droppedForm = /dropping \d+ bytes/;
/** Such lines kept. */
const droppedMax = 20;

/** A copy that is open. */
export interface LevelCopy {
  /** Undefined: what is there is so damaged that nothing of it can be read. */
  readonly disk: Disk | undefined;
  /** What a start finds damaged before it opens the database (../log/log-place.ts); the copy was repaired where there is any. */
  readonly faults: readonly string[];
  /** How far the database had come; undefined: there is no mark. */
  readonly mark: LogMark | undefined;
  /** What else lies in the folder: databases that could not be opened and were set aside. */
  readonly setAside: readonly string[];
  /**
   * What LevelDB itself found damaged and left out, in its own words: part of its newest file, whose batches never made it
   * into a table. What is left looks like an older log, and all of it holds; so it is here alone that such damage shows.
   */
  readonly dropped: readonly string[];
  /** Removes the copy and lets go of the lock. */
  close(): Promise<void>;
}

/**
 * Copies and opens the log in `folder` (level-log-store.ts). Throws `NOT_FOUND` when there is none and never was, `CONFLICT`
 * when an agent holds it, `STORE_FAILED`.
 */
export async function openLevelCopy(folder: string): Promise<LevelCopy> {
  const database = resolve(folder, 'db');
  const mark = await readMarkFile(resolve(folder, markName));
  if (mark === undefined && !(await checkLevelFolder(database)).isThere) {
    throw new ShoalError('NOT_FOUND', `There is no log in ${folder}.`, { facts: { folder } });
  }
  const undo: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const scratch = await mkdtemp(join(tmpdir(), 'shoal-log-'));
    undo.push(() => rm(scratch, { recursive: true, force: true }));
    undo.push(await holdLevelLock(database));
    const judged = judge(await checkLevelFolder(database, { lastOf: headKey }), mark);
    const faults = [...judged.faults, ...(judged.behind === undefined ? [] : [judged.behind])];
    const copy = join(scratch, 'db');
    await mkdir(copy, { mode: 0o700 });
    for (const name of await namesIn(database)) {
      if (!notContent.has(name)) {
        await copyFile(join(database, name), join(copy, name), constants.COPYFILE_FICLONE);
      }
    }
    const { disk, fault } = await openWhatCanBe(copy, judged.faults.length > 0);
    if (disk !== undefined) undo.push(() => disk.close());
    if (fault !== undefined) faults.push(fault);
    const setAside = (await readdir(folder)).filter((name) => name.startsWith('db.unreadable-'));
    const dropped = disk === undefined ? [] : await droppedIn(join(copy, 'LOG'));
    return { disk, faults, mark, setAside, dropped, close };
  } catch (caught) {
    await close();
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot read ${folder}`);
  }
}

/** Opens a copy, repaired where it is damaged; without a disk where nothing can be made of it. */
async function openWhatCanBe(
  copy: string,
  isDamaged: boolean,
): Promise<{ readonly disk: Disk | undefined; readonly fault?: string }> {
  try {
    if (isDamaged) await salvageLevelFolder(copy);
    return { disk: await openLevelDisk(copy) };
  } catch (caught) {
    if (!ShoalError.is(caught, 'LOG_CORRUPT')) throw caught;
    return { disk: undefined, fault: `${caught.message.replace(copy, 'its copy')}.` };
  }
}

async function droppedIn(diary: string): Promise<readonly string[]> {
  const lines = (await readFile(diary, 'utf8')).split('\n');
  return lines.filter((line) => droppedForm.test(line)).slice(0, droppedMax);
}

async function namesIn(database: string): Promise<readonly string[]> {
  try {
    return await readdir(database);
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot read ${database}`);
  }
}
