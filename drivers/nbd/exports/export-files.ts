/**
 * What is kept on disk of each disk that is served, so that the next agent finds everything again:
 *
 *     RUN/root/                empty: where drivers/qemu/confinement/confine.sh builds what a daemon sees, in its own namespace
 *     RUN/volumes/VOLUME/      the agent's, 0700 (0711 where daemons have no namespace)
 *       export.json            which process serves it, and how; from before its start until it is gone and all is given back
 *       log                    what it said
 *       tls/keys.psk           the key that it lets in; root's, readable by the daemon
 *       daemon/                the daemon's, 0700: `qmp` and `pid`
 *
 * Nothing that is read from `daemon/` is trusted. A Unix socket's path has at most 107 bytes, and RUN may be longer: the daemon is
 * started in its folder, and the agent goes through a descriptor of that folder.
 */
import { constants } from 'node:fs';
import { chmod, chown, lstat, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder, writeFileDurably } from '../../../node/base/durable-file.ts';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import { isRecord } from '../../../node/base/json-value.ts';
import { isMissing } from '../../../node/base/system-error.ts';
import { checkDiskId, isDiskId } from '../../disk-spec.ts';
import { readJsonFile } from '../../json-file.ts';
import type { ProcessIdentity } from '../../process.ts';
import type { NbdKey } from '../../types.ts';

/** How a disk is served, as written before its daemon starts, and once more when that is known. */
export interface ExportRecord {
  readonly generation: number;
  /** Whose the disk's lock is. */
  readonly owner: HostId;
  readonly port: number;
  /** Which user the daemon is, and the disk's file that it was given. */
  readonly uid: number;
  readonly diskPath: string;
  /** Absent: it was about to be started. Identities of another boot mean nothing. */
  readonly process?: ProcessIdentity & { readonly bootId: string };
}

/** Paths that a daemon is told, or that are shown to it. */
interface ExportPaths {
  /** Its own folder, in which it is started. */
  readonly ownFolder: string;
  readonly tlsFolder: string;
  /** Names it among all processes. */
  readonly pidFile: string;
}

const logBytesMax = 2_000;

/** The files of all disks that one agent serves. */
export class ExportFiles {
  readonly runDir: string;
  readonly #volumesDir: string;

  constructor(runDir: string) {
    this.runDir = runDir;
    this.#volumesDir = join(runDir, 'volumes');
  }

  /** Where namespaces are built. */
  get rootDir(): string {
    return join(this.runDir, 'root');
  }

