import type { ColumnsFilter } from './filter.ts';

/** Enough vCPUs are free under the allocation ratio; no guest gets more than the machine has in truth. */
export const coreFilter: ColumnsFilter = {
  name: 'CoreFilter',
  purpose: 'enough vCPUs are free',
  scope: 'columns',
  onRebuild: false,
  compile(request) {
    const { vcpus } = request.needs;
    if (vcpus <= 0) return undefined;
    return {
      bounds: [{ column: 'vcpusRoom', least: vcpus }],
      passes: (columns, slot) => vcpus <= (columns.vcpusRoom[slot] ?? 0),
      reason: () => `fewer than ${vcpus} vCPUs are free`,
      detail: (columns, slot) =>
        `${vcpus} vCPUs are needed, ${columns.vcpusFree[slot]} of ${columns.vcpusCapacity[slot]} are free (${columns.vcpusTotal[slot]} in hardware)`,
    };
  },
};
