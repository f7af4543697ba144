/**
 * Guests as QEMU processes, driven over QMP. A guest is its own process in its own session: it does not notice when the
 * agent stops or dies, and the next agent finds it again (`start`) before it changes anything.
 *
 * How a guest is told from any other process: its command line names the server's UUID *and* a pid file in this agent's
 * run folder; its name carries the generation. The pid and start time found that way are checked before each signal.
 */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../node/base/ids.ts';
import { isMissing } from '../../node/base/system-error.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { type CommandRunner, runCommand } from '../command.ts';
import { checkLimits } from '../disk-limits.ts';
import { bootId, identify, type ProcessIdentity, scanProcesses, signalProcess, waitGone } from '../process.ts';
import { spawnOutliving } from '../spawn.ts';
import type {
  Accelerator,
  ComputeDriver,
  DiskLimits,
  DiskSnapshot,
  GuestDisk,
  GuestEvent,
  GuestFound,
  GuestSpec,
} from '../types.ts';
import { checkUidRange, imagesGid, probeUid, type UidRange, uidRangeDefault } from '../uid-range.ts';
import { Undo } from '../undo.ts';
import {
  allocationBytesMax,
  checkGuestSpec,
  dataBytesMax,
  disksComeLater,
  type GuestPaths,
  generationOfName,
  type MachineSettings,
  qemuArguments,
  threadsMax,
} from './arguments.ts';
import { copyCephFiles } from './ceph-files.ts';
import { GuestCgroups } from './cgroups.ts';
import { type Confinement, confinedPrefix, probeConfinement, sightOf } from './confinement.ts';
import { consoleBytesMax, readConsole, trimConsole } from './console-log.ts';
import { DiskWork } from './disk-work.ts';
import { type GuestState, QemuGuest } from './guest.ts';
import { limitDisk, pluggedDisks, removeSnapshot } from './guest-disks.ts';
import { GuestUsers } from './guest-users.ts';
import { PlugFolders } from './plug-folder.ts';
import { choosePrivileges, type Privileges, type Rights, rightsPrefix, sharedUid } from './privileges.ts';
import { probeKvm } from './probe.ts';
import { type ProcessRecord, RunFiles } from './run-files.ts';
import { tapOwnerCommand } from './tap-owner.ts';

/** How the driver is set up on a host. */
export interface QemuDriverOptions {
  /** Folder for run-time files. Keeps over restarts of the agent; need not keep over a reboot. */
  readonly runDir: string;
  /** User numbers for guests when the agent is root. Default `uidRangeDefault`. */
  readonly uids?: UidRange;
  /** Folders that QEMU must reach besides `runDir` where guests have no namespace of their own: disks, images. */
  readonly reachablePaths?: readonly string[];
  /** Default `qemu-system-x86_64`. */
  readonly binary?: string;
  /** Pinned machine type. Default `pc-i440fx-7.2`, the newest of Debian 12's QEMU. */
  readonly machine?: string;
  /** Words before every QEMU's command line, e.g. to enter a network namespace. They must exec, not fork. Default none. */
  readonly launchPrefix?: readonly string[];
  /** Default `auto`: KVM when a probe guest proves it, else TCG. */
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
}

/** What `start` found out, for the host's report. */
interface QemuFacts {
  readonly accelerator: 'kvm' | 'tcg';
  readonly acceleratorReason: string;
  readonly machine: string;
  readonly qemuVersion: string;
  readonly privileges: Privileges;
  /** Whether each guest has a mount namespace of its own, and why not. */
  readonly confinement: Confinement;
  /** What bounds its memory and threads, and what is missing for that, for people. */
  readonly limits: string;
}

/** The program that runs guests, found by PATH. */
export const qemuProgram = 'qemu-system-x86_64';

/** From fork to the monitor's greeting: 0.1 s, and a loaded machine or slow RBD may take a hundred times that. */
const launchTimeoutMs = 30_000;
/** How often a QEMU that is opening its monitor is tried. */
const attachPollMs = 10;
/** After `quit` QEMU flushes its disks and goes; after SIGKILL only a dying disk can hold it. */
const quitTimeoutMs = 10_000;
const killTimeoutMs = 10_000;
/** Longest grace that a caller may give a guest to power off. */
const graceMsMax = 600_000;
/** How often a guest that was asked to power off is looked at. Events are faster; this is for when they are lost. */
const powerOffPollMs = 100;
/** How often consoles are cut. A guest on a 115200-baud console prints 58 KB in that time; under QEMU it may print more. */
const trimPeriodMs = 5_000;
/** Operations waiting for one guest. */
const queueMax = 32;
/** Guests asked at the same time by `list` and `start`. */
const parallelMax = 16;

