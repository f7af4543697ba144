/** What a host holds of the state, and what it feeds to others, as metrics. */
import type { Metrics } from '../../base/telemetry/metrics.ts';
import type { SliceFeeder } from '../../slices/slice-feeder.ts';
import type { SliceReplica } from '../../slices/slice-replica.ts';

/** What is looked at. */
export interface ObservedSlices {
  /** `slice` undefined: this host holds a replica. */
  readonly member: { readonly slice: Pick<SliceReplica, 'size' | 'bare' | 'silentMs' | 'subscriptions'> | undefined };
  readonly feeder: Pick<SliceFeeder, 'subscriberCount' | 'lagRevisionsMax'>;
}

/** Sets them, each time that it is asked to. */
export class SliceFigures {
  readonly #metrics: Metrics;
  /** What of each count is in the metrics; a slice that is taken up again counts from 0. */
  #counted: Readonly<Record<string, number>> = {};

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  observe({ member: { slice }, feeder }: ObservedSlices): void {
    const metrics = this.#metrics;
    metrics.sliceFeeds.set(feeder.subscriberCount);
    metrics.sliceFeedLagRevisions.set(feeder.lagRevisionsMax);
    metrics.sliceRows.set(slice?.size.rows ?? 0);
    metrics.sliceBytes.set(slice?.size.bytes ?? 0);
    metrics.sliceTerms.set(slice?.size.terms ?? 0);
    metrics.sliceRevision.set(slice?.bare.revision ?? 0);
    metrics.sliceSilentSeconds.set(slice === undefined ? 0 : slice.silentMs / 1000);
    const counts: Readonly<Record<string, number>> = { ...slice?.subscriptions };
    for (const [result, count] of Object.entries(counts)) {
      const before = this.#counted[result] ?? 0;
      metrics.sliceSubscriptions.inc({ result }, count >= before ? count - before : count);
    }
    this.#counted = counts;
  }
}
