/** Paths of pages, matched. Pure. */

/** What a pattern found in a path: `:id` of `/servers/:id`, decoded. */
export type PathParameters = Readonly<Record<string, string>>;

/**
 * Parameters of `path` by `pattern` (`/servers/:id`); undefined: it is another page's. A path that is no valid URI component
 * is nobody's.
 */
export function matchPath(pattern: string, path: string): PathParameters | undefined {
  const wanted = pattern.split('/').filter((part) => part !== '');
  const given = path.split('/').filter((part) => part !== '');
  if (wanted.length !== given.length) return undefined;
  const found: [string, string][] = [];
  for (const [at, part] of wanted.entries()) {
    const value = given[at] ?? '';
    if (!part.startsWith(':')) {
      if (part !== value) return undefined;
      continue;
    }
    try {
      found.push([part.slice(1), decodeURIComponent(value)]);
    } catch (error) {
      if (error instanceof URIError) return undefined;
      throw error;
    }
  }
  return Object.fromEntries(found);
}

/** `/servers/ID?key=value`; values that are empty are left out. */
export function pathOf(parts: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const path = `/${parts.map((part) => encodeURIComponent(part)).join('/')}`;
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return search === '' ? path : `${path}?${search}`;
}
