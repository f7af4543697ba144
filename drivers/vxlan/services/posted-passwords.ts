/** Passwords that guests have posted to the metadata server: files in a folder of its own, by the guest's identity. */
import { chmod, chown, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { MetadataBodies } from '../../types.ts';

/** Where a guest reads its password. */
const passwordPath = '/openstack/latest/password';
/** What the server keeps: printable, as long as Nova has it. */
const passwordPattern = /^[!-~]{1,1020}$/;

function folderOf(stateDir: string): string {
  return join(stateDir, 'metadata', 'posted');
}

/** The folder, for the server to write to. @param uid user and group of the server; absent: the agent's own. */
export async function preparePosted(stateDir: string, uid: number | undefined): Promise<void> {
  const folder = folderOf(stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (uid !== undefined) await chown(folder, uid, uid);
  await chmod(folder, 0o700);
}

/** By identity address. What is no password is nobody's. */
export async function postedPasswords(stateDir: string): Promise<ReadonlyMap<string, string>> {
  const folder = folderOf(stateDir);
  const posted = new Map<string, string>();
  for (const name of await namesIn(folder)) {
    if (!/^[0-9.]{7,15}$/.test(name)) continue;
    const text = await textOf(join(folder, name));
    if (text !== undefined && passwordPattern.test(text)) posted.set(name, text);
  }
  return posted;
}

/** Forgets what a guest has posted, once its metadata has a password. */
export async function forgetPostedOnce(stateDir: string, identity: string, metadata: MetadataBodies): Promise<void> {
  if ((metadata[passwordPath] ?? '').length > 0) await forgetPosted(stateDir, identity);
}

/** For a port that goes: its identity is another guest's next. */
export async function forgetPosted(stateDir: string, identity: string): Promise<void> {
  await rm(join(folderOf(stateDir), identity), { force: true });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'DRIVER_FAILED', folder);
  }
}

/** Undefined: it has gone meanwhile. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'DRIVER_FAILED', path);
  }
}
