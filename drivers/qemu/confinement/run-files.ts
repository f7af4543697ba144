/**
 * What the driver keeps on disk for each guest, so that the next agent finds everything again:
 *
 *     RUN/root/                    empty: where confine.sh builds what a guest sees, in the guest's own namespace
 *     RUN/guests/SERVER/           agent's, 0700 (0711 where guests have no namespace)
 *       spec.json                  what it was last started with, without secrets
 *       machine.json               the machine that it was given at its first start
 *       frozen                     there while its file systems may be frozen
 *       user.json                  which user it is, see guest-users.ts
 *       ceph/                      its copy of the Ceph client's files, when it has disks there
 *       process.json               which process it is; there from its start until it was told to stop and is gone
 *       qemu.log                   QEMU's own complaints, of the last start
 *       saved/                     its memory while it is suspended, see saved-memory.ts
 *       console-earlier.log        serial console, the part before console.log
 *       qemu/                      QEMU's, 0700, as all that is in it
 *         qmp, people, serial, vnc, agent   sockets
 *         pid, console.log, variables.fd
 *
 * QEMU may write only below `qemu/`, and nothing that is read from there is trusted: links are not followed.
 * A Unix socket's path has at most 107 bytes. When RUN is too long for that, sockets are named through a short link.
 */
import { createHash } from 'node:crypto';
import { chmod, chown, lchown, mkdir, readdir, readlink, rm, rmdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { errnoOf, isMissing } from '../../../node/base/system-error.ts';
import { readJsonFile } from '../../json-file.ts';
import type { GuestSpec } from '../../types.ts';

/** Where QEMU puts and finds its files. Sockets are at most 107 bytes long. */
export interface GuestPaths {
  readonly pidFile: string;
  readonly qmpSocket: string;
  /** A second monitor for people, so that they never lock the agent out. */
  readonly peopleQmpSocket: string;
  readonly serialSocket: string;
  readonly vncSocket: string;
  /** The channel of the guest's agent. */
  readonly agentSocket: string;
  readonly consoleLog: string;
  /** The guest's own variables of UEFI. */
  readonly variables: string;
}

/** sun_path has 108 bytes, one of them ends it. */
const socketPathBytesMax = 107;
const socketNames = {
  qmpSocket: 'qmp',
  peopleQmpSocket: 'people',
  serialSocket: 'serial',
  vncSocket: 'vnc',
  agentSocket: 'agent',
} as const;
const serverIdPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Which process a guest is, as written when it was started. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTicks: number;
  /** Identities of another boot mean nothing. */
  readonly bootId: string;
  readonly generation: number;
  /** The agent had begun to stop it: when the process is gone, that is no crash. */
  readonly stopping: boolean;
}

/** The run-time files of all guests of one agent. */
export class RunFiles {
  readonly runDir: string;
  readonly #guestsDir: string;
  /** Where sockets are named: the guests folder itself, or a short link to it. */
  readonly #socketsDir: string;

