/**
 * Lists as Neutron gives them: filters by attribute, `fields`, `sort_key`, `limit` with `marker`. They work on the
 * answer's own views, so each attribute that is shown can be asked for.
 */
import type { FastifyRequest } from 'fastify';
import { ownValue } from '../../../node/base/own-value.ts';
import { badRequest } from '../../../node/services/kit/network-refusals.ts';
import { shown } from '../../kit/input.ts';
import type { Gateway } from '../kit/module.ts';
import { targetOf } from '../kit/request-target.ts';
import { sortOrder } from '../kit/sort-order.ts';
import { wholeNumber } from '../kit/whole-number.ts';
import type { ListKeys } from './filters.ts';

/** One thing as it is answered. */
export type View = Readonly<Record<string, unknown>>;

/** Query keys that choose nothing. */
const paging = new Set(['fields', 'limit', 'marker', 'page_reverse', 'sort_key', 'sort_dir']);
/** Query keys that are no attributes, or are not compared as such. */
const reserved = new Set([...paging, 'tags', 'tags-any', 'not-tags', 'not-tags-any', 'changed_since']);
/** Values of one query, all keys together: what fits a request line many times over. */
const valuesMax = 1000;

/** A query's values by key: each key may stand several times. */
export type Query = ReadonlyMap<string, readonly string[]>;

/**
 * The query as it stands in the URL, decoded, keys in their order. Throws `INVALID_ARGUMENT` for more than `valuesMax`
 * values.
 */
export function queryOf(request: FastifyRequest): Query {
  const query = new Map<string, string[]>();
  const params = new URLSearchParams(targetOf(request.url).query);
  let count = 0;
  for (const [key, value] of params) {
    count++;
    if (count > valuesMax) throw badRequest('The query has too many values.');
    const values = query.get(key) ?? [];
    values.push(value);
    query.set(key, values);
  }
  return query;
}

/** The list's answer: filtered, sorted, one page, with links to the next and the previous one where there is more. */
export function listAnswer(
  gateway: Gateway,
  request: FastifyRequest,
  { key, views, known }: { readonly key: string; readonly views: readonly View[]; readonly known: ListKeys },
): object {
  const query = queryOf(request);
  const allows = (rule: string): boolean => gateway.allows(request, rule);
  checkKeys(query, known, allows);
  const matching = views.filter((view) => matches(view, query));
  // An empty list has no attributes to go by: then any name of the form is let pass.
  const isKnown = (name: string): boolean =>
    views.length === 0 ? /^[a-z][a-z0-9_:-]*$/.test(name) : views.some((view) => Object.hasOwn(view, name));
  const sorted = sortViews(matching, query, isKnown);
  const { page, hasPrevious, hasNext } = pageOf(sorted, query, gateway.limits.pageItemsMax);
  const answer: Record<string, unknown> = { [key]: page.map((view) => pick(view, query.get('fields'))) };
  const links = [
    ...(hasNext ? [linkTo(gateway, request, 'next', page)] : []),
    ...(hasPrevious ? [linkTo(gateway, request, 'previous', page)] : []),
  ];
  if (links.length > 0) answer[`${key}_links`] = links;
  return answer;
}

/** The page beside `page`, which is not empty, by Neutron's name: `previous` ends before its first, `next` follows its last. */
function linkTo(gateway: Gateway, request: FastifyRequest, rel: 'next' | 'previous', page: readonly View[]): object {
  const { path, query } = targetOf(request.url);
  const params = new URLSearchParams(query);
  params.set('marker', String(page.at(rel === 'next' ? -1 : 0)?.['id']));
  params.set('limit', String(page.length));
  if (rel === 'previous') params.set('page_reverse', 'True');
  else params.delete('page_reverse');
  return { rel, href: `${gateway.baseUrl(request)}${path}?${params.toString()}` };
}

/** One thing's answer, with `fields` heeded. */
export function showAnswer(request: FastifyRequest, key: string, view: View): object {
  return { [key]: pick(view, queryOf(request).get('fields')) };
}

function pick(view: View, fields: readonly string[] | undefined): View {
  if (fields === undefined || fields.length === 0) return view;
  const wanted = new Set(fields.flatMap((field) => field.split(',')));
  return Object.fromEntries(Object.entries(view).filter(([key]) => wanted.has(key)));
}

/** A script that deletes what a filter finds must not be answered with everything. Throws 400. */
function checkKeys(query: Query, { keys, guarded }: ListKeys, allows: (rule: string) => boolean): void {
  const unknown = [...query.keys()].filter(
    (key) =>
      !paging.has(key) &&
      !keys.includes(key) &&
      !(guarded?.keys.includes(key) === true && allows(`${guarded.rule}:${key}`)),
  );
  if (unknown.length === 0) return;
  throw badRequest(`[${unknown.map((key) => `'${shown(key)}'`).join(', ')}] is invalid attribute for filtering`);
}

function matches(view: View, query: Query): boolean {
  for (const [key, values] of query) {
    if (!reserved.has(key) && Object.hasOwn(view, key) && !matchesOne(key, view[key], values)) return false;
  }
  return matchesTags(view['tags'], query) && isChangedSince(view['updated_at'], oneOf(query, 'changed_since'));
}

