import type { FastifyContextConfig } from 'fastify';
import { targetOf } from './request-target.ts';

/** One route, its path as the router knows it: `/a/:id`, `/a/*`. */
export interface Route {
  readonly method: string;
  readonly path: string;
  /** What is said of it beside its path. Whole once the gateway has started. */
  readonly config: FastifyContextConfig;
}

/** Which methods each known path has, to tell "no such path" (404) from "not with this method" (405). */
export class KnownRoutes {
  readonly #paths: { readonly pattern: RegExp; readonly methods: Set<string> }[] = [];
  /** Every route, in the order in which they were added. */
  readonly all: Route[] = [];
  readonly #bySource = new Map<string, Set<string>>();
  /** What lies above an id: `/images` where `/images/:id` is known. */
  readonly #parents: RegExp[] = [];

  /**
   * Notes a route as the router knows it: `/a/:id`, `/a/*`.
   * @param configOf asked when somebody looks: what guards the route is not known yet.
   */
  add(
    path: string,
    methods: string | readonly string[],
    configOf: () => FastifyContextConfig | undefined = () => undefined,
  ): void {
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
      const parent = /^(.*\/)\[\^\/\]\+$/.exec(source)?.[1];
      if (parent !== undefined) this.#parents.push(new RegExp(`^${parent}$`));
    }
    for (const method of typeof methods === 'string' ? [methods] : methods) {
      known.add(method);
      this.all.push({
        method,
        path,
        get config() {
          return configOf() ?? {};
        },
      });
    }
  }

  /**
   * Whether the path ends where an id belongs, as `/images/` does. A client that built it from an id that turned out empty
   * means one thing of the list, never the whole list: there is no such thing.
   */
  lacksId(url: string): boolean {
    const { path } = targetOf(url);
    return path.endsWith('/') && this.#parents.some((parent) => parent.test(path));
  }

  /** Methods of a path, sorted; empty when there is no such path. `url` may have a query. */
  methodsOf(url: string): readonly string[] {
    const { path } = targetOf(url);
    const methods = new Set<string>();
    for (const known of this.#paths) {
      if (known.pattern.test(path)) for (const method of known.methods) methods.add(method);
    }
    return [...methods].sort();
  }
}
