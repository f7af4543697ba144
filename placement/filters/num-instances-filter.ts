import type { ColumnsFilter } from './filter.ts';

/** Fewer servers than the limit are on the host. */
export const numInstancesFilter: ColumnsFilter = {
  name: 'NumInstancesFilter',
  purpose: 'the host has not too many servers',
  scope: 'columns',
  onRebuild: false,
  compile(_request, configuration) {
    const limit = configuration.maxInstancesPerHost;
    return {
      passes: (columns, slot) => (columns.numInstances[slot] ?? 0) < limit,
      reason: () => `the host has ${limit} or more servers`,
      detail: (columns, slot) => `the host has ${columns.numInstances[slot]} servers, ${limit} is the limit`,
    };
  },
};
