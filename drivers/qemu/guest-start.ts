/** How a guest gets its process: its user, its files, its words, and the agent attached before it runs. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ShoalError } from '../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../node/base/ids.ts';
import { isMissing } from '../../node/base/system-error.ts';
import type { CommandRunner } from '../command.ts';
import { identify, type ProcessIdentity, signalProcess, waitGone } from '../process.ts';
import { spawnOutliving } from '../spawn.ts';
import type { GuestDisk, GuestSpec } from '../types.ts';
import { imagesGid, type UidRange } from '../uid-range.ts';
import { Undo } from '../undo.ts';
import {
  allocationBytesMax,
  dataBytesMax,
  disksComeLater,
  type MachineSettings,
  qemuArguments,
  threadsMax,
} from './arguments.ts';
import { copyCephFiles } from './confinement/ceph-files.ts';
import type { GuestCgroups } from './confinement/cgroups.ts';
import { type Confinement, confinedPrefix, sightOf } from './confinement/confinement.ts';
import type { GuestUsers } from './confinement/guest-users.ts';
import { type Privileges, type Rights, rightsPrefix, sharedUid } from './confinement/privileges.ts';
import type { GuestPaths, RunFiles } from './confinement/run-files.ts';
import { giveTap } from './confinement/tap-owner.ts';
import type { DevicePlaces } from './disks/disk-nodes.ts';
import type { DiskWork } from './disks/disk-work.ts';
import { limitDisk } from './disks/guest-disks.ts';
import type { PlugFolders } from './disks/plug-folder.ts';
import { trimConsole } from './guest/console-log.ts';
import type { GuestState, QemuGuest } from './guest/guest.ts';
import { killTimeoutMs } from './guest-end.ts';
import { firmwareOf, prepareVariables } from './hardware/firmware.ts';
import type { GuestMachines } from './hardware/guest-machines.ts';
import type { SavedMemories, SavedMemory } from './memory/saved-memory.ts';

/** From fork to the monitor's greeting: 0.1 s, and a loaded machine or slow RBD may take a hundred times that. */
const launchTimeoutMs = 30_000;
/** How often a QEMU that is opening its monitor is tried. */
const attachPollMs = 10;

/** What guests are started with. */
interface GuestStartDeps {
  readonly run: CommandRunner;
  readonly files: RunFiles;
  readonly users: GuestUsers;
  readonly uids: UidRange;
  readonly cgroups: GuestCgroups;
  readonly plugs: PlugFolders;
  readonly diskWork: DiskWork;
  readonly memories: SavedMemories;
  readonly machines: GuestMachines;
  readonly settings: MachineSettings;
  readonly privileges: Privileges;
  readonly confinement: Confinement;
  /** The group that may use /dev/kvm, when KVM is used and root's own group is not enough. */
  readonly deviceGroups: readonly number[];
  readonly bootId: string;
  /** Words before every command line. */
  readonly launchPrefix: readonly string[];
  readonly makeGuest: (serverId: ServerId, identity: ProcessIdentity, generation: number) => QemuGuest;
}

/** A guest whose memory comes from another host. */
interface Receiving {
  readonly places: DevicePlaces;
  /** Has its QEMU take the memory. */
  readonly receive: (guest: QemuGuest) => Promise<void>;
}

/** One for all guests of a driver. */
export class GuestStart {
  readonly #deps: GuestStartDeps;

  constructor(deps: GuestStartDeps) {
    this.#deps = deps;
  }

