/** Requests to the agent that served the page. */
import { signal } from '@preact/signals';
import { ApiError, messageIn } from './api-error.ts';
import { texts } from './texts.ts';
import { token } from './token.ts';

/** What answers said of themselves last. */
interface Freshness {
  /** Seconds since the agent last had a confirmed view; `true`: it never had one; undefined: the answer is confirmed. */
  readonly stale: string | undefined;
  /** Answered from a part of the records. */
  readonly partial: boolean;
  readonly isReached: boolean;
}

/** See above. The banner shows it. */
export const freshness = signal<Freshness>({ stale: undefined, partial: false, isReached: true });

/** Versions of the services that the page speaks, by the beginning of the path. */
const versions: readonly (readonly [string, string])[] = [
  ['/compute/', 'compute 2.96'],
  ['/volume/', 'volume 3.70'],
];

interface Asked {
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Asked without the token that there is. */
  readonly isAnonymous?: boolean;
}

/** An answer with its headers. */
interface Answer<T> {
  readonly body: T;
  readonly headers: Headers;
}

/** Sends one request; throws `ApiError` unless the answer is 2xx. An empty answer's body is undefined. */
export async function askWithHeaders<T>(method: string, path: string, asked: Asked = {}): Promise<Answer<T>> {
  const response = await send(method, path, asked);
  const text = await response.text();
  const body: unknown = text === '' ? undefined : parsed(text);
  if (response.ok) return { body: body as T, headers: response.headers };
  if (response.status === 401 && token.value !== undefined && asked.isAnonymous !== true) token.value = undefined;
  const requestId = response.headers.get('x-openstack-request-id') ?? '';
  throw new ApiError(response.status, messageIn(body) ?? texts.errors.status(response.status), requestId);
}

/** As `askWithHeaders`, for who needs the body alone. */
export async function ask<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
  return (await askWithHeaders<T>(method, path, asked)).body;
}

/** `GET`, as JSON. */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>('GET', path, signal === undefined ? {} : { signal });
}

async function send(method: string, path: string, asked: Asked): Promise<Response> {
  const headers = new Headers({ accept: 'application/json', ...asked.headers });
  const held = token.value;
  if (held !== undefined && asked.isAnonymous !== true) headers.set('x-auth-token', held);
  const version = versions.find(([prefix]) => path.startsWith(prefix));
  if (version !== undefined && !headers.has('openstack-api-version')) headers.set('openstack-api-version', version[1]);
  const init: RequestInit = { method, headers, signal: asked.signal ?? null, credentials: 'same-origin' };
  if (asked.body !== undefined) {
    headers.set('content-type', 'application/json');
    init.body = JSON.stringify(asked.body);
  }
  try {
    const response = await fetch(path, init);
    tell({
      stale: response.headers.get('x-shoal-stale') ?? undefined,
      partial: response.headers.get('x-shoal-partial') === 'true',
      isReached: true,
    });
    return response;
  } catch (error) {
    if (asked.signal?.aborted === true) throw error;
    tell({ ...freshness.value, isReached: false });
    throw new ApiError(0, texts.errors.unreachable, '');
  }
}

function tell(next: Freshness): void {
  const now = freshness.value;
  if (now.stale !== next.stale || now.partial !== next.partial || now.isReached !== next.isReached)
    freshness.value = next;
}

/** A body that is no JSON is shown to nobody: a proxy's page, mostly. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
