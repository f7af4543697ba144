/**
 * With which rights QEMU runs. A guest that breaks out of QEMU has what QEMU has, so that is as little as works:
 *
 * - `user`: a user without rights (default `nobody`), no capabilities, no way to get any.
 * - `root-without-capabilities`: uid 0 with every capability dropped, when that user cannot reach the files (a checkout
 *   under /root). It can still touch what root owns, which is why it is reported and not the default.
 * - `own-user`: the agent is not root; QEMU runs as the agent does.
 */
import { ShoalError } from '../../node/base/errors.ts';
import type { CommandRunner } from '../command.ts';

export interface Privileges {
  readonly mode: 'user' | 'root-without-capabilities' | 'own-user';
  readonly uid: number;
  readonly gid: number;
  /** Why it is this mode, for people. */
  readonly reason: string;
  /** What stands before QEMU's own arguments. */
  readonly prefix: readonly string[];
}

export interface PrivilegesRequest {
  /** Name of the user that QEMU should run as. */
  readonly user: string;
  /** Folders that QEMU must be able to enter and files that it must be able to read. */
  readonly paths: readonly string[];
  /** A group that QEMU joins, for a device node (/dev/kvm). */
  readonly deviceGid?: number;
}

const dropAll = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];

/** Prints the first path that cannot be used and fails; entering a folder needs `x`, reading a file needs `r`. */
const reachScript = 'for p; do if [ -d "$p" ]; then [ -x "$p" ]; else [ -r "$p" ]; fi || { echo "$p"; exit 1; }; done';

/** Chooses the least that works here. Throws `COMMAND_MISSING` without `setpriv`, `INVALID_ARGUMENT` for no such user. */
export async function choosePrivileges(run: CommandRunner, request: PrivilegesRequest): Promise<Privileges> {
  const ownUid = process.getuid?.() ?? 0;
  const ownGid = process.getgid?.() ?? 0;
  if (ownUid !== 0) {
    return {
      mode: 'own-user',
      uid: ownUid,
      gid: ownGid,
      reason: 'the agent is not root',
      prefix: ['setpriv', '--no-new-privs'],
    };
  }
  const groups = request.deviceGid === undefined ? '--clear-groups' : `--groups=${request.deviceGid}`;
  const uid = await userNumber(run, request.user, '-u');
  const gid = await userNumber(run, request.user, '-g');
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, groups, ...dropAll];
  if (uid === 0) {
    return { ...withoutCapabilities(groups), reason: `user ${request.user} is root` };
  }
  const probe = await run([...prefix, 'sh', '-c', reachScript, 'sh', ...request.paths], { okStatus: [0, 1] });
  if (probe.status === 0) {
    return { mode: 'user', uid, gid, reason: `user ${request.user} reaches all files`, prefix };
  }
  return { ...withoutCapabilities(groups), reason: `user ${request.user} cannot reach ${probe.stdout.trim()}` };
}

function withoutCapabilities(groups: string): Omit<Privileges, 'reason'> {
  return { mode: 'root-without-capabilities', uid: 0, gid: 0, prefix: ['setpriv', groups, ...dropAll] };
}

async function userNumber(run: CommandRunner, user: string, option: '-u' | '-g'): Promise<number> {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new ShoalError('INVALID_ARGUMENT', `'${user}' is not a user name`);
  const result = await run(['id', option, user], { okStatus: [0, 1] });
  const number = Number(result.stdout.trim());
  if (result.status !== 0 || !Number.isSafeInteger(number)) {
    throw new ShoalError('INVALID_ARGUMENT', `there is no user ${user} on this host`);
  }
  return number;
}
