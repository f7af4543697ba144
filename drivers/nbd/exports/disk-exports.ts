/**
 * Disks of this host that are served to other hosts: NBD in TLS, by a `qemu-storage-daemon` for each. Such a daemon is a process of
 * its own, as guests are: it does not notice when the agent stops or dies, and the next agent finds it again (`start`).
 *
 * Who connects shows a key of 32 bytes, which is made for that disk and generation and known to the hosts of the mesh alone. A
 * key, and no certificate: the other end is a guest's QEMU, which must not hold what its host is known by.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../../node/base/errors.ts';
import type { HostId, VolumeId } from '../../../node/base/ids.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { type CommandRunner, runCommand } from '../../command.ts';
import { giveFile, takeFileBack } from '../../file-owner.ts';
import {
  bootId,
  identify,
  isAlive,
  type ProcessIdentity,
  scanProcesses,
  signalProcess,
  usersOfProcesses,
  waitGone,
} from '../../process.ts';
import { GuestCgroups } from '../../qemu/confinement/cgroups.ts';
import { type Confinement, confinedPrefix, probeConfinement } from '../../qemu/confinement/confinement.ts';
import { choosePrivileges, type Privileges, rightsPrefix, sharedUid } from '../../qemu/confinement/privileges.ts';
import { QmpClient } from '../../qemu/guest/qmp.ts';
import { spawnOutliving } from '../../spawn.ts';
import type { DiskServed, DiskServing, DiskSource } from '../../types.ts';
import { exportUids, imagesGid, probeUid, type UidRange, uidRangeDefault } from '../../uid-range.ts';
import { Undo } from '../../undo.ts';
import {
  checkNbdKey,
  daemonBytesMax,
  daemonFilesMax,
  daemonThreadsMax,
  exportCommand,
  storageDaemon,
} from './export-command.ts';
import { ExportFiles, type ExportRecord } from './export-files.ts';

/** How disks are served on this host. */
export interface DiskExportsOptions {
  /** Folder for run-time files. Keeps over restarts of the agent; need not keep over a reboot. */
  readonly runDir: string;
  /** Address of this host at which other hosts reach it: the underlay's. */
  readonly address: string;
  /** TCP ports that are this agent's alone at that address: one for each disk that is served at the same time. */
  readonly ports: { readonly first: number; readonly count: number };
  /** User numbers, when the agent is root. Default `uidRangeDefault`. */
  readonly uids?: UidRange;
  /** Folders that daemons must reach besides `runDir` where they have no namespace of their own. */
  readonly reachablePaths?: readonly string[];
  /** Words before every daemon's command line, e.g. to enter a network namespace. They must exec, not fork. */
  readonly launchPrefix?: readonly string[];
}

/** A disk to be served, opened and locked. */
interface DiskToServe {
  readonly volumeId: VolumeId;
  readonly source: DiskSource & { readonly kind: 'file' };
  readonly generation: number;
  readonly owner: HostId;
}

/** From fork to the monitor's greeting: 0.15 s, and a loaded machine may take a hundred times that. */
const launchTimeoutMs = 30_000;
const attachPollMs = 10;
/** After `quit` it writes what it holds and goes; after SIGKILL only a dying disk can hold it. */
const quitTimeoutMs = 10_000;
const killTimeoutMs = 10_000;
/** Its monitor takes one client, for a moment: another call of this agent's may hold it. */
const monitorTries = 20;
const monitorPauseMs = 100;
/** Ports that are tried: somebody else listens at one of this agent's, or at all of them. */
const portTriesMax = 16;

/** See above. Calls for one disk run one after the other. */
export class DiskExports {
  readonly #log: Logger;
  readonly #run: CommandRunner;
  readonly #options: DiskExportsOptions;
  readonly #files: ExportFiles;
  readonly #uids: UidRange;
  readonly #known = new Map<VolumeId, ExportRecord>();
  readonly #queues = new Map<VolumeId, Promise<unknown>>();
  /** User numbers and ports are given one after another. */
  #lastStart: Promise<unknown> = Promise.resolve();
  #setting: { readonly confinement: Confinement; readonly mode: Privileges['mode'] } | undefined;
  #cgroups = GuestCgroups.none('not started');
  #bootId = '';
  #nextUid = 0;

