import { ShoalError } from '../base/errors.ts';
import type { RaftId } from '../base/ids.ts';
import { type Logger, silentLogger } from '../base/telemetry/logger.ts';
import type { LogIndex } from './messages/messages.ts';
import type { Storage } from './storage/storage.ts';

/**
 * How reads through `readIndex` are made safe.
 *
 * - `safe`: each read (or batch of reads) costs one round of heartbeats to a quorum.
 * - `lease-based`: while a quorum has answered a heartbeat sent less than an election timeout ago, the leader answers at
 *   once; else as `safe`. Trusts that no node's ticks run faster than another's by more than `leaseDriftTicks` in one
 *   election timeout. Needs `checkQuorum`.
 */
export type ReadMode = 'safe' | 'lease-based';

/** Where election jitter comes from; a `Prng` is one. */
export interface JitterSource {
  /** A uniform integer in [0, bound). */
  below(bound: number): number;
}

/** What one node of a group is to be. */
export interface RaftConfig {
  /** This node, in [1, 2^53). */
  readonly id: RaftId;
  readonly storage: Storage;
  readonly random: JitterSource;
  /**
   * Ticks without a leader before this node campaigns, at least; each time up to that many again are added at random, so
   * that two nodes rarely campaign at once. Unit: ticks. Must exceed `heartbeatTicks`; ten times that is usual.
   */
  readonly electionTicks: number;
  /** Ticks between two heartbeats of a leader. Unit: ticks. */
  readonly heartbeatTicks: number;
  /** What the state machine has applied already, from its own disk; not applied again. 0: all since the snapshot. */
  readonly applied?: LogIndex;
  /** `Ready` asks for storage work by messages, and more may be handed out before it is done. See raw-node.ts. */
  readonly asyncStorageWrites?: boolean;
  /** Entries in one append message, at most (one is always allowed). Default 1 MiB. Unit: bytes. */
  readonly maxBytesPerMessage?: number;
  /** Committed entries handed out and not yet reported applied, at most. Default 16 MiB. Unit: bytes. */
  readonly maxCommittedBytesPerReady?: number;
  /**
   * Payload that a leader holds and that is not committed, at most; beyond it proposals are dropped, so that a leader
   * without a quorum does not fill its memory. Default 64 MiB. Unit: bytes.
   */
  readonly maxUncommittedBytes?: number;
  /** Append messages on their way to one follower, at most. Default 256: at 1 ms of round trip, 256,000 a second. */
  readonly maxInflightMessages?: number;
  /** Payload on its way to one follower, at most. Default 16 MiB; must not be below `maxBytesPerMessage`. Unit: bytes. */
  readonly maxInflightBytes?: number;
  /** Reads that wait for the leader's first commit or for a quorum, at most, each. Default 4096. */
  readonly maxPendingReads?: number;
  /** A leader that a quorum has not answered for an election timeout steps down, and followers refuse to vote meanwhile. */
  readonly checkQuorum?: boolean;
  /** Ask whether an election could be won before the term is raised, so that a node that was cut off disturbs nobody. */
  readonly preVote?: boolean;
  readonly readMode?: ReadMode;
  /** How much faster another node may tick, over one election timeout. Default a tenth of it. Unit: ticks. */
  readonly leaseDriftTicks?: number;
  /** A follower drops proposals and does not send them to the leader. */
  readonly disableProposalForwarding?: boolean;
  /** Append conf changes even when another one is pending or the joint state forbids it. For tests and rescue only. */
  readonly disableConfChangeValidation?: boolean;
  /** A leader that is removed or made a learner becomes a follower when it applies that. */
  readonly stepDownOnRemoval?: boolean;
  readonly logger?: Logger;
}

/** A whole configuration: checked, and with the defaults filled in. */
export type CheckedRaftConfig = Required<RaftConfig>;

const mebibyte = 1024 * 1024;

/** Fills in the defaults. Throws `CONFIG_INVALID` that lists every mistake. */
export function checkConfig(config: RaftConfig): CheckedRaftConfig {
  const electionTicks = config.electionTicks;
  const checked: CheckedRaftConfig = {
    id: config.id,
    storage: config.storage,
    random: config.random,
    electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    maxBytesPerMessage: config.maxBytesPerMessage ?? mebibyte,
    maxCommittedBytesPerReady: config.maxCommittedBytesPerReady ?? 16 * mebibyte,
    maxUncommittedBytes: config.maxUncommittedBytes ?? 64 * mebibyte,
    maxInflightMessages: config.maxInflightMessages ?? 256,
    maxInflightBytes: config.maxInflightBytes ?? 16 * mebibyte,
    maxPendingReads: config.maxPendingReads ?? 4096,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readMode: config.readMode ?? 'safe',
    leaseDriftTicks: config.leaseDriftTicks ?? Math.ceil(electionTicks / 10),
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
    logger: config.logger ?? silentLogger,
  };
  const mistakes = mistakesIn(checked);
  if (mistakes.length > 0) {
    throw new ShoalError('CONFIG_INVALID', `Raft configuration: ${mistakes.join('; ')}`, { facts: { mistakes } });
  }
  return checked;
}

function mistakesIn(config: CheckedRaftConfig): string[] {
  const mistakes: string[] = [];
  const integer = (
    name: 'id' | 'electionTicks' | 'heartbeatTicks' | 'leaseDriftTicks' | 'applied',
    min: number,
  ): void => {
    const value = config[name];
    if (!Number.isSafeInteger(value) || value < min) mistakes.push(`${name} ${value} is not an integer >= ${min}`);
  };
  integer('id', 1);
  integer('heartbeatTicks', 1);
  integer('electionTicks', 2);
  integer('leaseDriftTicks', 0);
  integer('applied', 0);
  if (config.electionTicks <= config.heartbeatTicks) {
    mistakes.push(`electionTicks ${config.electionTicks} must exceed heartbeatTicks ${config.heartbeatTicks}`);
  }
  for (const name of [
    'maxCommittedBytesPerReady',
    'maxUncommittedBytes',
    'maxInflightMessages',
    'maxInflightBytes',
    'maxPendingReads',
  ] as const) {
    if (!(config[name] >= 1)) mistakes.push(`${name} ${config[name]} must be at least 1`);
  }
  // 0 is of use: one entry a message.
  if (!(config.maxBytesPerMessage >= 0)) mistakes.push('maxBytesPerMessage must be at least 0');
  if (config.maxInflightBytes < config.maxBytesPerMessage) {
    mistakes.push('maxInflightBytes must be at least maxBytesPerMessage');
  }
  if (config.readMode === 'lease-based' && !config.checkQuorum) {
    mistakes.push('readMode lease-based needs checkQuorum');
  }
  if (config.applied === 0 && config.storage.firstIndex() === 1) {
    const { voters, learners } = config.storage.initialState().confState;
    if (voters.length + learners.length > 0) {
      // A node that replays this log from its start would meet changes of a membership that it was never told.
      mistakes.push('a membership that no entry and no snapshot explains: begin with a snapshot at index 1 or later');
    }
  }
  return mistakes;
}
