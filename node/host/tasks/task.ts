/** Work that the leader does in the background. One file each. */
import type { ServiceDependencies } from '../../services/kit/dependencies.ts';

/** See above. */
export interface LeaderTask {
  /** For logs and metrics: "forget-ended-jobs". */
  readonly name: string;
  /** From the end of one run to the next. Unit: ms. */
  readonly periodMs: number;
  /**
   * One run: a bounded piece of the work; what is left is the next run's. Safe to do twice, and by two agents at once.
   * Throws what the services throw.
   */
  run(deps: ServiceDependencies, signal: AbortSignal): Promise<void>;
}