  constructor(deps: { readonly log: Logger; readonly run?: CommandRunner }, options: DiskExportsOptions) {
    const { address, ports, uids } = options;
    if (isIP(address) === 0) throw new ShoalError('INVALID_ARGUMENT', `disks cannot be served at '${address}'`);
    if (ports.count < 1 || ports.first < 1 || ports.first + ports.count - 1 > 65_535) {
      throw new ShoalError('INVALID_ARGUMENT', `${ports.count} ports from ${ports.first} on to serve disks at`);
    }
    this.#log = deps.log;
    this.#run = deps.run ?? runCommand;
    this.#options = options;
    this.#files = new ExportFiles(options.runDir);
    this.#uids = exportUids(uids ?? uidRangeDefault);
  }

  /** Needs `qemu-storage-daemon`. Finds what an earlier agent left; ends none of it that serves. */
  async start(signal: AbortSignal): Promise<void> {
    if (this.#setting !== undefined) return;
    await this.#run([storageDaemon, '--version'], { signal });
    await this.#files.prepare();
    this.#bootId = await bootId();
    const { runDir, uids = uidRangeDefault, reachablePaths = [] } = this.#options;
    const probe = { uid: probeUid(uids), groups: [] };
    const prefix = rightsPrefix('user-per-guest', probe);
    const confinement = await probeConfinement(this.#run, { rootDir: this.#files.rootDir, prefix, folder: runDir });
    await this.#files.setPassable(!confinement.isWhole);
    const { mode } = confinement.isWhole
      ? { mode: 'user-per-guest' as const }
      : await choosePrivileges(this.#run, { probe, paths: [runDir, ...reachablePaths] });
    if (mode !== 'own-user') this.#cgroups = await GuestCgroups.open(runDir);
    this.#setting = { confinement, mode };
    for (const volumeId of await this.#files.volumes()) await this.#adopt(volumeId);
    await this.#cgroups.sweep([...this.#known.keys()]);
  }

  /** Lets go. What serves goes on. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#queues.values());
    if (this.#setting !== undefined && this.#known.size === 0) await this.#cgroups.close();
    this.#setting = undefined;
    this.#known.clear();
  }

  /** The disks that are served now. */
  async list(): Promise<readonly DiskServed[]> {
    this.#mustRun();
    const found: DiskServed[] = [];
    for (const [volumeId, record] of this.#known) {
      if (await this.#isServing(record)) found.push(this.#served(volumeId, record));
    }
    return found;
  }

  async find(volumeId: VolumeId): Promise<DiskServed | undefined> {
    this.#mustRun();
    const record = this.#known.get(volumeId);
    return record !== undefined && (await this.#isServing(record)) ? this.#served(volumeId, record) : undefined;
  }

  /** Serves the disk. What an earlier daemon of it left behind must have been ended before. */
  serve(disk: DiskToServe, serving: DiskServing, signal: AbortSignal): Promise<DiskServed> {
    checkNbdKey(serving.key);
    return this.#queued(disk.volumeId, signal, () => {
      // One at a time for the whole host: two must not take the same port or user.
      const turn = this.#lastStart.then(() => this.#start(disk, serving, signal));
      this.#lastStart = turn.catch(() => {}); // The failure is its caller's.
      return turn;
    });
  }

  /**
   * Ends what serves the disk, gives its file back to root, and then has `release` give the lock back. Nothing there: success.
   */
  end(volumeId: VolumeId, release: (record: ExportRecord) => Promise<void>, signal: AbortSignal): Promise<void> {
    return this.#queued(volumeId, signal, async () => {
      const record = this.#known.get(volumeId);
      if (record === undefined) return;
      await this.#endProcess(volumeId, record);
      await takeFileBack(record.diskPath, record.uid);
      await release(record);
      await this.#files.remove(volumeId);
      await this.#cgroups.remove(volumeId);
      this.#known.delete(volumeId);
    });
  }

  /** Has the daemon do something to the disk that it has open. `NOT_FOUND` when nothing serves it. */
  command(
    volumeId: VolumeId,
    command: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<unknown> {
    return this.#queued(volumeId, signal, async () => {
      const record = this.#known.get(volumeId);
      if (record === undefined || !(await this.#isServing(record))) {
        throw new ShoalError('NOT_FOUND', `disk ${volumeId} is not served`);
      }
      return this.#execute(volumeId, command, args, signal);
    });
  }

  // ------------------------------------------------------------------------------------------------------- processes

  async #adopt(volumeId: VolumeId): Promise<void> {
    const record = await this.#files.read(volumeId);
    if (record === undefined) {
      await this.#files.remove(volumeId);
      return;
    }
    this.#known.set(volumeId, record);
    if (await this.#isServing(record)) {
      const { generation, port } = record;
      this.#log.info({ volumeId, generation, port, pid: record.process?.pid }, 'adopted what serves a disk');
      return;
    }
    // Begun and not told to anybody, or gone: `serve` and `end` clear the rest away.
    await this.#killUnknown(volumeId);
  }

  /** A daemon that was started and not written down. */
  async #killUnknown(volumeId: VolumeId): Promise<void> {
    const { pidFile } = this.#files.paths(volumeId);
    const isIt = (argv: readonly string[]): true | undefined =>
      argv[argv.indexOf('--pidfile') + 1] === pidFile && argv.includes('--nbd-server') ? true : undefined;
    for (const { identity } of await scanProcesses(isIt)) await this.#kill(volumeId, identity);
  }

