/** What the compute routes share: who may write, links, times, pages. */
import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import { shown } from '../../../kit/input.ts';
import type { Gateway } from '../../kit/module.ts';
import { targetOf } from '../../kit/request-target.ts';
import { wholeNumber } from '../../kit/whole-number.ts';

/** One thing as it is answered. */
export type View = Readonly<Record<string, unknown>>;

/** Who asks, and the view that the answer is made from. */
export async function viewingOf(
  gateway: Gateway,
  request: FastifyRequest,
): Promise<{ readonly context: RequestContext; readonly reader: StateReader }> {
  return { context: gateway.context(request), reader: await gateway.readState(request) };
}

/** `{base}/compute`. */
export function rootOf(gateway: Gateway, request: FastifyRequest): string {
  return `${gateway.baseUrl(request)}/compute`;
}

/** The two links that Nova gives each thing: with the version and without. */
export function linksOf(root: string, path: string): readonly object[] {
  return [
    { rel: 'self', href: `${root}/v2.1/${path}` },
    { rel: 'bookmark', href: `${root}/${path}` },
  ];
}

/** Nova's form: whole seconds, UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

/** The form of launched_at and of services: microseconds, no zone. */
export function plainTimeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000`;
}

/** All values of a query's key, in their order. */
export function queryValues(request: FastifyRequest, key: string): readonly string[] {
  const query = request.query as Readonly<Record<string, string | readonly string[] | undefined>>;
  const value = ownValue(query, key);
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
}

/** The value of a key that can have one. Throws `INVALID_ARGUMENT` when it stands several times: which one is meant? */
export function queryValue(request: FastifyRequest, key: string): string | undefined {
  const values = queryValues(request, key);
  if (values.length > 1)
    throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${key} stands ${values.length} times.`);
  return values[0];
}

/** Nova's reading of a flag; undefined when it is none. */
export function readFlag(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'true', 'on', 'y', 'yes', ''].includes(text.toLowerCase())) return true;
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(text.toLowerCase())) return false;
  return undefined;
}

/** The number that a key gives, from 0 on; undefined without it. Throws `INVALID_ARGUMENT`. */
export function queryNumber(request: FastifyRequest, key: string): number | undefined {
  const text = queryValue(request, key);
  return text === undefined ? undefined : wholeNumber(key, text);
}

/** One page by `offset` and `limit`, without a link. As in Nova a limit of 0 is none, unlike that of `pageOf`. */
export function offsetPageOf<T>(gateway: Gateway, request: FastifyRequest, items: readonly T[]): readonly T[] {
  const { pageItemsMax } = gateway.limits;
  const offset = queryNumber(request, 'offset') ?? 0;
  const limit = queryNumber(request, 'limit') ?? 0;
  return items.slice(offset, offset + (limit === 0 ? pageItemsMax : Math.min(limit, pageItemsMax)));
}

/** One page by `limit` and `marker`, with a link to the next when there is more. */
export function pageOf<T>(
  gateway: Gateway,
  request: FastifyRequest,
  items: readonly T[],
  idOf: (item: T) => string,
): { readonly page: readonly T[]; readonly links: readonly object[] } {
  const wanted = queryNumber(request, 'limit') ?? gateway.limits.pageItemsMax;
  const limit = Math.min(wanted, gateway.limits.pageItemsMax);
  const marker = queryValue(request, 'marker');
  const at = marker === undefined ? -1 : items.findIndex((item) => idOf(item) === marker);
  if (marker !== undefined && at < 0) throw new ShoalError('INVALID_ARGUMENT', `marker [${shown(marker)}] not found`);
  const page = items.slice(at + 1, at + 1 + limit);
  const last = page.at(-1);
  if (last === undefined || items.length <= at + 1 + limit) return { page, links: [] };
  const { path, query } = targetOf(request.url);
  const next = new URLSearchParams(query);
  next.set('marker', idOf(last));
  return { page, links: [{ rel: 'next', href: `${gateway.baseUrl(request)}${path}?${next.toString()}` }] };
}
