/** An empty volume gets a host when its bytes are needed. */
import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import { putOnHost } from '../../kit/put-on-host.ts';
import type { Attempt } from '../../kit/transact.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';
import { chooseHost, findPool } from '../kit/pools.ts';
import { isUnbound, nextVolumeRequest } from './volume-record.ts';

/** Fields that bind a volume. */
interface Binding {
  readonly hostId?: string;
  readonly askedRevision?: number;
}

/**
 * What the volume's record gets so that some host makes its bytes; nothing for one that has a host.
 * @param wantedHostId the host that needs them; absent: one with room is chosen.
 * Throws `NO_VALID_HOST` when there is none.
 */
export function bindVolume(
  deps: VolumeDependencies,
  { reader, change, random }: Attempt,
  volume: shoal.v1.Volume,
  wantedHostId?: string,
): Binding {
  if (!isUnbound(volume)) return {};
  const pool = findPool(reader, deps.hostViews, volume.pool);
  const needs = { sizeGib: volume.sizeGib, zone: volume.zone, hostId: wantedHostId };
  const hostId = pool === undefined ? undefined : chooseHost(reader, pool, needs, random);
  if (hostId === undefined) {
    throw new ShoalError(
      'NO_VALID_HOST',
      `No host that reaches the storage pool ${volume.pool} has room for the ${volume.sizeGib} GiB of volume ${volume.id} now.`,
      { facts: { pool: volume.pool, volumeId: volume.id } },
    );
  }
  putOnHost(change, hostId);
  return { hostId, ...nextVolumeRequest(volume) };
}