/** One server's place in the driver. */
interface Slot {
  guest?: QemuGuest;
  /** Known to have crashed: found without its process. */
  crashed?: { readonly generation: number; readonly detail: string };
  queue: Promise<unknown>;
  queued: number;
}

/**
 * One QEMU a guest, under KVM or TCG. Calls for one guest run one after the other, at most 32 waiting; those for
 * different guests run side by side. `facts` says which accelerator, user and namespaces `start` found usable.
 */
export class QemuDriver implements ComputeDriver {
  readonly name = 'qemu';
  readonly #log: Logger;
  readonly #run: CommandRunner;
  readonly #options: QemuDriverOptions;
  readonly #files: RunFiles;
  readonly #slots = new Map<ServerId, Slot>();
  readonly #listeners = new Set<(event: GuestEvent) => void>();
  readonly #uids: UidRange;
  readonly #users: GuestUsers;
  #cgroups = GuestCgroups.none('the driver has not started');
  #confinement: Confinement | undefined;
  #facts: QemuFacts | undefined;
  #disks: { readonly plugs: PlugFolders; readonly work: DiskWork } | undefined;
  /** The group that may use /dev/kvm, when KVM is used and root's own group is not enough. */
  #deviceGroups: readonly number[] = [];
  #bootId = '';
  #trimTimer: NodeJS.Timeout | undefined;
  #trimming: Promise<void> = Promise.resolve();

