/** A volume is plugged in: what its record and the server's disks get, for the one transaction that writes both. */
import { shoal } from '../../../../proto/messages.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import { advertisedPools, isSharedPool } from '../../kit/storage-pools.ts';
import type { Attempt } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { conflict, invalidVolume } from '../kit/refusals.ts';
import { newAttachment, volumeKind } from './server-disks.ts';
import { bindVolume } from './volume-binding.ts';
import { nextVolumeRequest } from './volume-record.ts';

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
  mustReach(deps, volume, hostId);
  // One whose making failed is asked for again.
  const isIdle = volume.observedRevision >= volume.askedRevision;
  const again = volume.hostId !== '' && volume.madeGib === 0 && isIdle ? nextVolumeRequest(volume) : {};
  const others = volume.attachments.length;
  const binding: { hostId?: string; askedRevision?: number } = {
    ...again,
    ...bindVolume(deps, attempt, volume, hostId),
  };
  if (binding.hostId === undefined && others === 0 && volume.madeGib > 0 && volume.hostId !== hostId) {
    // In a shared pool: what has it open is what extends it and keeps snapshots of it.
    putOnHost(attempt.change, hostId);
    binding.hostId = hostId;
  }
  // Those who have it open together share its lock: one number for all of them.
  const generation = others > 0 ? volume.generation : volume.generation + 1;
  const { readOnly, multiattach, pool, sizeGib } = volume;
  const attachment = newAttachment({ id: attachmentId, serverId, hostId, device, readOnly });
  const attachments = [...volume.attachments, attachment];
  return {
    fields: { ...binding, attachments, generation, status: others > 0 ? 'in-use' : 'attaching' },
    disk: new shoal.v1.ServerDisk({
      volumeId: volume.id,
      pool,
      device,
      kind: volumeKind,
      bus: busOf(volume),
      sizeGib,
      attachmentId,
      generation,
      readOnly,
      multiattach,
    }),
  };
}

/** As the image says that the content came from. */
function busOf({ imageMetadata }: Volume): string {
  return imageMetadata['hw_disk_bus'] === 'scsi' ? 'scsi' : 'virtio';
}

/** Refuses a volume that somebody has, or is about to have. @param serverId who asks; empty: nobody's server. */
export function mustBeFree(volume: Volume, serverId: string): void {
  const isSame = serverId !== '' && volume.attachments.some((one) => one.serverId === serverId);
  const isShared = volume.multiattach && volume.status === 'in-use' && !isSame;
  if (volume.status === 'available' || isShared) return;
  throw invalidVolume(
    `Volume ${volume.id} status must be available or downloading to reserve, but the current status is ${volume.status}.`,
  );
}

/** Refuses a volume on another host's own storage. */
function mustReach({ hostViews }: VolumeDependencies, volume: Volume, hostId: string): void {
  const adverts = hostViews.adverts();
  const advert = adverts.find((one) => one.hostId === hostId);
  const isReached = advert === undefined || advertisedPools(advert).some(({ name }) => name === volume.pool);
  if (!isReached) {
    throw conflict(`The server's host does not reach the storage pool ${volume.pool} of volume ${volume.id}.`);
  }
  if (volume.hostId === '' || volume.hostId === hostId) return;
  if (isSharedPool(adverts, volume.pool, volume.hostId) === true) return;
  const host = adverts.find((one) => one.hostId === volume.hostId)?.hostName ?? volume.hostId;
  throw conflict(
    `Volume ${volume.id} is on the own storage of host ${host}, and the server is on another host: attach it to a server ` +
      'there, or migrate the volume first.',
  );
}
