/**
 * LevelDB's lock on a folder, held without opening the database in it.
 *
 * LevelDB guards itself with a lock on its LOCK file, and what is held here is that very lock, through a database of our own
 * whose LOCK is a link to it. The lock belongs to the process: never ask for that of a database which this process has open.
 */
import { access, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';
import { openLevelDisk } from './level-disk.ts';

/**
 * Keeps other processes from the database in `folder` until the function returned is called. A folder without a LOCK is
 * nobody's. Throws `CONFLICT` when another process has it, `STORE_FAILED`.
 */
export async function holdLevelLock(folder: string): Promise<() => Promise<void>> {
  const lock = join(resolve(folder), 'LOCK');
  if (!(await isThere(lock))) return async () => {};
  const scratch = await mkdtemp(join(tmpdir(), 'shoal-lock-'));
  const remove = (): Promise<void> => rm(scratch, { recursive: true, force: true });
  try {
    await symlink(lock, join(scratch, 'LOCK'));
    const guard = await openLevelDisk(scratch);
    return async () => {
      await guard.close();
      await remove();
    };
  } catch (caught) {
    await remove();
    if (ShoalError.is(caught, 'STORE_FAILED') && caught.facts['levelCode'] === 'LEVEL_LOCKED') {
      throw new ShoalError('CONFLICT', `An agent holds the log in ${folder}; stop it first.`, { cause: caught });
    }
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot lock ${folder}`);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'STORE_FAILED', `Cannot look at ${path}`);
  }
}
