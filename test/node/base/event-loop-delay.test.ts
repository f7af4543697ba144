/** How late the event loop is, as a Prometheus histogram: what is sampled is told once, and stalls in their bucket. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { delayCounts } from '../../../node/base/telemetry/event-loop-delay.ts';
import { createMetrics } from '../../../node/base/telemetry/metrics.ts';

t.test('a stall is counted above 50 ms, once, for all readers', async (t) => {
  const { registry } = createMetrics({ processMetrics: true });
  const read = async (): Promise<{ readonly upTo50: number; readonly all: number }> => {
    const text = await registry.metrics();
    const of = (bound: string): number =>
      Number(new RegExp(`shoal_event_loop_delay_seconds_bucket\\{le="${bound}"\\} (\\d+)`).exec(text)?.[1]);
    return { upTo50: of('0\\.05'), all: of('\\+Inf') };
  };
  await delay(100);
  const before = await read();
  t.ok(before.all > 0, 'it is sampled');
  const untilMs = performance.now() + 200;
  while (performance.now() < untilMs);
  await delay(60);
  const after = await read();
  t.ok(after.all - after.upTo50 > before.all - before.upTo50, 'the stall is among those above 50 ms');
  const again = await read();
  t.equal(again.all - again.upTo50, after.all - after.upTo50, 'another reader finds what the first has found');
});

t.test('the gauges that forget what they have told are not exported', async (t) => {
  const text = await createMetrics({ processMetrics: true }).registry.metrics();
  t.notMatch(text, /nodejs_eventloop_lag/);
  t.match(text, /process_resident_memory_bytes/, 'the rest of the process is');
});

t.test('samples are counted between the bounds, none is lost', (t) => {
  const milliseconds = [20, 20, 21, 24, 30, 69, 71, 320];
  const monitor = {
    count: milliseconds.length,
    percentile: (percent: number) => (milliseconds[Math.round((percent / 100) * milliseconds.length) - 1] ?? 0) * 1e6,
  };
  t.same(delayCounts(monitor, [0.005, 0.05, 0.1, Number.POSITIVE_INFINITY]), [4, 2, 1, 1]);
  t.same(delayCounts({ ...monitor, count: 0 }, [0.05, Number.POSITIVE_INFINITY]), [0, 0], 'nothing sampled');
  t.end();
});
