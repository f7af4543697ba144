/** Which module a path belongs to. */
import type { IncomingMessage } from 'node:http';
import type { RestModule } from '../kit/module.ts';
import { projectOfPath } from '../kit/project-path.ts';
import { targetOf } from '../kit/request-target.ts';
import { type UnservedPart, unservedPart } from '../kit/unserved.ts';

/** The modules by the paths that they serve. */
export class ModulePaths {
  readonly #modules: readonly RestModule[];

  constructor(modules: readonly RestModule[]) {
    this.#modules = modules;
  }

  /** The path that a request is about: what an older name stands for, and at `/` the page for who looks by a browser. */
  rewritten({ url = '/', method, headers }: Pick<IncomingMessage, 'url' | 'method' | 'headers'>): string {
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && targetOf(url).path === '/' && acceptsHtml(headers.accept)) {
      for (const { frontPage } of this.#modules) {
        const page = frontPage?.();
        if (page !== undefined) return page + url.slice(1);
      }
    }
    for (const { aliases = {}, projectPaths = [] } of this.#modules) {
      for (const path of projectPaths) {
        const project = projectOfPath(path, url);
        if (project !== undefined) return path + url.slice(path.length + 1 + project.length);
      }
      for (const [from, to] of Object.entries(aliases)) {
        const next = url.startsWith(from) ? url.charAt(from.length) : undefined;
        if (next === '' || next === '/' || next === '?') return to + url.slice(from.length);
      }
    }
    return url;
  }

  /** The module that serves `url`, by its longest prefix; undefined: none does. */
  moduleOf(url: string): RestModule | undefined {
    const { path } = targetOf(url);
    let best: RestModule | undefined;
    let bestLength = -1;
    for (const module of this.#modules) {
      for (const prefix of module.prefixes) {
        const inside = prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
        if (inside && prefix.length > bestLength) {
          best = module;
          bestLength = prefix.length;
        }
      }
    }
    return best;
  }

  /** The part of the module's service that a path belongs to and that is known not to be here. */
  unservedPart(url: string, module: RestModule): UnservedPart | undefined {
    const { unserved = [], prefixes } = module;
    // The longest first: the empty prefix fits every path.
    const prefix = [...prefixes].sort((a, b) => b.length - a.length).find((one) => url.startsWith(`${one}/`));
    return prefix === undefined ? undefined : unservedPart(unserved, url.slice(prefix.length));
  }
}

/** Whether HTML is named; `*\/*` names nothing, and is what programs send that do not care. */
function acceptsHtml(accept = ''): boolean {
  return accept.split(',').some((one) => one.split(';')[0]?.trim().toLowerCase() === 'text/html');
}
