/** The one map from what failed to what callers are told. Both gateways read it; a test walks every code. */
import { status as grpcStatus } from '@grpc/grpc-js';
import { AssertionError } from '../../node/base/assert.ts';
import { type ErrorCode, isTransient, ShoalError } from '../../node/base/errors.ts';

/** What one code means on each wire. */
interface ErrorMapping {
  readonly grpc: grpcStatus;
  readonly http: number;
}

const map = (grpc: grpcStatus, http: number): ErrorMapping => ({ grpc, http });

/**
 * Code to gRPC status and HTTP status. A service's own habits (Neutron says 409 to a quota, Nova 403) are
 * `FaultStyle.statusOf` in rest/kit/faults.ts.
 */
export const errorMappings: Readonly<Record<ErrorCode, ErrorMapping>> = {
  INVALID_ARGUMENT: map(grpcStatus.INVALID_ARGUMENT, 400),
  UNAUTHENTICATED: map(grpcStatus.UNAUTHENTICATED, 401),
  FORBIDDEN: map(grpcStatus.PERMISSION_DENIED, 403),
  NOT_FOUND: map(grpcStatus.NOT_FOUND, 404),
  CONFLICT: map(grpcStatus.FAILED_PRECONDITION, 409),
  PRECONDITION_CHANGED: map(grpcStatus.ABORTED, 409),
  PRECONDITION_FAILED: map(grpcStatus.FAILED_PRECONDITION, 412),
  QUOTA_EXCEEDED: map(grpcStatus.RESOURCE_EXHAUSTED, 403),
  TOO_LARGE: map(grpcStatus.OUT_OF_RANGE, 413),
  RATE_LIMITED: map(grpcStatus.RESOURCE_EXHAUSTED, 429),
  // What Nova answers where it finds out while the caller waits.
  NO_VALID_HOST: map(grpcStatus.RESOURCE_EXHAUSTED, 400),
  CLAIM_REFUSED: map(grpcStatus.ABORTED, 409),
  ADDRESS_EXHAUSTED: map(grpcStatus.RESOURCE_EXHAUSTED, 409),
  NOT_IMPLEMENTED: map(grpcStatus.UNIMPLEMENTED, 501),
  NOT_LEADER: map(grpcStatus.UNAVAILABLE, 503),
  NO_QUORUM: map(grpcStatus.UNAVAILABLE, 503),
  PROPOSAL_DROPPED: map(grpcStatus.UNAVAILABLE, 503),
  STATE_DIVERGED: map(grpcStatus.FAILED_PRECONDITION, 503),
  // Not 503: clients repeat a 503 by themselves, and without a client token a repeat may do the thing twice.
  OUTCOME_UNKNOWN: map(grpcStatus.UNKNOWN, 504),
  // Aborted: the caller lists again and watches from there.
  STALE: map(grpcStatus.ABORTED, 503),
  NOT_IN_SLICE: map(grpcStatus.UNAVAILABLE, 503),
  UNAVAILABLE: map(grpcStatus.UNAVAILABLE, 503),
  DEADLINE_EXCEEDED: map(grpcStatus.DEADLINE_EXCEEDED, 504),
  CANCELLED: map(grpcStatus.CANCELLED, 503),
  TICKET_INVALID: map(grpcStatus.PERMISSION_DENIED, 403),
  TICKET_USED: map(grpcStatus.PERMISSION_DENIED, 403),
  TICKET_EXPIRED: map(grpcStatus.PERMISSION_DENIED, 403),
  IDENTITY_MISMATCH: map(grpcStatus.PERMISSION_DENIED, 403),
  LOG_CORRUPT: map(grpcStatus.DATA_LOSS, 500),
  RECORD_UNREADABLE: map(grpcStatus.DATA_LOSS, 500),
  STORE_FAILED: map(grpcStatus.INTERNAL, 500),
  COMMAND_FAILED: map(grpcStatus.INTERNAL, 500),
  COMMAND_MISSING: map(grpcStatus.INTERNAL, 500),
  DRIVER_FAILED: map(grpcStatus.INTERNAL, 500),
  CANNOT_TELL: map(grpcStatus.UNAVAILABLE, 503),
  FENCE_UNPROVEN: map(grpcStatus.FAILED_PRECONDITION, 409),
  IMAGE_REFUSED: map(grpcStatus.INVALID_ARGUMENT, 400),
  CONFIG_INVALID: map(grpcStatus.INTERNAL, 500),
};

/** Transient, and yet nobody gets on by repeating it: people must look, or a host come back. */
const waitingForPeople: ReadonlySet<ErrorCode> = new Set(['STATE_DIVERGED', 'FENCE_UNPROVEN']);

/** Whether the same request may be sent again as it is (with the same client token, if it has one) and may then succeed. */
export function isRepeatable(code: ErrorCode): boolean {
  return isTransient(code) && !waitingForPeople.has(code);
}

/** Something caught, as far as callers may know it. */
interface Failure {
  /** Undefined: something that no code names, hence a fault of ours. */
  readonly code: ErrorCode | undefined;
  readonly mapping: ErrorMapping;
  /** Safe to show: the error's own words, or a sentence without detail when the fault is ours. */
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** A broken invariant: the agent is not to be trusted any longer. */
  readonly invariantBroken: boolean;
}

/** What was asked for is nobody's business to hear by its key. */
const notInSlice =
  'This agent holds a part of the records, what was asked for is not in it, and no replica can be asked now. Try again, or ask another agent.';

const internal = map(grpcStatus.INTERNAL, 500);

/**
 * Reads anything caught. What is wrong inside (status 500) is for the log, never for the caller; but for a record that cannot
 * be read, which only an administrator can do something about.
 */
export function failureOf(caught: unknown): Failure {
  if (caught instanceof ShoalError) {
    const mapping = errorMappings[caught.code];
    const isForTheLog = mapping.http === 500 && caught.code !== 'RECORD_UNREADABLE';
    const message = isForTheLog
      ? 'Something inside this agent failed; its log has the details.'
      : caught.code === 'NOT_IN_SLICE'
        ? notInSlice
        : caught.message;
    return { code: caught.code, mapping, message, facts: caught.facts, invariantBroken: false };
  }
  return {
    code: undefined,
    mapping: internal,
    message: 'Something inside this agent failed; its log has the details.',
    facts: {},
    invariantBroken: caught instanceof AssertionError,
  };
}
