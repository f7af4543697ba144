/** What backups of the cloud are opened with, as an operator names it. */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ShoalError } from '../../base/errors.ts';
import type { BackupSecret } from '../../host/cloud-backup/key.ts';
import { readSecretFile } from '../../mesh/identity/secret-file.ts';

/** What commander hands to the action. */
export interface SecretFlags {
  readonly passphraseFile?: string;
  readonly keyFile?: string;
}

/** Adds `--passphrase-file` and `--key-file`. */
export function withSecretOptions(command: Command): Command {
  return command
    .option(
      '--passphrase-file <file>',
      'the passphrase, in its first line; also SHOAL_BACKUP_PASSPHRASE; - is standard input',
    )
    .option('--key-file <file>', 'a file of at least 32 random bytes, of mode 600, instead of a passphrase');
}

/** The secret that is named; undefined: none is. Throws `INVALID_ARGUMENT` for two, `CONFIG_INVALID` for a file that others may read. */
export async function namedSecret({ passphraseFile, keyFile }: SecretFlags): Promise<BackupSecret | undefined> {
  const spoken = process.env['SHOAL_BACKUP_PASSPHRASE'] ?? '';
  if (passphraseFile !== undefined && keyFile !== undefined) {
    throw new ShoalError('INVALID_ARGUMENT', 'Name a passphrase or a key file, and not both.');
  }
  if (keyFile !== undefined) return { kind: 'key-file', bytes: await secretIn(keyFile) };
  if (passphraseFile === undefined)
    return spoken === '' ? undefined : { kind: 'passphrase', bytes: Buffer.from(spoken) };
  const text = passphraseFile === '-' ? await readFile('/dev/stdin') : await secretIn(passphraseFile);
  const [line = ''] = text.toString('utf8').split(/\r?\n/);
  return { kind: 'passphrase', bytes: Buffer.from(line) };
}

/** The same where there must be one. */
export async function mustBeNamedSecret(flags: SecretFlags): Promise<BackupSecret> {
  const secret = await namedSecret(flags);
  if (secret !== undefined) return secret;
  throw new ShoalError('INVALID_ARGUMENT', 'Say what opens the backup: --passphrase-file FILE or --key-file FILE.');
}

async function secretIn(path: string): Promise<Buffer> {
  const found = await readSecretFile(path);
  if (found === undefined) throw new ShoalError('INVALID_ARGUMENT', `There is no file ${path}.`);
  return found;
}
