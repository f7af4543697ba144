/** Which methods each known path has, to tell "no such path" (404) from "not with this method" (405). */
export class KnownRoutes {
  readonly #paths: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];
  readonly #bySource = new Map<string, Set<string>>();

  /** Notes a route as the router knows it: `/a/:id`, `/a/*`. */
  add(path: string, methods: string | readonly string[]): void {
    const source = path
      .split('/')
      .map((part) =>
        part === '*'
          ? '.*'
          : part.replace(/:[A-Za-z_]+|[.*+?^${}()|[\]\\]/g, (m) => (m.startsWith(':') ? '[^/]+' : `\\${m}`)),
      )
      .join('/')
      .replace(/\/$/, '');
    let known = this.#bySource.get(source);
    if (known === undefined) {
      known = new Set();
      this.#bySource.set(source, known);
      this.#paths.push({ pattern: new RegExp(`^${source}/?$`), methods: known });
    }
    for (const method of typeof methods === 'string' ? [methods] : methods) known.add(method);
  }

  /** Methods of a path, sorted; empty when there is no such path. `url` may have a query. */
  methodsOf(url: string): readonly string[] {
    const path = url.split('?', 1)[0] ?? '';
    const methods = new Set<string>();
    for (const known of this.#paths) {
      if (known.pattern.test(path)) for (const method of known.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}
