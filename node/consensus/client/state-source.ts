import type { ShoalError } from '../../base/errors.ts';
import type { RaftId } from '../../base/ids.ts';
import type { ClusterStatus, QuorumOutlook, StateReader, TransactionOutcome } from '../../state/types.ts';
import type { WatchHub } from '../../state/watch.ts';
import type { Route } from '../quorum/quorum.ts';
import type { RaftLoopOptions } from '../replica/options.ts';

/**
 * What a state client stands on: the state here, and what is known of those who decide on it. The Raft loop is one, a slice
 * that a replica feeds another.
 */
export interface StateSource {
  readonly options: Pick<RaftLoopOptions, 'patienceMs' | 'lossPatienceMs' | 'outcomeTimeoutMs' | 'tickMs'>;
  readonly isRunning: boolean;
  readonly reader: StateReader;
  readonly watches: Pick<WatchHub, 'watch'>;
  /** Who leads as far as is known; 0: nobody. It may be silent. */
  readonly leader: RaftId;
  readonly outlook: QuorumOutlook;
  /** Whether no majority can be made of the voters that are not known to be lost. */
  readonly isLossKnown: boolean;
  status(): ClusterStatus;
  /** Where writes and questions for read points go; undefined: nowhere now. */
  route(): Route | undefined;
  /** Whether a member is known to be lost, and not merely silent. */
  isLost(member: RaftId): boolean;
  /** The leader says that it has no quorum. */
  suspectQuorum(): void;
  /** Resolves when leader or quorum may have changed, or after `delayMs`. */
  changed(delayMs: number): Promise<void>;
  /** Resolves true once the state here is at `index` or later, false after `delayMs` or at the end. */
  waitApplied(index: number, delayMs: number): Promise<boolean>;
  /** The refusal of a write or a fresh read. */
  noQuorum(): ShoalError;
  /** Where the route leads here: commits an encoded command. */
  proposeEncoded(data: Uint8Array, signal?: AbortSignal): Promise<TransactionOutcome>;
  /** Where the route leads here: a linearizable read point. */
  readIndex(signal?: AbortSignal): Promise<number>;
}