  async #start(disk: DiskToServe, serving: DiskServing, signal: AbortSignal): Promise<DiskServed> {
    const { volumeId } = disk;
    const before = this.#known.get(volumeId);
    if (before !== undefined) {
      if (await this.#isServing(before)) {
        if (before.generation === disk.generation) return this.#served(volumeId, before);
        throw new ShoalError('CONFLICT', `disk ${volumeId} is served at generation ${before.generation}`);
      }
      await this.#killUnknown(volumeId);
      await takeFileBack(before.diskPath, before.uid);
    }
    const uid = await this.#freeUid();
    let inUse: ShoalError | undefined;
    for (const port of this.#freePorts(volumeId, serving.port).slice(0, portTriesMax)) {
      try {
        return await this.#launch(disk, serving, { uid, port, signal });
      } catch (caught) {
        if (!ShoalError.is(caught, 'UNAVAILABLE')) throw caught;
        inUse = caught;
      }
    }
    const { first, count } = this.#options.ports;
    throw new ShoalError(
      'UNAVAILABLE',
      `no port was found free at ${this.#options.address} to serve disk ${volumeId}, of ${count} from ${first} on`,
      { cause: inUse },
    );
  }

  /** `UNAVAILABLE`: the port is somebody else's. */
  async #launch(
    disk: DiskToServe,
    serving: DiskServing,
    how: { readonly uid: number; readonly port: number; readonly signal: AbortSignal },
  ): Promise<DiskServed> {
    const { volumeId, source, generation, owner } = disk;
    const { uid, port, signal } = how;
    const begun: ExportRecord = { generation, owner, port, uid, diskPath: source.path };
    return Undo.run(async (undo) => {
      // First of all: what is given away below is found by this.
      await this.#files.write(volumeId, begun);
      this.#known.set(volumeId, begun);
      const passable = !this.#mustRun().confinement.isWhole;
      await this.#files.makeFolders(volumeId, { uid, key: serving.key, passable });
      undo.add('give its file back', () => takeFileBack(source.path, uid));
      if (sharedUid() === 0) await giveFile(source.path, uid);
      const identity = await this.#spawn(volumeId, await this.#commandLine(disk, serving, { uid, port }));
      undo.add('end what was started', () => this.#kill(volumeId, identity));
      const record = { ...begun, process: { ...identity, bootId: this.#bootId } };
      await this.#files.write(volumeId, record);
      await this.#untilItServes(volumeId, identity, signal);
      this.#known.set(volumeId, record);
      this.#log.info({ volumeId, generation, port, pid: identity.pid }, 'a disk is served to another host');
      return this.#served(volumeId, record);
    });
  }

  async #commandLine(
    { volumeId, source }: DiskToServe,
    serving: DiskServing,
    { uid, port }: { readonly uid: number; readonly port: number },
  ): Promise<readonly string[]> {
    const { confinement, mode } = this.#mustRun();
    const { launchPrefix = [], address, uids = uidRangeDefault } = this.#options;
    const { ownFolder, tlsFolder, pidFile } = this.#files.paths(volumeId);
    const limits = { memoryBytes: daemonBytesMax, threads: daemonThreadsMax };
    const readOnly = serving.readOnly ?? false;
    const sight = {
      folder: ownFolder,
      socketFolder: ownFolder,
      writable: [source.path],
      readable: [tlsFolder, ...(source.backingPath === undefined ? [] : [source.backingPath])],
      groups: await this.#cgroups.make(volumeId, limits),
    };
    return [
      ...launchPrefix,
      ...(await confinedPrefix(confinement, sight, { rootDir: this.#files.rootDir, binary: storageDaemon })),
      ...rightsPrefix(mode, { uid, groups: sharedUid() === 0 ? [imagesGid(uids)] : [] }),
      ...['prlimit', `--data=${daemonBytesMax}`, `--nofile=${daemonFilesMax}`, '--core=0', '--'],
      ...['env', '-C', ownFolder, '--'],
      ...exportCommand({ source, address, port, readOnly, tlsFolder, pidFile }),
    ];
  }

  async #spawn(volumeId: VolumeId, argv: readonly string[]): Promise<ProcessIdentity> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND;
    const log = await open(this.#files.logPath(volumeId), flags, 0o600);
    try {
      const child = spawnOutliving(argv, log.fd);
      await new Promise<void>((resolve, reject) => {
        child.once('spawn', resolve);
        child.once('error', (error) => reject(ShoalError.from(error, 'DRIVER_FAILED', `starting ${argv[0]}`)));
      });
      const identity = child.pid === undefined ? undefined : await identify(child.pid);
      if (identity === undefined) throw await this.#failed(volumeId);
      return identity;
    } finally {
      await log.close();
    }
  }

  /** It answers its monitor only when all that its command line names is there. */
  async #untilItServes(volumeId: VolumeId, identity: ProcessIdentity, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + launchTimeoutMs;
    for (;;) {
      if (!(await isAlive(identity))) throw await this.#failed(volumeId);
      try {
        await this.#files.withMonitor(volumeId, async (path) => (await QmpClient.connect(path, { signal })).close());
        return;
      } catch (caught) {
        if (!ShoalError.is(caught, 'UNAVAILABLE', 'CONFLICT')) throw caught;
        if (performance.now() >= deadline) {
          throw new ShoalError('DEADLINE_EXCEEDED', `disk ${volumeId} was not served in ${launchTimeoutMs} ms`);
        }
      }
      await delay(attachPollMs);
    }
  }

  async #failed(volumeId: VolumeId): Promise<ShoalError> {
    const said = await this.#files.said(volumeId);
    const isPort = /Address already in use/.test(said);
    const message = `${storageDaemon} does not serve disk ${volumeId}: ${said || 'it said nothing'}`;
    return new ShoalError(isPort ? 'UNAVAILABLE' : 'DRIVER_FAILED', message, { facts: { volumeId } });
  }

  async #endProcess(volumeId: VolumeId, { process: started }: ExportRecord): Promise<void> {
    if (started === undefined || started.bootId !== this.#bootId) {
      await this.#killUnknown(volumeId);
      return;
    }
    if (!(await isAlive(started))) return;
    const { signal } = new AbortController();
    try {
      await this.#execute(volumeId, 'quit', undefined, signal);
    } catch (caught) {
      this.#log.debug({ volumeId, err: caught }, 'what serves a disk did not answer quit');
      await signalProcess(started, 'SIGTERM');
    }
    if (await waitGone(started, quitTimeoutMs)) return;
    this.#log.warn({ volumeId, pid: started.pid }, 'what serves a disk did not quit; it is killed');
    await this.#kill(volumeId, started);
  }

  async #kill(volumeId: VolumeId, identity: ProcessIdentity): Promise<void> {
    await signalProcess(identity, 'SIGKILL');
    if (await waitGone(identity, killTimeoutMs)) return;
    throw new ShoalError('DRIVER_FAILED', `process ${identity.pid}, which serves disk ${volumeId}, survives SIGKILL`);
  }

  async #execute(
    volumeId: VolumeId,
    command: string,
    args: Readonly<Record<string, unknown>> | undefined,
    signal: AbortSignal,
  ): Promise<unknown> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#files.withMonitor(volumeId, async (path) => {
          const client = await QmpClient.connect(path, { signal });
          try {
            return await client.execute(command, args, { signal });
          } finally {
            client.close();
          }
        });
      } catch (caught) {
        // An agent that was killed may still be connected for a moment.
        if (!ShoalError.is(caught, 'CONFLICT') || tries >= monitorTries) throw caught;
      }
      await delay(monitorPauseMs);
    }
  }

  // ------------------------------------------------------------------------------------------------------- what is free

  async #freeUid(): Promise<number> {
    if (this.#mustRun().mode !== 'user-per-guest') return sharedUid();
    const taken = await usersOfProcesses();
    for (const record of this.#known.values()) taken.add(record.uid);
    const { first, count } = this.#uids;
    for (let step = 0; step < count; step += 1) {
      const uid = first + ((this.#nextUid + step) % count);
      if (taken.has(uid)) continue;
      this.#nextUid = (this.#nextUid + step + 1) % count;
      return uid;
    }
    throw new ShoalError('UNAVAILABLE', `all ${count} user numbers for served disks are taken on this host`);
  }

  /** The wanted one first; then from a place that the disk's id gives, so that a disk rarely gets a port another one just had. */
  #freePorts(volumeId: VolumeId, wanted: number | undefined): readonly number[] {
    const { first, count } = this.#options.ports;
    const taken = new Set([...this.#known].filter(([id]) => id !== volumeId).map(([, { port }]) => port));
    const start = Number.parseInt(volumeId.slice(0, 8), 16) % count;
    const all = Array.from({ length: count }, (_, step) => first + ((start + step) % count));
    const isOurs = wanted !== undefined && all.includes(wanted);
    return (isOurs ? [wanted, ...all.filter((port) => port !== wanted)] : all).filter((port) => !taken.has(port));
  }

  // ---------------------------------------------------------------------------------------------------------- the rest

  async #isServing({ process: started }: ExportRecord): Promise<boolean> {
    return started !== undefined && started.bootId === this.#bootId && (await isAlive(started));
  }

  #served(volumeId: VolumeId, { generation, port }: ExportRecord): DiskServed {
    return { volumeId, generation, address: this.#options.address, port };
  }

  #mustRun(): { readonly confinement: Confinement; readonly mode: Privileges['mode'] } {
    if (this.#setting === undefined) throw new ShoalError('CANNOT_TELL', 'serving disks has not started');
    return this.#setting;
  }

  async #queued<T>(volumeId: VolumeId, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    this.#mustRun();
    const before = this.#queues.get(volumeId) ?? Promise.resolve();
    const turn = before.then(
      () => {},
      () => {}, // An earlier call's failure is its caller's.
    );
    const result = turn.then(() => {
      if (signal.aborted) throw new ShoalError('CANCELLED', `serving disk ${volumeId} was cancelled before its turn`);
      return work();
    });
    this.#queues.set(volumeId, result);
    try {
      return await result;
    } finally {
      if (this.#queues.get(volumeId) === result) this.#queues.delete(volumeId);
    }
  }
}