  async prepare(): Promise<void> {
    for (const folder of [this.runDir, this.#volumesDir, this.rootDir]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    }
  }

  /** Lets other users pass through the agent's folders to their own, or lets nobody. */
  async setPassable(passable: boolean): Promise<void> {
    for (const folder of [this.runDir, this.#volumesDir]) await chmod(folder, passable ? 0o711 : 0o700);
  }

  /** Every disk of which a folder is here. */
  async volumes(): Promise<readonly VolumeId[]> {
    return (await readdir(this.#volumesDir)).filter(isDiskId) as VolumeId[];
  }

  paths(volumeId: VolumeId): ExportPaths {
    const folder = this.#folder(volumeId);
    const ownFolder = join(folder, 'daemon');
    return { ownFolder, tlsFolder: join(folder, 'tls'), pidFile: join(ownFolder, 'pid') };
  }

  /** Folders ready for a start as `uid`, which may read the key and nobody else but root. */
  async makeFolders(
    volumeId: VolumeId,
    { uid, key, passable }: { readonly uid: number; readonly key: NbdKey; readonly passable: boolean },
  ): Promise<void> {
    const { ownFolder, tlsFolder } = this.paths(volumeId);
    const isRoot = process.getuid?.() === 0;
    await mkdir(this.#folder(volumeId), { recursive: true });
    await chmod(this.#folder(volumeId), passable ? 0o711 : 0o700);
    for (const folder of [ownFolder, tlsFolder]) await rm(folder, { recursive: true, force: true });
    await mkdir(ownFolder, { mode: 0o700 });
    await mkdir(tlsFolder, { mode: 0o700 });
    const keyPath = join(tlsFolder, 'keys.psk');
    await writeFile(keyPath, `${key.user}:${key.keyHex}\n`, { mode: 0o600 });
    if (!isRoot) return;
    await chown(ownFolder, uid, uid);
    await chown(keyPath, 0, uid);
    await chmod(keyPath, 0o640);
    await chown(tlsFolder, 0, uid);
    await chmod(tlsFolder, 0o750);
  }

  async remove(volumeId: VolumeId): Promise<void> {
    await rm(this.#folder(volumeId), { recursive: true, force: true });
    await syncFolder(this.#volumesDir);
  }

  async write(volumeId: VolumeId, record: ExportRecord): Promise<void> {
    await mkdir(this.#folder(volumeId), { recursive: true, mode: 0o700 });
    await writeFileDurably(this.#recordPath(volumeId), JSON.stringify(record), { mode: 0o600 });
  }

  /** Undefined: no daemon of this disk was ever about to be started, or nothing is left of it. */
  async read(volumeId: VolumeId): Promise<ExportRecord | undefined> {
    const value = await readJsonFile(this.#recordPath(volumeId));
    if (value === undefined) return undefined;
    const record = isRecord(value) ? recordOf(value) : undefined;
    if (record !== undefined) return record;
    throw new ShoalError('DRIVER_FAILED', `${this.#recordPath(volumeId)} is not the record of a served disk`);
  }

  logPath(volumeId: VolumeId): string {
    return join(this.#folder(volumeId), 'log');
  }

  /** The end of what the daemon said; empty: nothing. */
  async said(volumeId: VolumeId): Promise<string> {
    try {
      return (await readFile(this.logPath(volumeId), 'utf8')).trim().slice(-logBytesMax);
    } catch (caught) {
      if (isMissing(caught)) return '';
      throw ShoalError.from(caught, 'CANNOT_TELL', `reading what served disk ${volumeId} said`);
    }
  }

  /** Runs `work` with a path of the daemon's monitor that is short enough. `UNAVAILABLE`: it has none yet, or none any more. */
  async withMonitor<T>(volumeId: VolumeId, work: (socketPath: string) => Promise<T>): Promise<T> {
    const { ownFolder } = this.paths(volumeId);
    const gone = (cause: unknown): ShoalError =>
      new ShoalError('UNAVAILABLE', `what serves disk ${volumeId} has no monitor`, { cause });
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const folder = await open(ownFolder, flags).catch((caught: unknown) => {
      throw gone(caught);
    });
    try {
      const socketPath = `/proc/self/fd/${folder.fd}/qmp`;
      const found = await lstat(socketPath).catch((caught: unknown) => {
        throw gone(caught);
      });
      if (!found.isSocket())
        throw new ShoalError('DRIVER_FAILED', `the monitor of served disk ${volumeId} is no socket`);
      return await work(socketPath);
    } finally {
      await folder.close();
    }
  }

  #folder(volumeId: VolumeId): string {
    checkDiskId(volumeId);
    return join(this.#volumesDir, volumeId);
  }

  #recordPath(volumeId: VolumeId): string {
    return join(this.#folder(volumeId), 'export.json');
  }
}

function recordOf(value: Readonly<Record<string, unknown>>): ExportRecord | undefined {
  const { generation, owner, port, uid, diskPath, process: started } = value;
  if (typeof generation !== 'number' || typeof port !== 'number' || typeof uid !== 'number') return undefined;
  if (typeof owner !== 'string' || typeof diskPath !== 'string') return undefined;
  const record = { generation, owner: owner as HostId, port, uid, diskPath };
  if (started === undefined) return record;
  if (!isRecord(started)) return undefined;
  const { pid, startTicks, bootId } = started;
  if (typeof pid !== 'number' || typeof startTicks !== 'number' || typeof bootId !== 'string') return undefined;
  return { ...record, process: { pid, startTicks, bootId } };
}
