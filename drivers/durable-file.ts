/** Small files that must be whole after a power cut: written beside, synced, renamed, and the folder synced. */
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ShoalError } from '../node/base/errors.ts';

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

/** Replaces `path` with `data`, all or nothing. A reader sees the old content or the new, never a part. */
export async function writeFileDurably(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  written += 1;
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.${written}.tmp`);
  let file: FileHandle | undefined;
  try {
    file = await open(beside, 'wx', mode);
    await file.writeFile(data);
    await file.sync();
    await file.close();
    file = undefined;
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (caught) {
    await file?.close();
    await rm(beside, { force: true });
    throw ShoalError.from(caught, 'DRIVER_FAILED', `writing ${path}`);
  }
}

/** The file's JSON; undefined when there is no such file. `DRIVER_FAILED` when it is there and cannot be understood. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (caught) {
    throw ShoalError.from(caught, 'DRIVER_FAILED', `${path} is not JSON`);
  }
}

/** Whether a file-system call said "there is no such thing", which is an answer; every other failure is not. */
export function isMissing(caught: unknown): boolean {
  return errnoOf(caught) === 'ENOENT';
}

/** The system's error name (`ENOENT`, `EACCES`...), where `caught` carries one. */
export function errnoOf(caught: unknown): string | undefined {
  return caught instanceof Error && 'code' in caught && typeof caught.code === 'string' ? caught.code : undefined;
}

/** Narrows JSON read from a file to an object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
