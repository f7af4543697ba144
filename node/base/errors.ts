/**
 * What kind of failure a code is, which decides what its reader does. `final` is an answer: the same question gets it again.
 * All others are transient: they say that there is no answer now.
 *
 * - `outage`: the replicated state takes no writes from any caller; nothing was written.
 * - `contention`: the state took another write instead, or this agent lags behind it; nothing was written.
 * - `uncertain`: a write was sent, and may be written or be written later.
 * - `busy`: refused before it began, because there is too much else now.
 * - `unreachable`: it did not arrive; nothing happened.
 * - `unanswered`: it may have happened: no answer came, or none that says so.
 * - `abandoned`: the caller gave up waiting; it may have happened.
 * - `unsafe`: it would do harm now. People, or a host that comes back, make it safe.
 */
type ErrorNature =
  | 'final'
  | 'outage'
  | 'contention'
  | 'uncertain'
  | 'busy'
  | 'unreachable'
  | 'unanswered'
  | 'abandoned'
  | 'unsafe';

interface ErrorMeaning {
  readonly nature: ErrorNature;
  readonly means: string;
}

/**
 * Every failure that Shoal can name, in one table.
 *
 * Three kinds, never mixed (README.md, "Errors"): expected refusals and environment failures are `ShoalError`s with a
 * code from here; a broken invariant is an `AssertionError` (assert.ts) and ends the process. `api-gateway/kit/errors.ts`
 * maps each code to its gRPC status and HTTP status; a test walks both so that none is missing. Who has to know whether a
 * failure may pass asks `isTransient` or one of its neighbours below, and lists no codes.
 */
export const errorCodes = {
  // Requests.
  INVALID_ARGUMENT: { nature: 'final', means: 'the request is malformed or out of range' },
  UNAUTHENTICATED: { nature: 'final', means: 'no token, or one that does not verify' },
  FORBIDDEN: { nature: 'final', means: 'the principal may not do this' },
  NOT_FOUND: { nature: 'final', means: 'the thing asked for does not exist, or not for this project' },
  CONFLICT: { nature: 'final', means: 'the thing exists already, is in use, or is in the wrong state' },
  PRECONDITION_CHANGED: {
    nature: 'contention',
    means: 'a record changed between reading and writing; read again and retry',
  },
  PRECONDITION_FAILED: { nature: 'final', means: 'the condition that the caller set (If-Match) does not hold' },
  QUOTA_EXCEEDED: { nature: 'final', means: 'the project may not have more of this' },
  TOO_LARGE: { nature: 'final', means: 'the request body or upload is over its bound' },
  RATE_LIMITED: { nature: 'busy', means: 'too many requests; try again later' },
  NO_VALID_HOST: { nature: 'final', means: 'no host passes the filters, or all candidates refused the claim' },
  CLAIM_REFUSED: { nature: 'busy', means: 'the target host has not the room it was thought to have' },
  ADDRESS_EXHAUSTED: { nature: 'final', means: 'the allocation pool has no free address' },
  NOT_IMPLEMENTED: { nature: 'final', means: 'the API knows this operation, this version of Shoal does not' },
  // Mesh and consensus.
  NOT_LEADER: { nature: 'outage', means: 'another agent leads, or none does; the request was not applied' },
  NO_QUORUM: { nature: 'outage', means: 'too few voters answer to commit a write' },
  PROPOSAL_DROPPED: {
    nature: 'contention',
    means: 'the log refused the proposal before it was appended; safe to retry',
  },
  OUTCOME_UNKNOWN: {
    nature: 'uncertain',
    means: 'the write was sent and its fate is not known; retry with the same client token',
  },
  STALE: { nature: 'contention', means: 'only a stale answer is to be had and the caller asked for a fresh one' },
  NOT_IN_SLICE: {
    nature: 'contention',
    means: 'this host holds a part of the state, and what was asked for is not in it',
  },
  UNAVAILABLE: { nature: 'unreachable', means: 'a peer or a service cannot be reached now' },
  DEADLINE_EXCEEDED: { nature: 'unanswered', means: 'the time allowed ran out' },
  CANCELLED: { nature: 'abandoned', means: 'the caller gave up, or the agent is stopping' },
  TICKET_INVALID: { nature: 'final', means: 'the join ticket is malformed or was never issued by this mesh' },
  TICKET_USED: { nature: 'final', means: 'the join ticket has been used' },
  TICKET_EXPIRED: { nature: 'final', means: 'the join ticket has expired' },
  IDENTITY_MISMATCH: { nature: 'final', means: 'a peer is not who its certificate or record says' },
  STATE_DIVERGED: {
    nature: 'outage',
    means: 'the replicas do not hold the same state, and no majority holds one; nothing is written until one does',
  },
  // Storage of the log and the state.
  LOG_CORRUPT: { nature: 'final', means: 'an entry, the hard state or a record fails its checksum' },
  RECORD_UNREADABLE: { nature: 'final', means: 'a row of the state is no record of its table' },
  STORE_FAILED: { nature: 'final', means: 'LevelDB refused a read or a write' },
  // Hosts.
  COMMAND_FAILED: { nature: 'final', means: 'a program that a driver ran failed' },
  COMMAND_MISSING: { nature: 'final', means: 'a program that a driver needs is not installed' },
  DRIVER_FAILED: { nature: 'final', means: 'a driver could not do what it was asked' },
  CANNOT_TELL: { nature: 'unanswered', means: 'whether the thing exists could not be found out' },
  FENCE_UNPROVEN: { nature: 'unsafe', means: 'it is not proved that no other host writes this disk' },
  IMAGE_REFUSED: { nature: 'final', means: 'the image is not what it claims to be, or may do harm' },
  // Configuration.
  CONFIG_INVALID: { nature: 'final', means: 'the configuration has mistakes; all are listed' },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;

/** The name of one failure. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * Whether the failure may pass without anything being asked differently. False: the code is an answer, and the same question
 * would get the same one.
 */
export function isTransient(code: ErrorCode): boolean {
  return errorCodes[code].nature !== 'final';
}

/** Whether nothing can be written now by anybody, and nothing was. Part of `isUnrecorded`. */
export function isOutage(code: ErrorCode): boolean {
  return errorCodes[code].nature === 'outage';
}

/** Whether a write is not known to be in the replicated state, for a reason that lies in the state and not in the write. */
export function isUnrecorded(code: ErrorCode): boolean {
  const { nature } = errorCodes[code];
  return nature === 'outage' || nature === 'contention' || nature === 'uncertain';
}

/** Whether something was asked that did not answer: it cannot be reached, or says nothing in time. */
export function isUnanswered(code: ErrorCode): boolean {
  const { nature } = errorCodes[code];
  return nature === 'unreachable' || nature === 'unanswered';
}

/** Whether what was asked may have been done, or may still be, in spite of the failure. */
export function mayHaveHappened(code: ErrorCode): boolean {
  const { nature } = errorCodes[code];
  return nature === 'uncertain' || nature === 'unanswered' || nature === 'abandoned';
}

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

  /** Whether `caught` is a ShoalError with a code of which `holds` is true: `isTransient`, `isOutage`, ... */
  static of(caught: unknown, holds: (code: ErrorCode) => boolean): caught is ShoalError {
    return caught instanceof ShoalError && holds(caught.code);
  }
}
