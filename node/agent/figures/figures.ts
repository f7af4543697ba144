/** Metrics of an agent that are not counted as things happen, and what its clock is told of. */
import type { HostId } from '../../base/ids.ts';
import type { Health } from '../../base/telemetry/health.ts';
import type { Metrics } from '../../base/telemetry/metrics.ts';
import type { RepeatedLog } from '../../base/telemetry/repeated-log.ts';
import type { MeshView } from '../../cluster/mesh-view.ts';
import type { RaftLoop } from '../../consensus/loop/loop.ts';
import type { DetectorCounts } from '../../mesh/rules/detector.ts';
import { hostTable } from '../../state/tables/index.ts';
import type { StateClient } from '../../state/types.ts';
import { unreadableRows } from '../../state/unreadable-rows.ts';
import { GossipFigures } from './gossip-figures.ts';
import { type ObservedSlices, SliceFigures } from './slice-figures.ts';

/** What is looked at. */
interface Observed extends ObservedSlices {
  readonly loop: RaftLoop;
  readonly view: MeshView;
}

/** Sets them, each time that it is asked to. */
export class Figures {
  readonly #metrics: Metrics;
  readonly #health: Health;
  readonly #repeated: RepeatedLog;
  readonly #hostId: HostId;
  readonly #gossip: GossipFigures;
  readonly #slices: SliceFigures;
  /** What of the loop's own counts is in the metrics. */
  #counted = { rounds: 0, divergences: 0 };
  /** What of the failure detector's is. */
  #detected: DetectorCounts = { suspicions: 0, refutations: 0, downs: 0 };

  constructor(
    parts: { readonly metrics: Metrics; readonly health: Health; readonly repeated: RepeatedLog },
    hostId: HostId,
  ) {
    this.#metrics = parts.metrics;
    this.#health = parts.health;
    this.#repeated = parts.repeated;
    this.#hostId = hostId;
    this.#gossip = new GossipFigures(parts.metrics);
    this.#slices = new SliceFigures(parts.metrics);
  }

  observe(state: StateClient, { loop, view, ...slices }: Observed): void {
    const { term, commitIndex, appliedIndex, hasQuorum } = state.status();
    const metrics = this.#metrics;
    metrics.raftTerm.set(term);
    metrics.raftCommitIndex.set(commitIndex);
    metrics.raftAppliedIndex.set(appliedIndex);
    metrics.raftIsLeader.set(loop.isLeader ? 1 : 0);
    metrics.hasQuorum.set(hasQuorum ? 1 : 0);
    for (const part of this.#health.parts) {
      metrics.partFailing.set({ part }, this.#health.troubles.has(part) ? 1 : 0);
    }
    metrics.unreadableRecords.set(unreadableRows.in(state.local).length);
    const { rounds, divergences, disagreement } = loop.comparison;
    metrics.stateComparisons.inc(rounds - this.#counted.rounds);
    metrics.stateDivergences.inc(divergences - this.#counted.divergences);
    metrics.stateDisagrees.set(disagreement === undefined ? 0 : 1);
    this.#counted = { rounds, divergences };
    const hosts = hostTable.list(state.local).map(({ record }) => view.condition(record.id));
    for (const condition of ['alive', 'suspect', 'dead', 'unknown'] as const) {
      metrics.knownHosts.set({ condition }, hosts.filter((found) => found === condition).length);
    }
    this.#gossip.observe(view);
    this.#slices.observe(slices);
    this.#observeDetector(view);
    this.#observeClocks(state, view);
  }

  #observeDetector({ detection: { localHealth, counts } }: MeshView): void {
    const metrics = this.#metrics;
    metrics.localHealth.set(localHealth);
    metrics.healthSuspicions.inc(counts.suspicions - this.#detected.suspicions);
    metrics.healthRefutations.inc(counts.refutations - this.#detected.refutations);
    metrics.healthDowns.inc(counts.downs - this.#detected.downs);
    this.#detected = counts;
  }

  /** Clocks that are apart mislead people and tokens: they are told of, and nothing else is done about them. */
  #observeClocks(state: StateClient, view: MeshView): void {
    const offsetMs = view.clockOffsetMs(this.#hostId);
    if (offsetMs !== undefined) this.#metrics.clockOffsetSeconds.set(offsetMs / 1000);
    const told = view.clocks.told((hostId) => hostTable.find(state.local, hostId)?.record.name ?? hostId);
    if (told === undefined) {
      this.#health.works('clocks');
      return;
    }
    this.#health.failed('clocks', new Error(told));
    this.#repeated.warn('clocks', { offsetMs }, told);
  }
}
