/**
 * What a development cloud has of volumes on this machine at one moment, counted from outside of its agents: two counts are equal
 * when nothing was left behind between them.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../drivers/command.ts';
import { cgroupOfAgent } from '../../../drivers/qemu/confinement/cgroups.ts';
import type { DevCeph } from '../../../node/dev/ceph.ts';
import type { DevCloud } from '../../../node/dev/cloud.ts';

/** Everything that may be left, by its kind; each a sorted list of names. */
export type Leftovers = Readonly<Record<string, readonly string[]>>;

/** Files of the databases, which come and go by themselves, and logs. */
const databaseFiles =
  /\/(log|state|raft|db|slice|host|store|snapshots?)(\/|-\d|$)|\.(ldb|log|sst|tmp)$|\/(MANIFEST-\d+|CURRENT|LOCK|LOG(\.old)?)$/;
/** Programs that an agent runs for a moment: what is counted is what stays. */
const passing = /^(rbd|rados|ceph|ip|nft|bridge|qemu-img|mount|umount|prlimit|sysctl)$/;

/** Counts. @param volumeIds whose watchers, locks and snapshots are looked for in Ceph. */
export async function leftoversOf(
  cloud: DevCloud,
  ceph: DevCeph | undefined,
  volumeIds: readonly string[],
): Promise<Leftovers> {
  const { folder } = cloud.layout;
  const processes = await processesOf(folder);
  return {
    files: await filesOf(cloud),
    mounts: await mountsBelow(folder),
    links: await linksOf(cloud),
    cgroups: await cgroupsOf(cloud),
    processes: processes.map(({ name }) => name).filter((name) => !passing.test(name)),
    'open files of guests': (
      await Promise.all(processes.filter(({ name }) => name === 'qemu-system-x86_64').map(({ pid }) => openFiles(pid)))
    ).flat(),
    ...(ceph === undefined ? {} : await inCeph(cloud, ceph, volumeIds)),
  };
}

/** What is in `after` and was not in `before`, and the reverse; empty: the same. */
export function differences(before: Leftovers, after: Leftovers): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((kind) => [
    ...more(after[kind] ?? [], before[kind] ?? []).map((name) => `${kind}: ${name} was left`),
    ...more(before[kind] ?? [], after[kind] ?? []).map((name) => `${kind}: ${name} has gone`),
  ]);
}

/** Descriptors of a process that are no sockets: those come and go with its connections. */
export async function descriptorsOf(pid: number): Promise<readonly string[]> {
  return openFiles(pid, /^(socket|anon_inode):/);
}

/** With how often each is there. */
function more(these: readonly string[], those: readonly string[]): readonly string[] {
  const left = new Map<string, number>();
  for (const name of those) left.set(name, (left.get(name) ?? 0) + 1);
  return these.filter((name) => {
    const count = left.get(name) ?? 0;
    left.set(name, count - 1);
    return count <= 0;
  });
}

async function filesOf(cloud: DevCloud): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { dataDir } of cloud.layout.agents) {
    const { stdout } = await runCommand(['find', dataDir, '-mindepth', '1', '-printf', '%y %P\\n']);
    const lines = stdout.split('\n').filter((line) => line !== '' && !databaseFiles.test(line.replace(' ', ' /')));
    found.push(...lines.map((line) => `${dataDir.slice(cloud.layout.folder.length)}: ${line}`));
  }
  return found.sort();
}

async function mountsBelow(folder: string): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(folder))
    .sort();
}

async function linksOf(cloud: DevCloud): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name, namespace } of cloud.layout.agents) {
    if (namespace === undefined) continue;
    const { stdout } = await runCommand(['ip', '-n', namespace, '-json', 'link']);
    found.push(...(JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => `${name} ${ifname}`));
  }
  return found.sort();
}

async function cgroupsOf(cloud: DevCloud): Promise<readonly string[]> {
  const ours = cloud.layout.agents.map(({ dataDir }) => cgroupOfAgent(join(dataDir, 'guests')));
  const argv = ['find', '/sys/fs/cgroup', '-maxdepth', '4', '-type', 'd', '-path', '*shoal*'];
  // Groups of other processes may go while it looks.
  const { stdout } = await runCommand(argv, { okStatus: [0, 1] });
  return stdout
    .split('\n')
    .filter((line) => ours.some((name) => line.includes(`/${name}/`)))
    .sort();
}

/** Those that name the folder. */
async function processesOf(folder: string): Promise<readonly { readonly pid: number; readonly name: string }[]> {
  const found: { pid: number; name: string }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const words = (await readOrNothing(join('/proc', entry, 'cmdline'))).split('\0');
    if (!words.some((word) => word.includes(folder))) continue;
    found.push({ pid: Number(entry), name: words[0]?.split('/').at(-1) ?? '' });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function openFiles(pid: number, without = /^(socket|anon_inode|pipe):/): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`;
  const names: string[] = [];
  for (const fd of await readdir(folder).catch(() => [])) {
    // Closed between the list and the look.
    const target = await readlink(join(folder, fd)).catch(() => '');
    if (target !== '' && !without.test(target)) names.push(target.replace(/^pipe:.*/, 'pipe'));
  }
  return names.sort();
}

async function inCeph(cloud: DevCloud, ceph: DevCeph, volumeIds: readonly string[]): Promise<Leftovers> {
  const [first] = cloud.layout.agents;
  if (first === undefined) return {};
  const { confPath, user, diskPool } = ceph.clientOf(first);
  const who = ['--conf', confPath, '--id', user];
  const ask = async (argv: readonly string[]): Promise<unknown> => {
    const { stdout } = await runCommand([...argv, '--format', 'json'], { timeoutMs: 60_000 });
    return stdout.trim() === '' ? [] : JSON.parse(stdout);
  };
  const names = (await ask(['rbd', ...who, 'ls', diskPool])) as string[];
  const snapshots: string[] = [];
  const watchers: string[] = [];
  const locks: string[] = [];
  for (const id of volumeIds.filter((one) => names.includes(one))) {
    const image = `${diskPool}/${id}`;
    for (const { name } of (await ask(['rbd', ...who, 'snap', 'ls', '--all', image])) as { name: string }[]) {
      snapshots.push(`${id}@${name}`);
    }
    const status = (await ask(['rbd', ...who, 'status', image])) as { watchers: unknown[] };
    watchers.push(...status.watchers.map(() => id));
    const { id: rbdId } = (await ask(['rbd', ...who, 'info', image])) as { id: string };
    const held = ['rados', ...who, '-p', diskPool, 'lock', 'info', `rbd_header.${rbdId}`, 'shoal'];
    locks.push(...((await ask(held)) as { lockers: unknown[] }).lockers.map(() => id));
  }
  return { 'images in Ceph': names.sort(), 'snapshots in Ceph': snapshots.sort(), watchers, locks };
}

async function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
