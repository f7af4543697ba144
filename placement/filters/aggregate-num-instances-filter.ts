import { aggregateLimit } from '../columns/aggregate-limit.ts';
import type { ColumnsFilter } from './filter.ts';

/** As `NumInstancesFilter`; an aggregate's `max_instances_per_host` wins over the configured limit. */
export const aggregateNumInstancesFilter: ColumnsFilter = {
  name: 'AggregateNumInstancesFilter',
  purpose: 'the host has not too many servers, by the limit of its aggregates',
  scope: 'columns',
  onRebuild: false,
  compile(_request, configuration) {
    const limitOf = aggregateLimit('max_instances_per_host', configuration.maxInstancesPerHost);
    return {
      passes: (columns, slot) => (columns.numInstances[slot] ?? 0) < limitOf(columns.profileOf[slot]),
      reason: (columns, slot) => `the host has ${limitOf(columns.profileOf[slot])} or more servers`,
    };
  },
};
