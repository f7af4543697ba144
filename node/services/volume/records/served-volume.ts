/**
 * A volume that lies on its host's own storage, and is had by a server of another host: its own host serves it over the network. The
 * record says that it is to be, with a key of its own for each generation; the volume's host says where; the server's host
 * then opens it. It ends in the opposite order: the server's host lets go, then the volume's host ends what serves it, and only
 * then the volume is free.
 */
import { shoal } from '../../../../proto/messages.ts';
import type { HostViews } from '../../kit/dependencies.ts';
import type { SecretName } from '../../kit/sealing.ts';
import { isSharedPool, servesPool } from '../../kit/storage-pools.ts';
import type { Attempt } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';

type Volume = shoal.v1.Volume;

/** Bytes of the key (TLS with a pre-shared key). */
const keyBytes = 32;

/** The key that the two ends of a served volume have in common, as it is sealed. */
export function servedVolumeName(volumeId: string, generation: number): SecretName {
  return { kind: 'served-volume', id: `${volumeId}/${generation}` };
}

/** Whether a server on `hostId` has the volume over the network only. False for a volume without a host. */
export function isElsewhere(
  adverts: ReturnType<HostViews['adverts']>,
  volume: Pick<Volume, 'hostId' | 'pool'>,
  hostId: string,
): boolean {
  if (volume.hostId === '' || volume.hostId === hostId) return false;
  return isSharedPool(adverts, volume.pool, volume.hostId) !== true;
}

/** Why its host cannot serve the volume to another one now, for people; undefined: it can. */
export function whyNotServed(
  hostViews: HostViews,
  { id, hostId, pool }: Pick<Volume, 'id' | 'hostId' | 'pool'>,
): string | undefined {
  const adverts = hostViews.adverts();
  const name = adverts.find((one) => one.hostId === hostId)?.hostName ?? hostId;
  const where = `Volume ${id} is on the own storage of host ${name}, and the server is on another host.`;
  if (hostViews.condition(hostId) === 'dead' || !adverts.some((one) => one.hostId === hostId)) {
    return `${where} Host ${name} does not answer: attach it when the host is back.`;
  }
  if (servesPool(adverts, pool, hostId)) return undefined;
  return `${where} Host ${name} does not serve disks of its pool ${pool} to other hosts: attach it to a server there, or migrate it first.`;
}

/** The volume is to be served at this generation. */
export function toBeServed(
  deps: Pick<VolumeDependencies, 'sealing'>,
  attempt: Attempt,
  volumeId: string,
  generation: number,
): shoal.v1.ServedVolume {
  const { sealed, keyEpoch } = deps.sealing.draw(attempt, servedVolumeName(volumeId, generation), keyBytes);
  return new shoal.v1.ServedVolume({ generation, sealedKey: sealed, keyEpoch });
}

/** The same, as it is when the server's host has let go; null: it was not served. */
export function noLongerServed({ served }: Pick<Volume, 'served'>): shoal.v1.ServedVolume | null {
  return served === null ? null : new shoal.v1.ServedVolume({ ...served, ending: true });
}
