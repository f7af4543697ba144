/** The one way to cut a page out of a list that is filtered and in order. */
import type { FastifyRequest } from 'fastify';
import { targetOf } from '../request-target.ts';

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Whether the list goes on before and after it. */
  readonly hasPrevious: boolean;
  readonly hasNext: boolean;
  /** Items of the list as a whole, where the service tells it. */
  readonly total?: number;
}

/** What a query asks for: at most so many items from a place on, or up to it. */
interface PageAsked {
  /** Index of the first item; for `isReverse` the one after the last. */
  readonly at: number;
  readonly limit: number;
  readonly isReverse?: boolean;
}

/** Cuts the page. A place beyond the end gives an empty one. */
export function cutPage<T>(items: readonly T[], { at, limit, isReverse = false }: PageAsked): Page<T> {
  const start = isReverse ? Math.max(0, at - limit) : at;
  const end = isReverse ? at : Math.min(at + limit, items.length);
  const cut = items.slice(start, end);
  // An empty page, before the first or after the last, has nothing to go on from.
  return { items: cut, hasPrevious: cut.length > 0 && start > 0, hasNext: cut.length > 0 && end < items.length };
}

/** Where the item with this id stands; throws what `missing` makes when there is none. */
export function placeOf<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  marker: string,
  missing: () => Error,
): number {
  const at = items.findIndex((item) => idOf(item) === marker);
  if (at < 0) throw missing();
  return at;
}

/**
 * The request's path and query with some keys set or, where undefined, left out: where another page is. All else that was
 * asked for stays.
 */
export function pathWith(request: FastifyRequest, changes: Readonly<Record<string, string | undefined>>): string {
  const { path, query } = targetOf(request.url);
  const parameters = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) parameters.delete(key);
    else parameters.set(key, value);
  }
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}`;
}
