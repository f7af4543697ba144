/** Counts of gossip, which are kept where it runs, as metrics. */
import type { Metrics } from '../../base/telemetry/metrics.ts';
import type { MeshView } from '../../cluster/mesh-view.ts';

/** Sets them, each time that it is asked to. */
export class GossipFigures {
  readonly #metrics: Metrics;
  /** What of each count is in the metrics. */
  readonly #counted = new Map<string, number>();

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  observe({ gossipCounts }: Pick<MeshView, 'gossipCounts'>): void {
    const { messages, refused, exchanged } = gossipCounts;
    const metrics = this.#metrics;
    const { published, accepted, ignored, rejected } = messages;
    for (const [result, count] of Object.entries({ published, accepted, ignored, rejected })) {
      metrics.gossipMessages.inc({ result }, this.#since(`messages ${result}`, count));
    }
    const bytes = { published: messages.publishedBytes, received: messages.receivedBytes };
    for (const [direction, count] of Object.entries(bytes)) {
      metrics.gossipBytes.inc({ direction }, this.#since(`bytes ${direction}`, count));
    }
    for (const [reason, count] of Object.entries({ ...refused, cut_off: messages.cutOffs })) {
      metrics.gossipRefused.inc({ reason }, this.#since(`refused ${reason}`, count));
    }
    const { comparisons, same, pulls, failed, taken, given } = exchanged;
    const results = { same, different: comparisons - same, pulled: pulls, failed };
    for (const [result, count] of Object.entries(results)) {
      metrics.gossipExchanges.inc({ result }, this.#since(`exchanges ${result}`, count));
    }
    for (const [direction, count] of Object.entries({ taken, given })) {
      metrics.gossipExchangedAdverts.inc({ direction }, this.#since(`adverts ${direction}`, count));
    }
  }

  #since(name: string, count: number): number {
    const before = this.#counted.get(name) ?? 0;
    this.#counted.set(name, count);
    return Math.max(0, count - before);
  }
}
