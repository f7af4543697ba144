/** Storage pools as operators see them: adverts say who reaches each, the records what is in it. */
import { shoal } from '../../../proto/messages.ts';
import { hostTable, serverTable, volumeTable } from '../../state/tables/index.ts';
import type { StateReader } from '../../state/types.ts';
import type { HostViews } from '../kit/dependencies.ts';
import { advertisedPools, roomOf } from '../kit/storage-pools.ts';
import { bootsFromVolume } from '../volume/records/server-disks.ts';

/** Every pool that a member advertises or that a record names, by name. */
export function storagePools(reader: StateReader, views: HostViews): readonly shoal.v1.StoragePoolView[] {
  const pools = new Map<string, shoal.v1.StoragePoolView>();
  const poolOf = (name: string): shoal.v1.StoragePoolView => {
    const known = pools.get(name) ?? new shoal.v1.StoragePoolView({ name });
    pools.set(name, known);
    return known;
  };
  for (const advert of views.adverts()) {
    const host = hostTable.find(reader, advert.hostId)?.record;
    if (host === undefined) continue;
    const condition = views.condition(host.id);
    for (const pool of advertisedPools(advert)) {
      const view = poolOf(pool.name);
      view.shared ||= pool.shared;
      view.hosts.push(
        new shoal.v1.StoragePoolAtHost({
          hostId: host.id,
          hostName: host.name,
          condition,
          ...roomOf(advert, pool),
          poolCondition: pool.condition ?? '',
        }),
      );
    }
  }
  for (const { record } of volumeTable.list(reader)) {
    const view = poolOf(record.pool);
    view.volumes += 1;
    view.volumesGib += record.sizeGib;
  }
  for (const { record } of serverTable.list(reader)) {
    if (record.storage !== '' && !bootsFromVolume(record)) poolOf(record.storage).servers += 1;
  }
  for (const { hosts } of pools.values()) hosts.sort((a, b) => (a.hostName < b.hostName ? -1 : 1));
  return [...pools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
