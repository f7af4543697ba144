/** Small files that must be whole after a power cut: written beside, synced, renamed, and the folder synced. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ErrorCode, ShoalError } from './errors.ts';

let written = 0;

/** Makes a file's new name, or its removal, survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** How a file is written. */
interface DurableFileOptions {
  /** Rights of the new file, whatever the umask. Default: 0o644 as far as the umask lets it. */
  readonly mode?: number;
  /** Code of the failure; default `DRIVER_FAILED`. */
  readonly failure?: ErrorCode;
}

/**
 * Replaces `path` with `data`, all or nothing. A reader sees the old content or the new, never a part. Throws
 * `options.failure`; the old content is there then.
 */
export async function writeFileDurably(
  path: string,
  data: string | Uint8Array,
  options: DurableFileOptions = {},
): Promise<void> {
  written += 1;
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.${written}.tmp`);
  let file: FileHandle | undefined;
  try {
    // No two writers share the name; one that died with the same pid, as in a container, may have left it.
    await rm(beside, { force: true });
    file = await open(beside, 'wx', options.mode ?? 0o644);
    if (options.mode !== undefined) await file.chmod(options.mode);
    await file.writeFile(data);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (caught) {
    await file?.close();
    await rm(beside, { force: true });
    throw ShoalError.from(caught, options.failure ?? 'DRIVER_FAILED', `writing ${path}`);
  }
}
