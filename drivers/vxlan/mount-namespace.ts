/**
 * Whether this agent sees the network namespaces of its host. A named network namespace is a mount (`/run/netns/NAME`), so
 * it belongs to the mount namespace that it was made in. An agent that runs in another one (`ip netns exec`, a systemd unit
 * with PrivateTmp or ProtectSystem) finds plain files there, and every tool fails with "setting the network namespace
 * failed". Found at start, while nothing has been changed.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, readlink, rm, statfs } from 'node:fs/promises';
import { ShoalError } from '../../node/base/errors.ts';
import { errnoOf, isMissing } from '../../node/base/system-error.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';

const folder = '/run/netns';
/** What statfs says of a namespace that is mounted (NSFS_MAGIC of linux/magic.h). */
const nsfsType = 0x6e736673;
/** A process that may not be looked at, though we are root: it is outside of our container. */
const closed = Symbol('closed');
/** Names that an error quotes. */
const namesMax = 3;

const remedy =
  'Start the agent in the mount namespace of the host itself: not below "ip netns exec" (use "nsenter --net=...", which keeps ' +
  'the mounts), and without PrivateTmp, PrivateDevices, PrivateMounts, ProtectSystem, ProtectHome, ReadWritePaths or ' +
  'BindPaths in its systemd unit';

/**
 * Throws `DRIVER_FAILED` when network namespaces that begin with `prefix` are mounted in another mount namespace and not in
 * this process's own; the message names a process of that one, and what to do. Removes files of namespaces that are
 * mounted nowhere: they are what a cut-off `ip netns add` leaves. Only warns when this process is apart from process 1 and
 * sees all that is there: the shell that starts the agent the next time may not.
 */
export async function checkMountNamespace(prefix: string, logger: Logger): Promise<void> {
  const hidden: string[] = [];
  for (const name of await namesIn(folder)) {
    if (name.startsWith(`${prefix}-`) && !(await isMounted(`${folder}/${name}`))) hidden.push(name);
  }
  if (hidden.length === 0) return warnWhenApart(logger);
  const { holders, unread } = await holdersOf(hidden);
  const lost = hidden.filter((name) => holders.has(name));
  const [first] = lost;
  if (first !== undefined) {
    const pid = holders.get(first);
    throw new ShoalError(
      'DRIVER_FAILED',
      `this agent does not see the network namespaces of its guests (${shown(lost)}): they were made in another mount ` +
        `namespace, that of process ${pid}. ${remedy}; if the earlier agent was the one that ran apart, start this one by ` +
        `"nsenter --mount --target ${pid}" until its guests have gone. Nothing was changed, and the guests run on.`,
      { facts: { namespaces: lost, pid } },
    );
  }
  const [hiding] = unread;
  if (hiding !== undefined) {
    throw new ShoalError(
      'DRIVER_FAILED',
      `this agent does not see the network namespaces ${shown(hidden)}, and may not look whether they are mounted where ` +
        `process ${hiding} is. ${remedy}. If nothing of theirs runs any more, remove the files below ${folder}.`,
      { facts: { namespaces: hidden, unread } },
    );
  }
  for (const name of hidden) {
    logger.warn({ namespace: name }, 'a network namespace that is mounted nowhere was left as a file; it is removed');
    await rm(`${folder}/${name}`, { force: true });
  }
}

function shown(names: readonly string[]): string {
  const rest = names.length - namesMax;
  return `${names.slice(0, namesMax).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** Where process 1 may not be looked at (some containers), nothing is said. */
async function warnWhenApart(logger: Logger): Promise<void> {
  const [own, first] = await Promise.all([mountNamespaceOf('self'), mountNamespaceOf('1')]);
  if (typeof own !== 'string' || typeof first !== 'string' || own === first) return;
  logger.warn(
    {},
    `this agent has a mount namespace of its own: an agent that is started elsewhere later will not see its networks. ${remedy}`,
  );
}

/** A process for each of the names that are mounted in any mount namespace of this machine, and those not to be read. */
async function holdersOf(names: readonly string[]): Promise<{
  readonly holders: ReadonlyMap<string, number>;
  readonly unread: readonly number[];
}> {
  const holders = new Map<string, number>();
  const unread: number[] = [];
  const seen = new Set<string>();
  for (const pid of await namesIn('/proc')) {
    if (!/^[0-9]+$/.test(pid)) continue;
    const namespace = await mountNamespaceOf(pid);
    if (namespace === closed) unread.push(Number(pid));
    if (typeof namespace !== 'string' || seen.has(namespace)) continue;
    seen.add(namespace);
    const text = await ofProcess(pid, () => readFile(`/proc/${pid}/mountinfo`, 'utf8'));
    if (text === closed) unread.push(Number(pid));
    if (typeof text !== 'string') continue;
    const mounted = namespacesIn(text);
    for (const name of names) if (mounted.has(name) && !holders.has(name)) holders.set(name, Number(pid));
    if (holders.size === names.length) break;
  }
  return { holders, unread };
}

/** Names of network namespaces among the lines of a `mountinfo` (proc(5)): the fifth field is where it is mounted. */
export function namespacesIn(mountInfo: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const line of mountInfo.split('\n')) {
    const [mount = '', kind = ''] = line.split(' - ');
    const place = mount.split(' ')[4] ?? '';
    if (kind.startsWith('nsfs ') && place.startsWith(`${folder}/`)) found.add(place.slice(folder.length + 1));
  }
  return found;
}

function mountNamespaceOf(pid: string): Promise<string | typeof closed | undefined> {
  return ofProcess(pid, () => readlink(`/proc/${pid}/ns/mnt`));
}

/** Undefined: the process has ended meanwhile. `closed`: it lives, and may not be looked at. */
async function ofProcess(pid: string, read: () => Promise<string>): Promise<string | typeof closed | undefined> {
  try {
    return await read();
  } catch (caught) {
    // A process that ends while it is read says ENOENT, ESRCH, EINVAL or EACCES, depending on how far it has come.
    if (isMissing(caught) || ['ESRCH', 'EINVAL'].includes(errnoOf(caught) ?? '')) return undefined;
    if (errnoOf(caught) === 'EACCES') return existsSync(`/proc/${pid}`) ? closed : undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', 'reading the mount namespaces of the processes of this machine');
  }
}

async function namesIn(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (caught) {
    if (isMissing(caught)) return [];
    throw ShoalError.from(caught, 'CANNOT_TELL', `reading ${path}`);
  }
}

/** A file that went away meanwhile is hidden from nobody. */
async function isMounted(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).type === nsfsType;
  } catch (caught) {
    if (isMissing(caught)) return true;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
