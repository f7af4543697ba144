/** What hosts' adverts say of storage. */
import type { shoal } from '../../../proto/messages.ts';

/** A pool as a host advertises it. */
interface AdvertisedPool {
  readonly name: string;
  /** Every host that lists it sees the same disks. */
  readonly shared: boolean;
  /** GiB; absent: not told. */
  readonly freeGib?: number;
}

/** The name of the one pool that is a host's own, in adverts of versions that told names alone. */
const ownPoolOfOldAdverts = 'local';

/** The pools that disks of a host's guests can live in. */
export function advertisedPools(advert: Pick<shoal.v1.Advert, 'pools' | 'storagePools'>): readonly AdvertisedPool[] {
  if (advert.pools.length === 0) {
    return advert.storagePools.map((name) => ({ name, shared: name !== ownPoolOfOldAdverts }));
  }
  return advert.pools.map(({ name, shared, freeGib }) => ({
    name,
    shared,
    ...(freeGib === undefined || freeGib === null ? {} : { freeGib }),
  }));
}

/**
 * Whether disks in the pool `name` can be opened from other hosts, by the word of the host `hostId` or else of any that
 * lists it; undefined: none does.
 */
export function isSharedPool(adverts: readonly shoal.v1.Advert[], name: string, hostId: string): boolean | undefined {
  const own = adverts.filter((advert) => advert.hostId === hostId);
  for (const advert of [...own, ...adverts]) {
    const pool = advertisedPools(advert).find((one) => one.name === name);
    if (pool !== undefined) return pool.shared;
  }
  return undefined;
}
