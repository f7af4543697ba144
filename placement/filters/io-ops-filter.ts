import type { ColumnsFilter } from './filter.ts';

/** Fewer I/O-heavy operations than the limit run on the host. */
export const ioOpsFilter: ColumnsFilter = {
  name: 'IoOpsFilter',
  purpose: 'the host is not busy building or moving many guests',
  scope: 'columns',
  onRebuild: false,
  compile(_request, configuration) {
    const limit = configuration.maxIoOpsPerHost;
    return {
      passes: (columns, slot) => (columns.ioOps[slot] ?? 0) < limit,
      reason: () => `the host has ${limit} or more I/O-heavy operations in progress`,
      detail: (columns, slot) =>
        `the host has ${columns.ioOps[slot]} I/O-heavy operations in progress, ${limit} is the limit`,
    };
  },
};
