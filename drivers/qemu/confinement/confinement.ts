/**
 * What of the host a guest's QEMU sees: its own run-time folder, its own disks and what lies below them, the programs of
 * the host, a few devices. All under the names that they have outside, in a mount namespace of its own (confine.sh), so
 * that no folder on the way to them has to let the guest's user pass.
 */
import { stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ShoalError } from '../../../node/base/errors.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import type { CommandRunner } from '../../command.ts';
import type { GuestSpec } from '../../types.ts';
import type { GuestPaths } from './run-files.ts';

const script = fileURLToPath(new URL('./confine.sh', import.meta.url));

/** Programs, libraries, firmware; the rest is what libraries look up: names of users and hosts, time. */
const systemPaths = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
const configurationPaths = ['ld.so.cache', 'passwd', 'group', 'nsswitch.conf', 'hosts', 'resolv.conf', 'localtime'];
const devices = ['null', 'zero', 'full', 'random', 'urandom', 'net/tun', 'kvm'];

/** What stands before a command: a namespace of its own, or only the umask and the control groups. */
export interface Confinement {
  /** Whether the guest has a mount namespace of its own. */
  readonly isWhole: boolean;
  /** Why not, for people. */
  readonly reason: string;
}

/** What one guest is let see beside the host's programs. */
interface Sight {
  /** Its own folder, writable, and under which other name its sockets are reached. */
  readonly folder: string;
  readonly socketFolder: string;
  readonly writable: readonly string[];
  readonly readable: readonly string[];
  /** Where disks appear that are plugged in later. */
  readonly plugFolder?: string;
  /** Control groups that it enters. */
  readonly groups: readonly string[];
}

/** What of `spec` the guest must be able to open. `cephFolder`: where its copies of the Ceph client's files are. */
export function sightOf(
  spec: GuestSpec,
  paths: GuestPaths,
  also: { readonly groups: readonly string[]; readonly plugFolder?: string; readonly cephFolder?: string },
): Sight {
  const files = spec.disks.flatMap(({ source }) => (source.kind === 'file' ? [source] : []));
  return {
    folder: dirname(paths.pidFile),
    socketFolder: dirname(paths.qmpSocket),
    writable: files.map((file) => file.path),
    readable: [
      ...new Set(files.flatMap((file) => (file.backingPath === undefined ? [] : [file.backingPath]))),
      ...(also.cephFolder === undefined ? [] : [also.cephFolder]),
    ],
    groups: also.groups,
    ...(also.plugFolder === undefined ? {} : { plugFolder: also.plugFolder }),
  };
}

/**
 * The words before a guest's command line. `rootDir` is an empty folder, the same for all guests: each mounts over it in
 * a namespace of its own. `binary`: QEMU, when it is none of the host's programs.
 */
export async function confinedPrefix(
  confinement: Confinement,
  sight: Sight,
  options: { readonly rootDir: string; readonly binary: string },
): Promise<readonly string[]> {
  const groups = sight.groups.map((folder) => `group=${folder}`);
  if (!confinement.isWhole) return ['bash', '-p', script, '-', ...groups, '--'];
  const { binary } = options;
  const isElsewhere = isAbsolute(binary) && !systemPaths.some((path) => binary.startsWith(`${path}/`));
  const system = await existing([
    ...systemPaths,
    ...configurationPaths.map((name) => `/etc/${name}`),
    ...(isElsewhere ? [dirname(binary)] : []),
  ]);
  const words = [
    ...groups,
    ...system.map((path) => `ro=${path}`),
    ...(await existing(devices.map((name) => `/dev/${name}`))).map((path) => `dev=${path}`),
    'proc=/proc',
    'dir=/tmp',
    `rw=${sight.folder}`,
    ...(sight.socketFolder === sight.folder ? [] : [`at=${sight.folder}=${sight.socketFolder}`]),
    ...sight.readable.map((path) => `ro=${path}`),
    ...sight.writable.map((path) => `rw=${path}`),
    ...(sight.plugFolder === undefined ? [] : [`plug=${sight.plugFolder}`]),
  ];
  return [
    ...['unshare', '--mount', '--ipc', '--propagation', 'slave', '--'],
    ...['bash', '-p', script, options.rootDir, ...words, '--'],
  ];
}

/** Tries whether a namespace can be made and entered here, with `prefix` as a guest has it. */
export async function probeConfinement(
  run: CommandRunner,
  options: { readonly rootDir: string; readonly prefix: readonly string[]; readonly folder: string },
): Promise<Confinement> {
  if (process.getuid?.() !== 0) return { isWhole: false, reason: 'the agent is not root' };
  const { folder, rootDir } = options;
  const sight = { folder, socketFolder: folder, writable: [], readable: [], groups: [] };
  const whole: Confinement = { isWhole: true, reason: 'a namespace was made' };
  try {
    const argv = [...(await confinedPrefix(whole, sight, { rootDir, binary: '' })), ...options.prefix];
    // What is not named is not there; its own folder is.
    await run([...argv, 'sh', '-c', '[ -d "$1" ] && [ ! -e /etc/shadow ] && [ ! -e /root ]', 'sh', folder]);
    return whole;
  } catch (caught) {
    if (!ShoalError.is(caught, 'COMMAND_FAILED', 'COMMAND_MISSING', 'DEADLINE_EXCEEDED')) throw caught;
    return { isWhole: false, reason: caught.message };
  }
}

async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) if (await isThere(path)) found.push(path);
  return found;
}

/** A link counts when it leads somewhere: what it names may be missing on this host. */
async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
