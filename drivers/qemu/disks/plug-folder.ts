/**
 * How a disk that is plugged in later gets into the mount namespace of a guest that runs:
 *
 *     RUN/plugs/                  a mount of its own, shared: what is mounted below it shows in guests' namespaces, too
 *     RUN/plugs/SERVER/           root's; the guest passes through it and lists nothing
 *       VOLUME, VOLUME.below      the disk's file and the image below it, mounted here (bind)
 *       VOLUME.ceph/              the guest's copy of the Ceph client's files, for that disk
 *       VOLUME.SOURCE...          the same of the other place of a disk that moves
 *       VOLUME.tls/               what it proves itself with to another host, until it is connected
 *
 * Where guests have no namespace of their own they open files where they lie, and nothing is mounted.
 */
import { chmod, chown, lstat, mkdir, open, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { errnoOf, isMissing } from '../../../node/base/system-error.ts';
import type { CommandRunner } from '../../command.ts';
import type { DiskSource, GuestDisk } from '../../types.ts';

const bindFlags = 'nosuid,nodev,noexec';

/** The places of one agent's guests. */
export class PlugFolders {
  readonly #run: CommandRunner;
  readonly #root: string;
  /** Whether guests have namespaces: else files are opened where they lie. */
  readonly #isConfined: boolean;

  constructor(run: CommandRunner, options: { readonly runDir: string; readonly isConfined: boolean }) {
    this.#run = run;
    this.#root = join(options.runDir, 'plugs');
    this.#isConfined = options.isConfined;
  }

  /** Makes the shared mount unless an earlier agent left it. */
  async prepare(): Promise<void> {
    await makeFolder(this.#root, 0o711);
    if (!this.#isConfined || (await mountPoints()).includes(this.#root)) return;
    await this.#run(['mount', '--bind', this.#root, this.#root]);
    await this.#run(['mount', '--make-private', this.#root]);
    await this.#run(['mount', '--make-shared', this.#root]);
  }

  /** Takes the shared mount away, unless there are guests that may still be given a disk. */
  async close(): Promise<void> {
    if ((await namesIn(this.#root)).length > 0) return;
    if ((await mountPoints()).includes(this.#root)) await this.#run(['umount', this.#root]);
  }

  /** Takes the shared mount away with all that is mounted below it: no guest of this run folder is left. */
  async release(): Promise<void> {
    const mounts = (await mountPoints()).filter((path) => path === this.#root || path.startsWith(`${this.#root}/`));
    for (const path of mounts.reverse()) await this.#run(['umount', path]);
  }

  /** The guest's place, empty: before its start. */
  async make(serverId: ServerId): Promise<string> {
    // Another agent of this run folder may have ended meanwhile, and have taken the mount with it.
    await this.prepare();
    await this.empty(serverId);
    const folder = this.folder(serverId);
    await makeFolder(folder, 0o711);
    return folder;
  }

  /** Whether the guest was started with a place for disks. */
  async has(serverId: ServerId): Promise<boolean> {
    return !this.#isConfined || (await isThere(this.folder(serverId)));
  }

  folder(serverId: ServerId): string {
    return join(this.#root, serverId);
  }

  /**
   * Makes the disk's files visible to the guest; returns the disk as the guest's QEMU names it. Done already: the same.
   * @param name of its place: the disk's id, or one that begins with it and a dot, for a disk that is there twice.
   */
  async show(serverId: ServerId, disk: GuestDisk, name: string = disk.volumeId): Promise<GuestDisk> {
    const { source } = disk;
    if (source.kind !== 'file' || !this.#isConfined) return disk;
    const place = join(this.folder(serverId), name);
    await this.#bind(serverId, source.path, place);
    if (source.backingPath === undefined) return { ...disk, source: { ...source, path: place } };
    await this.#bind(serverId, source.backingPath, `${place}.below`);
    const shown: DiskSource = { ...source, path: place, backingPath: `${place}.below` };
    return { ...disk, source: shown };
  }

  /** A folder for small files that only root and `uid` read. */
  async ownFolder(serverId: ServerId, name: string, uid: number): Promise<string> {
    const folder = join(this.folder(serverId), name);
    await makeFolder(this.folder(serverId), 0o711);
    await makeFolder(folder, 0o750);
    if (process.getuid?.() === 0) await chown(folder, 0, uid);
    return folder;
  }

  /** Takes away what was shown at the place, and at those that begin with it and a dot. Nothing there is success. */
  async hide(serverId: ServerId, place: string, options: { readonly except?: string } = {}): Promise<void> {
    const mounts = await mountPoints();
    const isOf = (name: string, whole: string | undefined): boolean => name === whole || name.startsWith(`${whole}.`);
    for (const name of await namesIn(this.folder(serverId))) {
      if (!isOf(name, place) || isOf(name, options.except)) continue;
      await this.#remove(join(this.folder(serverId), name), mounts);
    }
  }

  /** Takes the guest's place away with all in it. Its process must be gone. */
  async empty(serverId: ServerId): Promise<void> {
    const mounts = await mountPoints();
    const folder = this.folder(serverId);
    for (const name of await namesIn(folder)) await this.#remove(join(folder, name), mounts);
    await rmdir(folder).catch((caught: unknown) => {
      if (!isMissing(caught)) throw ShoalError.from(caught, 'DRIVER_FAILED', `removing ${folder}`);
    });
  }

  /** Mounted elsewhere first, since what shows in other namespaces keeps the flags that it has when it appears. */
  async #bind(serverId: ServerId, path: string, place: string): Promise<void> {
    const mounts = await mountPoints();
    if (mounts.includes(place)) return;
    const stage = `${this.#root}-stage-${serverId}`;
    await touch(stage);
    await touch(place);
    if (mounts.includes(stage)) await this.#run(['umount', stage]);
    await this.#run(['mount', '--bind', path, stage]);
    try {
      await this.#run(['mount', '-o', `remount,bind,${bindFlags}`, stage]);
      await this.#run(['mount', '--bind', stage, place]);
    } finally {
      await this.#run(['umount', stage]);
      await rm(stage, { force: true });
    }
  }

  async #remove(path: string, mounts: readonly string[]): Promise<void> {
    if (mounts.includes(path)) await this.#run(['umount', path]);
    await rm(path, { recursive: true, force: true });
  }
}

/** A folder with these rights, whatever the agent's umask leaves to others. */
async function makeFolder(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

async function touch(path: string): Promise<void> {
  await (await open(path, 'a', 0o600)).close();
}

async function mountPoints(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n');
  return lines.flatMap((line) => {
    const path = line.split(' ')[4];
    return path === undefined ? [] : [path.replaceAll('\\040', ' ').replaceAll('\\134', '\\')];
  });
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (caught) {
    if (isMissing(caught) || errnoOf(caught) === 'ENOTDIR') return [];
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking into ${folder}`);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (caught) {
    if (isMissing(caught)) return false;
    throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${path}`);
  }
}
