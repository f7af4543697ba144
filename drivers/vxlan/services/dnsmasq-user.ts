import { chmod, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Host } from '../host/host.ts';

/** Whom dnsmasq may turn into after it has opened its sockets: its package's own user, if it made one. */
const unprivilegedUsers = ['dnsmasq', 'nobody'] as const;

/**
 * A user without rights, and never one that guests run as; `root` when such a user cannot reach the files: a state
 * folder below a private home. That works and is worse, and the log says so. The driver's own folders let it through.
 * @param folders those of the driver that it has to pass through, below the state folder
 */
export async function dnsmasqUser(host: Host, folders: readonly string[]): Promise<string> {
  const { stateDir } = host.options;
  for (const folder of [...folders, stateDir]) await chmod(folder, 0o711);
  for (let folder = stateDir; folder !== dirname(folder); folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o001) === 1) continue;
    host.deps.logger.warn({ folder }, 'dnsmasq runs as root: other users cannot reach its files');
    return 'root';
  }
  for (const user of unprivilegedUsers) {
    const found = await host.deps.runCommand(['id', '-u', user], { okStatus: [0, 1] });
    if (found.status === 0) return user;
  }
  return 'root';
}
