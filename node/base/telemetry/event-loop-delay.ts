/**
 * How late the event loop is: what waits while something else has the one thread. Node's own monitor samples it without
 * running any JavaScript; here its samples become a Prometheus histogram when somebody asks.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Histogram, type Registry } from 'prom-client';

/** From one sample to the next. A delay is known to within it: shorter ones mostly fall between two samples. Unit: ms. */
const sampleMs = 20;
/** Unit: seconds. 0.05 is what an agent is to stay below. */
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

/** Starts to sample and adds `shoal_event_loop_delay_seconds` to `registry`. Sampling holds no process alive. */
export function watchEventLoop(registry: Registry): void {
  const monitor = monitorEventLoopDelay({ resolution: sampleMs });
  monitor.enable();
  let told: readonly number[] = buckets.map(() => 0);
  const histogram: Histogram = new Histogram({
    name: 'shoal_event_loop_delay_seconds',
    help: 'How late the event loop was, sampled every 20 ms; each delay counts as the bound of its bucket.',
    buckets,
    registers: [registry],
    collect: () => {
      const counts = delayCounts(monitor, [...buckets, Number.POSITIVE_INFINITY]);
      for (const [at, count] of counts.entries()) {
        // Above the last bound, the longest stands for all.
        const seconds = buckets[at] ?? monitor.max / 1e9;
        for (let number = told[at] ?? 0; number < count; number += 1) histogram.observe(seconds);
      }
      told = counts;
    },
  });
}

/** As much of Node's monitor as is read. Unit of its values: nanoseconds since the sample before. */
interface DelayMonitor {
  readonly count: number;
  /** The least value that so many percent of the samples do not exceed. */
  percentile(percent: number): number;
}

/**
 * How many samples since the start fell between each bound and the one before it. The monitor is never reset: it would lose the
 * sample that is under way, which may be the stall.
 *
 * @param bounds of delays, ascending. Unit: seconds.
 */
export function delayCounts(monitor: DelayMonitor, bounds: readonly number[]): readonly number[] {
  const { count } = monitor;
  let before = 0;
  return bounds.map((bound) => {
    // A sample is the time since the one before, which is `sampleMs` when nothing is late.
    const upTo = samplesUpTo(monitor, count, (bound + sampleMs / 1000) * 1e9);
    const between = upTo - before;
    before = upTo;
    return between;
  });
}

/** How many of `count` samples are `nanoseconds` or less: the monitor tells the value of any rank, so by halving. */
function samplesUpTo(monitor: DelayMonitor, count: number, nanoseconds: number): number {
  let [least, most] = [0, count];
  while (least < most) {
    const rank = Math.ceil((least + most) / 2);
    if (monitor.percentile((100 * rank) / count) <= nanoseconds) least = rank;
    else most = rank - 1;
  }
  return least;
}
