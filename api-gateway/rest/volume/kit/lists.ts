/** Cinder's lists: pages by `limit`, `marker` and `offset`, order by `sort` or `sort_key`, filters by name, and `~` for a part. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ShoalError } from '../../../../node/base/errors.ts';
import { ownValue } from '../../../../node/base/own-value.ts';
import { shown } from '../../../kit/input.ts';
import { anyOf, type Filter, type Filters, once } from '../../kit/lists/filter.ts';
import { readInstant } from '../../kit/lists/instant.ts';
import { addList, type Cut, type List, type Listing, type ListStyle } from '../../kit/lists/list.ts';
import { type Compare, orderByKeys } from '../../kit/lists/order.ts';
import { cutPage, type Page, pathWith, placeOf } from '../../kit/lists/page.ts';
import { Query } from '../../kit/lists/query.ts';
import type { Gateway } from '../../kit/module.ts';
import { flagOf, linkTo, volumePath } from './common.ts';
import { parseFlatMap } from './flat-map.ts';
import { type Microversion, microversionOf, requireMicroversion } from './microversion.ts';

/** From here on a key that is no filter is refused; before, it chooses nothing. */
const refusesUnknownFrom = 31;
/** From here on `name~=a` finds each name that has an `a` in it. */
const partsFrom = 34;
/** From here on `with_count=True` tells how many there are beside the page. */
const countsFrom = 45;

/** Without an order a list is in that of creation, the newest first. */
const ordinary = { key: 'created_at', direction: 'desc' } as const;

function page<T>({ listing: { gateway, query, request }, items, idOf }: Cut<T>): Page<T> & { readonly total?: number } {
  const { pageItemsMax } = gateway.limits;
  const limit = Math.min(query.number('limit') ?? pageItemsMax, pageItemsMax);
  const marker = query.one('marker');
  const missing = (): Error =>
    new ShoalError('NOT_FOUND', `marker ${shown(marker ?? '')} could not be found in this list.`);
  const start = marker === undefined ? 0 : placeOf(items, idOf, marker, missing) + 1;
  const wantsCount = query.one('with_count');
  const isCounted =
    wantsCount !== undefined && microversionOf(request) >= countsFrom && flagOf('with_count', wantsCount);
  const cut = cutPage(items, { at: start + (query.number('offset') ?? 0), limit });
  return {
    ...cut,
    // As in Cinder a page that is as long as was asked for leads on, even if the next one is empty: clients look for it.
    hasNext: cut.hasNext || (query.one('limit') !== undefined && cut.items.length === limit && limit > 0),
    ...(isCounted ? { total: items.length } : {}),
  };
}

const style: ListStyle = {
  reserved: new Set(['limit', 'marker', 'offset', 'sort', 'sort_key', 'sort_dir', 'all_tenants', 'with_count']),
  refuseUnknown() {},
  page,
  body({ listing: { gateway, request }, key, views, ids, page: { hasNext, total } }) {
    const target = pathWith(request, { marker: ids.at(-1), offset: undefined });
    const next = linkTo(gateway, request, target.slice(volumePath.length));
    return {
      [key]: views,
      ...(hasNext ? { [`${key}_links`]: [{ rel: 'next', href: next }] } : {}),
      ...(total === undefined ? {} : { count: total }),
    };
  },
};

/** What a list can be ordered by. */
type SortValues<T> = Readonly<Record<string, (item: T) => string | number>>;

/** One of Cinder's lists. */
interface CinderList<T> extends Pick<List<T>, 'key' | 'items' | 'view' | 'idOf'> {
  readonly path: string;
  /** The first microversion that has it; 404 to earlier ones. Default: all have it. */
  readonly from?: Microversion;
  readonly filters?: (listing: Listing) => Filters<T>;
  /** By key. Default: the order of `items`. */
  readonly sortValues?: SortValues<T>;
  /** Keys that only the full form has, and that choose nothing: `is_public`, which `items` reads. */
  readonly alsoReads?: readonly string[];
  /** The whole list is one answer. */
  readonly isWhole?: boolean;
}

/** Adds `GET path`. */
export function addCinderList<T>(
  app: FastifyInstance,
  gateway: Gateway,
  { from, filters, sortValues, alsoReads = [], isWhole, ...list }: CinderList<T>,
): void {
  const reserved = new Set([...style.reserved, ...alsoReads]);
  addList<T>(
    app,
    gateway,
    { ...style, reserved },
    {
      ...list,
      before: (request) => {
        if (from !== undefined) requireMicroversion(request, { from });
        readOnlyOnce(request);
      },
      filters: (listing) => {
        const known = filters?.(listing) ?? {};
        refuseUnknown(listing, known, reserved);
        return known;
      },
      ...(sortValues === undefined ? {} : { order: ({ query }: Listing) => orderOf<T>(query, sortValues) }),
      isPaged: () => isWhole !== true,
    },
  );
}

/** `all_tenants` is read by services' lists; a value that is no flag is refused where no list reads it, too. */
function readOnlyOnce(request: FastifyRequest): void {
  wantsAllProjects(Query.of(request));
}

/** Whether the things of all projects are asked for. Cinder takes no value at all for yes. */
export function wantsAllProjects(query: Query): boolean {
  const text = query.one('all_tenants');
  return text !== undefined && (text === '' || flagOf('all_tenants', text));
}

