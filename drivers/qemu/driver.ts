/**
 * Guests as QEMU processes, driven over QMP. A guest is its own process in its own session: it does not notice when the
 * agent stops or dies, and the next agent finds it again (`start`) before it changes anything.
 *
 * How a guest is told from any other process: its command line names the server's UUID *and* a pid file in this agent's
 * run folder; its name carries the generation. The pid and start time found that way are checked before each signal.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { PortId, ServerId, VolumeId } from '../../node/base/ids.ts';
import type { Logger } from '../../node/base/telemetry/logger.ts';
import { type CommandRunner, runCommand } from '../command.ts';
import { checkLimits } from '../disk-limits.ts';
import { bootId, type ProcessIdentity } from '../process.ts';
import type {
  Accelerator,
  ComputeDriver,
  DiskLimits,
  DiskSnapshot,
  GuestDiagnostics,
  GuestDisk,
  GuestEvent,
  GuestFound,
  GuestSpec,
  MemoryReceiver,
  MirrorSteps,
  MoveKey,
  NicSpec,
  SendSteps,
} from '../types.ts';
import { checkUidRange, probeUid, type UidRange, uidRangeDefault } from '../uid-range.ts';
import { guestsLeft } from './adoption.ts';
import { checkGuestSpec } from './arguments.ts';
import { GuestCgroups } from './confinement/cgroups.ts';
import { type Confinement, probeConfinement } from './confinement/confinement.ts';
import { GuestUsers } from './confinement/guest-users.ts';
import { choosePrivileges, type Privileges, rightsPrefix, sharedUid } from './confinement/privileges.ts';
import { type ProcessRecord, RunFiles } from './confinement/run-files.ts';
import { DiskWork } from './disks/disk-work.ts';
import { removeSnapshot } from './disks/guest-disks.ts';
import { PlugFolders } from './disks/plug-folder.ts';
import type { QemuFacts } from './facts.ts';
import { consoleBytesMax, emptyWhenOver, readConsole, trimConsole } from './guest/console-log.ts';
import { type GuestState, QemuGuest } from './guest/guest.ts';
import { setGuestPassword } from './guest/guest-agent.ts';
import { connectConsole } from './guest/guest-console.ts';
import { guestDiagnostics } from './guest-diagnostics.ts';
import { endProcess } from './guest-end.ts';
import { withDevices } from './guest-found.ts';
import { GuestStart } from './guest-start.ts';
import { findFirmware } from './hardware/firmware.ts';
import { GuestMachines } from './hardware/guest-machines.ts';
import { readMachineTypes } from './hardware/machine-type.ts';
import { mustFit, SavedMemories, type SavedMemory } from './memory/saved-memory.ts';
import { LiveMoves } from './moves/live-moves.ts';
import { nicsAmong } from './nics/guest-nics.ts';
import { NicWork } from './nics/nic-work.ts';
import { inParallel } from './parallel.ts';
import { kvmGid, probeKvm } from './probe.ts';

/** How the driver is set up on a host. */
export interface QemuDriverOptions {
  /** Folder for run-time files. Keeps over restarts of the agent and over reboots: the memory of suspended guests is there. */
  readonly runDir: string;
  /** User numbers for guests when the agent is root. Default `uidRangeDefault`. */
  readonly uids?: UidRange;
  /** Folders that QEMU must reach besides `runDir` where guests have no namespace of their own: disks, images. */
  readonly reachablePaths?: readonly string[];
  /** Default `qemu-system-x86_64`. */
  readonly binary?: string;
  /** Machine of guests that ask for none, by its versioned name. Default: QEMU's newest `pc`. */
  readonly machine?: string;
  /** Words before every QEMU's command line, e.g. to enter a network namespace. They must exec, not fork. Default none. */
  readonly launchPrefix?: readonly string[];
  /** Default `auto`: KVM when a probe guest proves it, else TCG. */
  readonly accelerator?: 'auto' | 'kvm' | 'tcg';
  /** Address of this host at which it takes guests that run elsewhere. Default `127.0.0.1`. */
  readonly moveAddress?: string;
}

/** The program that runs guests, found by PATH. */
export const qemuProgram = 'qemu-system-x86_64';

