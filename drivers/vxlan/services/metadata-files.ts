import { chmod, chown, link, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { MetadataBodies } from '../../types.ts';
import { metadataFileName } from '../model/metadata.ts';

/** To be passed by the group, with files that take its group; read by the agent alone. */
const folderMode = 0o2710;

/**
 * Makes the files that a port's guest reads exactly these; those that are right are not written. True when any changed. Paths that say the same, as versions of a
 * tree do, are names of one file: it is written, and waited for, once.
 *
 * @param readerGid group of the server that reads them; absent: it is the agent's own user.
 */
export async function syncMetadataFiles(folder: string, files: MetadataBodies, readerGid?: number): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (readerGid !== undefined) await letRead(folder, readerGid);
  const wanted = new Map(Object.entries(files).map(([path, body]) => [metadataFileName(path), body]));
  let changed = false;
  for (const name of await readdir(folder)) {
    if (wanted.has(name)) continue;
    await rm(join(folder, name), { force: true });
    changed = true;
  }
  /** Where each body lies: text by what it says, bytes by whose they are. */
  const right = new Map<string | Uint8Array, string>();
  let hasLinked = false;
  for (const [name, body] of wanted) {
    const path = join(folder, name);
    const same = right.get(body);
    if (!(await says(path, body))) {
      changed = true;
      hasLinked ||= same !== undefined;
      if (same === undefined) await writeFileDurably(path, body, { mode: readerGid === undefined ? 0o600 : 0o640 });
      else await alsoName(same, path);
    }
    right.set(body, same ?? path);
  }
  if (hasLinked) await syncFolder(folder);
  return changed;
}

/**
 * Lets a group read what is in `folder` and what will be: new files take the folder's group. Nobody may list it. Files of
 * an earlier version, which were the agent's alone, are opened to it once.
 */
async function letRead(folder: string, gid: number): Promise<void> {
  const found = await stat(folder);
  if (found.gid === gid && (found.mode & 0o7777) === folderMode) return;
  for (const name of await readdir(folder)) {
    await chown(join(folder, name), found.uid, gid);
    await chmod(join(folder, name), 0o640);
  }
  // Last: until then a start that was cut short begins again.
  await chown(folder, found.uid, gid);
  await chmod(folder, folderMode);
}

async function says(path: string, body: string | Uint8Array): Promise<boolean> {
  try {
    return (await readFile(path)).equals(typeof body === 'string' ? Buffer.from(body) : body);
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'DRIVER_FAILED', path);
  }
}

/** Makes `path` another name of `file`, whatever it named before. A draft that is left is no wanted name, and goes. */
async function alsoName(file: string, path: string): Promise<void> {
  const draft = `${path}.tmp`;
  await rm(draft, { force: true });
  await link(file, draft);
  await rename(draft, path);
}
