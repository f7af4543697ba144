/** A request's target, taken apart: both are as they stand in it, still encoded. */
interface RequestTarget {
  readonly path: string;
  /** Without its `?`; empty for none. */
  readonly query: string;
}

/**
 * Parts `url` (a request's target, without scheme and host) where the router parts it: at its first `?` or `#`. A `?` that
 * follows belongs to the query (RFC 3986, 3.4), so that a filter with one in its value keeps it, and those after it hold.
 */
export function targetOf(url: string): RequestTarget {
  const end = url.search(/[?#]/);
  return end < 0 ? { path: url, query: '' } : { path: url.slice(0, end), query: url.slice(end + 1) };
}
