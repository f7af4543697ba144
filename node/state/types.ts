/** Longest key, characters. */
export const keyCharactersMax = 512;
/** Longest value, bytes: user data (64 KiB) and the largest records fit many times over. */
export const valueBytesMax = 1024 * 1024;
/** Compares and ops of one transaction: a create of a server with ten ports takes about a hundred. */
export const transactionItemsMax = 4096;
/** Keys one deleteRange may take: keeps one entry's work bounded. */
export const rangeDeleteKeysMax = 10_000;

/** A key with its value. */
export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** Revision that last wrote it. */
  readonly revision: number;
}

/** A consistent, synchronous view of the state. */
export interface StateReader {
  /** Revision up to which it is current. */
  readonly revision: number;
  get(key: string): KeyValue | undefined;
  /** Keys in [start, end), in order, at most `limit`. */
  range(start: string, end: string, limit?: number): readonly KeyValue[];
  /** A counter's value; 0 when absent. */
  counter(key: string): number;
}

/** A condition on one key: its revision (0: absent), its presence, or its bytes. */
export type Compare =
  | { readonly key: string; readonly revision: number }
  | { readonly key: string; readonly exists: boolean }
  | { readonly key: string; readonly value: Uint8Array };

/** One change. */
export type Op =
  | { readonly kind: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'deleteRange'; readonly start: string; readonly end: string }
  | { readonly kind: 'add'; readonly key: string; readonly delta: number; readonly min: number; readonly max: number };

/** `compares` all hold: `thenOps`; otherwise `elseOps`. All ops or none. */
export interface Transaction {
  readonly compares: readonly Compare[];
  readonly thenOps: readonly Op[];
  readonly elseOps: readonly Op[];
}

/** What came of it. */
export interface TransactionOutcome {
  /** Index of the entry. Reading at this revision or later sees the change. */
  readonly revision: number;
  /** All compares held. */
  readonly succeeded: boolean;
  /** The first key whose compare failed, or the counter that would have left its bounds. */
  readonly failedKey?: string;
  /**
   * Set when the transaction was refused whole: nothing changed, whichever branch it was. `token-too-old`: it may have been
   * applied earlier, and that is forgotten; `StateClient.commit` throws `OUTCOME_UNKNOWN` instead.
   */
  readonly refusal?: 'counter-bounds' | 'range-too-large' | 'invalid' | 'token-too-old';
  /** Values of counters after each `add`, in order. */
  readonly counters: readonly number[];
}

/** One change as watchers hear it. `value` undefined: deleted. */
export interface StateEvent {
  readonly revision: number;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/**
 * What may be expected of the voters. `answers`: a leader was heard of lately, or is this agent with a quorum that answers.
 * `awaited`: not so, but nobody knows that too many voters are lost; they may be slow, and what needs them waits.
 * `lost`: too many are known to be lost, or have been waited for in vain; what needs them is refused.
 */
export type QuorumOutlook = 'answers' | 'awaited' | 'lost';

/** The status of the Raft group (the cluster), as this agent knows it now. Never waits. */
export interface ClusterStatus {
  /** `quorum` is `answers`. */
  readonly hasQuorum: boolean;
  readonly quorum: QuorumOutlook;
  readonly leaderRaftId: number;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** While a change of members is under way: the voters of before and those of afterwards. */
  readonly voters: readonly number[];
  /** Between two sets of voters (a joint membership): a majority of each decides, and not one of `voters`. */
  readonly isJoint: boolean;
  readonly learners: readonly number[];
  /** Voters that have not been heard from lately: who to name when a write is refused. */
  readonly missingVoters: readonly number[];
}

/** How a write is sent. */
export interface CommitOptions {
  /** Makes the write exactly-once: at most 128 printable ASCII characters. Default: one is drawn where it is needed. */
  readonly clientToken?: string;
  /** For a token that was sent before: a revision that was applied here before the first time. Default: it is new. */
  readonly tokenSinceRevision?: number;
  readonly signal?: AbortSignal;
}

/**
 * How services use the state. One implementation stands on the Raft loop, another (for tests) applies in memory; both
 * pass one compliance suite.
 */
export interface StateClient {
  /** The local replica. Possibly old; never blocks; its `revision` never goes back. */
  readonly local: StateReader;
  status(): ClusterStatus;
  /**
   * A linearizable view: resolves once the local replica has caught up with everything committed before the call.
   * Throws `NO_QUORUM`: in under 1 s when too many voters are known to be lost, else after about 12 s in which none answered
   * (`RaftLoopOptions.patienceMs`). Its message names hosts, its `facts` the missing voters. `STALE`: this agent lags.
   */
  fresh(signal?: AbortSignal): Promise<StateReader>;
  /**
   * Commits a transaction and waits until the local replica has applied it.
   * Throws `NO_QUORUM` (as `fresh`; nothing was proposed), `OUTCOME_UNKNOWN` (proposed, fate not known: retry with the
   * same `clientToken`), `CANCELLED`, `TOO_LARGE`. An outcome with `succeeded: false` or a `refusal` is not an error here.
   * Who sends a token again by another call says with `tokenSinceRevision` what `local.revision` was before the first one:
   * tokens are forgotten after `sessionWindowRevisions`, and a write that comes too late is then refused
   * (`OUTCOME_UNKNOWN`) rather than applied twice.
   */
  commit(transaction: Transaction, options?: CommitOptions): Promise<TransactionOutcome>;
  /**
   * Calls `listener` with each applied revision's changes under `prefix`, in order, none left out, starting after
   * `afterRevision` (default: from now on). Throws `STALE` when the history does not reach back that far.
   */
  watch(
    options: { readonly prefix: string; readonly afterRevision?: number },
    listener: (events: readonly StateEvent[]) => void,
  ): { close(): void };
}

/** A counter that is not 0. */
export interface Counter {
  readonly key: string;
  readonly value: number;
}

/** A command remembered by its token. `key` is `sessionKey` of its revision; `value` is its row (rows.ts): token and outcome. */
export interface Session {
  readonly key: string;
  readonly token: string;
  readonly value: Uint8Array;
}
