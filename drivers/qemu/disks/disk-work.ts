/** Disks of guests that run, with all that a disk needs beside its nodes: files in sight, rights, keys, the guest's agent. */
import { ShoalError } from '../../../node/base/errors.ts';
import type { ServerId, VolumeId } from '../../../node/base/ids.ts';
import type { Logger } from '../../../node/base/telemetry/logger.ts';
import { checkDiskId } from '../../disk-spec.ts';
import { mustAnswer } from '../../nbd/exports/must-answer.ts';
import type { DiskLimits, DiskSnapshot, GuestDisk } from '../../types.ts';
import { copyCephFilesOf } from '../confinement/ceph-files.ts';
import type { GuestCgroups } from '../confinement/cgroups.ts';
import type { GuestUsers } from '../confinement/guest-users.ts';
import { sharedUid } from '../confinement/privileges.ts';
import type { RunFiles } from '../confinement/run-files.ts';
import type { QemuGuest } from '../guest/guest.ts';
import { freezeFileSystems, hasOpenAgent, thawFileSystems } from '../guest/guest-agent.ts';
import { checkGuestDisk, threadsOfRbdDisk } from './check-guest-disk.ts';
import { DiskMirror, endMirrorsOf, type MirrorPorts } from './disk-mirror.ts';
import type { DevicePlaces } from './disk-nodes.ts';
import {
  limitDisk,
  missingSnapshots,
  plugDisk,
  pluggedDisks,
  resizeDisk,
  snapshotDisks,
  unplugDisk,
} from './guest-disks.ts';
import { withCredentials } from './nbd-credentials.ts';
import { placeOfSource } from './open-source.ts';
import type { PlugFolders } from './plug-folder.ts';

const thawTries = 3;

interface DiskWorkDeps {
  readonly log: Logger;
  readonly files: RunFiles;
  readonly users: GuestUsers;
  readonly plugs: PlugFolders;
  readonly cgroups: GuestCgroups;
  /** Whether each guest is a user of its own, to whom its files are given. */
  readonly isUserPerGuest: boolean;
}

/** One for all guests of a driver. Calls for one guest come one after the other. */
export class DiskWork {
  readonly #deps: DiskWorkDeps;

  constructor(deps: DiskWorkDeps) {
    this.#deps = deps;
  }

  /** Plugs a disk in. What a failed try showed or gave away is taken back. */
  async attach(guest: QemuGuest, disk: GuestDisk, signal: AbortSignal): Promise<void> {
    const { serverId } = guest;
    checkGuestDisk(disk);
    await mustNotBeOff(guest, signal);
    if ((await pluggedDisks(guest, signal)).includes(disk.volumeId)) return;
    if (!(await this.#deps.plugs.has(serverId))) {
      throw new ShoalError('CONFLICT', `guest ${serverId} was started by a version that plugs nothing in; restart it`);
    }
    await mustAnswer(disk.volumeId, disk.source, signal);
    try {
      const shown = await this.#show(serverId, disk);
      // librbd has threads of its own for each disk. The bound only ever rises: how far is bounded by the places for disks.
      if (disk.source.kind === 'rbd') await this.#deps.cgroups.addThreads(serverId, threadsOfRbdDisk);
      await withCredentials(guest, disk, await this.#credentialsFolder(serverId, disk), () =>
        plugDisk(guest, shown, signal),
      );
    } catch (caught) {
      if (!(await pluggedDisks(guest)).includes(disk.volumeId)) await this.#hide(serverId, disk.volumeId);
      throw caught;
    }
  }

  /** Adds all disks of a guest that was started without them, before it runs. */
  async addAtStart(
    guest: QemuGuest,
    disks: readonly GuestDisk[],
    signal: AbortSignal,
    places?: DevicePlaces,
  ): Promise<void> {
    for (const disk of disks) {
      await mustAnswer(disk.volumeId, disk.source, signal);
      await withCredentials(guest, disk, await this.#credentialsFolder(guest.serverId, disk), () =>
        plugDisk(guest, disk, signal, places),
      );
    }
    if (places !== undefined) return;
    // The order of boot is read from the devices at a reset.
    if (disks.length > 0) await guest.execute('system_reset', undefined, signal);
  }

  async detach(guest: QemuGuest, volumeId: VolumeId, signal: AbortSignal): Promise<void> {
    checkDiskId(volumeId);
    // What copies the disk would hold its nodes.
    await endMirrorsOf(guest, volumeId);
    await unplugDisk(guest, volumeId, signal);
    await this.#hide(guest.serverId, volumeId);
  }

  async resize(guest: QemuGuest, volumeId: VolumeId, sizeBytes: number, signal: AbortSignal): Promise<void> {
    checkDiskId(volumeId);
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes <= 0) {
      throw new ShoalError('INVALID_ARGUMENT', `a disk of ${sizeBytes} bytes`);
    }
    await resizeDisk(guest, volumeId, sizeBytes, signal);
  }

