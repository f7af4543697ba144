/** Lists in pages: by a key that stays, so that a page's end means the same when things have come and gone meanwhile. */
import { ShoalError } from '../../../node/base/errors.ts';

/** Things on one page. */
const pageItemsMax = 1000;

/** What a request says of the page that it wants. */
export interface PageRequest {
  /** 0: as many as there may be. */
  readonly pageSize: number;
  /** Key of the last thing of the page before; empty: from the beginning. */
  readonly pageToken: string;
}

/** One page of `items`, and where the next one begins. Throws `INVALID_ARGUMENT` for a page that is too large. */
export function pageOf<T>(
  items: readonly T[],
  { pageSize, pageToken }: PageRequest,
  keyOf: (item: T) => string,
): { readonly page: readonly T[]; readonly nextPageToken: string } {
  if (pageSize > pageItemsMax) throw new ShoalError('INVALID_ARGUMENT', `page_size is at most ${pageItemsMax}.`);
  const rest = items
    .map((item) => ({ item, key: keyOf(item) }))
    .filter(({ key }) => key > pageToken)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, pageSize === 0 ? pageItemsMax : pageSize);
  return {
    page: page.map(({ item }) => item),
    nextPageToken: rest.length > page.length ? (page.at(-1)?.key ?? '') : '',
  };
}

/** As `pageOf`, for what has an id. */
export function pageById<T extends { readonly id: string }>(items: readonly T[], request: PageRequest) {
  return pageOf(items, request, ({ id }) => id);
}

/** Whether a thing has what a filter names; an empty filter lets everything through. */
export function isOr(filter: string, value: string): boolean {
  return filter === '' || filter === value;
}
