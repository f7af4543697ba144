/** Nova's lists: an unknown key chooses nothing, unless `queries.ts` refuses it from some microversion on. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { shown } from '../../../kit/input.ts';
import { anyOf, type Filter, type Filters, once } from '../../kit/lists/filter.ts';
import { addList, type Cut, type List, type Listing, type ListStyle } from '../../kit/lists/list.ts';
import { cutPage, type Page, pathWith, placeOf } from '../../kit/lists/page.ts';
import type { Gateway } from '../../kit/module.ts';
import { type Microversion, microversionOf, requireMicroversion } from './microversion.ts';

/** `limit` and `marker`, with a link to the next page. A limit of 0 is an empty page. */
function markerPage<T>({ listing: { gateway, query }, items, idOf }: Cut<T>): Page<T> {
  const { pageItemsMax } = gateway.limits;
  const limit = Math.min(query.number('limit') ?? pageItemsMax, pageItemsMax);
  const marker = query.one('marker');
  if (marker === undefined) return cutPage(items, { at: 0, limit });
  const missing = (): Error => new ShoalError('INVALID_ARGUMENT', `marker [${shown(marker)}] not found`);
  return cutPage(items, { at: placeOf(items, idOf, marker, missing) + 1, limit });
}

/** `limit` and `offset`, without a link. A limit of 0 is none, as in Nova. */
function offsetPage<T>({ listing: { gateway, query }, items }: Cut<T>): Page<T> {
  const { pageItemsMax } = gateway.limits;
  const limit = query.number('limit') ?? 0;
  return cutPage(items, {
    at: query.number('offset') ?? 0,
    limit: limit === 0 ? pageItemsMax : Math.min(limit, pageItemsMax),
  });
}

/** @param linksKey names the place in an answer that says where its next page is; absent: it does not say. */
function novaLists(page: ListStyle['page'], linksKey?: (key: string) => string): ListStyle {
  return {
    reserved: new Set(['limit', 'marker', 'offset', 'sort_key', 'sort_dir']),
    refuseUnknown() {},
    page,
    body({ listing: { gateway, request }, key, views, ids, page: { hasNext } }) {
      if (linksKey === undefined || !hasNext) return { [key]: views };
      const href = `${gateway.baseUrl(request)}${pathWith(request, { marker: ids.at(-1) })}`;
      return { [key]: views, [linksKey(key)]: [{ rel: 'next', href }] };
    },
  };
}

const styles = {
  marker: novaLists(markerPage, (key) => `${key}_links`),
  offset: novaLists(offsetPage),
  // Early versions of Nova's images have pages, and no word of the next.
  'marker without links': novaLists(markerPage),
  // Of instance actions.
  'marker with links': novaLists(markerPage, () => 'links'),
} as const;

/** One of Nova's lists. */
export interface NovaList<T> extends Pick<List<T>, 'key' | 'items' | 'view' | 'where' | 'order' | 'idOf'> {
  readonly path: string;
  /** Microversions that have it, bounds included; 404 to others. Default: all. */
  readonly microversions?: { readonly from?: Microversion; readonly to?: Microversion };
  /** By key. Default: none. */
  readonly filters?: (listing: Listing) => Filters<T>;
  /** How it is paged; default: not at all. */
  readonly paging?: keyof typeof styles;
  /** From which microversion on; below, it is whole. Default: always. */
  readonly pagedFrom?: Microversion;
}

/** Adds `GET path`. */
export function addNovaList<T>(
  app: FastifyInstance,
  gateway: Gateway,
  { microversions, paging, pagedFrom, filters, ...list }: NovaList<T>,
): void {
  addList<T>(app, gateway, styles[paging ?? 'marker'], {
    ...list,
    ...(microversions === undefined ? {} : { before: (request) => requireMicroversion(request, microversions) }),
    filters: filters ?? (() => ({})),
    isPaged: ({ request }) => paging !== undefined && microversionOf(request) >= (pagedFrom ?? 1),
  });
}

/** What a value demands of an item. */
type One<T> = (value: string, key: string) => (item: T) => boolean;

/** A filter whose values are alternatives; an empty one chooses nothing. */
export function alternatives<T>(of: One<T>): Filter<T> {
  return anyOf((value, key) => (value === '' ? undefined : of(value, key)));
}

/** A filter that is a list by itself, or a bound, and is given once; an empty one chooses nothing. */
export function single<T>(of: One<T>): Filter<T> {
  return once((value, key) => (value === '' ? undefined : of(value, key)));
}