  constructor(deps: { readonly log: Logger; readonly run?: CommandRunner }, options: QemuDriverOptions) {
    this.#log = deps.log;
    this.#run = deps.run ?? runCommand;
    this.#options = options;
    this.#files = new RunFiles(options.runDir);
    this.#uids = options.uids ?? uidRangeDefault;
    checkUidRange(this.#uids);
    this.#users = new GuestUsers(this.#files, this.#uids);
  }

  get #diskWork(): DiskWork {
    if (this.#disks === undefined) throw new ShoalError('CANNOT_TELL', 'the QEMU driver has not started');
    return this.#disks.work;
  }

  get #plugs(): PlugFolders {
    if (this.#disks === undefined) throw new ShoalError('CANNOT_TELL', 'the QEMU driver has not started');
    return this.#disks.plugs;
  }

  get accelerator(): Accelerator {
    return this.facts.accelerator;
  }

  /** Known after `start`. */
  get facts(): QemuFacts {
    if (this.#facts === undefined) throw new ShoalError('CANNOT_TELL', 'the QEMU driver has not started');
    return this.#facts;
  }

  /** Where the guest's serial console and screen are, as Unix sockets; they exist while it runs. */
  consoleSockets(serverId: ServerId): { readonly serial: string; readonly vnc: string } {
    const paths = this.#files.guestPaths(serverId);
    return { serial: paths.serialSocket, vnc: paths.vncSocket };
  }

  /**
   * Makes the run folder and tries whether guests can have a mount namespace of their own; where they cannot, their users
   * must be let through the folders on the way to their files. `start` does it too.
   */
  async prepare(): Promise<Confinement> {
    if (this.#confinement !== undefined) return this.#confinement;
    await this.#files.prepare();
    this.#confinement = await probeConfinement(this.#run, {
      rootDir: this.#files.rootDir,
      prefix: rightsPrefix('user-per-guest', { uid: probeUid(this.#uids), groups: [] }),
      folder: this.#options.runDir,
    });
    await this.#files.setPassable(!this.#confinement.isWhole);
    return this.#confinement;
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#facts !== undefined) return;
    const binary = this.#options.binary ?? qemuProgram;
    const version = await this.#run([binary, '--version'], { signal });
    this.#bootId = await bootId();
    const confinement = await this.prepare();
    const privileges = await this.#choosePrivileges(confinement);
    this.#cgroups =
      privileges.mode === 'own-user'
        ? GuestCgroups.none('nothing bounded: the agent is not root')
        : await GuestCgroups.open(this.#options.runDir);
    const { accelerator, reason } = await this.#chooseAccelerator(binary, privileges);
    const deviceGid = accelerator === 'kvm' ? await kvmGid() : undefined;
    this.#deviceGroups = deviceGid === undefined ? [] : [deviceGid];
    this.#facts = {
      accelerator,
      acceleratorReason: reason,
      machine: this.#options.machine ?? 'pc-i440fx-7.2',
      qemuVersion: /version ([0-9.]+)/.exec(version.stdout)?.[1] ?? 'unknown',
      privileges,
      confinement,
      limits: this.#cgroups.reason,
    };
    this.#log.info(
      { accelerator, reason, privileges, confinement, limits: this.#cgroups.reason },
      'QEMU driver started',
    );
    const isConfined = confinement.isWhole;
    const plugs = new PlugFolders(this.#run, { runDir: this.#options.runDir, isConfined });
    await plugs.prepare();
    const isUserPerGuest = privileges.mode === 'user-per-guest';
    const work = new DiskWork({
      ...{ log: this.#log, files: this.#files, users: this.#users, plugs },
      ...{ cgroups: this.#cgroups, isUserPerGuest },
    });
    this.#disks = { plugs, work };
    await this.#adopt(signal);
    await this.#cgroups.sweep(await this.#files.servers());
    this.#trimTimer = setInterval(() => this.#trimAll(), trimPeriodMs);
    this.#trimTimer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#trimTimer);
    await this.#trimming;
    let living = 0;
    for (const slot of this.#slots.values()) {
      if (slot.guest === undefined) continue;
      if (await slot.guest.alive()) living += 1;
      slot.guest.detach();
    }
    this.#slots.clear();
    this.#listeners.clear();
    if (this.#facts !== undefined && living === 0) {
      await this.#files.releaseLink();
      await this.#cgroups.close();
      await this.#disks?.plugs.close();
    }
    this.#facts = undefined;
    this.#disks = undefined;
  }

  async list(signal: AbortSignal): Promise<readonly GuestFound[]> {
    this.#mustRun();
    const found = await inParallel([...this.#slots.keys()], (serverId) => this.#look(serverId, signal));
    return found.filter((guest) => guest !== undefined);
  }

  async find(serverId: ServerId, signal: AbortSignal): Promise<GuestFound | undefined> {
    this.#mustRun();
    return this.#look(serverId, signal);
  }

  startGuest(spec: GuestSpec, signal: AbortSignal): Promise<GuestFound> {
    return this.#queued(spec.serverId, signal, async (slot) => {
      checkGuestSpec(spec);
      const guest = slot.guest;
      if (guest !== undefined && (await guest.alive())) {
        if (guest.generation !== spec.generation) {
          throw new ShoalError('CONFLICT', `guest ${spec.serverId} runs at generation ${guest.generation}`, {
            facts: { running: guest.generation, asked: spec.generation },
          });
        }
        const state = await guest.state(signal);
        if (state.detail === 'prelaunch') {
          // An earlier agent died between starting QEMU and letting the guest go.
          await guest.asked(() => guest.execute('cont', undefined, signal));
          return withDisks(guest, await guest.state(signal), signal);
        }
        if (state.power !== 'shutdown') return withDisks(guest, state, signal);
        // The guest powered itself off; QEMU only waits to be told to go.
        await this.#end(guest, slot, 0, signal);
      }
      return this.#launch(spec, slot, signal);
    });
  }

  stopGuest(serverId: ServerId, options: { readonly graceMs: number }, signal: AbortSignal): Promise<void> {
    if (!(options.graceMs >= 0 && options.graceMs <= graceMsMax)) {
      throw new ShoalError('INVALID_ARGUMENT', `a grace of ${options.graceMs} ms is not within 0 and ${graceMsMax}`);
    }
    return this.#queued(serverId, signal, async (slot) => {
      if (slot.guest !== undefined) await this.#end(slot.guest, slot, options.graceMs, signal);
      if (slot.crashed !== undefined) {
        await this.#plugs.empty(serverId);
        await this.#users.takeBack(serverId);
        await this.#files.removeProcess(serverId);
        delete slot.crashed;
      }
    });
  }

  resetGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, async (guest) => {
      const before = await guest.state(signal);
      if (before.power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
      await guest.execute('system_reset', undefined, signal);
      // After a panic QEMU has stopped the CPUs; a reset alone does not start them again.
      if (['guest-panicked', 'internal-error', 'watchdog'].includes(before.detail)) {
        await guest.execute('cont', undefined, signal);
      }
    });
  }

  pauseGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, async (guest) => {
      const before = await guest.state(signal);
      if (before.power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
      await guest.execute('stop', undefined, signal);
    });
  }

  resumeGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, async (guest) => {
      const before = await guest.state(signal);
      if (before.power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
      await guest.execute('cont', undefined, signal);
      const after = await guest.state(signal);
      if (after.power !== 'running') {
        throw new ShoalError('DRIVER_FAILED', `guest ${serverId} does not run on: ${after.detail}`);
      }
    });
  }

  removeGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async (slot) => {
      if (slot.guest !== undefined && (await slot.guest.alive())) {
        throw new ShoalError('CONFLICT', `guest ${serverId} still has its process ${slot.guest.identity.pid}`);
      }
      slot.guest?.detach();
      await this.#plugs.empty(serverId);
      await this.#users.takeBack(serverId);
      await this.#files.removeGuest(serverId);
      await this.#cgroups.remove(serverId);
      delete slot.guest;
      delete slot.crashed;
    });
  }

