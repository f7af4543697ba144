/**
 * Every failure that Shoal can name, in one table.
 *
 * Three kinds, never mixed (README.md, "Errors"): expected refusals and environment failures are `ShoalError`s with a
 * code from here; a broken invariant is an `AssertionError` (assert.ts) and ends the process. `api-gateway/kit/errors.ts`
 * maps each code to its gRPC status, HTTP status and retryability; a test walks both so that none is missing.
 */
export const errorCodes = {
  // Requests.
  INVALID_ARGUMENT: 'the request is malformed or out of range',
  UNAUTHENTICATED: 'no token, or one that does not verify',
  FORBIDDEN: 'the principal may not do this',
  NOT_FOUND: 'the thing asked for does not exist, or not for this project',
  CONFLICT: 'the thing exists already, is in use, or is in the wrong state',
  PRECONDITION_CHANGED: 'a record changed between reading and writing; read again and retry',
  PRECONDITION_FAILED: 'the condition that the caller set (If-Match) does not hold',
  QUOTA_EXCEEDED: 'the project may not have more of this',
  TOO_LARGE: 'the request body or upload is over its bound',
  RATE_LIMITED: 'too many requests; try again later',
  NO_VALID_HOST: 'no host passes the filters, or all candidates refused the claim',
  CLAIM_REFUSED: 'the target host has not the room it was thought to have',
  ADDRESS_EXHAUSTED: 'the allocation pool has no free address',
  NOT_IMPLEMENTED: 'the API knows this operation, this version of Shoal does not',
  // Mesh and consensus.
  NOT_LEADER: 'another agent leads, or none does; the request was not applied',
  NO_QUORUM: 'too few voters answer to commit a write',
  PROPOSAL_DROPPED: 'the log refused the proposal before it was appended; safe to retry',
  OUTCOME_UNKNOWN: 'the write was sent and its fate is not known; retry with the same client token',
  STALE: 'only a stale answer is to be had and the caller asked for a fresh one',
  UNAVAILABLE: 'a peer or a service cannot be reached now',
  DEADLINE_EXCEEDED: 'the time allowed ran out',
  CANCELLED: 'the caller gave up, or the agent is stopping',
  TICKET_INVALID: 'the join ticket is malformed or was never issued by this mesh',
  TICKET_USED: 'the join ticket has been used',
  TICKET_EXPIRED: 'the join ticket has expired',
  IDENTITY_MISMATCH: 'a peer is not who its certificate or record says',
  STATE_DIVERGED:
    'the replicas do not hold the same state, and no majority holds one; nothing is written until one does',
  // Storage of the log and the state.
  LOG_CORRUPT: 'an entry, the hard state or a record fails its checksum',
  RECORD_UNREADABLE: 'a row of the state is no record of its table',
  STORE_FAILED: 'LevelDB refused a read or a write',
  // Hosts.
  COMMAND_FAILED: 'a program that a driver ran failed',
  COMMAND_MISSING: 'a program that a driver needs is not installed',
  DRIVER_FAILED: 'a driver could not do what it was asked',
  CANNOT_TELL: 'whether the thing exists could not be found out',
  FENCE_UNPROVEN: 'it is not proved that no other host writes this disk',
  IMAGE_REFUSED: 'the image is not what it claims to be, or may do harm',
  // Configuration.
  CONFIG_INVALID: 'the configuration has mistakes; all are listed',
} as const;

/** The name of one failure. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * Nothing can be written now, and nothing was: too few voters answer, or the replicas hold different states. It may pass by
 * itself or by people's doing, so it is no answer to what was asked. Every list of codes that may pass holds these.
 */
export const unwritableCodes = ['NO_QUORUM', 'STATE_DIVERGED'] as const satisfies readonly ErrorCode[];

/** Facts that go to the log and, where harmless, to the caller. Values are what JSON can hold. */
export type ErrorFacts = Readonly<Record<string, unknown>>;

/** A failure that has a name. The message is for people; decide by `code`. */
export class ShoalError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, options: { facts?: ErrorFacts; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ShoalError';
    this.code = code;
    this.facts = options.facts ?? {};
  }

  /** Wraps anything caught. A `ShoalError` passes unchanged; everything else becomes `code` with the cause kept. */
  static from(caught: unknown, code: ErrorCode, message?: string): ShoalError {
    if (caught instanceof ShoalError) return caught;
    const text = caught instanceof Error ? caught.message : String(caught);
    return new ShoalError(code, message === undefined ? text : `${message}: ${text}`, { cause: caught });
  }

  /** Whether `caught` is a ShoalError with one of `codes`. */
  static is(caught: unknown, ...codes: ErrorCode[]): caught is ShoalError {
    return caught instanceof ShoalError && codes.includes(caught.code);
  }
}