function isChangedSince(updatedAt: unknown, text: string | undefined): boolean {
  if (text === undefined) return true;
  const sinceMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(sinceMs)) {
    throw badRequest('The input changed_since must be in the following format: YYYY-MM-DDTHH:MM:SSZ');
  }
  return Date.parse(String(updatedAt)) >= sinceMs;
}

function matchesOne(key: string, value: unknown, wanted: readonly string[]): boolean {
  if (key === 'fixed_ips' && Array.isArray(value)) return matchesFixedIps(value, wanted);
  if (Array.isArray(value)) return wanted.some((text) => value.some((member) => String(member) === text));
  return wanted.some((text) => {
    if (typeof value === 'boolean') return value === flagOf(key, text);
    if (value === null) return text === '';
    return String(value) === text;
  });
}

/** `fixed_ips=ip_address=10.0.0.5`, several at once: an address of the port has one of the values of each kind. */
function matchesFixedIps(fixedIps: readonly unknown[], wanted: readonly string[]): boolean {
  const terms = new Map<string, string[]>();
  for (const term of wanted) {
    const [kind = '', value = ''] = term.split('=', 2);
    terms.set(kind, [...(terms.get(kind) ?? []), value]);
  }
  return [...terms].every(([kind, values]) =>
    fixedIps.some((entry) => {
      const fixed = entry as { readonly ip_address: string; readonly subnet_id: string };
      if (kind === 'ip_address') return values.includes(fixed.ip_address);
      if (kind === 'subnet_id') return values.includes(fixed.subnet_id);
      if (kind === 'ip_address_substr') return values.some((value) => fixed.ip_address.includes(value));
      throw badRequest(
        `Invalid filter: fixed_ips has ip_address, subnet_id and ip_address_substr, not ${shown(kind)}.`,
      );
    }),
  );
}

function matchesTags(value: unknown, query: Query): boolean {
  const tags: readonly unknown[] = Array.isArray(value) ? value : [];
  const asked = (key: string): readonly string[] | undefined =>
    query
      .get(key)
      ?.flatMap((text) => text.split(','))
      .filter((text) => text !== '');
  const all = asked('tags');
  const any = asked('tags-any');
  const notAll = asked('not-tags');
  const notAny = asked('not-tags-any');
  return (
    (all === undefined || all.every((tag) => tags.includes(tag))) &&
    (any === undefined || any.some((tag) => tags.includes(tag))) &&
    (notAll === undefined || !notAll.every((tag) => tags.includes(tag))) &&
    (notAny === undefined || !notAny.some((tag) => tags.includes(tag)))
  );
}

function flagOf(key: string, text: string): boolean {
  if (readFlag(text)) return true;
  if (['false', '0', 'f', 'no', 'off'].includes(text.toLowerCase())) return false;
  throw badRequest(`Invalid filter: ${key} is true or false, not '${shown(text)}'.`);
}

function readFlag(text: string): boolean {
  return ['true', '1', 't', 'yes', 'on'].includes(text.toLowerCase());
}

function sortViews(views: readonly View[], query: Query, isKnown: (key: string) => boolean): readonly View[] {
  const order = sortOrder(query.get('sort_key') ?? [], query.get('sort_dir') ?? [], { fallback: 'asc', isKnown });
  return [...views].sort((a, b) => {
    for (const { key, isDescending } of order) {
      const difference = compare(ownValue(a, key), ownValue(b, key));
      if (difference !== 0) return isDescending ? -difference : difference;
    }
    return compare(a['id'], b['id']);
  });
}

/** The value of a key that can have one. Throws 400 when it stands several times. */
function oneOf(query: Query, key: string): string | undefined {
  const values = query.get(key) ?? [];
  if (values.length > 1) throw badRequest(`Invalid query: ${key} stands ${values.length} times.`);
  return values[0];
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const left = String(a ?? '');
  const right = String(b ?? '');
  return left < right ? -1 : left > right ? 1 : 0;
}

function pageOf(
  views: readonly View[],
  query: Query,
  pageItemsMax: number,
): { readonly page: readonly View[]; readonly hasPrevious: boolean; readonly hasNext: boolean } {
  const limitText = oneOf(query, 'limit');
  const wanted = limitText === undefined ? pageItemsMax : wholeNumber('limit', limitText);
  const limit = wanted === 0 ? pageItemsMax : Math.min(wanted, pageItemsMax);
  const marker = oneOf(query, 'marker');
  const isReverse = readFlag(oneOf(query, 'page_reverse') ?? 'false');
  const at = marker === undefined ? -1 : views.findIndex((view) => view['id'] === marker);
  if (marker !== undefined && at < 0) throw badRequest(`Marker ${shown(marker)} could not be found.`);
  const reverseEnd = marker === undefined ? views.length : at;
  const start = isReverse ? Math.max(0, reverseEnd - limit) : at + 1;
  const end = isReverse ? reverseEnd : Math.min(start + limit, views.length);
  const page = views.slice(start, end);
  // An empty page, before the first or after the last, has nothing to go on from.
  const canGoOn = page.length > 0 && typeof page[0]?.['id'] === 'string';
  return { page, hasPrevious: canGoOn && start > 0, hasNext: canGoOn && end < views.length };
}
