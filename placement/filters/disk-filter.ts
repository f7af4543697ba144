import type { ColumnsFilter } from './filter.ts';

/** Enough local disk is free under the allocation ratio; no guest gets more than the pool has in truth. */
export const diskFilter: ColumnsFilter = {
  name: 'DiskFilter',
  purpose: 'enough local disk is free',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { diskGib } = request.needs;
    if (diskGib <= 0) return undefined;
    return {
      bounds: [{ column: 'diskRoomGib', least: diskGib }],
      passes: (columns, slot) => diskGib <= (columns.diskRoomGib[slot] ?? 0),
      reason: () => `less than ${diskGib} GiB of local disk is free`,
      detail: (columns, slot) =>
        `${diskGib} GiB of disk are needed, ${columns.diskFreeGib[slot]} of ${columns.diskCapacityGib[slot]} are free (${columns.diskTotalGib[slot]} in hardware)`,
    };
  },
};
