/** What the detector of an agent asks for, and the times that it keeps. */
import type { HostId } from '../../base/ids.ts';
import type { Condition, DetectorUpdate } from './health-update.ts';
import type { SuspicionTimes } from './suspicion.ts';

/** What the detector wants done. */
export type DetectorAction =
  /** Probe `target` and report with `probed`. With `suspicion` it is told what it is suspected of. */
  | {
      readonly kind: 'probe';
      readonly target: HostId;
      readonly timeoutMs: number;
      readonly suspicion: DetectorUpdate | undefined;
    }
  /** Ask each of `helpers` to probe `target` and report with `probedIndirectly`. */
  | {
      readonly kind: 'probe-indirectly';
      readonly target: HostId;
      readonly helpers: readonly HostId[];
      readonly timeoutMs: number;
    }
  /** Tell the mesh, with what others have said of the same host. */
  | { readonly kind: 'tell'; readonly update: DetectorUpdate; readonly secondedBy: readonly DetectorUpdate[] }
  /** A host looks different from here now. */
  | { readonly kind: 'condition'; readonly hostId: HostId; readonly condition: Condition };

/**
 * How a probe ended. "unreachable" and "stalled" are what the host's kernel answered meanwhile (`Evidence`). "unknown":
 * nothing can be said, for this agent itself stood still or was refused for another reason.
 */
export type ProbeOutcome = 'reached' | 'unreachable' | 'stalled' | 'unknown';

/** What a helper answered: it reached the target, it did not (with its own accusation), or it did not answer itself. */
export type HelperAnswer =
  | { readonly kind: 'reached' | 'no-answer' }
  | { readonly kind: 'not-reached'; readonly accusation: DetectorUpdate | undefined };

export interface DetectorOptions {
  /** Each host is probed once in this time, by its observers in turn. Unit: ms. */
  readonly periodMs: number;
  /** Time for a direct probe, ms. */
  readonly probeMs: number;
  /** Time for a helper to answer, its own probe of the target included, ms. */
  readonly indirectMs: number;
  /** Observers of the target that are asked to probe it too. */
  readonly helpers: number;
  /** Hosts that do not watch the target and are asked as well. */
  readonly uninvolved: number;
  /** Observers that must accuse a host before it can be called down; one who is not involved must be added. */
  readonly accusersMin: number;
  readonly suspicion: SuspicionTimes;
  /**
   * Others who find a host stalled say so when it has been suspected for so long, and the first one at once: most stalls
   * are over sooner, and a message to all from each observer would cost more than it tells. Unit: ms.
   */
  readonly stalledSilenceMs: number;
  /** A suspected host is probed again by those who suspect it after so many periods. */
  readonly retryPeriods: number;
  /** Worst local health: times are up to this many plus one times longer. */
  readonly healthMax: number;
  /** Probes begun at one tick: when many hosts are suspected at once, the others wait for the next tick. */
  readonly probesPerTick: number;
  /** Accusations by one host within `accusationsWithinMs`; what it says beyond that is neither heard nor passed on. */
  readonly accusationsMax: number;
  readonly accusationsWithinMs: number;
}

/**
 * What an agent runs with. A host that falls misses the probe of an observer within 1 s; 0.4 s later three more observers
 * and two others look too; another 0.4 s later the mesh is told by all who saw nothing, and 0.3 s after hearing it a host
 * calls the fallen one down: 2.5 s at most beside what messages take. An agent that gets no CPU has at least half a minute
 * to say that it is there, since its kernel still answers. `accusationsMax`: nine of ten hosts gone at once leave each of
 * the others eighty to accuse.
 */
export const detectorOptions: DetectorOptions = {
  periodMs: 1_000,
  probeMs: 400,
  indirectMs: 600,
  helpers: 3,
  uninvolved: 2,
  accusersMin: 3,
  suspicion: {
    unreachableMs: { longest: 1_000, shortest: 300 },
    stalledMs: { longest: 60_000, shortest: 30_000 },
    dogpile: 2,
  },
  stalledSilenceMs: 15_000,
  retryPeriods: 2,
  healthMax: 8,
  probesPerTick: 4,
  accusationsMax: 128,
  accusationsWithinMs: 60_000,
};
