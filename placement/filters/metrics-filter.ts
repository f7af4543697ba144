import type { ColumnsFilter } from './filter.ts';

/** The host reports every metric that the metrics weigher is configured to read. */
export const metricsFilter: ColumnsFilter = {
  name: 'MetricsFilter',
  purpose: 'the host reports every metric that is weighed',
  scope: 'columns',
  onRebuild: false,
  compile(_request, configuration) {
    const names = Object.keys(configuration.metrics.weights);
    if (names.length === 0) return undefined;
    return {
      passes(columns, slot) {
        const metrics = columns.metrics[slot] ?? {};
        return names.every((name) => Object.hasOwn(metrics, name));
      },
      reason: (columns, slot) =>
        `the host does not report ${names.filter((n) => !Object.hasOwn(columns.metrics[slot] ?? {}, n)).join(', ')}`,
    };
  },
};