  attachDisk(serverId: ServerId, disk: GuestDisk, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => this.#diskWork.attach(guest, disk, signal));
  }

  async detachDisk(serverId: ServerId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async ({ guest }) => {
      if (guest === undefined || !(await guest.alive())) return;
      await guest.asked(() => this.#diskWork.detach(guest, volumeId, signal));
    });
  }

  resizeDisk(serverId: ServerId, volumeId: VolumeId, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => this.#diskWork.resize(guest, volumeId, sizeBytes, signal));
  }

  async snapshotDisks(
    serverId: ServerId,
    snapshots: readonly DiskSnapshot[],
    options: { readonly freeze: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly frozen: boolean }> {
    let frozen = false;
    await this.#onLiving(serverId, signal, async (guest) => {
      frozen = await this.#diskWork.snapshot(guest, snapshots, options, signal);
    });
    return { frozen };
  }

  removeDiskSnapshot(serverId: ServerId, snapshot: DiskSnapshot, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => removeSnapshot(guest, snapshot, signal));
  }

  async setDiskLimits(serverId: ServerId, volumeId: VolumeId, limits: DiskLimits, signal: AbortSignal): Promise<void> {
    checkLimits(limits);
    await this.#onLiving(serverId, signal, (guest) => this.#diskWork.limit(guest, volumeId, limits, signal));
  }

  mirrorDisk(): Promise<void> {
    return notBuilt('mirrorDisk');
  }

  async consoleLog(serverId: ServerId, bytesMax: number, signal: AbortSignal): Promise<Uint8Array> {
    this.#mustRun();
    if (signal.aborted) throw new ShoalError('CANCELLED', 'reading a console was cancelled');
    if (!(await this.#files.exists(serverId))) throw new ShoalError('NOT_FOUND', `no guest ${serverId} on this host`);
    return readConsole(this.#consoleFiles(serverId), bytesMax);
  }

  onEvent(listener: (event: GuestEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  // ------------------------------------------------------------------------------------------------------- adoption

  async #chooseAccelerator(
    binary: string,
    privileges: Privileges,
  ): Promise<{ readonly accelerator: 'kvm' | 'tcg'; readonly reason: string }> {
    const wanted = this.#options.accelerator ?? 'auto';
    if (wanted !== 'auto') return { accelerator: wanted, reason: 'configured' };
    const gid = await kvmGid();
    const probe = { uid: probeUid(this.#uids), groups: gid === undefined ? [] : [gid] };
    const prefix = rightsPrefix(privileges.mode, probe);
    const probed = await probeKvm(this.#run, { binary, prefix, cachePath: this.#files.probeCache() });
    return { accelerator: probed.usable ? 'kvm' : 'tcg', reason: probed.reason };
  }

  async #choosePrivileges(confinement: Confinement): Promise<Privileges> {
    if (confinement.isWhole) return { mode: 'user-per-guest', reason: 'each guest sees its own files alone' };
    const paths = [this.#options.runDir, ...(this.#options.reachablePaths ?? [])];
    return choosePrivileges(this.#run, { probe: { uid: probeUid(this.#uids), groups: [] }, paths });
  }

  /** Finds every guest of this run folder, alive or not. Changes none. */
  async #adopt(signal: AbortSignal): Promise<void> {
    const servers = await this.#files.servers();
    const byPidFile = new Map(servers.map((serverId) => [this.#files.guestPaths(serverId).pidFile, serverId]));
    const living = new Map<ServerId, { readonly identity: ProcessIdentity; readonly generation: number | undefined }>();
    for (const { identity, selected } of await scanProcesses((argv) => guestOfArguments(argv, byPidFile))) {
      living.set(selected.serverId, { identity, generation: selected.generation });
    }
    await inParallel(servers, async (serverId) => {
      const record = await this.#files.readProcess(serverId);
      const process = living.get(serverId);
      if (process !== undefined) {
        const generation = process.generation ?? record?.generation;
        if (generation === undefined) {
          throw new ShoalError(
            'CANNOT_TELL',
            `process ${process.identity.pid} of ${serverId} does not name its generation`,
          );
        }
        await this.#adoptLiving(serverId, process.identity, generation, record, signal);
      } else if (record?.stopping === true) {
        await this.#files.removeProcess(serverId);
      } else if (record !== undefined) {
        const detail = record.bootId === this.#bootId ? 'the QEMU process is gone' : 'the host was restarted';
        this.#slot(serverId).crashed = { generation: record.generation, detail };
        this.#log.warn({ serverId, generation: record.generation, detail }, 'found a guest without its process');
      }
    });
  }

  async #adoptLiving(
    serverId: ServerId,
    identity: ProcessIdentity,
    generation: number,
    record: ProcessRecord | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const guest = this.#makeGuest(serverId, identity, generation);
    this.#slot(serverId).guest = guest;
    if (record?.pid !== identity.pid || record.startTicks !== identity.startTicks) {
      await this.#files.writeProcess(serverId, { ...identity, bootId: this.#bootId, generation, stopping: false });
    }
    const state = await guest.state(signal);
    await this.#diskWork.thawWhatWasLeft(serverId);
    this.#log.info({ serverId, generation, pid: identity.pid, ...state }, 'adopted a guest');
  }

  #makeGuest(serverId: ServerId, identity: ProcessIdentity, generation: number): QemuGuest {
    return new QemuGuest(
      { log: this.#log, report: (id, state) => this.#report(id, state) },
      { serverId, generation, identity, qmpSocket: this.#files.guestPaths(serverId).qmpSocket },
    );
  }

  // ------------------------------------------------------------------------------------------------------ operations

  async #launch(spec: GuestSpec, slot: Slot, signal: AbortSignal): Promise<GuestFound> {
    const paths = this.#files.guestPaths(spec.serverId);
    return Undo.run(async (undo) => {
      const rights = await this.#rightsOf(spec.serverId);
      await this.#files.prepareGuest(spec.serverId, rights.uid);
      await trimConsole(this.#consoleFiles(spec.serverId));
      await this.#files.writeSpec(spec);
      undo.add('take its files back', () => this.#users.takeBack(spec.serverId));
      undo.add('take its place for disks away', () => this.#plugs.empty(spec.serverId));
      const { argv, disks } = await this.#commandLine(spec, paths, rights, signal);
      const child = await spawnDetached(argv, this.#files.qemuLog(spec.serverId));
      const identity = child.pid === undefined ? undefined : await identify(child.pid);
      if (identity === undefined) throw await this.#launchFailed(spec.serverId, child);
      undo.add('end the QEMU that was started', async () => {
        await signalProcess(identity, 'SIGKILL');
        if (!(await waitGone(identity, killTimeoutMs))) {
          throw new ShoalError('DRIVER_FAILED', `process ${identity.pid} survives SIGKILL`);
        }
        await this.#files.removeProcess(spec.serverId);
      });
      await this.#files.writeProcess(spec.serverId, {
        ...identity,
        bootId: this.#bootId,
        generation: spec.generation,
        stopping: false,
      });
      const guest = this.#makeGuest(spec.serverId, identity, spec.generation);
      undo.add('let go of its monitor', async () => guest.detach());
      await this.#attachNew(guest, child, signal);
      const state = await guest.asked(async () => {
        if (disksComeLater(spec)) await this.#diskWork.addAtStart(guest, disks, signal);
        else await limitAll(guest, disks, signal);
        await guest.execute('cont', undefined, signal);
        return guest.state(signal);
      });
      slot.guest?.detach();
      slot.guest = guest;
      delete slot.crashed;
      return withDisks(guest, state, signal);
    });
  }

  /** Who the guest is. Its folder is there afterwards. */
  async #rightsOf(serverId: ServerId): Promise<Rights> {
    const { privileges, confinement } = this.facts;
    await this.#files.makeFolder(serverId, !confinement.isWhole);
    if (privileges.mode !== 'user-per-guest') return { uid: sharedUid(), groups: this.#deviceGroups };
    const uid = await this.#users.uidOf(serverId);
    return { uid, groups: [imagesGid(this.#uids), ...this.#deviceGroups] };
  }

  /** Gives the guest what it is to open, and makes the words that start it. */
  async #commandLine(
    spec: GuestSpec,
    paths: GuestPaths,
    rights: Rights,
    signal: AbortSignal,
  ): Promise<{ readonly argv: readonly string[]; readonly disks: readonly GuestDisk[] }> {
    const { privileges, confinement, ...facts } = this.facts;
    const settings: MachineSettings = { ...facts, binary: this.#options.binary ?? 'qemu-system-x86_64' };
    // Before anything is given away: refuses a spec that QEMU could misread.
    qemuArguments(spec, paths, settings);
    if (sharedUid() === 0) {
      await this.#users.give(spec.serverId, rights.uid, ownedFiles(spec));
      for (const { tapName } of spec.nics) await this.#giveTap(tapName, rights.uid, signal);
    }
    const cephDir = this.#files.cephDir(spec.serverId);
    const ceph = await copyCephFiles(spec, cephDir, rights.uid);
    const limits = { memoryBytes: dataBytesMax(spec), threads: threadsMax(spec) };
    const sight = sightOf(ceph.spec, paths, {
      groups: await this.#cgroups.make(spec.serverId, limits),
      plugFolder: await this.#plugs.make(spec.serverId),
      ...(ceph.hasFiles ? { cephFolder: cephDir } : {}),
    });
    const { rootDir } = this.#files;
    const argv = [
      ...(this.#options.launchPrefix ?? []),
      ...(await confinedPrefix(confinement, sight, { rootDir, binary: settings.binary })),
      ...rightsPrefix(privileges.mode, rights),
      ...['prlimit', `--data=${allocationBytesMax(spec)}`, '--core=0', '--'],
      settings.binary,
      ...qemuArguments(ceph.spec, paths, settings),
    ];
    return { argv, disks: ceph.spec.disks };
  }

  async #giveTap(tapName: string, uid: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#run([...(this.#options.launchPrefix ?? []), ...tapOwnerCommand(tapName, uid)], { signal });
    } catch (caught) {
      if (!ShoalError.is(caught, 'COMMAND_FAILED')) throw caught;
      const { message, facts } = caught;
      throw new ShoalError('DRIVER_FAILED', `tap ${tapName} cannot be given to its guest: ${message}`, { facts });
    }
  }

  /** Attaches to a QEMU that is still opening its sockets. */
  async #attachNew(guest: QemuGuest, child: ChildProcess, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + launchTimeoutMs;
    for (;;) {
      if (!(await guest.alive())) throw await this.#launchFailed(guest.serverId, child);
      try {
        await guest.attach(signal);
        return;
      } catch (caught) {
        if (!ShoalError.is(caught, 'UNAVAILABLE', 'CONFLICT')) throw caught;
        if (performance.now() >= deadline) {
          throw new ShoalError('DEADLINE_EXCEEDED', `QEMU did not open its monitor in ${launchTimeoutMs} ms`, {
            cause: caught,
          });
        }
        if (signal.aborted) throw new ShoalError('CANCELLED', `starting ${guest.serverId} was cancelled`);
        await delay(attachPollMs);
      }
    }
  }

  async #launchFailed(serverId: ServerId, child: ChildProcess): Promise<ShoalError> {
    const said = await readFile(this.#files.qemuLog(serverId), 'utf8').catch((caught: unknown) => {
      if (isMissing(caught)) return '';
      throw caught;
    });
    const facts = { status: child.exitCode, signal: child.signalCode, stderr: said.trim().slice(-2000) };
    return new ShoalError('DRIVER_FAILED', `QEMU did not start: ${facts.stderr || 'it printed nothing'}`, { facts });
  }

  /** Ends a guest: ACPI within the grace, then `quit`, then SIGKILL. Returns when the process is gone. */
  async #end(guest: QemuGuest, slot: Slot, graceMs: number, signal: AbortSignal): Promise<void> {
    const { serverId, generation, identity } = guest;
    await this.#files.writeProcess(serverId, { ...identity, bootId: this.#bootId, generation, stopping: true });
    await guest.asked(async () => {
      if (graceMs > 0) await this.#powerOff(guest, graceMs, signal);
      await this.#quit(guest, signal);
    });
    guest.detach();
    await this.#plugs.empty(serverId);
    await this.#users.takeBack(serverId);
    await this.#files.removeProcess(serverId);
    delete slot.guest;
  }

  /** Presses the power button and waits. A guest that cannot hear it (paused, or no ACPI) is left for `#quit`. */
  async #powerOff(guest: QemuGuest, graceMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + graceMs;
    try {
      if ((await guest.state(signal)).power !== 'running') return;
      await guest.execute('system_powerdown', undefined, signal);
      while (performance.now() < deadline) {
        if ((await guest.state(signal)).power !== 'running') return;
        await delay(powerOffPollMs);
      }
      this.#log.info({ serverId: guest.serverId, graceMs }, 'the guest did not power off within its grace period');
    } catch (caught) {
      if (signal.aborted)
        throw new ShoalError('CANCELLED', `stopping ${guest.serverId} was cancelled`, { cause: caught });
      this.#log.warn({ serverId: guest.serverId, err: caught }, 'QEMU cannot press the power button');
    }
  }

  async #quit(guest: QemuGuest, signal: AbortSignal): Promise<void> {
    try {
      await guest.execute('quit', undefined, signal);
    } catch (caught) {
      if (signal.aborted)
        throw new ShoalError('CANCELLED', `stopping ${guest.serverId} was cancelled`, { cause: caught });
      // Gone before it could answer, or stuck: both are handled below.
      this.#log.debug({ serverId: guest.serverId, err: caught }, 'QEMU did not answer quit');
      if (!ShoalError.is(caught, 'UNAVAILABLE')) await signalProcess(guest.identity, 'SIGTERM');
    }
    if (await waitGone(guest.identity, quitTimeoutMs, signal)) return;
    this.#log.warn({ serverId: guest.serverId, pid: guest.identity.pid }, 'QEMU did not quit; it is killed');
    await signalProcess(guest.identity, 'SIGKILL');
    if (!(await waitGone(guest.identity, killTimeoutMs, signal))) {
      throw new ShoalError('DRIVER_FAILED', `process ${guest.identity.pid} of ${guest.serverId} survives SIGKILL`);
    }
  }

  async #onLiving(serverId: ServerId, signal: AbortSignal, work: (guest: QemuGuest) => Promise<void>): Promise<void> {
    return this.#queued(serverId, signal, async (slot) => {
      const guest = slot.guest;
      if (guest === undefined || !(await guest.alive())) {
        throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
      }
      await guest.asked(() => work(guest));
    });
  }

  async #look(serverId: ServerId, signal: AbortSignal): Promise<GuestFound | undefined> {
    const slot = this.#slots.get(serverId);
    if (slot?.guest !== undefined) return withDisks(slot.guest, await slot.guest.state(signal), signal);
    if (slot?.crashed !== undefined) return { serverId, power: 'crashed', ...slot.crashed };
    return undefined;
  }

  /** One operation at a time for each guest. */
  async #queued<T>(serverId: ServerId, signal: AbortSignal, work: (slot: Slot) => Promise<T>): Promise<T> {
    this.#mustRun();
    this.#files.folder(serverId); // Refuses what is no id.
    const slot = this.#slot(serverId);
    if (slot.queued >= queueMax)
      throw new ShoalError('UNAVAILABLE', `${queueMax} operations wait for guest ${serverId}`);
    slot.queued += 1;
    const turn = slot.queue.then(
      () => {},
      () => {}, // An earlier operation's failure is its caller's.
    );
    const result = turn.then(() => {
      if (signal.aborted)
        throw new ShoalError('CANCELLED', `an operation on ${serverId} was cancelled before its turn`);
      return work(slot);
    });
    slot.queue = result;
    try {
      return await result;
    } finally {
      slot.queued -= 1;
      if (slot.queued === 0 && slot.guest === undefined && slot.crashed === undefined) this.#slots.delete(serverId);
    }
  }

  #slot(serverId: ServerId): Slot {
    let slot = this.#slots.get(serverId);
    if (slot === undefined) {
      slot = { queue: Promise.resolve(), queued: 0 };
      this.#slots.set(serverId, slot);
    }
    return slot;
  }

  #mustRun(): void {
    if (this.#facts === undefined) throw new ShoalError('CANNOT_TELL', 'the QEMU driver has not started');
  }

  // ---------------------------------------------------------------------------------------------- events and consoles

  #report(serverId: ServerId, state: GuestState): void {
    this.#log.info({ serverId, ...state }, 'a guest changed by itself');
    for (const listener of this.#listeners) listener({ serverId, ...state });
  }

  #consoleFiles(serverId: ServerId): { readonly current: string; readonly earlier: string } {
    return {
      current: this.#files.guestPaths(serverId).consoleLog,
      earlier: this.#files.earlierConsoleLog(serverId),
    };
  }

  #trimAll(): void {
    this.#trimming = this.#trimming.then(async () => {
      for (const serverId of [...this.#slots.keys()]) {
        try {
          await trimConsole(this.#consoleFiles(serverId));
          await emptyWhenOver(this.#files.qemuLog(serverId), consoleBytesMax);
        } catch (caught) {
          this.#log.warn({ serverId, err: caught }, 'cannot cut a console log');
        }
      }
    });
  }
}

