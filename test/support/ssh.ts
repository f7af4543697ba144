/** A real ssh client, as a user of a guest has one. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, runCommand } from '../../drivers/command.ts';

/** How to log in. */
export interface SshLogin {
  /** Holds the host keys that were seen; the client refuses one that has changed. */
  readonly folder: string;
  readonly user: string;
  readonly address: string;
  /** Private key. */
  readonly keyPath?: string;
  readonly password?: string;
}

/** Runs a command in the guest. Status 255: refused, with the reason in `stderr`. */
export async function ssh(login: SshLogin, command: string): Promise<CommandResult> {
  const { folder, keyPath, password } = login;
  const options = [
    `UserKnownHostsFile=${join(folder, 'known_hosts')}`,
    'StrictHostKeyChecking=accept-new',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'ConnectTimeout=20',
    `PreferredAuthentications=${[...(keyPath === undefined ? [] : ['publickey']), ...(password === undefined ? [] : ['password'])].join(',')}`,
  ];
  const askPass = join(folder, 'askpass');
  if (password !== undefined) {
    await writeFile(askPass, '#!/bin/sh\nprintf "%s\\n" "$SHOAL_TEST_PASSWORD"\n');
    await chmod(askPass, 0o700);
  }
  return runCommand(
    [
      ...['ssh', '-F', 'none'],
      ...options.flatMap((option) => ['-o', option]),
      ...(keyPath === undefined ? [] : ['-i', keyPath]),
      `${login.user}@${login.address}`,
      command,
    ],
    {
      timeoutMs: 60_000,
      okStatus: [0, 1, 255],
      env:
        password === undefined
          ? {}
          : { SSH_ASKPASS: askPass, SSH_ASKPASS_REQUIRE: 'force', SHOAL_TEST_PASSWORD: password },
    },
  );
}

/** Makes a key pair in `folder`. */
export async function makeSshKey(
  folder: string,
  name: string,
  type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519',
): Promise<string> {
  const path = join(folder, name);
  await runCommand(['ssh-keygen', '-q', '-t', type, '-N', '', '-C', `${name} of a test`, '-f', path]);
  return path;
}