  async limit(guest: QemuGuest, volumeId: VolumeId, limits: DiskLimits, signal: AbortSignal): Promise<void> {
    checkDiskId(volumeId);
    await limitDisk(guest, volumeId, limits, signal);
  }

  /** Keeps the content of the disks at one instant; true when the guest's file systems were frozen for it. */
  async snapshot(
    guest: QemuGuest,
    snapshots: readonly DiskSnapshot[],
    { freeze }: { readonly freeze: boolean },
    signal: AbortSignal,
  ): Promise<boolean> {
    for (const { volumeId, snapshotId } of snapshots) {
      checkDiskId(volumeId);
      checkDiskId(snapshotId);
    }
    const missing = await missingSnapshots(guest, snapshots, signal);
    if (missing.length === 0) return false;
    const runs = (await guest.state(signal)).power === 'running';
    // Nobody behind the channel: there is nothing to freeze, and no answer to wait for.
    if (!freeze || !runs || !hasOpenAgent(await guest.execute('query-chardev', undefined, signal))) {
      await snapshotDisks(guest, missing, signal);
      return false;
    }
    const { files } = this.#deps;
    const { agentSocket } = files.guestPaths(guest.serverId);
    await files.noteFrozen(guest.serverId);
    try {
      const isFrozen = await freezeFileSystems(agentSocket);
      await snapshotDisks(guest, missing, signal);
      return isFrozen;
    } finally {
      await this.thaw(guest.serverId);
    }
  }

  /** Thaws a guest that an earlier agent may have left frozen. */
  async thawWhatWasLeft(serverId: ServerId): Promise<void> {
    if (await this.#deps.files.isNotedFrozen(serverId)) await this.thaw(serverId);
  }

  /** A guest that stays frozen is no good to anybody; it is tried more than once, and the note stays when it failed. */
  async thaw(serverId: ServerId): Promise<void> {
    const { files, log } = this.#deps;
    for (let tries = 1; ; tries += 1) {
      try {
        await thawFileSystems(files.guestPaths(serverId).agentSocket);
        await files.noteThawed(serverId);
        return;
      } catch (caught) {
        log.warn({ serverId, tries, err: caught }, "the guest's agent does not thaw its file systems");
        if (tries >= thawTries) return;
      }
    }
  }

  /** A copy to `target`, which the guest goes over to. @param turn does it to the guest, behind what else is asked of it. */
  mirror(volumeId: VolumeId, target: GuestDisk, turn: MirrorPorts['turn']): DiskMirror {
    checkDiskId(volumeId);
    checkGuestDisk(target);
    const place = placeOfSource(target.volumeId, target.source);
    return new DiskMirror(
      {
        turn,
        show: async ({ serverId }) => {
          if (!(await this.#deps.plugs.has(serverId))) {
            throw new ShoalError(
              'CONFLICT',
              `guest ${serverId} was started by a version that moves no disks; restart it`,
            );
          }
          if (target.source.kind === 'rbd') await this.#deps.cgroups.addThreads(serverId, threadsOfRbdDisk);
          return this.#show(serverId, target, place);
        },
        withCredentials: async (guest, set, work) => {
          const folder = await this.#credentialsFolder(guest.serverId, target, place);
          await withCredentials(guest, target, folder, work, set);
        },
        hide: ({ serverId }, which) =>
          which === 'target' ? this.#hide(serverId, place) : this.#hide(serverId, volumeId, { except: place }),
      },
      volumeId,
      target,
    );
  }

  async #show(serverId: ServerId, disk: GuestDisk, place: string = disk.volumeId): Promise<GuestDisk> {
    const { plugs, users, isUserPerGuest } = this.#deps;
    const { source } = disk;
    const uid = isUserPerGuest ? await users.uidOf(serverId) : sharedUid();
    if (source.kind === 'file') {
      if (sharedUid() === 0) await users.giveMore(serverId, uid, { place, path: source.path });
      return plugs.show(serverId, disk, place);
    }
    if (source.kind !== 'rbd') return disk;
    const folder = await plugs.ownFolder(serverId, `${place}.ceph`, uid);
    return { ...disk, source: { ...source, confPath: await copyCephFilesOf(source, folder, uid) } };
  }

  async #hide(serverId: ServerId, place: string, options: { readonly except?: string } = {}): Promise<void> {
    await this.#deps.plugs.hide(serverId, place, options);
    await this.#deps.users.takeSomeBack(serverId, place, options);
  }

  async #credentialsFolder(
    serverId: ServerId,
    disk: GuestDisk,
    place: string = disk.volumeId,
  ): Promise<string | undefined> {
    if (disk.source.kind !== 'nbd') return undefined;
    const { plugs, users, isUserPerGuest } = this.#deps;
    const uid = isUserPerGuest ? await users.uidOf(serverId) : sharedUid();
    return plugs.ownFolder(serverId, `${place}.tls`, uid);
  }
}

async function mustNotBeOff(guest: QemuGuest, signal: AbortSignal): Promise<void> {
  if ((await guest.state(signal)).power !== 'shutdown') return;
  throw new ShoalError('CONFLICT', `guest ${guest.serverId} is powered off`);
}
