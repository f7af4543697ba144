import type { ColumnsFilter } from './filter.ts';

/** Enough memory is free under the allocation ratio; no guest gets more than the machine has in truth. */
export const ramFilter: ColumnsFilter = {
  name: 'RamFilter',
  purpose: 'enough memory is free',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { memoryMib } = request.needs;
    if (memoryMib <= 0) return undefined;
    return {
      bounds: [{ column: 'memoryRoomMib', least: memoryMib }],
      passes: (columns, slot) => memoryMib <= (columns.memoryRoomMib[slot] ?? 0),
      reason: () => `less than ${memoryMib} MiB of memory is free`,
      detail: (columns, slot) =>
        `${memoryMib} MiB of memory are needed, ${columns.memoryFreeMib[slot]} of ${columns.memoryCapacityMib[slot]} are free (${columns.memoryTotalMib[slot]} in hardware)`,
    };
  },
};
