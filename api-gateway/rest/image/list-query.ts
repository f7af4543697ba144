/** What `GET /v2/images` may be asked for: filters, order, and a page of it. */

import type { FastifyInstance } from 'fastify';
import { ShoalError } from '../../../node/base/errors.ts';
import { ownValue } from '../../../node/base/own-value.ts';
import { visibilities } from '../../../node/services/image/draft.ts';
import { type ImageService, statusName } from '../../../node/services/image/image.ts';
import { type MemberStatus, memberStatuses } from '../../../node/services/image/members.ts';
import type { shoal } from '../../../proto/messages.ts';
import { allOf, type Filters, once } from '../kit/lists/filter.ts';
import { readInstant } from '../kit/lists/instant.ts';
import { addList, type ListStyle } from '../kit/lists/list.ts';
import { cutPage, pathWith, placeOf } from '../kit/lists/page.ts';
import type { Gateway } from '../kit/module.ts';
import { imageView, readOnlyFields } from './views.ts';

type Image = shoal.v1.Image;
const wrong = (message: string): ShoalError => new ShoalError('INVALID_ARGUMENT', `Invalid query: ${message}.`);

/** Values by which lists are filtered for equality, with `in:a,b` where Glance has it. */
const textValues: Readonly<Record<string, (image: Image) => string>> = {
  id: (image) => image.id,
  name: (image) => image.name,
  status: statusName,
  container_format: (image) => image.containerFormat,
  disk_format: (image) => image.diskFormat,
  owner: (image) => image.projectId,
  checksum: (image) => image.md5,
  os_hash_algo: (image) => (image.sha512 === '' ? '' : 'sha512'),
  os_hash_value: (image) => image.sha512,
};

/** Numbers by which lists are filtered for equality; with `_min` or `_max` behind the name, for a bound. */
const numberValues: Readonly<Record<string, (image: Image) => number | undefined>> = {
  // An image without content has no size, as it is shown.
  size: (image) => (image.sha256 === '' ? undefined : image.sizeBytes),
  virtual_size: (image) => (image.sha256 === '' ? undefined : image.virtualSizeBytes),
  min_disk: (image) => image.minDiskGib,
  min_ram: (image) => image.minMemoryMib,
};

const booleanValues: Readonly<Record<string, (image: Image) => boolean>> = {
  protected: (image) => image.protected,
  os_hidden: (image) => image.hidden,
};

const sortValues: Readonly<Record<string, (image: Image) => string | number>> = {
  id: (image) => image.id,
  name: (image) => image.name,
  status: statusName,
  container_format: (image) => image.containerFormat,
  disk_format: (image) => image.diskFormat,
  size: (image) => image.sizeBytes,
  created_at: (image) => image.createdMs,
  updated_at: (image) => image.updatedMs,
};

/** Names that say which page is asked for and in what order. */
const paging = new Set(['limit', 'marker', 'sort', 'sort_key', 'sort_dir', 'member_status']);
/** Fields that no list is filtered by. Taken for a property of the caller's, they would find nothing and not say why. */
const notFilters = new Set([...readOnlyFields, 'tags', 'changes-since']);

/** All names of a query that are no property of the caller's. `LEDGER.md` says of each what it does. */
export const listKeys: readonly string[] = [
  ...paging,
  ...Object.keys(textValues),
  ...Object.keys(numberValues).flatMap((name) => [name, `${name}_min`, `${name}_max`]),
  ...Object.keys(booleanValues),
  'visibility',
  'tag',
  'created_at',
  'updated_at',
  ...[...notFilters].filter(
    (name) => ownValue(textValues, name) === undefined && ownValue(numberValues, name) === undefined,
  ),
].filter((name, at, all) => all.indexOf(name) === at);

const memberStatusFilter = (wanted: string): MemberStatus | 'all' => {
  const found = wanted === 'all' ? 'all' : memberStatuses.find((known) => known === wanted);
  if (found === undefined) throw wrong(`member_status must be all, ${memberStatuses.join(', ')}`);
  return found;
};

