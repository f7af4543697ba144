import type { shoal } from '../../../../proto/messages.ts';
import { ShoalError } from '../../../base/errors.ts';
import type { Prng } from '../../../base/prng.ts';
import { hostTable } from '../../../state/tables/index.ts';
import type { StateReader } from '../../../state/types.ts';
import type { VolumeDependencies } from '../kit/dependencies.ts';

/**
 * The host that reads or removes a backup: the one that wrote it while it is up, since it reaches the store, else any member that
 * is. Throws `UNAVAILABLE` when no host is known to be up.
 */
export function hostForBackup(
  { hostViews }: Pick<VolumeDependencies, 'hostViews'>,
  reader: StateReader,
  { hostId }: shoal.v1.VolumeBackup,
  random: Prng,
): string {
  const ids = hostViews
    .adverts()
    .map((advert) => advert.hostId)
    .filter((id) => hostTable.exists(reader, id) && hostViews.condition(id) !== 'dead');
  if (ids.includes(hostId)) return hostId;
  const id = ids[random.below(Math.max(1, ids.length))];
  if (id === undefined) throw new ShoalError('UNAVAILABLE', 'No host is known that could do it; try again.');
  return id;
}
