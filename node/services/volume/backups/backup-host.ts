import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Prng } from '../../../base/prng.ts';
import { hostTable, volumeTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';

/**
 * The host that reads a backup: the one that wrote it while it is up, since it reaches the store, else any member that is. Throws
 * `UNAVAILABLE` when no host is known to be up.
 */
export function hostForBackup(
  deps: Pick<VolumeDependencies, 'hostViews'>,
  reader: StateReader,
  { hostId }: shoal.v1.VolumeBackup,
  random: Prng,
): string {
  return firstUp(deps, reader, [hostId], random);
}

/** The host that removes a backup: that of its volume while it is up, as it keeps a snapshot for the backup, else as above. */
export function hostForRemoval(
  deps: Pick<VolumeDependencies, 'hostViews'>,
  reader: StateReader,
  { hostId, volumeId }: shoal.v1.VolumeBackup,
  random: Prng,
): string {
  const volume = volumeTable.find(reader, volumeId)?.record;
  return firstUp(deps, reader, volume === undefined ? [hostId] : [volume.hostId, hostId], random);
}

function firstUp(
  { hostViews }: Pick<VolumeDependencies, 'hostViews'>,
  reader: StateReader,
  wanted: readonly string[],
  random: Prng,
): string {
  const ids = hostViews
    .adverts()
    .map((advert) => advert.hostId)
    .filter((id) => hostTable.exists(reader, id) && hostViews.condition(id) !== 'dead');
  const known = wanted.find((id) => ids.includes(id));
  if (known !== undefined) return known;
  const id = ids[random.below(Math.max(1, ids.length))];
  if (id === undefined) throw new ShoalError('UNAVAILABLE', 'No host is known that could do it; try again.');
  return id;
}
