/**
 * A server's disks and the volumes among them, as rows that change together: each disk that is a volume has an attachment in
 * the volume's record, and the two are written in one transaction.
 */
import { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Row } from '../../../state/table.ts';
import { serverTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { Attempt, Change } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { isElsewhere, noLongerServed, toBeServed } from './served-volume.ts';
import { bindVolume } from './volume-binding.ts';
import { checkDeletable, deleteVolume, restingStatus, waitsForContent, writeVolume } from './volume-record.ts';

type Server = shoal.v1.Server;

/** Disks of one server, its own included: what the guest's bus has room for (drivers/qemu). */
export const disksMax = 16;

/** The kind of a disk that is a volume. */
export const volumeKind = 'volume';

/** Nova's task of a server whose volumes are being made: its host builds nothing yet. */
export const waitsForVolumes = 'block_device_mapping';

/** The volumes among a server's disks. */
export function volumeDisks({ disks }: Pick<Server, 'disks'>): readonly shoal.v1.IServerDisk[] {
  return disks.filter(({ kind }) => kind === volumeKind);
}

/** Whether a server boots from a volume, so that no root disk of its own is made. */
export function bootsFromVolume({ disks }: Pick<Server, 'disks'>): boolean {
  return disks.some(({ kind, bootIndex }) => kind === volumeKind && bootIndex === 0);
}

/** A server's disk by its volume; undefined: it has none. */
export function diskOf({ disks }: Pick<Server, 'disks'>, volumeId: string): shoal.v1.IServerDisk | undefined {
  return disks.find((disk) => disk.kind === volumeKind && disk.volumeId === volumeId);
}

/** Writes a server's disks. */
export function writeDisks(change: Change, row: Row<Server>, disks: shoal.v1.IServerDisk[], nowMs: number): Server {
  const rootVolumeId = rootAmong(row.record, disks);
  const next = new shoal.v1.Server({ ...row.record, disks, rootVolumeId, updatedMs: nowMs });
  serverTable.update(change, row, next);
  return next;
}

/**
 * The root disk once these are the disks. One that the list names is what the list says: a volume that was swapped for another
 * would else be taken for the disk of the server's image, and removed with the server.
 */
function rootAmong(server: Server, disks: readonly shoal.v1.IServerDisk[]): string {
  if (hasImplicitRoot(server) || disks.some(({ volumeId }) => volumeId === server.rootVolumeId))
    return server.rootVolumeId;
  return disks.find(({ kind, bootIndex }) => kind === volumeKind && bootIndex === 0)?.volumeId ?? '';
}

/** The first name after those in use: "vdb" after the root's "vda". */
export function nextDeviceName(disks: readonly shoal.v1.IServerDisk[], hasImplicitRoot: boolean): string {
  const used = new Set(disks.map(({ device }) => (device ?? '').replace(/^\/dev\//, '')));
  if (hasImplicitRoot) used.add('vda');
  for (let at = 0; at < 26; at++) {
    const name = `vd${String.fromCharCode(97 + at)}`;
    if (!used.has(name)) return name;
  }
  throw new ShoalError('CONFLICT', 'The server has no name left for another disk.');
}

/** Whether the server has a root disk that its list of disks does not name: servers of an image have. */
export function hasImplicitRoot({ rootVolumeId, disks }: Pick<Server, 'rootVolumeId' | 'disks'>): boolean {
  return rootVolumeId !== '' && !disks.some(({ volumeId }) => volumeId === rootVolumeId);
}

/** An attachment as the volume's record has it from the start. */
export function newAttachment(fields: {
  readonly id: string;
  readonly serverId: string;
  readonly hostId: string;
  readonly device: string;
  readonly readOnly: boolean;
}): shoal.v1.VolumeAttachment {
  const { device, ...rest } = fields;
  return new shoal.v1.VolumeAttachment({ ...rest, status: 'attaching', device: `/dev/${device}` });
}

/** The volume's fields without the attachments of a server, whose host has let go of it. */
export function withoutServer(volume: shoal.v1.Volume, serverId: string): Partial<shoal.v1.Volume.$Properties> {
  const attachments = volume.attachments.filter((one) => one.serverId !== serverId);
  const served = attachments.length === 0 ? noLongerServed(volume) : null;
  // One that could not be made is of no use to the next, either.
  const isUseless = volume.status === 'error' && waitsForContent(volume);
  if (served === null) return { attachments, status: isUseless ? volume.status : restingStatus(attachments) };
  // Free when its host has ended what serves it: nobody else opens it before.
  return { attachments, served, status: 'detaching' };
}

/**
 * A server goes: its volumes become free, and those that are to go with it are asked to. For the transaction that removes the
 * server's row, so that no volume is ever attached to a server that is not there.
 */
export function releaseVolumes(change: Change, reader: StateReader, server: Server, nowMs: number): void {
  for (const disk of volumeDisks(server)) {
    const row = volumeTable.get(reader, disk.volumeId ?? '');
    if (row === undefined) continue;
    const freed = withoutServer(row.record, server.id);
    const left = new shoal.v1.Volume({ ...row.record, ...freed });
    const goes = disk.deleteOnTermination === true && isDeletable(reader, left);
    if (goes) deleteVolume({ reader, change }, row, { cascade: false, nowMs, fields: freed });
    else writeVolume(change, row, freed, nowMs);
  }
}

/** What cannot be deleted (it has snapshots, or is attached elsewhere) stays, as with Nova and Cinder. */
function isDeletable(reader: StateReader, volume: shoal.v1.Volume): boolean {
  try {
    checkDeletable(reader, volume, { force: true, cascade: false });
    return true;
  } catch (caught) {
    if (ShoalError.is(caught, 'INVALID_ARGUMENT')) return false;
    throw caught;
  }
}

/** Whether an attachment is of this server, and of no host. */
function isNotedFor(serverId: string): (attachment: shoal.v1.IVolumeAttachment) => boolean {
  return (one) => one.serverId === serverId && (one.hostId ?? '') === '';
}

/**
 * A server gets another host: the storage locks of its volumes carry a higher number from now on, so that the old one is known as
 * such. What lies on one host's own storage stays there, and is served to the server's host if that is another one.
 */
export function moveVolumes(
  deps: VolumeDependencies,
  attempt: Attempt,
  server: Server,
  hostId: string,
): shoal.v1.IServerDisk[] {
  const { reader, change } = attempt;
  const adverts = deps.hostViews.adverts();
  return server.disks.map((disk) => {
    const row = disk.kind === volumeKind ? volumeTable.get(reader, disk.volumeId ?? '') : undefined;
    if (row === undefined) return disk;
    const generation = row.record.generation + 1;
    // Noted while the server had no host: this one plugs it in.
    const isNoted = disk.attached !== true && row.record.attachments.some(isNotedFor(server.id));
    const attachments = row.record.attachments.map((one) => {
      if (one.serverId !== server.id) return one;
      return new shoal.v1.VolumeAttachment({ ...one, hostId, ...(isNoted ? { status: 'attaching' } : {}) });
    });
    const isServed = isElsewhere(adverts, row.record, hostId);
    const served = isServed ? toBeServed(deps, attempt, row.record.id, generation) : noLongerServed(row.record);
    // In a shared pool: what has it open is what extends it and keeps snapshots of it.
    const follows = !isServed && attachments.length === 1 && row.record.madeGib > 0;
    const fields = {
      ...{ attachments, generation, served },
      ...(follows ? { hostId } : {}),
      ...(isNoted ? { status: restingStatus(attachments), ...bindVolume(deps, attempt, row.record, hostId) } : {}),
    };
    writeVolume(change, row, fields, deps.clock.nowMs());
    return new shoal.v1.ServerDisk({ ...disk, generation });
  });
}