function refuseUnknown({ query, request }: Listing, known: object, reserved: ReadonlySet<string>): void {
  if (microversionOf(request) < refusesUnknownFrom) return;
  const unknown = query.keys.filter((key) => !reserved.has(key) && !Object.hasOwn(known, key));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, 5).map(shown).join(', ');
  throw new ShoalError('INVALID_ARGUMENT', `Invalid filters ${names} are found in query options.`);
}

/** `sort=a:asc,b` or `sort_key` and `sort_dir`, never both; a direction that is not named is downwards. */
function orderOf<T>(query: Query, values: SortValues<T>): Compare<T> | undefined {
  const sort = query.one('sort');
  const byPair = query.all('sort_key').length > 0 || query.all('sort_dir').length > 0;
  if (sort !== undefined && byPair) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      "The 'sort_key' and 'sort_dir' parameters are deprecated and cannot be used with the 'sort' parameter.",
    );
  }
  const pairs = sort === undefined ? pairsOf(query) : sort.split(',').map((pair) => pair.trim().split(':'));
  return orderByKeys(
    {
      keys: pairs.map(([key = '']) => canonical(key)),
      directions: pairs.map(([, direction = '']) => (direction === '' ? 'desc' : direction)),
    },
    { values, fallback: 'desc', byDefault: [ordinary.key].filter((key) => Object.hasOwn(values, key)) },
  );
}

function pairsOf(query: Query): readonly (readonly string[])[] {
  const keys = query.all('sort_key').flatMap((text) => text.split(','));
  const directions = query.all('sort_dir').flatMap((text) => text.split(','));
  if (keys.length === 0 && directions.length > 0) return directions.map((direction) => [ordinary.key, direction]);
  if (directions.length > keys.length)
    throw new ShoalError('INVALID_ARGUMENT', 'Sort direction array size exceeds sort key array size.');
  // One direction stands for all keys, as in Cinder.
  return keys.map((key, at) => [key.trim(), directions[at] ?? directions[0] ?? 'desc']);
}

/** Names from the first version of the API. */
const olderNames: ReadonlyMap<string, string> = new Map([
  ['display_name', 'name'],
  ['display_description', 'description'],
]);

function canonical(key: string): string {
  return olderNames.get(key) ?? key;
}

/** A text that is to be this, and from 3.34 on, as `key~`, one that is to be in it. */
export function textFilters<T>({ request }: Listing, texts: Readonly<Record<string, (item: T) => string>>): Filters<T> {
  const exact = Object.entries(texts).map(([key, of]) => [key, anyOf<T>((value) => (item) => of(item) === value)]);
  if (microversionOf(request) < partsFrom) return Object.fromEntries(exact);
  const parts = Object.entries(texts).map(([key, of]) => [
    `${key}~`,
    anyOf<T>((value) => (item) => of(item).toLowerCase().includes(value.toLowerCase())),
  ]);
  return Object.fromEntries([...exact, ...parts]);
}

/** A flag. */
export function flagFilter<T>(of: (item: T) => boolean): Filter<T> {
  return once((value, key) => {
    const wanted = flagOf(key, value);
    return (item) => of(item) === wanted;
  });
}

/** `{'k': 'v'}`: items that have each pair. What is no map fits nothing, as in Cinder. */
export function mapFilter<T>(of: (item: T) => Readonly<Record<string, string>>): Filter<T> {
  return once((value, key) => {
    const wanted = parseFlatMap(value);
    if (wanted === undefined)
      throw new ShoalError('INVALID_ARGUMENT', `Invalid ${key}: it is a map, as {'key': 'value'}.`);
    return (item) => {
      const own = of(item);
      return [...wanted].every(([name, text]) => ownValue(own, name) === text);
    };
  });
}

/** `gte:2024-01-01T00:00:00,lt:2025-01-01`: instants between bounds, from 3.60 on; else no filter. */
export function timeFilters<T>({ request }: Listing, times: Readonly<Record<string, (item: T) => number>>): Filters<T> {
  if (microversionOf(request) < 60) return {};
  return Object.fromEntries(
    Object.entries(times).map(([key, of]) => [
      key,
      once<T>((value) => {
        const bounds = value.split(',').map((text) => boundOf(key, text));
        return (item) => bounds.every((holds) => holds(of(item)));
      }),
    ]),
  );
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  eq: (a, b) => a === b,
  neq: (a, b) => a !== b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

function boundOf(key: string, text: string): (ms: number) => boolean {
  const [, word = 'eq', instant = ''] = /^(?:([a-z]+):)?(.+)$/.exec(text.trim()) ?? [];
  const compare = ownValue(comparisons, word);
  const ms = readInstant(instant);
  if (compare === undefined || ms === undefined) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `Invalid ${key} '${shown(text)}': it is gt, gte, eq, neq, lt or lte, a colon and a time in ISO 8601.`,
    );
  }
  return (own) => compare(own, ms);
}

/** Both forms of a list: brief at `path`, whole at `path/detail`. */
export function addBothLists<T>(
  app: FastifyInstance,
  gateway: Gateway,
  list: Omit<CinderList<T>, 'view'> & { readonly brief: List<T>['view']; readonly whole: List<T>['view'] },
): void {
  const { brief, whole, ...rest } = list;
  addCinderList(app, gateway, { ...rest, view: brief });
  addCinderList(app, gateway, { ...rest, path: `${list.path}/detail`, view: whole });
}

/** For `items`: what the caller's list is made from. */
export function scopeOf({ query, allows }: Listing): { readonly allProjects: boolean } {
  return { allProjects: wantsAllProjects(query) && allows('volume:get_all:all_projects') };
}
