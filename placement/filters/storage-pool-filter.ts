import type { StoragePool } from '../model/advert.ts';
import type { ColumnsFilter } from './filter.ts';

/** The host reaches every storage pool that the guest's disks live in, there is room, and the pool takes new disks. */
export const storagePoolFilter: ColumnsFilter = {
  name: 'StoragePoolFilter',
  purpose: "the host reaches the storage pools of the guest's disks",
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const wanted = request.storagePools;
    if (wanted.length === 0) return undefined;
    return {
      passes(columns, slot) {
        const pools = columns.storagePools[slot] ?? [];
        return wanted.every((want) => pools.some((pool) => isFit(pool, want)));
      },
      reason(columns, slot) {
        const pools = columns.storagePools[slot] ?? [];
        const missing = wanted.find((want) => !pools.some((pool) => pool.name === want.name));
        if (missing !== undefined) return `the host does not reach storage pool ${missing.name}`;
        const troubled = pools.find(
          (pool) => pool.condition !== undefined && wanted.some((want) => want.name === pool.name && isNew(want)),
        );
        if (troubled !== undefined)
          return `storage pool ${troubled.name} takes no new disks: it is ${troubled.condition}`;
        const full = wanted.find((want) => !pools.some((p) => p.name === want.name && p.freeGib >= want.gib));
        return `storage pool ${full?.name} has less than ${full?.gib} GiB free`;
      },
    };
  },
};

/** A pool, and how much is to be made in it. */
interface Wanted {
  readonly name: string;
  readonly gib: number;
}

function isFit(pool: StoragePool, want: Wanted): boolean {
  const isOpen = pool.condition === undefined || !isNew(want);
  return pool.name === want.name && pool.freeGib >= want.gib && isOpen;
}

/** Whether something is made there: volumes that lie in the pool already take nothing more. */
function isNew({ gib }: Wanted): boolean {
  return gib > 0;
}