/** Glance's lists: newest first, a next link below the version's own path, and whatever is no filter is a property's name. */
const glanceLists: ListStyle = {
  reserved: paging,
  refuseUnknown() {},
  page({ listing: { gateway, query }, items, all, idOf, compare }) {
    const limitText = query.one('limit');
    const { pageItemsMax } = gateway.limits;
    const limit = limitText === undefined ? pageItemsMax : Math.min(numberOf('limit', limitText), pageItemsMax);
    const marker = query.one('marker');
    if (marker === undefined) return cutPage(items, { at: 0, limit });
    // The marker itself may not match any more, or never have: what counts is its place in the order.
    const missing = (): Error => wrong(`there is no image ${marker.slice(0, 64)} to go on from`);
    const from = all[placeOf(all, idOf, marker, missing)];
    const at = items.findIndex((item) => from !== undefined && compare !== undefined && compare(item, from) > 0);
    return cutPage(items, { at: at < 0 ? items.length : at, limit });
  },
  body({ listing: { request }, key, views, ids, page }) {
    const linkTo = (marker: string | undefined): string => pathWith(request, { marker }).replace(/^\/image/, '');
    return {
      [key]: views,
      first: linkTo(undefined),
      ...(page.hasNext ? { next: linkTo(ids.at(-1)) } : {}),
      schema: '/v2/schemas/images',
    };
  },
};

/** Adds `GET /v2/images`: what the caller may see, by its filters, and its properties beside them. */
export function addImageList(app: FastifyInstance, gateway: Gateway, images: ImageService): void {
  addList<Image>(app, gateway, glanceLists, {
    path: '/v2/images',
    key: 'images',
    items({ query, reader, context }) {
      const visibility = query.one('visibility');
      return images.list(reader, context, {
        community: visibility === 'community' || visibility === 'all',
        memberStatus: memberStatusFilter(query.one('member_status') ?? 'accepted'),
      });
    },
    filters: () => filters,
    // Hidden images are listed to those who ask for them only.
    where: ({ query }) => (query.all('os_hidden').length > 0 ? undefined : (image) => !image.hidden),
    otherFilter: (key) => once((value) => filterOf(key, value)),
    order: ({ query }) => orderOf(query.all('sort'), query.all('sort_key'), query.all('sort_dir')),
    idOf: (image) => image.id,
    view: imageView,
  });
}

const filters: Filters<Image> = {
  tag: allOf((value) => filterOf('tag', value)),
  visibility: once((value) => {
    if (value === 'all') return undefined;
    if (!visibilities.some((known) => known === value))
      throw wrong(`visibility must be all, ${visibilities.join(', ')}`);
    return (image) => image.visibility === value;
  }),
};

function filterOf(key: string, value: string): (image: Image) => boolean {
  const text = ownValue(textValues, key);
  if (text !== undefined) {
    const listed = value.startsWith('in:') ? listOf(value.slice(3)) : [value];
    return (image) => listed.includes(text(image));
  }
  const truth = ownValue(booleanValues, key);
  if (truth !== undefined) {
    const wanted = booleanOf(key, value);
    return (image) => truth(image) === wanted;
  }
  const [, name = key, bound] = /^(.*)_(min|max)$/.exec(key) ?? [];
  const number = ownValue(numberValues, name);
  if (number !== undefined) return numberFilter(number, bound, numberOf(key, value));
  switch (key) {
    case 'tag':
      return (image) => image.tags.includes(value.trim());
    case 'created_at':
      return timeFilter(key, value, (image) => image.createdMs);
    case 'updated_at':
      return timeFilter(key, value, (image) => image.updatedMs);
    default:
      if (notFilters.has(key)) throw wrong(`lists are not filtered by ${key}`);
      return (image) => ownValue(image.properties, key) === value;
  }
}

