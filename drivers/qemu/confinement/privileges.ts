/**
 * With which rights QEMU runs. A guest that breaks out of QEMU has what QEMU has, so that is as little as works:
 *
 * - `user-per-guest`: a user of its own for each guest, no capabilities, no way to get any.
 * - `root-without-capabilities`: uid 0 with every capability dropped, where there is neither a namespace (confinement.ts)
 *   nor a way for such users to the files (a checkout under /root in a container). It can still touch what root owns, and
 *   every other guest; so it is reported, and not the default.
 * - `own-user`: the agent is not root; QEMU runs as the agent does.
 */
import type { CommandRunner } from '../../command.ts';

/** Which of them, and why. */
export interface Privileges {
  readonly mode: 'user-per-guest' | 'root-without-capabilities' | 'own-user';
  /** Why it is this mode, for people. */
  readonly reason: string;
}

/** A user and the groups that it is in beside its own. */
export interface Rights {
  readonly uid: number;
  readonly groups: readonly number[];
}

const dropAll = ['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];

/** Prints the first path that cannot be used and fails; entering a folder needs `x`, reading a file needs `r`. */
const reachScript = 'for p; do if [ -d "$p" ]; then [ -x "$p" ]; else [ -r "$p" ]; fi || { echo "$p"; exit 1; }; done';

/** Who QEMU is when each guest cannot have a user: root without rights, or the agent itself. */
export function sharedUid(): number {
  return process.getuid?.() ?? 0;
}

/** What stands before QEMU's own arguments. */
export function rightsPrefix(mode: Privileges['mode'], rights: Rights): readonly string[] {
  if (mode === 'own-user') return ['setpriv', '--no-new-privs'];
  const groups = rights.groups.length === 0 ? '--clear-groups' : `--groups=${rights.groups.join(',')}`;
  if (mode === 'root-without-capabilities') return ['setpriv', groups, ...dropAll];
  return ['setpriv', `--reuid=${rights.uid}`, `--regid=${rights.uid}`, groups, ...dropAll];
}

/** Chooses the least that works where guests have no namespace: `paths` are what all of them must reach. */
export async function choosePrivileges(
  run: CommandRunner,
  request: { readonly probe: Rights; readonly paths: readonly string[] },
): Promise<Privileges> {
  if (process.getuid?.() !== 0) return { mode: 'own-user', reason: 'the agent is not root' };
  const argv = [...rightsPrefix('user-per-guest', request.probe), 'sh', '-c', reachScript, 'sh', ...request.paths];
  const probe = await run(argv, { okStatus: [0, 1] });
  if (probe.status === 0) return { mode: 'user-per-guest', reason: 'other users reach the files' };
  return { mode: 'root-without-capabilities', reason: `other users cannot reach ${probe.stdout.trim()}` };
}
