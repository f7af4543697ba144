import type { ColumnsFilter } from './filter.ts';

/** The host reaches every storage pool that the guest's disks live in, and there is room. */
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
        return wanted.every((want) => pools.some((pool) => pool.name === want.name && pool.freeGib >= want.gib));
      },
      reason(columns, slot) {
        const pools = columns.storagePools[slot] ?? [];
        const missing = wanted.find((want) => !pools.some((pool) => pool.name === want.name));
        if (missing !== undefined) return `the host does not reach storage pool ${missing.name}`;
        const full = wanted.find((want) => !pools.some((p) => p.name === want.name && p.freeGib >= want.gib));
        return `storage pool ${full?.name} has less than ${full?.gib} GiB free`;
      },
    };
  },
};
