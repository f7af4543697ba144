/**
 * Carries out one step of the reconciler through the drivers, and tells the record. Every sequence below may be cut off
 * after any line and done again from the top.
 */

import { isImageSha256 } from '../../../../drivers/image/content-name.ts';
import type {
  ComputeDriver,
  DiskSpec,
  GuestSpec,
  ImageFile,
  NicSpec,
  StorageDriver,
} from '../../../../drivers/types.ts';
import { shoal } from '../../../../proto/messages.ts';
import { failpoint, reached } from '../../../base/buggify/buggify.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { HostId, ImageId, ImageSha256, PortId, ServerId, VolumeId } from '../../../base/ids.ts';
import { gibBytes } from '../../../base/units.ts';
import type { HostReports } from '../../../services/kit/host-reporting.ts';
import { imageTable, portTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { HostStore } from '../../../store/host/host-store.ts';
import { PowerOffNotes } from '../../outage/power-off-notes.ts';
import { ActedOn } from '../../outage/revision-fence.ts';
import type { ServerStep } from '../../plan/server-plan.ts';

/** What the executor works with. */
interface ExecutorDeps {
  readonly hostId: HostId;
  readonly compute: ComputeDriver;
  readonly storage: ReadonlyMap<string, StorageDriver>;
  readonly store: HostStore;
  readonly reports: HostReports;
  /** The image's content as a verified local file, fetched from another host if need be. */
  readonly imageFile: (image: shoal.v1.Image, signal: AbortSignal) => Promise<ImageFile>;
  readonly tapName: (portId: PortId) => string | undefined;
  readonly mtu: (networkId: string) => number;
}

/** Runs the steps of one host. Steps of one server must not overlap. */
export class Executor {
  readonly #deps: ExecutorDeps;
  readonly #powerOffs: PowerOffNotes;
  readonly #actedOn: ActedOn;

  constructor(deps: ExecutorDeps) {
    this.#deps = deps;
    this.#powerOffs = new PowerOffNotes(deps.store);
    this.#actedOn = new ActedOn(deps.store);
  }

  /** Reboots of this generation that were carried out here. */
  rebootsDone(server: shoal.v1.Server): number {
    const note = this.#deps.store.get(rebootKey(server)) as { readonly number: number } | undefined;
    return note?.number ?? 0;
  }

  /** Carries out `step`; `reader` is the replica here, as it goes on. Throws what the drivers threw; the caller decides about retry and fault. */
  async run(step: ServerStep, server: shoal.v1.Server, reader: StateReader, signal: AbortSignal): Promise<void> {
    const { compute, reports } = this.#deps;
    const serverId = server.id as ServerId;
    switch (step.kind) {
      case 'start':
        await this.#start(server, reader, signal);
        await reports.power(
          server,
          'running',
          Math.max(server.rebootsDone, this.rebootsDone(server)),
          restartNotice(step, server),
        );
        return;
      case 'stop':
        await compute.stopGuest(serverId, { graceMs: step.graceMs }, signal);
        failpoint('stop.guest-stopped');
        await this.#closeDisk(server, server.generation, signal);
        await reports.power(server, 'stopped', Math.max(server.rebootsDone, server.rebootsWanted));
        return;
      case 'settle-shutdown':
        // Noted before QEMU goes: should the report fail, nothing else would say that the guest is not to be started.
        await this.#powerOffs.note(server);
        failpoint('settle.noted');
        await compute.stopGuest(serverId, { graceMs: 0 }, signal);
        failpoint('settle.guest-let-go');
        reached('guest-powered-itself-off');
        await this.#closeDisk(server, server.generation, signal);
        await reports.shutdown(server);
        // The records say so now, as of this revision: the note goes, and no older one is believed any more.
        await this.#actedOn.note(reader.revision);
        await this.#powerOffs.drop(server.id);
        return;
      case 'reboot':
        if (step.hard && (await compute.find(serverId, signal))?.power === 'running') {
          await compute.resetGuest(serverId, signal);
        } else {
          await compute.stopGuest(serverId, { graceMs: step.hard ? 0 : softRebootGraceMs }, signal);
          await this.#start(server, reader, signal);
        }
        failpoint('reboot.done-not-noted');
        reached(step.hard ? 'reboot-hard' : 'reboot-soft');
        // Written before it is reported: should the report fail, the guest is not rebooted again.
        await this.#deps.store.write([{ key: rebootKey(server), value: { number: step.number } }]);
        failpoint('reboot.noted-not-reported');
        await reports.power(server, 'running', step.number);
        return;
      case 'pause':
        await compute.pauseGuest(serverId, signal);
        await reports.power(server, 'paused', server.rebootsDone);
        return;
      case 'resume':
        await compute.resumeGuest(serverId, signal);
        await reports.power(server, 'running', server.rebootsDone);
        return;
      case 'report':
        await reports.power(server, step.power, Math.max(server.rebootsDone, this.rebootsDone(server)));
        return;
      case 'destroy':
        await compute.stopGuest(serverId, { graceMs: 0 }, signal);
        await compute.removeGuest(serverId, signal);
        failpoint('destroy.guest-removed');
        if (server.rootVolumeId !== '') {
          await this.#closeDisk(server, server.generation, signal);
          await this.#storage(server).removeDisk(server.rootVolumeId as VolumeId, signal);
        }
        failpoint('destroy.disk-removed');
        await this.#deps.store.write([
          { key: rebootKey(server), value: undefined },
          this.#powerOffs.dropping(server.id),
        ]);
        failpoint('destroy.not-reported');
        await reports.deleted(server);
        return;
      case 'release':
        await compute.stopGuest(serverId, { graceMs: 0 }, signal);
        await compute.removeGuest(serverId, signal);
        await this.#powerOffs.drop(server.id);
        await this.#closeDisk(server, server.generation - 1, signal);
        await reports.released(server);
        return;
    }
  }

  /**
   * Removes storage's own copies of images that this host made and that no record has any more. One that disks still hang
   * on stays, and is tried again at the next call. One that cannot be removed does not keep the others from it: the first
   * such failure is thrown at the end.
   */
  async dropUnusedImages(reader: StateReader, signal: AbortSignal): Promise<void> {
    let failure: unknown;
    for (const [key] of this.#deps.store.entries(storageImagePrefix)) {
      const [storageName = '', name = ''] = key.slice(storageImagePrefix.length).split('/');
      const storage = this.#deps.storage.get(storageName);
      // Copies by an image's id are an earlier version's: no new disk is made of them.
      const isNamed = isImageSha256(name) && imageTable.by(reader, 'sha256', name).length > 0;
      if (storage === undefined || isNamed) continue;
      try {
        await storage.removeImage(name as ImageSha256 | ImageId, signal);
        await this.#deps.store.write([{ key, value: undefined }]);
      } catch (caught) {
        if (!ShoalError.is(caught, 'CONFLICT')) failure ??= caught;
      }
    }
    if (failure !== undefined) throw ShoalError.from(failure, 'DRIVER_FAILED');
  }

  async #start(server: shoal.v1.Server, reader: StateReader, signal: AbortSignal): Promise<void> {
    const { compute } = this.#deps;
    const running = await compute.find(server.id as ServerId, signal);
    if (running?.power === 'running' && running.generation === server.generation) return;
    await this.#powerOffs.drop(server.id);
    const nics = server.portIds.map((id) => this.#nic(id, reader));
    const storage = this.#storage(server);
    const disk = await this.#diskSpec(server, reader, signal);
    const image = imageTable.get(reader, server.imageId)?.record;
    const { imageSha256 } = disk;
    // A disk made earlier has its own copy of what it needs; only a new one needs the image.
    if (imageSha256 !== undefined && image !== undefined && !(await storage.hasImage(imageSha256, signal))) {
      const file = await this.#deps.imageFile(image, signal);
      // Noted before it is made: what is not noted is never removed.
      await this.#deps.store.write([{ key: storageImageKey(server.storage, file.sha256), value: true }]);
      await storage.ensureImage(file, signal);
    }
    await storage.ensureDisk(disk, signal);
    failpoint('start.disk-made');
    const source = await storage.openDisk(disk, this.#deps.hostId, signal);
    failpoint('start.disk-opened');
    const spec: GuestSpec = {
      serverId: server.id as ServerId,
      generation: server.generation,
      name: server.name,
      vcpus: server.flavor?.vcpus ?? 1,
      memoryMib: server.flavor?.memoryMib ?? 128,
      disks: [{ volumeId: disk.volumeId, source, bootIndex: 0 }],
      nics,
    };
    try {
      await compute.startGuest(spec, signal);
      failpoint('start.guest-runs');
    } catch (caught) {
      // The lock goes back, unless QEMU may hold the disk after all.
      const found = await compute.find(spec.serverId, signal);
      if (found === undefined || found.power === 'crashed') {
        reached('start-failed-lock-given-back');
        await this.#closeDisk(server, server.generation, signal);
      }
      throw caught;
    }
  }

  #nic(portId: string, reader: StateReader): NicSpec {
    const port = portTable.must(reader, portId).record;
    const tapName = this.#deps.tapName(portId as PortId);
    if (tapName === undefined) {
      throw new ShoalError('UNAVAILABLE', `port ${portId} is not plugged on this host yet`, { facts: { portId } });
    }
    return { portId: portId as PortId, mac: port.mac, mtu: this.#deps.mtu(port.networkId), tapName };
  }

  /** A flavor without a disk size means the image's own. */
  async #diskSpec(server: shoal.v1.Server, reader: StateReader, signal: AbortSignal): Promise<DiskSpec> {
    const volumeId = server.rootVolumeId as VolumeId;
    const flavorBytes = (server.flavor?.diskGib ?? 0) * gibBytes;
    const image = imageTable.get(reader, server.imageId)?.record;
    const imageBytes = image?.virtualSizeBytes ?? 0;
    // The image may have been deleted since: then the disk that was made of it knows.
    const disk = image === undefined ? await this.#storage(server).findDisk(volumeId, signal) : undefined;
    if (image === undefined && disk === undefined && server.imageId !== '') {
      throw new ShoalError('NOT_FOUND', `image ${server.imageId} was deleted before a disk was made of it`);
    }
    const imageSha256 = image === undefined ? disk?.imageSha256 : (image.sha256 as ImageSha256);
    return {
      volumeId,
      sizeBytes: Math.max(flavorBytes, imageBytes, disk?.sizeBytes ?? 0),
      generation: server.generation,
      ...(imageSha256 === undefined ? {} : { imageSha256 }),
    };
  }

  async #closeDisk(server: shoal.v1.Server, generation: number, signal: AbortSignal): Promise<void> {
    if (server.rootVolumeId === '') return;
    await this.#storage(server).closeDisk(server.rootVolumeId as VolumeId, this.#deps.hostId, generation, signal);
  }

  #storage(server: shoal.v1.Server): StorageDriver {
    const driver = this.#deps.storage.get(server.storage);
    if (driver === undefined) {
      throw new ShoalError('DRIVER_FAILED', `this host has no ${server.storage} storage`, {
        facts: { storage: server.storage },
      });
    }
    return driver;
  }
}

/** What the owner is told of a start that nobody asked for; undefined for one that was. */
function restartNotice(
  step: Extract<ServerStep, { readonly kind: 'start' }>,
  server: shoal.v1.Server,
): string | undefined {
  if (step.reason === 'crashed') {
    return "The guest's QEMU process had ended unexpectedly: it crashed or was killed. Its host started the guest again.";
  }
  // Recorded as running, with nothing asked of it: it was off because its host was.
  const wasUp = server.status === shoal.v1.ServerStatus.SERVER_STATUS_ACTIVE && server.taskState === '';
  return wasUp ? 'The guest was off, as its host had been. Its host started the guest again.' : undefined;
}

/** A guest that does not power off in this time is reset: a reboot is wanted, not a long wait. */
const softRebootGraceMs = 20_000;

const storageImagePrefix = 'storage-image/';

function storageImageKey(storage: string, sha256: string): string {
  return `${storageImagePrefix}${storage}/${sha256}`;
}

function rebootKey(server: shoal.v1.Server): string {
  return `reboot/${server.id}`;
}
