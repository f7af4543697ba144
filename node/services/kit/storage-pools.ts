/** What hosts' adverts say of storage. */
import { localPool } from '../../../drivers/local/pool-name.ts';
import type { StorageCondition } from '../../../drivers/types.ts';
import type { shoal } from '../../../proto/messages.ts';

/** A pool as a host advertises it. */
interface AdvertisedPool {
  readonly name: string;
  /** Every host that lists it sees the same disks. */
  readonly shared: boolean;
  /** Disks of it are served to servers on other hosts. */
  readonly serves: boolean;
  /** GiB; absent: not told. */
  readonly freeGib?: number;
  readonly totalGib?: number;
  /** Why new disks should go elsewhere; absent: they need not. */
  readonly condition?: StorageCondition;
}

const conditionWords: Readonly<Record<StorageCondition, string>> = {
  nearfull: 'is nearly full: no new disks are placed there until there is room',
  full: 'is full: it takes no writes until there is room',
  'read-only': 'takes no writes until its operator ends that',
};

const knownConditions: readonly StorageCondition[] = ['nearfull', 'full', 'read-only'];

/** A pool that should get no new disks, for people. */
export function poolConditionText(name: string, condition: StorageCondition): string {
  return `storage pool ${name} ${conditionWords[condition]}`;
}

/** A condition as a host tells it; undefined: none, or one of a later version. */
function conditionOf(text: string | null | undefined): StorageCondition | undefined {
  return knownConditions.find((known) => known === text);
}

/** The pools that disks of a host's guests can live in. */
export function advertisedPools(advert: Pick<shoal.v1.Advert, 'pools' | 'storagePools'>): readonly AdvertisedPool[] {
  if (advert.pools.length === 0) {
    // By versions whose only pool of a host's own was this one.
    return advert.storagePools.map((name) => ({ name, shared: name !== localPool, serves: false }));
  }
  return advert.pools.map(({ name, shared, serves, freeGib, totalGib, condition: told }) => {
    const condition = conditionOf(told);
    return {
      name,
      shared,
      serves: serves ?? false,
      ...(freeGib === undefined || freeGib === null ? {} : { freeGib }),
      ...(totalGib === undefined || totalGib === null ? {} : { totalGib }),
      ...(condition === undefined ? {} : { condition }),
    };
  });
}

/** How much a host says that there is in a pool, GiB; what is not told is absent. Of `local`: what its claims leave of its own disk. */
export function roomOf(
  advert: shoal.v1.Advert,
  { name, freeGib, totalGib }: AdvertisedPool,
): { readonly freeGib?: number; readonly totalGib?: number } {
  if (freeGib !== undefined || totalGib !== undefined || name !== localPool) {
    return { ...(freeGib === undefined ? {} : { freeGib }), ...(totalGib === undefined ? {} : { totalGib }) };
  }
  const { diskGib, diskGibReserved, diskRatio, diskGibUsed } = advert;
  const total = Math.max(0, Math.floor((diskGib - diskGibReserved) * diskRatio));
  return { totalGib: total, freeGib: Math.max(0, total - diskGibUsed) };
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

/**
 * Whether disks in a pool take nothing of the host's own disk, which its claims count: those of shared pools, and of folders
 * that an operator has named. Undefined: not known.
 */
export function isApart(name: string, isShared: boolean | undefined): boolean | undefined {
  return isShared === false && name !== localPool ? true : isShared;
}

/** Whether the host serves disks of its pool `name` to servers on other hosts, by its own word. */
export function servesPool(adverts: readonly shoal.v1.Advert[], name: string, hostId: string): boolean {
  const advert = adverts.find((one) => one.hostId === hostId);
  return advert !== undefined && advertisedPools(advert).some((pool) => pool.name === name && pool.serves);
}
