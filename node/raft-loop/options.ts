/** Numbers of the Raft loop, with their reasons. */
import { ShoalError } from '../base/errors.ts';

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
   * A peer that was not heard for so long counts as missing: writes are refused, or what is under way has an unknown
   * outcome. Default 600: six heartbeats. Unit: milliseconds.
   */
  readonly silenceMs: number;
  /**
   * How long a request waits for a leader with a quorum before it is refused. Default 700, so that a refusal takes less
   * than a second. Unit: milliseconds.
   */
  readonly patienceMs: number;
  /** How long a write that was appended may stay without an outcome while a quorum answers. Default 5000. */
  readonly outcomeTimeoutMs: number;
  /** The log is compacted when it is larger. Default 64 MiB. Unit: bytes. */
  readonly logBytesMax: number;
  /** What compaction leaves, for followers that lag a little. Default half of `logBytesMax`. Unit: bytes. */
  readonly logBytesKept: number;
  /** Beyond this the log is compacted even below what a live follower needs; it gets a snapshot. Default 256 MiB. */
  readonly logBytesHard: number;
}

export const defaultRaftLoopOptions: RaftLoopOptions = {
  tickMs: 100,
  electionTicks: 10,
  heartbeatTicks: 1,
  silenceMs: 600,
  patienceMs: 700,
  outcomeTimeoutMs: 5000,
  logBytesMax: 64 * 1024 * 1024,
  logBytesKept: 32 * 1024 * 1024,
  logBytesHard: 256 * 1024 * 1024,
};

/** Fills in the defaults. Throws `CONFIG_INVALID` that lists every mistake. */
export function checkRaftLoopOptions(given: Partial<RaftLoopOptions>): RaftLoopOptions {
  const options = { ...defaultRaftLoopOptions, ...given };
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
  if (options.logBytesKept > options.logBytesMax) mistakes.push('logBytesKept must not exceed logBytesMax');
  if (options.logBytesHard < options.logBytesMax) mistakes.push('logBytesHard must not be below logBytesMax');
  if (mistakes.length > 0)
    throw new ShoalError('CONFIG_INVALID', `Raft loop: ${mistakes.join('; ')}`, { facts: { mistakes } });
  return options;
}
