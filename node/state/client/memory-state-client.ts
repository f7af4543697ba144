/**
 * A state of one agent in memory, which applies at once. Real code under `StateClient`, for tests of what stands on it.
 *
 * `available = false` is the loss of quorum: reads of `local` go on, `fresh` and `commit` throw `NO_QUORUM`.
 */
import { ShoalError } from '../../base/errors.ts';
import { decodeCommand, encodeCommand } from '../command.ts';
import { StateMachine } from '../state-machine.ts';
import { hostTable } from '../tables/index.ts';
import type {
  ClusterStatus,
  CommitOptions,
  StateClient,
  StateEvent,
  StateReader,
  Transaction,
  TransactionOutcome,
} from '../types.ts';
import { mustBeProposable } from '../validate.ts';
import { WatchHub } from '../watch.ts';

interface MemoryStateClientOptions {
  /** Hears what a watcher's listener threw. Default: thrown again, which fails the test. */
  readonly onListenerError?: (error: unknown) => void;
}

/** The real state machine, encoding and watches without a log: commits are applied before `commit` returns. */
export class MemoryStateClient implements StateClient {
  /** Whether a quorum answers. */
  available = true;
  /**
   * The next commit is applied and then reported as `OUTCOME_UNKNOWN`, as when the answer is lost. Falls back to false by
   * itself.
   */
  loseNextOutcome = false;
  /** Who is said to vote, and who only to learn. The first voter leads. */
  voters: readonly number[] = [1];
  /** The voters are just being changed. */
  isJoint = false;
  learners: readonly number[] = [];
  readonly #machine = new StateMachine();
  readonly #hub: WatchHub;

  constructor(options: MemoryStateClientOptions = {}) {
    this.#hub = new WatchHub(0, options.onListenerError ?? rethrow);
  }

  get local(): StateReader {
    return this.#machine;
  }

  status(): ClusterStatus {
    const { revision } = this.#machine;
    return {
      hasQuorum: this.available,
      quorum: this.available ? 'answers' : 'lost',
      leaderRaftId: this.available ? (this.voters[0] ?? 0) : 0,
      term: 1,
      commitIndex: revision,
      appliedIndex: revision,
      voters: this.voters,
      isJoint: this.isJoint,
      learners: this.learners,
      missingVoters: this.available ? [] : this.voters,
    };
  }

  async fresh(signal?: AbortSignal): Promise<StateReader> {
    this.#mustBeAvailable(signal);
    return this.#machine;
  }

  async commit(transaction: Transaction, options: CommitOptions = {}): Promise<TransactionOutcome> {
    this.#mustBeAvailable(options.signal);
    const { clientToken = '', tokenSinceRevision = this.#machine.appliedIndex } = options;
    mustBeProposable(transaction, clientToken);
    // Through the log's own encoding, so that what a test stores is what the log would give back.
    const since = Math.max(1, tokenSinceRevision);
    const command = decodeCommand(encodeCommand({ clientToken, tokenSinceRevision: since, transaction }));
    const index = this.#machine.appliedIndex + 1;
    const { outcome, events } = this.#machine.apply(index, command);
    this.#hub.publish(index, events);
    if (outcome.refusal === 'token-too-old') {
      throw new ShoalError('OUTCOME_UNKNOWN', 'The write came too late to be told from its own repeat.');
    }
    if (this.loseNextOutcome) {
      this.loseNextOutcome = false;
      throw new ShoalError('OUTCOME_UNKNOWN', 'The write was sent and its answer was lost.');
    }
    return outcome;
  }

  watch(
    options: { readonly prefix: string; readonly afterRevision?: number },
    listener: (events: readonly StateEvent[]) => void,
  ): { close(): void } {
    return this.#hub.watch(options, listener);
  }

  #mustBeAvailable(signal: AbortSignal | undefined): void {
    if (signal?.aborted) throw new ShoalError('CANCELLED', 'The caller gave up.', { cause: signal.reason });
    if (!this.available) {
      const names = this.voters.map(
        (raftId) => hostTable.one(this.local, 'raft-id', String(raftId))?.record.name ?? `voter ${raftId}`,
      );
      const lost = names.map((name) => `${name} cannot be reached`).join(', ');
      throw new ShoalError('NO_QUORUM', `Too few voters are left to commit a write: ${lost}.`, {
        facts: { missingVoters: this.voters },
      });
    }
  }
}

function rethrow(error: unknown): never {
  throw error;
}
