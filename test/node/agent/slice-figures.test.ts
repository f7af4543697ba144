/** What the metrics say of slices. */
import t from 'tap';
import { type ObservedSlices, SliceFigures } from '../../../node/agent/figures/slice-figures.ts';
import { createMetrics } from '../../../node/base/telemetry/metrics.ts';

t.test('a host that holds a slice says how large, how old and how it became current', async (t) => {
  const metrics = createMetrics({ processMetrics: false });
  const figures = new SliceFigures(metrics);
  const look = (slice: ObservedSlices['member']['slice'], subscriberCount = 0, lagRevisionsMax = 0): void =>
    figures.observe({ member: { slice }, feeder: { subscriberCount, lagRevisionsMax } });
  const bare = { revision: 42, get: () => undefined, range: () => [], counter: () => 0 };
  const size = { terms: 5, rows: 7, bytes: 900 };
  const of = async (name: string) => (await metrics.registry.getSingleMetricAsString(name)).split('\n').slice(2);
  look({
    size,
    bare,
    silentMs: Number.POSITIVE_INFINITY,
    subscriptions: { whole: 0, changes: 0, digests: 0, failed: 2 },
  });
  t.same(await of('shoal_slice_silent_seconds'), ['shoal_slice_silent_seconds +Inf'], 'no replica has said anything');
  look({ size, bare, silentMs: 1_500, subscriptions: { whole: 1, changes: 3, digests: 0, failed: 2 } });
  t.same(await of('shoal_slice_rows'), ['shoal_slice_rows 7']);
  t.same(await of('shoal_slice_bytes'), ['shoal_slice_bytes 900']);
  t.same(await of('shoal_slice_terms'), ['shoal_slice_terms 5']);
  t.same(await of('shoal_slice_revision'), ['shoal_slice_revision 42']);
  t.same(await of('shoal_slice_silent_seconds'), ['shoal_slice_silent_seconds 1.5']);
  const counted = [
    'shoal_slice_subscriptions_total{result="whole"} 1',
    'shoal_slice_subscriptions_total{result="changes"} 3',
    'shoal_slice_subscriptions_total{result="digests"} 0',
    'shoal_slice_subscriptions_total{result="failed"} 2',
  ];
  t.same(await of('shoal_slice_subscriptions_total'), counted);
  // A replica for a while, then a slice again, which counts from 0.
  look(undefined, 12, 3);
  t.same(await of('shoal_slice_rows'), ['shoal_slice_rows 0']);
  t.same(await of('shoal_slice_feeds'), ['shoal_slice_feeds 12']);
  t.same(await of('shoal_slice_feed_lag_revisions'), ['shoal_slice_feed_lag_revisions 3']);
  look({ size, bare, silentMs: 0, subscriptions: { whole: 1, changes: 0, digests: 0, failed: 0 } });
  t.same((await of('shoal_slice_subscriptions_total'))[0], 'shoal_slice_subscriptions_total{result="whole"} 2');
});