  constructor(runDir: string) {
    this.runDir = runDir;
    this.#guestsDir = join(runDir, 'guests');
    const longest = join(this.#guestsDir, '0'.repeat(36), 'qemu', 'people-');
    this.#socketsDir = Buffer.byteLength(longest) <= socketPathBytesMax ? this.#guestsDir : shortLink(this.#guestsDir);
  }

  /** Where guests' namespaces are built. */
  get rootDir(): string {
    return join(this.runDir, 'root');
  }

  /** A guest's copies of the Ceph client's files. */
  cephDir(serverId: ServerId): string {
    return join(this.folder(serverId), 'ceph');
  }

  /** Makes the folders, and the link when one is needed. */
  async prepare(): Promise<void> {
    for (const folder of [this.#guestsDir, this.rootDir]) await mkdir(folder, { recursive: true, mode: 0o700 });
    if (this.#socketsDir === this.#guestsDir) return;
    // Links and nothing else: guests without a namespace of their own pass through it to their sockets.
    await mkdir(dirname(this.#socketsDir), { recursive: true });
    await chmod(dirname(this.#socketsDir), 0o711);
    try {
      await symlink(this.#guestsDir, this.#socketsDir);
    } catch (caught) {
      if (errnoOf(caught) !== 'EEXIST') throw ShoalError.from(caught, 'DRIVER_FAILED', 'linking the socket folder');
      if ((await readlink(this.#socketsDir)) !== this.#guestsDir) {
        throw new ShoalError('CONFLICT', `${this.#socketsDir} exists and is not this agent's link`);
      }
    }
  }

  /** Takes the short link away, once no guest lives that is reached through it. */
  async releaseLink(): Promise<void> {
    if (this.#socketsDir === this.#guestsDir) return;
    await rm(this.#socketsDir, { force: true });
    // Another agent's link may stand beside; then the folder stays.
    await rmdir(dirname(this.#socketsDir)).catch((caught: unknown) => {
      if (!['ENOTEMPTY', 'ENOENT'].includes(errnoOf(caught) ?? '')) throw caught;
    });
  }

  folder(serverId: ServerId): string {
    if (!serverIdPattern.test(serverId)) {
      throw new ShoalError('INVALID_ARGUMENT', `'${serverId}' is not a lower-case UUID`);
    }
    return join(this.#guestsDir, serverId);
  }

  /** Paths given to QEMU. */
  guestPaths(serverId: ServerId): GuestPaths {
    const own = join(this.folder(serverId), 'qemu');
    const sockets = join(this.#socketsDir, serverId, 'qemu');
    return {
      pidFile: join(own, 'pid'),
      consoleLog: join(own, 'console.log'),
      variables: join(own, 'variables.fd'),
      qmpSocket: join(sockets, socketNames.qmpSocket),
      peopleQmpSocket: join(sockets, socketNames.peopleQmpSocket),
      serialSocket: join(sockets, socketNames.serialSocket),
      vncSocket: join(sockets, socketNames.vncSocket),
      agentSocket: join(sockets, socketNames.agentSocket),
    };
  }

  /** Where the guest's memory passes, when it is saved or loaded. */
  streamSocket(serverId: ServerId, name: 'stream'): string {
    return join(this.#socketsDir, serverId, 'qemu', name);
  }

  qemuLog(serverId: ServerId): string {
    return join(this.folder(serverId), 'qemu.log');
  }

  earlierConsoleLog(serverId: ServerId): string {
    return join(this.folder(serverId), 'console-earlier.log');
  }

  probeCache(): string {
    return join(this.runDir, 'kvm-probe.json');
  }

  /** Every server of which a folder is here. */
  async servers(): Promise<readonly ServerId[]> {
    const names = await readdir(this.#guestsDir);
    return names.filter((name) => serverIdPattern.test(name)) as ServerId[];
  }

  /**
   * Lets other users pass through the agent's folders to their own, or lets nobody. The latter also for folders that an
   * earlier version made.
   */
  async setPassable(passable: boolean): Promise<void> {
    const mode = passable ? 0o711 : 0o700;
    const folders = [this.runDir, this.#guestsDir, ...(await this.servers()).map((serverId) => this.folder(serverId))];
    for (const folder of folders) await chmod(folder, mode);
  }

  /** The guest's folder, for the agent's notes before its first start. */
  async makeFolder(serverId: ServerId, passable: boolean): Promise<void> {
    await mkdir(this.folder(serverId), { recursive: true });
    await chmod(this.folder(serverId), passable ? 0o711 : 0o700);
    await syncFolder(this.#guestsDir);
  }

  /** Folders ready for a start as `uid`; sockets that an earlier QEMU left are gone, its console log stays. */
  async prepareGuest(serverId: ServerId, uid: number): Promise<void> {
    const paths = this.guestPaths(serverId);
    const own = dirname(paths.pidFile);
    await mkdir(own, { recursive: true });
    await chmod(own, 0o700);
    for (const name of Object.values(socketNames)) await rm(join(own, name), { force: true });
    if (process.getuid?.() === 0) {
      await chown(own, uid, uid);
      // QEMU holds a lock on its pid file, which keeps a second one out; so that file is handed over, not removed.
      for (const path of [paths.consoleLog, paths.pidFile, paths.variables]) {
        await lchown(path, uid, uid).catch((caught: unknown) => {
          if (!isMissing(caught)) throw caught;
        });
      }
    }
    await syncFolder(this.folder(serverId));
  }

  async writeSpec(spec: GuestSpec): Promise<void> {
    await writeFileDurably(join(this.folder(spec.serverId), 'spec.json'), specText(spec), { mode: 0o600 });
  }

  /** The machine of an earlier start; undefined: there was none, or an earlier version's. */
  async notedMachine(serverId: ServerId): Promise<string | undefined> {
    const value = await readJsonFile(this.#machinePath(serverId));
    if (value === undefined) return undefined;
    if (isRecord(value) && typeof value['machine'] === 'string') return value['machine'];
    throw new ShoalError('DRIVER_FAILED', `${this.#machinePath(serverId)} names no machine`);
  }

  async noteMachine(serverId: ServerId, machine: string): Promise<void> {
    await writeFileDurably(this.#machinePath(serverId), JSON.stringify({ machine }), { mode: 0o600 });
  }

  /** Notes that the guest's file systems are about to be frozen: an agent that finds it thaws them. */
  async noteFrozen(serverId: ServerId): Promise<void> {
    await writeFileDurably(this.#frozenPath(serverId), '');
  }

  async isNotedFrozen(serverId: ServerId): Promise<boolean> {
    return (await readdir(this.folder(serverId))).includes('frozen');
  }

  async noteThawed(serverId: ServerId): Promise<void> {
    await rm(this.#frozenPath(serverId), { force: true });
  }

  async writeProcess(serverId: ServerId, record: ProcessRecord): Promise<void> {
    await writeFileDurably(this.#processPath(serverId), JSON.stringify(record), { mode: 0o600 });
  }

  async readProcess(serverId: ServerId): Promise<ProcessRecord | undefined> {
    const value = await readJsonFile(this.#processPath(serverId));
    if (value === undefined) return undefined;
    if (
      isRecord(value) &&
      typeof value['pid'] === 'number' &&
      typeof value['startTicks'] === 'number' &&
      typeof value['bootId'] === 'string' &&
      typeof value['generation'] === 'number' &&
      typeof value['stopping'] === 'boolean'
    ) {
      const { pid, startTicks, bootId, generation, stopping } = value;
      return { pid, startTicks, bootId, generation, stopping };
    }
    throw new ShoalError('DRIVER_FAILED', `${this.#processPath(serverId)} is not a process record`);
  }

  async removeProcess(serverId: ServerId): Promise<void> {
    await rm(this.#processPath(serverId), { force: true });
  }

  async exists(serverId: ServerId): Promise<boolean> {
    try {
      await readdir(this.folder(serverId));
      return true;
    } catch (caught) {
      if (isMissing(caught)) return false;
      throw ShoalError.from(caught, 'CANNOT_TELL', `looking at ${this.folder(serverId)}`);
    }
  }

  /** Removes everything of a guest that does not run. */
  async removeGuest(serverId: ServerId): Promise<void> {
    await rm(this.folder(serverId), { recursive: true, force: true });
  }

  #machinePath(serverId: ServerId): string {
    return join(this.folder(serverId), 'machine.json');
  }

  #frozenPath(serverId: ServerId): string {
    return join(this.folder(serverId), 'frozen');
  }

  #processPath(serverId: ServerId): string {
    return join(this.folder(serverId), 'process.json');
  }
}

/** A short name for a long folder, the same after every restart. */
function shortLink(folder: string): string {
  const parent = process.getuid?.() === 0 ? '/run/shoal' : join(tmpdir(), `shoal-${process.getuid?.() ?? 0}`);
  return join(parent, createHash('sha256').update(folder).digest('hex').slice(0, 12));
}

/** The spec for people who look: no passphrase, no key. */
function specText(spec: GuestSpec): string {
  return JSON.stringify(spec, (name, value: unknown) =>
    name === 'passphrase' || name === 'keyHex' ? undefined : value,
  );
}
