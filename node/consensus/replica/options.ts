/** Numbers of the Raft loop, with their reasons. */
import { ShoalError } from '../../base/errors.ts';

/**
 * How a loop is set. All of a group should have the same timing; `checkRaftLoopOptions` fills in what is left out, and
 * refuses relations that cannot work.
 */
export interface RaftLoopOptions {
  /** One tick of the core. Default 100. Unit: milliseconds. */
  readonly tickMs: number;
  /**
   * Ticks without a leader before this node campaigns, at least; up to twice that by chance. Default 10: a second or two,
   * so that a slow disk or a busy host does not cost a leadership.
   */
  readonly electionTicks: number;
  /** Ticks between two heartbeats. Default 1: silence is noticed after a few of them. */
  readonly heartbeatTicks: number;
  /**
   * A peer that was not heard for so long counts as silent: it is not counted on. Silent is not lost, see `askAfterMs`.
   * Default 600, and three heartbeats at least. Unit: milliseconds.
   */
  readonly silenceMs: number;
  /**
   * A voter that was not heard for so long is asked for at its address, when without it there may be no majority: refused
   * or unanswered, it is known to be lost. Default two thirds of `silenceMs`, so that an answer is there when the peer counts
   * as silent. Unit: milliseconds.
   */
  readonly askAfterMs: number;
  /**
   * How long an answer at a voter's address may take before it counts as lost. Default 400: a kernel answers within a round
   * trip, also for a process that gets no CPU; with `askAfterMs` before it, a lost quorum is known within a second. Beyond
   * it only where round trips take longer. Unit: milliseconds.
   */
  readonly askMs: number;
  /**
   * How long a request waits for a quorum that is not known to be lost before it is refused. Default 12,000: ten seconds in
   * which a busy machine gives the voters no CPU, and an election. No client tries a refused creation again, so waiting
   * is worth more than a quick refusal that is wrong. Unit: milliseconds.
   */
  readonly patienceMs: number;
  /**
   * How long a request waits while the quorum is known to be lost: long enough for an agent that is just being replaced by
   * another, short enough that a refusal takes less than a second. Default 200. Unit: milliseconds.
   */
  readonly lossPatienceMs: number;
  /**
   * How long a write that was appended may stay without an outcome while no quorum is known to be lost. Default
   * `patienceMs`. Unit: milliseconds.
   */
  readonly outcomeTimeoutMs: number;
  /** From one comparison of the replicas' states to the next (comparison.ts). Default 50: five seconds. Unit: ticks. */
  readonly compareTicks: number;
  /** From one reading of all rows of the state to the next (scrub.ts). Default 6000: ten minutes. Unit: ticks. */
  readonly scrubTicks: number;
  /** The log is compacted when it is larger. Default 64 MiB. Unit: bytes. */
  readonly logBytesMax: number;
  /** What compaction leaves, for followers that lag a little. Default half of `logBytesMax`. Unit: bytes. */
  readonly logBytesKept: number;
  /** Beyond this the log is compacted even below what a live follower needs; it gets a snapshot. Default 256 MiB. */
  readonly logBytesHard: number;
}

const defaultRaftLoopOptions: RaftLoopOptions = {
  tickMs: 100,
  electionTicks: 10,
  heartbeatTicks: 1,
  silenceMs: 600,
  askAfterMs: 400,
  askMs: 400,
  patienceMs: 12_000,
  lossPatienceMs: 200,
  outcomeTimeoutMs: 12_000,
  compareTicks: 50,
  scrubTicks: 6000,
  logBytesMax: 64 * 1024 * 1024,
  logBytesKept: 32 * 1024 * 1024,
  logBytesHard: 256 * 1024 * 1024,
};

/** Fills in the defaults. Throws `CONFIG_INVALID` that lists every mistake. */
export function checkRaftLoopOptions(given: Partial<RaftLoopOptions>): RaftLoopOptions {
  const options = { ...defaultRaftLoopOptions, ...given };
  if (given.silenceMs === undefined) {
    options.silenceMs = Math.max(options.silenceMs, 3 * options.heartbeatTicks * options.tickMs);
  }
  if (given.askAfterMs === undefined) options.askAfterMs = (options.silenceMs * 2) / 3;
  if (given.patienceMs !== undefined && given.outcomeTimeoutMs === undefined)
    options.outcomeTimeoutMs = given.patienceMs;
  if (given.lossPatienceMs === undefined) {
    options.lossPatienceMs = Math.min(options.lossPatienceMs, options.patienceMs);
  }
  if (given.logBytesMax !== undefined && given.logBytesKept === undefined) options.logBytesKept = given.logBytesMax / 2;
  if (given.logBytesMax !== undefined && given.logBytesHard === undefined) options.logBytesHard = given.logBytesMax * 4;
  const mistakes: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!(value > 0)) mistakes.push(`${name} ${value} must be above 0`);
  }
  if (options.electionTicks <= options.heartbeatTicks) mistakes.push('electionTicks must exceed heartbeatTicks');
  if (options.silenceMs <= options.heartbeatTicks * options.tickMs) {
    mistakes.push('silenceMs must exceed the time between two heartbeats');
  }
  if (options.askAfterMs > options.silenceMs) mistakes.push('askAfterMs must not exceed silenceMs');
  if (options.lossPatienceMs > options.patienceMs) mistakes.push('lossPatienceMs must not exceed patienceMs');
  if (options.logBytesKept > options.logBytesMax) mistakes.push('logBytesKept must not exceed logBytesMax');
  if (options.logBytesHard < options.logBytesMax) mistakes.push('logBytesHard must not be below logBytesMax');
  if (mistakes.length > 0)
    throw new ShoalError('CONFIG_INVALID', `Raft loop: ${mistakes.join('; ')}`, { facts: { mistakes } });
  return options;
}
