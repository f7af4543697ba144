/**
 * Error bodies, each in the shape that clients of that service know. Everything that goes wrong, in a handler or before
 * one is found, comes out through here.
 */
import { STATUS_CODES } from 'node:http';
import type { ErrorCode } from '../../../node/base/errors.ts';

/** A failure on its way out. */
interface Fault {
  readonly status: number;
  /** Undefined: the HTTP layer refused it (unknown route, wrong method) or the fault is ours. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** The caller's Accept header; Glance heeds it. */
  readonly accept: string;
}

/** A written error body. */
interface FaultBody {
  readonly contentType: string;
  readonly payload: string;
}

/** How one service words its errors. */
export interface FaultStyle {
  /** Codes to which this service gives another HTTP status than the common map. */
  readonly statusOf: Partial<Record<ErrorCode, number>>;
  body(fault: Fault): FaultBody;
}

const json = (value: unknown): FaultBody => ({ contentType: 'application/json', payload: JSON.stringify(value) });

/** The standard phrase of a status, for example "Not Found". */
export function phrase(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

/** `{"error": {"code", "message", "title"}}`, also what the token check in front of the other services says. */
export const keystoneFaults: FaultStyle = {
  statusOf: {},
  body: (fault) => json({ error: { code: fault.status, message: fault.message, title: phrase(fault.status) } }),
};

/** `{"error": {"code", "title", "message", "reason"}}`: as Keystone's, with the native API's own code, as `NO_QUORUM`. */
export const nativeFaults: FaultStyle = {
  statusOf: {},
  body: ({ status, message, code }) =>
    json({ error: { code: status, title: phrase(status), message, ...(code === undefined ? {} : { reason: code }) } }),
};

const novaKeys: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** `{"badRequest": {"code", "message"}}`. */
export const novaFaults: FaultStyle = {
  statusOf: {},
  body(fault) {
    if (fault.status === 401) return keystoneFaults.body(fault);
    const retryAfter = fault.facts['retryAfterSeconds'];
    return json({
      [novaKeys[fault.status] ?? 'computeFault']: {
        code: fault.status,
        message: fault.message,
        ...(fault.status === 429 && typeof retryAfter === 'number' ? { retryAfter: String(retryAfter) } : {}),
      },
    });
  },
};

/** Nova's shape; over quota, and what is larger than it may be, is 413. */
export const cinderFaults: FaultStyle = {
  statusOf: { QUOTA_EXCEEDED: 413 },
  body: (fault) => novaFaults.body(fault),
};

/**
 * `{"NeutronError": {"type", "message", "detail"}}`. A service names the type in `facts.type` where clients look at it
 * (for example `IpAddressGenerationFailure`); otherwise it follows from the code and `facts.table`.
 */
export const neutronFaults: FaultStyle = {
  statusOf: { QUOTA_EXCEEDED: 409, NO_VALID_HOST: 503 },
  body(fault) {
    if (fault.status === 401) return keystoneFaults.body(fault);
    return json({ NeutronError: { type: neutronType(fault), message: fault.message, detail: '' } });
  },
};

function neutronType(fault: Fault): string {
  const given = fault.facts['type'];
  if (typeof given === 'string') return given;
  const table = fault.facts['table'];
  if (fault.code === 'NOT_FOUND' && typeof table === 'string') return `${pascalCase(table)}NotFound`;
  switch (fault.code) {
    case 'QUOTA_EXCEEDED':
      return 'OverQuota';
    case 'ADDRESS_EXHAUSTED':
      return 'IpAddressGenerationFailure';
    case 'FORBIDDEN':
      return 'PolicyNotAuthorized';
    case 'CONFLICT':
      return 'Conflict';
    case 'INVALID_ARGUMENT':
      return 'InvalidInput';
    default:
      return `HTTP${phrase(fault.status).replaceAll(' ', '')}`;
  }
}

function pascalCase(text: string): string {
  return text
    .split(/[-_ ]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** A page for people, as Glance answers, or the same as JSON when the caller asks for JSON. */
export const glanceFaults: FaultStyle = {
  statusOf: { NO_VALID_HOST: 503, QUOTA_EXCEEDED: 413 },
  body(fault) {
    const title = phrase(fault.status);
    if (/\bapplication\/json\b/.test(fault.accept)) {
      return json({ message: fault.message, code: `${fault.status} ${title}`, title });
    }
    const head = `${fault.status} ${title}`;
    return {
      contentType: 'text/html; charset=UTF-8',
      payload: `<html>\n <head>\n  <title>${head}</title>\n </head>\n <body>\n  <h1>${head}</h1>\n  ${escapeHtml(fault.message)}<br /><br />\n </body>\n</html>`,
    };
  },
};

/** `{"errors": [{"status", "title", "detail", "request_id"}]}`: Placement, and Nova's microversion refusals. */
export const placementFaults: FaultStyle = {
  statusOf: { NO_VALID_HOST: 409 },
  body: (fault) =>
    json({
      errors: [
        { status: fault.status, title: phrase(fault.status), detail: fault.message, request_id: fault.requestId },
      ],
    }),
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