  /**
   * Starts the guest with that machine, which is noted. All that was made for it is taken back when it does not run in the end.
   * @param saved the memory that it goes on from, which is forgotten just before it does; or how it takes it from another host, and
   *   then it does not go on. Absent: it boots.
   */
  async launch(
    { spec, machine }: { readonly spec: GuestSpec; readonly machine: string },
    saved: SavedMemory | Receiving | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly guest: QemuGuest; readonly state: GuestState }> {
    const { files, users, plugs, bootId, memories, machines } = this.#deps;
    const { serverId, generation } = spec;
    const paths = files.guestPaths(serverId);
    return Undo.run(async (undo) => {
      const rights = await this.#rightsOf(serverId);
      await files.prepareGuest(serverId, rights.uid);
      await trimConsole({ current: paths.consoleLog, earlier: files.earlierConsoleLog(serverId) });
      await machines.note(serverId, machine);
      await files.writeSpec(spec);
      undo.add('take its files back', () => users.takeBack(serverId));
      undo.add('take its place for disks away', () => plugs.empty(serverId));
      const own = { machine, rights, places: saved?.places };
      const { argv, disks } = await this.#commandLine(spec, paths, own, signal);
      const child = await spawnDetached(argv, files.qemuLog(serverId));
      const identity = child.pid === undefined ? undefined : await identify(child.pid);
      if (identity === undefined) throw await this.#launchFailed(serverId, child);
      undo.add('end the QEMU that was started', async () => {
        await signalProcess(identity, 'SIGKILL');
        if (!(await waitGone(identity, killTimeoutMs))) {
          throw new ShoalError('DRIVER_FAILED', `process ${identity.pid} survives SIGKILL`);
        }
        await files.removeProcess(serverId);
      });
      await files.writeProcess(serverId, { ...identity, bootId, generation, stopping: false });
      const guest = this.#deps.makeGuest(serverId, identity, generation);
      undo.add('let go of its monitor', async () => guest.detach());
      await this.#attachNew(guest, child, signal);
      const state = await guest.asked(async () => {
        if (disksComeLater(spec)) await this.#deps.diskWork.addAtStart(guest, disks, signal, saved?.places);
        else await limitAll(guest, disks, signal);
        if (saved !== undefined && 'receive' in saved) {
          await saved.receive(guest);
          return guest.state(signal);
        }
        if (saved !== undefined) {
          await memories.load(guest, signal);
          await memories.drop(serverId);
        }
        await guest.execute('cont', undefined, signal);
        return guest.state(signal);
      });
      return { guest, state };
    });
  }

  /** Who the guest is. Its folder is there afterwards. */
  async #rightsOf(serverId: ServerId): Promise<Rights> {
    const { privileges, confinement, files, users, uids, deviceGroups } = this.#deps;
    await files.makeFolder(serverId, !confinement.isWhole);
    if (privileges.mode !== 'user-per-guest') return { uid: sharedUid(), groups: deviceGroups };
    const uid = await users.uidOf(serverId);
    return { uid, groups: [imagesGid(uids), ...deviceGroups] };
  }

  /** Gives the guest what it is to open, and makes the words that start it. */
  async #commandLine(
    spec: GuestSpec,
    paths: GuestPaths,
    own: { readonly machine: string; readonly rights: Rights; readonly places: DevicePlaces | undefined },
    signal: AbortSignal,
  ): Promise<{ readonly argv: readonly string[]; readonly disks: readonly GuestDisk[] }> {
    const { privileges, confinement, files, users, cgroups, plugs, launchPrefix, run } = this.#deps;
    const { rights, places } = own;
    const settings = { ...this.#deps.settings, machine: own.machine };
    // Before anything is given away: refuses a spec that QEMU could misread.
    qemuArguments(spec, paths, settings);
    const firmware = firmwareOf(spec.hardware ?? {}, settings.firmware);
    if (firmware !== undefined) await prepareVariables(firmware, paths.variables, rights.uid);
    if (sharedUid() === 0) {
      await users.give(spec.serverId, rights.uid, ownedFiles(spec));
      for (const { tapName } of spec.nics) {
        await giveTap(run, { tapName, uid: rights.uid, prefix: launchPrefix }, signal);
      }
    }
    const cephDir = files.cephDir(spec.serverId);
    const ceph = await copyCephFiles(spec, cephDir, rights.uid);
    const limits = { memoryBytes: dataBytesMax(spec), threads: threadsMax(spec) };
    const sight = sightOf(ceph.spec, paths, {
      groups: await cgroups.make(spec.serverId, limits),
      plugFolder: await plugs.make(spec.serverId),
      ...(ceph.hasFiles ? { cephFolder: cephDir } : {}),
    });
    const { rootDir } = files;
    const argv = [
      ...launchPrefix,
      ...(await confinedPrefix(confinement, sight, { rootDir, binary: settings.binary })),
      ...rightsPrefix(privileges.mode, rights),
      ...['prlimit', `--data=${allocationBytesMax(spec)}`, '--core=0', '--'],
      settings.binary,
      ...qemuArguments(ceph.spec, paths, settings, places),
    ];
    return { argv, disks: ceph.spec.disks };
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
    const said = await readFile(this.#deps.files.qemuLog(serverId), 'utf8').catch((caught: unknown) => {
      if (isMissing(caught)) return '';
      throw caught;
    });
    const facts = { status: child.exitCode, signal: child.signalCode, stderr: said.trim().slice(-2000) };
    return new ShoalError('DRIVER_FAILED', `QEMU did not start: ${facts.stderr || 'it printed nothing'}`, { facts });
  }
}

async function limitAll(guest: QemuGuest, disks: readonly GuestDisk[], signal: AbortSignal): Promise<void> {
  for (const { volumeId, limits } of disks) if (limits !== undefined) await limitDisk(guest, volumeId, limits, signal);
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
