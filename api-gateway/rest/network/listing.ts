/**
 * Neutron's lists: filters by attribute, `fields`, `sort_key`, `limit` with `marker`. They work on the answer's own views, so each
 * attribute that is shown can be asked for.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ownValue } from '../../../node/base/own-value.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { shown } from '../../kit/input.ts';
import { addList, type Listing, type ListStyle } from '../kit/lists/list.ts';
import type { Compare } from '../kit/lists/order.ts';
import { cutPage, pathWith, placeOf } from '../kit/lists/page.ts';
import { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { sortOrder } from '../kit/sort-order.ts';
import { isTrue, viewFilters } from './attribute-filters.ts';
import type { ListKeys } from './filters.ts';

/** One thing as it is answered. */
export type View = Readonly<Record<string, unknown>>;

/** A script that deletes what a filter finds must not be answered with everything: what is no filter is refused. */
const neutronLists: ListStyle = {
  reserved: new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir']),
  refuseUnknown(unknown) {
    throw badRequest(`[${unknown.map((key) => `'${shown(key)}'`).join(', ')}] is invalid attribute for filtering`);
  },
  page({ listing: { gateway, query }, items, idOf }) {
    const { pageItemsMax } = gateway.limits;
    const wanted = query.number('limit') ?? 0;
    const limit = wanted === 0 ? pageItemsMax : Math.min(wanted, pageItemsMax);
    const isReverse = isTrue(query.one('page_reverse') ?? 'false');
    const marker = query.one('marker');
    if (marker === undefined) return cutPage(items, { at: isReverse ? items.length : 0, limit, isReverse });
    const missing = (): Error => badRequest(`Marker ${shown(marker)} could not be found.`);
    const place = placeOf(items, idOf, marker, missing);
    return cutPage(items, { at: isReverse ? place : place + 1, limit, isReverse });
  },
  body({ listing: { gateway, request }, key, views, ids, page }) {
    const link = (rel: 'next' | 'previous'): object => {
      const marker = ids.at(rel === 'next' ? -1 : 0);
      const reverse = rel === 'previous' ? 'True' : undefined;
      const path = pathWith(request, { marker, limit: String(ids.length), page_reverse: reverse });
      return { rel, href: `${gateway.baseUrl(request)}${path}` };
    };
    const canGoOn = ids[0] !== undefined && ids[0] !== '';
    const links = canGoOn
      ? [...(page.hasNext ? [link('next')] : []), ...(page.hasPrevious ? [link('previous')] : [])]
      : [];
    return { [key]: views, ...(links.length === 0 ? {} : { [`${key}_links`]: links }) };
  },
};

/** One of Neutron's lists: what is shown of each thing, and by which attributes it can be asked for. */
interface NetworkList {
  readonly path: string;
  readonly key: string;
  readonly known: ListKeys;
  readonly isStateless?: boolean;
  views(listing: Listing): readonly View[] | Promise<readonly View[]>;
}

/** Adds `GET path`. */
export function addNetworkList(
  app: FastifyInstance,
  gateway: Gateway,
  { path, key, known, views, isStateless = false }: NetworkList,
): void {
  addList<View>(app, gateway, neutronLists, {
    path,
    key,
    isStateless,
    items: views,
    filters: ({ allows }) => viewFilters(known, allows),
    order: ({ query }, items) => orderOf(query, items),
    idOf: (view) => (typeof view['id'] === 'string' ? view['id'] : ''),
    view: (view, { query }) => pick(view, query.all('fields')),
  });
}

/** One thing's answer, with `fields` heeded. */
export function showAnswer(request: FastifyRequest, key: string, view: View): object {
  return { [key]: pick(view, Query.of(request).all('fields')) };
}

function pick(view: View, fields: readonly string[]): View {
  if (fields.length === 0) return view;
  const wanted = new Set(fields.flatMap((field) => field.split(',')));
  return Object.fromEntries(Object.entries(view).filter(([key]) => wanted.has(key)));
}

/** By the attributes that are asked for, then by id. An empty list has none to go by: then any name of the form is let pass. */
function orderOf(query: Query, views: readonly View[]): Compare<View> {
  const isKnown = (name: string): boolean =>
    views.length === 0 ? /^[a-z][a-z0-9_:-]*$/.test(name) : views.some((view) => Object.hasOwn(view, name));
  const order = sortOrder(query.all('sort_key'), query.all('sort_dir'), { fallback: 'asc', isKnown });
  return (a, b) => {
    for (const { key, isDescending } of order) {
      const difference = compare(ownValue(a, key), ownValue(b, key));
      if (difference !== 0) return isDescending ? -difference : difference;
    }
    return compare(a['id'], b['id']);
  };
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a ?? '');
  const right = String(b ?? '');
  return left < right ? -1 : left > right ? 1 : 0;
}
