/** A volume is plugged in: what its record and the server's disks get, for the one transaction that writes both. */
import { shoal } from '../../../../proto/messages.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { advertisedPools } from '../../kit/storage-pools.ts';
import type { Attempt } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { conflict, invalidVolume } from '../kit/refusals.ts';
import { isElsewhere, toBeServed, whyNotServed } from './served-volume.ts';
import { newAttachment, volumeKind } from './server-disks.ts';
import { bindVolume } from './volume-binding.ts';
import { checkNotMigrating, nextVolumeRequest } from './volume-record.ts';

type Volume = shoal.v1.Volume;

/** Where a volume is plugged in. */
interface PlugPlace {
  readonly serverId: string;
  readonly hostId: string;
  readonly attachmentId: string;
  readonly device: string;
}

/** The volume's fields and the server's disk, for the one transaction that writes both. The caller has checked the volume's state. */
export function planPlug(
  deps: VolumeDependencies,
  attempt: Attempt,
  volume: Volume,
  place: PlugPlace,
): { readonly fields: Partial<shoal.v1.Volume.$Properties>; readonly disk: shoal.v1.ServerDisk } {
  const { serverId, hostId, attachmentId, device } = place;
  const isServed = isServedTo(deps, volume, hostId);
  // One whose making failed is asked for again.
  const isIdle = volume.observedRevision >= volume.askedRevision;
  const again = volume.hostId !== '' && volume.madeGib === 0 && isIdle ? nextVolumeRequest(volume) : {};
  const others = volume.attachments.length;
  const binding: { hostId?: string; askedRevision?: number } = {
    ...again,
    ...bindVolume(deps, attempt, volume, hostId),
  };
  if (!isServed && binding.hostId === undefined && others === 0 && volume.madeGib > 0 && volume.hostId !== hostId) {
    // In a shared pool: what has it open is what extends it and keeps snapshots of it.
    putOnHost(attempt.change, hostId);
    binding.hostId = hostId;
  }
  // Those who have it open together share its lock: one number for all of them.
  const generation = others > 0 ? volume.generation : volume.generation + 1;
  const attachment = newAttachment({ id: attachmentId, serverId, hostId, device, readOnly: volume.readOnly });
  const attachments = [...volume.attachments, attachment];
  return {
    fields: {
      ...binding,
      attachments,
      generation,
      status: others > 0 ? 'in-use' : 'attaching',
      ...(isServed ? { served: toBeServed(deps, attempt, volume.id, generation) } : {}),
    },
    disk: diskOfPlug(volume, { attachmentId, device, generation }),
  };
}

/**
 * The same for a server that has no host, for it is shelved: the volume is its own from now on, and is plugged in by the host that
 * it is unshelved on.
 */
export function planReservation(
  volume: Volume,
  { serverId, attachmentId, device }: Omit<PlugPlace, 'hostId'>,
  nowMs: number,
): { readonly fields: Partial<shoal.v1.Volume.$Properties>; readonly disk: shoal.v1.ServerDisk } {
  const attachment = newAttachment({ id: attachmentId, serverId, hostId: '', device, readOnly: volume.readOnly });
  // As Nova does it: the volume is in use at once, though nobody has it open.
  const noted = new shoal.v1.VolumeAttachment({ ...attachment, status: 'attached', attachedMs: nowMs });
  return {
    fields: { attachments: [...volume.attachments, noted], status: 'in-use' },
    disk: diskOfPlug(volume, { attachmentId, device, generation: volume.generation }),
  };
}

function diskOfPlug(
  volume: Volume,
  plugged: { readonly attachmentId: string; readonly device: string; readonly generation: number },
): shoal.v1.ServerDisk {
  const { readOnly, multiattach, pool, sizeGib } = volume;
  const own = { pool, sizeGib, readOnly, multiattach, kind: volumeKind, bus: busOf(volume) };
  return new shoal.v1.ServerDisk({ volumeId: volume.id, ...own, ...plugged });
}

/** As the image says that the content came from. */
function busOf({ imageMetadata }: Volume): string {
  return imageMetadata['hw_disk_bus'] === 'scsi' ? 'scsi' : 'virtio';
}

/** Refuses a volume that somebody has, or is about to have. @param serverId who asks; empty: nobody's server. */
export function mustBeFree(volume: Volume, serverId: string): void {
  const isSame = serverId !== '' && volume.attachments.some((one) => one.serverId === serverId);
  const isShared = volume.multiattach && volume.status === 'in-use' && !isSame;
  checkNotMigrating(volume, 'attach');
  if (volume.status === 'available' || isShared) return;
  throw invalidVolume(
    `Volume ${volume.id} status must be available or downloading to reserve, but the current status is ${volume.status}.`,
  );
}

/**
 * Whether the server's host has the volume over the network only. Refuses a volume that it has in no way: `CONFLICT`, which says what
 * to do.
 */
export function isServedTo({ hostViews }: VolumeDependencies, volume: Volume, hostId: string): boolean {
  const adverts = hostViews.adverts();
  if (isElsewhere(adverts, volume, hostId)) {
    const why = whyNotServed(hostViews, volume);
    if (why !== undefined) throw conflict(why);
    return true;
  }
  const advert = adverts.find((one) => one.hostId === hostId);
  const isReached = advert === undefined || advertisedPools(advert).some(({ name }) => name === volume.pool);
  if (isReached) return false;
  throw conflict(`The server's host does not reach the storage pool ${volume.pool} of volume ${volume.id}.`);
}
