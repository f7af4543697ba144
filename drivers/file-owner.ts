/** Whose a disk's file is: root's, or for a while the user's who has it open. Links are not followed. */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { ShoalError } from '../node/base/errors.ts';
import { isMissing } from '../node/base/system-error.ts';

/** Makes the file this user's, for it and root alone. `NOT_FOUND` without the file. */
export async function giveFile(path: string, uid: number): Promise<void> {
  const file = await opened(path);
  if (file === undefined) throw new ShoalError('NOT_FOUND', `there is no ${path}`);
  await give(file, uid);
}

/** To root, unless it is another's by now: a disk that went on to the next user. Gone: success. */
export async function takeFileBack(path: string, from: number | undefined): Promise<void> {
  const file = await opened(path);
  if (file !== undefined) await give(file, 0, from);
}

async function opened(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'DRIVER_FAILED', `opening ${path}`);
  }
}

async function give(file: FileHandle, uid: number, from?: number): Promise<void> {
  try {
    if (from !== undefined && (await file.stat()).uid !== from) return;
    // The rights first: so neither the old owner nor the new one lets others in at any moment.
    await file.chmod(0o600);
    await file.chown(uid, uid);
  } finally {
    await file.close();
  }
}
