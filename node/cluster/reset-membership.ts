/**
 * Makes a member's data folder that of a host which belongs to no mesh, so that it can join again: for the former
 * voters after `shoal recover`. What it has to forget is its log, which may hold what the recovered mesh does not. Set
 * aside are the log, the slice, the membership and the mesh key; all else stays where it is: the host's own key (so the host keeps
 * its identity, and its servers their host), the host's notes, disks, images, guests that run.
 */
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../base/durable-file.ts';
import { ShoalError } from '../base/errors.ts';
import { meshKeyFileName } from '../mesh/identity/mesh-key.ts';
import { holdLevelLock } from '../store/level/level-lock.ts';
import { authorityPathOf, membershipPathOf, readMembership } from './membership.ts';

/** Folders set aside before it is refused to set aside more: something else is wrong then. */
const setAsideMax = 100;

/**
 * Sets it aside; returns the folder where it lies now. The membership goes last: until then the folder is a member's, and
 * doing it again after a crash ends what was begun. Throws `NOT_FOUND` when the folder belongs to no mesh, `CONFLICT`
 * while an agent runs on it, `STORE_FAILED`.
 */
export async function resetMembership(dataDir: string): Promise<string> {
  if (readMembership(dataDir) === undefined) throw new ShoalError('NOT_FOUND', `${dataDir} belongs to no mesh`);
  const release = await holdLevelLock(join(dataDir, 'log', 'db'));
  try {
    return await setStateAside(dataDir);
  } finally {
    await release();
  }
}

/**
 * Sets aside what a folder has of a mesh's state and keys, the membership last; returns the folder where it lies now. Throws
 * `STORE_FAILED`.
 */
export async function setStateAside(dataDir: string): Promise<string> {
  try {
    const aside = asideOf(dataDir);
    await mkdir(aside, { mode: 0o700 });
    const paths = [
      join(dataDir, 'log'),
      // It may be of revisions that the recovered mesh never had.
      join(dataDir, 'slice'),
      join(dataDir, meshKeyFileName),
      authorityPathOf(dataDir),
      membershipPathOf(dataDir),
    ];
    for (const path of paths) {
      if (existsSync(path)) await rename(path, join(aside, path.slice(dataDir.length + 1)));
    }
    await syncFolder(aside);
    await syncFolder(dataDir);
    return aside;
  } catch (caught) {
    throw ShoalError.from(caught, 'STORE_FAILED', `setting the membership in ${dataDir} aside`);
  }
}

function asideOf(dataDir: string): string {
  for (let n = 1; n <= setAsideMax; n++) {
    const path = join(dataDir, `former-membership-${n}`);
    if (!existsSync(path)) return path;
  }
  throw new ShoalError('STORE_FAILED', `${dataDir} holds ${setAsideMax} former memberships; look why, and remove some`);
}
