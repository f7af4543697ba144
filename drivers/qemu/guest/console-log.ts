/**
 * The guest's serial console, kept small. QEMU appends to console.log for as long as it lives and cannot be told to
 * start a new file, but it opens the file with O_APPEND, so the file may be cut to nothing under it: what comes next is
 * written at the new end. So, when the file is over its cap, its tail is copied to a second file and it is emptied.
 *
 * What that costs: bytes written between the copy and the cut (microseconds) are lost, and while no agent runs nobody
 * cuts, so a guest that prints without end grows its file until the agent is back.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import { errnoOf, isMissing } from '../../../node/base/system-error.ts';
import { mibBytes } from '../../../node/base/units.ts';

/** Size at which console.log is cut, and size of the tail kept beside it: a guest's console takes at most twice this. */
export const consoleBytesMax = mibBytes;

/** Both parts of one guest's console. */
interface ConsoleFiles {
  /** Written by QEMU, in a folder that QEMU owns: links are not followed. */
  readonly current: string;
  /** What came before. Written by the agent. */
  readonly earlier: string;
}

/** Cuts the console when it is over its cap. Safe while QEMU has it open. */
export async function trimConsole(files: ConsoleFiles): Promise<void> {
  const current = await openPlain(files.current, constants.O_RDWR);
  if (current === undefined) return;
  try {
    const { size } = await current.stat();
    if (size <= consoleBytesMax) return;
    await writeFileDurably(files.earlier, await tailOf(current, consoleBytesMax), { mode: 0o600 });
    await current.truncate(0);
  } finally {
    await current.close();
  }
}

/** The last `bytesMax` bytes of the console, over cuts and restarts. */
export async function readConsole(files: ConsoleFiles, bytesMax: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let left = Math.min(bytesMax, 2 * consoleBytesMax);
  for (const path of [files.current, files.earlier]) {
    if (left === 0) break;
    const file = await openPlain(path, constants.O_RDONLY);
    if (file === undefined) continue;
    try {
      const tail = await tailOf(file, left);
      left -= tail.length;
      parts.unshift(tail);
    } finally {
      await file.close();
    }
  }
  return Buffer.concat(parts);
}

async function openPlain(path: string, flags: number): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (caught) {
    if (errnoOf(caught) === 'ENOENT') return undefined;
    throw ShoalError.from(caught, 'DRIVER_FAILED', `opening ${path}`);
  }
  const stat = await file.stat();
  // A hard link or a device here would be an escaped guest's work: what it names is not a console.
  if (stat.isFile() && stat.nlink === 1) return file;
  await file.close();
  throw new ShoalError('DRIVER_FAILED', `${path} is not a plain file`);
}

async function tailOf(file: FileHandle, bytesMax: number): Promise<Uint8Array> {
  const { size } = await file.stat();
  const length = Math.min(size, bytesMax);
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, size - length + filled);
    if (bytesRead === 0) break; // Cut meanwhile.
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Empties a file that has grown beyond `bytesMax`. Not there is success. */
export async function emptyWhenOver(path: string, bytesMax: number): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      if ((await file.stat()).size > bytesMax) await file.truncate(0);
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (!isMissing(caught)) throw caught;
  }
}
