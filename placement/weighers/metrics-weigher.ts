import { ownValue } from '../../node/base/own-value.ts';
import { type HostWeigher, squash } from './weigher.ts';

/** The configured sum of factor times metric, squashed into (-1, 1). A host that lacks one of the metrics gets -1. */
export const metricsWeigher: HostWeigher = {
  name: 'MetricsWeigher',
  purpose: 'a higher weighted sum of the configured metrics',
  scope: 'host',
  multiplierKey: 'metrics_weight_multiplier',
  multipliers: { spread: 1, pack: 1 },
  compile(configuration) {
    const factors = Object.entries(configuration.metrics.weights);
    if (factors.length === 0) return undefined;
    return (columns, slot) => {
      const metrics = columns.metrics[slot] ?? {};
      let sum = 0;
      for (const [name, factor] of factors) {
        const value = ownValue(metrics, name);
        if (value === undefined) return -1;
        sum += factor * value;
      }
      return squash(sum);
    };
  },
};