function found(guest: QemuGuest, state: GuestState): GuestFound {
  const { serverId, generation } = guest;
  return { serverId, generation, ...state, ...(state.power === 'crashed' ? {} : { pid: guest.identity.pid }) };
}

/** With what is plugged in, where QEMU can be asked. */
async function withDisks(guest: QemuGuest, state: GuestState, signal: AbortSignal): Promise<GuestFound> {
  const without = found(guest, state);
  if (state.power === 'crashed') return without;
  try {
    return { ...without, disks: await pluggedDisks(guest, signal) };
  } catch (caught) {
    if (signal.aborted) throw caught;
    return without; // Its monitor does not answer: `detail` says so.
  }
}

async function limitAll(guest: QemuGuest, disks: readonly GuestDisk[], signal: AbortSignal): Promise<void> {
  for (const { volumeId, limits } of disks) if (limits !== undefined) await limitDisk(guest, volumeId, limits, signal);
}

/** Which guest of this agent a command line is: the UUID and the pid file must both be its own. */
function guestOfArguments(
  argv: readonly string[],
  byPidFile: ReadonlyMap<string, ServerId>,
): { readonly serverId: ServerId; readonly generation: number | undefined } | undefined {
  const after = (option: string): string | undefined => {
    const at = argv.indexOf(option);
    return at < 0 ? undefined : argv[at + 1];
  };
  const pidFile = after('-pidfile');
  const serverId = pidFile === undefined ? undefined : byPidFile.get(pidFile);
  if (serverId === undefined || after('-uuid') !== serverId) return undefined;
  const name = /^guest=([^,]*)/.exec(after('-name') ?? '')?.[1];
  return { serverId, generation: name === undefined ? undefined : generationOfName(name) };
}

