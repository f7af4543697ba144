/** Files that hold keys: whole after a power cut, readable by their owner alone, refused when others can read them. */
import { open } from 'node:fs/promises';
import { writeFileDurably } from '../../base/durable-file.ts';
import { ShoalError } from '../../base/errors.ts';
import { isMissing } from '../../base/system-error.ts';

/** The only mode that a file with a secret may have. */
export const secretFileMode = 0o600;
/** Largest secret file read, bytes: a PEM key is under one KiB. */
const secretBytesMax = 64 * 1024;

/** Writes a secret, all or nothing; never readable by others, not for a moment. Throws `STORE_FAILED`. */
export async function writeSecretFile(path: string, data: string | Uint8Array): Promise<void> {
  await writeFileDurably(path, data, { mode: secretFileMode, failure: 'STORE_FAILED' });
}

/**
 * Reads a secret; undefined when there is no such file.
 * Throws `CONFIG_INVALID` when group or others have any right to it: such a key is no longer a secret, and going on
 * silently would hide that. Throws `CANNOT_TELL` when it cannot be read.
 */
export async function readSecretFile(path: string): Promise<Buffer | undefined> {
  try {
    await using file = await open(path, 'r');
    // Asked of the open file, so that what is checked is what is read.
    const status = await file.stat();
    const mode = status.mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new ShoalError(
        'CONFIG_INVALID',
        `${path} holds a secret and others may read it (mode ${mode.toString(8)}); set it to 600.`,
        { facts: { path, mode: mode.toString(8) } },
      );
    }
    if (status.size > secretBytesMax) throw new ShoalError('CONFIG_INVALID', `${path} is too large to be a key.`);
    return await file.readFile();
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}

/** The secret in `path`, made by `create` and written there first when there is none. */
export async function loadOrCreateSecretFile(path: string, create: () => string | Uint8Array): Promise<Buffer> {
  const found = await readSecretFile(path);
  if (found !== undefined) return found;
  const made = create();
  await writeSecretFile(path, made);
  return typeof made === 'string' ? Buffer.from(made, 'utf8') : Buffer.from(made);
}
