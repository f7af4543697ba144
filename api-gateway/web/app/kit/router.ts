/** Where the page is: the browser's address, below `/ui`, is the only state of navigation. */
import { signal } from '@preact/signals';

/** Below it are all pages. */
const base = '/ui';

interface Place {
  /** As `/servers/ID`; the front page is `/`. */
  readonly path: string;
  readonly query: URLSearchParams;
}

function placeNow(): Place {
  const { pathname, search } = location;
  const path = pathname.startsWith(`${base}/`) ? pathname.slice(base.length) : '/';
  return { path, query: new URLSearchParams(search) };
}

/** See above. Read it in a component, and the component follows. */
export const place = signal<Place>(placeNow());

/** The address of a page, for links. */
export function href(path: string): string {
  return `${base}${path}`;
}

/** Goes to a page. @param replace the entry in the browser's history, so that "back" does not come by here. */
export function navigate(path: string, replace = false): void {
  if (replace) history.replaceState(null, '', href(path));
  else history.pushState(null, '', href(path));
  place.value = placeNow();
  if (!replace) scrollTo(0, 0);
}

/** Sets a value of the address's query, and leaves the rest; empty: takes it out. The history gets no entry. */
export function setQuery(key: string, value: string): void {
  const query = new URLSearchParams(location.search);
  if (value === '') query.delete(key);
  else query.set(key, value);
  const search = query.toString();
  navigate(placeNow().path + (search === '' ? '' : `?${search}`), true);
}

/** Follows the browser's own buttons, and links within the page. Call it once. */
export function startRouter(): void {
  addEventListener('popstate', () => {
    place.value = placeNow();
  });
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.hasAttribute('download')) return;
    if (link.origin !== location.origin || !link.pathname.startsWith(`${base}/`)) return;
    event.preventDefault();
    navigate(link.pathname.slice(base.length) + link.search);
  });
}
