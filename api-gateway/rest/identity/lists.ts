import type { FastifyRequest } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import { targetOf } from '../kit/request-target.ts';
import { parse } from '../kit/validation.ts';
import { type Filters, flag, rule } from './filters.ts';
import { listQuery } from './schemas.ts';

/** What a list answers with: `filters` are all that its query may name, besides `limit` and `marker`. */
interface List<T extends { readonly id: string }> {
  /** The key of the answer, for example `projects`. */
  readonly key: string;
  readonly items: readonly T[];
  readonly filters: Filters<T>;
  readonly view: (item: T) => object;
}

/**
 * The query of a request, each key once. Throws `INVALID_ARGUMENT` for a repeated key: which of the two is meant, nobody
 * knows.
 */
export function queryOf(request: FastifyRequest): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const [key, value] of Object.entries(parse(listQuery, request.query, 'query'))) {
    if (typeof value !== 'string') {
      throw new ShoalError('INVALID_ARGUMENT', `Invalid query: ${shown(key)} is given more than once.`);
    }
    query.set(key, value);
  }
  return query;
}

/** Whether a flag of a query is given and true. Throws `INVALID_ARGUMENT` for a value that is no flag. */
export function isAsked(query: ReadonlyMap<string, string>, key: string): boolean {
  const text = query.get(key);
  return text !== undefined && flag(text, key);
}

/**
 * A list answer: what the query lets through, by id, at most a page of it. `truncated` and `links.next` when there is more,
 * as in Keystone. Throws `INVALID_ARGUMENT` for a filter that this list does not have: a script that deletes what a
 * filter finds must not be answered with everything.
 */
export function listAnswer<T extends { readonly id: string }>(
  gateway: Gateway,
  request: FastifyRequest,
  { key, items, filters, view }: List<T>,
): object {
  const query = queryOf(request);
  const rules = [...query]
    .filter(([name]) => name !== 'limit' && name !== 'marker')
    .map(([name, text]) => rule(filters, name, text));
  const limit = Math.min(limitOf(query.get('limit')), gateway.limits.pageItemsMax);
  const marker = query.get('marker') ?? '';
  const found = items
    .filter((item) => item.id > marker && rules.every((holds) => holds(item)))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const page = found.slice(0, limit);
  const root = `${gateway.baseUrl(request)}`;
  const last = page.at(-1);
  const isMore = found.length > limit && last !== undefined;
  return {
    [key]: page.map(view),
    links: {
      self: `${root}${request.url}`,
      previous: null,
      next: isMore ? `${root}${nextOf(request.url, last.id)}` : null,
    },
    ...(isMore ? { truncated: true } : {}),
  };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid limit '${shown(text)}': it is a number from 1 on.`);
  }
  return Number(text);
}

function nextOf(url: string, marker: string): string {
  const { path, query } = targetOf(url);
  const parameters = new URLSearchParams(query);
  parameters.set('marker', marker);
  return `${path}?${parameters.toString()}`;
}