function numberFilter(
  of: (image: Image) => number | undefined,
  bound: string | undefined,
  wanted: number,
): (image: Image) => boolean {
  return (image) => {
    const value = of(image);
    if (value === undefined) return false;
    if (bound === 'min') return value >= wanted;
    return bound === 'max' ? value <= wanted : value === wanted;
  };
}

/** `in:` lists values apart by commas; one in quotation marks may hold a comma. */
function listOf(text: string): readonly string[] {
  return (text.match(/"[^"]*"|[^,]+/g) ?? []).map((value) => value.replace(/^"(.*)"$/, '$1'));
}

/** `gt:2024-01-01T00:00:00Z`; without an operator, equal. Times are compared in whole seconds, as they are shown. */
function timeFilter(key: string, value: string, of: (image: Image) => number): (image: Image) => boolean {
  const [, operator = 'eq', time = ''] = /^(?:(eq|neq|gt|gte|lt|lte):)?(.*)$/.exec(value) ?? [];
  const ms = readInstant(time);
  if (ms === undefined) {
    throw wrong(`${key} must be a time, with eq:, neq:, gt:, gte:, lt: or lte: before it`);
  }
  const seconds = Math.floor(ms / 1000);
  return (image) => {
    const difference = Math.floor(of(image) / 1000) - seconds;
    switch (operator) {
      case 'gt':
        return difference > 0;
      case 'gte':
        return difference >= 0;
      case 'lt':
        return difference < 0;
      case 'lte':
        return difference <= 0;
      case 'neq':
        return difference !== 0;
      default:
        return difference === 0;
    }
  };
}

/** `sort=key:dir,key:dir`, or `sort_key` and `sort_dir` in pairs. Newest first unless told; ids break ties. */
function orderOf(
  sort: readonly string[],
  keys: readonly string[],
  directions: readonly string[],
): (a: Image, b: Image) => number {
  if (sort.length > 0 && (keys.length > 0 || directions.length > 0)) {
    throw wrong('sort and sort_key or sort_dir exclude each other');
  }
  if (directions.length > 1 && directions.length !== keys.length) {
    throw wrong('there must be one sort_dir, or one for each sort_key');
  }
  const parts: (readonly [string, string | undefined])[] =
    sort.length > 0
      ? sort
          .flatMap((list) => list.split(','))
          .map((part) => {
            const [key = '', direction] = part.split(':').map((word) => word.trim());
            return [key, direction];
          })
      : keys.map((key, i) => [key, directions[i] ?? directions[0]]);
  const order = parts.map(([key, direction = 'desc']) => {
    const value = ownValue(sortValues, key);
    if (value === undefined)
      throw wrong(`sort key ${key.slice(0, 32)} is not one of ${Object.keys(sortValues).join(', ')}`);
    if (direction !== 'asc' && direction !== 'desc') throw wrong('a sort direction is asc or desc');
    return { value, sign: direction === 'asc' ? 1 : -1 };
  });
  const fallback = fallbackOf(parts, directions);
  for (const key of ['created_at', 'id']) order.push({ value: ownValue(sortValues, key) ?? (() => 0), sign: fallback });
  return (a, b) => {
    for (const { value, sign } of order) {
      const [x, y] = [value(a), value(b)];
      if (x !== y) return x < y ? -sign : sign;
    }
    return 0;
  };
}

/** What is equal in all keys goes in the one direction that was asked for, newest first when there were several, as in Glance. */
function fallbackOf(parts: readonly (readonly [string, string | undefined])[], directions: readonly string[]): number {
  const asked = parts.length > 0 ? parts.map(([, direction]) => direction) : directions;
  return (asked.length === 1 || directions.length === 1) && asked[0] === 'asc' ? 1 : -1;
}

function numberOf(key: string, text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw wrong(`${key} must be a whole number from 0 on`);
  return Number(text);
}

function booleanOf(key: string, text: string): boolean {
  const value = text.toLowerCase();
  if (value !== 'true' && value !== 'false') throw wrong(`${key} must be true or false`);
  return value === 'true';
}
