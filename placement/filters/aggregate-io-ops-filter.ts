import { aggregateLimit } from '../columns/aggregate-limit.ts';
import type { ColumnsFilter } from './filter.ts';

/** As `IoOpsFilter`; an aggregate's `max_io_ops_per_host` wins over the configured limit. */
export const aggregateIoOpsFilter: ColumnsFilter = {
  name: 'AggregateIoOpsFilter',
  purpose: 'the host is not busy building or moving many guests, by the limit of its aggregates',
  scope: 'columns',
  onRebuild: false,
  compile(_request, configuration) {
    const limitOf = aggregateLimit('max_io_ops_per_host', configuration.maxIoOpsPerHost);
    return {
      passes: (columns, slot) => (columns.ioOps[slot] ?? 0) < limitOf(columns.profileOf[slot]),
      reason: (columns, slot) =>
        `the host has ${limitOf(columns.profileOf[slot])} or more I/O-heavy operations in progress`,
    };
  },
};
