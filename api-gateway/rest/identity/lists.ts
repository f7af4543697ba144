/** Keystone's lists: by id, each key of the query once, an unknown one refused. */
import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import type { Table } from '../../../node/state/table.ts';
import { shown } from '../../kit/input.ts';
import { addCollection, type Collection } from '../kit/lists/collection.ts';
import { addList, type List, type Listing, type ListStyle } from '../kit/lists/list.ts';
import { cutPage, pathWith } from '../kit/lists/page.ts';
import type { Query } from '../kit/lists/query.ts';
import type { Gateway } from '../kit/module.ts';
import { type Filters, flag } from './filters.ts';

/**
 * `truncated` and `links.next` when there is more, as in Keystone; a marker is an id to go on after, and need not be there any
 * more. A filter that a list does not have is refused: a script that deletes what a filter finds must not be answered with
 * everything.
 */
const keystoneLists: ListStyle = {
  reserved: new Set(['limit', 'marker']),
  refuseUnknown([unknown = ''], known) {
    const names = known.filter((name) => !name.includes('__'));
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `Invalid query: this list has no filter ${shown(unknown)}. It has ${[...names, 'limit', 'marker'].join(', ')}.`,
    );
  },
  page({ listing: { gateway, query }, items, idOf }) {
    const marker = query.one('marker') ?? '';
    const limit = Math.min(limitOf(query.one('limit')), gateway.limits.pageItemsMax);
    const first = items.findIndex((item) => idOf(item) > marker);
    return cutPage(items, { at: first < 0 ? items.length : first, limit });
  },
  body({ listing: { gateway, request }, key, views, ids, page }) {
    const root = gateway.baseUrl(request);
    const next = page.hasNext ? `${root}${pathWith(request, { marker: ids.at(-1) })}` : null;
    return {
      [key]: views,
      links: { self: `${root}${request.url}`, previous: null, next },
      ...(page.hasNext ? { truncated: true } : {}),
    };
  },
};

function limitOf(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) === 0) {
    throw new ShoalError('INVALID_ARGUMENT', `Invalid limit '${shown(text)}': it is a number from 1 on.`);
  }
  return Number(text);
}

/** A list of identity: all but page and order, which are Keystone's. */
interface IdentityList<T> extends Pick<List<T>, 'key' | 'items' | 'view' | 'isStateless'> {
  readonly path: string;
  /** Default: none but the page. */
  readonly filters?: Filters<T>;
}

/** Adds `GET path`. */
export function addIdentityList<T extends { readonly id: string }>(
  app: FastifyInstance,
  gateway: Gateway,
  { filters = {}, ...list }: IdentityList<T>,
): void {
  addList<T>(app, gateway, keystoneLists, { ...list, ...ordered<T>(filters) });
}

/** A collection of identity: all but page and order, which are Keystone's. */
interface IdentityCollection<T extends { readonly id: string }>
  extends Pick<Collection<T>, 'path' | 'key' | 'one' | 'view' | 'create' | 'delete'> {
  readonly table: Table<T>;
  readonly filters: Filters<T>;
  readonly update: Collection<T>['create'];
}

/** Adds a table's records: the list, and `GET`, `POST`, `PATCH` and `DELETE` of one. */
export function addIdentityCollection<T extends { readonly id: string }>(
  app: FastifyInstance,
  gateway: Gateway,
  { table, filters, update, ...collection }: IdentityCollection<T>,
): void {
  addCollection<T>(app, gateway, keystoneLists, {
    ...collection,
    ...ordered<T>(filters),
    items: ({ reader }) => table.list(reader).map((row) => row.record),
    find: (reader, id) => table.must(reader, id).record,
    ...(update === undefined ? {} : { update: { ...update, method: 'PATCH' } }),
  });
}

/** Keystone's order, and what a marker names. */
function ordered<T extends { readonly id: string }>(filters: Filters<T>): Pick<List<T>, 'filters' | 'order' | 'idOf'> {
  return {
    filters: () => filters,
    order: () => (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    idOf: (item) => item.id,
  };
}

/** `{base}/identity`, for the links of views. */
export function rootOf({ gateway, request }: Pick<Listing, 'gateway' | 'request'>): string {
  return `${gateway.baseUrl(request)}/identity`;
}

/** Whether a flag of a query is given and true. Throws `INVALID_ARGUMENT` for a value that is no flag. */
export function isAsked(query: Query, key: string): boolean {
  const text = query.one(key);
  return text !== undefined && flag(text, key);
}
