/**
 * How a `ShoalError` crosses gRPC and comes out as the same `ShoalError`: its code in the trailer `shoal-code`, its facts
 * (towards peers only) in `shoal-facts-bin`. The gRPC status beside them is for clients that do not know Shoal.
 */
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type ErrorCode, type ErrorFacts, errorCodes, ShoalError } from '../base/errors.ts';

/** Trailer with the error's code. */
const codeTrailer = 'shoal-code';
/** Trailer with the error's facts, JSON in UTF-8. */
const factsTrailer = 'shoal-facts-bin';
/** Longest message sent, characters: trailers share HTTP/2's default 16 KiB for all headers. */
export const messageCharactersMax = 1024;
/** And facts, bytes. */
const factsBytesMax = 4096;

/** How errors are shown to callers. */
export interface ErrorView {
  /** The gRPC status for a code. */
  statusOf(code: ErrorCode): status;
  /** What callers are told in words. Default: the error's own message. */
  textOf?(error: ShoalError): string;
  /** Whether callers are told the facts. Peers are; users get what the gateway puts into the message. */
  readonly showFacts: boolean;
}

/** Between agents the code in the trailer decides, so one status does for all. */
export const peerErrorView: ErrorView = { statusOf: () => status.ABORTED, showFacts: true };

/** A named failure as grpc-js wants it. */
export function toStatus(
  error: ShoalError,
  view: ErrorView,
): { readonly code: status; readonly details: string; readonly metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set(codeTrailer, error.code);
  const facts = view.showFacts ? encodeFacts(error.facts) : undefined;
  if (facts !== undefined) metadata.set(factsTrailer, facts);
  const text = view.textOf?.(error) ?? error.message;
  return { code: view.statusOf(error.code), details: text.slice(0, messageCharactersMax), metadata };
}

/** What the other side meant. Failures that gRPC itself made get the nearest code. */
export function fromServiceError(error: ServiceError): ShoalError {
  const code = error.metadata?.get(codeTrailer)[0];
  if (typeof code === 'string' && isErrorCode(code)) {
    return new ShoalError(code, error.details, { facts: decodeFacts(error.metadata.get(factsTrailer)[0]) });
  }
  return new ShoalError(codeOfStatus(error.code), error.details === '' ? error.message : error.details, {
    cause: error,
  });
}

/** Whether `caught` is what grpc-js rejects or emits. */
export function isServiceError(caught: unknown): caught is ServiceError {
  return caught instanceof Error && 'code' in caught && typeof caught.code === 'number' && 'details' in caught;
}

function codeOfStatus(code: status): ErrorCode {
  switch (code) {
    case status.CANCELLED:
      return 'CANCELLED';
    case status.DEADLINE_EXCEEDED:
      return 'DEADLINE_EXCEEDED';
    case status.UNAVAILABLE:
      return 'UNAVAILABLE';
    case status.UNIMPLEMENTED:
      return 'NOT_IMPLEMENTED';
    case status.UNAUTHENTICATED:
      return 'UNAUTHENTICATED';
    case status.PERMISSION_DENIED:
      return 'FORBIDDEN';
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return 'INVALID_ARGUMENT';
    case status.NOT_FOUND:
      return 'NOT_FOUND';
    case status.RESOURCE_EXHAUSTED:
      return 'TOO_LARGE'; // The one case in which grpc-js says so itself: a message over the size limit.
    default:
      // The other side broke in the middle: it may have done all, some or none of what was asked.
      return 'OUTCOME_UNKNOWN';
  }
}

/** Whether this version knows such a code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

/** Facts as JSON in UTF-8, at most 4 KiB; undefined when there are none. */
export function encodeFacts(facts: ErrorFacts): Buffer | undefined {
  if (Object.keys(facts).length === 0) return undefined;
  let text: string;
  try {
    text = JSON.stringify(facts);
  } catch (caught) {
    // A fact that JSON cannot hold costs the facts, never the error itself.
    text = JSON.stringify({ factsLost: caught instanceof Error ? caught.message : 'not JSON' });
  }
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length > factsBytesMax ? Buffer.from('{"factsLost":"too large"}') : bytes;
}

/** What `encodeFacts` has made; from others whatever they sent is a fact, too. */
export function decodeFacts(value: string | Buffer | undefined): ErrorFacts {
  if (!Buffer.isBuffer(value)) return {};
  try {
    const parsed: unknown = JSON.parse(value.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // A peer that sends broken facts still sent its code; saying so is all that can be done.
  }
  return { factsLost: 'not JSON' };
}
