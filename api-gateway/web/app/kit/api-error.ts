/** What a request came to that did not do what it was to do. */

/** See above. `status` 0: no agent answered. */
export class ApiError extends Error {
  readonly status: number;
  /** For the operator's logs; empty when no agent answered. */
  readonly requestId: string;

  constructor(status: number, message: string, requestId: string) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.requestId = requestId;
  }
}

/** What anything that was thrown says to people. */
export function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.requestId !== '') return `${error.message} (${error.requestId})`;
  return error instanceof Error ? error.message : String(error);
}

/** The sentence in an answer of any service: Nova, Cinder, Neutron, Glance and Keystone each wrap theirs their own way. */
export function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if ('message' in body && typeof body.message === 'string') return body.message;
  for (const inner of Object.values(body)) {
    if (typeof inner === 'string') return inner;
    const found = messageIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