/** Longest grace that a caller may give a guest to power off. */
const graceMsMax = 600_000;
/** Of a guest whose own notes nobody can read: it is of none that a record asks for. */
const generationUnknown = 0;
/** How often consoles are cut. A guest on a 115200-baud console prints 58 KB in that time; under QEMU it may print more. */
const trimPeriodMs = 5_000;
/** In which a request that is tried again has failed again. */
const retriedIoMs = 500;
/** Operations waiting for one guest. */
const queueMax = 32;

/** What works on guests, once it is known how this host runs them. */
interface Parts {
  readonly plugs: PlugFolders;
  readonly diskWork: DiskWork;
  readonly nicWork: NicWork;
  readonly starts: GuestStart;
  readonly moves: LiveMoves;
  readonly machines: GuestMachines;
}

/** One server's place in the driver. */
interface Slot {
  guest?: QemuGuest;
  /** Known to have crashed: found without its process. */
  crashed?: { readonly generation: number; readonly detail: string };
  /** Suspended: its memory is saved, and it has no process. */
  saved?: SavedMemory;
  /** Something is saved of it, and why nobody can read what. It stays until its owner gives it up. */
  unreadable?: ShoalError;
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
  readonly #saved: SavedMemories;
  /** Serial lines that somebody has open. */
  readonly #serialLines = new Map<ServerId, Duplex>();
  #cgroups = GuestCgroups.none('the driver has not started');
  #confinement: Confinement | undefined;
  #facts: QemuFacts | undefined;
  #madeParts: Parts | undefined;
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
    this.#saved = new SavedMemories(this.#files);
  }

  /** What `start` makes. */
  get #parts(): Parts {
    if (this.#madeParts === undefined) throw new ShoalError('CANNOT_TELL', 'the QEMU driver has not started');
    return this.#madeParts;
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
    const machineTypes = await readMachineTypes(this.#run, binary, signal);
    const machine = this.#options.machine ?? machineTypes.newest.pc;
    if (machine === undefined) throw new ShoalError('CANNOT_TELL', `${binary} does not name its machine pc`);
    this.#facts = {
      accelerator,
      acceleratorReason: reason,
      machine,
      machineTypes,
      firmware: await findFirmware(),
      qemuVersion: /version ([0-9.]+)/.exec(version.stdout)?.[1] ?? 'unknown',
      privileges,
      confinement,
      limits: this.#cgroups.reason,
    };
    this.#log.info(
      { accelerator, reason, privileges, confinement, limits: this.#cgroups.reason },
      'QEMU driver started',
    );
    this.#madeParts = await this.#makeParts(this.#facts);
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
      await this.#madeParts?.plugs.close();
    }
    this.#facts = undefined;
    this.#madeParts = undefined;
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
          return this.#told(guest, await guest.state(signal), signal);
        }
        const isLoading = state.detail === 'inmigrate';
        if (state.power !== 'shutdown' && !isLoading) return this.#told(guest, state, signal);
        // The guest powered itself off, and QEMU only waits to be told to go; or an earlier agent died while it loaded a memory.
        await this.#end(guest, slot, 0, signal);
        const saved = await this.#saved.find(spec.serverId);
        if (saved !== undefined) slot.saved = saved;
      }
      if (slot.unreadable !== undefined) throw slot.unreadable;
      const machine = await this.#parts.machines.of(spec);
      if (slot.saved !== undefined) mustFit(slot.saved, spec, machine);
      const { guest: launched, state } = await this.#parts.starts.launch({ spec, machine }, slot.saved, signal);
      delete slot.saved;
      slot.guest?.detach();
      slot.guest = launched;
      delete slot.crashed;
      return this.#told(launched, state, signal);
    });
  }

  stopGuest(serverId: ServerId, options: { readonly graceMs: number }, signal: AbortSignal): Promise<void> {
    if (!(options.graceMs >= 0 && options.graceMs <= graceMsMax)) {
      throw new ShoalError('INVALID_ARGUMENT', `a grace of ${options.graceMs} ms is not within 0 and ${graceMsMax}`);
    }
    return this.#queued(serverId, signal, async (slot) => {
      if (slot.guest !== undefined) await this.#end(slot.guest, slot, options.graceMs, signal);
      await this.#saved.drop(serverId);
      delete slot.saved;
      delete slot.unreadable;
      if (slot.crashed !== undefined) {
        await this.#parts.plugs.empty(serverId);
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
      await guest.reset(signal);
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
      // QEMU would forget that it was told.
      if (before.detail === 'inmigrate') {
        throw new ShoalError('UNAVAILABLE', `the memory of guest ${serverId} is not there yet`);
      }
      // A memory that was saved, and from which the guest goes on now, must never be loaded again.
      await this.#saved.drop(serverId);
      await guest.execute('cont', undefined, signal);
      // What an error of a disk had stopped tries that again at once, and stops once more when it fails.
      if (before.detail === 'io-error') await delay(retriedIoMs);
      const after = await guest.state(signal);
      if (after.power !== 'running') {
        throw new ShoalError('DRIVER_FAILED', `guest ${serverId} does not run on: ${after.detail}`);
      }
    });
  }

  suspendGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async (slot) => {
      const { guest } = slot;
      if (guest === undefined || !(await guest.alive())) {
        if (slot.saved !== undefined || slot.unreadable !== undefined) return;
        throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
      }
      await guest.asked(async () => {
        const { power, detail } = await guest.state(signal);
        if (power === 'shutdown') throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
        // Else an earlier agent has saved it, and died before it ended the process.
        const isSaved = detail === 'postmigrate' && (await this.#saved.find(serverId)) !== undefined;
        if (isSaved) return;
        const machine = await this.#parts.machines.ofRunning(serverId);
        await this.#saved.save(guest, { machine, uid: await this.#uidOf(serverId) }, signal);
      });
      const saved = await this.#saved.find(serverId);
      await this.#end(guest, slot, 0, signal);
      if (saved !== undefined) slot.saved = saved;
    });
  }

  hardwareOf(serverId: ServerId, signal: AbortSignal): Promise<string> {
    return this.#turn(serverId, signal, (guest) => this.#parts.moves.hardwareOf(guest, signal));
  }

  receiveGuest(
    spec: GuestSpec,
    { hardware, key }: { readonly hardware: string; readonly key: MoveKey },
    signal: AbortSignal,
  ): Promise<MemoryReceiver> {
    return this.#queued(spec.serverId, signal, async (slot) => {
      checkGuestSpec(spec);
      const { moves, starts } = this.#parts;
      const { machine, places } = moves.madeOf(hardware);
      const { guest } = slot;
      if (guest !== undefined && (await guest.alive())) {
        const isWaiting = guest.generation === spec.generation && (await guest.state(signal)).detail === 'inmigrate';
        if (!isWaiting) throw alreadyHere(spec.serverId, guest.generation);
        const known = await moves.takenAt(guest, signal);
        if (known !== undefined) return known;
        // An earlier agent died before it told QEMU to listen.
        await this.#end(guest, slot, 0, signal);
      }
      if (slot.saved !== undefined || slot.unreadable !== undefined) throw alreadyHere(spec.serverId, 0);
      const taken = Promise.withResolvers<MemoryReceiver>();
      const receive = async (fresh: QemuGuest): Promise<void> => taken.resolve(await moves.take(fresh, key, signal));
      const { guest: launched } = await starts.launch({ spec, machine }, { places, receive }, signal);
      slot.guest?.detach();
      slot.guest = launched;
      delete slot.crashed;
      return taken.promise;
    });
  }

  sendGuest(
    serverId: ServerId,
    to: MemoryReceiver & { readonly key: MoveKey },
    steps: SendSteps,
    signal: AbortSignal,
  ): Promise<void> {
    return this.#parts.moves.send(serverId, to, steps, (work) => this.#turn(serverId, signal, work), signal);
  }

  async cancelSend(serverId: ServerId, signal: AbortSignal): Promise<void> {
    await this.#queued(serverId, signal, async ({ guest }) => {
      if (guest === undefined || !(await guest.alive())) return;
      await guest.asked(() => this.#parts.moves.cancel(guest, signal));
    });
  }

  injectNmi(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, async (guest) => {
      if ((await guest.state(signal)).power === 'shutdown') {
        throw new ShoalError('CONFLICT', `guest ${serverId} is powered off`);
      }
      await guest.execute('inject-nmi', undefined, signal);
    });
  }

  setPassword(serverId: ServerId, user: string, password: string, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, async (guest) => {
      if ((await guest.state(signal)).power !== 'running') {
        throw new ShoalError('CONFLICT', `guest ${serverId} does not run`);
      }
      await setGuestPassword(this.#files.guestPaths(serverId).agentSocket, user, password);
    });
  }

  removeGuest(serverId: ServerId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async (slot) => {
      if (slot.guest !== undefined && (await slot.guest.alive())) {
        throw new ShoalError('CONFLICT', `guest ${serverId} still has its process ${slot.guest.identity.pid}`);
      }
      slot.guest?.detach();
      await this.#parts.plugs.empty(serverId);
      await this.#users.takeBack(serverId);
      await this.#files.removeGuest(serverId);
      await this.#cgroups.remove(serverId);
      delete slot.guest;
      delete slot.crashed;
      delete slot.saved;
      delete slot.unreadable;
    });
  }

  attachDisk(serverId: ServerId, disk: GuestDisk, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => this.#parts.diskWork.attach(guest, disk, signal));
  }

  async detachDisk(serverId: ServerId, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async ({ guest }) => {
      if (guest === undefined || !(await guest.alive())) return;
      await guest.asked(() => this.#parts.diskWork.detach(guest, volumeId, signal));
    });
  }

  attachNic(serverId: ServerId, nic: NicSpec, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => this.#parts.nicWork.attach(guest, nic, signal));
  }

  detachNic(serverId: ServerId, portId: PortId, signal: AbortSignal): Promise<void> {
    return this.#queued(serverId, signal, async ({ guest }) => {
      if (guest === undefined || !(await guest.alive())) return;
      await guest.asked(() => this.#parts.nicWork.detach(guest, portId, signal));
    });
  }

  resizeDisk(serverId: ServerId, volumeId: VolumeId, sizeBytes: number, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => this.#parts.diskWork.resize(guest, volumeId, sizeBytes, signal));
  }

  async snapshotDisks(
    serverId: ServerId,
    snapshots: readonly DiskSnapshot[],
    options: { readonly freeze: boolean },
    signal: AbortSignal,
  ): Promise<{ readonly frozen: boolean }> {
    let frozen = false;
    await this.#onLiving(serverId, signal, async (guest) => {
      frozen = await this.#parts.diskWork.snapshot(guest, snapshots, options, signal);
    });
    return { frozen };
  }

  removeDiskSnapshot(serverId: ServerId, snapshot: DiskSnapshot, signal: AbortSignal): Promise<void> {
    return this.#onLiving(serverId, signal, (guest) => removeSnapshot(guest, snapshot, signal));
  }

  async setDiskLimits(serverId: ServerId, volumeId: VolumeId, limits: DiskLimits, signal: AbortSignal): Promise<void> {
    checkLimits(limits);
    await this.#onLiving(serverId, signal, (guest) => this.#parts.diskWork.limit(guest, volumeId, limits, signal));
  }

  async mirrorDisk(
    serverId: ServerId,
    volumeId: VolumeId,
    target: GuestDisk,
    steps: MirrorSteps,
    signal: AbortSignal,
  ): Promise<void> {
    if (target.limits !== undefined) checkLimits(target.limits);
    // Each step takes its turn: what else is asked of the guest is done in between.
    const mirror = this.#parts.diskWork.mirror(volumeId, target, (work) => this.#turn(serverId, signal, work));
    await mirror.carryThrough(steps, signal);
  }

  async cancelMirror(serverId: ServerId, volumeId: VolumeId, target: GuestDisk, signal: AbortSignal): Promise<void> {
    try {
      await this.#parts.diskWork.mirror(volumeId, target, (work) => this.#turn(serverId, signal, work)).abandon();
    } catch (caught) {
      // Without the guest, or its disk, nothing is copied.
      if (!ShoalError.is(caught, 'NOT_FOUND')) throw caught;
    }
  }

  async openConsole(serverId: ServerId, kind: 'vnc' | 'serial', signal: AbortSignal): Promise<Duplex> {
    this.#mustRun();
    const guest = this.#slots.get(serverId)?.guest;
    if (guest === undefined || !(await guest.alive())) {
      throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
    }
    const { serial, vnc } = this.consoleSockets(serverId);
    if (kind === 'vnc') return connectConsole(vnc, signal);
    // QEMU's serial line has one end: who comes second would wait in silence for the first to go.
    this.#serialLines.get(serverId)?.destroy();
    const line = await connectConsole(serial, signal);
    this.#serialLines.set(serverId, line);
    line.once('close', () => {
      if (this.#serialLines.get(serverId) === line) this.#serialLines.delete(serverId);
    });
    return line;
  }

  diagnostics(serverId: ServerId, signal: AbortSignal): Promise<GuestDiagnostics> {
    return this.#turn(serverId, signal, (guest) => guestDiagnostics(guest, signal));
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

  async #makeParts(facts: QemuFacts): Promise<Parts> {
    const { accelerator, machine, machineTypes, firmware, privileges, confinement } = facts;
    const plugs = new PlugFolders(this.#run, { runDir: this.#options.runDir, isConfined: confinement.isWhole });
    await plugs.prepare();
    const shared = { files: this.#files, users: this.#users, plugs, cgroups: this.#cgroups };
    const isUserPerGuest = privileges.mode === 'user-per-guest';
    const diskWork = new DiskWork({ ...shared, log: this.#log, isUserPerGuest });
    const launchPrefix = this.#options.launchPrefix ?? [];
    const nicWork = new NicWork({ run: this.#run, users: this.#users, isUserPerGuest, launchPrefix });
    const deviceGid = accelerator === 'kvm' ? await kvmGid() : undefined;
    const machines = new GuestMachines(this.#files, { machine, types: machineTypes });
    const starts = new GuestStart({
      ...shared,
      machines,
      run: this.#run,
      uids: this.#uids,
      diskWork,
      memories: this.#saved,
      settings: { accelerator, machine, firmware, binary: this.#options.binary ?? qemuProgram },
      privileges,
      confinement,
      deviceGroups: deviceGid === undefined ? [] : [deviceGid],
      bootId: this.#bootId,
      launchPrefix,
      makeGuest: (serverId, identity, generation) => this.#makeGuest(serverId, identity, generation),
    });
    const uidOf = (serverId: ServerId): Promise<number> => this.#uidOf(serverId);
    const address = this.#options.moveAddress ?? '127.0.0.1';
    const moves = new LiveMoves({ plugs, uidOf, machines, accelerator, address });
    return { plugs, diskWork, nicWork, starts, moves, machines };
  }

  async #choosePrivileges(confinement: Confinement): Promise<Privileges> {
    if (confinement.isWhole) return { mode: 'user-per-guest', reason: 'each guest sees its own files alone' };
    const paths = [this.#options.runDir, ...(this.#options.reachablePaths ?? [])];
    return choosePrivileges(this.#run, { probe: { uid: probeUid(this.#uids), groups: [] }, paths });
  }

  /** Finds every guest of this run folder, alive or not. Changes none. */
  async #adopt(signal: AbortSignal): Promise<void> {
    await inParallel(await guestsLeft(this.#files), async ({ serverId, record, unreadable, living }) => {
      if (unreadable !== undefined)
        this.#log.error({ serverId, err: unreadable }, 'a note about a guest is unreadable');
      if (living !== undefined) {
        await this.#adoptLiving(serverId, living.identity, living.generation, record, signal);
        return;
      }
      const saved = await this.#savedOf(serverId);
      if (saved instanceof ShoalError) {
        this.#slot(serverId).unreadable = saved;
        this.#log.error(
          { serverId, err: saved },
          'the saved memory of a guest is unreadable: it is kept, and not loaded',
        );
      } else if (saved !== undefined) {
        // Its process ends once the memory is saved, and goes on only when that is dropped: whatever came between, it is suspended.
        await this.#files.removeProcess(serverId);
        this.#slot(serverId).saved = saved;
      } else if (record?.stopping === true) {
        await this.#files.removeProcess(serverId);
      } else if (unreadable !== undefined) {
        const detail = `the QEMU process is gone: ${unreadable.message}`;
        this.#slot(serverId).crashed = { generation: generationUnknown, detail };
      } else if (record !== undefined) {
        const detail = record.bootId === this.#bootId ? 'the QEMU process is gone' : 'the host was restarted';
        this.#slot(serverId).crashed = { generation: record.generation, detail };
        this.#log.warn({ serverId, generation: record.generation, detail }, 'found a guest without its process');
      }
    });
  }

  /** What is saved of a guest, or why nobody can read it. */
  async #savedOf(serverId: ServerId): Promise<SavedMemory | ShoalError | undefined> {
    try {
      return await this.#saved.find(serverId);
    } catch (caught) {
      if (caught instanceof ShoalError) return caught;
      throw caught;
    }
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
    await this.#parts.diskWork.thawWhatWasLeft(serverId);
    this.#log.info({ serverId, generation, pid: identity.pid, ...state }, 'adopted a guest');
  }

  #makeGuest(serverId: ServerId, identity: ProcessIdentity, generation: number): QemuGuest {
    return new QemuGuest(
      { log: this.#log, report: (id, state) => this.#report(id, state) },
      { serverId, generation, identity, qmpSocket: this.#files.guestPaths(serverId).qmpSocket },
    );
  }

  // ------------------------------------------------------------------------------------------------------ operations

  /** Whose the guest's QEMU is. */
  async #uidOf(serverId: ServerId): Promise<number> {
    return this.facts.privileges.mode === 'user-per-guest' ? this.#users.uidOf(serverId) : sharedUid();
  }

  /** Ends a guest. Returns when the process is gone. */
  async #end(guest: QemuGuest, slot: Slot, graceMs: number, signal: AbortSignal): Promise<void> {
    const { serverId, generation, identity } = guest;
    await this.#files.writeProcess(serverId, { ...identity, bootId: this.#bootId, generation, stopping: true });
    await guest.asked(() => endProcess(guest, graceMs, this.#log, signal));
    guest.detach();
    await this.#parts.plugs.empty(serverId);
    await this.#users.takeBack(serverId);
    await this.#files.removeProcess(serverId);
    delete slot.guest;
  }

  async #onLiving(serverId: ServerId, signal: AbortSignal, work: (guest: QemuGuest) => Promise<void>): Promise<void> {
    await this.#turn(serverId, signal, work);
  }

  /** Does it to a guest that runs, behind what else is asked of it. `NOT_FOUND` when there is none. */
  #turn<T>(serverId: ServerId, signal: AbortSignal, work: (guest: QemuGuest) => Promise<T>): Promise<T> {
    return this.#queued(serverId, signal, async ({ guest }) => {
      if (guest === undefined || !(await guest.alive())) {
        throw new ShoalError('NOT_FOUND', `guest ${serverId} does not run on this host`);
      }
      return guest.asked(() => work(guest));
    });
  }

  async #told(guest: QemuGuest, state: GuestState, signal: AbortSignal): Promise<GuestFound> {
    const found = await withDevices(guest, state, signal);
    return { ...found, machine: await this.#parts.machines.ofRunning(guest.serverId) };
  }

  async #look(serverId: ServerId, signal: AbortSignal): Promise<GuestFound | undefined> {
    const slot = this.#slots.get(serverId);
    if (slot?.guest !== undefined) return this.#told(slot.guest, await slot.guest.state(signal), signal);
    if (slot?.saved !== undefined) {
      const { generation, places } = slot.saved;
      const nics = nicsAmong(places.keys());
      return { serverId, generation, power: 'suspended', detail: 'its memory is saved', nics };
    }
    if (slot?.unreadable !== undefined) {
      const detail = slot.unreadable.message;
      return { serverId, generation: generationUnknown, power: 'suspended', detail };
    }
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
      const { guest, crashed, saved, unreadable } = slot;
      const isEmpty = guest === undefined && crashed === undefined && saved === undefined && unreadable === undefined;
      if (slot.queued === 0 && isEmpty) this.#slots.delete(serverId);
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

function alreadyHere(serverId: ServerId, generation: number): ShoalError {
  return new ShoalError('CONFLICT', `guest ${serverId} is here already`, { facts: { generation } });
}