/** With nothing of the agent's but standard error into a file, so that nothing ties it to the agent. */
async function spawnDetached(argv: readonly string[], logPath: string): Promise<ChildProcess> {
  const log = await open(
    logPath,
    constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND,
    0o600,
  );
  try {
    const child = spawnOutliving(argv, log.fd);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(ShoalError.from(error, 'DRIVER_FAILED', `starting ${argv[0]}`)));
    });
    return child;
  } finally {
    await log.close();
  }
}

/** Files that QEMU must be able to open for writing: its disks. */
function ownedFiles(spec: GuestSpec): readonly { readonly volumeId: VolumeId; readonly path: string }[] {
  return spec.disks.flatMap(({ volumeId, source }) =>
    source.kind === 'file' ? [{ volumeId, path: source.path }] : [],
  );
}

/** The group that may use /dev/kvm; undefined when root's own group is enough, or there is no such device. */
async function kvmGid(): Promise<number | undefined> {
  try {
    const { gid } = await stat('/dev/kvm');
    return gid === 0 ? undefined : gid;
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    throw ShoalError.from(caught, 'CANNOT_TELL', 'looking at /dev/kvm');
  }
}

async function emptyWhenOver(path: string, bytesMax: number): Promise<void> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
    try {
      if ((await file.stat()).size > bytesMax) await file.truncate(0);
    } finally {
      await file.close();
    }
  } catch (caught) {
    if (!isMissing(caught)) throw caught;
  }
}

/** `work` for each item, at most `parallelMax` at a time. Stops at the first failure. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += parallelMax) {
    results.push(...(await Promise.all(items.slice(at, at + parallelMax).map(work))));
  }
  return results;
}

async function notBuilt(what: string): Promise<never> {
  throw new ShoalError('NOT_IMPLEMENTED', `disks of guests that run: ${what} is not built yet`);
}
