import { ownValue } from '../../../../node/base/own-value.ts';
import { sortOrder } from '../sort-order.ts';
import type { Query } from './query.ts';

/** Compares two items as `sort` wants it. */
export type Compare<T> = (a: T, b: T) => number;

/** How a list may be ordered. */
interface Ordering<T> {
  /** Sort key -> what is compared. */
  readonly values: Readonly<Record<string, (item: T) => string | number>>;
  /** Direction of a key that has none. */
  readonly fallback: 'asc' | 'desc';
  /** Keys that count without any in the query. Default: none, so that the list stays in its own order. */
  readonly byDefault?: readonly string[];
  /** What settles ties. */
  readonly last?: Compare<T>;
}

/**
 * The order that the query asks for; undefined: the list's own. Throws `INVALID_ARGUMENT` as `sortOrder` does.
 * @param isKnown whether a key counts here; default: all of `values`.
 */
export function orderBy<T>(
  query: Query,
  ordering: Ordering<T>,
  isKnown: (key: string) => boolean = () => true,
): Compare<T> | undefined {
  return orderByKeys({ keys: query.all('sort_key'), directions: query.all('sort_dir') }, ordering, isKnown);
}

/** As `orderBy`, by keys and directions that a service writes in another form. */
export function orderByKeys<T>(
  asked: { readonly keys: readonly string[]; readonly directions: readonly string[] },
  { values, fallback, byDefault = [], last }: Ordering<T>,
  isKnown: (key: string) => boolean = () => true,
): Compare<T> | undefined {
  const order = sortOrder(asked.keys.length === 0 ? byDefault : asked.keys, asked.directions, {
    fallback,
    isKnown: (key) => Object.hasOwn(values, key) && isKnown(key),
  });
  if (order.length === 0) return undefined;
  const parts = order.map(({ key, isDescending }) => ({
    of: ownValue(values, key) ?? (() => ''),
    sign: isDescending ? -1 : 1,
  }));
  return (a, b) => {
    for (const { of, sign } of parts) {
      const [left, right] = [of(a), of(b)];
      if (left !== right) return left < right ? -sign : sign;
    }
    return last?.(a, b) ?? 0;
  };
}
