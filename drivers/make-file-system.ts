/** A blank disk as a raw file, with swap space or a file system: what a flavor's swap and ephemeral disks are made as. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandRunner } from './command.ts';
import type { DiskSpec } from './types.ts';

type Contents = NonNullable<DiskSpec['contents']>;

/** Inode tables of a file system of some TiB. */
const timeoutMs = 300_000;

/** Makes the file, with holes where nothing was written. A program that is missing: `COMMAND_MISSING`. */
export async function makeBlankFile(
  run: CommandRunner,
  path: string,
  wanted: { readonly sizeBytes: number; readonly contents: Contents },
  signal: AbortSignal,
): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.truncate(wanted.sizeBytes);
  } finally {
    await file.close();
  }
  await run([...formatCommand(wanted.contents), path], { signal, timeoutMs });
}

/** Runs `work` with such a file, which is removed after it. */
export async function withBlankFile(
  run: CommandRunner,
  wanted: { readonly sizeBytes: number; readonly contents: Contents },
  signal: AbortSignal,
  work: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-blank-'));
  try {
    const path = join(folder, 'disk');
    await makeBlankFile(run, path, wanted, signal);
    await work(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function formatCommand({ format, label }: Contents): readonly string[] {
  switch (format) {
    case 'swap':
      return ['mkswap', ...(label === undefined ? [] : ['-L', label])];
    case 'ext4':
      // Tables are written when they are used: the disk takes no room that nothing was written to.
      return [
        'mkfs.ext4',
        '-q',
        '-F',
        '-E',
        'lazy_itable_init=1,nodiscard',
        ...(label === undefined ? [] : ['-L', label]),
      ];
    case 'vfat':
      return ['mkfs.vfat', '-I', ...(label === undefined ? [] : ['-n', label])];
  }
}
