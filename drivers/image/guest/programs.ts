/** Programs of the machine that builds the guest, with the shared libraries that they need, as entries of an archive. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { CommandRunner } from '../../command.ts';
import type { CpioEntry } from './cpio.ts';

/**
 * The programs below `bin/`, and below their own paths the libraries that `ldd` finds for them, folders included.
 * @param paths absolute
 * @param packageName what has them, for errors: `NOT_FOUND` says to install it
 */
export async function readDynamicPrograms(
  paths: readonly string[],
  packageName: string,
  run: CommandRunner,
): Promise<readonly CpioEntry[]> {
  const programs: CpioEntry[] = [];
  const libraries = new Set<string>();
  for (const path of paths) {
    const content = await readInput(path, packageName);
    programs.push({ path: `bin/${path.slice(path.lastIndexOf('/') + 1)}`, mode: 0o755, content });
    const { stdout } = await run(['ldd', path]);
    for (const library of librariesOf(path, stdout, packageName)) libraries.add(library);
  }
  const folders = new Set<string>();
  const files: CpioEntry[] = [];
  for (const library of libraries) {
    const path = library.slice(1);
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
    files.push({ path, mode: 0o755, content: await readInput(library, packageName) });
  }
  return [...[...folders].map((path): CpioEntry => ({ path, mode: 0o755 })), ...programs, ...files];
}

/** Reads `ldd`'s lines: `libz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x...)`, and the loader by its path alone. */
function librariesOf(program: string, text: string, packageName: string): readonly string[] {
  const found: string[] = [];
  for (const line of text.split('\n')) {
    if (line.includes('not found')) {
      throw new ShoalError('NOT_FOUND', `${program} lacks a library (${line.trim()}): install ${packageName} again`);
    }
    const path = /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1];
    if (path !== undefined) found.push(path);
  }
  if (found.length === 0) throw new ShoalError('NOT_FOUND', `ldd finds no library of ${program}: ${text.trim()}`);
  return found;
}

/** A file that the build needs. `NOT_FOUND` says which package to install. */
export async function readInput(path: string, packageName: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (caught) {
    if (isMissing(caught)) throw new ShoalError('NOT_FOUND', `${path} is missing: install ${packageName}`);
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}
