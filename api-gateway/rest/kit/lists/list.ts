/**
 * A list of a REST API is a declaration: which items there are, by what they can be filtered and ordered, how one is shown. How
 * a service's lists are paged, what their links look like and what becomes of a key that none of them has is the service's
 * `ListStyle`: Nova, Neutron, Keystone and Glance differ in that, and in nothing else. Who may ask is the route's rule
 * (`api-gateway/policies`); a part of the answer that has a rule of its own asks `listing.allows`.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { assert } from '../../../../node/base/assert.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import type { RequestContext } from '../../../../node/services/kit/context.ts';
import type { StateReader } from '../../../../node/state/types.ts';
import type { Gateway } from '../module.ts';
import type { Filter, Filters } from './filter.ts';
import type { Compare } from './order.ts';
import type { Page } from './page.ts';
import { Query } from './query.ts';

/** One request for a list, and all that its answer is made from. */
export interface Listing {
  readonly gateway: Gateway;
  readonly request: FastifyRequest;
  readonly query: Query;
  /** Of the path, by name. */
  readonly parameters: Readonly<Record<string, string>>;
  /** A broken invariant where the list says `isStateless`. */
  readonly reader: StateReader;
  readonly context: RequestContext;
  /** Whether a rule holds for the caller: `get_port:binding:host_id`. */
  readonly allows: (rule: string) => boolean;
}

/** One list. */
export interface List<T> {
  /** Key of the answer: `servers`. */
  readonly key: string;
  /** Asked before anything is read; throws what the request is refused with: a microversion that has no such list. */
  readonly before?: (request: FastifyRequest) => void;
  /** The list is made from no record, so that it waits for no quorum. Default: false. */
  readonly isStateless?: boolean;
  /** What there is for this caller, in the order of a list that the query does not order. */
  items(listing: Listing): readonly T[] | Promise<readonly T[]>;
  /** By key of the query. */
  filters(listing: Listing): Filters<T>;
  /** What holds of an item in every answer, whatever else is asked. A marker may name one of which it does not. */
  readonly where?: (listing: Listing) => ((item: T) => boolean) | undefined;
  /** For keys that are no names of ours, such as an image's own properties. Absent: there are none. */
  readonly otherFilter?: (key: string) => Filter<T> | undefined;
  /** The order that the query asks for. Absent, or undefined: that of `items`. */
  readonly order?: (listing: Listing, items: readonly T[]) => Compare<T> | undefined;
  /** What a marker names. */
  idOf(item: T, listing: Listing): string;
  view(item: T, listing: Listing): object;
  /** Whether this request's answer is a page. Absent: always. */
  readonly isPaged?: (listing: Listing) => boolean;
}

/** What a page is cut from. */
export interface Cut<T> {
  readonly listing: Listing;
  /** Filtered, in order. */
  readonly items: readonly T[];
  /** All that there is for the caller: a marker need not pass the filters. */
  readonly all: readonly T[];
  readonly idOf: (item: T) => string;
  readonly compare: Compare<T> | undefined;
}

/** What the lists of one service have in common. */
export interface ListStyle {
  /** Keys that choose page, order or fields, and no items. */
  readonly reserved: ReadonlySet<string>;
  /** Throws for a key that is no filter of the list, where the service refuses it; else it chooses nothing. */
  refuseUnknown(unknown: readonly string[], known: readonly string[]): void;
  page<T>(cut: Cut<T>): Page<T>;
  /** The answer around the views. */
  body(answer: {
    readonly listing: Listing;
    readonly key: string;
    readonly views: readonly object[];
    /** Ids of the page's items, in their order. */
    readonly ids: readonly string[];
    readonly page: Page<unknown>;
  }): object;
}

/** A request and the view that its answer is made from. */
async function listingOf(gateway: Gateway, request: FastifyRequest, isStateless: boolean): Promise<Listing> {
  const reader = isStateless ? undefined : await gateway.readState(request);
  return {
    gateway,
    request,
    query: Query.of(request),
    parameters: request.params as Readonly<Record<string, string>>,
    get reader() {
      assert(reader !== undefined, 'a list that says that it reads no state reads it');
      return reader;
    },
    context: gateway.context(request),
    allows: (rule) => gateway.allows(request, rule),
  };
}

/** Adds `GET path`. */
export function addList<T>(
  app: FastifyInstance,
  gateway: Gateway,
  style: ListStyle,
  list: List<T> & { readonly path: string },
): void {
  app.get(list.path, async (request) => {
    list.before?.(request);
    return listAnswer(style, await listingOf(gateway, request, list.isStateless === true), list);
  });
}

async function listAnswer<T>(style: ListStyle, listing: Listing, list: List<T>): Promise<object> {
  const holds = demandsOf(style, listing, list);
  const all = await list.items(listing);
  const found = all.filter((item) => holds.every((demand) => demand(item)));
  const compare = list.order?.(listing, all);
  const items = compare === undefined ? found : found.toSorted(compare);
  const idOf = (item: T): string => list.idOf(item, listing);
  const isPaged = list.isPaged?.(listing) ?? true;
  const page = isPaged
    ? style.page({ listing, items, all, idOf, compare })
    : { items, hasPrevious: false, hasNext: false };
  return style.body({
    listing,
    key: list.key,
    views: page.items.map((item) => list.view(item, listing)),
    ids: page.items.map(idOf),
    page,
  });
}

/** What the query demands of an item. Values are read before anything is looked up: a mistake in one costs nothing. */
function demandsOf<T>(style: ListStyle, listing: Listing, list: List<T>): readonly ((item: T) => boolean)[] {
  const { query } = listing;
  const filters = list.filters(listing);
  const keys = query.keys.filter((key) => !style.reserved.has(key));
  const filterOf = (key: string): Filter<T> | undefined => ownValue(filters, key) ?? list.otherFilter?.(key);
  const unknown = keys.filter((key) => filterOf(key) === undefined);
  if (unknown.length > 0) style.refuseUnknown(unknown, Object.keys(filters));
  const demands = keys.flatMap((key) => filterOf(key)?.(query.all(key), key) ?? []);
  return [list.where?.(listing) ?? [], demands].flat();
}
